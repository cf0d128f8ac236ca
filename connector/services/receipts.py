"""What does a gateway's callback tell us about a message?

Callbacks wait in the inbox like every other webhook. A receipt may come late, twice, in any order, or before our own
record of the send: the attempt row was committed before the request left, so it always has something to meet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connector.domain.message import ErrorClass, MessageState
from connector.domain.receipt import after_receipt
from connector.domain.retry import backoff
from connector.ports.gateway import CallbackRequest, IncomingSMS, SMSGateway, StatusReport
from connector.ports.inbox import InboxRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import AttemptRow, MessageRow, StateChange
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce
from connector.services.outcomes import ASK_SILENT_AFTER

log = structlog.get_logger(__name__)

BATCH = 100
_LEASE = timedelta(seconds=60)  # a batch takes well under a second; a minute tells a dead worker from a slow one
_UNMATCHED_FOR = timedelta(days=3)  # vendors retry and delay receipts for up to two days; then nothing will match
_RETRY_BASE, _RETRY_CAP = timedelta(seconds=5), timedelta(hours=1)

STATUS, INBOUND = "status", "inbound"


def source(gateway: str, kind: str) -> str:
    """Name the inbox source of a gateway's callbacks, such as `twilio.status`."""
    return f"{gateway}.{kind}"


class ReceiptReader:
    """Drains the callbacks of every gateway."""

    def __init__(
        self,
        ledger: Ledger,
        gateways: Mapping[str, SMSGateway],
        take_reply: Callable[[UnitOfWork, IncomingSMS, str, datetime], str],
        note_opt_out: Callable[[UnitOfWork, MessageRow, str, datetime], None],
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._ledger, self._gateways, self._clock, self._rng = ledger, gateways, clock, rng
        self._take_reply, self._note_opt_out = take_reply, note_opt_out

    def drain(self) -> bool:
        """Work one batch of callbacks; tell whether more may wait."""
        now = self._clock.now()
        sources = [source(slug, kind) for slug in self._gateways for kind in (STATUS, INBOUND)]
        with self._ledger.begin() as uow:
            rows = uow.inbox.claim(sources, BATCH, now, now + _LEASE)
            uow.commit()
        for row in rows:
            self._work(row)
        return len(rows) == BATCH

    def _work(self, row: InboxRow) -> None:
        """Handle one callback in a transaction of its own, so that a poisoned one harms no other."""
        now = self._clock.now()
        try:
            with self._ledger.begin() as uow:
                outcome = self._understand(uow, row, now)
                if outcome is None:
                    self._keep(uow, row, now)
                else:
                    uow.inbox.finish([row.id], outcome, now)
                uow.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, the row must not block the lane
            log.error("callback.failed", inbox_id=row.id, source=row.source, error=type(error).__name__)
            with self._ledger.begin() as uow:
                uow.inbox.postpone(row.id, f"{type(error).__name__}", self._again_at(row, now))
                uow.commit()

    def _understand(self, uow: UnitOfWork, row: InboxRow, now: datetime) -> str | None:
        slug, _, kind = row.source.partition(".")
        gateway = self._gateways[slug]
        request = CallbackRequest(
            method=row.context["method"], url=row.context["url"], headers=row.context["headers"], body=row.body
        )
        if kind == INBOUND:
            return ", ".join(self._take_reply(uow, sms, slug, now) for sms in gateway.read_incoming(request))
        reports = gateway.read_status(request, row.context.get("attempt_id"))
        outcomes = [self.apply(uow, slug, report, now) for report in reports]
        return None if None in outcomes else ", ".join(outcome or "" for outcome in outcomes)

    def _keep(self, uow: UnitOfWork, row: InboxRow, now: datetime) -> None:
        """Keep a receipt that matches nothing yet, for a while."""
        if now - row.received_at > _UNMATCHED_FOR:
            uow.inbox.finish([row.id], "matched no attempt", now)
        else:
            uow.inbox.postpone(row.id, "matches no attempt yet", self._again_at(row, now))

    def _again_at(self, row: InboxRow, now: datetime) -> datetime:
        return now + timedelta(seconds=1) + backoff(row.attempts + 1, self._rng, _RETRY_BASE, _RETRY_CAP)

    def apply(self, uow: UnitOfWork, gateway: str, report: StatusReport, now: datetime) -> str | None:
        """Apply one report; give a word for what it came to, None when no attempt matches it yet."""
        attempt = _attempt_of(uow, gateway, report)
        if attempt is None:
            return None
        theirs = attempt.provider_message_id
        if attempt.gateway != gateway or (
            theirs and report.provider_message_id and theirs != report.provider_message_id
        ):
            return "ignored: names another message than the attempt's"
        message = uow.messages.many([attempt.message_id], lock=True)[attempt.message_id]
        state = after_receipt(message.state, report.state)
        uow.attempts.save([_told(attempt, report, now)])
        uow.messages.move([_change(message, state, report, now)], now)
        if state is not message.state:
            announce(uow, [Moved(message, state, _reason(report), _data(gateway, report))], now)
        if report.error_class is ErrorClass.OPTED_OUT:
            self._note_opt_out(uow, message, attempt.id, now)
        return state.value if state is not message.state else f"adds nothing to {message.state}"


def _attempt_of(uow: UnitOfWork, gateway: str, report: StatusReport) -> AttemptRow | None:
    if report.attempt_id:
        found = uow.attempts.many([report.attempt_id]).get(report.attempt_id)
        if found is not None:
            return found
    if not report.provider_message_id:
        return None
    return uow.attempts.by_provider_ids(gateway, [report.provider_message_id]).get(report.provider_message_id)


def _told(attempt: AttemptRow, report: StatusReport, now: datetime) -> AttemptRow:
    state = after_receipt(attempt.state, report.state)
    news = state is not attempt.state
    waiting = state in {MessageState.UNKNOWN, MessageState.ACCEPTED, MessageState.SENT}
    return replace(
        attempt,
        state=state,
        provider_message_id=attempt.provider_message_id or report.provider_message_id or None,
        raw_status=report.raw_status if news else attempt.raw_status,
        error_code=(report.error_code or "") if news else attempt.error_code,
        error_class=(report.error_class or "") if news else attempt.error_class,
        price=report.price if report.price is not None else attempt.price,
        currency=report.currency or attempt.currency,
        segments=report.segments or attempt.segments,
        ask_at=(now + ASK_SILENT_AFTER if news else attempt.ask_at) if waiting else None,
    )


def _change(message: MessageRow, state: MessageState, report: StatusReport, now: datetime) -> StateChange:
    news = state is not message.state
    return StateChange(
        message.id,
        message.state,
        state,
        _reason(report) if news else message.state_reason,
        sent_at=now if message.sent_at is None and state is not MessageState.FAILED else None,
        provider_message_id=None if message.provider_message_id else report.provider_message_id or None,
        cost=report.price,
        currency=report.currency,
    )


def _reason(report: StatusReport) -> str:
    code = f" (error {report.error_code})" if report.error_code else ""
    return f"the gateway reports {report.raw_status}{code}"


def _data(gateway: str, report: StatusReport) -> dict[str, str]:
    data = {"gateway": gateway, "raw_status": report.raw_status}
    if report.error_code:
        data["error_code"] = report.error_code
    return data
