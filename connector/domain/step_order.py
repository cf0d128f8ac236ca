"""Which step comes after which?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.domain.steps import Step


@dataclass(frozen=True, slots=True)
class StepOrder:
    """The steps of a journey by path, and which one follows when one is done.

    The last step of a nested list is followed by what follows the step it is nested in. Order only ever goes
    forward, so a run over it ends.
    """

    first: str | None
    steps: Mapping[str, Step]
    after: Mapping[str, str | None]
    kinds: frozenset[type[Step]] = frozenset()


_MOST_KEPT = 500  # journeys in one process; dozens are usual
_laid_out: dict[int, tuple[tuple[Step, ...], StepOrder]] = {}


def order_of(steps: tuple[Step, ...]) -> StepOrder:
    """Lay out the steps of a journey; done once for the same tuple, since every decision asks."""
    kept = _laid_out.get(id(steps))
    if kept is not None and kept[0] is steps:
        return kept[1]
    by_path: dict[str, Step] = {}
    after: dict[str, str | None] = {}
    _lay_out(steps, None, by_path, after)
    order = StepOrder(steps[0].path if steps else None, by_path, after, frozenset(map(type, by_path.values())))
    if len(_laid_out) >= _MOST_KEPT:
        _laid_out.clear()
    _laid_out[id(steps)] = steps, order  # the tuple is kept with it, so that no other one can come to have its id
    return order


def _lay_out(steps: tuple[Step, ...], then: str | None, by_path: dict[str, Step], after: dict[str, str | None]) -> None:
    for position, step in enumerate(steps):
        following = steps[position + 1].path if position + 1 < len(steps) else then
        by_path[step.path], after[step.path] = step, following
        for nested in step.children():
            _lay_out(nested, following, by_path, after)
