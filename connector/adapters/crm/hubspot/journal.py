"""What does HubSpot's webhooks journal tell of the last three days?

Our app reads it for all portals at once, with a token of its own and not of a portal's. An entry is a file behind an
address that needs no token; it is not to be fetched from anywhere but over TLS, or from the double that stands for the
API. Sources: developers.hubspot.com/docs/api-reference/latest/webhooks-journal/guide; the shape of the files is not
described there in full, so whatever is not understood is left out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from connector.adapters.crm.hubspot.errors import of_answer
from connector.adapters.crm.hubspot.object_types import our_name, type_id
from connector.adapters.crm.oauth_app import OAuthApp
from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.errors import CRMDisconnectedError, CRMError, CRMUnavailableError, PlaceLostError
from connector.ports.journals import JournalEntry, JournalNotice
from connector.ports.time import Clock

VERSION = "2026-03"  # of the journal, which has no later one; it does not follow the setting for the other APIs
SCOPES = (
    "developer.webhooks_journal.read developer.webhooks_journal.subscriptions.read "
    "developer.webhooks_journal.subscriptions.write"
)
UNINSTALLED = "4-1916193"  # event type of an app's being taken out

_ENOUGH = timedelta(minutes=1)
_TIMEOUT = httpx.Timeout(15.0, connect=3.05)
_LONGEST = timedelta(minutes=1)  # one answer, however slowly it trickles; three of them end within the reader's lease
_LARGEST = 32 * 1024 * 1024  # bytes: an entry holds a minute or so of all portals; what is larger is no entry
_KINDS = {
    "CREATE": ChangeKind.CREATED,
    "UPDATE": ChangeKind.CHANGED,
    "DELETE": ChangeKind.DELETED,
    "MERGE": ChangeKind.MERGED,
    "RESTORE": ChangeKind.RESTORED,
    "GDPR_DELETE": ChangeKind.PRIVACY_DELETED,
}
_ACTIONS = ("CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE")
_NO_LONGER_KEPT = frozenset({400, 404, 410})


class _UnusableError(CRMUnavailableError):
    """There is an answer, and it is of no use: asked for again, it will hardly be another."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class HubSpotJournal:
    """The journal of our app. Thread-safe.

    Args:
        url: of HubSpot's API, or of a double.
        version: of the OAuth endpoint.
    """

    http: httpx.Client
    app: OAuthApp
    url: str
    version: str
    clock: Clock
    _token: tuple[str, datetime] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def read(self, after: str) -> JournalEntry | None:
        """Give the entry behind an offset; see the port."""
        place = f"offset/{quote(after, safe='')}/next" if after else "earliest"
        try:
            told = self._call("GET", f"/webhooks-journal/journal/{VERSION}/{place}", "read the journal")
        except CRMError as error:
            if not after or error.status not in _NO_LONGER_KEPT:
                raise
            raise PlaceLostError(str(error), status=error.status, category=error.category) from error
        if told is None:
            return None
        offset, address = str(told.get("currentOffset") or ""), str(told.get("url") or "")
        if not offset:
            raise CRMUnavailableError("read the journal: the answer names no entry")
        try:
            return JournalEntry(offset, list(_notices(self._fetch(address))))
        except CRMError as error:
            return JournalEntry(offset, unreadable=str(error), is_away=_passes(error))

    def follow(self, external_account_id: str, watched: Mapping[str, Sequence[str]]) -> int:
        """Make the subscriptions an account lacks; see the port."""
        path = f"/webhooks-journal/subscriptions/{VERSION}"
        held = (self._call("GET", path, "read journal subscriptions") or {}).get("results") or ()
        missing = [
            each for each in _wanted(external_account_id, watched) if not any(_covers(one, each) for one in held)
        ]
        for each in missing:
            self._call("POST", path, "make a journal subscription", each)
        return len(missing)

    def _call(self, method: str, path: str, what: str, body: object = None) -> Any:
        """Make a call with the app's token, once more with another if that one is refused; None for no content."""
        try:
            return self._once(method, path, what, body, self._app_token())
        except CRMDisconnectedError:
            self._token = None
        try:
            return self._once(method, path, what, body, self._app_token())
        except CRMDisconnectedError as error:  # it is our app that is refused: no portal is to blame
            raise CRMUnavailableError(str(error), status=error.status) from error

    def _once(self, method: str, path: str, what: str, body: object, token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        response = self._send(what, method, self.url.rstrip("/") + path, headers=headers, json=body)
        if response.status == 204:
            return None
        return _decoded(what, response)

    def _app_token(self) -> str:
        with self._lock:
            kept = self._token
            if kept is None or kept[1] - _ENOUGH <= self.clock.now():
                kept = self._token = self._new_token()
            return kept[0]

    def _new_token(self) -> tuple[str, datetime]:
        what = "get a token for the journal"
        form = {
            "grant_type": "client_credentials",
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secrets[0],
            "scope": SCOPES,
        }
        response = self._send(what, "POST", f"{self.url.rstrip('/')}/oauth/{self.version}/token", data=form)
        told = _decoded(what, response)
        if not isinstance(told, dict) or not told.get("access_token"):
            raise CRMUnavailableError(f"{what}: the answer holds none")
        return str(told["access_token"]), self.clock.now() + timedelta(seconds=int(told.get("expires_in") or 0))

    def _fetch(self, address: str) -> Any:
        what = "read an entry of the journal"
        if not self._may_fetch(address):
            raise _UnusableError(f"{what}: its address is none that may be fetched from")
        return _decoded(what, self._send(what, "GET", address))

    def _may_fetch(self, address: str) -> bool:
        try:
            asked, ours = urlsplit(address), urlsplit(self.url)
        except ValueError:
            return False
        is_ours = (asked.scheme, asked.netloc) == (ours.scheme, ours.netloc)
        return bool(asked.hostname) and (is_ours or asked.scheme == "https")

    def _send(self, what: str, method: str, url: str, **more: Any) -> _Answer:
        try:
            with self.http.stream(method, url, timeout=_TIMEOUT, follow_redirects=False, **more) as response:
                return _Answer(response.status_code, dict(response.headers), self._read_body(what, response))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CRMUnavailableError(f"{what}: no answer from HubSpot") from error

    def _read_body(self, what: str, response: httpx.Response) -> bytes:
        """Read an answer as it comes; one too large, or too slow, is left before it is all there."""
        body, until = bytearray(), self.clock.now() + _LONGEST
        for piece in response.iter_bytes():
            body += piece
            if len(body) > _LARGEST:
                raise _UnusableError(f"{what}: it is too large")
            if self.clock.now() > until:
                raise CRMUnavailableError(f"{what}: it takes too long to come")
        return bytes(body)


def _decoded(what: str, answer: _Answer) -> Any:
    if not 200 <= answer.status < 300:
        raise of_answer(what, answer.status, answer.body, answer.headers, is_repeatable=True)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise _UnusableError(f"{what}: HubSpot's answer cannot be read") from None


def _passes(error: CRMError) -> bool:
    """Tell whether a file can be read once its store is well again, and was not refused, taken away or no file."""
    return isinstance(error, CRMUnavailableError) and not isinstance(error, _UnusableError)


def _wanted(portal: str, watched: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    for object_type, properties in watched.items():
        yield {
            "subscriptionType": "OBJECT",
            "portalId": int(portal),
            "objectTypeId": type_id(object_type),
            "actions": list(_ACTIONS),
            "properties": sorted(properties),
        }
    yield {"subscriptionType": "GDPR_PRIVACY_DELETION", "portalId": int(portal)}
    yield {"subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": UNINSTALLED, "properties": []}


def _covers(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a subscription that is there tells all that another would; one without properties tells of all."""
    same = ("subscriptionType", "portalId", "objectTypeId", "eventTypeId")
    if any(held.get(name) != wanted[name] for name in same if name in wanted):
        return False
    told = set(held.get("properties") or ())
    return set(wanted.get("actions") or ()) <= set(held.get("actions") or ()) and (
        not told or set(wanted.get("properties") or ()) <= told
    )


def _notices(told: Any) -> Iterator[JournalNotice]:
    events = told.get("journalEvents") if isinstance(told, dict) else None
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and (portal := _text(event.get("portalId"))):
            yield from _read(portal, event)


def _read(portal: str, event: Mapping[str, Any]) -> Iterator[JournalNotice]:
    action = _text(event.get("action")).upper()
    if _text(event.get("eventTypeId")) == UNINSTALLED or action == "APP_UNINSTALL":
        yield JournalNotice(portal, is_uninstall=True, occurred_at=_moment(event.get("occurredAt")))
        return
    kind, at, object_id = _KINDS.get(action), _moment(event.get("occurredAt")), _text(event.get("objectId"))
    object_type = our_name(_text(event.get("objectTypeId"))) or ("contact" if action == "GDPR_DELETE" else "")
    if kind is None or at is None or not object_id or not object_type:
        return
    ref, is_import = ObjectRef(object_type, object_id), _text(event.get("changeSource")).upper() == "IMPORT"
    changes = event.get("propertyChanges")
    changes = changes if isinstance(changes, dict) else {}
    if kind is ChangeKind.MERGED:
        gone = event.get("mergedObjectIds")
        ids = tuple(filter(None, map(_text, gone if isinstance(gone, list) else ())))
        yield JournalNotice(portal, ChangeNotice(ref, kind, at, merged_ids=ids))
    elif kind is not ChangeKind.CHANGED:
        yield JournalNotice(portal, ChangeNotice(ref, kind, at, is_import=is_import))
    for name, value in changes.items():
        said = None if value is None else str(value)
        yield JournalNotice(portal, ChangeNotice(ref, ChangeKind.CHANGED, at, str(name), said, is_import))


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _moment(value: Any) -> datetime | None:
    """Read a time: milliseconds since 1970, as webhooks have it, or ISO 8601."""
    text = _text(value)
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else None
