"""What went to a number, what wants to go to it, and when did somebody last answer from it? In memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connector.adapters.memory.message_shelf import MessageShelf, left_at
from connector.domain.message import Direction, MessageState, Purpose
from connector.ports.messages import MessageRow, Rival

MAY_HAVE_LEFT = frozenset(
    {
        MessageState.DISPATCHING,
        MessageState.UNKNOWN,
        MessageState.ACCEPTED,
        MessageState.SENT,
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
    }
)
"""States of texts that may have reached a phone: they count against caps, and replies may answer them."""

WAITING = frozenset({MessageState.HELD, MessageState.QUEUED})


def sent_times(
    shelf: MessageShelf, account_id: str, msisdns: Sequence[str], since: datetime
) -> Mapping[str, Sequence[tuple[datetime, Purpose, str]]]:
    """Give (time, purpose, journey) of the texts to each number that count against caps."""
    times = {
        msisdn: [
            (left_at(row), row.purpose, row.journey)
            for row in shelf.to(msisdn, account_id)
            if row.state in MAY_HAVE_LEFT and left_at(row) >= since
        ]
        for msisdn in msisdns
    }
    return {msisdn: sent for msisdn, sent in times.items() if sent}


def rivals(
    shelf: MessageShelf, account_id: str, msisdns: Sequence[str], before: datetime
) -> Mapping[str, Sequence[Rival]]:
    """Give, by number, the held and queued texts that may want to go before a time, in the order they were made."""
    found = {
        msisdn: [
            Rival(row.id, row.priority, row.purpose, row.journey, row.not_before)
            for row in sorted(shelf.to(msisdn, account_id), key=lambda row: row.id)
            if row.state in WAITING and row.not_before < before
        ]
        for msisdn in msisdns
    }
    return {msisdn: those for msisdn, those in found.items() if those}


def unanswered(
    shelf: MessageShelf, account_id: str, msisdns: Sequence[str], purpose: Purpose, since: datetime
) -> Mapping[str, int]:
    """Count, by number, the texts of a purpose sent since a time and since the number's last reply or click."""
    counts: dict[str, int] = {}
    for msisdn in msisdns:
        rows = shelf.with_number(msisdn, account_id)
        answered = _last_answer(rows)
        counts[msisdn] = sum(
            row.direction is Direction.OUT
            and row.purpose is purpose
            and row.state in MAY_HAVE_LEFT
            and left_at(row) >= since
            and (answered is None or left_at(row) > answered)
            for row in rows
        )
    return {msisdn: count for msisdn, count in counts.items() if count}


def _last_answer(rows: Sequence[MessageRow]) -> datetime | None:
    answers = [row.created_at if row.direction is Direction.IN else row.clicked_at for row in rows]
    return max((at for at in answers if at is not None), default=None)
