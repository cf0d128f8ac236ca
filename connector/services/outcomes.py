"""What do we write down when a gateway has answered, or has not?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from connector.domain.message import ErrorClass, MessageState, SendPolicy
from connector.domain.receipt import after_receipt, may_move
from connector.domain.scoring import Tally
from connector.errors import AmbiguousSendError, SendError, TransientSendError
from connector.ports.attempts import AttemptRow, PartRow
from connector.ports.gateway import Accepted
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow, Standing, StateChange
from connector.ports.time import Clock
from connector.ports.traffic import Spending
from connector.services.aftermath import Aftermath
from connector.services.announcing import Moved, announce
from connector.services.number_facts import hold_numbers
from connector.services.route_scores import tally_of_failure, tally_of_send
from connector.services.tried_gateways import tried_gateways

log = structlog.get_logger(__name__)

LONGEST_SENDER = 20
"""Characters of a number or sender id; longer names belong to channels that are not SMS."""

ASK_UNKNOWN_AFTER = timedelta(seconds=30)
"""A lost answer is asked for soon, but not before a slow request had time to arrive."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One finished request: the message and attempt as claimed, how long it took, and what came of it."""

    message: MessageRow
    attempt: AttemptRow
    reason: str
    seconds: float = 0.0
    accepted: Accepted | None = None
    error: SendError | None = None


