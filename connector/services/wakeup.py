"""Which rows' time has come, and which lanes have work that nobody was told about?

The clock's use case. It is harmless to run it twice at once, or not at all for a while: everything it does follows
from rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog

from connector.domain.message import MessageState
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow, StateChange
from connector.ports.queue import (
    EFFECTS,
    EVENTS,
    JOURNEYS,
    LOOKUPS,
    MAINTENANCE,
    RECEIPTS,
    WORKFLOWS,
    TaskQueue,
    send_lane,
    writeback_lane,
)
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce
from connector.services.incoming_pieces import COMPLETE_WITHIN
from connector.services.receipts import INBOUND, STATUS
from connector.services.schedules import AUDIENCE

log = structlog.get_logger(__name__)

BATCH = 500

_CALLBACKS = frozenset({STATUS, INBOUND})

_STRANGE_FOR = timedelta(
    days=3
)  # a gateway whose settings got lost is set up again by then, and its callbacks are read
_GIVES_UP_EVERY = timedelta(hours=1)  # days do not end by the second


class Alarm:
    """Wakes due rows and nudges lanes that have work.

    Args of the constructor:
        heir: gives the gateway to whose lane somebody listens who looks after the texts of another, by slug.
        gateways: those in use here, whose callbacks somebody understands; None: any.
    """

    def __init__(
        self,
        ledger: Ledger,
        queue: TaskQueue,
        clock: Clock,
        heir: Callable[[str], str] = lambda gateway: gateway,
        gateways: Collection[str] | None = None,
    ) -> None:
        self._ledger, self._queue, self._clock, self._heir = ledger, queue, clock, heir
        self._gateways = gateways
        self._has_rung = False
        self._gave_up_at: datetime | None = None

    def ring(self) -> None:
        """Release and expire what is due, then nudge every lane that has work."""
        while self.release() == BATCH:
            pass
        self.give_up()
        lanes = self.lanes_with_work()
        if not self._has_rung:
            lanes.add(MAINTENANCE)  # a new release may poll for events that the last one did not know
            self._has_rung = True
        for lane in sorted(lanes):
            self._queue.nudge(lane)

    def release(self) -> int:
        """Release held texts whose time has come and expire those past theirs; give how many, at most `BATCH`."""
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            if not uow.messages.due(now, 1):
                return 0
        with self._ledger.begin() as uow:
            rows = uow.messages.due(now, BATCH)
            moves = [self._next(row) for row in rows]
            uow.messages.move([StateChange(m.message.id, m.message.state, m.state, m.reason) for m in moves], now)
            announce(uow, moves, now)
            for move in moves:
                if move.state is MessageState.QUEUED:
                    uow.nudge(send_lane(move.message.gateway, move.message.purpose.value))
            uow.commit()
        return len(rows)

    def give_up(self) -> None:
        """Finish callbacks of gateways that have not been in use for days: nobody here can read them."""
        now = self._clock.now()
        if self._gave_up_at is not None and timedelta() <= now - self._gave_up_at < _GIVES_UP_EVERY:
            return
        self._gave_up_at = now
        with self._ledger.begin(write=False) as uow:
            strange = sorted(each for each in uow.inbox.waiting(now) if self._is_strange(each))
        for each in strange:
            with self._ledger.begin() as uow:
                count = uow.inbox.give_up(each, now - _STRANGE_FOR, "unread: its gateway is not in use here", now)
                uow.commit()
            if count:
                log.warning("callbacks.unread", source=each, count=count, reason="the gateway is not in use here")

    def _is_strange(self, source: str) -> bool:
        """Tell whether a source is a gateway that is not in use here; one that is meanwhile set up again is none."""
        gateway, _, kind = source.rpartition(".")
        return kind in _CALLBACKS and self._gateways is not None and gateway not in self._gateways

    def _next(self, message: MessageRow) -> Moved:
        if message.expires_at is not None and message.expires_at <= self._clock.now():
            waited = f" while {message.state_reason}" if message.state_reason else ""
            return Moved(message, MessageState.EXPIRED, f"its lifetime ended{waited}")
        return Moved(message, MessageState.QUEUED, "its time has come")

    def lanes_with_work(self) -> set[str]:
        """Give the lanes in which something could be done now."""
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            lanes = {send_lane(self._heir(gateway), purpose) for gateway, purpose in uow.messages.waiting_lanes(now)}
            lanes |= {writeback_lane(crm) for crm in uow.records.waiting(now)}
            lanes |= {_lane_of(source) for source in uow.inbox.waiting(now) if not self._is_strange(source)}
            if uow.enrollments.any_due(now):
                lanes.add(JOURNEYS)
            if uow.effects.any_due(now):
                lanes.add(EFFECTS)
            if uow.workflow_calls.any_due(now):
                lanes.add(WORKFLOWS)
            if uow.numbers.any_wanted(now):
                lanes.add(LOOKUPS)
            if self._needs_maintenance(uow):
                lanes.add(MAINTENANCE)
        return lanes

    def _needs_maintenance(self, uow: UnitOfWork) -> bool:
        now = self._clock.now()
        return bool(
            uow.attempts.any_to_ask(now)
            or uow.attempts.any_to_redact(now)
            or uow.messages.abandoned(now, 1)
            or uow.polls.any_due(now)
            or uow.pieces.older_than(now - COMPLETE_WITHIN, 1)
            or uow.erasures.any_due(now)
        )


def _lane_of(source: str) -> str:
    """Give the lane that works the inbox rows of a source."""
    if source == AUDIENCE:
        return MAINTENANCE
    return RECEIPTS if "." in source else EVENTS
