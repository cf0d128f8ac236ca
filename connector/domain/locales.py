"""Which locales are tried, in which order, for a contact whose CRM record names one?"""

import re

ULTIMATE = "en"
"""The locale of the texts that ship with the connector, tried last."""

_SEPARATOR = re.compile(r"[-_]+")
_ENCODING = re.compile(r"[.@].*", re.DOTALL)
_SUBTAG = re.compile(r"[a-z0-9]{1,8}")


def normalise_locale(raw: str) -> str | None:
    """Write a locale in the BCP 47 way: "de_AT" and "DE-at" are "de-AT"; "zh_hant_tw" is "zh-Hant-TW".

    POSIX endings ("de_AT.UTF-8", "de_DE@euro") are dropped. HubSpot (`hs_language`) has "en" or "en-gb"
    (knowledge.hubspot.com, "HubSpot default contact properties"). Returns None when the text
    does not begin with a language of two or three letters: a CRM field may hold anything.
    """
    language, *rest = _SEPARATOR.split(_ENCODING.sub("", raw.strip().lower()))
    if not (2 <= len(language) <= 3 and language.isascii() and language.isalpha()):
        return None
    if not all(_SUBTAG.fullmatch(subtag) for subtag in rest):
        return language
    return "-".join([language, *map(_cased, rest)])


def fallback_chain(locale: str | None, default: str) -> tuple[str, ...]:
    """Return the locales to try, best first: "de-AT" with default "en" gives ("de-AT", "de", "en").

    A tag is shortened from its end (RFC 4647 §3.4, lookup); then comes the default, shortened alike, then
    English. An unreadable locale, or none, leaves the default's chain.
    """
    chain: dict[str, None] = {}
    for raw in (locale, default, ULTIMATE):
        tag = normalise_locale(raw) if raw else None
        while tag:
            chain[tag] = None
            tag = tag.rpartition("-")[0]
    return tuple(chain)


def _cased(subtag: str) -> str:
    """Case a subtag by its length, as RFC 5646 §2.1.1 recommends: scripts "Hant", regions "AT"."""
    if len(subtag) == 4:
        return subtag.title()
    return subtag.upper() if len(subtag) == 2 else subtag
