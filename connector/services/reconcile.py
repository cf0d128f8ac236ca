"""What became of attempts nobody has told us about?

Three kinds are asked for: claims whose worker died, requests whose answer never came, and texts that were taken but
stay silent. Only when the gateway has certainly never seen an attempt is its message queued again; where the gateway
cannot tell, a one-time code is sent again and everything else is shown to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connector.domain.message import MessageState, SendPolicy
from connector.domain.receipt import may_move
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import SendError
from connector.ports.gateway import AttemptQuery, SMSGateway, StatusReport
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import AttemptRow, MessageRow, StateChange
from connector.ports.queue import send_lane
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce
from connector.services.outcomes import ASK_UNKNOWN_AFTER
from connector.services.receipts import ReceiptReader

log = structlog.get_logger(__name__)

BATCH = 50  # asking costs one request each: fifty take a few seconds
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
        self, ledger: Ledger, gateways: Mapping[str, SMSGateway], receipts: ReceiptReader, clock: Clock
    ) -> None:
        self._ledger, self._gateways, self._receipts, self._clock = ledger, gateways, receipts, clock

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
        """Ask gateways about one batch of attempts; tell whether more may be due."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            attempts = uow.attempts.to_ask(now, BATCH, now + _ASK_LEASE)
            messages = uow.messages.many([attempt.message_id for attempt in attempts])
            uow.commit()
        for attempt in attempts:
            self._ask_one(attempt, messages[attempt.message_id])
        return len(attempts) == BATCH

    def _ask_one(self, attempt: AttemptRow, message: MessageRow) -> None:
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
        report: StatusReport | None = None
        could_ask = attempt.gateway in self._gateways
        try:
            report = self._gateways[attempt.gateway].find(query) if could_ask else None
        except SendError as error:
            log.warning("reconcile.not_answered", attempt_id=attempt.id, code=error.code)
            could_ask = False
        now = self._clock.now()
        with self._ledger.begin() as uow:
            if report is not None:
                self._receipts.apply(uow, attempt.gateway, replace(report, attempt_id=attempt.id), now)
            self._settle(uow, attempt.id, could_ask=could_ask, found=report is not None, now=now)
            uow.commit()

    def _settle(self, uow: UnitOfWork, attempt_id: str, *, could_ask: bool, found: bool, now: datetime) -> None:
        """Decide what follows from the answer; reads the rows again, since a receipt may have come meanwhile."""
        attempt = uow.attempts.many([attempt_id])[attempt_id]
        message = uow.messages.many([attempt.message_id], lock=True)[attempt.message_id]
        if attempt.ask_at is None:
            return
        if could_ask and not found and attempt.state is MessageState.UNKNOWN:
            if now - attempt.requested_at < _CERTAIN_AFTER:
                self._ask_later(uow, attempt, attempt.requested_at + _CERTAIN_AFTER, asked=attempt.asked)
            else:
                self._never_seen(uow, attempt, message, now)
        elif attempt.asked < len(_ASK_AGAIN):
            self._ask_later(uow, attempt, now + _ASK_AGAIN[attempt.asked], asked=attempt.asked + 1)
        else:
            self._give_up(uow, attempt, message, now)

    def _ask_later(self, uow: UnitOfWork, attempt: AttemptRow, at: datetime, *, asked: int) -> None:
        uow.attempts.save([replace(attempt, ask_at=at, asked=asked)])

    def _never_seen(self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow, now: datetime) -> None:
        """Queue a message again whose attempt certainly never reached the gateway."""
        uow.attempts.save(
            [
                replace(
                    attempt, state=MessageState.FAILED, error_class="transient", error_code="never_arrived", ask_at=None
                )
            ]
        )
        reason = f"{attempt.gateway} has certainly never seen the attempt"
        over = message.expires_at is not None and message.expires_at <= now
        self._move(uow, message, MessageState.EXPIRED if over else MessageState.QUEUED, reason, now)

    def _give_up(self, uow: UnitOfWork, attempt: AttemptRow, message: MessageRow, now: datetime) -> None:
        """Stop asking: resend by policy, or show the message to a person; a text once taken just stays as it is."""
        uow.attempts.save([replace(attempt, ask_at=None)])
        if message.state is not MessageState.UNKNOWN:
            return
        over = message.expires_at is not None and message.expires_at <= now
        if message.policy is SendPolicy.AT_LEAST_ONCE and not over:
            self._move(uow, message, MessageState.QUEUED, "nobody can tell; its policy is to send again", now)
            return
        reason = "nobody can tell whether it went out; a person has to decide"
        self._move(uow, message, MessageState.DEAD_LETTER, reason, now)
        uow.timeline.add([_attention(message, reason, now)])

    def _move(self, uow: UnitOfWork, message: MessageRow, target: MessageState, reason: str, now: datetime) -> None:
        if not may_move(message.state, target):
            return
        uow.messages.move([StateChange(message.id, message.state, target, reason, not_before=now)], now)
        announce(uow, [Moved(message, target, reason)], now)
        if target is MessageState.QUEUED:
            uow.nudge(send_lane(message.gateway, message.purpose.value))


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
