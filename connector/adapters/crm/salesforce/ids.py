"""What does a Salesforce id say about its record, and when are two ids the same?

An id has 15 characters that tell capitals apart, or 18 of which the last three spell the capitals out
(help.salesforce.com, "Record IDs: 15-character and 18-character"). The first three name the kind of record.
"""

from __future__ import annotations

import re
from types import MappingProxyType

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_SPELLING = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_OBJECTS = MappingProxyType(
    {
        "001": "Account",
        "003": "Contact",
        "005": "User",
        "006": "Opportunity",
        "00G": "Group",
        "00Q": "Lead",
        "00T": "Task",
        "500": "Case",
        "801": "Order",
    }
)

CONTACT, LEAD = "Contact", "Lead"


def is_id(text: str) -> bool:
    """Whether a text can be a record's id at all; Salesforce refuses a whole query for one that cannot."""
    return _ID.fullmatch(text) is not None


def short(record_id: str) -> str:
    """Give the 15 characters by which ids are compared."""
    return record_id[:15]


def full_id(record_id: str) -> str:
    """Give the 18 characters of an id of 15 or 18; an empty text for what is no id."""
    if not is_id(record_id):
        return ""
    fives = (record_id[start : start + 5] for start in (0, 5, 10))
    return short(record_id) + "".join(_SPELLING[_capitals(five)] for five in fives)


def is_same(one: str, other: str) -> bool:
    """Whether two ids, of 15 or 18 characters, are the same record's."""
    return bool(one) and short(one) == short(other)


def object_of(record_id: str) -> str | None:
    """Give the standard object an id belongs to, such as `Lead`; None for what we have no use for."""
    return _OBJECTS.get(record_id[:3]) if is_id(record_id) else None


def person_of(record_id: str) -> str:
    """Give the object of somebody in our one space of contact ids: `Lead` for a lead's, else `Contact`."""
    return LEAD if object_of(record_id) == LEAD else CONTACT


def _capitals(five: str) -> int:
    return sum(1 << place for place, letter in enumerate(five) if letter.isascii() and letter.isupper())
