"""Which messages in memory does somebody ask to see: a list, a conversation, the dead letters?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from connector.adapters.memory import message_traffic
from connector.adapters.memory.message_shelf import AttemptShelf
from connector.domain.message import Direction, MessageState
from connector.ports.message_filters import DeadLetterFilter, MessageFilter
from connector.ports.messages import MessageRow

_UNTOLD = "unknown"  # as in the database: what a filter calls the texts nobody can tell the fate of


def listed(rows: Iterable[MessageRow], account_id: str, which: MessageFilter, limit: int) -> Sequence[MessageRow]:
    """Give an account's outbound messages, newest first."""
    found = {row.id: row for row in rows if row.account_id == account_id}
    if which.before_id is not None:
        last = found.get(which.before_id)
        found = {} if last is None else {row.id: row for row in found.values() if _order(row) < _order(last)}
    meant = [row for row in found.values() if row.direction is Direction.OUT and _is_meant(row, which)]
    return sorted(meant, key=_order, reverse=True)[:limit]


def conversation(rows: Iterable[MessageRow], limit: int, before_id: str | None) -> Sequence[MessageRow]:
    """Give the latest of the texts to and from a number, newest first."""
    return _newest((row for row in rows if before_id is None or row.id < before_id), limit)


def dead_letters(
    rows: Iterable[MessageRow], attempts: AttemptShelf, which: DeadLetterFilter, limit: int
) -> Sequence[MessageRow]:
    """Give texts that wait for a person's decision, oldest first."""
    found = [
        row
        for row in rows
        if row.state is MessageState.DEAD_LETTER
        and which.account_id in {None, row.account_id}
        and (which.since is None or (row.updated_at or row.created_at) >= which.since)
        and (which.alive_at is None or row.expires_at is None or row.expires_at > which.alive_at)
        and _last_attempt_is_meant(row, attempts, which)
    ]
    return sorted(found, key=lambda row: row.id)[:limit]


def last_senders(texts: Iterable[MessageRow]) -> Mapping[str, str]:
    """Give, by number, the sender of the last text that may have reached it."""
    found: dict[str, str] = {}
    for row in sorted(texts, key=lambda row: row.id):
        if row.sender is not None and row.state in message_traffic.MAY_HAVE_LEFT:
            found[row.msisdn] = row.sender
    return found


def _newest(rows: Iterable[MessageRow], limit: int) -> Sequence[MessageRow]:
    return sorted(rows, key=lambda row: row.id, reverse=True)[:limit]


def _order(row: MessageRow) -> tuple[datetime, str]:
    return row.created_at, row.id


def _is_meant(row: MessageRow, which: MessageFilter) -> bool:
    return (
        which.state in {None, row.state}
        and which.msisdn in {None, row.msisdn}
        and which.journey in {None, row.journey}
        and (which.since is None or row.created_at >= which.since)
    )


def _last_attempt_is_meant(row: MessageRow, attempts: AttemptShelf, which: DeadLetterFilter) -> bool:
    if which.gateway is None and which.error_code is None:
        return True
    tries = attempts.of(sorted(attempts.by_message.of(row.id)))
    if not tries:
        return False
    last = tries[-1]
    untold = which.error_code == _UNTOLD and not last.error_code and last.state is MessageState.UNKNOWN
    return which.gateway in {None, last.gateway} and (which.error_code in {None, last.error_code} or untold)
