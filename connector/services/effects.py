"""How does what journeys want done outside get done: told, passed on, asked?

Two transactions with the delivery between them, as for texts: the claim commits that a delivery may be under way, the
record commits what came of it. A worker that dies in between leaves the row claimed; when the lease has run out it is
delivered again only where the other side knows it by its id.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any

import structlog

from connector.errors import ChannelAmbiguousError, ChannelError, ChannelRefusedError, ChannelUnavailableError
from connector.ports.channels import Channel, Delivery
from connector.ports.consents import Scope
from connector.ports.effects import EffectRow, EffectState
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.time import Clock
from connector.services.effect_outcomes import EffectRecorder, Outcome

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Longer than the slowest delivery: a conversation with a mail server, 30 seconds, and a name that resolves slowly."""

_CONCURRENCY = 8  # deliveries under way per drain: notifications are few, and staff systems throttle soon
_BUDGET_SECONDS = 10.0  # a drain hands over then; a slow delivery may hold it for as long as its time-outs allow
_NO_SUCH_CHANNEL = timedelta(minutes=1)  # a file that is to name it is deployed by a person
_FIRST_REST, _LONGEST_REST = timedelta(seconds=5), timedelta(minutes=1)
"""How long a channel that did not answer is left alone, doubled each time: a slow one would take every thread of the
lane for its time-out again and again; after a minute it is asked whether it is back."""


class EffectRunner:
    """Drains the effects lane.

    Args of the constructor:
        channels: by the names journeys use.
    """

    def __init__(self, ledger: Ledger, channels: Mapping[str, Channel], recorder: EffectRecorder, clock: Clock) -> None:
        self._ledger, self._channels, self._recorder, self._clock = ledger, channels, recorder, clock
        self._resting: dict[str, _Rest] = {}

    def drain(self) -> bool:
        """Deliver what is due for up to ten seconds; tell whether more is left that could go now."""
        ends = time.monotonic() + _BUDGET_SECONDS
        in_flight: dict[Future[Any], EffectRow] = {}
        more = True
        with ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="effect") as pool:
            while in_flight or (more and time.monotonic() < ends):
                room = _CONCURRENCY - len(in_flight)
                if more and room and time.monotonic() < ends:
                    going, more = self._claim(room)
                    in_flight |= {pool.submit(self._deliver, row): row for row in going}
                self._record_finished(in_flight)
        return more

    def _claim(self, room: int) -> tuple[list[EffectRow], bool]:
        """Commit to deliver up to `room` rows; tell whether the lane may hold more.

        What must not be delivered, or not now, is recorded at once.
        """
        now = self._clock.now()
        going: list[EffectRow] = []
        with self._ledger.begin() as uow:
            rows = uow.effects.claim(room, now, now + LEASE)
            for row in rows:
                objection = self._objection(uow, row, now)
                if objection is None:
                    going.append(row)
                else:
                    self._recorder.record(uow, self._outcome(row, error=objection), now)
            uow.commit()
        return going, len(rows) == room

    def _objection(self, uow: UnitOfWork, row: EffectRow, now: datetime) -> ChannelError | None:
        """Say why a row may not be delivered now; None when it may."""
        channel = self._channels.get(row.channel)
        if row.state is EffectState.SENDING and not (channel is not None and channel.is_repeatable):
            return ChannelAmbiguousError("its worker died with the delivery")
        if row.expires_at <= now:
            return ChannelRefusedError("its time is over" + (f"; {row.error}" if row.error else ""))
        if channel is None:
            return ChannelUnavailableError(f"there is no channel {row.channel}", retry_after=_NO_SUCH_CHANNEL)
        if _has_opted_out(uow, row):
            return ChannelRefusedError("the number has opted out")
        rest = self._resting.get(row.channel)
        if rest is not None and rest.until > now:
            return ChannelUnavailableError("the channel did not answer a moment ago", retry_after=rest.until - now)
        return None

    def _deliver(self, row: EffectRow) -> Any:
        """Deliver; in a thread of the drain."""
        return self._channels[row.channel].deliver(_delivery(row))

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
        channel = self._channels.get(row.channel)
        return Outcome(row, error, answer, is_repeatable=channel is not None and channel.is_repeatable)

    def _note_rest(self, outcome: Outcome) -> None:
        """Leave a channel alone that did not answer; one that answered, be it with a no, is there."""
        name, error = outcome.row.channel, outcome.error
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


class _Rest:
    """Until when a channel is left alone."""

    __slots__ = ("length", "until")

    def __init__(self, length: timedelta, until: datetime) -> None:
        self.length, self.until = length, until


def _delivery(row: EffectRow) -> Delivery:
    payload = row.payload
    return Delivery(
        id=row.id,
        title=str(payload.get("title") or ""),
        text=str(payload.get("text") or ""),
        number=str(payload.get("number") or ""),
        data=payload.get("data") or {},
    )


def _has_opted_out(uow: UnitOfWork, row: EffectRow) -> bool:
    """Tell whether a message to a contact may not go out (promise P3); held until the claim is committed."""
    number = row.payload.get("number")
    if not number:
        return False
    uow.lock_numbers(row.account_id, [number])
    found = uow.consents.suppressions(row.account_id, [number]).get(number, ())
    return any(each.scope is Scope.ALL for each in found)
