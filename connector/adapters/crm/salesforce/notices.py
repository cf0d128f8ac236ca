"""What does one notification of an outbound message say?

A flow sends it when a record was made or a field changed, but not which: it carries the chosen fields as they were
when it was *sent*, up to a day later and in any order. So it says "this property is this now"; the value that counts
is read again. A message about a new record carries when it was made and not when it was modified: that tells the two
apart (developer.salesforce.com, "Outbound Messaging", notes on delivery). The inbox keeps, per notification:
`{"organization_id", "notification_id", "action_id", "object", "fields": {…}}`.

A stream of changes does say what changed: `{"organization_id", "event_id", "object", "change_type", "changed": [one
field], "committed_at", "origin", "fields": {…}}`, one row per record and field. `origin` names the API it was made by,
such as `com/salesforce/api/bulkapi/68.0` (developer.salesforce.com, "Change Event Header Fields").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from connector.adapters.crm.salesforce.fields import parsed_moment
from connector.adapters.crm.salesforce.ids import CONTACT, LEAD, full_id, is_id
from connector.adapters.crm.salesforce.names import OPT_OUT, our_name
from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef

# What our package's flows send messages about; another flow of a customer's may send one field of its own choice.
WATCHED = MappingProxyType({"Opportunity": "StageName", "Case": "Priority"})
_BESIDE = frozenset(
    {
        "Id", "Name", "OwnerId", "CreatedDate", "LastModifiedDate", "SystemModstamp", "AccountId", "ContactId",
        "CurrencyIsoCode", "IsDeleted", "CreatedById", "LastModifiedById", "RecordTypeId",
    }
)  # fmt: skip
"""Fields that come along so that a message can be told apart or read; no flow watches them."""

_MODIFIED = ("SystemModstamp", "LastModifiedDate")
_CREATED = "CreatedDate"
_STATUS = re.compile(r"status|state", re.IGNORECASE)
_OF_LEADS_THEMSELVES = frozenset({"Status", "Rating", "LeadSource"})
"""What only a lead has; everything else that changes about one is about the person, as with contacts."""

_BULK = "/api/bulkapi/"
"""What data loaders use; a change of one record is made by any other API, or by a person."""

_CHANGE_KINDS = MappingProxyType(
    {
        "CREATE": ChangeKind.CREATED,
        "UPDATE": ChangeKind.CHANGED,
        "DELETE": ChangeKind.DELETED,
        "UNDELETE": ChangeKind.RESTORED,
    }
)


def read_notice(body: Mapping[str, Any], now: datetime) -> ChangeNotice | None:
    """Understand one notification; None for one without a record, or that does not say what it is about.

    Args:
        body: as the inbox keeps it.
        now: stands for the time of change where neither the record nor the inbox says it.
    """
    api_name, fields = body.get("object"), body.get("fields")
    if not isinstance(api_name, str) or not isinstance(fields, Mapping):
        return None
    record_id = str(fields.get("Id") or "")
    if "change_type" in body:
        return _change(body, api_name, record_id, fields, now)
    is_new = _CREATED in fields and not any(name in fields for name in _MODIFIED)
    watched = None if is_new else _watched(api_name, fields)
    if not is_id(record_id) or not (is_new or watched):
        return None
    return ChangeNotice(
        ref=ObjectRef(_kind(api_name, watched), full_id(record_id)),
        kind=ChangeKind.CREATED if is_new else ChangeKind.CHANGED,
        occurred_at=_moment(body, fields) or now,
        property_name=watched,
        property_value=_text(fields.get(watched)) if watched else None,
    )


def _change(
    body: Mapping[str, Any], api_name: str, record_id: str, fields: Mapping[str, Any], now: datetime
) -> ChangeNotice | None:
    """Understand a row of a stream of changes."""
    kind = _CHANGE_KINDS.get(str(body["change_type"]))
    name = next(iter(body.get("changed") or ()), None)
    if kind is None or not is_id(record_id) or (kind is ChangeKind.CHANGED and name is None):
        return None
    is_person = api_name == LEAD and kind in {ChangeKind.DELETED, ChangeKind.RESTORED}
    return ChangeNotice(
        ref=ObjectRef(our_name(CONTACT) if is_person else _kind(api_name, name), full_id(record_id)),
        kind=kind,
        occurred_at=parsed_moment(str(body.get("committed_at") or "")) or now,
        property_name=name,
        property_value=_text(fields.get(name)) if name else None,
        is_import=_BULK in str(body.get("origin") or ""),
    )


def _watched(api_name: str, fields: Mapping[str, Any]) -> str | None:
    """Give the field a message is about, None when it cannot be told.

    A field that was emptied is absent from the message; the one our own flows watch is then still meant.
    """
    others = [name for name in fields if name not in _BESIDE]
    usual = WATCHED.get(api_name)
    if usual is not None and (usual in fields or not others):
        return usual
    if api_name in {CONTACT, LEAD}:
        # One message tells of numbers and opt-outs; whichever it was, the whole person is read again.
        return next((name for name in others if name.endswith(OPT_OUT)), others[0] if others else "MobilePhone")
    return next((name for name in others if _STATUS.search(name)), others[0] if others else None)


def _kind(api_name: str, watched: str | None) -> str:
    if api_name == LEAD and watched and watched not in _OF_LEADS_THEMSELVES:
        return our_name(CONTACT)  # leads share the contacts' ids, and what is known of the person is read again
    return our_name(api_name)


def _moment(body: Mapping[str, Any], fields: Mapping[str, Any]) -> datetime | None:
    told = (fields.get(name) for name in (*_MODIFIED, _CREATED))
    texts = (value for value in (*told, body.get("received_at")) if isinstance(value, str) and value)
    return next((moment for moment in map(parsed_moment, texts) if moment is not None), None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
