"""From which numbers and names may a text to a country come, and how is it written there?"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connector.domain.message import Purpose
from connector.domain.segments import foreign_characters, replace_smart_characters


class SenderKind(StrEnum):
    """What a text can come from."""

    LONG_CODE = "long_code"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"
    ALPHANUMERIC = "alphanumeric"


@dataclass(frozen=True, slots=True)
class SenderEntry:
    """One number or name that a gateway sends from for us.

    Attributes:
        sender: E.164 with its plus, a short code, or up to eleven letters and digits.
        countries: ISO 3166, for whose numbers it may be used (and is registered there); empty means any.
        purposes: for which it may be used; empty means any.
        per_second: texts that carriers take from it in a second, or None.
    """

    sender: str
    gateway: str
    kind: SenderKind
    countries: frozenset[str] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    per_second: float | None = None


class Alphanumeric(StrEnum):
    """What carriers of a country do with a name as sender."""

    ALLOWED = "allowed"
    REFUSED = "refused"  # or replace it by a number that nobody can answer


class TextEncoding(StrEnum):
    """How texts to a country are written."""

    AS_WRITTEN = "as_written"
    GSM7 = "gsm7"


DEFAULT_COUNTRY = "default"
"""Key of the rule for countries without one of their own, and for numbers whose country nobody knows."""


@dataclass(frozen=True, slots=True)
class CountryRule:
    """What holds for texts to one country.

    Attributes:
        country: ISO 3166, or "default".
        needs_registration: only senders that are listed for this very country may be used.
        most_segments: longer texts are not sent there; None for no limit.
        dlt_entity: India: the id under which we are registered as principal entity; empty when we are not.
        dlt_templates: template name (`invoice-overdue/first`) → id of the registered text.
    """

    country: str = DEFAULT_COUNTRY
    alphanumeric: Alphanumeric = Alphanumeric.ALLOWED
    needs_registration: bool = False
    most_segments: int | None = None
    encoding: TextEncoding = TextEncoding.AS_WRITTEN
    dlt_entity: str = ""
    dlt_templates: Mapping[str, str] = field(default_factory=dict)

    def written(self, text: str) -> str:
        """Give a text as it is to be sent there."""
        return _in_gsm7(text) if self.encoding is TextEncoding.GSM7 else text

    def unfit(self, entry: SenderEntry, purpose: Purpose) -> str:
        """Say in a few words why a listed sender cannot be used for a text to this country; empty when it can."""
        if entry.kind is SenderKind.ALPHANUMERIC and self.alphanumeric is Alphanumeric.REFUSED:
            return "names are refused as senders there"
        if purpose not in (entry.purposes or {purpose}):
            return f"is not for {purpose} texts"
        if self.needs_registration and self.country not in entry.countries:
            return "is not registered there"
        return ""


def reaches(entry: SenderEntry, country: str | None) -> bool:
    """Say whether a sender is meant for a country's numbers."""
    return not entry.countries or country in entry.countries


def _in_gsm7(text: str) -> str:
    """Write a text in GSM-7: typographic characters by plain ones, letters without the accents that GSM-7 lacks.

    A text that stays UCS-2 all the same, for a letter of another alphabet or an emoji, keeps its accents: they cost
    nothing more.
    """
    plain = replace_smart_characters(text)
    bare = "".join(_without_accent(char) if char in foreign_characters(char) else char for char in plain)
    return plain if foreign_characters(bare) else bare


def _without_accent(char: str) -> str:
    return _STROKED.get(char) or unicodedata.normalize("NFD", char)[0]


_STROKED: Mapping[str, str] = {
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ı": "i",  # noqa: RUF001 - the letter without its dot is meant
    "ħ": "h",
    "Ħ": "H",
    "œ": "oe",
    "Œ": "OE",
}
"""Letters that Unicode does not take apart, and what readers of them take for the same."""


def named_senders(settings: Mapping[str, Any]) -> frozenset[str]:
    """Give the senders an account's settings name, as a list, or by country."""
    named = settings.get("senders") or ()
    values = named.values() if isinstance(named, Mapping) else named if isinstance(named, (list, tuple)) else (named,)
    flat = [one for each in values for one in (each if isinstance(each, (list, tuple)) else (each,))]
    return frozenset(str(each) for each in flat)
