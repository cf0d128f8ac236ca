"""By what are messages and attempts found in memory?"""

from __future__ import annotations

from datetime import datetime

from connector.adapters.memory.shelves import Due, Group, Journal, Leased, Shelf, Turn, turn
from connector.domain.message import Direction, MessageState
from connector.ports.attempts import AttemptRow
from connector.ports.messages import MessageRow

HELD, PAST, ABANDONED, ASK, REDACT = "held", "past", "abandoned", "ask", "redact"
"""Lanes: held texts by their time, held and queued ones by their life's end, claimed ones by their lease."""

Message = Leased[MessageRow]


def _opens(message: Message) -> Turn | None:
    row = message.row
    if row.state is MessageState.QUEUED:
        return turn((row.gateway, row.purpose.value), row.not_before)
    if row.state is MessageState.HELD:
        return turn(HELD, row.not_before)
    return turn(ABANDONED, message.lease_until) if row.state is MessageState.DISPATCHING else None


def _expires(message: Message) -> Turn | None:
    is_waiting = message.row.state in {MessageState.HELD, MessageState.QUEUED}
    return turn(PAST, message.row.expires_at) if is_waiting else None


class MessageShelf(Shelf[Message]):
    """Messages by id; queued ones also by (gateway, purpose), the lane of their turn."""

    def __init__(self, journal: Journal) -> None:
        self.open: Due[Message] = Due(_opens)
        self.expiring: Due[Message] = Due(_expires)
        self.by_key: Group[Message] = Group(lambda each: (each.row.account_id, each.row.idempotency_key))
        self.by_number: Group[Message] = Group(lambda each: each.row.msisdn)
        self.by_contact: Group[Message] = Group(lambda each: (each.row.account_id, each.row.contact_id))
        self.by_enrollment: Group[Message] = Group(lambda each: each.row.enrollment_id)
        super().__init__(
            journal, self.open, self.expiring, self.by_key, self.by_number, self.by_contact, self.by_enrollment
        )

    def to(self, msisdn: str, account_id: str | None = None) -> list[MessageRow]:
        """Give the texts to a number, in the order they were made."""
        return [row for row in self.with_number(msisdn, account_id) if row.direction is Direction.OUT]

    def with_number(self, msisdn: str, account_id: str | None = None) -> list[MessageRow]:
        """Give the texts to and from a number, in the order they were made."""
        rows = [message.row for message in self.of(self.by_number.of(msisdn))]
        return [row for row in rows if account_id in {None, row.account_id}]


class AttemptShelf(Shelf[AttemptRow]):
    """Attempts by id."""

    def __init__(self, journal: Journal) -> None:
        self.to_ask: Due[AttemptRow] = Due(lambda row: turn(ASK, row.ask_at))
        self.to_redact: Due[AttemptRow] = Due(lambda row: turn(REDACT, row.redact_at))
        self.by_message: Group[AttemptRow] = Group(lambda row: row.message_id)
        self.by_provider_id: Group[AttemptRow] = Group(lambda row: row.provider_message_id)
        super().__init__(journal, self.to_ask, self.to_redact, self.by_message, self.by_provider_id)


def left_at(row: MessageRow) -> datetime:
    """Say when a text may have left: when a gateway took it, else when it last moved."""
    return row.sent_at or row.updated_at or row.created_at
