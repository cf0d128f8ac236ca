"""How are messages kept, claimed and moved?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from connector.adapters.secrets import Vault
from connector.adapters.store import message_lists, message_traffic
from connector.adapters.store.message_moves import move_together
from connector.adapters.store.message_rows import messages_from_rows, values_of
from connector.adapters.store.opening import key_is_here
from connector.adapters.store.rows import checked, insert_new, locked
from connector.adapters.store.tables import OPEN_MESSAGE, attempt, message
from connector.domain.message import OPEN_STATES, Direction, MessageState, Purpose
from connector.ports.message_filters import DeadLetterFilter, MessageFilter
from connector.ports.messages import MessageRow, Rival, Standing, StateChange

_CONVERSATION_DEPTH = 50  # latest texts to one number looked through for each account's last one


class SQLMessageRepository:
    """Messages; bodies are sealed. See `connector.ports.messages.MessageRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, row: MessageRow) -> bool:
        """Insert; False when the account already has this idempotency key."""
        return insert_new(self._connection, message, [values_of(row, self._vault)]) == 1

    def get(self, account_id: str, message_id: str) -> MessageRow | None:
        """Read one of an account's messages."""
        return self._first(select(message).where(message.c.id == message_id, message.c.account_id == account_id))

    def by_key(self, account_id: str, idempotency_key: str) -> MessageRow | None:
        """Read the message an account has under an idempotency key."""
        query = select(message).where(message.c.account_id == account_id)
        return self._first(query.where(message.c.idempotency_key == idempotency_key))

    def many(self, message_ids: Sequence[str], *, lock: bool = False) -> Mapping[str, MessageRow]:
        """Read messages by id; `lock` holds them until commit where the database can."""
        query = select(message).where(message.c.id.in_(message_ids)).order_by(message.c.id)
        return {row.id: row for row in self._read(locked(self._connection, query, skip=False) if lock else query)}

    def standing(self, message_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Read, and lock until commit, how far messages have come."""
        query = locked(self._connection, _STANDING, skip=False)
        rows = self._connection.execute(query, {"ids": list(message_ids)})
        return {id_: Standing(MessageState(state), tries, sent_at) for id_, state, tries, sent_at in rows}

    def queued(self, gateway: str, purpose: str, limit: int, now: datetime) -> Sequence[MessageRow]:
        """Read, and lock until commit, a lane's queued messages whose time has come, oldest due first."""
        query = locked(self._connection, _QUEUED, skip=True)
        names = {"lane_gateway": gateway, "lane_purpose": purpose, "now": now, "most": limit}
        rows = self._connection.execute(query, names | {"beginnings": self._vault.beginnings})
        return messages_from_rows(rows, self._vault)

    def move(self, changes: Sequence[StateChange], now: datetime) -> Sequence[str]:
        """Apply conditional moves; give the ids of the messages that did move."""
        if not changes:
            return []
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
        if not changes:
            return
        moved = move_together(self._connection, changes, now)
        if moved != len(changes):
            raise RuntimeError(f"{moved} of {len(changes)} messages were in the state they were read in")

    def due(self, now: datetime, limit: int) -> Sequence[MessageRow]:
        """Read held messages whose time has come, and held or queued ones past their expiry."""
        held = _open(MessageState.HELD) & (message.c.not_before <= now)
        past = _open(MessageState.HELD, MessageState.QUEUED) & (message.c.expires_at <= now)
        query = select(message).where(_open(*OPEN_STATES), or_(held, past), _MAY_BE_TOLD_OF)
        return self._to_be_moved(query.order_by(message.c.id).limit(limit))

    def abandoned(self, now: datetime, limit: int) -> Sequence[MessageRow]:
        """Read claimed messages whose lease ran out: their worker died."""
        query = (
            select(message)
            .where(_open(MessageState.DISPATCHING), message.c.lease_until <= now, _MAY_BE_TOLD_OF)
            .order_by(message.c.id)
            .limit(limit)
        )
        return self._to_be_moved(query)

    def waiting_lanes(self, now: datetime) -> Sequence[tuple[str, str]]:
        """Give (gateway, purpose) of every lane with a queued message whose time has come."""
        query = (
            select(message.c.gateway, message.c.purpose)
            .where(_open(MessageState.QUEUED), message.c.not_before <= now)
            .distinct()
        )
        return [(gateway, purpose) for gateway, purpose in self._connection.execute(query)]

    def open_to(self, account_id: str, msisdn: str) -> Sequence[MessageRow]:
        """Read, and lock until commit, held and queued messages to a number, but for those another worker holds.

        A claim holds what is passed over, and waits for the number's lock: it will see why this was asked.
        """
        query = (
            select(message)
            .where(message.c.account_id == account_id, message.c.msisdn == msisdn)
            .where(message.c.state.in_(["held", "queued"]), message.c.direction == Direction.OUT.value)
            .order_by(message.c.id)
        )
        return self._read(locked(self._connection, query, skip=True), without_keys=True)

    def open_of(self, account_id: str, limit: int, contact_id: str | None = None) -> Sequence[MessageRow]:
        """Read, and lock until commit, held and queued texts of an account, but for those another worker holds."""
        is_open = _open(MessageState.HELD, MessageState.QUEUED)
        query = select(message).where(is_open, checked(message.c.account_id) == account_id)
        if contact_id is not None:  # the account once more, as the index on contacts begins with it
            query = query.where(message.c.account_id == account_id, message.c.contact_id == contact_id)
        query = query.order_by(message.c.id).limit(limit)
        return self._read(locked(self._connection, query, skip=True), without_keys=True)

    def sent_times(
        self, account_id: str, msisdns: Sequence[str], since: datetime
    ) -> Mapping[str, Sequence[tuple[datetime, Purpose, str]]]:
        """Give (time, purpose, journey) of the texts to each number that count against caps."""
        return message_traffic.sent_times(self._connection, account_id, msisdns, since)

    def rivals(self, account_id: str, msisdns: Sequence[str], before: datetime) -> Mapping[str, Sequence[Rival]]:
        """Give, by number, the held and queued texts that may want to go before a time."""
        return message_traffic.rivals(self._connection, account_id, msisdns, before)

    def unanswered(
        self, account_id: str, msisdns: Sequence[str], purpose: Purpose, since: datetime
    ) -> Mapping[str, int]:
        """Count, by number, the texts of a purpose sent since a time and since the number's last reply or click."""
        return message_traffic.unanswered(self._connection, account_id, msisdns, purpose, since)

    def last_sent_to(self, msisdn: str, sender: str | None) -> Sequence[MessageRow]:
        """Give, for every account, its last text that may have reached a number, latest first."""
        left = or_(message.c.sent_at.is_not(None), message.c.state.in_(message_traffic.MAY_HAVE_LEFT))
        query = (
            select(message)
            .where(message.c.msisdn == msisdn, message.c.direction == Direction.OUT.value, left)
            .order_by(func.coalesce(message.c.sent_at, message.c.updated_at).desc(), message.c.id.desc())
            .limit(_CONVERSATION_DEPTH)
        )
        if sender is not None:
            query = query.where(or_(message.c.sender == sender, message.c.sender.is_(None)))
        last: dict[str, MessageRow] = {}
        for row in self._read(query, without_keys=True):
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
        values = {
            name: func.coalesce(message.c[name], literal(at, message.c[name].type))
            for name, at in noted.items()
            if at is not None
        }
        if values:
            self._connection.execute(update(message).where(message.c.id == message_id).values(**values))

    def adopt(self, account_id: str, msisdn: str, contact_id: str, limit: int) -> Sequence[MessageRow]:
        """Give the latest texts of a number that are no contact's to this one; as they are then, oldest first."""
        nobodys = select(message.c.id).where(
            message.c.account_id == account_id, message.c.msisdn == msisdn, message.c.contact_id.is_(None)
        )
        latest = locked(self._connection, nobodys.order_by(message.c.id.desc()).limit(limit), skip=False)
        ids = list(self._connection.execute(latest).scalars())
        self._connection.execute(update(message).where(message.c.id.in_(ids)).values(contact_id=contact_id))
        return list(self.many(ids).values())

    def of_contact(self, account_id: str, contact_id: str, limit: int) -> Sequence[MessageRow]:
        """Read a contact's latest messages, newest first."""
        query = select(message).where(message.c.account_id == account_id, message.c.contact_id == contact_id)
        latest = query.order_by(message.c.created_at.desc(), message.c.id.desc()).limit(limit)
        return self._read(latest, without_keys=True)

    def of_enrollment(self, enrollment_id: str) -> Sequence[MessageRow]:
        """Read an enrollment's outbound messages, oldest first."""
        query = select(message).where(message.c.enrollment_id == enrollment_id)
        return self._read(query.where(message.c.direction == Direction.OUT.value).order_by(message.c.id))

    def find(self, account_id: str | None, text: str) -> MessageRow | None:
        """Read a message by our id or the gateway's."""
        by_provider = select(attempt.c.message_id).where(attempt.c.provider_message_id == text)
        query = select(message).where(or_(message.c.id == text, message.c.id.in_(by_provider)))
        return self._first(query if account_id is None else query.where(message.c.account_id == account_id))

    def counts(self, account_id: str | None = None) -> Mapping[str, int]:
        """Count messages by state."""
        query = select(message.c.state, func.count().label("number")).group_by(message.c.state)
        if account_id is not None:
            query = query.where(message.c.account_id == account_id)
        return {row.state: row.number for row in self._connection.execute(query)}

    def listed(self, account_id: str, which: MessageFilter, limit: int) -> Sequence[MessageRow]:
        """Read an account's outbound messages, newest first."""
        return self._read(message_lists.listed(account_id, which, limit))

    def conversation(
        self, account_id: str, msisdn: str, limit: int, before_id: str | None = None
    ) -> Sequence[MessageRow]:
        """Read what went to and came from a number, newest first."""
        return self._read(message_lists.conversation(account_id, msisdn, limit, before_id), without_keys=True)

    def dead_letters(self, which: DeadLetterFilter, limit: int) -> Sequence[MessageRow]:
        """Read texts that wait for a person's decision, oldest first."""
        return self._read(message_lists.dead_letters(which, limit))

    def last_senders(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, str]:
        """Give, by number, the sender of the last text that may have reached it."""
        return message_lists.last_senders(self._connection, account_id, msisdns)

    def _read(self, query: Select[Any], *, without_keys: bool = False) -> Sequence[MessageRow]:
        return messages_from_rows(self._connection.execute(query), self._vault, without_keys=without_keys)

    def _to_be_moved(self, query: Select[Any]) -> Sequence[MessageRow]:
        """Lock and read what moves whatever it says; whoever ordered it is told only by who can read where."""
        query = locked(self._connection, query, skip=True)
        rows = self._connection.execute(query, {"beginnings": self._vault.beginnings})
        return messages_from_rows(rows, self._vault, without_keys=True)

    def _first(self, query: Select[Any]) -> MessageRow | None:
        rows = self._read(query.limit(1))
        return rows[0] if rows else None


def _open(*states: MessageState) -> ColumnElement[bool]:
    """Be in one of these states; names the partial index's condition too, by its words: a bound value hides it."""
    return and_(OPEN_MESSAGE, message.c.state.in_([literal_column(f"'{state}'") for state in sorted(states)]))


_MAY_BE_TOLD_OF = or_(message.c.callback_url_sealed.is_(None), key_is_here(message.c.callback_url_sealed))

# Built once: building a statement costs several times what running it does.
_QUEUED = (
    select(message)
    .where(_open(MessageState.QUEUED), message.c.gateway == bindparam("lane_gateway"))
    .where(message.c.purpose == bindparam("lane_purpose"), message.c.not_before <= bindparam("now"))
    .where(key_is_here(message.c.body_sealed), _MAY_BE_TOLD_OF)
    .order_by(message.c.not_before, message.c.id)
    .limit(bindparam("most"))
)
_STANDING = (
    select(message.c.id, message.c.state, message.c.tries, message.c.sent_at)
    .where(message.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(message.c.id)
)
