"""Do the laws of an enrollment hold for any journey and any order of events?

It never raises, always ends or waits for something with a time, never acts after its end, makes each message once, and
explains itself the same way twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector.domain.enrollment import Decision, Fact, RunState, SendSMS, begin, decide
from connector.domain.journey import Enroll, ExitRule, Journey, Trigger
from connector.domain.message import Purpose
from connector.domain.places import Expression, Place, Text
from connector.domain.steps import Branch, Case, CaseKind, Exit, If, Send, Step, Task, Wait, WaitFor, walk
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind
from connector.errors import ConditionError

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HERE = Place("journeys/any.yaml", 1, 1)
STATES = ("held", "queued", "accepted", "unknown", "delivered", "failed", "expired", "suppressed", "martian")
EVENTS = ("invoice.paid", "deal.stage_changed")
TEXTS = ("yes", "no", "stop it, please", "")


def evaluate(expression: Expression, names: Mapping[str, Any]) -> Any:
    if expression.source == "broken":
        raise ConditionError("broken is undefined")
    if expression.source == "time":
        return names["now"] + 7 * MINUTE
    return expression.source == "true"


conditions = st.sampled_from(["true", "false", "broken"]).map(lambda source: Expression(source, HERE))
maybe = st.none() | conditions
durations = st.integers(0, 600).map(lambda minutes: minutes * MINUTE)


@st.composite
def steps(draw: st.DrawFn, path: str, depth: int) -> tuple[Step, ...]:
    count = draw(st.integers(0, 3))
    return tuple(draw(step(f"{path}[{position}]", depth)) for position in range(count))


@st.composite
def step(draw: st.DrawFn, path: str, depth: int) -> Step:  # noqa: PLR0911 - one return per kind of step
    kinds = ["send", "wait", "until", "task", "exit"] + (["if", "wait_for"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    shared: dict[str, Any] = {"id": path, "path": path, "place": HERE, "when": draw(maybe)}
    if depth and draw(st.booleans()):
        shared["on_failure"] = draw(steps(f"{path}.on_failure", depth - 1))
    if kind == "send":
        return Send(template="a/b", **shared)
    if kind == "wait":
        return Wait(duration=draw(durations), **shared)
    if kind == "until":
        source = draw(st.sampled_from(["time", "true", "broken"]))
        return Wait(until=Expression(source, HERE), skip_if_past=draw(st.booleans()), **shared)
    if kind == "task":
        return Task(assignee="owner", title=Text("Call", HERE), **shared)
    if kind == "exit":
        return Exit(reason="left", **shared)
    otherwise = draw(steps(f"{path}.else", depth - 1))
    if kind == "if":
        branches = tuple(
            Branch(draw(conditions), draw(steps(f"{path}.branch[{number}]", depth - 1)))
            for number in range(draw(st.integers(1, 2)))
        )
        return If(branches=branches, otherwise=otherwise, **shared)
    cases = tuple(
        Case(
            kind=draw(st.sampled_from(CaseKind)),
            path=f"{path}.cases[{number}]",
            place=HERE,
            keywords=draw(st.sampled_from([(), ("yes",), ("no", "never")])),
            event=draw(st.sampled_from(EVENTS)),
            where=draw(maybe),
            then=draw(steps(f"{path}.cases[{number}].then", depth - 1)),
        )
        for number in range(draw(st.integers(1, 2)))
    )
    return WaitFor(cases=cases, within=draw(durations), otherwise=otherwise, **shared)


@st.composite
def journeys(draw: st.DrawFn) -> Journey:
    rules = tuple(
        ExitRule(f"exit_when[{number}]", HERE, event=draw(st.none() | st.sampled_from(EVENTS)), where=draw(maybe))
        for number in range(draw(st.integers(0, 1)))
    )
    return Journey(
        id="any",
        title="Any",
        purpose=Purpose.TRANSACTIONAL,
        trigger=Trigger("invoice.overdue", HERE),
        enroll=Enroll(Expression("true", HERE)),
        steps=draw(steps("steps", 2)),
        file="journeys/any.yaml",
        hash="hash",
        source={},
        exit_when=rules,
    )


@st.composite
def happenings(draw: st.DrawFn) -> list[tuple[timedelta, str, str]]:
    """Give what happens, and when: a reply, an event, a text that moves, an opt-out, or somebody merely looking."""
    return draw(
        st.lists(
            st.tuples(
                st.integers(0, 2000).map(lambda minutes: minutes * MINUTE),
                st.sampled_from(["reply", "event", "moved", "look", "opted out"]),
                st.sampled_from([*STATES, *EVENTS, *TEXTS]),
            ),
            max_size=12,
        ).map(sorted)
    )


class World:
    """Plays one enrollment as the service does: each message made gets an id, its moves become facts."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.state = begin("e1", trigger="event:trigger", occurred_at=NOW, now=NOW)
        self.facts: list[Fact] = []
        self.keys: list[str] = []
        self.ended = False

    def happen(self, at: datetime, kind: str, word: str) -> None:
        number = f"{kind}:{len(self.facts)}"
        if kind == "reply":
            names = {"last_reply": {"text": word, "at": at}}
            self.facts.append(Fact(number, EntryKind.REPLY_RECEIVED, at, text=word, names=names))
        elif kind == "event":
            self.facts.append(Fact(number, EntryKind.EVENT_RECEIVED, at, word, names={"event": {"name": word}}))
        elif kind == "opted out":
            self.facts.append(Fact(number, EntryKind.OPTED_OUT, at))
        elif kind == "moved" and self.keys:
            self.facts.append(Fact(number, EntryKind.MESSAGE_MOVED, at, word, f"message-{len(self.keys)}"))

    def look(self, now: datetime) -> Decision:
        decision = decide(self.journey, self.state, self.facts, {}, now, Surroundings(evaluate))
        again = decide(self.journey, self.state, list(reversed(self.facts)), {}, now, Surroundings(evaluate))
        assert decision == again
        assert decision.ended == (decision.due_at is None) == bool(decision.exit_reason)
        assert decision.ended or decision.waits_for
        assert decision.due_at is None or decision.due_at > now
        self.record(decision)
        return decision

    def record(self, decision: Decision) -> None:
        assert not self.ended
        self.state, self.ended = decision.state, decision.ended
        for action in decision.actions:
            if isinstance(action, SendSMS):
                assert action is decision.actions[-1]
                self.keys.append(action.key)
                self.state = self.state.with_message(action.step, f"message-{len(self.keys)}")
        self.state = RunState.from_json(self.state.to_json())


