"""What has been decided so far in one look at an enrollment?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connector.domain.journey import Journey
from connector.domain.message import MessageState
from connector.domain.places import Expression, Place
from connector.domain.run import Action, Fact, RunState, TraceLine
from connector.domain.seen_values import seen_values
from connector.domain.step_order import StepOrder
from connector.domain.steps import Step
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind

OUT = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED})
"""The text left us. `unknown` does not count: reconciliation settles it within minutes, hours at worst, and may send it
again, which must not happen after the journey has gone on or ended.
"""

OVER = frozenset(
    {
        MessageState.FAILED,
        MessageState.EXPIRED,
        MessageState.DEAD_LETTER,
        MessageState.UNDELIVERED,
        MessageState.SUPPRESSED,
        MessageState.CANCELLED,
    },
)
"""The text will not arrive."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The enrollment is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to do before `due_at`, unless something happens."""

    due_at: datetime
    waits_for: str


Halt = Ended | Waiting


@dataclass(slots=True)
class Progress:
    """The state as it changes during one decision, with what was decided on the way.

    Attributes:
        facts: in order of time, then id.
        names: what every expression sees beside what is being looked at.
        entry_names: the trigger's records as they were at entry, for conditions about events.
    """

    journey: Journey
    order: StepOrder
    state: RunState
    facts: Sequence[Fact]
    names: Mapping[str, Any]
    entry_names: Mapping[str, Any]
    now: datetime
    around: Surroundings
    actions: list[Action] = field(default_factory=list)
    trace: list[TraceLine] = field(default_factory=list)

    @property
    def current(self) -> str | None:
        """Path of the step it stands at, or is to take first."""
        return self.state.cursor or self.order.first

    def note(self, path: str, place: Place, word: str, summary: str, values: Mapping[str, Any] | None = None) -> None:
        """Add a line to the trace."""
        self.trace.append(TraceLine(path, place, word, summary, values or {}))

    def enter(self, step: Step) -> None:
        """Stand at a step; its time begins when the step before was done."""
        self.state = replace(self.state, cursor=step.path, entered_at=self.state.base_at, send_error="", target=None)

    def go_to(self, path: str | None) -> Ended | None:
        """Move the cursor; the enrollment is over when there is no further step."""
        if path is None:
            return Ended("completed")
        self.state = replace(self.state, cursor=path, entered_at=None, send_error="", target=None)
        return None

    def go_on(self, step: Step) -> Ended | None:
        """Move to what follows a step."""
        return self.go_to(self.order.after[step.path])

    def go_into(self, steps: tuple[Step, ...], step: Step) -> Ended | None:
        """Move to the first of nested steps, or to what follows `step` when there are none."""
        return self.go_to(steps[0].path) if steps else self.go_on(step)

    def done_at(self, at: datetime) -> None:
        """Let what follows count from `at`, never from before what was already done."""
        self.state = replace(self.state, base_at=max(self.state.base_at, at))

    def holds(self, condition: Expression, extra: Mapping[str, Any] | None = None) -> tuple[bool, dict[str, Any]]:
        """Evaluate a condition; give its answer and the values it saw.

        Raises:
            ConditionError: it cannot be evaluated.
        """
        names = {**self.names, **(extra or {})}
        return bool(self.around.evaluate(condition, names)), seen_values(condition.source, names)

    def events(self) -> Sequence[Fact]:
        """Events since the enrollment began, but for the one that began it."""
        return [fact for fact in self.facts if fact.kind is EntryKind.EVENT_RECEIVED and fact.id != self.state.trigger]

    def moves_of(self, message_id: str | None) -> Sequence[Fact]:
        """What became of a message."""
        return [
            fact
            for fact in self.facts
            if fact.kind is EntryKind.MESSAGE_MOVED and message_id is not None and fact.message_id == message_id
        ]
