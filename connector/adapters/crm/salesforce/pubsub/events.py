"""What does one event of a stream say, and how is it kept?

A change event names the fields that changed and carries their new values, for one record or for several that changed
alike. It is kept as one inbox row per record and changed field, as webhooks of other CRMs come, and a new record as one
row more. Its id is a UUID, the same however often it comes; its replay id is not, after an organisation moved. Change
types that begin with `GAP_` stand for changes whose content is lost (developer.salesforce.com, Change Data Capture,
"Gap Events" and "Overflow Events").

A platform event of the customer's own says what it is about in fields named by convention: `Record_Id__c`, and where
it is told, `Object__c` (else by the id), `Field__c` and `Value__c`; without `Field__c` it tells of a new record.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import fastavro
from fastavro.schema import expand_schema

from connector.adapters.crm.salesforce.ids import full_id, object_of
from connector.adapters.crm.salesforce.names import HANDOFF_FIELD
from connector.adapters.crm.salesforce.notices import WATCHED
from connector.adapters.crm.salesforce.pubsub.bitmaps import Field, changed_names, part_name, parts
from connector.ports.change_streams import StreamedEvent, StreamedRow

_HEADER = "ChangeEventHeader"
_GAP = "GAP_"
_TIMED = {"DateTime": "milliseconds", "DateOnly": ""}  # the second word of a field's `doc`; both are epoch milliseconds
# Changed by every change: nothing can follow from them. Nor from the handoff, which we alone write.
_BESIDE = frozenset({"LastModifiedDate", "LastModifiedById", "SystemModstamp"})
Body = dict[str, Any]


class EventSchema:
    """The schema events of one kind are written in.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, schema_json: str) -> None:
        try:
            raw = json.loads(schema_json)
            self._parsed = fastavro.parse_schema(raw)
            # Written out in full: the second address of a contact only names the record the first one is.
            self.fields: Sequence[Field] = expand_schema(raw)["fields"]
        except Exception as error:
            raise ValueError("the schema of an event cannot be read") from error
        self.name = str(raw["name"])

    def read(self, payload: bytes) -> Mapping[str, Any]:
        """Give an event's values by the names of its fields.

        Raises:
            ValueError: it was written in another schema.
        """
        try:
            found: Mapping[str, Any] = fastavro.schemaless_reader(io.BytesIO(payload), self._parsed, None)
        except Exception as error:  # the library raises what its decoding happens to trip over
            raise ValueError("the content does not fit its schema") from error
        return found


def read_event(organization_id: str, event_id: str, payload: bytes, schema: EventSchema) -> StreamedEvent:
    """Take one event apart; never raises for what it holds.

    Args:
        organization_id: 18 characters.
        event_id: its UUID.
        payload: Avro, without the schema.
        schema: the one its producer used.
    """
    try:
        values = schema.read(payload)
        changes = _HEADER in values
        bodies = list(_of_change(values, schema) if changes else _of_platform_event(values, schema))
    except (ValueError, KeyError, TypeError) as error:
        why = str(error) if isinstance(error, ValueError) else "a part of it is missing"
        return unreadable(organization_id, event_id, payload, why)
    rows = [_row(organization_id, event_id, body) for body in bodies]
    return StreamedEvent(event_id, rows, hole=_hole(values[_HEADER]) if changes else "")


def unreadable(organization_id: str, event_id: str, payload: bytes, why: str) -> StreamedEvent:
    """Keep an event as it came, for a person to look at."""
    raw = json.dumps({"event_id": event_id, "payload": base64.b64encode(payload).decode()}).encode()
    return StreamedEvent(event_id, [StreamedRow(f"{organization_id}:{event_id}", raw)], unreadable=why)


def _row(organization_id: str, event_id: str, body: Body) -> StreamedRow:
    record, changed = body["fields"].get("Id", ""), body["changed"]
    told = {"organization_id": organization_id, "event_id": event_id, **body}
    external_id = ":".join([organization_id, event_id, record, *changed])
    return StreamedRow(external_id, json.dumps(told, separators=(",", ":")).encode())


