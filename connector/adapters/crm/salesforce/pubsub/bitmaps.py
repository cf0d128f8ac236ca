"""Which fields does a change event name?

A list of changed fields is a bitmap over the schema's fields in their order: `0x1A`, the lowest bit the first field.
For a field that is a record itself, such as a person's name, `3-0x06` has a bitmap over the fields of the record in
third place, counted from zero (developer.salesforce.com, Pub/Sub API, "Event Deserialization Considerations").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_ADDRESS = "Address"
Field = Mapping[str, Any]


def changed_names(fields: Sequence[Field], bitmaps: Iterable[str]) -> list[str]:
    """Give the names of the fields, as the REST API has them: the parts of a compound field, not the field.

    Raises:
        ValueError: a bitmap is none, or reaches behind the fields.
    """
    return list(dict.fromkeys(name for bitmap in bitmaps for name in _names(fields, bitmap)))


def parts(field: Field) -> Sequence[Field]:
    """Give the fields of a field that is a record, or may be one; none for any other."""
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    return next((kind["fields"] for kind in kinds if isinstance(kind, Mapping) and kind.get("type") == "record"), ())


def part_name(compound: str, part: str) -> str:
    """Give the REST API's name for a part: `MailingCity` in `MailingAddress`, `LastName` in `Name`."""
    return f"{compound.removesuffix(_ADDRESS)}{part}" if compound.endswith(_ADDRESS) else part


def _names(fields: Sequence[Field], bitmap: str) -> Iterator[str]:
    place, dash, nested = bitmap.partition("-")
    if not dash:
        for field in _marked(fields, bitmap):
            inner = parts(field)
            yield from (part_name(field["name"], part["name"]) for part in inner) if inner else [str(field["name"])]
        return
    compound = _at(fields, int(place))
    yield from (part_name(compound["name"], part["name"]) for part in _marked(parts(compound), nested))


def _marked(fields: Sequence[Field], bitmap: str) -> Iterator[Field]:
    if not bitmap.startswith("0x"):
        raise ValueError("a list of changed fields is no bitmap")
    bits = int(bitmap, 16)
    return (_at(fields, place) for place in range(bits.bit_length()) if bits >> place & 1)


def _at(fields: Sequence[Field], place: int) -> Field:
    if place >= len(fields):
        raise ValueError("a bitmap of changed fields is longer than the schema")
    return fields[place]
