"""Which texts wait for a person, and what may a person do with them?

A text is a dead letter when its tries are used up, when nobody can tell whether it went out, or when no gateway may
take it. Sent again it stays the same message under the same key, and takes the whole way anew: consent, window, caps
and opt-outs are asked at its claim. Dropped, it is done with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.domain.message import LIFETIMES, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.attempts import AttemptRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.message_filters import DeadLetterFilter
from connector.ports.messages import MessageRow, StateChange
from connector.ports.queue import send_lane
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce

MOST = 1000
"""Dead letters worked in one call: more are a matter of minutes that a person should see pass."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One text that waits for a decision, and what was tried."""

    message: MessageRow
    attempts: Sequence[AttemptRow]

    @property
    def last(self) -> AttemptRow | None:
        """The latest attempt; None when no gateway could be tried."""
        return self.attempts[-1] if self.attempts else None

    @property
    def code(self) -> str:
        """The error that a filter finds it by: the gateway's code, `unknown`, or empty where nothing was tried."""
        if self.last is None:
            return ""
        return self.last.error_code or ("unknown" if self.last.state is MessageState.UNKNOWN else "")

    @property
    def may_have_arrived(self) -> bool:
        """Whether nobody can tell of some try that it came to nothing: sent again, the text may arrive twice."""
        return any(attempt.state is MessageState.UNKNOWN for attempt in self.attempts)

    def is_over(self, now: datetime) -> bool:
        """Tell whether its lifetime is over, so that it is sent again only with a new one."""
        return _is_over(self.message, now)


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of dead letters: worked, and passed over because their lifetime is over or somebody was faster."""

    done: Sequence[str]
    passed_over: Sequence[str]


class DeadLetters:
    """Shows dead letters and carries decisions out."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    def find(self, which: DeadLetterFilter, limit: int = MOST) -> Sequence[DeadLetter]:
        """Give dead letters, oldest first."""
        with self._ledger.begin(write=False) as uow:
            rows = uow.messages.dead_letters(which, min(limit, MOST))
            return _with_attempts(uow, rows)

    def get(self, account_id: str | None, message_id: str) -> DeadLetter | None:
        """Give one; None when there is no such text, or it is no dead letter."""
        with self._ledger.begin(write=False) as uow:
            row = uow.messages.find(account_id, message_id)
            if row is None or row.state is not MessageState.DEAD_LETTER:
                return None
            return _with_attempts(uow, [row])[0]

    def replay(self, letters: Sequence[DeadLetter], by: str, *, afresh: bool = False) -> Decided:
        """Queue dead letters to be sent again, with all the tries of their purpose and its lifetime from now on.

        Args:
            letters: as `find` or `get` gave them.
            by: who decided it, for the trace.
            afresh: give texts whose lifetime is over a new one; else they are passed over.
        """
        now = self._clock.now()
        reason = f"sent again by {by}"
        return self._decide(letters, MessageState.QUEUED, reason, now, is_afresh=afresh)

    def drop(self, letters: Sequence[DeadLetter], by: str) -> Decided:
        """Be done with dead letters: they are not sent again, whatever became of their attempts."""
        return self._decide(letters, MessageState.FAILED, f"dropped by {by}", self._clock.now(), is_afresh=True)

    def _decide(
        self, letters: Sequence[DeadLetter], state: MessageState, reason: str, now: datetime, *, is_afresh: bool
    ) -> Decided:
        done: list[str] = []
        with self._ledger.begin() as uow:
            rows = uow.messages.many([letter.message.id for letter in letters], lock=True)
            going = [row for row in rows.values() if row.state is MessageState.DEAD_LETTER]
            going = [row for row in going if is_afresh or not _is_over(row, now)]
            changes = [
                StateChange(
                    row.id,
                    row.state,
                    state,
                    reason,
                    not_before=now,
                    expires_at=now + LIFETIMES[row.purpose] if _is_over(row, now) else None,
                    restart=state is MessageState.QUEUED,
                )
                for row in going
            ]
            done = list(uow.messages.move(changes, now))
            announce(uow, [Moved(row, state, reason) for row in going if row.id in done], now)
            uow.timeline.add([_decision(row, reason, now) for row in going if row.id in done])
            if state is MessageState.QUEUED:
                for lane in sorted({send_lane(row.gateway, row.purpose.value) for row in going}):
                    uow.nudge(lane)
            uow.commit()
        asked = [letter.message.id for letter in letters]
        return Decided(done, [message_id for message_id in asked if message_id not in done])


def _is_over(row: MessageRow, now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def _with_attempts(uow: UnitOfWork, rows: Sequence[MessageRow]) -> list[DeadLetter]:
    tried: dict[str, list[AttemptRow]] = {}
    for attempt in uow.attempts.of_messages([row.id for row in rows]):
        tried.setdefault(attempt.message_id, []).append(attempt)
    return [DeadLetter(row, tried.get(row.id, [])) for row in rows]


def _decision(row: MessageRow, reason: str, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=row.account_id,
        kind=EntryKind.ATTENTION_GIVEN,
        subject=f"message:{row.id}",
        discriminator=now.isoformat(),
        at=now,
        summary=reason,
        contact_id=row.contact_id,
        enrollment_id=row.enrollment_id,
        message_id=row.id,
        path=row.step,
    )
