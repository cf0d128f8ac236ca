"""Has one arm of a split won, however often we look?

Each arm's true rate lies, at every moment at once, inside a confidence sequence: the values that the beta-binomial
mixture martingale does not refute. By Ville's inequality (Ville 1939; the mixture is Robbins', "Statistical methods
related to the law of the iterated logarithm", 1970) a sequence ever leaves out the truth with a chance of at most its
error, so the counts may be looked at after every person without the error that peeking adds to a fixed test. The error
is shared over the arms, so that all of them hold together with the chance that is asked for. An arm has won when its
interval lies clear of every other arm's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ERROR = 0.05
"""The chance that arms which are alike are ever told apart: one in twenty, as experiments are usually run."""

_PRIOR = 0.5
"""Jeffreys' prior on both sides: no rate is favoured, and rates near 0, as opt-outs have, are learned the fastest."""

_BISECTIONS = 40  # narrows an end to 1e-12, far finer than any count can tell


@dataclass(frozen=True, slots=True)
class Trials:
    """How many people were in an arm long enough, and how many of them did what is counted."""

    people: int
    hits: int

    @property
    def rate(self) -> float:
        """Share of people who did it, 0 while there are none."""
        return self.hits / self.people if self.people else 0.0


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
    """How the arms stand, which one has won, and in one sentence why or why not."""

    arms: tuple[ArmResult, ...]
    winner: str | None
    reason: str


def interval(trials: Trials, error: float) -> tuple[float, float]:
    """Enclose the true rate: at no time does it lie outside with a chance of more than `error`."""
    if not trials.people:
        return 0.0, 1.0
    allowed = math.log(1 / error)

    def refuted(rate: float) -> bool:
        return _log_evidence(trials, rate) >= allowed

    middle = (trials.hits + _PRIOR) / (trials.people + 2 * _PRIOR)
    return _edge(middle, 0.0, refuted), _edge(middle, 1.0, refuted)


def compare(arms: Mapping[str, Trials], after: int, *, lowest_wins: bool = False, error: float = ERROR) -> SplitVerdict:
    """Say how the arms stand and whether one has won.

    Args:
        arms: by name, in the order of the file.
        after: people in each arm before anything is decided.
        lowest_wins: whether a low rate is the better one, as of opt-outs.
        error: the chance that any interval ever leaves out the truth, over all arms together.
    """
    results = tuple(_result(name, trials, error / len(arms)) for name, trials in arms.items())
    short = next((result for result in results if result.people < after), None)
    if short is not None:
        return SplitVerdict(results, None, f"{short.arm} has {short.people} of {after} people")
    best = (min if lowest_wins else max)(results, key=lambda result: result.rate)
    others = [result for result in results if result is not best]
    if not all(_lies_clear(best, other, lowest_wins=lowest_wins) for other in others):
        return SplitVerdict(results, None, f"{best.arm} leads, but the intervals overlap")
    return SplitVerdict(results, best.arm, f"the interval of {best.arm} lies clear of every other's")


def _result(name: str, trials: Trials, error: float) -> ArmResult:
    low, high = interval(trials, error)
    return ArmResult(name, trials.people, trials.hits, trials.rate, low, high)


def _lies_clear(best: ArmResult, other: ArmResult, *, lowest_wins: bool) -> bool:
    return best.high < other.low if lowest_wins else best.low > other.high


def _log_evidence(trials: Trials, rate: float) -> float:
    """Give the logarithm of the martingale against a rate: how much better the mixture tells what was seen."""
    misses = trials.people - trials.hits
    mixture = _log_beta(trials.hits + _PRIOR, misses + _PRIOR) - _log_beta(_PRIOR, _PRIOR)
    return mixture - _log_power(rate, trials.hits) - _log_power(1 - rate, misses)


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
