"""What does a gateway's callback tell us about a message?

Callbacks wait in the inbox like every other webhook. A receipt may come late, twice, in any order, or before our own
record of the send: the attempt row was committed before the request left, so it always has something to meet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connector.domain.message import ErrorClass, MessageState, SendPolicy
from connector.domain.receipt import after_attempt, after_receipt
from connector.domain.retry import backoff
from connector.ports.attempts import AttemptRow
from connector.ports.gateway import CallbackRequest, IncomingSMS, SMSGateway, StatusReport
from connector.ports.inbox import InboxRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow, StateChange
from connector.ports.time import Clock
from connector.services.aftermath import Aftermath
from connector.services.announcing import Moved, announce
from connector.services.incoming_pieces import PieceDesk
from connector.services.number_facts import hold_numbers, may_speak_of_number
from connector.services.outcomes import sender_told
from connector.services.part_receipts import of_whole
from connector.services.redaction import redacting
from connector.services.route_scores import tally_of_receipt
from connector.services.stored_callbacks import request_of
from connector.services.sums import Sums

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
        aftermath: Aftermath,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._ledger, self._gateways, self._clock, self._rng = ledger, gateways, clock, rng
        self._retries, self._budgets = aftermath.retries, aftermath.budgets
        self._numbers, self._note_opt_out = aftermath.numbers, aftermath.note_opt_out
        self._pieces, self._redacting = PieceDesk(take_reply), redacting(gateways)

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

    def take_incomplete(self) -> int:
        """Read long texts whose other parts have not come in time as they are; give how many."""
        return self._pieces.take_incomplete(self._ledger, self._clock)

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
        request = request_of(row)
        readers = [self._read_receipts, self._read_replies]
        for read in reversed(readers) if kind == INBOUND else readers:
            outcomes = read(uow, slug, row, request, now)
            if outcomes:  # some gateways have one address for both: what is none of the one may be one of the other
                return None if None in outcomes else ", ".join(outcome or "" for outcome in outcomes)
        return ""

    def _read_receipts(
        self, uow: UnitOfWork, slug: str, row: InboxRow, request: CallbackRequest, now: datetime
    ) -> Sequence[str | None]:
        reports, sums = self._gateways[slug].read_status(request, row.context.get("attempt_id")), Sums()
        if len(reports) > 1:
            _hold(uow, slug, reports)
        outcomes = [self._apply(uow, slug, report, now, sums) for report in reports]
        sums.write(uow)
        return outcomes

    def _read_replies(
        self, uow: UnitOfWork, slug: str, _row: InboxRow, request: CallbackRequest, now: datetime
    ) -> Sequence[str | None]:
        return [self._pieces.take(uow, sms, slug, now) for sms in self._gateways[slug].read_incoming(request)]

    def _keep(self, uow: UnitOfWork, row: InboxRow, now: datetime) -> None:
        """Keep a receipt that matches nothing yet, for a while."""
        if now - row.received_at > _UNMATCHED_FOR:
            uow.inbox.finish([row.id], "matched no attempt", now)
        else:
            uow.inbox.postpone(row.id, "matches no attempt yet", self._again_at(row, now))

    def _again_at(self, row: InboxRow, now: datetime) -> datetime:
        return now + timedelta(seconds=1) + backoff(row.attempts + 1, self._rng, _RETRY_BASE, _RETRY_CAP)

    def apply(
        self, uow: UnitOfWork, gateway: str, report: StatusReport, now: datetime, sums: Sums | None = None
    ) -> str | None:
        """Apply one report; give a word for what it came to, None when no attempt matches it yet.

        Whoever has more to write gives `sums`, and writes them at the end.
        """
        if sums is not None:
            return self._apply(uow, gateway, report, now, sums)
        own = Sums()
        outcome = self._apply(uow, gateway, report, now, own)
        own.write(uow)
        return outcome

    def _apply(self, uow: UnitOfWork, gateway: str, report: StatusReport, now: datetime, sums: Sums) -> str | None:
        part = uow.attempts.part(gateway, report.provider_message_id) if report.provider_message_id else None
        if part is not None:
            report = of_whole(uow, part, report)
        attempt = _attempt_of(uow, gateway, report)
        if attempt is None:
            return None
        theirs = attempt.provider_message_id
        if attempt.gateway != gateway or (
            theirs and report.provider_message_id and theirs != report.provider_message_id
        ):
            return "ignored: names another message than the attempt's"
        message = uow.messages.many([attempt.message_id], lock=True)[attempt.message_id]
        if part is None and message.segments > 1 and attempt.state is MessageState.DISPATCHING:
            return None  # the answer, which is on its way, tells whether this is the whole text or a part of it
        told = self._told(attempt, message, report, now)
        # One text to a dead number is one sign of it, however often it is told.
        is_of_number = told.state is not attempt.state and self._numbers.has_to_hear(uow, message, report)
        if is_of_number or report.error_class is ErrorClass.OPTED_OUT:
            hold_numbers(uow, [message])  # before anybody is woken: see `services.outcomes`
        outcome = self._move(uow, message, attempt, report, now)
        uow.attempts.save([told])
        if report.error_class is ErrorClass.OPTED_OUT:
            self._note_opt_out(uow, message, attempt.id, now)
        if is_of_number:
            self._numbers.hear(uow, message, gateway, report, now)
        sums.add(self._budgets.correct(attempt, told, message.journey))
        sums.add(tally_of_receipt(attempt, told, message.country, now))
        return outcome

    def _move(
        self, uow: UnitOfWork, message: MessageRow, attempt: AttemptRow, report: StatusReport, now: datetime
    ) -> str:
        """Move the message as far as this attempt speaks for it."""
        attempts = uow.attempts.of_messages([message.id]) if message.tries > 1 else [attempt]
        is_latest, was_settled = attempts[-1].id == attempt.id, attempt.settled_at is not None
        state = after_attempt(message.state, report.state, is_latest=is_latest, was_settled=was_settled)
        again = self._retries.after_bad_end(message, attempts, report, now) if state in _BAD_ENDS else None
        if again is not None and state is not message.state:
            change = StateChange(message.id, message.state, again.state, again.reason, not_before=again.at)
            uow.messages.move([change], now)
            announce(uow, [Moved(message, again.state, again.reason, _data(attempt.gateway, report))], now)
            return again.state.value
        change = _change(message, state, report, now)
        uow.messages.move([replace(change, sender=_sender(message, report)) if is_latest else change], now)
        if state is message.state:
            return f"adds nothing to {message.state}"
        announce(uow, [Moved(message, state, _reason(report), _data(attempt.gateway, report))], now)
        return state.value

    def _told(self, attempt: AttemptRow, message: MessageRow, report: StatusReport, now: datetime) -> AttemptRow:
        state = after_receipt(attempt.state, report.state)
        news = state is not attempt.state
        waiting = state in {MessageState.UNKNOWN, MessageState.ACCEPTED, MessageState.SENT}
        ask_at = now + self._retries.silence(message.purpose) if news else attempt.ask_at
        has_ended = attempt.settled_at is None and report.state in _ENDS
        return replace(
            attempt,
            state=state,
            sender=_sender(attempt, report),
            provider_message_id=attempt.provider_message_id or report.provider_message_id or None,
            raw_status=report.raw_status if news else attempt.raw_status,
            error_code=(report.error_code or "") if news else attempt.error_code,
            error_class=(report.error_class or "") if news else attempt.error_class,
            price=report.price if report.price is not None else attempt.price,
            currency=report.currency or attempt.currency,
            segments=report.segments or attempt.segments,
            carrier=attempt.carrier or (report.carrier or "")[:_LONGEST_CARRIER],
            ask_at=ask_at if waiting else None,
            is_urgent=message.policy is SendPolicy.AT_LEAST_ONCE,
            settled_at=now if has_ended else attempt.settled_at,
            redact_at=now if has_ended and attempt.gateway in self._redacting else attempt.redact_at,
        )


_BAD_ENDS = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.EXPIRED})
_ENDS = _BAD_ENDS | {MessageState.DELIVERED}
_LONGEST_CARRIER = 64  # characters kept of a name that a gateway gives


def _hold(uow: UnitOfWork, gateway: str, reports: Sequence[StatusReport]) -> None:
    """Hold everything that a callback with several reports touches, in the order in which everybody does.

    Attempts, then their messages, then numbers: two callbacks that name the same texts would else wait for each other.
    """
    told = [report.attempt_id for report in reports if report.attempt_id]
    theirs = [report.provider_message_id for report in reports if report.provider_message_id]
    attempts = uow.attempts.many(sorted({*told, *uow.attempts.named(gateway, theirs)}))
    messages = uow.messages.many(sorted({attempt.message_id for attempt in attempts.values()}), lock=True)
    if any(may_speak_of_number(report) for report in reports):
        hold_numbers(uow, list(messages.values()))


def _attempt_of(uow: UnitOfWork, gateway: str, report: StatusReport) -> AttemptRow | None:
    if report.attempt_id:
        found = uow.attempts.many([report.attempt_id]).get(report.attempt_id)
        if found is not None:
            return found
    if not report.provider_message_id:
        return None
    return uow.attempts.by_provider_ids(gateway, [report.provider_message_id]).get(report.provider_message_id)


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


def _sender(row: AttemptRow | MessageRow, report: StatusReport) -> str | None:
    """Give who a text came from: a vendor that chooses by itself may tell with a receipt only."""
    return row.sender or sender_told(report.sender)


def _reason(report: StatusReport) -> str:
    code = f" (error {report.error_code})" if report.error_code else ""
    return f"the gateway reports {report.raw_status}{code}"


def _data(gateway: str, report: StatusReport) -> dict[str, str]:
    data = {"gateway": gateway, "raw_status": report.raw_status}
    if report.error_code:
        data["error_code"] = report.error_code
    return data
