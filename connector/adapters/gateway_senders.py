"""Which senders have we for which countries, and what do countries ask for, according to `mappings/gateways.yaml`?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from connector.adapters.gateway_reading import GatewayReading
from connector.adapters.gateway_values import COUNTRY, Chosen, per_second
from connector.adapters.journey_schema import SLUG
from connector.adapters.yaml_file import Trail
from connector.adapters.yaml_shapes import Shape, quoted, spoken
from connector.adapters.yaml_values import Anything, Choice, Parsed, WholeNumber, Words, YesNo
from connector.domain.gateway_book import (
    DEFAULT_COUNTRY,
    Alphanumeric,
    CountryRule,
    SenderEntry,
    SenderKind,
    TextEncoding,
)
from connector.domain.message import Purpose

_MOST_SEGMENTS = 10  # gateways refuse longer texts, at 1,600 characters

_WRITTEN: Mapping[SenderKind, tuple[str, str]] = {
    SenderKind.LONG_CODE: (r"\+[1-9][0-9]{6,14}", "a full number such as +12025550143"),
    SenderKind.TOLL_FREE: (r"\+[1-9][0-9]{6,14}", "a full number such as +18445550143"),
    SenderKind.SHORT_CODE: (r"[0-9]{3,8}", "a short code of three to eight digits"),
    SenderKind.ALPHANUMERIC: (
        r"(?=.*[A-Za-z])[A-Za-z0-9 _&.+-]{1,11}",  # GSM 03.38 packs eleven characters into the sender's address
        "a name of up to eleven letters and digits, with a letter in it",
    ),
}


class SenderShape(Shape):
    """One number or name that texts come from."""

    what: ClassVar[str] = "a sender (sender, gateway, kind, countries, purposes, per_second)"

    sender = Words(required=True)
    gateway = Words(required=True, pattern=SLUG, expected="a gateway such as twilio")
    kind = Choice([kind.value for kind in SenderKind], required=True)
    countries = Chosen(pattern=COUNTRY.pattern, expected="a country code of two capitals, such as US")
    purposes = Chosen([purpose.value for purpose in Purpose])
    per_second = Parsed(per_second)


class CountryShape(Shape):
    """What holds for texts to one country."""

    what: ClassVar[str] = "a country's rules (alphanumeric, needs_registration, most_segments, encoding, dlt_entity, …)"

    alphanumeric = Choice([each.value for each in Alphanumeric])
    needs_registration = YesNo()
    most_segments = WholeNumber(1, _MOST_SEGMENTS)
    encoding = Choice([each.value for each in TextEncoding])
    dlt_entity = Words(
        pattern=r"[0-9]{8,30}", expected="the number of a registered entity, such as 1101234567890123456"
    )
    dlt_templates = Anything()


def read_senders(reading: GatewayReading) -> tuple[SenderEntry, ...]:
    """Read the senders, in the order written."""
    seen: set[tuple[str, str]] = set()

    def read(trail: Trail, raw: Any) -> SenderEntry | None:
        entry = _sender(reading, trail, raw)
        if entry is not None and (entry.gateway, entry.sender) in seen:
            reading.say(trail, f"{quoted(entry.sender)} of {entry.gateway} is listed above already")
        if entry is not None:
            seen.add((entry.gateway, entry.sender))
        return entry

    return reading.listed("senders", read)


def _sender(reading: GatewayReading, trail: Trail, raw: Any) -> SenderEntry | None:
    found = reading.shape(SenderShape(), trail, raw)
    if found is None:
        return None
    kind, sender = SenderKind(found["kind"]), found["sender"]
    pattern, expected = _WRITTEN[kind]
    if not re.fullmatch(pattern, sender):
        hint = f'write "+{sender}"' if pattern.startswith(r"\+") and sender.isdecimal() else None
        reading.say((*trail, "sender"), f"{quoted(sender)} is not {expected}", hint)
        return None
    return SenderEntry(
        sender=sender,
        gateway=found["gateway"],
        kind=kind,
        countries=frozenset(found.get("countries", ())),
        purposes=frozenset(Purpose(purpose) for purpose in found.get("purposes", ())),
        per_second=found.get("per_second"),
    )


def read_countries(reading: GatewayReading) -> dict[str, CountryRule]:
    """Read the countries' rules."""
    return reading.named("countries", lambda trail, name, raw: _country(reading, trail, name, raw))


def _country(reading: GatewayReading, trail: Trail, name: str, raw: Any) -> CountryRule | None:
    if name != DEFAULT_COUNTRY and not COUNTRY.fullmatch(name):
        hint = f"write {name.upper()}" if COUNTRY.fullmatch(name.upper()) else None
        reading.say(trail, f"{quoted(name)} is no country code of two capitals, nor default", hint, key=True)
    found = reading.shape(CountryShape(), trail, raw)
    if found is None:
        return None
    templates = _templates(reading, (*trail, "dlt_templates"), found.get("dlt_templates", {}))
    if templates and "dlt_entity" not in found:
        reading.say(trail, "has dlt_templates and no dlt_entity: carriers want to see both", key=True)
    return CountryRule(
        country=name,
        alphanumeric=Alphanumeric(found.get("alphanumeric", Alphanumeric.ALLOWED)),
        needs_registration=found.get("needs_registration", False),
        most_segments=found.get("most_segments"),
        encoding=TextEncoding(found.get("encoding", TextEncoding.AS_WRITTEN)),
        dlt_entity=found.get("dlt_entity", ""),
        dlt_templates=templates,
    )


def _templates(reading: GatewayReading, trail: Trail, raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        reading.say(trail, f"expected ids by text, such as invoice-overdue/first: …, found {spoken(raw)}")
        return {}
    for name, number in raw.items():
        if not isinstance(number, str) or not re.fullmatch(r"[0-9]{8,30}", number.strip()):
            told = f"expected the id of a registered text, 8 to 30 digits, found {spoken(number)}"
            reading.say((*trail, name), told)
    return {name: str(number).strip() for name, number in raw.items()}
