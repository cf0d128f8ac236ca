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


def order_of(steps: tuple[Step, ...]) -> StepOrder:
    """Lay out the steps of a journey."""
    by_path: dict[str, Step] = {}
    after: dict[str, str | None] = {}
    _lay_out(steps, None, by_path, after)
    return StepOrder(steps[0].path if steps else None, by_path, after)


def _lay_out(steps: tuple[Step, ...], then: str | None, by_path: dict[str, Step], after: dict[str, str | None]) -> None:
    for position, step in enumerate(steps):
        following = steps[position + 1].path if position + 1 < len(steps) else then
        by_path[step.path], after[step.path] = step, following
        for nested in step.children():
            _lay_out(nested, following, by_path, after)
