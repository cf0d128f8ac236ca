"""What became of attempts nobody has told us about?

Three kinds are asked for: claims whose worker died, requests whose answer never came, and texts that were taken but
stay silent. Only when the gateway has certainly never seen an attempt is its message queued again; where the gateway
cannot tell, a one-time code is sent again and everything else is shown to a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

import structlog

from connector.domain.message import MessageState, SendPolicy
from connector.domain.receipt import may_move, may_resend
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import QueueUnavailableError, SendError, UnanswerableError
from connector.ports.attempts import AttemptRow, Gateways
from connector.ports.gateway import AttemptQuery, SMSGateway, StatusReport
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow, StateChange
from connector.ports.queue import Bucket, SendLimiter, send_lane
from connector.ports.time import Clock
from connector.services.aftermath import Aftermath
from connector.services.announcing import Moved, announce
from connector.services.outcomes import ASK_UNKNOWN_AFTER
from connector.services.receipts import ReceiptReader
from connector.services.redaction import redacting

log = structlog.get_logger(__name__)

BATCH = 50  # asking costs one request each: fifty take a second or two
_AT_ONCE = 8  # questions under way: asking must not take the connections that sending needs
_ASKED_PER_SECOND = 20.0  # per gateway over all processes: a fifth of what gateways allow for sends
_NEXT_TURN = timedelta(seconds=2)  # for those the rate keeps back
_ASK_LEASE = timedelta(minutes=2)
_SAME_CONVERSATION = timedelta(days=1)
"""How far back equal texts to one number may be mistaken for each other by a list query, which filters by day."""

_CERTAIN_AFTER = timedelta(minutes=3)
"""A "never seen" is believed this long after the request: twice our longest time-outs, and list queries may lag."""
_ASK_AGAIN = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
"""Pauses between questions; after the last one nobody knows more (gateways keep trying a handset for a day or two)."""


class Reconciler:
    """Finds dead claims and asks gateways about attempts."""

    def __init__(
        self,
        ledger: Ledger,
        gateways: Mapping[str, SMSGateway],
        receipts: ReceiptReader,
        aftermath: Aftermath,
        limiter: SendLimiter,
        clock: Clock,
        asked: Gateways,
    ) -> None:
        self._ledger, self._gateways, self._receipts, self._clock = ledger, gateways, receipts, clock
        self._asked, self._redacting = asked, redacting(gateways)
        self._retries, self._budgets, self._limiter = aftermath.retries, aftermath.budgets, limiter

    def free_abandoned(self) -> int:
        """Make claims whose lease ran out `unknown`: their worker may have died before or after the request left."""
        now = self._clock.now()
        reason = "its worker died with the request; asking before anything is sent again"
        with self._ledger.begin() as uow:
            rows = uow.messages.abandoned(now, BATCH)
            if not rows:
                return 0
            uow.messages.move([StateChange(row.id, row.state, MessageState.UNKNOWN, reason) for row in rows], now)
            open_attempts = [
                replace(attempt, state=MessageState.UNKNOWN, ask_at=now + ASK_UNKNOWN_AFTER)
                for attempt in uow.attempts.of_messages([row.id for row in rows])
                if attempt.state is MessageState.DISPATCHING
            ]
            uow.attempts.save(open_attempts)
            announce(uow, [Moved(row, MessageState.UNKNOWN, reason) for row in rows], now)
            uow.commit()
        return len(rows)

    def ask(self) -> bool:
        """Ask gateways about one batch of attempts, several at a time; tell whether more may be due."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            attempts = uow.attempts.to_ask(now, BATCH, now + _ASK_LEASE, self._asked)
            messages = uow.messages.many([attempt.message_id for attempt in attempts])
            uow.commit()
        asked = self._permitted(attempts)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ask") as pool:
            answers = pool.map(lambda attempt: self._answer(attempt, messages[attempt.message_id]), asked)
            for attempt, answer in zip(asked, answers, strict=True):
                self._record(attempt, answer)
        self._put_off([attempt for attempt in attempts if attempt not in asked], now)
        return len(attempts) == BATCH and len(asked) == BATCH

    def _permitted(self, attempts: Sequence[AttemptRow]) -> list[AttemptRow]:
        """Give those that may be asked for at the rate that gateways are asked at."""
        try:
            grants = self._limiter.take_each([[_bucket(attempt.gateway)] for attempt in attempts], is_urgent=False)
        except QueueUnavailableError:
            return []
        return [attempt for attempt, is_granted in zip(attempts, grants, strict=True) if is_granted]

    def _put_off(self, attempts: Sequence[AttemptRow], now: datetime) -> None:
        if not attempts:
            return
        with self._ledger.begin() as uow:
            known = uow.attempts.many([attempt.id for attempt in attempts])
            uow.attempts.save(
                [replace(row, ask_at=now + _NEXT_TURN) for row in known.values() if row.ask_at is not None]
            )
            uow.commit()

    def _answer(self, attempt: AttemptRow, message: MessageRow) -> _Answer:
        """Ask one gateway about one attempt; in a thread of its own."""
        gateway = self._gateways.get(attempt.gateway)
        if gateway is None:
            return _Answer(_Kind.UNASKABLE)
        with self._ledger.begin(write=False) as uow:
            known = uow.attempts.provider_ids_to(message.msisdn, attempt.requested_at - _SAME_CONVERSATION)
        query = AttemptQuery(
            attempt_id=attempt.id,
            provider_message_id=attempt.provider_message_id,
            to=message.msisdn,
            sender=attempt.sender,
            body=message.body,
            requested_at=attempt.requested_at,
            exclude=known - {attempt.provider_message_id},
        )
        try:
            report = gateway.find(query)
        except UnanswerableError:
            return _Answer(_Kind.UNASKABLE)
        except SendError as error:
            log.warning("reconcile.not_answered", attempt_id=attempt.id, code=error.code)
            return _Answer(_Kind.SILENT)
        except Exception as error:  # noqa: BLE001 - a defect over one attempt must not keep the others from their answers
            log.error("reconcile.defect", attempt_id=attempt.id, error=type(error).__name__)
            return _Answer(_Kind.SILENT)
        return _Answer(_Kind.NEVER_SEEN) if report is None else _Answer(_Kind.FOUND, report)

    def _record(self, attempt: AttemptRow, answer: _Answer) -> None:
        """Write down an answer; one that cannot be is asked for again when its lease is over."""
        now = self._clock.now()
        try:
            with self._ledger.begin() as uow:
                if answer.report is not None:
                    self._receipts.apply(uow, attempt.gateway, replace(answer.report, attempt_id=attempt.id), now)
                self._settle(uow, attempt.id, answer.kind, now)
                uow.commit()
        except Exception as error:  # noqa: BLE001 - the answers about the other attempts are still to be recorded
            log.error("reconcile.not_recorded", attempt_id=attempt.id, error=type(error).__name__)

    def _settle(self, uow: UnitOfWork, attempt_id: str, answer: _Kind, now: datetime) -> None:
        """Decide what follows from the answer; reads the rows again, since a receipt may have come meanwhile."""
        attempt = uow.attempts.many([attempt_id])[attempt_id]
        message = uow.messages.many([attempt.message_id], lock=True)[attempt.message_id]
        if attempt.ask_at is None:
            return
        patience_ends = attempt.requested_at + self._retries.patience(message.purpose)
        if message.policy is SendPolicy.AT_LEAST_ONCE and now >= patience_ends:
            # Also when it was found: taken is not delivered, and a second copy does less harm than waiting any longer.
            self._give_up(uow, attempt, message, now)
        elif answer is _Kind.NEVER_SEEN and attempt.state is MessageState.UNKNOWN:
            if now - attempt.requested_at < _CERTAIN_AFTER:
                certain = attempt.requested_at + _CERTAIN_AFTER
                is_urgent = message.policy is SendPolicy.AT_LEAST_ONCE
                self._ask_later(
                    uow, attempt, min(certain, patience_ends) if is_urgent else certain, asked=attempt.asked
                )
            else:
                self._never_seen(uow, attempt, message, now)
        elif answer is _Kind.UNASKABLE:
            self._wait_for_receipt(uow, attempt, message, patience_ends, now)
        elif attempt.asked < len(_ASK_AGAIN):
            self._ask_later(uow, attempt, now + _ASK_AGAIN[attempt.asked], asked=attempt.asked + 1)
        else:
            self._give_up(uow, attempt, message, now)

    def _wait_for_receipt(
        self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow, until: datetime, now: datetime
    ) -> None:
        """Leave an attempt that nobody can be asked about to its receipt, for as long as its purpose allows."""
        if now < until:
            self._ask_later(uow, attempt, until, asked=attempt.asked)
        else:
            self._give_up(uow, attempt, message, now)

    def _ask_later(self, uow: UnitOfWork, attempt: AttemptRow, at: datetime, *, asked: int) -> None:
        uow.attempts.save([replace(attempt, ask_at=at, asked=asked)])

    def _never_seen(self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow, now: datetime) -> None:
        """Queue a message again whose attempt certainly never reached the gateway."""
        failed = replace(attempt, state=MessageState.FAILED, error_class="transient", error_code="never_arrived")
        uow.attempts.save([replace(failed, ask_at=None, estimate=None, spent_on=None)])
        if self._is_latest(uow, attempt, message):
            reason = f"{attempt.gateway} has certainly never seen the attempt"
            over = message.expires_at is not None and message.expires_at <= now
            self._move(uow, message, MessageState.EXPIRED if over else MessageState.QUEUED, reason, now)
        spent = self._budgets.give_back(attempt, message.journey)
        uow.traffic.spend([] if spent is None else [spent])

    def _give_up(self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow, now: datetime) -> None:
        """Stop asking: resend by policy, or show the message to a person; a text once taken just stays as it is."""
        is_to_forget = attempt.gateway in self._redacting and attempt.provider_message_id is not None
        uow.attempts.save([replace(attempt, ask_at=None, redact_at=now if is_to_forget else attempt.redact_at)])
        if message.state not in _UNTOLD or not self._is_latest(uow, attempt, message):
            return
        over = message.expires_at is not None and message.expires_at <= now
        is_lost = message.state is MessageState.UNKNOWN or self._is_told_of(attempt.gateway)
        is_to_resend = message.policy is SendPolicy.AT_LEAST_ONCE and is_lost and not over
        if is_to_resend and self._retries.may_retry(message):
            self._move(uow, message, MessageState.QUEUED, "nobody can tell; its policy is to send again", now)
            return
        if message.state is not MessageState.UNKNOWN:
            return
        reason = "nobody can tell whether it went out; a person has to decide"
        self._move(uow, message, MessageState.DEAD_LETTER, reason, now)
        uow.timeline.add([_attention(message, reason, now)])

    def _is_told_of(self, gateway: str) -> bool:
        """Tell whether a gateway says what became of texts: silence of one that never does means nothing."""
        known = self._gateways.get(gateway)
        return known is not None and bool(known.capabilities.receipts)

    def _is_latest(self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow) -> bool:
        return message.tries <= 1 or uow.attempts.of_messages([message.id])[-1].id == attempt.id

    def _move(self, uow: UnitOfWork, message: MessageRow, target: MessageState, reason: str, now: datetime) -> None:
        is_resend = target is MessageState.QUEUED and may_resend(message.state, MessageState.UNDELIVERED)
        if not may_move(message.state, target) and not is_resend:
            return
        uow.messages.move([StateChange(message.id, message.state, target, reason, not_before=now)], now)
        announce(uow, [Moved(message, target, reason)], now)
        if target is MessageState.QUEUED:
            uow.nudge(send_lane(message.gateway, message.purpose.value))


_UNTOLD = frozenset({MessageState.UNKNOWN, MessageState.ACCEPTED, MessageState.SENT})
"""States in which a text may still be on its way; only those who would rather have two than none send again."""


class _Kind(Enum):
    FOUND = "found"
    NEVER_SEEN = "never seen"
    SILENT = "silent"  # the gateway could not be asked just now
    UNASKABLE = "unaskable"


@dataclass(frozen=True, slots=True)
class _Answer:
    kind: _Kind
    report: StatusReport | None = None


def _bucket(gateway: str) -> Bucket:
    return Bucket(f"ask:{gateway}", _ASKED_PER_SECOND, int(_ASKED_PER_SECOND))


def _attention(message: MessageRow, reason: str, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=message.account_id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject=f"message:{message.id}",
        discriminator="unknown",
        at=now,
        summary=reason,
        contact_id=message.contact_id,
        enrollment_id=message.enrollment_id,
        message_id=message.id,
        path=message.step,
    )
