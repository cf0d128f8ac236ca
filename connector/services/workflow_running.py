"""How do the calls of workflows get carried out, and how do the workflows that wait go on?

A drain of the workflows lane takes what is due: calls whose text is still to be ordered, waits that are over, and
results the CRM has not been told. Reading and telling are done outside of transactions, and both may be repeated: a
text is ordered under its call's own key, and a workflow that has gone on is not told twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connector.domain.message import MessageState
from connector.domain.retry import backoff
from connector.errors import CRMError, CRMRefusedError
from connector.ports.consents import Scope
from connector.ports.crm import MISSING_SCOPES, CRMAccount
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.time import Clock
from connector.ports.workflows import (
    CallMove,
    CallState,
    Completion,
    CompletionResult,
    WaitsFor,
    WorkflowCallRow,
    WorkflowCRM,
)
from connector.services.crm_reading import CRMReader, Reading
from connector.services.workflow_orders import result_of
from connector.services.workflow_telling import end_of_wait
from connector.services.workflow_texts import UnorderableError, WorkflowTexts, note_no_text

log = structlog.get_logger(__name__)

BATCH = 100
"""Calls of one drain: as many as HubSpot lets go on in one call."""

LEASE = timedelta(minutes=5)
"""Longer than a drain that reads records, contacts and owners of a few accounts, each call with its time-outs."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=1)
"""Workflows wait for minutes: a CRM that is back is noticed within one."""

_YOUNG = timedelta(minutes=1)
"""So long after a call the CRM may not have noted yet that its workflow waits: our answer has to arrive and be kept."""

_BLOCKED = frozenset({"suppressed", "failed", "undelivered"})
"""Results behind which an opt-out may stand, which a workflow wants to branch on."""


