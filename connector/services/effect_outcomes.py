"""What do we write down when something was told to another system, or was not?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from connector.domain.retry import backoff
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import ChannelAmbiguousError, ChannelError, ChannelRefusedError
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.ledger import UnitOfWork
from connector.ports.queue import JOURNEYS

_RETRY_BASE, _RETRY_CAP = timedelta(seconds=5), timedelta(minutes=10)
"""A system that throttles is back within seconds; one that is down is asked again every ten minutes."""

_LAST_TRY = timedelta(minutes=1)  # before the end of a row's time, so that the lane has got to it by then

_DONE: Mapping[EffectKind, str] = {
    EffectKind.NOTIFY: "Told {channel}",
    EffectKind.HANDOFF: "Passed on to {channel}",
    EffectKind.CALL: "{channel} has answered",
    EffectKind.CALLBACK: "Told {channel}, which ordered the text",
}
_FAILED: Mapping[EffectKind, str] = {
    EffectKind.NOTIFY: "{channel} could not be told: {reason}",
    EffectKind.HANDOFF: "Could not be passed on to {channel}: {reason}",
    EffectKind.CALL: "{channel} could not be asked: {reason}",
    EffectKind.CALLBACK: "{channel}, which ordered the text, could not be told: {reason}",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one delivery.

    Attributes:
        answer: an endpoint's JSON answer.
        is_repeatable: whether the channel knows a repeated delivery by its id.
    """

    row: EffectRow
    error: ChannelError | None = None
    answer: Any = None
    is_repeatable: bool = False


class EffectRecorder:
    """Records outcomes."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def record(self, uow: UnitOfWork, outcome: Outcome, now: datetime) -> None:
        """End a row or put it off, tell its timeline, and wake whoever waits for it."""
        row, error = outcome.row, outcome.error
        if error is None:
            self._end(uow, row, EntryKind.EFFECT_DONE, now, answer=outcome.answer)
            return
        log.warning(
            "effect.not_done", effect_id=row.id, kind=row.kind.value, status=error.status, tries=row.attempts + 1
        )
        again_at = self._again_at(outcome, error, now)
        if again_at is None:
            self._end(uow, row, EntryKind.EFFECT_FAILED, now, reason=f"{error}{_why_final(outcome, error)}")
        elif again_at >= row.expires_at:
            self._end(uow, row, EntryKind.EFFECT_FAILED, now, reason=f"{error}; its time ends before another try")
        else:
            uow.effects.postpone(row.id, str(error), again_at)

    def hold(self, uow: UnitOfWork, row: EffectRow, reason: str, until: datetime, now: datetime) -> None:
        """Put off a row that was not tried, which counts no attempt; end it when its time is over before."""
        if until >= row.expires_at:
            self._end(uow, row, EntryKind.EFFECT_FAILED, now, reason=f"{reason}; its time ends before that is over")
        else:
            uow.effects.postpone(row.id, reason, until, tried=False)

    def _again_at(self, outcome: Outcome, error: ChannelError, now: datetime) -> datetime | None:
        """Say when to try again; None for never.

        Asked to come back with a callback when its time is over, it comes shortly before.
        """
        if isinstance(error, ChannelRefusedError):
            return None
        if isinstance(error, ChannelAmbiguousError) and not outcome.is_repeatable:
            return None
        pause = timedelta(seconds=1) + backoff(outcome.row.attempts + 1, self._rng, _RETRY_BASE, _RETRY_CAP)
        asked = error.retry_after or pause
        if outcome.row.kind is EffectKind.CALLBACK:
            asked = min(asked, outcome.row.expires_at - _LAST_TRY - now)
        return now + max(pause, asked)

    def _end(
        self, uow: UnitOfWork, row: EffectRow, kind: EntryKind, now: datetime, *, reason: str = "", answer: Any = None
    ) -> None:
        is_done = kind is EntryKind.EFFECT_DONE
        state = EffectState.DONE if is_done else EffectState.FAILED
        if not uow.effects.end(row.id, state, now, error=reason, answer=answer):
            return
        summary = (_DONE if is_done else _FAILED)[row.kind].format(channel=row.channel, reason=reason)
        # That a program heard of its own text is no news about the contact; that it cannot be told is.
        entries = [] if is_done and row.kind is EffectKind.CALLBACK else [_entry(row, kind, summary, reason, now)]
        if not is_done:
            entries.append(_entry(row, EntryKind.ATTENTION_NEEDED, summary, reason, now))
        uow.timeline.add(entries)
        if row.is_awaited and row.enrollment_id is not None:
            uow.enrollments.wake(row.account_id, enrollment_ids=[row.enrollment_id], now=now)
            uow.nudge(JOURNEYS)


def _why_final(outcome: Outcome, error: ChannelError) -> str:
    if isinstance(error, ChannelAmbiguousError) and not outcome.is_repeatable:
        return "; it may have arrived, so it is not sent again"
    return ""


def _discriminator(row: EffectRow) -> str:
    """A callback can be tried anew after it failed, so it can fail more than once."""
    return f"{row.key}:{row.expires_at.isoformat()}" if row.kind is EffectKind.CALLBACK else row.key


def _entry(row: EffectRow, kind: EntryKind, summary: str, reason: str, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=row.account_id,
        kind=kind,
        subject=f"enrollment:{row.enrollment_id}" if row.enrollment_id is not None else f"effect:{row.id}",
        discriminator=_discriminator(row),
        at=now,
        summary=summary,
        contact_id=row.contact_id,
        enrollment_id=row.enrollment_id,
        message_id=row.payload.get("message_id"),
        path=row.path,
        data={"key": row.key, "effect": row.id, **({"error": reason} if reason else {})},
    )
