"""What does Sinch know of a number?

Source: developers.sinch.com/docs/number-lookup-api-v2. It tells to whom a number was given out, not whether its handset
is in service. It is another product than SMS, with credentials of its own: an access key of a project, for which an
OAuth 2 token is fetched and kept for its hour.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms.reading import json_object, mapping, whole_number, words
from connector.adapters.sms.sinch_codes import LINE_TYPES, LOOKUP_ERRORS
from connector.errors import TransientSendError, UnanswerableError
from connector.ports.number_lookup import LineType, LookupAnswer

AUTH_URL = "https://auth.sinch.com"
LOOKUP_URL = "https://lookup.api.sinch.com"

_RENEWED_BEFORE = timedelta(seconds=60)  # its end, so that no token ends between here and there
_NUMBER_FIELD = re.compile(r"\bnumber\b(?! lookup)", re.IGNORECASE)  # not the product's name
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Project:
    """Where and as whom lookups are asked for; none are without a key."""

    project_id: str = ""
    key_id: str = ""
    key_secret: str = field(default="", repr=False)
    auth_url: str = AUTH_URL
    lookup_url: str = LOOKUP_URL


class SinchLookup:
    """Number lookups. Safe to call from many threads.

    Args of the constructor:
        project: with its access key.
        clock: the time, aware.
    """

    def __init__(self, project: Project, clock: Callable[[], datetime]) -> None:
        self._project, self._clock = project, clock
        basic = base64.b64encode(f"{project.key_id}:{project.key_secret}".encode()).decode()
        self._auth_clients = HTTPClients(project.auth_url, {"Authorization": f"Basic {basic}"})
        self._clients = HTTPClients(project.lookup_url)
        path = f"/v2/projects/{quote(project.project_id, safe='')}/lookups"
        self._url = httpx.URL(project.lookup_url).join(path)
        self._token_url = httpx.URL(project.auth_url).join("/oauth2/token")
        self._token, self._ends_at = "", clock()
        self._lock = threading.Lock()

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask about one number; one HTTP request, and one more when there is no token yet.

        Raises:
            UnanswerableError: no project is configured.
            SendError: it could not be asked.
        """
        if not self._project.project_id or not self._project.key_id:
            raise UnanswerableError(
                "Sinch looks numbers up for a project only: set SINCH_PROJECT_ID and its access key"
            )
        headers = {"Authorization": f"Bearer {self._bearer()}"}
        with self._clients.lend() as client, translate():
            answer = client.post(self._url, json={"number": e164, "features": ["LineType"]}, headers=headers)
        if answer.status_code == httpx.codes.BAD_REQUEST and _is_about_number(answer):
            return LookupAnswer(LineType.INVALID)
        if not answer.is_success:
            self._forget_token_after(answer)
            raise LOOKUP_ERRORS.refusal(answer.status_code, "", retry_after(answer.headers))
        return _answer(answer)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()
        self._auth_clients.close()

    def _bearer(self) -> str:
        with self._lock:  # one fetches, the others wait for it
            if self._clock() >= self._ends_at:
                self._token, self._ends_at = self._fetch()
            return self._token

    def _fetch(self) -> tuple[str, datetime]:
        asked_at = self._clock()
        with self._auth_clients.lend() as client, translate():
            answer = client.post(self._token_url, content=b"grant_type=client_credentials", headers=_FORM)
        if not answer.is_success:
            raise LOOKUP_ERRORS.refusal(answer.status_code, "", retry_after(answer.headers))
        body = json_object(answer.content)
        token, seconds = words(body.get("access_token")), whole_number(body.get("expires_in"))
        if not token or seconds is None:
            raise TransientSendError("Sinch answered with a token nobody can read", code="unreadable_answer")
        return token, asked_at + timedelta(seconds=seconds) - _RENEWED_BEFORE

    def _forget_token_after(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            with self._lock:
                self._ends_at = self._clock()


def _is_about_number(answer: httpx.Response) -> bool:
    """Tell whether it is the number that is refused: a problem's details name the field that is wrong."""
    body = json_object(answer.content)
    return any(_NUMBER_FIELD.search(words(body.get(name))) for name in ("detail", "message"))


def _answer(answer: httpx.Response) -> LookupAnswer:
    body = json_object(answer.content)
    line = mapping(body.get("line"))
    if not body:
        raise TransientSendError("Sinch answered a lookup with a body nobody can read", code="unreadable_answer")
    network = words(line.get("mobileCountryCode")) + words(line.get("mobileNetworkCode"))
    return LookupAnswer(
        LINE_TYPES.get(words(line.get("type")).lower(), LineType.UNKNOWN),
        country=words(body.get("countryCode")) or None,
        carrier=words(line.get("carrier")) or network or None,
    )