class OutcomeRecorder:
    """Records finished requests, many in one transaction."""

    def __init__(self, ledger: Ledger, clock: Clock, aftermath: Aftermath) -> None:
        self._ledger, self._clock = ledger, clock
        self._retries, self._budgets = aftermath.retries, aftermath.budgets
        self._numbers, self._note_opt_out = aftermath.numbers, aftermath.note_opt_out

    def record(self, finished: Sequence[Sent]) -> None:
        """Write attempts, states, timeline, CRM wishes and sums for finished requests.

        A receipt may have been recorded while the request was under way: states are read again, and what we learned
        from the answer is applied to them by the same table as receipts.
        """
        now = self._clock.now()
        with self._ledger.begin() as uow:
            # Attempts before messages, as receipts lock them, so that the two never wait for each other.
            attempts = uow.attempts.many([sent.attempt.id for sent in finished])
            standing = uow.messages.standing([sent.message.id for sent in finished])
            tried = tried_gateways(
                uow,
                [sent.message for sent in finished if sent.error and not isinstance(sent.error, AmbiguousSendError)],
            )
            steps = [
                self._step(
                    sent,
                    attempts[sent.attempt.id],
                    _as_it_stands(sent.message, standing[sent.message.id]),
                    tried.get(sent.message.id, frozenset()),
                    now,
                )
                for sent in finished
            ]
            uow.attempts.save([step.attempt for step in steps])
            uow.attempts.add_parts([part for sent in finished for part in _parts(sent)])
            uow.messages.move_all([step.change for step in steps if step.change is not None], now)
            # Before anybody is woken: whoever holds a number may be waiting for those very enrollments.
            hold_numbers(uow, [sent.message for sent in finished if _is_of_number(sent)])
            announce(uow, [step.moved for step in steps if step.moved is not None], now)
            for sent in finished:
                if sent.error is not None and sent.error.error_class == ErrorClass.OPTED_OUT.value:
                    self._note_opt_out(uow, sent.message, sent.attempt.id, now)
                if sent.error is not None and sent.error.error_class == ErrorClass.PERMANENT_NUMBER.value:
                    self._numbers.hear_refusal(uow, sent.message, sent.attempt.gateway, now)
            self._add_up(uow, finished, steps)
            uow.commit()

    def record_each(self, finished: Sequence[Sent]) -> None:
        """Record one by one what could not be recorded together, so that a poisoned answer takes no other with it."""
        for sent in finished:
            try:
                self.record([sent])
            except Exception as error:  # noqa: BLE001 - whatever it is, the others are still to be recorded
                log.error("send.answer_lost", attempt_id=sent.attempt.id, error=type(error).__name__)

    def _add_up(self, uow: UnitOfWork, finished: Sequence[Sent], steps: Sequence[_Step]) -> None:
        """Write the sums, last of all: whoever adds to the same ones waits for this commit."""
        spendings = [
            spending
            for sent, step in zip(finished, steps, strict=True)
            if (spending := self._spending(sent, step)) is not None
        ]
        uow.traffic.spend(spendings)
        tallies = [
            tally
            for sent, step in zip(finished, steps, strict=True)
            if (tally := _tally(sent, step.attempt)) is not None
        ]
        uow.traffic.note(tallies)

    def _spending(self, sent: Sent, step: _Step) -> Spending | None:
        """Give what an answer changes about what was counted at the claim, and perhaps by a receipt since."""
        if step.attempt.estimate is None:
            return self._budgets.give_back(step.before, sent.message.journey)
        return self._budgets.correct(step.before, step.attempt, sent.message.journey)

    def _step(
        self, sent: Sent, attempt: AttemptRow, message: MessageRow, tried: frozenset[str], now: datetime
    ) -> _Step:
        """Give what an answer changes; nothing about a message for which its attempt does not speak any more."""
        step = self._answered(sent, attempt, message, tried, now)
        is_latest = message.tries <= sent.message.tries + 1
        has_spoken = attempt.settled_at is not None and message.state in _WAITING
        if is_latest and not has_spoken:
            return step
        return replace(step, change=None, moved=None)

    def _answered(
        self, sent: Sent, attempt: AttemptRow, message: MessageRow, tried: frozenset[str], now: datetime
    ) -> _Step:
        if sent.accepted is not None:
            return self._accepted(sent, sent.accepted, attempt, message, now)
        if sent.error is None:
            raise ValueError("a finished request has an answer or an error")
        if isinstance(sent.error, AmbiguousSendError):
            return self._ambiguous(sent.error, attempt, message, now)
        if isinstance(sent.error, TransientSendError):
            return self._transient(sent.error, attempt, message, tried, now)
        return self._permanent(sent.error, attempt, message, tried, now)

    def _accepted(self, sent: Sent, answer: Accepted, attempt: AttemptRow, message: MessageRow, now: datetime) -> _Step:
        state = after_receipt(message.state, answer.state)
        attempt_state = after_receipt(attempt.state, answer.state)
        known = replace(
            attempt,
            state=attempt_state,
            provider_message_id=answer.provider_message_id,
            raw_status=attempt.raw_status or answer.raw_status,
            sender=sender_told(answer.sender) or attempt.sender,
            segments=attempt.segments or answer.segments,
            price=attempt.price if attempt.price is not None else answer.price,
            currency=attempt.currency or answer.currency,
            answered_at=now,
            ask_at=now + self._retries.silence(message.purpose) if attempt_state in _AWAITING_RECEIPT else None,
            is_urgent=message.policy is SendPolicy.AT_LEAST_ONCE,
        )
        change = StateChange(
            message.id,
            message.state,
            state,
            sent.reason,
            sent_at=message.sent_at or now,
            sender=known.sender,
            provider_message_id=answer.provider_message_id,
            cost=known.price,
            currency=known.currency,
        )
        return _step(
            attempt, known, change, message, {"gateway": attempt.gateway, "because": sent.reason, "try": message.tries}
        )

    def _ambiguous(self, error: SendError, attempt: AttemptRow, message: MessageRow, now: datetime) -> _Step:
        reason = f"{attempt.gateway} may have it: {error}; asking before anything is sent again"
        target = MessageState.UNKNOWN if may_move(message.state, MessageState.UNKNOWN) else message.state
        known = _failed(attempt, MessageState.UNKNOWN, error, now)
        if known.state is MessageState.UNKNOWN:
            is_urgent = message.policy is SendPolicy.AT_LEAST_ONCE
            known = replace(known, ask_at=now + ASK_UNKNOWN_AFTER, is_urgent=is_urgent)
        change = StateChange(message.id, message.state, target, reason)
        return _failed_step(attempt, known, change, message, error)

    def _transient(
        self, error: SendError, attempt: AttemptRow, message: MessageRow, tried: frozenset[str], now: datetime
    ) -> _Step:
        known = _failed(attempt, MessageState.FAILED, error, now)
        again = self._retries.after_failure(message, error, tried, now)
        target = again.state if may_move(message.state, again.state) else message.state
        change = StateChange(message.id, message.state, target, again.reason, not_before=again.at)
        return _failed_step(attempt, known, change, message, error)

    def _permanent(
        self, error: SendError, attempt: AttemptRow, message: MessageRow, tried: frozenset[str], now: datetime
    ) -> _Step:
        known = _failed(attempt, MessageState.FAILED, error, now)
        again = self._retries.after_refusal(message, error, tried, now)
        if again is not None and may_move(message.state, again.state):
            change = StateChange(message.id, message.state, again.state, again.reason, not_before=again.at)
        else:
            target = after_receipt(message.state, MessageState.FAILED)
            change = StateChange(message.id, message.state, target, str(error))
        return _failed_step(attempt, known, change, message, error)


