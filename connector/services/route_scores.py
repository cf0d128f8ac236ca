"""How well do gateways deliver, as far as the ledger's tallies tell?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from connector.domain.message import ErrorClass, MessageState
from connector.domain.scoring import LONGEST_DELIVERY, LOOK_BACK, Fallen, Scores, Tally, fallen, score
from connector.ports.attempts import AttemptRow
from connector.ports.ledger import Ledger
from connector.ports.time import Clock

_FRESH_FOR = timedelta(seconds=10)  # reading a day of minutes takes a fraction of a second; scores move in minutes

_OLD_AFTER = timedelta(minutes=1)  # as long as a choice made by them holds

_NOT_THE_WAY = frozenset({ErrorClass.PERMANENT_NUMBER, ErrorClass.PERMANENT_CONTENT, ErrorClass.OPTED_OUT})
"""Ends that say nothing about the way a text went: another gateway would not have brought it either."""

_BAD_ENDS = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.EXPIRED})


class Scoring(Protocol):
    """Whoever can say how well gateways deliver."""

    def refresh(self) -> None:
        """Read anew what has grown old; for those who are about to ask within a transaction."""
        ...

    def scores(self) -> Scores:
        """Give how well every way delivers."""
        ...

    def fallen(self) -> Sequence[Fallen]:
        """Give the countries and carriers for which a gateway delivers much less than it did."""
        ...


class NoScores:
    """Knows nothing, so that prices and the order of a route decide: for rehearsals, whose texts go nowhere."""

    def __init__(self) -> None:
        self._scores = Scores({})

    def refresh(self) -> None:
        """Read nothing."""

    def scores(self) -> Scores:
        """Give what is thought of gateways nobody knows."""
        return self._scores

    def fallen(self) -> Sequence[Fallen]:
        """Give nothing."""
        return ()


class ScoreBoard:
    """Gives scores, read anew every ten seconds by those who refresh them. For one thread.

    Args of the constructor:
        unreported: gateways that never tell what became of a text.
    """

    def __init__(self, ledger: Ledger, clock: Clock, unreported: frozenset[str] = frozenset()) -> None:
        self._ledger, self._clock, self._unreported = ledger, clock, unreported
        self._scores: Scores | None = None
        self._read_at: datetime | None = None

    def refresh(self) -> None:
        """Read the tallies anew when it is time."""
        self._read(_FRESH_FOR)

    def scores(self) -> Scores:
        """Give how well every way delivers.

        Mostly asked within a transaction, whose locks would wait for the reading: only what nobody has refreshed for
        a minute is read here.
        """
        return self._read(_OLD_AFTER)

    def _read(self, good_for: timedelta) -> Scores:
        now = self._clock.now()
        if self._scores is None or self._read_at is None or not timedelta() <= now - self._read_at < good_for:
            self._scores, self._read_at = score(self._tallies(now), now, self._unreported), now
        return self._scores

    def fallen(self) -> Sequence[Fallen]:
        """Give the countries and carriers for which a gateway delivers much less than it did."""
        now = self._clock.now()
        return fallen(self._tallies(now), now, self._unreported)

    def _tallies(self, now: datetime) -> Sequence[Tally]:
        with self._ledger.begin(write=False) as uow:
            return uow.traffic.tallies(now - LOOK_BACK)


def tally_of_send(attempt: AttemptRow, country: str | None, seconds: float) -> Tally:
    """Count a text that a gateway took within so many seconds."""
    return _tally(attempt, country, sent=1, answer_seconds=seconds)


def tally_of_failure(attempt: AttemptRow, country: str | None) -> Tally:
    """Count a request that came to nothing through the gateway's fault."""
    return _tally(attempt, country, failed=1)


def tally_of_receipt(before: AttemptRow, after: AttemptRow, country: str | None, now: datetime) -> Tally | None:
    """Count what a receipt changed about an attempt; None when it changed no end.

    It counts for the way under which the text was counted when it went, whatever the receipt tells beside.
    """
    if after.state is before.state:
        return None
    after = replace(after, carrier=before.carrier, sender=before.sender)
    was_bad = before.state in _BAD_ENDS and before.settled_at is not None
    undo = _as_end(before, country) if was_bad else None
    new: Tally | None = None
    if after.state is MessageState.DELIVERED:
        seconds = max(min(now - after.requested_at, LONGEST_DELIVERY).total_seconds(), 0.0)
        new = _tally(after, country, delivered=1, delivery_seconds=seconds)
    elif after.state in _BAD_ENDS:
        new = _as_end(after, country)
    if undo is None or new is None:
        return new
    return _tally(
        after,
        country,
        sent=new.sent - undo.sent,
        delivered=new.delivered,
        undelivered=new.undelivered - undo.undelivered,
        delivery_seconds=new.delivery_seconds,
    )


def _as_end(attempt: AttemptRow, country: str | None) -> Tally:
    """Count a bad end: against the way, or, where the number or the text was at fault, as if it had not gone."""
    if attempt.error_class in _NOT_THE_WAY:
        return _tally(attempt, country, sent=-1)
    return _tally(attempt, country, undelivered=1)


def _tally(attempt: AttemptRow, country: str | None, **counts: float) -> Tally:
    slot = attempt.requested_at.replace(second=0, microsecond=0)
    return Tally(attempt.gateway, country or "", attempt.sender or "", attempt.carrier, slot, **counts)  # type: ignore[arg-type] # counts by name
