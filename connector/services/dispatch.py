"""How does a queued message go out: may we → claim → send → record?

Two transactions with the HTTP request between them: the claim commits the attempt row before anything leaves, the
record commits what the gateway said. A worker that dies in between leaves a claimed message whose lease runs out;
`services.reconcile` then asks the gateway before anything is sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta

import structlog

from connector.domain.message import MessageState
from connector.domain.permission import Answer, Verdict
from connector.errors import AmbiguousSendError, QueueUnavailableError, SendError
from connector.ports.gateway import Accepted, OutgoingSMS, SMSGateway
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import AttemptRow, MessageRow, StateChange
from connector.ports.queue import RateLimiter
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce
from connector.services.outcomes import OutcomeRecorder, Sent
from connector.services.permissions import GIVES_WAY_TO, PermissionDesk

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=90)
"""Longer than all time-outs of one request together (33 s): a living worker never loses its claim."""

_CLAIM_SHARE = 4
"""Claim again when this share of the sending threads is free: no text is claimed before a thread can send it at once.

Claiming ahead would send faster, but a text that waits for a slow gateway after its claim would not hear an opt-out.
"""

_RECORD_EVERY_SECONDS = 0.02  # results are recorded together: one commit per 20 ms costs no visible latency
_BUDGET_SECONDS = 20.0  # a drain hands over then, so that a worker looks at more urgent lanes in between

_STATE_OF = {
    Answer.HOLD: MessageState.HELD,
    Answer.SUPPRESS: MessageState.SUPPRESSED,
    Answer.EXPIRE: MessageState.EXPIRED,
    Answer.CANCEL: MessageState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class SendRates:
    """How fast one gateway is fed.

    Attributes:
        per_second: sends per second, over every process.
        concurrency: requests in flight per drain.
    """

    per_second: float
    concurrency: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A message this worker has committed to send, its attempt, and why it may go."""

    message: MessageRow
    attempt: AttemptRow
    reason: str


