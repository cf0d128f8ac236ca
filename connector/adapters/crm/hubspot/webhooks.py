"""What is in a HubSpot webhook delivery, event by event?

A delivery is a JSON array of up to 100 events of any number of portals. Events repeat, arrive in any order, and their
`eventId` is not unique. Source: developers.hubspot.com/docs/api-reference/latest/webhooks/guide.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from connector.adapters.crm.hubspot.object_types import our_name
from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.errors import ConnectorError


class UnreadableBatchError(ConnectorError, ValueError):
    """A signed delivery that is no JSON array of objects; says what it is, without quoting it."""


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event of a delivery, not yet understood.

    Attributes:
        external_id: 64 hex digits, the same for every delivery of the same event.
        portal_id: the HubSpot account it happened in; empty when the event does not say.
        body: the event's JSON, ASCII.
    """

    external_id: str
    portal_id: str
    body: bytes = field(repr=False)


# Together these name an event; `attemptNumber` differs between deliveries of the same one and is left out.
_IDENTITY = (
    "portalId", "appId", "subscriptionType", "objectTypeId", "objectId", "propertyName", "eventId", "occurredAt",
)  # fmt: skip


def split_batch(body: bytes) -> list[RawEvent]:
    """Cut a delivery into its events, in the order sent; more than HubSpot's 100 are taken as well.

    Raises:
        UnreadableBatchError: not JSON, not an array, or an array of anything but objects.
    """
    try:
        batch = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableBatchError("the body is not JSON") from None
    if not isinstance(batch, list):
        raise UnreadableBatchError(f"the body is a JSON {type(batch).__name__}, not an array of events")
    if not all(isinstance(event, dict) for event in batch):
        raise UnreadableBatchError("the array holds something that is no event object")
    return [_raw(event) for event in batch]


def _raw(event: Mapping[str, Any]) -> RawEvent:
    identity = [event.get(name) for name in _IDENTITY]
    identity[_IDENTITY.index("subscriptionType")] = _type(event)
    digest = hashlib.sha256(json.dumps(identity, separators=(",", ":")).encode()).hexdigest()
    return RawEvent(digest, _text(event.get("portalId")), json.dumps(event, separators=(",", ":")).encode())


def read_notice(body: Mapping[str, Any]) -> ChangeNotice | None:
    """Understand one event; None for a kind we have no use for, or one that lacks its ids."""
    family, _, action = _type(body).partition(".")
    reader = _READERS.get(action)
    object_type = our_name(_text(body.get("objectTypeId"))) if family == "object" else family
    occurred_at = _moment(body.get("occurredAt"))
    if reader is None or occurred_at is None or not object_type or object_type == "conversation":
        return None
    return reader(object_type, occurred_at, body)


def _simple(kind: ChangeKind) -> Callable[[str, datetime, Mapping[str, Any]], ChangeNotice | None]:
    def read(object_type: str, occurred_at: datetime, body: Mapping[str, Any]) -> ChangeNotice | None:
        object_id = _text(body.get("objectId"))
        if not object_id:
            return None
        return ChangeNotice(
            ref=ObjectRef(object_type, object_id),
            kind=kind,
            occurred_at=occurred_at,
            property_name=_text(body.get("propertyName")) or None,
            property_value=_value(body.get("propertyValue")),
            is_import=body.get("changeSource") == "IMPORT",
        )

    return read


def _merge(object_type: str, occurred_at: datetime, body: Mapping[str, Any]) -> ChangeNotice | None:
    """A merge may make a new record; then both the primary and the merged ones are gone."""
    primary, made = _text(body.get("primaryObjectId")), _text(body.get("newObjectId"))
    merged = body.get("mergedObjectIds")
    surviving = made or primary or _text(body.get("objectId"))
    gone = [_text(each) for each in (merged if isinstance(merged, list) else ())]
    ids = dict.fromkeys(each for each in [*gone, primary] if each and each != surviving)
    if not surviving or not ids:
        return None
    return ChangeNotice(ObjectRef(object_type, surviving), ChangeKind.MERGED, occurred_at, merged_ids=tuple(ids))


_READERS: Mapping[str, Callable[[str, datetime, Mapping[str, Any]], ChangeNotice | None]] = MappingProxyType(
    {
        "creation": _simple(ChangeKind.CREATED),
        "propertyChange": _simple(ChangeKind.CHANGED),
        "deletion": _simple(ChangeKind.DELETED),
        "privacyDeletion": _simple(ChangeKind.PRIVACY_DELETED),
        "restore": _simple(ChangeKind.RESTORED),
        "merge": _merge,
    }
)


def _type(event: Mapping[str, Any]) -> str:
    """One page of HubSpot's reference calls it `eventType`; deliveries say `subscriptionType`."""
    return _text(event.get("subscriptionType") or event.get("eventType"))


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _value(value: Any) -> str | None:
    return None if value is None else str(value)


def _moment(value: Any) -> datetime | None:
    text = _text(value)
    try:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
