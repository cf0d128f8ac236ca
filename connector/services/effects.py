"""How does what journeys want done outside get done: told, passed on, asked?

Two transactions with the delivery between them, as for texts: the claim commits that a delivery may be under way, the
record commits what came of it. A worker that dies in between leaves the row claimed; when the lease has run out it is
delivered again only where the other side knows it by its id.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from connector.domain.permission import Answer, Verdict
from connector.errors import ChannelAmbiguousError, ChannelError, ChannelRefusedError
from connector.ports.channels import Channel, Delivery
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.ledger import Ledger
from connector.ports.time import Clock
from connector.services.effect_outcomes import EffectRecorder, Outcome
from connector.services.effect_permission import EffectDesk

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Longer than the slowest delivery: a conversation with a mail server, 30 seconds, and a name that resolves slowly."""

_CONCURRENCY = 8  # deliveries under way per drain: notifications are few, and staff systems throttle soon
_PER_ACCOUNT = _CONCURRENCY // 2  # of one account, whose slow systems leave the others half of the threads
_BUDGET_SECONDS = 10.0  # a drain hands over then; a slow delivery may hold it for as long as its time-outs allow
_NO_SUCH_CHANNEL = timedelta(minutes=1)  # a file that is to name it is deployed by a person
_FIRST_REST, _LONGEST_REST = timedelta(seconds=5), timedelta(minutes=1)
"""How long a channel that did not answer is left alone, doubled each time: a slow one would take every thread of the
lane for its time-out again and again; after a minute it is asked whether it is back."""


class EffectRunner:
    """Drains the effects lane.

    Args of the constructor:
        channels: by the names journeys use.
        desk: judges what goes to a contact's number.
        callbacks: takes what is for whoever ordered a text; None where nobody can.
    """

    def __init__(
        self,
        ledger: Ledger,
        channels: Mapping[str, Channel],
        desk: EffectDesk,
        recorder: EffectRecorder,
        clock: Clock,
        callbacks: Channel | None = None,
    ) -> None:
        self._ledger, self._channels, self._desk, self._recorder = ledger, channels, desk, recorder
        self._clock, self._callbacks = clock, callbacks
        self._resting: dict[str, _Rest] = {}

    def drain(self) -> bool:
        """Deliver what is due for up to ten seconds; tell whether more is left that could go now.

        Raises:
            Exception: whatever a claim raised; what was under way then is recorded before.
        """
        ends = time.monotonic() + _BUDGET_SECONDS
        in_flight: dict[Future[Any], EffectRow] = {}
        more = True
        failure: Exception | None = None
        with ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="effect") as pool:
            while in_flight or (more and time.monotonic() < ends):
                going: list[EffectRow] = []
                room, busy = _room(in_flight.values())
                if more and room and time.monotonic() < ends:
                    try:
                        going, more = self._claim(room, busy)
                    except Exception as error:  # noqa: BLE001 - raised below, when those in flight are recorded
                        going, more, failure = [], False, error
                    in_flight |= {
                        pool.submit(channel.deliver, _delivery(row)): row
                        for row in going
                        if (channel := self._channel(row)) is not None  # what has no channel was held
                    }
                if not (going and more):  # else another account may have something for the threads that are left
                    self._record_finished(in_flight)
        if failure is not None:
            raise failure
        return more

    def _claim(self, room: int, busy: Collection[str] = ()) -> tuple[list[EffectRow], bool]:
        """Commit to deliver up to `room` rows, none of `busy` accounts; tell whether the lane may hold more.

        What must not be delivered, or not now, is recorded at once.
        """
        now = self._clock.now()
        self._resting = {name: rest for name, rest in self._resting.items() if rest.until + _LONGEST_REST > now}
        going: list[EffectRow] = []
        with self._ledger.begin() as uow:
            rows = uow.effects.claim(room, now, now + LEASE, busy)
            verdicts = self._desk.judge(uow, rows, now)
            for row in rows:
                objection = self._objection(row, verdicts.get(row.id), now)
                if objection is None:
                    going.append(row)
                elif isinstance(objection, _Hold):
                    self._recorder.hold(uow, row, objection.reason, objection.until, now)
                else:
                    self._recorder.record(uow, self._outcome(row, error=objection), now)
            uow.commit()
        return going, len(rows) == room or bool(busy)

    def _objection(self, row: EffectRow, verdict: Verdict | None, now: datetime) -> ChannelError | _Hold | None:
        """Say why a row may not be delivered, or not now; None when it may.

        `verdict` is about the number it goes to; None when it goes to none.
        """
        channel = self._channel(row)
        if row.state is EffectState.SENDING and not (channel is not None and channel.is_repeatable):
            return ChannelAmbiguousError("its worker died with the delivery")
        if not row.is_readable:
            return ChannelRefusedError("what it was to say cannot be opened with the keys of this program")
        if row.expires_at <= now:
            return ChannelRefusedError("its time is over" + (f"; {row.error}" if row.error else ""))
        if verdict is not None and verdict.answer is not Answer.SEND:
            return (
                ChannelRefusedError(verdict.reason) if verdict.until is None else _Hold(verdict.reason, verdict.until)
            )
        return self._away(row, now)

    def _channel(self, row: EffectRow) -> Channel | None:
        return self._callbacks if row.kind is EffectKind.CALLBACK else self._channels.get(row.channel)

    def _away(self, row: EffectRow, now: datetime) -> _Hold | None:
        """Say why nothing can be delivered to a row's channel now; None when it can."""
        if self._channel(row) is None:
            return _Hold(f"there is no channel {row.channel}", now + _NO_SUCH_CHANNEL)
        rest = self._resting.get(_rests_as(row))
        if rest is not None and rest.until > now:
            return _Hold("the channel did not answer a moment ago", rest.until)
        return None

    def _record_finished(self, in_flight: dict[Future[Any], EffectRow]) -> None:
        """Record every delivery that has come to an end; wait for the first one."""
        if not in_flight:
            return
        done, _ = wait(in_flight, return_when=FIRST_COMPLETED)
        for future in done:
            outcome = self._finished(in_flight.pop(future), future)
            self._note_rest(outcome)
            self._record(outcome)

    def _finished(self, row: EffectRow, future: Future[Any]) -> Outcome:
        error = future.exception()
        if error is None:
            return self._outcome(row, answer=future.result())
        if not isinstance(error, ChannelError):
            # A defect of ours, of which nobody can say whether it struck before or after the delivery left.
            log.error("effect.defect", effect_id=row.id, kind=row.kind.value, error=type(error).__name__)
            error = ChannelAmbiguousError(f"the delivery ended in a defect ({type(error).__name__})")
        return self._outcome(row, error=error)

    def _outcome(self, row: EffectRow, *, error: ChannelError | None = None, answer: Any = None) -> Outcome:
        channel = self._channel(row)
        return Outcome(row, error, answer, is_repeatable=channel is not None and channel.is_repeatable)

    def _note_rest(self, outcome: Outcome) -> None:
        """Leave a channel alone that did not answer; one that answered, be it with a no, is there."""
        name, error = _rests_as(outcome.row), outcome.error
        if error is None or isinstance(error, ChannelRefusedError):
            self._resting.pop(name, None)
            return
        now, before = self._clock.now(), self._resting.get(name)
        if before is None or before.until <= now:  # of several that failed together only the first counts
            length = _FIRST_REST if before is None else min(2 * before.length, _LONGEST_REST)
            self._resting[name] = _Rest(length, now + length)

    def _record(self, outcome: Outcome) -> None:
        """Record an outcome, and once more when the ledger refused; after that its lease runs out."""
        for last_try in (False, True):
            try:
                with self._ledger.begin() as uow:
                    self._recorder.record(uow, outcome, self._clock.now())
                    uow.commit()
            except Exception as error:  # noqa: BLE001 - whatever it is, the others in flight are still to be recorded
                log.error(
                    "effect.not_recorded", effect_id=outcome.row.id, error=type(error).__name__, last_try=last_try
                )
            else:
                return