class Dispatcher:
    """Drains send lanes."""

    def __init__(
        self,
        ledger: Ledger,
        gateways: Mapping[str, SMSGateway],
        desk: PermissionDesk,
        recorder: OutcomeRecorder,
        limiter: RateLimiter,
        rates: SendRates,
        clock: Clock,
        status_url: Callable[[str, str], str],
    ) -> None:
        self._ledger, self._gateways, self._desk, self._recorder = ledger, gateways, desk, recorder
        self._limiter, self._rates, self._clock, self._status_url = limiter, rates, clock, status_url

    def drain(self, gateway: str, purpose: str) -> bool:
        """Send what waits in a lane for up to 20 seconds; tell whether more is left that could go now.

        Raises:
            Exception: whatever a claim raised; what was under way then is recorded before.
        """
        ends = time.monotonic() + _BUDGET_SECONDS
        in_flight: dict[Future[Accepted], Claim] = {}
        more = True
        failure: Exception | None = None
        with ThreadPoolExecutor(self._rates.concurrency, thread_name_prefix="send") as pool:
            while in_flight or more:
                room = self._rates.concurrency - len(in_flight)
                if more and room * _CLAIM_SHARE >= self._rates.concurrency:
                    if time.monotonic() > ends:
                        break
                    try:
                        claims, more = self.claim(gateway, purpose, room)
                    except Exception as error:  # noqa: BLE001 - raised below, when those in flight are recorded
                        claims, more, failure = [], False, error
                    in_flight |= {pool.submit(self._send, claim): claim for claim in claims}
                self._record_finished(in_flight)
            while in_flight:
                self._record_finished(in_flight)
        if failure is not None:
            raise failure
        return more

    def claim(self, gateway: str, purpose: str, room: int) -> tuple[list[Claim], bool]:
        """Commit to send up to `room` messages; tell whether the lane may hold more."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            rows = uow.messages.queued(gateway, purpose, room, now)
            if not rows:
                return [], False
            verdicts = self._desk.judge(uow, rows, now)
            going = [row for row in rows if verdicts[row.id].answer is Answer.SEND]
            granted = self._permits(gateway, len(going))
            claims = self._commit_to(uow, going[:granted], verdicts)
            self._turn_away(uow, [row for row in rows if verdicts[row.id].answer is not Answer.SEND], verdicts)
            uow.commit()
        return claims, len(rows) == room and granted == len(going)

    def _permits(self, gateway: str, wanted: int) -> int:
        if not wanted:
            return 0
        per_second = self._rates.per_second
        try:
            return self._limiter.take(
                f"send:{gateway}", rate=per_second, burst=max(1, round(per_second)), wanted=wanted
            )
        except QueueUnavailableError:
            return 0

    def _commit_to(self, uow: UnitOfWork, rows: list[MessageRow], verdicts: Mapping[str, Verdict]) -> list[Claim]:
        now = self._clock.now()
        uow.messages.move_all(
            [
                StateChange(row.id, row.state, MessageState.DISPATCHING, "", tried=True, lease_until=now + LEASE)
                for row in rows
            ],
            now,
        )
        claims = [
            Claim(
                row,
                AttemptRow(
                    id=self._ledger.new_id(),
                    account_id=row.account_id,
                    message_id=row.id,
                    gateway=row.gateway,
                    state=MessageState.DISPATCHING,
                    requested_at=now,
                    sender=row.sender,
                ),
                verdicts[row.id].reason,
            )
            for row in rows
        ]
        uow.attempts.add([claim.attempt for claim in claims])
        return claims

    def _turn_away(self, uow: UnitOfWork, rows: list[MessageRow], verdicts: Mapping[str, Verdict]) -> None:
        now = self._clock.now()
        changes = [
            StateChange(
                row.id,
                row.state,
                _STATE_OF[verdicts[row.id].answer],
                verdicts[row.id].reason,
                not_before=verdicts[row.id].until,
            )
            for row in rows
        ]
        moved = set(uow.messages.move(changes, now))
        by_id = {row.id: row for row in rows}
        announce(
            uow,
            [
                Moved(
                    by_id[change.message_id],
                    change.to_state,
                    change.reason,
                    _shown(verdicts[change.message_id]),
                )
                for change in changes
                if change.message_id in moved
            ],
            now,
        )

    def _send(self, claim: Claim) -> Accepted:
        message, attempt = claim.message, claim.attempt
        remaining = None if message.expires_at is None else message.expires_at - self._clock.now()
        return self._gateways[attempt.gateway].send(
            OutgoingSMS(
                attempt_id=attempt.id,
                to=message.msisdn,
                body=message.body,
                sender=message.sender,
                status_url=self._status_url(attempt.gateway, attempt.id),
                valid_for=remaining,
            )
        )

    def _record_finished(self, in_flight: dict[Future[Accepted], Claim]) -> None:
        """Record every answer that is there; wait for the first one, then a moment for its neighbours."""
        if not in_flight:
            return
        wait(in_flight, return_when=FIRST_COMPLETED)
        done, _ = wait(in_flight, timeout=_RECORD_EVERY_SECONDS)
        self._record([_outcome(in_flight.pop(future), future) for future in done])

    def _record(self, finished: list[Sent]) -> None:
        """Record answers, and once more when the ledger refused: an answer that is lost costs minutes of asking."""
        for last_try in (False, True):
            try:
                self._recorder.record(finished)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other answers in flight are still to be recorded
                log.error("send.not_recorded", texts=len(finished), error=type(error).__name__, last_try=last_try)
            else:
                return


def _shown(verdict: Verdict) -> dict[str, str]:
    """Give what the trace of a text that was turned away shows beside the reason."""
    until = {"until": verdict.until.isoformat()} if verdict.until is not None else {}
    return until | ({GIVES_WAY_TO: verdict.gives_way_to} if verdict.gives_way_to else {})


def _outcome(claim: Claim, future: Future[Accepted]) -> Sent:
    error = future.exception()
    if error is None:
        return Sent(claim.message, claim.attempt, claim.reason, accepted=future.result())
    if not isinstance(error, SendError):
        # A defect of ours, of which nobody can say whether it struck before or after the request left.
        log.error("send.defect", attempt_id=claim.attempt.id, error=type(error).__name__)
        error = AmbiguousSendError("the send ended in a defect", code=type(error).__name__)
    return Sent(claim.message, claim.attempt, claim.reason, error=error)
