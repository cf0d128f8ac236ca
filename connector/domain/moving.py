"""Where does somebody stand who is moved from one version of a journey to another?

Steps are matched by their ids: by the ones a mapping names, else by the same id in both versions. An id that was not
given is derived from the step's path, so that a step which keeps its place keeps its counterpart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector.domain.journey import Journey
from connector.domain.run import RunState
from connector.domain.steps import Step, walk


def move(old: Journey, new: Journey, state: RunState, mapping: Mapping[str, str]) -> RunState | None:
    """Give the state in the new version of somebody who stands like this in the old one; None when they cannot move.

    They stand at the counterpart of their step, and have been there as long if it is of the same kind; at a step of
    another kind they arrive anew. Messages made before keep their step's id; the message of the step they stand at
    goes with them, so that it is not made again.

    Args:
        old: the version they are in.
        new: the version they shall be in.
        state: where they stand in the old one.
        mapping: ids of steps in the old version and of those that take their place in the new one.
    """
    if not state.cursor:
        return replace(state, revision=state.revision + 1)
    here = _at(old, state.cursor)
    there = None if here is None else _named(new, mapping.get(here.id, here.id))
    if here is None or there is None:
        return None
    sent = tuple(
        replace(each, step_id=there.id, path=there.path) if each.path == here.path else each for each in state.sent
    )
    arms = {mapping.get(split, split): arm for split, arm in state.arms.items()}
    moved = replace(state, cursor=there.path, sent=sent, arms=arms, revision=state.revision + 1)
    return moved if type(here) is type(there) else replace(moved, entered_at=None, send_error="", target=None)


def _at(journey: Journey, path: str) -> Step | None:
    return next((step for step in walk(journey.steps) if step.path == path), None)


def _named(journey: Journey, step_id: str) -> Step | None:
    return next((step for step in walk(journey.steps) if step.id == step_id), None)