def play(journey: Journey, what_happens: list[tuple[timedelta, str, str]]) -> World:
    world = World(journey)
    world.look(NOW)
    for after, kind, word in what_happens:
        if world.ended:
            break
        world.happen(NOW + after, kind, word)
        world.look(NOW + after)
    return world


@given(journeys(), happenings())
def test_any_journey_decides_the_same_twice_and_ends_or_waits_with_a_time(
    journey: Journey, what_happens: list[tuple[timedelta, str, str]]
) -> None:
    play(journey, what_happens)


@given(journeys(), happenings())
def test_no_message_is_made_twice_and_every_line_of_the_trace_names_a_path_of_the_journey(
    journey: Journey, what_happens: list[tuple[timedelta, str, str]]
) -> None:
    world = play(journey, what_happens)
    assert len(world.keys) == len(set(world.keys))
    assert {key.partition(":")[2] for key in world.keys} <= {step.path for step in walk(journey.steps)}


@given(journeys(), happenings())
def test_every_journey_ends_once_its_texts_are_out_and_time_has_passed(
    journey: Journey, what_happens: list[tuple[timedelta, str, str]]
) -> None:
    world = play(journey, what_happens)
    now = NOW + timedelta(days=30)
    for _ in range(4 * len(list(walk(journey.steps))) + 2):
        if world.ended:
            return
        world.happen(now, "moved", "accepted")
        decision = world.look(now)
        now = max(now, decision.due_at or now)
    raise AssertionError(f"still waiting for {world.look(now).waits_for}")


@given(journeys(), happenings(), st.sampled_from(["the contact opted out", "the account is disconnected"]))
def test_a_reason_to_stop_ends_any_enrollment_without_another_message(
    journey: Journey, what_happens: list[tuple[timedelta, str, str]], reason: str
) -> None:
    world = play(journey, what_happens)
    later = NOW + timedelta(days=30)
    decision = decide(journey, world.state, world.facts, {}, later, Surroundings(evaluate), stop_reason=reason)
    assert (decision.ended, decision.actions) == (True, ())
