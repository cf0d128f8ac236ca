"""Which journeys can there be? Hypothesis makes any of them, with every kind of step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from connector.domain.durations import BusinessDays
from connector.domain.errands import Call, EnrollIn, Handoff, HandoffTo, Note, Notify, PropertyValue, SetValues, Task
from connector.domain.habits import Habits
from connector.domain.journey import Enroll, ExitRule, Journey, Trigger
from connector.domain.message import Purpose
from connector.domain.places import Expression, Place, Text
from connector.domain.send_window import ANYTIME, SendWindow
from connector.domain.steps import (
    Anchor,
    Arm,
    Branch,
    Case,
    CaseKind,
    Confirm,
    Exit,
    If,
    Send,
    Split,
    Step,
    Verify,
    Wait,
    WaitFor,
)
from connector.domain.surroundings import ArmStanding, Surroundings
from connector.errors import ConditionError

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HERE = Place("journeys/any.yaml", 1, 1)
EVENTS = ("invoice.paid", "deal.stage_changed")
LINKS = ("payment", "tracking")
ARMS = ("friendly", "firm")
CODE_LENGTH = 4
SAID = Text("Hello", HERE)
VALUES: Mapping[str, Any] = {
    "true": True,
    "false": False,
    "number": 7,
    "nothing": None,
    "day": date(2026, 11, 23),
    "time": NOW + 30 * MINUTE,
    "words": "2026-11-21",
    "the end": datetime.max.replace(tzinfo=UTC),
}
SOURCES = ("broken", "later", "vars", *VALUES)
DAYTIME = SendWindow("day", dict.fromkeys(range(7), ((time(9), time(20)),)))


def evaluate(expression: Expression, names: Mapping[str, Any]) -> Any:
    if expression.source == "broken":
        raise ConditionError("broken is undefined")
    if expression.source == "later":
        return names["now"] + 7 * MINUTE
    return names["vars"] if expression.source == "vars" else VALUES[expression.source]


def code_for(key: str, length: int) -> str:
    return str(sum(key.encode()) * 7919 % 10**length).zfill(length)


def expression(source: str) -> Expression:
    return Expression(source, HERE)


values = st.sampled_from(SOURCES).map(expression)
conditions = st.sampled_from(["true", "true", "true", "false", "broken"]).map(expression)
maybe = st.none() | st.none() | st.none() | conditions
durations = st.integers(0, 600).map(lambda minutes: minutes * MINUTE)
some_time = st.integers(1, 600).map(lambda minutes: minutes * MINUTE)
delays = durations | st.integers(1, 3).map(BusinessDays)
clock_times = st.none() | st.sampled_from([time(2, 30), time(9), time(23, 59)])
anchors = (
    st.none()
    | st.none()
    | st.none()
    | st.none()
    | st.builds(Anchor, place=st.just(HERE), offset=delays)
    | st.builds(Anchor, place=st.just(HERE), moment=values)
)
surroundings = st.builds(
    Surroundings,
    evaluate=st.just(evaluate),
    zones=st.lists(st.sampled_from(["Europe/London", "America/New_York", "Mars/Olympus"]), max_size=2).map(tuple),
    code_for=st.just(code_for),
    arms=st.dictionaries(
        st.sampled_from([f"steps[{number}]" for number in range(3)]),
        st.builds(
            ArmStanding, assigned=st.none() | st.sampled_from([*ARMS, "gone"]), winner=st.none() | st.sampled_from(ARMS)
        ),
        max_size=3,
    ),
    habits=st.builds(
        Habits, own=st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 23)), st.integers(1, 9), max_size=2)
    ),
    window=st.sampled_from([ANYTIME, DAYTIME, SendWindow("never", {})]),
)


@st.composite
def steps(draw: st.DrawFn, path: str, depth: int) -> tuple[Step, ...]:
    count = draw(st.integers(0, 3))
    return tuple(draw(step(f"{path}[{position}]", depth)) for position in range(count))


@st.composite
def step(draw: st.DrawFn, path: str, depth: int) -> Step:
    shared: dict[str, Any] = {"id": path, "path": path, "place": HERE, "when": draw(maybe), "at": draw(anchors)}
    if depth and draw(st.booleans()):
        shared["on_failure"] = draw(steps(f"{path}.on_failure", depth - 1))
    makers: list[Callable[[st.DrawFn, dict[str, Any], int], Step]] = [
        _sends,
        _waits,
        _tells,
        _leaves,
        *([_asks, _branches, _splits, _listens] if depth else []),
    ]
    make = draw(st.sampled_from(makers))
    made: Step = make(draw, shared, depth)
    return made


def _sends(draw: st.DrawFn, shared: dict[str, Any], depth: int) -> Step:
    return Send(template="a/b", **shared)


def _waits(draw: st.DrawFn, shared: dict[str, Any], depth: int) -> Step:
    options: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"duration": draw(delays)},
                {"until": draw(values), "skip_if_past": draw(st.booleans()), "clock": draw(clock_times)},
                {"next_business_day": True, "clock": draw(clock_times)},
                {"best_within": draw(some_time)},
            ]
        )
    )
    return Wait(**options, **shared)


def _tells(draw: st.DrawFn, shared: dict[str, Any], depth: int) -> Step:
    variables = draw(st.dictionaries(st.sampled_from("ab"), values, max_size=2))
    properties = draw(st.sampled_from([(), (PropertyValue("deal", "stage", SAID),)]))
    return draw(
        st.sampled_from(
            [
                Task(assignee="owner", title=SAID, **shared),
                Note(text=SAID, **shared),
                Notify(channel="sales", text=SAID, **shared),
                Handoff(to=draw(st.sampled_from(HandoffTo)), **shared),
                EnrollIn(journey="other", **shared),
                SetValues(variables=variables, properties=properties, **shared),
                Call(endpoint="stock", into=draw(st.sampled_from(["", "a"])), within=draw(some_time), **shared),
            ]
        )
    )


def _leaves(draw: st.DrawFn, shared: dict[str, Any], depth: int) -> Step:
    return Exit(reason="left", **shared)


def _asks(draw: st.DrawFn, shared: dict[str, Any], depth: int) -> Step:
    path = shared["path"]
    ends: dict[str, Any] = {
        "then": draw(steps(f"{path}.then", depth - 1)),
        "otherwise": draw(steps(f"{path}.else", depth - 1)),
    }
    ask = Send(id=path, path=path, place=HERE, text=SAID)
    if draw(st.booleans()):
        lifetime, tries = draw(some_time), draw(st.integers(1, 3))
        return Verify(ask=ask, length=CODE_LENGTH, lifetime=lifetime, tries=tries, **ends, **shared)
    how: dict[str, Any] = draw(st.sampled_from([{"keywords": ("yes",)}, {"code_length": CODE_LENGTH}]))
    return Confirm(
        ask=ask, within=draw(delays), grants=draw(st.sampled_from(["", "marketing"])), **how, **ends, **shared
    )


def _branches(draw: st.DrawFn, shared: dict[str, Any], depth: int) -> Step:
    path = shared["path"]
    branches = tuple(
        Branch(draw(conditions), draw(steps(f"{path}.branch[{number}]", depth - 1)))
        for number in range(draw(st.integers(1, 2)))
    )
    return If(branches=branches, otherwise=draw(steps(f"{path}.else", depth - 1)), **shared)


def _splits(draw: st.DrawFn, shared: dict[str, Any], depth: int) -> Step:
    path = shared["path"]
    arms = tuple(
        Arm(
            name,
            draw(st.integers(1, 9)),
            f"{path}.arms.{name}",
            HERE,
            draw(steps(f"{path}.arms.{name}.then", depth - 1)),
        )
        for name in ARMS
    )
    return Split(arms=arms, **shared)


def _listens(draw: st.DrawFn, shared: dict[str, Any], depth: int) -> Step:
    path = shared["path"]
    cases = tuple(
        Case(
            kind=draw(st.sampled_from(CaseKind)),
            path=f"{path}.cases[{number}]",
            place=HERE,
            keywords=draw(st.sampled_from([(), ("yes",), ("no", "never")])),
            event=draw(st.sampled_from(EVENTS)),
            link=draw(st.sampled_from([None, *LINKS])),
            where=draw(maybe),
            then=draw(steps(f"{path}.cases[{number}].then", depth - 1)),
        )
        for number in range(draw(st.integers(1, 2)))
    )
    return WaitFor(cases=cases, within=draw(delays), otherwise=draw(steps(f"{path}.else", depth - 1)), **shared)


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
        enroll=Enroll(expression("true")),
        steps=draw(steps("steps", 2)),
        file="journeys/any.yaml",
        hash="hash",
        source={},
        exit_when=rules,
        variables=draw(st.dictionaries(st.sampled_from("abc"), values, max_size=1)),
    )
