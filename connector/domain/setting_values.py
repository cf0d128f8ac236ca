"""What may a value that somebody wants to give a setting be, and how is it kept?

Values come as JSON from a settings page, or as text from a command line; both are read by the same rules. Each rule is
given the value and the account's settings as they are; it gives the value as it is kept, or raises ValueError with one
sentence that says what is wrong, without the value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from connector.domain.locales import normalise_locale
from connector.domain.msisdn import normalise
from connector.domain.opt_out_fields import mistakes_in_opt_out_fields
from connector.errors import InvalidNumberError

Kept = Mapping[str, Any]
"""The account's settings as they are, for rules that need another one."""

_LONGEST_NAME = 255  # of an account, as the ledger keeps it
_CURRENCY = re.compile(r"[A-Z]{3}")  # ISO 4217
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")  # of an object or field in Salesforce
_PROPERTY = re.compile(r"[a-z][a-z0-9_]{0,249}|[A-Za-z][A-Za-z0-9_]{0,79}")  # of HubSpot, or a field of Salesforce
_HUBSPOT_PROPERTY = re.compile(r"[a-z][a-z0-9_]{0,99}")  # as HubSpot makes names of what people call a property
_MOST_PHONES = 5
"""Properties of HubSpot with numbers: one search takes five groups of filters, and a text that comes waits for it."""

_NAMESPACE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_LONGEST_NAMESPACE = 15  # as Salesforce allows
_TOPIC = re.compile(
    r"/data/(?:ChangeEvents|[A-Za-z]\w{0,79}(?:ChangeEvent|__chn))|/event/[A-Za-z]\w{0,79}__(?:e|chn)", re.ASCII
)
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
"""A number with its prefix, a short code, or a name of up to eleven letters and digits (3GPP TS 23.040)."""


def account_name(raw: Any, _: Kept) -> str:
    """What an account is called."""
    text = _text(raw)
    if len(text) > _LONGEST_NAME:
        raise ValueError(f"is longer than {_LONGEST_NAME} characters")
    return text


def region(raw: Any, _: Kept) -> str:
    """A country by its two letters."""
    text = _text(raw).upper()
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("expected a country by its two letters, such as US or DE")
    return text


def zone(raw: Any, _: Kept) -> str:
    """A time zone by its IANA name."""
    text = _text(raw)
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise ValueError("expected a time zone by its IANA name, such as America/New_York") from None
    return text


def language(raw: Any, _: Kept) -> str:
    """A language, written the BCP 47 way."""
    found = normalise_locale(_text(raw))
    if found is None:
        raise ValueError("expected a language, such as en or de-AT")
    return found


def currency(raw: Any, _: Kept) -> str:
    """A currency by its three letters."""
    return _matching(raw, _CURRENCY, "expected a currency by its three letters, such as USD", upper=True)


def switch(raw: Any, _: Kept) -> bool:
    """Yes or no."""
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().casefold()
    if word not in {"yes", "no", "true", "false", "on", "off"}:
        raise ValueError("expected yes or no")
    return word in {"yes", "true", "on"}


def percent(raw: Any, _: Kept) -> float:
    """A number from 0 to 99."""
    try:
        number = float(raw)
    except (TypeError, ValueError):
        raise ValueError("expected a number from 0 to 99") from None
    if not 0 <= number <= 99 or isinstance(raw, bool):  # all of them kept back would leave us none
        raise ValueError("expected a number from 0 to 99")
    return number


def hours(raw: Any, _: Kept) -> float:
    """A number of hours, of which a week has 168."""
    try:
        number = float(raw)
    except (TypeError, ValueError):
        raise ValueError("expected a number of hours, from 1 to 168") from None
    if not 1 <= number <= 168 or isinstance(raw, bool):  # nothing further back is looked for
        raise ValueError("expected a number of hours, from 1 to 168")
    return number


def choice(*options: str) -> Callable[[Any, Kept], str]:
    """One of some words."""

    def check(raw: Any, _: Kept) -> str:
        word = str(raw).strip().casefold()
        if word not in options:
            raise ValueError(f"expected one of {', '.join(options)}")
        return word

    return check


def emails(raw: Any, _: Kept) -> list[str]:
    """E-mail addresses, in small letters."""
    return [_matching(each, _EMAIL, "expected e-mail addresses").casefold() for each in _items(raw)]


def topics(raw: Any, _: Kept) -> list[str]:
    """Topics of Salesforce's Pub/Sub API, each once."""
    expected = "expected topics such as /data/OpportunityChangeEvent or /event/Order_Shipped__e"
    return list(dict.fromkeys(_matching(each, _TOPIC, expected) for each in _items(raw)))


