"""How do money, dates, times and names read in the recipient's language and time zone?

Each filter takes what a CRM mapping yields: texts, `Decimal` numbers, dates and aware times. Formats come from the
Unicode CLDR through Babel. CLDR's no-break spaces become plain ones, for one of them makes a whole SMS UCS-2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from connector.domain.locales import ULTIMATE, fallback_chain
from connector.domain.short_links import is_web_address

LOCALE, ZONE, LINKS = "_locale", "_zone", "_links"
"""Names under which a rendering knows its locale tag, its time zone and what makes its short links; templates cannot
reach names with `_`.
"""

_STYLES = frozenset({"short", "medium", "long", "full"})
_LONGEST_PATTERN = 40  # characters; "EEEE, d. MMMM yyyy, HH:mm" takes 25
_MOST_DIGITS = 100  # before or behind the point; to write a number of a million digits out takes seconds
_PLAIN_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})
_HONORIFICS = frozenset(
    {"dr", "prof", "mr", "mrs", "ms", "miss", "mx", "herr", "frau", "m", "mme", "mlle", "sr", "sra"}
)


class FilterError(ValueError):
    """A filter met a value it has no use for; the message never holds the value."""


@lru_cache(maxsize=256)
def babel_locale(tag: str) -> Locale:
    """Give the nearest locale CLDR knows: `de-ZZ` reads as `de`."""
    for candidate in fallback_chain(tag, ULTIMATE):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise FilterError("no locale is known")  # pragma: no cover - English is always known


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """Give an IANA time zone."""
    return ZoneInfo(name)


@pass_context
def money(context: Context, value: Any, currency: Any = None) -> str:
    """Write an amount: `1234.5` in EUR is `€1,234.50` in English, `1.234,50 €` in German.

    Without a currency the value is taken with the `currency` of its own record.
    """
    _demand(currency)
    if not isinstance(currency, str) or not currency:
        raise FilterError("money needs a currency, such as money('EUR')")
    return plain(numbers.format_currency(_number(value, "money"), currency, locale=_locale(context)))


@pass_context
def date_(context: Context, value: Any, style: str = "medium") -> str:
    """Write a date: `Nov 20, 2026` or `20.11.2026`; `style` is short, medium, long, full or a CLDR pattern."""
    _demand(value)
    if isinstance(value, datetime):
        value = value.astimezone(_zone(context))
    if not isinstance(value, date):
        raise FilterError("date needs a date")
    return plain(dates.format_date(value, _style(style), locale=_locale(context)))


@pass_context
def time_(context: Context, value: Any, style: str = "short") -> str:
    """Write the time of day in the recipient's zone: `3:00 PM` or `15:00`."""
    _demand(value)
    if not isinstance(value, datetime):
        raise FilterError("time needs a date with a time of day")
    return plain(dates.format_time(value.astimezone(_zone(context)), _style(style), locale=_locale(context)))


@pass_context
def ordinal(context: Context, value: Any) -> str:
    """Write a position: `2nd` in English, `2.` in German, `2e` in French and Dutch."""
    number = int(_number(value, "ordinal"))
    language = _locale(context).language
    if language in {"fr", "nl"}:
        return "1er" if number == 1 and language == "fr" else f"{number}e"
    return f"{number}{_english_ending(number)}" if language == "en" else f"{number}."


def first_name(value: Any) -> str:
    """Take the first name out of a full one: `Dr. Ada Lovelace` and `Lovelace, Ada` give `Ada`."""
    text = _text(value, "first_name")
    _, comma, behind = text.partition(",")
    words = (behind if comma and behind.strip() else text).split()
    return next((word for word in words if word.rstrip(".").lower() not in _HONORIFICS), " ".join(words))


def default(value: Any, fallback: Any = "") -> Any:
    """Take the fallback when the CRM has no value: absent, null or an empty text."""
    return fallback if isinstance(value, Undefined) or value is None or value == "" else value


def whole(value: Any) -> int:
    """Cut the decimals off a number."""
    return int(_number(value, "int"))


