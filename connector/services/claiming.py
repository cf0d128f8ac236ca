"""Which queued messages are committed to be sent now: route → may we → number, budget, rate → claim?

One transaction. The claim commits the attempt row before anything leaves; what may not go, or not now, or not this way,
is moved on in the same transaction, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connector.domain.message import MessageState
from connector.domain.permission import Answer, Verdict
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.attempts import AttemptRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow, StateChange
from connector.ports.queue import send_lane
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce
from connector.services.budgets import BudgetDesk
from connector.services.number_checks import NumberDesk
from connector.services.pacing import Pacer
from connector.services.permissions import GIVES_WAY_TO, PermissionDesk
from connector.services.routing import NoWay, Router, Way

LEASE = timedelta(seconds=90)
"""Longer than all time-outs of one request together (33 s): a living worker never loses its claim."""

_DAMAGED = "its text was damaged where it is kept and cannot be read any more"

_STATE_OF = {
    Answer.HOLD: MessageState.HELD,
    Answer.SUPPRESS: MessageState.SUPPRESSED,
    Answer.EXPIRE: MessageState.EXPIRED,
    Answer.CANCEL: MessageState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A message this worker has committed to send, its attempt, and why it may go."""

    message: MessageRow
    attempt: AttemptRow
    reason: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one look at a lane came to.

    Attributes:
        is_more: the lane may hold more that could go at once.
        is_limited: a rate keeps back what is left.
        redirected: texts that went to the lanes of other gateways.
    """

    claims: Sequence[Claim]
    is_more: bool = False
    is_limited: bool = False
    redirected: int = 0


@dataclass(frozen=True, slots=True)
class Desks:
    """Everybody who has a say in whether a text goes, and how."""

    router: Router
    permission: PermissionDesk
    numbers: NumberDesk
    budgets: BudgetDesk
    pacer: Pacer


@dataclass(frozen=True, slots=True)
class _Turned:
    """A message that does not go now: where it moves instead, why, and what its trace shows."""

    message: MessageRow
    state: MessageState
    reason: str
    until: datetime | None = None
    shown: Mapping[str, Any] | None = None


class Claimer:
    """Claims batches of messages."""

    def __init__(self, ledger: Ledger, desks: Desks, clock: Clock) -> None:
        self._ledger, self._desks, self._clock = ledger, desks, clock

    def claim(self, gateway: str, purpose: str, room: int) -> Claimed:
        """Commit to send up to `room` messages of a lane."""
        now = self._clock.now()
        self._desks.router.refresh()
        with self._ledger.begin() as uow:
            rows = uow.messages.queued(gateway, purpose, room, now)
            if not rows:
                return Claimed(())
            turned = [_Turned(row, MessageState.FAILED, _DAMAGED) for row in rows if not row.is_readable]
            whole = [row for row in rows if row.is_readable]
            ways = self._desks.router.ways(uow, whole, now)
            turned += [_without_way(row, way) for row in whole if isinstance(way := ways[row.id], NoWay)]
            here = self._redirect(uow, gateway, whole, ways, now)
            verdicts = self._desks.permission.judge(uow, here, now)
            going: list[MessageRow] = []
            for row in here:
                if verdicts[row.id].answer is Answer.SEND:
                    going.append(row)
                else:
                    turned.append(_refused(row, verdicts[row.id]))
            going = self._without_objections(uow, gateway, going, turned, now)
            granted = self._desks.pacer.granted(gateway, going)
            claims = self._commit_to(uow, granted, ways, verdicts, now)
            self._turn_away(uow, turned, now)
            uow.commit()
        was_held_up = len(granted) < len(going)
        elsewhere = sum(isinstance(way, Way) and way.gateway != gateway for way in ways.values())
        return Claimed(claims, len(rows) == room and not was_held_up, was_held_up, elsewhere)

    def _redirect(
        self,
        uow: UnitOfWork,
        gateway: str,
        rows: Sequence[MessageRow],
        ways: Mapping[str, Way | NoWay],
        now: datetime,
    ) -> list[MessageRow]:
        """Send those whose way leads elsewhere to that gateway's lane; give the others, with their sender."""
        here, changes = [], []
        for row in rows:
            way = ways[row.id]
            if isinstance(way, NoWay):
                continue
            if way.gateway == gateway:
                here.append(replace(row, sender=way.sender, routed_at=now) if way.is_new else row)
                continue
            changes.append(
                StateChange(
                    row.id,
                    row.state,
                    row.state,
                    row.state_reason,
                    gateway=way.gateway,
                    sender=way.sender,
                    routed_at=now,
                )
            )
            uow.nudge(send_lane(way.gateway, row.purpose.value))
        uow.messages.move_all(changes, now)
        elsewhere = {change.message_id for change in changes}
        uow.timeline.add(_routed([row for row in rows if row.id in elsewhere], ways, now))
        return here

    def _without_objections(
        self, uow: UnitOfWork, gateway: str, rows: list[MessageRow], turned: list[_Turned], now: datetime
    ) -> list[MessageRow]:
        """Take out what its number or a budget keeps from going."""
        objections = self._desks.numbers.objections(uow, rows, now)
        for row in rows:
            if row.id in objections:
                objection = objections[row.id]
                state = MessageState.FAILED if objection.until is None else MessageState.HELD
                turned.append(_Turned(row, state, objection.reason, objection.until))
        rows = [row for row in rows if row.id not in objections]
        over = self._desks.budgets.held(uow, gateway, rows, now)
        turned += [
            _Turned(row, MessageState.HELD, over[row.id].reason, over[row.id].until) for row in rows if row.id in over
        ]
        return [row for row in rows if row.id not in over]

    def _commit_to(
        self,
        uow: UnitOfWork,
        rows: Sequence[MessageRow],
        ways: Mapping[str, Way | NoWay],
        verdicts: Mapping[str, Verdict],
        now: datetime,
    ) -> list[Claim]:
        uow.messages.move_all(
            [
                StateChange(
                    row.id,
                    row.state,
                    MessageState.DISPATCHING,
                    "",
                    sender=row.sender,
                    routed_at=row.routed_at,
                    tried=True,
                    lease_until=now + LEASE,
                )
                for row in rows
            ],
            now,
        )
        # Only now: a text that a rate keeps back is routed at every look, and its trace tells of the last one.
        uow.timeline.add(_routed(rows, ways, now))
        attempts = self._desks.budgets.reserve(uow, [(row, self._attempt(row, ways[row.id], now)) for row in rows], now)
        uow.attempts.add(attempts)
        return [
            Claim(row, attempt, _because(verdicts[row.id], ways[row.id]))
            for row, attempt in zip(rows, attempts, strict=True)
        ]

    def _attempt(self, row: MessageRow, way: Way | NoWay, now: datetime) -> AttemptRow:
        return AttemptRow(
            id=self._ledger.new_id(),
            account_id=row.account_id,
            message_id=row.id,
            gateway=row.gateway,
            state=MessageState.DISPATCHING,
            requested_at=now,
            sender=row.sender,
            carrier=way.carrier if isinstance(way, Way) else "",
        )

    def _turn_away(self, uow: UnitOfWork, turned: Sequence[_Turned], now: datetime) -> None:
        moves = {each.message.id: each for each in turned}
        changes = [
            StateChange(each.message.id, each.message.state, each.state, each.reason, not_before=each.until)
            for each in turned
        ]
        moved = uow.messages.move(changes, now)
        announce(
            uow,
            [
                Moved(each.message, each.state, each.reason, _shown(each))
                for message_id in moved
                for each in [moves[message_id]]
            ],
            now,
        )


