"""How do services read and write messages?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from connector.domain.journey import USUAL_PRIORITY
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.ports.message_filters import DeadLetterFilter, MessageFilter


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One SMS intent or one inbound SMS.

    Attributes:
        msisdn: the person's number, whichever way the text goes.
        sender: our number or sender id.
        recipient: whom the number belongs to: `contact`, `owner` or `number`.
        send_window: named window, or empty for the purpose's.
        caps: the journey's own caps as written, such as `3 per 7 days`.
        time_zones: zones whose windows must all be open.
        sent_at: when a gateway took it.
        priority: its journey's, 1 to 9; of several texts for the last slot under a cap the higher one goes.
        route: a named route, or empty for the purpose's.
        routed_at: when its gateway was chosen by the router; None while it only has the usual one.
        template: the template it was written from, or empty.
        wanted_sender: the sender its step or order names; `sender` is the one it goes out with.
        ordered_by: who ordered a text that no journey made, such as `api:<key id>`.
        order_fingerprint: of everything that was ordered under its idempotency key.
        callback_url: where the one who ordered it wants to hear of it.
        restarted_at: when a person last had it sent again, with all its tries anew; None when nobody has.
        tries_before: how many tries it had had by then; they are counted in `tries` all the same.
        is_readable: False when the body cannot be opened; it is empty then.
    """

    id: str
    account_id: str
    direction: Direction
    idempotency_key: str
    purpose: Purpose
    msisdn: str = field(repr=False)
    body: str = field(repr=False)
    gateway: str
    encoding: str
    segments: int
    state: MessageState
    policy: SendPolicy
    not_before: datetime
    created_at: datetime
    contact_id: str | None = None
    enrollment_id: str | None = None
    journey: str = ""
    step: str = ""
    recipient: str = "contact"
    sender: str | None = None
    state_reason: str = ""
    send_window: str = ""
    caps: tuple[str, ...] = ()
    time_zones: tuple[str, ...] = ()
    country: str | None = None
    expires_at: datetime | None = None
    tries: int = 0
    provider_message_id: str | None = None
    cost: Decimal | None = None
    currency: str | None = None
    updated_at: datetime | None = None
    sent_at: datetime | None = None
    replied_at: datetime | None = None
    opted_out_at: datetime | None = None
    clicked_at: datetime | None = None
    priority: int = USUAL_PRIORITY
    route: str = ""
    routed_at: datetime | None = None
    template: str = ""
    wanted_sender: str | None = None
    ordered_by: str = ""
    order_fingerprint: str = ""
    callback_url: str | None = field(default=None, repr=False)
    restarted_at: datetime | None = None
    tries_before: int = 0
    is_readable: bool = True

    @property
    def alive_since(self) -> datetime:
        """When it was made, or last had to be sent again: from then on its retry rule counts."""
        return self.restarted_at or self.created_at

    @property
    def recent_tries(self) -> int:
        """How many tries it has had since then."""
        return self.tries - self.tries_before


@dataclass(frozen=True, slots=True)
class Rival:
    """A text that is still with us and wants to go to the same number."""

    message_id: str
    priority: int
    purpose: Purpose
    journey: str
    not_before: datetime


