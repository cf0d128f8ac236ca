"""Which fields of a CRM's contacts say, beside our own, that somebody wants no texts?

A setting of the account, `opt_out_fields`. By kind of record, whichever way its name is written, it gives a field, or a
field with the values that mean "opted out", or a list of these:

    {"contact": "do_not_text"}
    {"Contact": "SMS_Opt_Out__c", "Lead": ["SMS_Opt_Out__c", {"field": "SMS_Status__c", "value": "Stopped"}]}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

SETTING = "opt_out_fields"

KINDS = ("contact", "lead")
"""Kinds of record that are people with numbers."""

TRUE = ("true", "yes", "1")
"""What a field says that only says yes: a checkbox of HubSpot or Salesforce, or a list whose entries people named."""


@dataclass(frozen=True, slots=True)
class OptOutField:
    """A field that says it.

    Attributes:
        object_type: our name of the kind of record, such as `contact` or `lead`.
        property_name: the CRM's name of the field.
        values: those that mean "opted out", whichever way they are written.
    """

    object_type: str
    property_name: str
    values: tuple[str, ...] = TRUE

    def says_so(self, value: object) -> bool:
        """Tell whether a value of the field, as the CRM gives it, means that its contact has opted out.

        Where several can be chosen, which HubSpot and Salesforce write with semicolons between, one of them is enough.
        """
        if value is None:
            return False
        whole = str(value)
        said = {each.strip().casefold() for each in (whole, *whole.split(";"))}
        return not said.isdisjoint(each.casefold() for each in self.values)


def opt_out_fields(settings: Mapping[str, Any], object_type: str | None = None) -> tuple[OptOutField, ...]:
    """Give an account's fields, of one kind of record or of all; what cannot be read is left out."""
    found = (each for each in _fields(settings.get(SETTING)) if isinstance(each, OptOutField))
    return tuple(each for each in found if object_type in {None, each.object_type})


def merged_fields(fields: Iterable[OptOutField]) -> tuple[OptOutField, ...]:
    """Give each field once, with all the values that mean "opted out" in any of its entries."""
    merged: dict[tuple[str, str], OptOutField] = {}
    for each in fields:
        held = merged.get((each.object_type, each.property_name), each)
        values = tuple(dict.fromkeys([*held.values, *each.values]))
        merged[each.object_type, each.property_name] = replace(held, values=values)
    return tuple(merged.values())


def mistakes_in_opt_out_fields(value: object) -> tuple[str, ...]:
    """Say what is wrong with a value somebody wants to give the setting; empty when nothing is."""
    return tuple(each for each in _fields(value) if isinstance(each, str))


def _fields(value: object) -> Iterator[OptOutField | str]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield f"{SETTING}: expected kinds of record with their fields, such as {{contact: do_not_text}}"
        return
    for kind, fields in value.items():
        for each in fields if isinstance(fields, (list, tuple)) else [fields]:
            yield _field(str(kind), each)


def _field(kind: str, raw: object) -> OptOutField | str:
    object_type = kind.strip().casefold()
    if object_type not in KINDS:
        (near, *_) = difflib.get_close_matches(object_type, KINDS, 1) or KINDS
        return f"{SETTING}.{kind}: expected contact or lead; did you mean {near}?"
    name = raw.get("field") if isinstance(raw, Mapping) else raw
    if not isinstance(name, str) or not name.strip():
        return f"{SETTING}.{kind}: expected a field, or {{field: …, value: …}}"
    value = raw.get("value") if isinstance(raw, Mapping) else None
    values = value if isinstance(value, (list, tuple)) else () if value is None else (value,)
    said = tuple(str(each).strip() for each in values)
    return OptOutField(object_type, name.strip(), said or TRUE)
