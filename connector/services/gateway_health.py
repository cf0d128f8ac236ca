"""How does every process know how a gateway fares, and tell the others what it heard?

One row per gateway in the ledger. A process reads all of them at most once a second and adds what it heard itself as
often; a row is written under its lock, so that no answer is counted twice or lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connector.domain.circuit import Answers, CircuitState, GatewayHealth, after, as_of, healthy
from connector.ports.ledger import Ledger
from connector.ports.time import Clock

log = structlog.get_logger(__name__)

_FRESH_FOR = timedelta(seconds=1)
"""How old a view of the others' findings may be: a second's texts to a gateway that has just fallen are tried again."""

_PROBE_SHARE = 0.01
"""Of the traffic of a gateway that is probed: enough to find out within seconds, where other gateways can take it."""

_GONE_AFTER = timedelta(seconds=30)
"""A process that beats every five seconds and has not for so long is not coming back by itself."""

_QUIET_AFTER = timedelta(seconds=30)
"""A gateway nothing was heard of for so long gets every text that wants it: where few texts go, a share of them would
take days to find out that it is back. Of many at once its concurrency and the rate of probes hold back the rest."""


class HealthBoard:
    """How gateways fare, as all processes have found. For one thread.

    Args of the constructor:
        gateways: in use here.
        elsewhere: those of them that a process of their own sends through, another than this one.
    """

    def __init__(
        self, ledger: Ledger, gateways: Collection[str], clock: Clock, elsewhere: Collection[str] = ()
    ) -> None:
        self._ledger, self._gateways, self._clock = ledger, gateways, clock
        self._elsewhere = frozenset(elsewhere)
        self._known: Mapping[str, GatewayHealth] = {}
        self._read_at: datetime | None = None
        self._heard: dict[str, Answers] = {}
        self._told_at: datetime | None = None

    def of(self, gateway: str) -> GatewayHealth:
        """Give how a gateway fares now."""
        now = self._clock.now()
        if self._read_at is None or not timedelta() <= now - self._read_at < _FRESH_FOR:
            with self._ledger.begin(write=False) as uow:
                self._known = uow.traffic.all_health()
            self._read_at = now
        known = as_of(self._known.get(gateway) or healthy(gateway, now), now)
        if gateway in self._elsewhere and (gateway not in self._known or now - known.updated_at > _GONE_AFTER):
            why = "its own process does not run"
            return replace(known, state=CircuitState.OPEN, share=0.0, reason=why, until=now + _GONE_AFTER)
        return known

    def beat(self, gateway: str) -> None:
        """Say that the process which a gateway has of its own is there; every few seconds."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            known = uow.traffic.health(gateway) or healthy(gateway, now)
            uow.traffic.save_health(replace(known, updated_at=now))
            uow.commit()

    def shares(self) -> Mapping[str, float]:
        """Give the share of its usual traffic that each gateway may get, 0 to 1."""
        now = self._clock.now()
        return {gateway: _share(self.of(gateway), now) for gateway in self._gateways}

    def hear(self, gateway: str, answers: Answers) -> None:
        """Take in what this process heard; bad news is told at once, good news once a second."""
        if not answers.good + answers.failed:
            return
        self._heard[gateway] = self._heard.get(gateway, Answers(0, 0)).plus(answers)
        now = self._clock.now()
        is_time = self._told_at is None or not timedelta() <= now - self._told_at < _FRESH_FOR
        if is_time or self._heard[gateway].failed or self.of(gateway).state is CircuitState.PROBING:
            self.tell()

    def tell(self) -> None:
        """Write down what was heard; what the ledger refuses is told with the next answers."""
        if not self._heard:
            return
        now = self._told_at = self._clock.now()
        with self._ledger.begin() as uow:
            for gateway, answers in sorted(self._heard.items()):
                before = uow.traffic.health(gateway) or healthy(gateway, now)
                known = after(before, answers, now)
                uow.traffic.save_health(known)
                if known.state is not before.state:
                    log.warning("gateway.health", gateway=gateway, state=known.state.value, reason=known.reason)
            uow.commit()
        self._heard = {}
        self._read_at = None


def _share(health: GatewayHealth, now: datetime) -> float:
    if health.state is CircuitState.OPEN:
        return 0.0
    if now - max(health.since, health.updated_at) >= _QUIET_AFTER:
        return 1.0
    return _PROBE_SHARE if health.state is CircuitState.PROBING else health.share
