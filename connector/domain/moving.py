"""Where does somebody stand who is moved from one version of a journey to another?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector.domain.journey import Journey
from connector.domain.run import RunState, Sent
from connector.domain.step_matching import counterparts
from connector.domain.steps import Confirm, Step, Verify, walk


class Move:
    """The way from one version of a journey to another; laid out once for everybody who takes it."""

    def __init__(self, old: Journey, new: Journey, mapping: Mapping[str, str]) -> None:
        """`mapping` names steps of the old version by id, and those that take their place in the new one."""
        self._old = {step.path: step for step in walk(old.steps)}
        paths = {step.path: step for step in walk(new.steps)}
        ids = {step.id: step for step in paths.values()}
        same = counterparts(old, new)
        self._new: Mapping[str, Step | None] = {
            path: ids.get(mapping[step.id]) if step.id in mapping else paths.get(same.get(path, ""))
            for path, step in self._old.items()
        }
        self._ids = {step.id: there.id for path, step in self._old.items() if (there := self._new[path]) is not None}

    def take(self, state: RunState) -> RunState | None:
        """Give the state in the new version of somebody who stands like this in the old one; None when they cannot.

        They stand at the step that the mapping names for theirs, else at the one that is the same step still. Of the
        same kind, they have been there as long as before; at a step of another kind they arrive anew. The message of
        the step they stand at goes with them, so that it is not made again. Who was sent a code of another length than
        the new version's has to stay: the code they hold would be wrong there.
        """
        if not state.cursor:
            return replace(state, revision=state.revision + 1)
        here, there = self._old.get(state.cursor), self._new.get(state.cursor)
        if here is None or there is None or (state.entered_at is not None and _codes_differ(here, there)):
            return None
        moved = replace(
            state,
            cursor=there.path,
            sent=tuple(self._sent(each, there.path if each.path == here.path else "") for each in state.sent),
            arms={self._ids.get(split, split): arm for split, arm in state.arms.items()},
            revision=state.revision + 1,
        )
        if type(here) is type(there):
            return moved
        return replace(moved, entered_at=None, send_error="", target=None, asked="")

    def _sent(self, sent: Sent, path: str) -> Sent:
        """Keep a message under the new id of its step; a path of the old version would mean another step."""
        return replace(sent, step_id=self._ids.get(sent.step_id, sent.step_id), path=path)


def _codes_differ(here: Step, there: Step) -> bool:
    if isinstance(here, Verify) and isinstance(there, Verify):
        return here.length != there.length
    return isinstance(here, Confirm) and isinstance(there, Confirm) and here.code_length != there.code_length


def move(old: Journey, new: Journey, state: RunState, mapping: Mapping[str, str]) -> RunState | None:
    """Move one person; see `Move`."""
    return Move(old, new, mapping).take(state)
