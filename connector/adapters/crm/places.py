"""Which country and time zone does a contact's free text or enumeration mean?"""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Mapping

from babel import Locale

# Country names are read in the languages the CRMs' own country lists and forms come in.
_LANGUAGES = ("en", "de", "es", "fr", "it", "ja", "nl", "pt", "pl", "sv", "da", "fi", "nb")
_SAYINGS = {
    "usa": "US", "u.s.": "US", "u.s.a.": "US", "united states of america": "US", "america": "US",
    "uk": "GB", "u.k.": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "holland": "NL", "the netherlands": "NL", "czech republic": "CZ", "turkey": "TR",
    "south korea": "KR", "republic of korea": "KR", "russian federation": "RU", "viet nam": "VN", "uae": "AE",
}  # fmt: skip
# HubSpot's `hs_timezone` writes `us_slash_eastern` for US/Eastern. Only letters, digits and plus signs tell zones
# apart, so the spelled-out marks and the marks themselves are both dropped.
_SPELLED = re.compile(r"_(?:slash|hyphen|dash|minus)_|_(plus)_")
_MARKS = re.compile(r"[^a-z0-9+]")


def country_code(raw: str | None) -> str | None:
    """Give ISO 3166 alpha-2 for a code or a country's name in one of a dozen languages; None when unknown."""
    text = " ".join((raw or "").split()).casefold()
    if not text:
        return None
    if len(text) == 2 and text.upper() in _codes():
        return text.upper()
    return _SAYINGS.get(text) or _names().get(text)


def iana_zone(raw: str | None) -> str | None:
    """Give the IANA zone for a value such as `America/New_York` or `america_slash_new_york`, or None."""
    return _zones().get(_reduced((raw or "").lower())) if raw else None


def _reduced(text: str) -> str:
    return _MARKS.sub("", _SPELLED.sub(lambda match: "+" if match[1] else "", text))


@functools.cache
def _zones() -> Mapping[str, str]:
    return {_reduced(zone.lower()): zone for zone in sorted(zoneinfo.available_timezones())}


@functools.cache
def _codes() -> frozenset[str]:
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - {"EU", "EZ", "UN", "ZZ"}


@functools.cache
def _names() -> Mapping[str, str]:
    territories = [Locale(language).territories for language in _LANGUAGES]
    return {each[code].casefold(): code for each in reversed(territories) for code in _codes() if code in each}
