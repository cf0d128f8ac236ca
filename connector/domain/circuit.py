"""How much of its traffic may a gateway get that answers slowly, with errors, or not at all?

Four states. `closed`: everything. `limited`: fewer requests at a time, halved while it stays out of its band and
doubled when it is back. `open`: nothing, for a while that doubles each time. `probing`: one request at a time, until
some in a row went well. All processes feed one row per gateway, a second's answers at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

_HALF_LIFE = 50.0
"""Answers after which an older one weighs half: enough to tell a bad minute from a bad answer, few enough to see an
outage within a second at a hundred texts a second."""

_ENOUGH = 5.0  # weighed answers before an error rate means anything
_OPENS_AT = 0.5  # half of all requests failing: the other gateways, or waiting, are better
_LIMITS_AT = 0.2  # one in five failing is no accident at five or more
_SLOW = 4.0  # times its usual answer: far outside what a busy minute does
_SLOW_AT_LEAST = 2.0  # seconds; below that nobody notices, whatever the ratio
_USUAL_HALF_LIFE = 500.0  # answers: what is usual changes slower than what is now
_SLOW_HALF_LIFE = 5000.0  # of answers out of the band: an hour's slowness is told, one that stays becomes usual
_LEAST_SHARE = 1 / 16
_FIRST_REST, _LONGEST_REST = timedelta(seconds=5), timedelta(minutes=5)
"""A gateway's deployment takes seconds, an outage long: asking every five minutes costs neither side anything."""

_TOLD = 100  # rests that are added up: eight hours, by which all that grows with an outage has stopped growing
_PROBES = 3  # in a row that must go well: one may be a proxy's luck


class CircuitState(StrEnum):
    """How a gateway is treated."""

    CLOSED = "closed"
    LIMITED = "limited"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class Answers:
    """What one process heard from a gateway within a moment.

    Attributes:
        good: texts it took or refused for a reason of theirs: it works.
        failed: requests that came to nothing, or nobody can tell: refused connections, time-outs, broken answers.
        seconds: how long the good ones took, added up.
        began_at: when the first of these requests left; None when nobody noted it.
    """

    good: int
    failed: int
    seconds: float = 0.0
    began_at: datetime | None = None

    def plus(self, more: Answers) -> Answers:
        """Add what was heard beside it."""
        began = [at for at in (self.began_at, more.began_at) if at is not None]
        return Answers(
            self.good + more.good,
            self.failed + more.failed,
            self.seconds + more.seconds,
            min(began, default=None),
        )


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """How a gateway fares.

    Attributes:
        share: of its usual concurrency, 0 to 1.
        reason: why it is treated so, for people; empty while all is well.
        since: when it came into its state.
        until: when an open circuit is tried again.
        openings: how often in a row it has opened.
        good_probes: how many in a row have gone well.
        usual_seconds: a usual answer; 0 while none is known.
        error_rate: of late, 0 to 1.
        weight: how many answers of late the rate stands on.
    """

    gateway: str
    since: datetime
    updated_at: datetime
    state: CircuitState = CircuitState.CLOSED
    share: float = 1.0
    reason: str = ""
    until: datetime | None = None
    openings: int = 0
    good_probes: int = 0
    usual_seconds: float = 0.0
    error_rate: float = 0.0
    weight: float = 0.0


def healthy(gateway: str, now: datetime) -> GatewayHealth:
    """Give a gateway nothing is known of the benefit of the doubt."""
    return GatewayHealth(gateway, since=now, updated_at=now)


def as_of(health: GatewayHealth, now: datetime) -> GatewayHealth:
    """Give how a gateway is treated now: an open circuit whose time is over is probing."""
    if health.state is CircuitState.OPEN and health.until is not None and health.until <= now:
        return replace(health, state=CircuitState.PROBING, since=health.until, share=0.0, good_probes=0)
    return health


def down_for(health: GatewayHealth, now: datetime) -> timedelta:
    """Say for how long a gateway has been down, as far as the rests of its circuit tell; zero while it is not."""
    if health.state not in {CircuitState.OPEN, CircuitState.PROBING}:
        return timedelta()
    over = health.openings - (health.state is CircuitState.OPEN)
    rests = (_rest(openings) for openings in range(min(over, _TOLD)))
    return sum(rests, now - health.since)


