"""What went to a number, what wants to go to it, and when did somebody last answer from it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, bindparam, case, func, or_, select

from connector.adapters.store.tables import message
from connector.domain.message import Direction, MessageState, Purpose
from connector.ports.messages import Rival

MAY_HAVE_LEFT = ("dispatching", "unknown", "accepted", "sent", "delivered", "undelivered")
"""States of texts that may have reached a phone: they count against caps, and replies may answer them."""


def sent_times(
    connection: Connection, account_id: str, msisdns: Sequence[str], since: datetime
) -> Mapping[str, Sequence[tuple[datetime, Purpose, str]]]:
    """Give (time, purpose, journey) of the texts to each number that count against caps."""
    names = {"account": account_id, "msisdns": list(msisdns), "since": since}
    times: dict[str, list[tuple[datetime, Purpose, str]]] = {}
    for msisdn, sent_at, purpose, journey in connection.execute(_SENT_TIMES, names):
        times.setdefault(msisdn, []).append((sent_at, Purpose(purpose), journey))
    return times


def rivals(
    connection: Connection, account_id: str, msisdns: Sequence[str], before: datetime
) -> Mapping[str, Sequence[Rival]]:
    """Give, by number, the held and queued texts that may want to go before a time, in the order they were made."""
    columns = ("id", "msisdn", "priority", "purpose", "journey", "not_before")
    query = (
        select(*(message.c[name] for name in columns))
        .where(*_to(account_id, msisdns), message.c.not_before < before)
        .where(message.c.state.in_([MessageState.HELD.value, MessageState.QUEUED.value]))
        .order_by(message.c.id)
    )
    found: dict[str, list[Rival]] = {}
    for id_, msisdn, priority, purpose, journey, not_before in connection.execute(query):
        found.setdefault(msisdn, []).append(Rival(id_, priority, Purpose(purpose), journey, not_before))
    return found


def unanswered(
    connection: Connection, account_id: str, msisdns: Sequence[str], purpose: Purpose, since: datetime
) -> Mapping[str, int]:
    """Count, by number, the texts of a purpose sent since a time and since the number's last reply or click."""
    answers = _last_answers(account_id, msisdns)
    query = (
        select(message.c.msisdn, func.count().label("number"))
        .outerjoin_from(message, answers, answers.c.msisdn == message.c.msisdn)
        .where(*_to(account_id, msisdns), message.c.purpose == purpose.value, _left_at() >= since)
        .where(message.c.state.in_(MAY_HAVE_LEFT))
        .where(or_(answers.c.at.is_(None), _left_at() > answers.c.at))
        .group_by(message.c.msisdn)
    )
    return {row.msisdn: row.number for row in connection.execute(query)}


def _last_answers(account_id: str, msisdns: Sequence[str]) -> Subquery:
    """Say when each number last wrote, to whichever of our numbers, or followed a link."""
    came_in = message.c.direction == Direction.IN.value
    at = func.max(case((came_in, message.c.created_at), else_=message.c.clicked_at))
    theirs = (message.c.account_id == account_id, message.c.msisdn.in_(msisdns))
    return select(message.c.msisdn, at.label("at")).where(*theirs).group_by(message.c.msisdn).subquery()


def _to(account_id: Any, msisdns: Any) -> tuple[ColumnElement[bool], ...]:
    return (
        message.c.account_id == account_id,
        message.c.msisdn.in_(msisdns),
        message.c.direction == Direction.OUT.value,
    )


def _left_at() -> ColumnElement[Any]:
    return func.coalesce(message.c.sent_at, message.c.updated_at, type_=message.c.sent_at.type)


_SENT_TIMES = (  # once: building a statement costs several times what running it does
    select(message.c.msisdn, _left_at().label("at"), message.c.purpose, message.c.journey)
    .where(*_to(bindparam("account"), bindparam("msisdns", expanding=True)))
    .where(_left_at() >= bindparam("since", type_=message.c.sent_at.type))
    .where(message.c.state.in_(MAY_HAVE_LEFT))
)
