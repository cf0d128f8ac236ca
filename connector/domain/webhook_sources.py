"""What is known of a system that sends us signed webhooks, and what does one of them say?

Pure data, made by `adapters.webhook_file` from `mappings/events/generic.yaml`, and the pure reading of a payload by it.
A payload is what JSON is made of; numbers with a point are `Decimal`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

Payload = Mapping[str, Any]
"""The JSON object of a webhook."""


class SignatureKind(StrEnum):
    """How a system proves that a webhook is its own, strongest first."""

    TIMESTAMPED = "timestamped"  # HMAC over time and body: what somebody recorded is soon refused (Stripe, Calendly)
    HMAC = "hmac"  # HMAC over the body (GitHub, Shopify, Typeform …)
    TOKEN = "token"  # noqa: S105 - the kind's name. The weakest: whoever sees one request can send any other


@dataclass(frozen=True, slots=True)
class Signature:
    """Where a system's proof stands and how it is written.

    Attributes:
        header: name of the HTTP header.
        encoding: `hex` or `base64`, of the HMAC-SHA-256.
        prefix: what stands before it in the header, such as `sha256=`.
    """

    kind: SignatureKind
    header: str
    encoding: str = "hex"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class PayloadPath:
    """A place in a payload.

    Attributes:
        text: JSONPath (RFC 9535), as the admin wrote it.
        find: gives the first value at the place, None when there is none.
    """

    text: str
    find: Callable[[Payload], Any] = field(compare=False, repr=False)

    def read(self, payload: Payload) -> str | None:
        """Give the value as a text; None for nothing, an empty text, a list or an object."""
        return scalar_text(self.find(payload))


class Unit(StrEnum):
    """How a system writes a value that it does not write as we read it."""

    PLAIN = ""
    MINOR = "minor"  # an amount in the currency's smallest unit: 1999 is 19.99 EUR
    SECONDS = "seconds"  # a time in seconds since 1970
    CAPITALS = "capitals"  # a code that we write in capitals, as ISO 4217 does: eur


@dataclass(frozen=True, slots=True)
class PayloadValue:
    """One value of a payload.

    Attributes:
        currency: for `Unit.MINOR`, where the currency stands: it says how many digits are behind the point.
        words: the system's words → ours; others stay as they are.
        fixed: the text it always is, where the payload does not say it; there is no path then.
    """

    path: PayloadPath | None
    unit: Unit = Unit.PLAIN
    currency: PayloadPath | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    fixed: str = ""

    def read(self, payload: Payload) -> str | None:
        """Give the value as `domain.record_values` reads it; None where there is none."""
        text = self.path.read(payload) if self.path is not None else self.fixed
        if text is None:
            return None
        if self.unit is Unit.MINOR:
            currency = self.currency.read(payload) if self.currency is not None else None
            return _major(text, currency)
        if self.unit is Unit.SECONDS:
            return _since_1970(text)
        return text.upper() if self.unit is Unit.CAPITALS else self.words.get(text, text)


@dataclass(frozen=True, slots=True)
class PayloadTest:
    """A condition on a payload: the text at a place is one of some, is none of them, or is there at all.

    Attributes:
        operator: EQ, NEQ, IN, EXISTS or MISSING.
    """

    path: PayloadPath
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, payload: Payload) -> bool:
        """Tell whether a payload meets it."""
        if self.operator in {"EXISTS", "MISSING"}:
            found = self.path.find(payload)
            return (found not in (None, "", [], {})) is (self.operator == "EXISTS")
        return (self.path.read(payload) in self.values) is (self.operator != "NEQ")


class NamedBy(StrEnum):
    """By what a payload names a person."""

    CRM_ID = "crm_id"
    EMAIL = "email"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class PersonPath:
    """Where a payload names the person it concerns."""

    by: NamedBy
    path: PayloadPath


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person as a payload names them: a CRM id, an e-mail address or a phone number as typed."""

    by: NamedBy
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A system that sends webhooks.

    Attributes:
        name: its part of the URL.
        id: where the event's own id stands, which is the same when it is sent again; None to go by the whole body.
        type: where the event's type stands in the body; None when there is one type, or a header names it.
        type_header: the header that names the type; empty for none. No system signs it.
        at: where the body says when it happened; None for when we received it.
    """

    name: str
    signature: Signature
    id: PayloadPath | None = None
    type: PayloadPath | None = None
    type_header: str = ""
    at: PayloadValue | None = None

    def identity(self, body: bytes, named_type: str = "") -> str:
        """Give what is the same whenever the same event is sent, of at most 64 characters: a hash.

        Args:
            body: as it was sent.
            named_type: the type that the header names: where the body has no id, one body may be of two events.
        """
        payload = read_payload(body) if self.id is not None else None
        named = self.id.read(payload) if self.id is not None and payload is not None else None
        if named is not None:
            said = b"id\x00" + named.encode()
        else:
            said = named_type.encode("utf-8", "replace") + b"\x00" + body if self.type_header else body
        return hashlib.sha256(said).hexdigest()


@dataclass(frozen=True, slots=True)
class OnWebhook:
    """A webhook that makes an event.

    Attributes:
        types: only these types; empty for any.
        where: conditions that must all hold.
        record: our name of the record it is about, such as `invoice`.
        record_id: where that record's id stands.
        values: what each property name of the event's `read` stands for.
        people: where the contact is named, in the order in which they are tried.
    """

    source: str
    types: tuple[str, ...]
    where: tuple[PayloadTest, ...]
    record: str
    record_id: PayloadPath
    values: Mapping[str, PayloadValue] = field(default_factory=dict)
    people: tuple[PersonPath, ...] = ()

    @property
    def object_type(self) -> str:
        """The kind of record: with its source, since no CRM has it."""
        return f"{self.source}.{self.record}"

    def fits(self, source: str, type_: str | None, payload: Payload) -> bool:
        """Tell whether a webhook makes the event."""
        if source != self.source or (self.types and type_ not in self.types):
            return False
        return all(test.holds(payload) for test in self.where)

    def raw(self, payload: Payload) -> dict[str, str | None]:
        """Give the properties that the event's `read` names."""
        return {name: value.read(payload) for name, value in self.values.items()}

    def names_of_people(self, payload: Payload) -> tuple[PersonName, ...]:
        """Give every way in which the payload names its contact, the best first."""
        found = ((each.by, each.path.read(payload)) for each in self.people)
        return tuple(PersonName(by, text) for by, text in found if text is not None)


