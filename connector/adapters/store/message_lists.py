"""Which messages does somebody ask to see: a list, a conversation, the dead letters?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, literal_column, or_, select, tuple_

from connector.adapters.store.message_traffic import MAY_HAVE_LEFT
from connector.adapters.store.rows import checked
from connector.adapters.store.tables import attempt, message
from connector.domain.message import Direction, MessageState
from connector.ports.message_filters import DeadLetterFilter, MessageFilter

UNTOLD = "unknown"
"""What a filter calls the texts nobody can tell the fate of: their last attempt has no error of the gateway's."""


def listed(account_id: str, which: MessageFilter, limit: int) -> Select[Any]:
    """Select an account's outbound messages, newest first."""
    query = select(message).where(
        message.c.account_id == account_id, message.c.direction == Direction.OUT.value, *_conditions(account_id, which)
    )
    return query.order_by(message.c.created_at.desc(), message.c.id.desc()).limit(limit)


def _conditions(account_id: str, which: MessageFilter) -> list[Any]:
    wanted: list[Any] = []
    if which.state is not None:
        wanted.append(message.c.state == which.state.value)
    if which.msisdn is not None:
        wanted.append(message.c.msisdn == which.msisdn)
    if which.since is not None:
        wanted.append(message.c.created_at >= which.since)
    if which.before_id is not None:
        of_account = message.c.account_id == account_id
        made_at = select(message.c.created_at).where(of_account, message.c.id == which.before_id).scalar_subquery()
        wanted.append(tuple_(message.c.created_at, message.c.id) < tuple_(made_at, which.before_id))
    if which.journey is not None:
        wanted.append(message.c.journey == which.journey)
    return wanted


def conversation(account_id: str, msisdn: str, limit: int, before_id: str | None) -> Select[Any]:
    """Select what went to and came from a number, newest first."""
    query = select(message).where(message.c.account_id == account_id, message.c.msisdn == msisdn)
    if before_id is not None:
        query = query.where(message.c.id < before_id)
    return query.order_by(message.c.id.desc()).limit(limit)


def dead_letters(which: DeadLetterFilter, limit: int) -> Select[Any]:
    """Select texts that wait for a person's decision, oldest first."""
    query = select(message).where(message.c.state == literal_column(f"'{MessageState.DEAD_LETTER}'"))
    if which.account_id is not None:
        query = query.where(checked(message.c.account_id) == which.account_id)
    if which.since is not None:
        query = query.where(message.c.updated_at >= which.since)
    if which.alive_at is not None:
        query = query.where(or_(message.c.expires_at.is_(None), message.c.expires_at > which.alive_at))
    if which.gateway is not None:
        query = query.where(_last_attempt(attempt.c.gateway == which.gateway))
    if which.error_code is not None:
        told = attempt.c.error_code == which.error_code
        if which.error_code == UNTOLD:
            told = or_(told, and_(attempt.c.error_code == "", attempt.c.state == MessageState.UNKNOWN.value))
        query = query.where(_last_attempt(told))
    return query.order_by(message.c.id).limit(limit)


def _last_attempt(condition: Any) -> Any:
    """Demand something of a message's last attempt; ids rise with time."""
    later = attempt.alias("later")
    tries = select(func.max(later.c.id)).where(later.c.message_id == message.c.id)
    latest = tries.correlate(message).scalar_subquery()
    return select(attempt.c.id).where(attempt.c.id == latest, condition).exists()


def last_senders(connection: Connection, account_id: str, msisdns: Sequence[str]) -> Mapping[str, str]:
    """Give, by number, the sender of the last text that may have reached it."""
    names = {"account": account_id, "msisdns": list(msisdns)}
    return {row.msisdn: row.sender for row in connection.execute(_LAST_SENDERS, names)}


def _last_senders() -> Select[Any]:
    last = (
        select(message.c.msisdn, func.max(message.c.id).label("id"))
        .where(message.c.account_id == bindparam("account"))
        .where(message.c.msisdn.in_(bindparam("msisdns", expanding=True)))
        .where(message.c.direction == Direction.OUT.value, message.c.sender.is_not(None))
        .where(message.c.state.in_(MAY_HAVE_LEFT))
        .group_by(message.c.msisdn)
        .subquery()
    )
    return select(message.c.msisdn, message.c.sender).join(last, last.c.id == message.c.id)


_LAST_SENDERS = _last_senders()  # once: building a statement costs several times what running it does
