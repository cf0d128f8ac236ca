"""What became of attempts nobody has told us about?

Three kinds are asked for: claims whose worker died, requests whose answer never came, and texts that were taken but
stay silent. Only when the gateway has certainly never seen an attempt is its message queued again; where the gateway
cannot tell, a one-time code is sent again and everything else is shown to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connector.domain.message import MessageState, SendPolicy
from connector.domain.receipt import may_move, may_resend
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.attempts import AttemptRow, Gateways
from connector.ports.gateway import SMSGateway
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow, StateChange
from connector.ports.queue import Bucket, SendLimiter, send_lane
from connector.ports.time import Clock
from connector.ports.traffic import Spending
from connector.services.aftermath import Aftermath
from connector.services.announcing import Moved, announce
from connector.services.asking import apart, ask_each, permitted
from connector.services.inquiries import Answer, Inquirer, Kind
from connector.services.outcomes import ASK_UNKNOWN_AFTER
from connector.services.receipts import ReceiptReader
from connector.services.redaction import redacting
from connector.services.sums import Sums

log = structlog.get_logger(__name__)

BATCH = 50  # asking costs one request each: fifty take a second or two
_ASKED_PER_SECOND = 20.0  # per gateway over all processes: a fifth of what gateways allow for sends
_NEXT_TURN = timedelta(seconds=2)  # for those the rate keeps back
_ASK_LEASE = timedelta(minutes=2)
_SPARED_FOR = timedelta(seconds=30)
"""A gateway that is down, or hangs, is not asked for so long; it counts as no question."""

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
        is_open: Callable[[str], bool],
    ) -> None:
        """`is_open` tells whether a gateway's circuit is open, so that it is better left alone."""
        self._ledger, self._gateways, self._receipts, self._clock = ledger, gateways, receipts, clock
        self._asked, self._redacting, self._is_open = asked, redacting(gateways), is_open
        self._inquirer = Inquirer(ledger, gateways)
        self._retries, self._budgets, self._limiter = aftermath.retries, aftermath.budgets, limiter

    def free_abandoned(self) -> int:
        """Make claims whose lease ran out `unknown`: their worker may have died before or after the request left.

        Attempts are held before their messages, as receipts hold them, so that the two never wait for each other.
        """
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            found = {row.id for row in uow.messages.abandoned(now, BATCH)}
        if not found:
            return 0
        reason = "its worker died with the request; asking before anything is sent again"
        with self._ledger.begin() as uow:
            attempts = uow.attempts.many([attempt.id for attempt in uow.attempts.of_messages(sorted(found))])
            rows = {row.id: row for row in uow.messages.abandoned(now, BATCH) if row.id in found}
            changes = [StateChange(row.id, row.state, MessageState.UNKNOWN, reason) for row in rows.values()]
            uow.messages.move(changes, now)
            uow.attempts.save(
                [
                    replace(
                        attempt,
                        state=MessageState.UNKNOWN,
                        ask_at=now + ASK_UNKNOWN_AFTER,
                        is_urgent=_is_urgent(rows[attempt.message_id]),
                    )
                    for attempt in attempts.values()
                    if attempt.state is MessageState.DISPATCHING and attempt.message_id in rows
                ]
            )
            announce(uow, [Moved(row, MessageState.UNKNOWN, reason) for row in rows.values()], now)
            uow.commit()
        return len(rows)

    def ask(self) -> bool:
        """Ask gateways about one batch of attempts, several at a time; tell whether more may be due."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            attempts = uow.attempts.to_ask(now, BATCH, now + _ASK_LEASE, self._asked)
            messages = uow.messages.many([attempt.message_id for attempt in attempts])
            uow.commit()
        down = {gateway for gateway in {attempt.gateway for attempt in attempts} if self._is_open(gateway)}
        up = [attempt for attempt in attempts if attempt.gateway not in down]
        together = apart(up, lambda attempt: messages[attempt.message_id].msisdn)
        turns = permitted(self._limiter, together, _bucket)
        answers = ask_each(
            turns,
            lambda attempt: self._inquirer.answer(attempt, messages[attempt.message_id]),
            lambda answer: answer.kind is Kind.SILENT,
        )
        asked = [(attempt, answer) for attempt, answer in zip(turns, answers, strict=True) if answer is not None]
        for attempt, answer in asked:
            self._record(attempt, answer)
        self._put_off([attempt for attempt in up if attempt not in turns], now + _NEXT_TURN)
        hanging = [attempt for attempt, answer in zip(turns, answers, strict=True) if answer is None]
        self._spare([*(attempt for attempt in attempts if attempt.gateway in down), *hanging], messages)
        return len(asked) == BATCH

    def _spare(self, attempts: Sequence[AttemptRow], messages: Mapping[str, MessageRow]) -> None:
        """Leave gateways alone that do not answer; whoever has lost patience with a text waits for none of them."""
        now = self._clock.now()
        later = now + _SPARED_FOR
        for attempt in attempts:
            message = messages[attempt.message_id]
            patience_ends = attempt.requested_at + self._retries.patience(message.purpose)
            if not _is_urgent(message) or now < patience_ends:
                self._put_off([attempt], min(later, patience_ends) if _is_urgent(message) else later)
            else:
                self._record(attempt, Answer(Kind.SILENT))

    def _put_off(self, attempts: Sequence[AttemptRow], until: datetime) -> None:
        if not attempts:
            return
        with self._ledger.begin() as uow:
            known = uow.attempts.many([attempt.id for attempt in attempts])
            uow.attempts.save([replace(row, ask_at=until) for row in known.values() if row.ask_at is not None])
            uow.commit()

    def _record(self, attempt: AttemptRow, answer: Answer) -> None:
        """Write down an answer; one that cannot be is asked for again when its lease is over."""
        now, sums = self._clock.now(), Sums()
        try:
            with self._ledger.begin() as uow:
                if answer.report is not None:
                    report = replace(answer.report, attempt_id=attempt.id)
                    self._receipts.apply(uow, attempt.gateway, report, now, sums)
                sums.add(self._settle(uow, attempt.id, answer.kind, now))
                sums.write(uow)
                uow.commit()
        except Exception as error:  # noqa: BLE001 - the answers about the other attempts are still to be recorded
            log.error("reconcile.not_recorded", attempt_id=attempt.id, error=type(error).__name__)

    def _settle(self, uow: UnitOfWork, attempt_id: str, answer: Kind, now: datetime) -> Spending | None:
        """Decide what follows from the answer; reads the rows again, since a receipt may have come meanwhile.

        Gives what is to be taken off what was spent.
        """
        attempt = uow.attempts.many([attempt_id])[attempt_id]
        message = uow.messages.many([attempt.message_id], lock=True)[attempt.message_id]
        if attempt.ask_at is None:
            return None
        patience_ends = attempt.requested_at + self._retries.patience(message.purpose)
        if _is_urgent(message) and now >= patience_ends:
            # Also when it was found: taken is not delivered, and a second copy does less harm than waiting any longer.
            self._give_up(uow, attempt, message, now)
        elif answer is Kind.NEVER_SEEN and attempt.state is MessageState.UNKNOWN:
            certain = attempt.requested_at + _CERTAIN_AFTER
            if now >= certain:
                return self._never_seen(uow, attempt, message, now)
            at = min(certain, patience_ends) if _is_urgent(message) else certain
            self._ask_later(uow, attempt, at, asked=attempt.asked)
        elif answer is Kind.UNASKABLE:
            self._wait_for_receipt(uow, attempt, message, patience_ends, now)
        elif attempt.asked < len(_ASK_AGAIN):
            self._ask_later(uow, attempt, now + _ASK_AGAIN[attempt.asked], asked=attempt.asked + 1)
        else:
            self._give_up(uow, attempt, message, now)
        return None

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

    def _never_seen(self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow, now: datetime) -> Spending | None:
        """Queue a message again whose attempt certainly never reached the gateway, as often as its purpose allows."""
        failed = replace(attempt, state=MessageState.FAILED, error_class="transient", error_code="never_arrived")
        uow.attempts.save([replace(failed, ask_at=None, estimate=None, spent_on=None)])
        if self._is_latest(uow, attempt, message):
            reason = f"{attempt.gateway} has certainly never seen the attempt"
            if self._retries.is_over(message, now):
                self._move(uow, message, MessageState.EXPIRED, reason, now)
            elif self._retries.may_retry(message):
                self._move(uow, message, MessageState.QUEUED, reason, now)
            else:
                self._hand_over(uow, message, f"{reason}; gave up after {message.recent_tries} tries", now)
        return self._budgets.give_back(attempt, message.journey)

    def _give_up(self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow, now: datetime) -> None:
        """Stop asking: resend by policy, or show the message to a person; a text once taken stays, and says so.

        A code that was taken and of which nothing is heard goes once more, not over and over: some carriers never tell.
        """
        is_to_forget = attempt.gateway in self._redacting and attempt.provider_message_id is not None
        uow.attempts.save([replace(attempt, ask_at=None, redact_at=now if is_to_forget else attempt.redact_at)])
        if message.state not in _UNTOLD or not self._is_latest(uow, attempt, message):
            return
        over = self._retries.is_over(message, now)
        is_silent = self._is_told_of(attempt.gateway) and message.recent_tries == 1
        is_to_resend = _is_urgent(message) and not over and (message.state is MessageState.UNKNOWN or is_silent)
        if is_to_resend and self._retries.may_retry(message):
            self._move(uow, message, MessageState.QUEUED, "nobody can tell; its policy is to send again", now)
            return
        if message.state is MessageState.UNKNOWN:
            self._hand_over(uow, message, "nobody can tell whether it went out; a person has to decide", now)
            return
        uow.messages.move([StateChange(message.id, message.state, message.state, _NO_RECEIPT)], now)

    def _hand_over(self, uow: UnitOfWork, message: MessageRow, reason: str, now: datetime) -> None:
        """Leave a text to a person."""
        if self._move(uow, message, MessageState.DEAD_LETTER, reason, now):
            uow.timeline.add([_attention(message, reason, now)])

    def _is_told_of(self, gateway: str) -> bool:
        """Tell whether a gateway says what became of texts: silence of one that never does means nothing."""
        known = self._gateways.get(gateway)
        return known is not None and bool(known.capabilities.receipts)

    def _is_latest(self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow) -> bool:
        return message.tries <= 1 or uow.attempts.of_messages([message.id])[-1].id == attempt.id

    def _move(self, uow: UnitOfWork, message: MessageRow, target: MessageState, reason: str, now: datetime) -> bool:
        """Move a text where it may go; tell whether it may."""
        is_resend = target is MessageState.QUEUED and may_resend(message.state, MessageState.UNDELIVERED)
        if not may_move(message.state, target) and not is_resend:
            return False
        uow.messages.move([StateChange(message.id, message.state, target, reason, not_before=now)], now)
        announce(uow, [Moved(message, target, reason)], now)
        if target is MessageState.QUEUED:
            uow.nudge(send_lane(message.gateway, message.purpose.value))
        return True


_NO_RECEIPT = "the gateway has it; no receipt came, and asking on would tell nothing more"

_UNTOLD = frozenset({MessageState.UNKNOWN, MessageState.ACCEPTED, MessageState.SENT})
"""States in which a text may still be on its way; only those who would rather have two than none send again."""


def _is_urgent(message: MessageRow) -> bool:
    """Tell whether a text is rather sent twice than not at all."""
    return message.policy is SendPolicy.AT_LEAST_ONCE


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