@dataclass(frozen=True, slots=True)
class StateChange:
    """A move of one message; applied only while the message is still in `from_state`.

    `gateway` and `routed_at` are given when it goes another way from now on; then `sender` is taken as it is, None too.
    """

    message_id: str
    from_state: MessageState
    to_state: MessageState
    reason: str
    not_before: datetime | None = None
    sent_at: datetime | None = None
    sender: str | None = None
    provider_message_id: str | None = None
    cost: Decimal | None = None
    currency: str | None = None
    gateway: str | None = None
    routed_at: datetime | None = None
    expires_at: datetime | None = None
    tried: bool = False  # counts one more try
    restart: bool = False  # all its tries and its retry rule's lifetime begin anew
    lease_until: datetime | None = None  # until when this worker answers for a message it claims; else nobody does


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a message has come: what a receipt may change while the request is under way."""

    state: MessageState
    tries: int
    sent_at: datetime | None


class MessageRepository(Protocol):
    """Messages, both ways.

    A damaged one is read without its body, or its callback address. One that is sealed with a key that is not here is
    read so too where what is asked needs neither; `queued`, `due` and `abandoned` leave it to those who have the key.

    Raises:
        MissingKeyError: elsewhere, since whoever has the key will read it.
    """

    def add(self, message: MessageRow) -> bool:
        """Insert; False when the account already has this idempotency key."""
        ...

    def get(self, account_id: str, message_id: str) -> MessageRow | None:
        """Read one of an account's messages."""
        ...

    def by_key(self, account_id: str, idempotency_key: str) -> MessageRow | None:
        """Read the message an account has under an idempotency key."""
        ...

    def many(self, message_ids: Sequence[str], *, lock: bool = False) -> Mapping[str, MessageRow]:
        """Read messages by id, whichever account they belong to; for the drains only.

        `lock` holds them until commit, for whoever is about to move them.
        """
        ...

    def standing(self, message_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Read, and lock until commit, how far messages have come."""
        ...

    def queued(self, gateway: str, purpose: str, limit: int, now: datetime) -> Sequence[MessageRow]:
        """Read, and lock until commit, queued messages of a lane whose time has come, oldest due first."""
        ...

    def move(self, changes: Sequence[StateChange], now: datetime) -> Sequence[str]:
        """Apply conditional moves; give the ids of the messages that did move."""
        ...

    def move_all(self, changes: Sequence[StateChange], now: datetime) -> None:
        """Apply moves from states that this very transaction has read with `queued` or `standing`.

        Raises:
            RuntimeError: a message was in another state; nothing may be committed.
        """
        ...

    def due(self, now: datetime, limit: int) -> Sequence[MessageRow]:
        """Read held messages whose time has come, and held or queued ones past their expiry."""
        ...

    def abandoned(self, now: datetime, limit: int) -> Sequence[MessageRow]:
        """Read claimed messages whose lease ran out: their worker died."""
        ...

    def waiting_lanes(self, now: datetime) -> Sequence[tuple[str, str]]:
        """Give (gateway, purpose) of every lane with a queued message whose time has come."""
        ...

    def open_to(self, account_id: str, msisdn: str) -> Sequence[MessageRow]:
        """Read, and lock until commit, held and queued messages to a number, but for those another worker holds.

        Hold the number with `UnitOfWork.lock_numbers` first: a claim that holds a message then waits to see why.
        """
        ...

    def open_of(self, account_id: str, limit: int, contact_id: str | None = None) -> Sequence[MessageRow]:
        """Read, and lock until commit, held and queued texts of an account, but for those another worker holds.

        With `contact_id`, those of one contact only.
        """
        ...

    def sent_times(
        self, account_id: str, msisdns: Sequence[str], since: datetime
    ) -> Mapping[str, Sequence[tuple[datetime, Purpose, str]]]:
        """Give (time, purpose, journey) of messages to each number that count against caps: claimed or later."""
        ...

    def last_sent_to(self, msisdn: str, sender: str | None) -> Sequence[MessageRow]:
        """Give, for every account, its last text that may have reached a number (from that sender when one is given).

        Latest first, by when the gateway took it.
        """
        ...

    def set_engagement(
        self,
        message_id: str,
        *,
        replied_at: datetime | None = None,
        opted_out_at: datetime | None = None,
        clicked_at: datetime | None = None,
    ) -> None:
        """Note the first reply, opt-out or click beside the state; a later one changes nothing."""
        ...

    def rivals(self, account_id: str, msisdns: Sequence[str], before: datetime) -> Mapping[str, Sequence[Rival]]:
        """Give, by number, the held and queued texts that may want to go before a time."""
        ...

    def unanswered(
        self, account_id: str, msisdns: Sequence[str], purpose: Purpose, since: datetime
    ) -> Mapping[str, int]:
        """Count, by number, the texts of a purpose sent since a time and since the number's last reply or click."""
        ...

    def adopt(self, account_id: str, msisdn: str, contact_id: str, limit: int) -> Sequence[MessageRow]:
        """Give the latest texts to and from a number that are no contact's to this one; as they are then, oldest first.

        At most `limit`; older ones stay as they are.
        """
        ...

    def of_contact(self, account_id: str, contact_id: str, limit: int) -> Sequence[MessageRow]:
        """Read a contact's latest messages, newest first."""
        ...

    def of_enrollment(self, enrollment_id: str) -> Sequence[MessageRow]:
        """Read an enrollment's outbound messages, oldest first."""
        ...

    def find(self, account_id: str | None, text: str) -> MessageRow | None:
        """Read a message by our id or the gateway's."""
        ...

    def counts(self, account_id: str | None = None) -> Mapping[str, int]:
        """Count messages by state."""
        ...

    def listed(self, account_id: str, which: MessageFilter, limit: int) -> Sequence[MessageRow]:
        """Read an account's outbound messages, newest first."""
        ...

    def conversation(
        self, account_id: str, msisdn: str, limit: int, before_id: str | None = None
    ) -> Sequence[MessageRow]:
        """Read what went to and came from a number, newest first."""
        ...

    def dead_letters(self, which: DeadLetterFilter, limit: int) -> Sequence[MessageRow]:
        """Read texts that wait for a person's decision, oldest first."""
        ...

    def last_senders(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, str]:
        """Give, by number, the sender of the last text that may have reached it; absent when none has."""
        ...
