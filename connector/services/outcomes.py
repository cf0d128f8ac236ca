"""What do we write down when a gateway has answered, or has not?"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import after_receipt, may_move
from connector.domain.retry import RetryPolicy
from connector.errors import AmbiguousSendError, SendError, TransientSendError
from connector.ports.gateway import Accepted
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import AttemptRow, MessageRow, Standing, StateChange
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce

ASK_UNKNOWN_AFTER = timedelta(seconds=30)
"""A lost answer is asked for soon, but not before a slow request had time to arrive."""

ASK_SILENT_AFTER = timedelta(minutes=15)
"""Most receipts come within seconds; a quarter of an hour of silence means that one got lost."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One finished request: the message and attempt as claimed, and what came of it."""

    message: MessageRow
    attempt: AttemptRow
    reason: str
    accepted: Accepted | None = None
    error: SendError | None = None


class OutcomeRecorder:
    """Records finished requests, many in one transaction."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        policy: RetryPolicy,
        rng: random.Random,
        note_opt_out: Callable[[UnitOfWork, MessageRow, str, datetime], None],
    ) -> None:
        self._ledger, self._clock, self._policy, self._rng = ledger, clock, policy, rng
        self._note_opt_out = note_opt_out

    def record(self, finished: Sequence[Sent]) -> None:
        """Write attempts, states, timeline and CRM wishes for finished requests.

        A receipt may have been recorded while the request was under way: states are read again, and what we learned
        from the answer is applied to them by the same table as receipts.
        """
        now = self._clock.now()
        with self._ledger.begin() as uow:
            # Attempts before messages, as receipts lock them, so that the two never wait for each other.
            attempts = uow.attempts.many([sent.attempt.id for sent in finished])
            standing = uow.messages.standing([sent.message.id for sent in finished])
            steps = [
                self._step(sent, attempts[sent.attempt.id], _as_it_stands(sent.message, standing[sent.message.id]), now)
                for sent in finished
            ]
            uow.attempts.save([step.attempt for step in steps])
            uow.messages.move_all([step.change for step in steps], now)
            announce(uow, [step.moved for step in steps if step.moved is not None], now)
            for sent in finished:
                if sent.error is not None and sent.error.error_class == ErrorClass.OPTED_OUT.value:
                    self._note_opt_out(uow, sent.message, sent.attempt.id, now)
            uow.commit()

    def _step(self, sent: Sent, attempt: AttemptRow, message: MessageRow, now: datetime) -> _Step:
        if sent.accepted is not None:
            return self._accepted(sent, sent.accepted, attempt, message, now)
        if sent.error is None:
            raise ValueError("a finished request has an answer or an error")
        if isinstance(sent.error, AmbiguousSendError):
            return self._ambiguous(sent.error, attempt, message, now)
        if isinstance(sent.error, TransientSendError):
            return self._transient(sent.error, attempt, message, now)
        return self._permanent(sent.error, attempt, message, now)

    def _accepted(self, sent: Sent, answer: Accepted, attempt: AttemptRow, message: MessageRow, now: datetime) -> _Step:
        state = after_receipt(message.state, answer.state)
        known = replace(
            attempt,
            state=after_receipt(attempt.state, answer.state),
            provider_message_id=answer.provider_message_id,
            raw_status=attempt.raw_status or answer.raw_status,
            sender=answer.sender or attempt.sender,
            segments=attempt.segments or answer.segments,
            price=attempt.price or answer.price,
            currency=attempt.currency or answer.currency,
            answered_at=now,
            ask_at=now + ASK_SILENT_AFTER if state in _AWAITING_RECEIPT else None,
        )
        change = StateChange(
            message.id,
            message.state,
            state,
            sent.reason,
            sent_at=message.sent_at or now,
            sender=known.sender,
            provider_message_id=answer.provider_message_id,
            cost=answer.price,
            currency=answer.currency,
        )
        return _step(known, change, message, {"gateway": attempt.gateway, "because": sent.reason, "try": message.tries})

    def _ambiguous(self, error: SendError, attempt: AttemptRow, message: MessageRow, now: datetime) -> _Step:
        reason = f"{attempt.gateway} may have it: {error}; asking before anything is sent again"
        target = MessageState.UNKNOWN if may_move(message.state, MessageState.UNKNOWN) else message.state
        known = _failed(attempt, MessageState.UNKNOWN, error, now)
        if known.state is MessageState.UNKNOWN:
            known = replace(known, ask_at=now + ASK_UNKNOWN_AFTER)
        return _step(
            known, StateChange(message.id, message.state, target, reason), message, _error_data(attempt, error)
        )

    def _transient(self, error: SendError, attempt: AttemptRow, message: MessageRow, now: datetime) -> _Step:
        known = _failed(attempt, MessageState.FAILED, error, now)
        again_at = now + max(
            error.retry_after or timedelta(0), self._policy.wait_after(max(1, message.tries), self._rng)
        )
        target, reason = MessageState.QUEUED, f"{error}; try {message.tries} of {self._policy.max_tries}"
        if message.expires_at is not None and message.expires_at <= again_at:
            target, reason = MessageState.EXPIRED, f"{error}; its lifetime ends before the next try"
        elif not self._policy.may_retry(message.tries):
            target, reason = MessageState.DEAD_LETTER, f"{error}; gave up after {message.tries} tries"
        if not may_move(message.state, target):
            target = message.state
        change = StateChange(message.id, message.state, target, reason, not_before=again_at)
        return _step(known, change, message, _error_data(attempt, error))

    def _permanent(self, error: SendError, attempt: AttemptRow, message: MessageRow, now: datetime) -> _Step:
        known = _failed(attempt, MessageState.FAILED, error, now)
        target = after_receipt(message.state, MessageState.FAILED)
        change = StateChange(message.id, message.state, target, str(error))
        return _step(known, change, message, _error_data(attempt, error))


_AWAITING_RECEIPT = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class _Step:
    attempt: AttemptRow
    change: StateChange
    moved: Moved | None


def _as_it_stands(message: MessageRow, standing: Standing) -> MessageRow:
    """Bring the row of the claim up to what claim and receipts have changed since; bodies stay as they are."""
    return replace(message, state=standing.state, tries=standing.tries, sent_at=standing.sent_at)


def _step(attempt: AttemptRow, change: StateChange, message: MessageRow, data: dict[str, object]) -> _Step:
    moved = None if change.to_state is message.state else Moved(message, change.to_state, change.reason, data)
    return _Step(attempt, change, moved)


def _failed(attempt: AttemptRow, state: MessageState, error: SendError, now: datetime) -> AttemptRow:
    """Note an error on an attempt, unless a receipt has already told better."""
    if attempt.state is not MessageState.DISPATCHING:
        return attempt
    return replace(attempt, state=state, error_class=error.error_class, error_code=error.code, answered_at=now)


def _error_data(attempt: AttemptRow, error: SendError) -> dict[str, object]:
    return {"gateway": attempt.gateway, "error_class": error.error_class, "error_code": error.code}
