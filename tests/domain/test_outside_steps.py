"""Is what a step wants done outside asked for once, waited for where it matters, and its failure heard?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from connector.domain.enrollment import Decision, Fact, Perform, RunState
from connector.domain.errands import Call, EnrollIn, Handoff, HandoffTo, Note, Notify, PropertyValue, SetValues
from connector.domain.journey import ExitRule
from connector.domain.places import Text
from connector.domain.stepping import LOOK_AGAIN
from connector.domain.steps import Step
from tests.domain.journey_parts import (
    HERE,
    HOUR,
    MINUTE,
    NOW,
    START,
    done,
    journey,
    keys,
    leave,
    look,
    paid,
    task,
    undone,
    wait,
    when,
    words,
)

KEY = "e1:steps[0]"
FAILED = {"on_failure": (leave("steps[0].on_failure[0]", "failed"),)}
NEXT = leave("steps[1]", "went on")


def common(**more: Any) -> dict[str, Any]:
    return {"id": "steps[0]", "path": "steps[0]", "place": HERE, **more}


def notify(**more: Any) -> Notify:
    return Notify(**common(**more), channel="sales", text=Text("Look", HERE))


def handoff(**more: Any) -> Handoff:
    return Handoff(**common(**more), to=HandoffTo.CALL)


def call(**more: Any) -> Call:
    return Call(**{**common(endpoint="stock", into="stock"), **more})


def set_values(**more: Any) -> SetValues:
    return SetValues(**common(**more))


STAGE = PropertyValue("deal", "stage", Text("won", HERE))


@pytest.mark.parametrize(
    "step",
    [
        task("steps[0]"),
        Note(**common(), text=Text("Hello", HERE)),
        EnrollIn(**common(), journey="other"),
        set_values(properties=(STAGE,)),
        notify(),
        handoff(),
    ],
)
def test_a_thing_that_nobody_waits_for_is_asked_for_and_the_journey_goes_on(step: Step) -> None:
    decision = look(journey(step, NEXT))
    assert decision.actions == (Perform(step, KEY),)
    assert decision.exit_reason == "went on"


def test_what_a_step_asks_for_sees_what_held_when_it_was_taken() -> None:
    what = journey(
        set_values(variables={"tries": when("vars.tries + 1")}),
        task("steps[1]"),
        replace(set_values(variables={"tries": when("vars.tries + 1")}), path="steps[2]"),
    )
    (action,) = look(what, replace(START, vars={"tries": 1})).actions
    assert isinstance(action, Perform)
    assert action.names["vars"] == {"tries": 2}


# What fails in a way that matters


@pytest.mark.parametrize(
    "step",
    [
        task("steps[0]", **FAILED),
        Note(**common(**FAILED), text=Text("Hello", HERE)),
        EnrollIn(**common(**FAILED), journey="other"),
        set_values(properties=(STAGE,), **FAILED),
        notify(**FAILED),
        handoff(**FAILED),
    ],
)
def test_where_failure_has_steps_of_its_own_the_journey_waits_to_hear(step: Step) -> None:
    what = journey(step, NEXT)
    first = look(what)
    assert first.actions == (Perform(step, KEY, is_awaited=True),)
    assert (first.due_at, first.waits_for) == (NOW + LOOK_AGAIN, "what steps[0] asked for to be done")
    assert look(what, first.state, now=NOW + HOUR).actions == ()
    assert look(what, first.state, [done(KEY, NOW)], now=NOW + HOUR).exit_reason == "went on"
    failed = look(what, first.state, [undone(KEY, NOW, "the channel is gone")], now=NOW + HOUR)
    assert failed.exit_reason == "failed"
    assert "Failed for good: the channel is gone" in [line.summary for line in failed.trace]


def test_a_failure_without_a_reason_is_a_failure_too() -> None:
    what = journey(notify(**FAILED))
    failed = look(what, look(what).state, [undone(KEY, NOW)])
    assert "Failed for good: it could not be done" in [line.summary for line in failed.trace]


def test_what_became_of_something_else_is_not_taken_for_it() -> None:
    what = journey(notify(**FAILED))
    assert not look(what, look(what).state, [done("e1:steps[9]", NOW)]).ended


def test_what_follows_a_notification_counts_from_when_it_was_done() -> None:
    what = journey(notify(**FAILED), wait("steps[1]", HOUR))
    decision = look(what, look(what).state, [done(KEY, NOW + MINUTE)], now=NOW + 2 * MINUTE)
    assert decision.due_at == NOW + MINUTE + HOUR


def test_an_answer_is_known_again_after_the_person_was_moved_to_another_version() -> None:
    what = journey(notify(**FAILED), NEXT)
    first = look(what).state
    moved = replace(first, revision=1)
    assert look(what, moved, [done(KEY, NOW)]).exit_reason == "went on"
    assert keys(look(what, replace(START, revision=1))) == ["e1:r1:steps[0]"]


def test_after_a_move_the_trace_tells_the_lines_of_both_versions_apart() -> None:
    state = replace(START, revision=2)
    assert words(look(journey(NEXT), state)) == [("steps[1]", "r2:exit")]


@pytest.mark.parametrize("step", [task("steps[0]", **FAILED), call()])
def test_an_end_counts_when_the_clock_that_wrote_it_was_behind(step: Step) -> None:
    behind = NOW - MINUTE
    what = journey(step, NEXT)
    first = look(what, now=behind)
    assert look(what, first.state, [done(KEY, behind)], now=behind).exit_reason == "went on"


# Variables


def test_variables_see_those_set_before_them_and_keep_their_kind() -> None:
    step = set_values(variables={"tries": when("invoice.balance_due * 2"), "more": when("vars.tries + 1")})
    decision = look(journey(step))
    assert decision.state.vars == {"tries": Decimal(1200), "more": Decimal(1201)}
    assert [line.summary for line in decision.trace] == ["Sets vars.tries, vars.more"]
    assert decision.actions == ()


def test_a_later_step_sees_a_variable_that_was_set() -> None:
    what = journey(
        set_values(variables={"double": when("invoice.balance_due * 2")}),
        replace(NEXT, when=when("vars.double > 1000")),
    )
    assert look(what).exit_reason == "went on"


def test_variables_and_properties_can_be_set_together() -> None:
    step = set_values(variables={"tries": when("invoice.balance_due * 2")}, properties=(STAGE,))
    decision = look(journey(step))
    assert keys(decision) == [KEY]
    assert decision.state.vars == {"tries": Decimal(1200)}


def test_a_variable_that_cannot_be_computed_fails_the_step_and_sets_none() -> None:
    step = set_values(variables={"tries": when("invoice.balance_due * 2"), "bad": when("nonsense")}, **FAILED)
    decision = look(journey(step))
    assert (decision.exit_reason, decision.state.vars, decision.actions) == ("failed", {}, ())


def test_an_exit_rule_sees_what_was_set_before_the_next_step() -> None:
    rule = ExitRule("exit_when[0]", HERE, where=when("vars.tries > 2"))
    counts = set_values(variables={"tries": when("vars.tries + 1")})
    what = journey(counts, task("steps[1]"), exit_when=(rule,), variables={"tries": when("one")})
    assert keys(look(what)) == ["e1:steps[1]"]
    twice = replace(what, variables={"tries": when("two")})
    decision = look(twice)
    assert (decision.actions, decision.exit_reason) == ((), "vars.tries > 2 holds")


def test_an_exit_rule_ends_it_also_where_what_was_set_is_waited_for() -> None:
    rule = ExitRule("exit_when[0]", HERE, where=when("vars.tries > 2"))
    counts = set_values(variables={"tries": when("vars.tries + 1")}, properties=(STAGE,), **FAILED)
    decision = look(journey(counts, exit_when=(rule,), variables={"tries": when("two")}))
    assert (keys(decision), decision.exit_reason) == ([KEY], "vars.tries > 2 holds")


def test_an_exit_rule_sees_the_answer_of_a_call_before_the_next_step() -> None:
    rule = ExitRule("exit_when[0]", HERE, where=when("vars.stock is none"))
    what = journey(call(), task("steps[1]"), exit_when=(rule,), variables={"stock": when("one")})
    decision = look(what, look(what).state, [undone(KEY, NOW)])
    assert (decision.actions, decision.exit_reason) == ((), "vars.stock is none holds")


def test_an_event_whose_rule_does_not_hold_is_told_once_however_often_it_is_asked() -> None:
    rule = ExitRule("exit_when[0]", HERE, event="invoice.paid", where=when("vars.tries > 2"))
    counts = set_values(variables={"tries": when("one")})
    decision = look(
        journey(counts, NEXT, exit_when=(rule,), variables={"tries": when("one")}), facts=[paid(NOW)], now=NOW + MINUTE
    )
    assert [word for _, word in words(decision)] == ["unmet:event:invoice.paid:7", "set", "exit"]


# Calls


def called(step: Call, *facts: Fact, now: datetime = NOW + MINUTE) -> Decision:
    what = journey(step, NEXT)
    return look(what, look(what).state, facts, now=now)


def test_a_call_is_awaited_so_long() -> None:
    first = look(journey(call()))
    assert first.actions == (Perform(call(), KEY, is_awaited=True),)
    assert (first.due_at, first.waits_for) == (NOW + 5 * MINUTE, "the answer of stock, until 2026-11-20 10:05 UTC")
    again = called(call())
    assert (again.actions, again.due_at) == ((), NOW + 5 * MINUTE)


def test_the_answer_becomes_a_variable() -> None:
    decision = called(call(), done(KEY, NOW, {"left": 3}))
    assert decision.exit_reason == "went on"
    assert decision.state.vars == {"stock": {"left": 3}}


@pytest.mark.parametrize("answer", [{"created": {"$date": "2024-01-01T00:00:00Z"}}, {"$decimal": "abc"}])
def test_an_answer_that_looks_like_a_value_of_ours_is_kept_as_it_came(answer: object) -> None:
    decision = called(call(), done(KEY, NOW, answer))
    assert decision.state.vars == {"stock": answer}
    assert RunState.from_json(decision.state.to_json()) == decision.state


def test_an_answer_that_nobody_wants_is_not_kept() -> None:
    assert called(call(into=""), done(KEY, NOW, {"left": 3})).state.vars == {}


@pytest.mark.parametrize(
    ("facts", "now", "said"),
    [
        ([undone(KEY, NOW, "it refused")], NOW, "it refused"),
        ([undone(KEY, NOW)], NOW, "it could not be asked"),
        ([], NOW + 5 * MINUTE, "no answer until 2026-11-20 10:05 UTC"),
        ([done(KEY, NOW + 6 * MINUTE, 1)], NOW + 7 * MINUTE, "no answer until 2026-11-20 10:05 UTC"),
    ],
)
def test_a_call_without_an_answer_fails_else_leaves_the_variable_without_a_value(
    facts: list[Fact], now: datetime, said: str
) -> None:
    plain = called(call(), *facts, now=now)
    assert (plain.exit_reason, plain.state.vars) == ("went on", {"stock": None})
    assert f"stock gave no answer: {said}; goes on" in [line.summary for line in plain.trace]
    failing = called(call(**FAILED), *facts, now=now)
    assert (failing.exit_reason, failing.state.vars) == ("failed", {"stock": None})
    assert f"Failed for good: {said}" in [line.summary for line in failing.trace]


def test_the_time_for_an_answer_begins_when_the_call_is_asked_for() -> None:
    late = look(journey(call()), now=NOW + HOUR)
    assert late.due_at == NOW + HOUR + 5 * MINUTE


def test_what_follows_a_call_counts_from_its_answer_or_its_end() -> None:
    what = journey(call(), wait("steps[1]", HOUR))
    state = look(what).state
    assert look(what, state, [done(KEY, NOW + MINUTE)], now=NOW + HOUR).due_at == NOW + MINUTE + HOUR
    assert look(what, state, now=NOW + HOUR).due_at == NOW + 5 * MINUTE + HOUR
