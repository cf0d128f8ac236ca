"""How do claimed messages go out: claim → send → record, through all gateways at once?

Two transactions with the HTTP request between them: the claim commits the attempt row before anything leaves, the
record commits what the gateway said. A worker that dies in between leaves a claimed message whose lease runs out;
`services.reconcile` then asks the gateway before anything is sent again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import structlog

from connector.domain.circuit import Answers, CircuitState
from connector.domain.gateway_book import GatewayBook
from connector.domain.message import ErrorClass, Purpose
from connector.domain.segments import Encoding
from connector.errors import PermanentSendError, TransientSendError
from connector.ports.attempts import Gateways
from connector.ports.gateway import Accepted, OutgoingSMS, SMSGateway
from connector.ports.ledger import Ledger
from connector.ports.time import Clock
from connector.services.claiming import LEASE, Claim, Claimer
from connector.services.gateway_health import HealthBoard
from connector.services.outcomes import OutcomeRecorder, Sent
from connector.services.pacing import Pacer
from connector.services.single_sends import Sending, answers_of, outcome, registration, too_long

log = structlog.get_logger(__name__)

_CLAIM_SHARE = 4
"""Claim bulk again when this share of a gateway's threads is free.

No text is claimed before a thread can send it at once.

Claiming ahead would send faster, but a text that waits for a slow gateway after its claim would not hear an opt-out.
"""

_KEPT_FROM_BULK = 8  # of so many requests to a gateway one is kept for texts that somebody waits for

_RECORD_EVERY_SECONDS = 0.02  # results are recorded together: one commit per 20 ms costs no visible latency
_BUDGET_SECONDS = 10.0  # a drain hands over then, so that a worker looks at everything else in between
_LOOK_EVERY_SECONDS = 0.25  # for other send lanes that have got work, and for more urgent work of the whole connector
_LIMITED_SECONDS = 0.05  # a lane held up by a rate is looked at again then: a token is worth waiting for, not spinning
_LIMITED_PATIENCE_SECONDS = 1.0  # a lane that got nothing for so long is left to the clock, which rings every second
_MOST_THREADS = 400  # of one process, whatever the gateways' concurrency adds up to: each costs memory and switching

_STALE_AFTER = LEASE / 2
"""A request takes at most 33 s with all its time-outs: one begun within this is over when the lease of its claim is."""

_URGENCY = {Purpose.OTP.value: 0, Purpose.TRANSACTIONAL.value: 1, Purpose.MARKETING.value: 2}

Lane = tuple[str, str]
"""Gateway and purpose."""


@dataclass
class _Drain:
    """What one drain has under way."""

    ends: float
    in_flight: dict[Future[Accepted], Sending] = field(default_factory=dict)
    busy: Counter[str] = field(default_factory=Counter)  # requests in flight by gateway
    open: dict[Lane, float] = field(default_factory=dict)  # lanes with work, and when to look at each again
    again_at: dict[Lane, float] = field(default_factory=dict)  # when lanes that were given up may be taken on again
    limited_since: dict[Lane, float] = field(default_factory=dict)  # lanes that a rate has let nothing go from since
    left: set[Lane] = field(default_factory=set)  # lanes with more work when the time was over
    look_at: float = 0.0
    failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """How fast each gateway is fed, how it fares, and what is passed on with a text to some country.

    Attributes:
        served: gateways that this process sends through.
        is_wanted_elsewhere: tells whether this worker's time is needed for more urgent lanes than those of texts.
    """

    pacer: Pacer
    health: HealthBoard
    book: GatewayBook
    served: Gateways
    is_wanted_elsewhere: Callable[[], bool]


class Dispatcher:
    """Drains send lanes."""

    def __init__(
        self,
        ledger: Ledger,
        gateways: Mapping[str, SMSGateway],
        claimer: Claimer,
        recorder: OutcomeRecorder,
        traffic: Traffic,
        clock: Clock,
        status_url: Callable[[str, str], str],
    ) -> None:
        self._ledger, self._gateways, self._claimer, self._recorder = ledger, gateways, claimer, recorder
        self._pacer, self._health, self._book = traffic.pacer, traffic.health, traffic.book
        self._clock = clock
        self._status_url, self._is_wanted_elsewhere = status_url, traffic.is_wanted_elsewhere
        self._mine = frozenset(gateway for gateway in gateways if gateway in traffic.served)

    def drain(self, gateway: str, purpose: str) -> bool:
        """Send what waits in a lane, and in the other send lanes meanwhile, for up to ten seconds.

        A worker that sent for one gateway at a time would let the others idle while it waits for a slow one.

        Returns:
            Whether more is left in this lane that could go now.

        Raises:
            Exception: whatever a claim raised; what was under way then is recorded before.
        """
        drain = _Drain(time.monotonic() + _BUDGET_SECONDS, open={(gateway, purpose): 0.0})
        with ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="send") as pool:
            while drain.in_flight or drain.open:
                self._look_around(drain)
                self._claim_all(drain, pool)
                self._record_finished(drain)
        self._health.tell()
        if drain.failure is not None:
            raise drain.failure
        return (gateway, purpose) in drain.left

    def _look_around(self, drain: _Drain) -> None:
        """Take on other lanes that have got work; stop claiming when the time is over or needed elsewhere."""
        now = time.monotonic()
        if now < drain.look_at:
            return
        drain.look_at = now + _LOOK_EVERY_SECONDS
        if now > drain.ends or drain.failure is not None or self._is_wanted_elsewhere():
            drain.ends = min(drain.ends, now)
            drain.left |= drain.open.keys()
            drain.open.clear()
            return
        for lane in self._waiting():
            if now >= drain.again_at.get(lane, 0.0):
                drain.open.setdefault(lane, 0.0)

    def _waiting(self) -> set[Lane]:
        """Give the lanes that have work for this process.

        Those of gateways it sends through, and those of gateways that are no longer in use or whose own process has
        gone: nobody sends there, but whoever looks finds another way for the texts.
        """
        with self._ledger.begin(write=False) as uow:
            found = uow.messages.waiting_lanes(self._clock.now())
        return {lane for lane in found if lane[0] in self._mine or self._is_left(lane[0])}

    def _is_left(self, gateway: str) -> bool:
        return gateway not in self._gateways or self._health.of(gateway).state is CircuitState.OPEN

    def _claim_all(self, drain: _Drain, pool: ThreadPoolExecutor) -> None:
        """Claim from every open lane whose turn it is, the most urgent first."""
        for lane in sorted(drain.open, key=lambda lane: (_URGENCY.get(lane[1], 9), lane)):
            gateway, purpose = lane
            now = time.monotonic()
            most = self._pacer.concurrency(gateway)
            room = self._room(drain, lane, most, now)
            if not room:
                continue
            try:
                claimed = self._claimer.claim(gateway, purpose, room)
            except Exception as error:  # noqa: BLE001 - raised at the end, when those in flight are recorded
                drain.failure = error
                drain.open.clear()
                return
            for claim in claimed.claims:
                drain.in_flight[pool.submit(self._send, claim)] = Sending(claim, now)
                drain.busy[gateway] += 1
            if claimed.claims:
                drain.limited_since.pop(lane, None)
            if claimed.is_limited and now - drain.limited_since.setdefault(lane, now) < _LIMITED_PATIENCE_SECONDS:
                drain.open[lane] = now + _LIMITED_SECONDS
            elif claimed.is_limited:
                del drain.open[lane]
                drain.again_at[lane] = now + _LIMITED_PATIENCE_SECONDS
            elif not claimed.is_more or not (most or claimed.redirected):
                del drain.open[lane]

    def _room(self, drain: _Drain, lane: Lane, most: int, now: float) -> int:
        """Say for how many texts a lane is to be looked at now; 0 when it is not its turn."""
        gateway, purpose = lane
        if now < drain.open[lane]:
            return 0
        if not most:
            return _WHILE_OPEN
        is_bulk = purpose == Purpose.MARKETING.value
        usable = most - most // _KEPT_FROM_BULK if is_bulk else most
        room = min(usable - drain.busy[gateway], _MOST_THREADS - len(drain.in_flight))
        if room <= 0 or (is_bulk and room * _CLAIM_SHARE < most):
            return 0
        worth = self._pacer.worth_a_look(gateway, purpose, room)
        if not worth:
            drain.open[lane] = now + _LIMITED_SECONDS
        return worth

    def _send(self, claim: Claim) -> Accepted:
        message, attempt = claim.message, claim.attempt
        if self._clock.now() - attempt.requested_at >= _STALE_AFTER:
            # This process stood still: by now others may have taken the claim for abandoned and sent the text again.
            raise TransientSendError("the claim has grown old", code="stale_claim", error_class=ErrorClass.TRANSIENT)
        gateway = self._gateways[attempt.gateway]
        is_unicode = message.encoding != Encoding.GSM7.value
        if too_long(message.body, gateway.capabilities, is_unicode=is_unicode):
            raise PermanentSendError(
                f"{attempt.gateway} takes no text of this length",
                code="too_long",
                error_class=ErrorClass.PERMANENT_CONTENT,
            )
        rule = self._book.country(message.country)
        remaining = None if message.expires_at is None else message.expires_at - self._clock.now()
        return gateway.send(
            OutgoingSMS(
                attempt_id=attempt.id,
                to=message.msisdn,
                body=message.body,
                sender=attempt.sender,
                status_url=self._status_url(attempt.gateway, attempt.id),
                valid_for=remaining,
                purpose=message.purpose,
                is_unicode=is_unicode,
                dlt=registration(message, rule.dlt_entity, rule.dlt_templates),
            )
        )

    def _record_finished(self, drain: _Drain) -> None:
        """Record every answer that is there; wait for the first one, then a moment for its neighbours."""
        if not drain.in_flight:
            self._rest(drain)
            return
        # Never for an answer alone: one gateway that is slow must not keep the texts that come meanwhile from others.
        patience = _LIMITED_SECONDS if drain.open else _LOOK_EVERY_SECONDS
        wait(drain.in_flight, timeout=patience, return_when=FIRST_COMPLETED)
        done, _ = wait(drain.in_flight, timeout=_RECORD_EVERY_SECONDS)
        finished = []
        for future in done:
            sending = drain.in_flight.pop(future)
            drain.busy[sending.claim.attempt.gateway] -= 1
            finished.append(outcome(sending, future))
        if finished:
            self._hear(finished)
            self._record(finished)

    def _rest(self, drain: _Drain) -> None:
        """Wait for the next lane's turn while nothing is under way."""
        if drain.open:
            pause = min(drain.open.values()) - time.monotonic()
            if pause > 0:
                time.sleep(min(pause, _LIMITED_SECONDS))

    def _hear(self, finished: list[Sent]) -> None:
        """Tell how the gateways fare."""
        heard: dict[str, Answers] = {}
        for sent in finished:
            known = heard.get(sent.attempt.gateway, Answers(0, 0))
            heard[sent.attempt.gateway] = known.plus(answers_of(sent))
        for gateway, answers in heard.items():
            try:
                self._health.hear(gateway, answers)
            except Exception as error:  # noqa: BLE001 - what gateways answered is recorded whatever becomes of their health
                log.error("health.not_told", gateway=gateway, error=type(error).__name__)

    def _record(self, finished: list[Sent]) -> None:
        """Record answers, each alone when the ledger refused: one that is lost costs minutes of asking."""
        try:
            self._recorder.record(finished)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other answers in flight are still to be recorded
            log.error("send.not_recorded", texts=len(finished), error=type(error).__name__)
            self._recorder.record_each(finished)


_WHILE_OPEN = 100
"""Texts looked at together while their gateway's circuit is open: those with another way are sent on."""
