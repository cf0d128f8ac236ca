"""How does a card on a contact's record ask the connector, and what is it answered?

HubSpot's card asks through HubSpot, which adds the portal and the user to the query and signs method, URL and body
(v3; developers.hubspot.com, "Validate requests"). Any other CRM's card asks with an API key, as Salesforce's named
credential adds it. Either way the secret stays on the server: the browser asks the page, the page asks the connector.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import httpx

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.signing import sign_v3

PATIENCE = 4.0  # seconds a person looks at a drawer that loads

JSON = dict[str, Any]


class CardUnavailableError(Exception):
    """The connector has no answer; the text says what a person can make of it."""


class Door(Protocol):
    """How one CRM's card proves whom it speaks for."""

    @property
    def base(self) -> str:
        """The path below which the connector answers this CRM's cards."""

    def query(self) -> Mapping[str, str]:
        """What the CRM adds to the address."""

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """What the CRM adds to the request."""


@dataclass(frozen=True)
class SignedDoor:
    """HubSpot's: `user_email` is who is logged in there."""

    clock: SandboxClock
    client_secret: str
    portal_id: int
    user_email: str = ""
    base: str = "/hubspot/card"

    def query(self) -> Mapping[str, str]:
        """The portal, and who is logged in."""
        user = {"userId": "1", "userEmail": self.user_email} if self.user_email else {}
        return {"portalId": str(self.portal_id), **user}

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """The signature over the whole request."""
        timestamp = int(self.clock.now().timestamp() * 1000)
        return {
            "X-HubSpot-Request-Timestamp": str(timestamp),
            "X-HubSpot-Signature-v3": sign_v3(method, url, body, timestamp, self.client_secret),
        }


@dataclass(frozen=True)
class KeyDoor:
    """Salesforce's and any other's: `key` gives the API key, which there may be none of yet."""

    key: Callable[[], str]
    base: str = "/api/v1/card"

    def query(self) -> Mapping[str, str]:
        """Nothing: the key says whose it is."""
        return {}

    def headers(self, _method: str, _url: str, _body: bytes) -> Mapping[str, str]:
        """The key."""
        return {"Authorization": f"Bearer {self.key()}"}


class Cards:
    """Reads and writes contact cards at the connector."""

    def __init__(self, connector_url: str, door: Door, client: httpx.Client | None = None) -> None:
        self._root = connector_url.rstrip("/")
        self._door = door
        # No connection is kept: the page is stopped without a word, and an open one would outlive it.
        self._client = client or httpx.Client(
            timeout=PATIENCE, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: JSON | None = None
    ) -> tuple[int, JSON]:
        """Ask for `path` below the card's address; give status and JSON, whatever they are.

        Raises:
            CardUnavailableError: the connector is down or slow, or its answer is no JSON.
        """
        answer = self._asked(method, path, query or {}, body)
        try:
            return answer.status_code, dict(answer.json())
        except (ValueError, TypeError) as error:
            raise _unreadable(answer.status_code) from error

    def of(self, contact_id: str) -> JSON:
        """Every text and decision about a contact; CardUnavailableError when the connector does not say."""
        answer = self._asked("GET", f"/contacts/{quote(contact_id, safe='')}/trace", {}, None)
        if answer.status_code == 404:
            raise CardUnavailableError("The connector has not met this contact yet.")
        if answer.status_code != 200:
            raise _unreadable(answer.status_code)
        try:
            return dict(answer.json())
        except ValueError as error:
            raise CardUnavailableError("The connector's answer could not be read.") from error

    def is_up(self) -> bool:
        """Whether the connector answers its health check."""
        try:
            return self._send("GET", f"{self._root}/healthz", {}, b"").status_code == 200
        except CardUnavailableError:
            return False

    def find(self, contact_ids: Iterable[str], field: str, value: str) -> tuple[JSON, JSON] | None:
        """The first (card, message) among contacts whose message has `field` equal to `value`."""
        for contact_id in contact_ids:
            try:
                card = self.of(contact_id)
            except CardUnavailableError as error:
                if "not met" in str(error):
                    continue
                raise
            for message in card.get("messages", []):
                if str(message.get(field)) == value:
                    return card, message
        return None

    def _asked(self, method: str, path: str, query: Mapping[str, str], body: JSON | None) -> httpx.Response:
        asked = urlencode({**self._door.query(), **query}, quote_via=quote)
        url = f"{self._root}{self._door.base}{path}" + (f"?{asked}" if asked else "")
        content = b"" if body is None else json.dumps(body).encode()
        headers = dict(self._door.headers(method, url, content))
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._send(method, url, headers, content)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        try:
            return self._client.request(method, url, headers=headers, content=body)
        except httpx.HTTPError as error:
            raise CardUnavailableError("The connector cannot be reached. Is it running?") from error


def _unreadable(status: int) -> CardUnavailableError:
    return CardUnavailableError(f"The connector answered {status}. Its log says more.")
