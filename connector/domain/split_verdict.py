"""Has one arm of a split won, however often we look?

Two arms are told apart by a likelihood ratio that grows with the evidence. Above the line stands how well a mixture of
all rates (beta-binomial, after Robbins, "Statistical methods related to the law of the iterated logarithm", 1970) tells
what was seen of each arm by itself; below it, how well the best single rate tells both arms together. While the arms
are alike, what is above ever exceeds what the true rate gives by a factor of c with a chance of at most 1/c (Ville's
inequality, 1939), and what is below is never less than that. So a ratio of 20 to 1 comes up by chance in at most one of
twenty experiments, although it is looked at after every person: no peeking error.

The intervals shown beside it are confidence sequences from the same mixture: at every moment at once they hold the
true rates, with the chance that is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ERROR = 0.05
"""The chance that a wrong winner is ever named: one in twenty, as experiments are usually run."""

_PRIOR = 0.5
"""Jeffreys' prior on both sides: no rate is favoured, and rates near 0, as opt-outs have, are learned the fastest."""

_BISECTIONS = 40  # narrows an end to 1e-12, far finer than any count can tell
_MOST_SHOWN = 1e9  # odds beyond this say nothing more


@dataclass(frozen=True, slots=True)
class Trials:
    """How many people were in an arm long enough, and how many of them did what is counted."""

    people: int
    hits: int

    @property
    def rate(self) -> float:
        """Share of people who did it, 0 while there are none."""
        return self.hits / self.people if self.people else 0.0

    def __add__(self, other: Trials) -> Trials:
        """Put two arms together."""
        return Trials(self.people + other.people, self.hits + other.hits)


@dataclass(frozen=True, slots=True)
class ArmResult:
    """How one arm stands; `low` and `high` enclose its true rate."""

    arm: str
    people: int
    hits: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SplitVerdict:
    """How the arms stand, which one has won, and in one sentence why or why not.

    Attributes:
        odds: how strongly the leading arm is told apart from the one nearest to it, as in "20 to 1".
        needed: the odds at which it wins.
    """

    arms: tuple[ArmResult, ...]
    winner: str | None
    odds: float
    needed: float
    reason: str


def compare(arms: Mapping[str, Trials], after: int, *, lowest_wins: bool = False, error: float = ERROR) -> SplitVerdict:
    """Say how the arms stand and whether one has won: the best must be told apart from each of the others.

    Args:
        arms: at least two, by name.
        after: people in each arm before anything is decided.
        lowest_wins: whether a low rate is the better one, as of opt-outs.
        error: the chance that an arm ever wins which is no better than another; shared over the others.
    """
    results = tuple(_result(name, trials, error / len(arms)) for name, trials in arms.items())
    needed = (len(arms) - 1) / error
    short = next((result for result in results if result.people < after), None)
    if short is not None:
        return SplitVerdict(results, None, 1.0, needed, f"{short.arm} has {short.people} of {after} people")
    best = (min if lowest_wins else max)(arms, key=lambda name: arms[name].rate)
    odds = min(_odds(arms[best], other) for name, other in arms.items() if name != best)
    winner = best if odds >= needed else None
    leads = "is better" if winner else "leads"
    return SplitVerdict(results, winner, odds, needed, f"{best} {leads}, {odds:.3g} to 1 where {needed:g} to 1 decides")


def interval(trials: Trials, error: float) -> tuple[float, float]:
    """Enclose the true rate: it is ever left out with a chance of at most `error`."""
    if not trials.people:
        return 0.0, 1.0
    allowed = math.log(1 / error)

    def refuted(rate: float) -> bool:
        return _log_mixture(trials) - _log_likelihood(trials, rate) >= allowed

    middle = (trials.hits + _PRIOR) / (trials.people + 2 * _PRIOR)
    return _edge(middle, 0.0, refuted), _edge(middle, 1.0, refuted)


def _result(name: str, trials: Trials, error: float) -> ArmResult:
    low, high = interval(trials, error)
    return ArmResult(name, trials.people, trials.hits, trials.rate, low, high)


def _odds(one: Trials, other: Trials) -> float:
    """Say how strongly what was seen speaks against arms that are alike."""
    both = one + other
    ratio = _log_mixture(one) + _log_mixture(other) - _log_likelihood(both, both.rate)
    return math.exp(min(ratio, math.log(_MOST_SHOWN)))


def _log_mixture(trials: Trials) -> float:
    misses = trials.people - trials.hits
    return _log_beta(trials.hits + _PRIOR, misses + _PRIOR) - _log_beta(_PRIOR, _PRIOR)


def _log_likelihood(trials: Trials, rate: float) -> float:
    return _log_power(rate, trials.hits) + _log_power(1 - rate, trials.people - trials.hits)


def _log_power(base: float, exponent: int) -> float:
    if not exponent:
        return 0.0
    return exponent * math.log(base) if base > 0 else -math.inf


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _edge(inside: float, outside: float, refuted: Callable[[float], bool]) -> float:
    """Find where rates begin to be refuted on the way out; the evidence only grows that way."""
    if not refuted(outside):
        return outside
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if refuted(middle) else (middle, outside)
    return outside
