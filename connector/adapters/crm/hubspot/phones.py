"""In which properties of a portal's contacts do numbers stand, and what is searched for there?

HubSpot works out search keys for its own two properties (knowledge.hubspot.com, "HubSpot's default contact
properties"). Of a property somebody made only the text is known, so the ways people type a number are searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat

from connector.ports.crm import SearchFilter

DEFAULT = ("mobilephone", "phone")
_READINGS = {"mobilephone": "hs_calculated_mobile_number", "phone": "hs_calculated_phone_number"}
"""HubSpot's reading of what was typed, in international format."""

_SEARCH_KEYS = {
    "mobilephone": "hs_searchable_calculated_mobile_number",
    "phone": "hs_searchable_calculated_phone_number",
}


def chosen_phones(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the properties that an account's `phone_fields` names, best first; none where it names none."""
    said = settings.get("phone_fields")
    names = said.get("contact") if isinstance(said, Mapping) else None
    return (names,) if isinstance(names, str) else tuple(map(str, names or ()))


def phone_properties(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the properties in which an account's contacts have numbers, best first."""
    return chosen_phones(settings) or DEFAULT


def names_to_read(phones: Sequence[str]) -> tuple[str, ...]:
    """Give what is to be read of a contact to know its numbers."""
    return tuple(name for typed in phones for name in (typed, _READINGS.get(typed)) if name)


def typed_numbers(held: Mapping[str, str | None], phones: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give the numbers of a contact as text, each with its property.

    A number typed with its country code needs no help; before any other goes HubSpot's own reading of it.
    """
    for typed in phones:
        order = [_READINGS.get(typed, ""), typed]
        if (held[typed] or "").lstrip().startswith("+"):
            order.reverse()
        yield from ((text, name) for name in order if (text := held.get(name)))


def number_filters(e164: str, phones: Sequence[str]) -> list[SearchFilter]:
    """Give the conditions of which a contact with this number meets one; others meet them too."""
    with_keys = [name for name in phones if name in _SEARCH_KEYS]
    own = [name for name in phones if name not in _SEARCH_KEYS]
    return [
        *(SearchFilter(_SEARCH_KEYS[name], "IN", _national_digits(e164)) for name in with_keys),
        *(SearchFilter(name, "EQ", e164) for name in with_keys),
        *(SearchFilter(name, "IN", spellings(e164)) for name in own),
    ]


def spellings(e164: str) -> tuple[str, ...]:
    """Give the ways people type a number: with and without its country code, parted as in its country and otherwise."""
    number = phonenumbers.parse(e164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    inside, outside = re.findall(r"\d+", national), re.findall(r"\d+", international)
    code, *groups = outside
    return tuple(
        dict.fromkeys(
            [
                e164,
                *_national_digits(e164),
                e164.removeprefix("+"),
                f"00{e164.removeprefix('+')}",
                national,
                international,
                f"+{code} {national}",
                f"+{code} (0){' '.join(groups)}",
                *(sign.join(inside) for sign in " -."),
                *(f"+{sign.join(outside)}" for sign in " -."),
            ]
        )
    )


def _national_digits(e164: str) -> tuple[str, ...]:
    """The digits after the country code, with and without the prefix people dial inside the country."""
    number = phonenumbers.parse(e164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    digits = "".join(char for char in national if char.isdigit())
    return tuple(dict.fromkeys([phonenumbers.national_significant_number(number), digits]))
