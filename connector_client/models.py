"""What do the things look like that the API takes and gives?

Written after docs/reference/openapi.json; a test holds the two together. Fields that a later release of the connector
adds are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a request: where (a JSON pointer or a parameter's name) and what."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong (RFC 9457); `type` tells kinds apart, such as `urn:sms-connector:problem:invalid`.

    Attributes:
        code: of what a record card asks for, why it was refused, in a word; empty elsewhere.
    """

    type: str
    title: str
    status: int
    detail: str = ""
    errors: tuple[Mistake, ...] = ()
    code: str = ""

    def __str__(self) -> str:
        """Give it on one line."""
        found = "; ".join(f"{each.pointer}: {each.detail}" for each in self.errors)
        return " · ".join(part for part in (f"{self.status} {self.title}", self.detail, found) if part)


@dataclass(frozen=True, slots=True)
class Text:
    """One text to be sent: a `body`, or a `template` with its `data`.

    Attributes:
        to: the person's number, E.164 or as people write it.
        sender: our number or sender id; the gateway's default when None.
        purpose: `transactional`, `marketing` or `otp`.
        priority: 1 to 9.
        callback_url: where to hear what becomes of it.
        idempotency_key: made by the client when None.
        send_at: not before this, with a time zone.
        expires_at: not after this, with a time zone.
    """

    to: str = field(repr=False)
    body: str | None = field(default=None, repr=False)
    sender: str | None = field(default=None, metadata={"name": "from"})
    template: str | None = None
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    purpose: str = "transactional"
    priority: int = 5
    callback_url: str | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a text cost."""

    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """One text, out or in.

    Attributes:
        state: `held`, `queued`, `dispatching`, `unknown`, `accepted`, `sent`, `delivered`, `undelivered`, `expired`,
            `failed`, `cancelled`, `suppressed`, `dead_letter` or `received`.
        reason: why it stands there, in one sentence.
        sender: the number or sender id it came from; `from` in JSON.
    """

    id: str
    direction: str
    state: str
    reason: str
    to: str | None = field(repr=False)
    sender: str | None = field(repr=False, metadata={"name": "from"})
    body: str = field(repr=False)
    purpose: str
    priority: int
    gateway: str
    encoding: str
    segments: int
    tries: int
    journey: str | None
    idempotency_key: str | None
    not_before: datetime
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    replied_at: datetime | None
    clicked_at: datetime | None
    opted_out_at: datetime | None
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try through one gateway; `raw_status` and `error_code` are the gateway's own words."""

    id: str
    gateway: str
    state: str
    sender: str | None = field(repr=False, metadata={"name": "from"})
    provider_message_id: str | None
    raw_status: str
    error_class: str
    error_code: str
    requested_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageStatus(Message):
    """One text and every try to send it, oldest first."""

    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What came of one text of a batch: a message, or a problem; `status` is what it would have been answered alone."""

    index: int
    status: int
    message: Message | None
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Suppression:
    """A standing "never"."""

    scope: str
    mechanism: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One piece of evidence."""

    kind: str
    scope: str
    mechanism: str
    source: str
    wording: str = field(repr=False)
    asked: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """How a number stands.

    Attributes:
        may_be_texted: no opt-out from all texts stands.
        marketing: its latest word about marketing: `opt_in`, `opt_out`, `doubtful` or None.
    """

    number: str = field(repr=False)
    may_be_texted: bool
    marketing: str | None
    suppressions: tuple[Suppression, ...]
    history: tuple[ConsentEvent, ...]


@dataclass(frozen=True, slots=True)
class FailedCallback:
    """A callback that could not be delivered."""

    id: str
    type: str
    message_id: str | None
    host: str
    error: str
    tries: int
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of dead letters: `passed_over` are none (any more) of the account's, or their lifetime is over."""

    done: tuple[str, ...]
    passed_over: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownNumber:
    """What is known of a number.

    Attributes:
        state: `known`, `wanted`, `skipped` or `unheard_of`.
        line_type: `mobile`, `landline`, `voip`, `toll_free`, `invalid` or `unknown`.
        source: who said so, such as `lookup:twilio`.
    """

    number: str = field(repr=False)
    state: str
    line_type: str
    is_reachable: bool | None
    country: str | None
    carrier: str
    source: str
    known_at: datetime | None
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Fallen:
    """Where a gateway delivers much less than it did; no carrier when the whole country is meant."""

    country: str
    carrier: str | None


@dataclass(frozen=True, slots=True)
class Provider:
    """How one gateway fares.

    Attributes:
        state: its circuit: `closed`, `limited`, `open` or `probing`.
        share: which share of its usual rate it gets, 0 to 1.
        delivery_rate: share of the texts it takes that arrive.
    """

    name: str
    vendor: str
    state: str
    share: float
    reason: str
    since: datetime
    until: datetime | None
    usual_seconds: float
    error_rate: float
    delivery_rate: float
    routes: tuple[str, ...]
    fallen: tuple[Fallen, ...]
    has_incoming: bool
    has_lookup: bool
    receipts: str
