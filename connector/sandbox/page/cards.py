"""What does the connector say about a contact: which texts, and why, or why not?

Asked for the way a CRM card asks: a GET with HubSpot's v3 signature over the whole URL and an empty body
(developers.hubspot.com, "Validate requests").
"""

from collections.abc import Iterable
from typing import Any

import httpx

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.signing import sign_v3

PATIENCE = 4.0  # seconds a person looks at a drawer that loads

JSON = dict[str, Any]


class CardUnavailableError(Exception):
    """The connector has no answer; the text says what a person can make of it."""


class Cards:
    """Reads contact cards from the connector."""

    def __init__(
        self,
        clock: SandboxClock,
        *,
        connector_url: str,
        client_secret: str,
        portal_id: int,
        client: httpx.Client | None = None,
    ) -> None:
        self._clock = clock
        self._base = connector_url.rstrip("/")
        self._secret = client_secret
        self._portal_id = portal_id
        # No connection is kept: the page is stopped without a word, and an open one would outlive it.
        self._client = client or httpx.Client(
            timeout=PATIENCE, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def of(self, contact_id: str) -> JSON:
        """The card of a contact; CardUnavailableError when the connector is down, slow or refuses."""
        url = f"{self._base}/cards/hubspot/contacts/{contact_id}?portalId={self._portal_id}"
        timestamp = int(self._clock.now().timestamp() * 1000)
        headers = {
            "X-HubSpot-Request-Timestamp": str(timestamp),
            "X-HubSpot-Signature-v3": sign_v3("GET", url, b"", timestamp, self._secret),
        }
        answer = self._get(url, headers)
        if answer.status_code == 404:
            raise CardUnavailableError("The connector has not met this contact yet.")
        if answer.status_code != 200:
            raise CardUnavailableError(f"The connector answered {answer.status_code}. Its log says more.")
        try:
            card = answer.json()
        except ValueError as error:
            raise CardUnavailableError("The connector's answer could not be read.") from error
        return dict(card)

    def is_up(self) -> bool:
        """Whether the connector answers its health check."""
        try:
            return self._get(f"{self._base}/healthz", {}).status_code == 200
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

    def _get(self, url: str, headers: dict[str, str]) -> httpx.Response:
        try:
            return self._client.get(url, headers=headers)
        except httpx.HTTPError as error:
            raise CardUnavailableError("The connector cannot be reached. Is it running?") from error