@dataclass(frozen=True, slots=True)
class _Hold:
    """Why a row is not tried yet, and until when."""

    reason: str
    until: datetime


class _Rest:
    """Until when a channel is left alone."""

    __slots__ = ("length", "until")

    def __init__(self, length: timedelta, until: datetime) -> None:
        self.length, self.until = length, until


def _room(in_flight: Collection[EffectRow]) -> tuple[int, list[str]]:
    """Say how many deliveries more may begin now, whoever's they are, and which accounts may begin none."""
    counts = Counter(row.account_id for row in in_flight)
    busy = [account_id for account_id, count in counts.items() if count >= _PER_ACCOUNT]
    fullest = max((count for count in counts.values() if count < _PER_ACCOUNT), default=0)
    return min(_CONCURRENCY - len(in_flight), _PER_ACCOUNT - fullest), busy


def _rests_as(row: EffectRow) -> str:
    """Name what is left alone when a delivery gets no answer; a host of one account's callbacks is none of another's.

    Many accounts may be told through one service's host, where each has an address of its own that may be broken.
    """
    return f"{row.account_id} {row.channel}" if row.kind is EffectKind.CALLBACK else row.channel


def _delivery(row: EffectRow) -> Delivery:
    payload = row.payload
    return Delivery(
        id=row.id,
        title=str(payload.get("title") or ""),
        text=str(payload.get("text") or ""),
        number=str(payload.get("number") or ""),
        data=payload.get("data") or {},
        url=str(payload.get("url") or ""),
        account_id=row.account_id if row.kind is EffectKind.CALLBACK else "",
    )