def _of_change(values: Mapping[str, Any], schema: EventSchema) -> Iterator[Body]:
    header = values[_HEADER]
    change_type = str(header["changeType"])
    if change_type in {"GAP_UPDATE", "GAP_OVERFLOW"}:
        return  # what changed is not told: that is a hole
    told = _texts(values, schema, header)
    changed = _changed(header, schema) if change_type == "UPDATE" else []
    shared = {
        "object": str(header["entityName"]),
        "committed_at": _moment(header["commitTimestamp"], "milliseconds"),
        "origin": str(header.get("changeOrigin") or ""),
    }
    for record_id in map(full_id, header["recordIds"]):
        own = {**told, "Id": record_id}
        if change_type != "UPDATE":
            yield {**shared, "change_type": change_type.removeprefix(_GAP), "changed": [], "fields": own}
        if change_type == "CREATE" and (name := WATCHED.get(shared["object"])) in told:
            yield {**shared, "change_type": "UPDATE", "changed": [name], "fields": own}
        for name in changed:
            yield {**shared, "change_type": "UPDATE", "changed": [name], "fields": own}


def _changed(header: Mapping[str, Any], schema: EventSchema) -> list[str]:
    bitmaps = [*header["changedFields"], *header.get("nulledFields", ())]
    names = changed_names(schema.fields, bitmaps)
    return [name for name in names if name not in _BESIDE and not name.endswith(HANDOFF_FIELD)]


def _hole(header: Mapping[str, Any]) -> str:
    """Say what a change event's header tells is missing."""
    change_type, name = str(header["changeType"]), str(header["entityName"])
    if change_type == "GAP_OVERFLOW":
        return f"more {name} records changed at once than the stream tells of"
    if change_type in {"GAP_CREATE", "GAP_UPDATE"}:
        return f"changes of {name} records were told without what changed"
    return ""


def _of_platform_event(values: Mapping[str, Any], schema: EventSchema) -> Iterator[Body]:
    told = _texts(values, schema, {})
    record_id = full_id(told.get("Record_Id__c") or "")
    name = told.get("Object__c") or object_of(record_id) or schema.name
    shared = {"object": name, "committed_at": told.get("CreatedDate"), "event": schema.name}
    field = told.get("Field__c")
    if not record_id:
        yield {**shared, "change_type": "OTHER", "changed": [], "fields": told}
    elif field:
        fields = {"Id": record_id, field: told.get("Value__c")}
        yield {**shared, "change_type": "UPDATE", "changed": [field], "fields": fields}
    else:
        yield {**shared, "change_type": "CREATE", "changed": [], "fields": {"Id": record_id}}


def _texts(values: Mapping[str, Any], schema: EventSchema, header: Mapping[str, Any]) -> dict[str, str | None]:
    """Give the values that are known, as an outbound message would write them, parts of compound fields by themselves.

    A long text comes as a difference to what it was, which is no value.
    """
    differing = set(changed_names(schema.fields, header.get("diffFields", ())))
    nulled = changed_names(schema.fields, header.get("nulledFields", ()))
    found = {name: text for name, text in _flat(values, schema) if name not in differing}
    return {**found, **dict.fromkeys(nulled)}


def _flat(values: Mapping[str, Any], schema: EventSchema) -> Iterator[tuple[str, str]]:
    for field in schema.fields:
        value = values.get(field["name"])
        if value is None or field["name"] == _HEADER:
            continue
        if isinstance(value, Mapping):
            inner = ((part_name(field["name"], each["name"]), each, value.get(each["name"])) for each in parts(field))
            yield from ((name, _text(each, part)) for name, each, part in inner if part is not None)
        else:
            yield field["name"], _text(field, value)


def _text(field: Field, value: Any) -> str:
    kind = str(field.get("doc") or "").split(":")[1:2]
    if kind and kind[0] in _TIMED and isinstance(value, int):
        return _moment(value, _TIMED[kind[0]])
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _moment(milliseconds: int, precision: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    if not precision:
        return moment.date().isoformat()
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
