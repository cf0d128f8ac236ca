"""In which Avro schema is a change of a record told, and how is it written?

Shape and words as in developer.salesforce.com, Change Data Capture Developer Guide, "Change Event Message Structure",
and Pub/Sub API, "Event Deserialization Considerations": compound fields are records, moments and dates are epoch
milliseconds told apart by a field's `doc`, lists of fields are bitmaps.
"""

import base64
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fastavro

from connector.sandbox.salesforce.fields import Field, ObjectDefinition

NAMESPACE = "com.sforce.eventbus"
CHANGE_TYPES = (
    "CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW",
)  # fmt: skip
_UNTOLD = frozenset({"Id", "IsDeleted", "SystemModstamp", "MasterRecordId"})
_TYPES = {"boolean": "boolean", "double": "double", "currency": "double", "percent": "double", "int": "int"}
_TIMES = {"datetime": "Data:DateTime", "date": "Data:DateOnly"}
_NAME_PARTS = ("Salutation", "FirstName", "LastName", "MiddleName", "Suffix")
_ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country", "StateCode", "CountryCode")
_ADDRESSES = {"Contact": ("MailingAddress", "OtherAddress"), "Lead": ("Address",), "Account": ("BillingAddress",)}
_TEXT_OR_NONE = ["null", "string"]


def _list_of_text(name: str) -> dict[str, Any]:
    return {"name": name, "type": {"type": "array", "items": "string"}}


_HEADER = {
    "type": "record",
    "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        _list_of_text("recordIds"),
        {"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": list(CHANGE_TYPES)}},
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        _list_of_text("nulledFields"),
        _list_of_text("diffFields"),
        _list_of_text("changedFields"),
    ],
}


@dataclass(frozen=True)
class Schema:
    """A schema as its customers see it; `places` says where the value of a field goes: its place, or two."""

    id: str
    text: str
    names: tuple[str, ...]
    places: Mapping[str, tuple[int, ...]]
    parts: Mapping[str, Sequence[str]]

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The Avro of an event."""
        out = io.BytesIO()
        fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(self.text)), values)
        return out.getvalue()

    def change(self, header: Mapping[str, Any], told: Mapping[str, Any]) -> bytes:
        """The Avro of a change event; `told` are values by the names of the REST API."""
        values: dict[str, Any] = {"ChangeEventHeader": header}
        for name, value in told.items():
            place = self.places.get(name)
            if place is None or value is None:
                continue
            if len(place) == 1:
                values[name] = value
            else:
                values.setdefault(self.names[place[0]], {})[self.parts[self.names[place[0]]][place[1]]] = value
        return self.write(values)

    def bitmaps(self, names: Iterable[str]) -> list[str]:
        """The fields of these names as bitmaps: one for all, and one for each compound field's parts."""
        top, nested = 0, dict[int, int]()
        for place in (self.places[name] for name in names if name in self.places):
            if len(place) == 1:
                top |= 1 << place[0]
            else:
                nested[place[0]] = nested.get(place[0], 0) | 1 << place[1]
        found = [f"0x{top:02X}"] if top else []
        return found + [f"{place}-0x{bits:02X}" for place, bits in sorted(nested.items())]


def change_schema(definition: ObjectDefinition) -> Schema:
    """The schema of an object's change events, as its fields are now."""
    fields: list[dict[str, Any]] = [{"name": "ChangeEventHeader", "type": _HEADER}]
    places, parts = dict[str, tuple[int, ...]](), dict[str, Sequence[str]]()
    known = {field.name: field for field in definition.fields.values() if field.name not in _UNTOLD}
    for compound, record, prefix, inner in _compounds(definition.name):
        present = [part for part in inner if f"{prefix}{part}" in known]
        if not present or (prefix == "" and "LastName" not in known):
            continue
        seen = any(record["name"] == "Address" for record in _records(fields))
        kind: Any = "Address" if record == "Address" and seen else _record(record, inner)
        places |= {f"{prefix}{part}": (len(fields), number) for number, part in enumerate(inner) if part in present}
        parts[compound] = inner
        fields.append(
            {"name": compound, "type": ["null", kind] if prefix or record == "Address" else [*_TEXT_OR_NONE, kind]}
        )
        for name in (compound, *(f"{prefix}{part}" for part in present)):
            known.pop(name, None)
    for name, field in known.items():
        places[name] = (len(fields),)
        fields.append(_described(field))
    return _schema(
        f"{definition.name.removesuffix('__c')}{'__' if definition.is_custom else ''}ChangeEvent", fields, places, parts
    )


def event_schema(name: str, fields: Iterable[str]) -> Schema:
    """The schema of a platform event whose own fields are texts."""
    own = [{"name": each, "type": _TEXT_OR_NONE, "default": None} for each in fields]
    at = {"name": "CreatedDate", "type": "long", "doc": "CreatedDate:DateTime"}
    return _schema(name, [at, {"name": "CreatedById", "type": "string", "doc": "CreatedBy:EntityId"}, *own], {}, {})


def told_value(field: Field, value: Any) -> Any:
    """A value as the event has it."""
    if value is None:
        return None
    if field.type in _TIMES:
        moment = datetime.fromisoformat(str(value))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    kind = _TYPES.get(field.type, "string")
    return {"boolean": bool, "double": float, "int": int}.get(kind, str)(value)


def _compounds(object_name: str) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Compound fields: name, the record they are, what their parts' names begin with in REST, and the parts."""
    addresses = [
        (name, "Address", name.removesuffix("Address"), _ADDRESS_PARTS) for name in _ADDRESSES.get(object_name, ())
    ]
    return [("Name", "Switchable_PersonName", "", _NAME_PARTS), *addresses]


def _record(name: str, parts: Iterable[str]) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": each, "type": _TEXT_OR_NONE, "default": None} for each in parts],
    }


def _records(fields: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    kinds = [kind for field in fields if isinstance(field["type"], list) for kind in field["type"]]
    return [kind for kind in kinds if isinstance(kind, dict)]


def _described(field: Field) -> dict[str, Any]:
    if field.type in _TIMES:
        return {"name": field.name, "type": ["null", "long"], "doc": _TIMES[field.type], "default": None}
    return {"name": field.name, "type": ["null", _TYPES.get(field.type, "string")], "default": None}


def _schema(
    name: str, fields: list[dict[str, Any]], places: Mapping[str, tuple[int, ...]], parts: Mapping[str, Sequence[str]]
) -> Schema:
    text = json.dumps({"name": name, "namespace": NAMESPACE, "type": "record", "fields": fields})
    fingerprint = base64.urlsafe_b64encode(hashlib.blake2b(text.encode(), digest_size=16).digest()).decode().rstrip("=")
    return Schema(fingerprint, text, tuple(each["name"] for each in fields), places, parts)