def senders(raw: Any, _: Kept) -> Any:
    """Senders as a list, or by country."""
    if isinstance(raw, Mapping) or (isinstance(raw, str) and raw.lstrip().startswith("{")):
        by_country = _entries(raw)
        return {region(country, {}): [_sender(each) for each in _items(some)] for country, some in by_country.items()}
    return [_sender(each) for each in _items(raw)]


def _sender(raw: Any) -> str:
    return _matching(raw, _SENDER, "expected numbers such as +12025550100, short codes, or names of up to 11 letters")


def owner_phones(raw: Any, kept: Kept) -> dict[str, str]:
    """Numbers by e-mail address, as E.164; the account's country tells what lacks its prefix."""
    regions = [str(kept["default_region"])] if kept.get("default_region") else []
    phones = {}
    for email, number in _entries(raw).items():
        owner = _matching(email, _EMAIL, "expected an e-mail address and a number for each owner").casefold()
        try:
            phones[owner] = normalise(str(number), regions).e164
        except InvalidNumberError as error:
            raise ValueError(f"{owner}: {error}") from None
    return phones


def phone_fields(raw: Any, _: Kept) -> dict[str, list[str]]:
    """Fields of Contact and Lead that hold numbers."""
    fields = {}
    for kind, names in _entries(raw).items():
        if kind not in {"Contact", "Lead"}:
            raise ValueError("expected Contact and Lead with their fields, the best one first")
        fields[kind] = [_matching(each, _API_NAME, f"{kind}: that can be no field") for each in _items(names)]
    return fields


def phone_properties(raw: Any, _: Kept) -> dict[str, list[str]]:
    """Properties of HubSpot's contacts that hold numbers."""
    found: list[str] = []
    for kind, names in _entries(raw).items():
        if kind.casefold() != "contact":
            raise ValueError("expected contact with its properties, the best one first")
        found += [_matching(each, _HUBSPOT_PROPERTY, "contact: that can be no property") for each in _items(names)]
    chosen = list(dict.fromkeys(found))
    if not 1 <= len(chosen) <= _MOST_PHONES:
        raise ValueError(f"expected one to {_MOST_PHONES} properties of contact")
    return {"contact": chosen}


def opt_outs(raw: Any, _: Kept) -> Any:
    """Fields by kind of record; see `domain.opt_out_fields`."""
    value = _entries(raw)
    mistakes = mistakes_in_opt_out_fields(value)
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return value


def invoice_fields(raw: Any, _: Kept) -> dict[str, str]:
    """Fields by our own names."""
    wrong = "expected our names with the object's fields"
    return {
        _matching(ours, _PROPERTY, wrong): _matching(theirs, _API_NAME, wrong) for ours, theirs in _entries(raw).items()
    }


def api_name(raw: Any, _: Kept) -> str:
    """An object or field of Salesforce's."""
    return _matching(raw, _API_NAME, "that can be no object or field of Salesforce's")


def crm_property(raw: Any, _: Kept) -> str:
    """A property or field of any CRM."""
    return _matching(raw, _PROPERTY, "that can be no property or field of a CRM")


def namespace(raw: Any, _: Kept) -> str:
    """A package's namespace."""
    found = _matching(raw, _NAMESPACE, "expected letters, digits and single underscores, such as acme_sms")
    if len(found) > _LONGEST_NAMESPACE:
        raise ValueError(f"is longer than {_LONGEST_NAMESPACE} characters")
    return found


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError("expected a text")  # noqa: TRY004 - every wrong value is told in the same way
    return raw.strip()


def _matching(raw: Any, pattern: re.Pattern[str], wrong: str, *, upper: bool = False) -> str:
    text = str(raw).strip()
    text = text.upper() if upper else text
    if isinstance(raw, (Mapping, list, tuple)) or not pattern.fullmatch(text):
        raise ValueError(wrong)
    return text


def _items(raw: Any) -> list[Any]:
    """Give the items of a list, of a text in JSON, or of one that parts them by commas."""
    if isinstance(raw, str):
        raw = _from_json(raw) if raw.lstrip().startswith("[") else [each for each in raw.split(",") if each.strip()]
    if not isinstance(raw, (list, tuple)):
        raise ValueError("expected a list")  # noqa: TRY004 - every wrong value is told in the same way
    return list(raw)


def _entries(raw: Any) -> dict[str, Any]:
    """Give the entries of a mapping, of a text in JSON, or of one such as `a=1, b=2`."""
    if isinstance(raw, str):
        raw = _from_json(raw) if raw.lstrip().startswith("{") else dict(_pair(each) for each in raw.split(","))
    if not isinstance(raw, Mapping):
        raise ValueError("expected names with their values")  # noqa: TRY004 - every wrong value is told in the same way
    return {str(name).strip(): value for name, value in raw.items()}


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise ValueError("expected name=value, parted by commas, or JSON")
    return name.strip(), value.strip()


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("looks like JSON and is none") from None
