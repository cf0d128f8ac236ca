"""Where does somebody stand who is moved from one version of a journey to another?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector.domain.journey import Journey
from connector.domain.run import RunState
from connector.domain.step_matching import counterparts
from connector.domain.steps import Step, walk


def move(old: Journey, new: Journey, state: RunState, mapping: Mapping[str, str]) -> RunState | None:
    """Give the state in the new version of somebody who stands like this in the old one; None when they cannot move.

    They stand at the step that the mapping names for theirs, else at the one that is the same step still. Of the same
    kind, they have been there as long as before; at a step of another kind they arrive anew. The message of the step
    they stand at goes with them, so that it is not made again; messages made before keep their step's id.

    Args:
        old: the version they are in.
        new: the version they shall be in.
        state: where they stand in the old one.
        mapping: ids of steps in the old version and of those that take their place in the new one.
    """
    if not state.cursor:
        return replace(state, revision=state.revision + 1)
    here = next((step for step in walk(old.steps) if step.path == state.cursor), None)
    there = None if here is None else _counterpart(old, new, here, mapping)
    if here is None or there is None:
        return None
    sent = tuple(
        replace(each, step_id=there.id, path=there.path) if each.path == here.path else each for each in state.sent
    )
    arms = {mapping.get(split, split): arm for split, arm in state.arms.items()}
    moved = replace(state, cursor=there.path, sent=sent, arms=arms, revision=state.revision + 1)
    return moved if type(here) is type(there) else replace(moved, entered_at=None, send_error="", target=None, asked="")


def _counterpart(old: Journey, new: Journey, here: Step, mapping: Mapping[str, str]) -> Step | None:
    if here.id in mapping:
        return next((step for step in walk(new.steps) if step.id == mapping[here.id]), None)
    path = counterparts(old, new).get(here.path)
    return next((step for step in walk(new.steps) if step.path == path), None)
