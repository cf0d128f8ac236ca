"""What has been decided so far in one look at an enrollment?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connector.domain.documents import from_document, to_document
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
        """Add a line to the trace; after a move to another version a path means another step, and so does its line."""
        known_as = f"r{self.state.revision}:{word}" if self.state.revision else word
        self.trace.append(TraceLine(path, place, known_as, summary, values or {}))

    def note_once(self, path: str, place: Place, word: str, summary: str, values: Mapping[str, Any]) -> None:
        """Add a line to the trace unless this look has added it before."""
        self.note(path, place, word, summary, values)
        last = self.trace[-1]
        if any((line.path, line.word) == (last.path, last.word) for line in self.trace[:-1]):
            self.trace.pop()

    def enter(self, step: Step) -> None:
        """Stand at a step; its time begins when the step before was done."""
        self._stand_at(step.path, self.state.base_at, self.state.key(step))

    def asks_now(self) -> None:
        """Let the time of the step it stands at begin now: what came before the question is no answer to it."""
        self.state = replace(self.state, entered_at=self.now)

    @property
    def begun(self) -> datetime:
        """When the time of the step it stands at began."""
        return self.state.entered_at or self.state.base_at

    def key(self, step: Step) -> str:
        """Name what the step it stands at asks for."""
        return self.state.asked or self.state.key(step)

    def aim(self, target: datetime) -> None:
        """Note until when the step it stands at waits."""
        self.state = replace(self.state, target=target)

    def go_to(self, path: str | None) -> Ended | None:
        """Move the cursor; the enrollment is over when there is no further step."""
        if path is None:
            return Ended("completed")
        self._stand_at(path, None, "")
        return None

    def go_on(self, step: Step) -> Ended | None:
        """Move to what follows a step."""
        return self.go_to(self.order.after[step.path])

    def go_into(self, steps: tuple[Step, ...], step: Step) -> Ended | None:
        """Move to the first of nested steps, or to what follows `step` when there are none."""
        return self.go_to(steps[0].path) if steps else self.go_on(step)

    def _stand_at(self, path: str, entered_at: datetime | None, asked: str) -> None:
        self.state = replace(self.state, cursor=path, entered_at=entered_at, asked=asked, send_error="", target=None)

    def done_at(self, at: datetime) -> None:
        """Let what follows count from `at`, never from before what was already done."""
        if at > self.state.base_at:
            self.state = replace(self.state, base_at=at)

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

    def fail(self, step: Step, reason: str) -> Ended | None:
        """Go into the step's `on_failure` steps; the enrollment is over when it has none."""
        self.note(step.path, step.place, "failed", f"Failed for good: {reason}")
        if step.on_failure:
            return self.go_to(step.on_failure[0].path)
        return Ended(f"{step.path} failed: {reason}")

    def set_variables(self, values: Mapping[str, Any]) -> None:
        """Give the journey's variables new values, as they will be read back from the ledger."""
        kept = {name: from_document(to_document(value)) for name, value in values.items()}
        if kept or self.state.vars is None:
            self.state = replace(self.state, vars={**(self.state.vars or {}), **kept})
        self.names = {**self.names, "vars": self.state.vars}

    def use_up(self, facts: Iterable[Fact]) -> None:
        """Let facts answer once only."""
        self.state = replace(self.state, used=(*self.state.used, *(fact.id for fact in facts)))

    def hear(self, reply: Fact, keyword: str | None) -> None:
        """Take a reply for an answer: it answers once only, and what follows sees what it was taken for."""
        self.use_up([reply])
        if keyword is not None:
            self.state = replace(self.state, keywords={**self.state.keywords, reply.id: keyword})
        self.names = {**self.names, **reply.reply_names(keyword)}

    def replies(self, until: datetime) -> Sequence[Fact]:
        """Replies of whom it asked that have answered nothing yet, since the time of the step it stands at began."""
        return [
            fact
            for fact in self.facts
            if fact.kind is EntryKind.REPLY_RECEIVED
            and fact.is_from_asked
            and self.begun <= fact.at <= until
            and fact.id not in self.state.used
        ]

    def end_of(self, key: str) -> Fact | None:
        """How something that was asked for under a key ended, if it has."""
        ends = {EntryKind.EFFECT_DONE, EntryKind.EFFECT_FAILED}
        return next((fact for fact in self.facts if fact.kind in ends and fact.key == key), None)

    def moves_of(self, message_id: str | None) -> Sequence[Fact]:
        """What became of a message."""
        return [
            fact
            for fact in self.facts
            if fact.kind is EntryKind.MESSAGE_MOVED and message_id is not None and fact.message_id == message_id
        ]