class WorkflowRunner:
    """Drains the workflows lane.

    Args of the constructor:
        crms: those whose workflows can wait for us.
    """

    def __init__(
        self,
        ledger: Ledger,
        reader: CRMReader,
        texts: WorkflowTexts,
        crms: Mapping[str, WorkflowCRM],
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._ledger, self._reader, self._texts, self._crms = ledger, reader, texts, crms
        self._clock, self._rng = clock, rng

    def drain(self) -> bool:
        """Work one batch; tell whether more is due, be it what this one has just come to."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            calls = uow.workflow_calls.claim(BATCH, now, now + LEASE)
            uow.commit()
        self._look_again([call for call in calls if call.state is CallState.WAITING])
        live = self._without_late([call for call in calls if call.state is not CallState.WAITING])
        for step, state in ((self._order, CallState.ORDERED), (self._complete, CallState.COMPLETING)):
            self._by_account(step, [call for call in live if call.state is state])
        with self._ledger.begin(write=False) as uow:
            return bool(calls) and uow.workflow_calls.any_due(self._clock.now())

    # -- waits

    def _look_again(self, calls: Sequence[WorkflowCallRow]) -> None:
        """End waits that are over, and those for texts that are held back for longer than the workflow waits."""
        if not calls:
            return
        now = self._clock.now()
        with self._ledger.begin() as uow:
            held = uow.messages.many([call.message_id for call in calls])
            moves = []
            for call in calls:
                message = held.get(call.message_id)
                if call.expires_at <= now:
                    moves.append(_late(call, "nothing came of it in time"))
                elif (
                    message is not None and message.state is MessageState.HELD and message.not_before >= call.expires_at
                ):
                    moves.append(end_of_wait(call, "held", message.state_reason, now))
                else:
                    moves.append(CallMove(call.id, call.state, call.state, not_before=call.expires_at))
            uow.workflow_calls.move(moves, now)
            uow.commit()

    def _without_late(self, calls: Sequence[WorkflowCallRow]) -> list[WorkflowCallRow]:
        """Finish calls for which it is too late: the workflow has gone on by itself, or the text is worth nothing."""
        now = self._clock.now()
        late = [call for call in calls if call.expires_at <= now]
        if late:
            self._end([_late(call, call.error or "it was too late") for call in late], late)
        return [call for call in calls if call.expires_at > now]

    # -- texts

    def _order(self, account: AccountRow, calls: Sequence[WorkflowCallRow]) -> None:
        """Order the texts of an account's calls; read for all of them together, apart when the CRM refuses that."""
        try:
            reading = self._reader.read_events(account, [self._texts.wanted(account, call) for call in calls])
        except CRMRefusedError as error:
            if error.category == MISSING_SCOPES:
                self._put_off(calls, error)
            elif len(calls) > 1:
                for call in calls:
                    self._order(account, [call])
            else:
                self._end([_failed(calls[0], str(error), self._clock.now())], calls)
        except CRMError as error:
            self._put_off(calls, error)
        else:
            self._put(account, calls, reading)

    def _put(self, account: AccountRow, calls: Sequence[WorkflowCallRow], reading: Reading) -> None:
        now = self._clock.now()
        with self._ledger.begin() as uow:
            uow.workflow_calls.move([self._ordered(uow, account, call, reading, now) for call in calls], now)
            uow.commit()

    def _ordered(
        self, uow: UnitOfWork, account: AccountRow, call: WorkflowCallRow, reading: Reading, now: datetime
    ) -> CallMove:
        try:
            self._texts.order(uow, account, call, reading, now)
        except UnorderableError as error:
            return _failed(call, str(error), now)
        if call.waits_for is WaitsFor.NOTHING:
            return CallMove(call.id, call.state, CallState.DONE, "queued")
        return CallMove(call.id, call.state, CallState.WAITING, not_before=call.expires_at)

    # -- results

    def _complete(self, account: AccountRow, calls: Sequence[WorkflowCallRow]) -> None:
        """Tell an account's CRM the results of calls, together; apart when it refuses them together."""
        crm = self._crms.get(account.crm)
        if crm is None:
            self._move([_late(call, "the CRM's workflows cannot be told") for call in calls])
            return
        calls = self._refined(calls)
        acting = CRMAccount(account.id, account.external_id, account.settings)
        try:
            results = crm.complete_calls(acting, self._completions(calls))
        except CRMError as error:
            self._put_off(calls, error)
            return
        self._settle(calls, results)

    def _completions(self, calls: Sequence[WorkflowCallRow]) -> list[Completion]:
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            return [
                Completion(call.callback_id, result_of(uow, call), is_young=now < call.received_at + _YOUNG)
                for call in calls
            ]

    def _settle(self, calls: Sequence[WorkflowCallRow], results: Sequence[CompletionResult]) -> None:
        errors = {result.callback_id: result.error for result in results}
        told = []
        for call in calls:
            error = errors.get(call.callback_id)
            if error is None or _is_final(error):
                told.append(_done(call, error))
            else:
                self._put_off([call], error)
        self._move(told)

    def _refined(self, calls: Sequence[WorkflowCallRow]) -> list[WorkflowCallRow]:
        """Say of texts that did not arrive that their reader opted out, where that is why."""
        blocked = [call for call in calls if call.result in _BLOCKED]
        if not blocked:
            return list(calls)
        with self._ledger.begin(write=False) as uow:
            out = {call.id for call in blocked if _has_opted_out(uow, call)}
        return [replace(call, result="opted_out") if call.id in out else call for call in calls]

    # -- both

    def _by_account(
        self, step: Callable[[AccountRow, Sequence[WorkflowCallRow]], None], calls: Sequence[WorkflowCallRow]
    ) -> None:
        for account_id in dict.fromkeys(call.account_id for call in calls):
            with self._ledger.begin(write=False) as uow:
                account = uow.accounts.get(account_id)
            step(account, [call for call in calls if call.account_id == account_id])

    def _put_off(self, calls: Sequence[WorkflowCallRow], error: CRMError) -> None:
        """Try again later, and never after the workflow has gone on by itself."""
        log.warning("workflow.put_off", count=len(calls), status=error.status, category=error.category)
        now = self._clock.now()
        pauses = [
            error.retry_after or backoff(call.attempts + 1, self._rng, _FIRST_PAUSE, _LONGEST_PAUSE) for call in calls
        ]
        self._move(
            [
                CallMove(
                    call.id,
                    call.state,
                    call.state,
                    not_before=min(now + pause, call.expires_at),
                    error=str(error),
                    tried=True,
                )
                for call, pause in zip(calls, pauses, strict=True)
            ]
        )

    def _end(self, moves: Sequence[CallMove], calls: Sequence[WorkflowCallRow]) -> None:
        """Move calls to where no text is made any more; those that had none yet leave a trace, with the reason."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            moved = set(uow.workflow_calls.move(moves, now))
            for call, move in zip(calls, moves, strict=True):
                if call.id in moved and call.state is CallState.ORDERED:
                    note_no_text(uow, call, move.reason or "", now)
            uow.commit()

    def _move(self, moves: Sequence[CallMove]) -> None:
        if moves:
            with self._ledger.begin() as uow:
                uow.workflow_calls.move(moves, self._clock.now())
                uow.commit()


def _failed(call: WorkflowCallRow, reason: str, now: datetime) -> CallMove:
    """Say that a call can make no text: to the workflow, if it waits."""
    if call.waits_for is WaitsFor.NOTHING:
        return CallMove(call.id, call.state, CallState.DONE, "failed", reason)
    return end_of_wait(call, "failed", reason, now)


def _late(call: WorkflowCallRow, reason: str) -> CallMove:
    return CallMove(call.id, call.state, CallState.DONE, "expired", reason, error=call.error)


def _done(call: WorkflowCallRow, error: CRMError | None) -> CallMove:
    return CallMove(
        call.id, call.state, CallState.DONE, call.result, error="" if error is None else str(error), tried=True
    )


def _is_final(error: CRMError) -> bool:
    """Tell whether a result is refused for good."""
    return isinstance(error, CRMRefusedError) and error.category != MISSING_SCOPES


def _has_opted_out(uow: UnitOfWork, call: WorkflowCallRow) -> bool:
    message = uow.messages.get(call.account_id, call.message_id)
    if message is None:
        return False
    blocks = uow.consents.suppressions(call.account_id, [message.msisdn]).get(message.msisdn, ())
    return any(block.scope is Scope.ALL for block in blocks)