def _without_way(row: MessageRow, way: NoWay) -> _Turned:
    state = MessageState.DEAD_LETTER if way.until is None else MessageState.HELD
    return _Turned(row, state, way.reason, way.until, way.numbers)


def _refused(row: MessageRow, verdict: Verdict) -> _Turned:
    shown = {GIVES_WAY_TO: verdict.gives_way_to} if verdict.gives_way_to else None
    return _Turned(row, _STATE_OF[verdict.answer], verdict.reason, verdict.until, shown)


def _shown(turned: _Turned) -> dict[str, Any]:
    """Give what the trace of a text that was turned away shows beside the reason."""
    until = {"until": turned.until.isoformat()} if turned.until is not None else {}
    return until | dict(turned.shown or {})


def _because(verdict: Verdict, way: Way | NoWay) -> str:
    return f"{verdict.reason}; {way.reason}" if way.reason else verdict.reason


def _routed(rows: Sequence[MessageRow], ways: Mapping[str, Way | NoWay], now: datetime) -> list[TimelineEntry]:
    """Say why texts go the way they go, for those that had a choice just now."""
    chosen = [(row, way) for row in rows if isinstance(way := ways[row.id], Way) and way.is_new and way.numbers]
    return [
        TimelineEntry(
            account_id=row.account_id,
            kind=EntryKind.MESSAGE_ROUTED,
            subject=f"message:{row.id}",
            discriminator=f"{row.tries}:{now.isoformat()}",
            at=now,
            summary=f"goes through {way.reason}",
            contact_id=row.contact_id,
            enrollment_id=row.enrollment_id,
            message_id=row.id,
            path=row.step,
            data={"gateway": way.gateway, "sender": way.sender, **way.numbers},
        )
        for row, way in chosen
    ]