def after(health: GatewayHealth, answers: Answers, now: datetime) -> GatewayHealth:
    """Give how a gateway fares after some more answers."""
    heard = answers.good + answers.failed
    if not heard:
        return health
    current = as_of(health, now)
    if current.state is CircuitState.PROBING and answers.began_at is not None and answers.began_at < current.since:
        return current  # stragglers: what they met is what opened it, and no probe
    known = _heard(current, answers, now)
    if known.state is CircuitState.OPEN:
        return known  # stragglers of requests that left before it opened
    if known.state is CircuitState.PROBING:
        return _probed(known, answers, now)
    if answers.failed and known.weight >= _ENOUGH and known.error_rate >= _OPENS_AT:
        return _opened(known, now)
    return _limited(known, answers, now)


def _heard(health: GatewayHealth, answers: Answers, now: datetime) -> GatewayHealth:
    heard = answers.good + answers.failed
    old = health.weight * 0.5 ** (heard / _HALF_LIFE)
    return replace(
        health,
        error_rate=(health.error_rate * old + answers.failed) / (old + heard),
        weight=old + heard,
        updated_at=now,
    )


def _probed(health: GatewayHealth, answers: Answers, now: datetime) -> GatewayHealth:
    if answers.failed:
        return _opened(health, now)
    good = health.good_probes + answers.good
    if good < _PROBES:
        return replace(health, good_probes=good)
    return replace(
        health,
        state=CircuitState.LIMITED,
        share=_LEAST_SHARE,
        reason="it answers again; its traffic comes back step by step",
        since=now,
        until=None,
        error_rate=0.0,
        weight=0.0,
    )


def _rest(openings: int) -> timedelta:
    """Say how long a circuit rests that has opened so often in a row before."""
    return min(_FIRST_REST * 2**openings, _LONGEST_REST) if openings < 16 else _LONGEST_REST


def _opened(health: GatewayHealth, now: datetime) -> GatewayHealth:
    return replace(
        health,
        state=CircuitState.OPEN,
        share=0.0,
        reason=f"{health.error_rate:.0%} of its latest requests came to nothing",
        since=now,
        until=now + _rest(health.openings),
        openings=health.openings + 1,
        good_probes=0,
    )


def _limited(health: GatewayHealth, answers: Answers, now: datetime) -> GatewayHealth:
    """Halve its share while it is out of its band, double it while it is within."""
    complaint = _complaint(health, answers)
    known = _learned(health, answers, _SLOW_HALF_LIFE if complaint else _USUAL_HALF_LIFE)
    if complaint:
        is_new = known.state is CircuitState.CLOSED
        return replace(
            known,
            state=CircuitState.LIMITED,
            share=max(known.share / 2, _LEAST_SHARE),
            reason=complaint,
            since=now if is_new else known.since,
        )
    if known.state is CircuitState.CLOSED:
        return known
    share = min(known.share * 2, 1.0)
    if share < 1.0:
        return replace(known, share=share)
    return replace(known, state=CircuitState.CLOSED, share=1.0, reason="", since=now, openings=0)


def _complaint(health: GatewayHealth, answers: Answers) -> str:
    if health.weight >= _ENOUGH and health.error_rate >= _LIMITS_AT:
        return f"{health.error_rate:.0%} of its latest requests came to nothing"
    if answers.good and health.usual_seconds:
        mean = answers.seconds / answers.good
        if mean >= max(_SLOW * health.usual_seconds, _SLOW_AT_LEAST):
            return f"it answers within {mean:.1f} s; usual are {health.usual_seconds:.1f} s"
    return ""


def _learned(health: GatewayHealth, answers: Answers, half_life: float) -> GatewayHealth:
    """Take good answers into what is usual; those out of the band much slower, or any slowness would soon be usual."""
    if not answers.good:
        return health
    mean = answers.seconds / answers.good
    keep = 0.5 ** (answers.good / half_life) if health.usual_seconds else 0.0
    return replace(health, usual_seconds=health.usual_seconds * keep + mean * (1 - keep))