def read_payload(body: bytes) -> dict[str, Any] | None:
    """Read a webhook's body; None when it is no JSON object. Never raises, whatever somebody has sent."""
    try:
        payload = json.loads(body, parse_float=Decimal, parse_constant=lambda _word: None)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def scalar_text(value: Any) -> str | None:
    """Give a JSON scalar as a text without margins; None for null, an empty text, a list or an object.

    What no database keeps, NUL and half a surrogate pair, is left out.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < _MOST_DIGITS else str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < _MOST_BITS else None
    if not isinstance(value, str):
        return None
    clean = value.replace("\x00", "").encode("utf-8", "ignore").decode()
    return clean.strip() or None


_MOST_DIGITS = 100  # as in `record_values`: to write a number of a million digits out takes seconds
_MOST_BITS = 400  # a little more than a hundred digits

_NO_DIGITS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS_BEHIND = dict.fromkeys(_NO_DIGITS.split(), 0) | dict.fromkeys(_THREE_DIGITS.split(), 3)
"""Digits behind the point of currencies that have not two: ISO 4217; MGA as payment systems count it, by the ariary."""


def _major(text: str, currency: str | None) -> str | None:
    """Write an amount of smallest units in whole ones; without a currency nobody can, and nothing is better."""
    if currency is None or not re.fullmatch(r"-?[0-9]+", text) or len(text) > _MOST_DIGITS:
        return None
    return format(Decimal(text).scaleb(-_DIGITS_BEHIND.get(currency.upper(), 2)), "f")


def _since_1970(text: str) -> str | None:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        return None
    return moment.isoformat()