_AWAITING_RECEIPT = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.UNKNOWN})
_WAITING = frozenset({MessageState.QUEUED, MessageState.HELD})


@dataclass(frozen=True, slots=True)
class _Step:
    """What an answer changes: the attempt, as it was and as it is now, and its message."""

    before: AttemptRow
    attempt: AttemptRow
    change: StateChange | None
    moved: Moved | None


def _as_it_stands(message: MessageRow, standing: Standing) -> MessageRow:
    """Bring the row of the claim up to what claim and receipts have changed since; bodies stay as they are."""
    return replace(message, state=standing.state, tries=standing.tries, sent_at=standing.sent_at)


def _step(
    before: AttemptRow, attempt: AttemptRow, change: StateChange, message: MessageRow, data: dict[str, object]
) -> _Step:
    moved = None if change.to_state is message.state else Moved(message, change.to_state, change.reason, data)
    return _Step(before, attempt, change, moved)


def _failed_step(
    before: AttemptRow, attempt: AttemptRow, change: StateChange, message: MessageRow, error: SendError
) -> _Step:
    """Leave a text that a receipt has moved already as it is: why it is there, and when it is its turn, too."""
    if change.to_state is message.state:
        return _Step(before, attempt, None, None)
    return _step(before, attempt, change, message, _error_data(before, error))


def sender_told(sender: str | None) -> str | None:
    """Give who a gateway says a text came from; None where it says nothing that could be kept."""
    return sender if sender and len(sender) <= LONGEST_SENDER else None


def _is_of_number(sent: Sent) -> bool:
    return sent.error is not None and sent.error.error_class in {ErrorClass.OPTED_OUT, ErrorClass.PERMANENT_NUMBER}


def _parts(sent: Sent) -> list[PartRow]:
    """Give the parts of a text whose gateway tells of each under an id of its own."""
    answer = sent.accepted
    if answer is None or answer.part_ids in {(), (answer.provider_message_id,)}:
        return []
    gateway = sent.attempt.gateway
    return [
        PartRow(sent.attempt.id, gateway, part_id, number, MessageState.ACCEPTED)
        for number, part_id in enumerate(answer.part_ids, start=1)
    ]


def _tally(sent: Sent, attempt: AttemptRow) -> Tally | None:
    """Count a request for its way; what the number, the text or a rate caused says nothing about it."""
    if sent.accepted is not None:
        return tally_of_send(attempt, sent.message.country, sent.seconds)
    is_ambiguous = isinstance(sent.error, AmbiguousSendError)
    if is_ambiguous or (sent.error is not None and sent.error.error_class in _OF_THE_WAY):
        return tally_of_failure(attempt, sent.message.country)
    return None


_OF_THE_WAY = frozenset(
    {ErrorClass.TRANSIENT, ErrorClass.SENDER_OR_REGISTRATION, ErrorClass.ACCOUNT_OR_CREDIT, ErrorClass.CONFIG}
)
"""Refusals that another way would not have met."""


def _failed(attempt: AttemptRow, state: MessageState, error: SendError, now: datetime) -> AttemptRow:
    """Note an error on an attempt, unless a receipt has already told better."""
    if attempt.state is not MessageState.DISPATCHING:
        return attempt
    known = replace(attempt, state=state, error_class=error.error_class, error_code=error.code, answered_at=now)
    # What certainly did not go out costs nothing: see `_spending`.
    return replace(known, estimate=None, spent_on=None) if state is MessageState.FAILED else known


def _error_data(attempt: AttemptRow, error: SendError) -> dict[str, object]:
    return {"gateway": attempt.gateway, "error_class": error.error_class, "error_code": error.code}
