"""How are messages kept in memory, claimed and moved?"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connector.adapters.memory import message_lists, message_traffic
from connector.adapters.memory.message_shelf import (
    ABANDONED,
    HELD,
    PAST,
    AttemptShelf,
    Message,
    MessageShelf,
    left_at,
)
from connector.adapters.memory.shelves import Leased
from connector.domain.message import Direction, MessageState, Purpose
from connector.ports.message_filters import DeadLetterFilter, MessageFilter
from connector.ports.messages import MessageRow, Rival, Standing, StateChange

_CONVERSATION_DEPTH = 50  # as in the database: latest texts to one number looked through for each account's last one
_OPTIONAL = (
    "not_before", "sent_at", "sender", "provider_message_id", "cost", "currency", "gateway", "routed_at", "expires_at",
)  # fmt: skip
_ALL = sys.maxsize


class MemoryMessageRepository:
    """Messages; see `connector.ports.messages.MessageRepository`. Nobody else works here, so nothing is locked."""

    def __init__(self, shelf: MessageShelf, attempts: AttemptShelf) -> None:
        self._shelf, self._attempts = shelf, attempts

    def add(self, message: MessageRow) -> bool:
        """Insert; False when the account already has this idempotency key."""
        if self._shelf.by_key.of((message.account_id, message.idempotency_key)):
            return False
        row = message if message.updated_at is not None else replace(message, updated_at=message.created_at)
        self._shelf.put(row.id, Leased(row))
        return True

    def get(self, account_id: str, message_id: str) -> MessageRow | None:
        """Read one of an account's messages."""
        message = self._shelf.rows.get(message_id)
        return message.row if message is not None and message.row.account_id == account_id else None

    def by_key(self, account_id: str, idempotency_key: str) -> MessageRow | None:
        """Read the message an account has under an idempotency key."""
        found = self._rows(self._shelf.by_key.of((account_id, idempotency_key)))
        return found[0] if found else None

    def many(self, message_ids: Sequence[str], *, lock: bool = False) -> Mapping[str, MessageRow]:  # noqa: ARG002 - one writer
        """Read messages by id."""
        return {row.id: row for row in self._rows(sorted(message_ids))}

    def standing(self, message_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Read how far messages have come."""
        return {row.id: Standing(row.state, row.tries, row.sent_at) for row in self._rows(message_ids)}

    def queued(self, gateway: str, purpose: str, limit: int, now: datetime) -> Sequence[MessageRow]:
        """Read a lane's queued messages whose time has come, oldest due first."""
        return self._rows(self._shelf.open.first((gateway, purpose), now, limit))

    def move(self, changes: Sequence[StateChange], now: datetime) -> Sequence[str]:
        """Apply conditional moves; give the ids of the messages that did move."""
        standing = self.standing([change.message_id for change in changes])
        applied = [
            change
            for change in changes
            if change.message_id in standing and standing[change.message_id].state is change.from_state
        ]
        self.move_all(applied, now)
        return [change.message_id for change in applied]

    def move_all(self, changes: Sequence[StateChange], now: datetime) -> None:
        """Apply moves from states that this very transaction has read with `queued` or `standing`."""
        moved = 0
        for change in changes:
            message = self._shelf.rows.get(change.message_id)
            if message is not None and message.row.state is change.from_state:
                self._shelf.put(change.message_id, _moved(message, change, now))
                moved += 1
        if moved != len(changes):
            raise RuntimeError(f"{moved} of {len(changes)} messages were in the state they were read in")

    def due(self, now: datetime, limit: int) -> Sequence[MessageRow]:
        """Read held messages whose time has come, and held or queued ones past their expiry."""
        due = {*self._shelf.open.first(HELD, now, _ALL), *self._shelf.expiring.first(PAST, now, _ALL)}
        return self._rows(sorted(due)[:limit])

    def abandoned(self, now: datetime, limit: int) -> Sequence[MessageRow]:
        """Read claimed messages whose lease ran out."""
        return self._rows(sorted(self._shelf.open.first(ABANDONED, now, _ALL))[:limit])

    def waiting_lanes(self, now: datetime) -> Sequence[tuple[str, str]]:
        """Give (gateway, purpose) of every lane with a queued message whose time has come."""
        opens = self._shelf.open
        lanes = [lane for lane in opens.lanes() if isinstance(lane, tuple)]
        return sorted(lane for lane in lanes if (head := opens.next(lane)) is not None and head[0] <= now)

    def open_to(self, account_id: str, msisdn: str) -> Sequence[MessageRow]:
        """Read held and queued messages to a number."""
        rows = self._shelf.to(msisdn, account_id)
        return sorted((row for row in rows if row.state in message_traffic.WAITING), key=lambda row: row.id)

    def open_of(self, account_id: str, limit: int, contact_id: str | None = None) -> Sequence[MessageRow]:
        """Read held and queued texts of an account, or of one contact of it."""
        waiting = {MessageState.HELD, MessageState.QUEUED}
        texts = [row for row in self._all() if row.state in waiting and row.account_id == account_id]
        theirs = (row for row in texts if contact_id in {None, row.contact_id})
        return sorted(theirs, key=lambda row: row.id)[:limit]

    def sent_times(
        self, account_id: str, msisdns: Sequence[str], since: datetime
    ) -> Mapping[str, Sequence[tuple[datetime, Purpose, str]]]:
        """Give (time, purpose, journey) of the texts to each number that count against caps."""
        return message_traffic.sent_times(self._shelf, account_id, msisdns, since)

    def rivals(self, account_id: str, msisdns: Sequence[str], before: datetime) -> Mapping[str, Sequence[Rival]]:
        """Give, by number, the held and queued texts that may want to go before a time."""
        return message_traffic.rivals(self._shelf, account_id, msisdns, before)

    def unanswered(
        self, account_id: str, msisdns: Sequence[str], purpose: Purpose, since: datetime
    ) -> Mapping[str, int]:
        """Count, by number, the texts of a purpose sent since a time and since the number's last reply or click."""
        return message_traffic.unanswered(self._shelf, account_id, msisdns, purpose, since)

    def last_sent_to(self, msisdn: str, sender: str | None) -> Sequence[MessageRow]:
        """Give, for every account, its last text that may have reached a number, latest first."""
        left = [
            row
            for row in self._shelf.to(msisdn)
            if (row.sent_at is not None or row.state in message_traffic.MAY_HAVE_LEFT)
            and (sender is None or row.sender in {None, sender})
        ]
        left.sort(key=lambda row: (left_at(row), row.id), reverse=True)
        last: dict[str, MessageRow] = {}
        for row in left[:_CONVERSATION_DEPTH]:
            last.setdefault(row.account_id, row)
        return list(last.values())

    def set_engagement(
        self,
        message_id: str,
        *,
        replied_at: datetime | None = None,
        opted_out_at: datetime | None = None,
        clicked_at: datetime | None = None,
    ) -> None:
        """Note the first reply, opt-out or click beside the state; a later one changes nothing."""
        noted = {"replied_at": replied_at, "opted_out_at": opted_out_at, "clicked_at": clicked_at}
        for message in self._shelf.of([message_id]):
            new: dict[str, Any] = {
                name: at for name, at in noted.items() if at is not None and getattr(message.row, name) is None
            }
            if new:
                self._shelf.put(message_id, Leased(replace(message.row, **new), message.lease_until))

    def adopt(self, account_id: str, msisdn: str, contact_id: str, limit: int) -> Sequence[MessageRow]:
        """Give the latest texts of a number that are no contact's to this one; as they are then, oldest first."""
        nobodys = [row for row in self._shelf.with_number(msisdn, account_id) if row.contact_id is None]
        ids = sorted(row.id for row in nobodys)[-limit:]
        for message in self._shelf.of(ids):
            self._shelf.put(message.row.id, Leased(replace(message.row, contact_id=contact_id), message.lease_until))
        return self._rows(ids)

    def of_contact(self, account_id: str, contact_id: str, limit: int) -> Sequence[MessageRow]:
        """Read a contact's latest messages, newest first."""
        rows = self._rows(self._shelf.by_contact.of((account_id, contact_id)))
        return sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)[:limit]

    def of_enrollment(self, enrollment_id: str) -> Sequence[MessageRow]:
        """Read an enrollment's outbound messages, oldest first."""
        rows = self._rows(sorted(self._shelf.by_enrollment.of(enrollment_id)))
        return [row for row in rows if row.direction is Direction.OUT]

    def find(self, account_id: str | None, text: str) -> MessageRow | None:
        """Read a message by our id or the gateway's."""
        attempts = self._attempts.of(self._attempts.by_provider_id.of(text))
        rows = self._rows([text, *(attempt.message_id for attempt in attempts)])
        return next((row for row in rows if account_id in {None, row.account_id}), None)

    def counts(self, account_id: str | None = None) -> Mapping[str, int]:
        """Count messages by state."""
        rows = (message.row for message in self._shelf.rows.values())
        return Counter(row.state.value for row in rows if account_id in {None, row.account_id})

    def listed(self, account_id: str, which: MessageFilter, limit: int) -> Sequence[MessageRow]:
        """Read an account's outbound messages, newest first."""
        return message_lists.listed(self._all(), account_id, which, limit)

    def conversation(
        self, account_id: str, msisdn: str, limit: int, before_id: str | None = None
    ) -> Sequence[MessageRow]:
        """Read what went to and came from a number, newest first."""
        return message_lists.conversation(self._shelf.with_number(msisdn, account_id), limit, before_id)

    def dead_letters(self, which: DeadLetterFilter, limit: int) -> Sequence[MessageRow]:
        """Read texts that wait for a person's decision, oldest first."""
        return message_lists.dead_letters(self._all(), self._attempts, which, limit)

    def last_senders(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, str]:
        """Give, by number, the sender of the last text that may have reached it."""
        texts = (row for msisdn in msisdns for row in self._shelf.to(msisdn, account_id))
        return message_lists.last_senders(texts)

    def _all(self) -> Iterable[MessageRow]:
        return (message.row for message in self._shelf.rows.values())

    def _rows(self, ids: Sequence[str]) -> list[MessageRow]:
        return [message.row for message in self._shelf.of(ids)]


def _moved(message: Message, change: StateChange, now: datetime) -> Message:
    values: dict[str, Any] = {name: value for name in _OPTIONAL if (value := getattr(change, name)) is not None}
    values |= {"state_reason": change.reason, "tries": message.row.tries + change.tried}
    if change.routed_at is not None:
        values["sender"] = change.sender
    if change.restart:
        values |= {"restarted_at": now, "tries_before": message.row.tries}
    if change.to_state is message.row.state:
        # A receipt that adds nothing to the state leaves alone when it was reached and who is at work on it.
        return Leased(replace(message.row, **values), message.lease_until)
    return Leased(replace(message.row, state=change.to_state, updated_at=now, **values), change.lease_until)