def rounded(value: Any, digits: int = 0) -> Decimal:
    """Round half up, as people do."""
    if not isinstance(digits, int) or not 0 <= digits <= 9:
        raise FilterError("round takes 0 to 9 digits")
    return _number(value, "round").quantize(Decimal(1).scaleb(-digits), rounding="ROUND_HALF_UP")


def absolute(value: Any) -> Decimal:
    """Drop the minus."""
    return abs(_number(value, "abs"))


def shortened(value: Any, length: int = 40) -> str:
    """Cut a text to `length` characters, at a space where there is one."""
    text = _text(value, "truncate")
    if len(text) <= length:
        return text
    cut = text[: max(length - 3, 0)]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,.;:-") + "..."


@pass_context
def link(context: Context, value: Any, name: str = "link") -> str:
    """Put a short link of the recipient's own in place of an address; `name` is what journeys and reports call it."""
    url, make = _text(value, "link"), context.get(LINKS)
    if make is None:
        raise FilterError("short links can only be in an SMS")
    if not is_web_address(url):
        raise FilterError("link needs a web address, such as https://example.com/pay")
    return str(make(name, url))


def shown(context: Context, value: Any) -> str:
    """Write a value that has no filter: dates, times and numbers in the recipient's way, texts as they are."""
    if isinstance(value, str):
        return value
    _demand(value)
    if isinstance(value, datetime):
        return f"{date_(context, value)} {time_(context, value)}"
    if isinstance(value, date):
        return date_(context, value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise FilterError("only texts, numbers, dates and times can be shown")
    return plain(numbers.format_decimal(_number(value, "a text"), locale=_locale(context)))


def joined(value: Any) -> str:
    """Write a value that a condition joins to others with `~`: to be compared, so the same wherever it is read."""
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return str(_number(value, "`~`"))


def plain(text: str) -> str:
    """Replace no-break spaces by plain ones."""
    return text.translate(_PLAIN_SPACES)


def _locale(context: Context) -> Locale:
    return babel_locale(context.get(LOCALE) or ULTIMATE)


def _zone(context: Context) -> tzinfo:
    return zone(context.get(ZONE) or "UTC")


def _demand(value: Any) -> None:
    """Raise for a name without a value, in words that name it."""
    if isinstance(value, Undefined):
        str(value)


def _number(value: Any, name: str) -> Decimal:
    _demand(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise FilterError(f"{name} needs a number")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if number.is_finite() and abs(number.adjusted()) > _MOST_DIGITS:
        raise FilterError(f"{name} needs a number of at most {_MOST_DIGITS} digits")
    return number


def _text(value: Any, name: str) -> str:
    _demand(value)
    if not isinstance(value, str):
        raise FilterError(f"{name} needs a text")
    return value


def _style(style: Any) -> str:
    if not isinstance(style, str) or len(style) > _LONGEST_PATTERN:
        raise FilterError(f"a style is one of {', '.join(sorted(_STYLES))} or a pattern such as 'd MMMM'")
    return style


def _english_ending(number: int) -> str:
    return "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "money": money,
    "date": date_,
    "time": time_,
    "ordinal": ordinal,
    "first_name": first_name,
    "default": default,
    "upper": lambda value: _text(value, "upper").upper(),
    "lower": lambda value: _text(value, "lower").lower(),
    "capitalize": lambda value: _text(value, "capitalize").capitalize(),
    "trim": lambda value: _text(value, "trim").strip(),
    "truncate": shortened,
    "length": lambda value: len(_text(value, "length")),
    "int": whole,
    "round": rounded,
    "abs": absolute,
    "link": link,
}
"""Every filter a template or condition may use."""

TESTS: Mapping[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Undefined) and value is not None,
    "undefined": lambda value: isinstance(value, Undefined) or value is None,
    "none": lambda value: isinstance(value, Undefined) or value is None,
    "empty": lambda value: isinstance(value, Undefined) or value is None or value == "",
    "number": lambda value: isinstance(value, int | float | Decimal) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
}
"""Every test (`is …`) a template or condition may use; null counts as undefined."""
