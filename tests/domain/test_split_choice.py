"""Does everybody get one arm and stay in it, in the shares that the journey says?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from connector.domain.enrollment import AssignArm
from connector.domain.split_choice import choose_arm, drawn_arm
from connector.domain.steps import Arm, Exit, Split
from connector.domain.surroundings import ArmStanding, Surroundings
from tests.domain.journey_parts import HERE, NAMES, START, evaluate, journey, leave, look, words


def arm(name: str, weight: int = 1) -> Arm:
    path = f"steps[0].split.arms.{name}"
    then: tuple[Exit, ...] = (leave(f"{path}.then[0]", name),)
    return Arm(name, weight, path, HERE, then)


def split(*arms: Arm, step_id: str = "tone") -> Split:
    return Split(id=step_id, path="steps[0]", place=HERE, arms=arms)


BOTH = split(arm("friendly"), arm("firm"))


def standing(assigned: str | None = None, winner: str | None = None) -> Surroundings:
    return Surroundings(evaluate, arms={"tone": ArmStanding(assigned, winner)})


def test_arms_are_drawn_in_the_shares_of_their_weights() -> None:
    three = split(arm("a", 1), arm("b", 2), arm("c", 7))
    drawn = Counter(drawn_arm(three, "welcome", str(contact)).name for contact in range(10_000))
    assert [round(drawn[name] / 1000) for name in "abc"] == [1, 2, 7]


def test_what_somebody_drew_in_one_split_says_nothing_about_another() -> None:
    other = split(*BOTH.arms, step_id="time")
    drawn = Counter(
        (drawn_arm(BOTH, "welcome", str(contact)).name, drawn_arm(other, "welcome", str(contact)).name)
        for contact in range(4000)
    )
    assert all(abs(count - 1000) < 150 for count in drawn.values())
    assert len(drawn) == 4


def test_the_draw_is_written_down_so_that_other_programs_can_repeat_it() -> None:
    drawn = [drawn_arm(BOTH, "welcome", str(contact)).name for contact in range(8)]
    assert drawn == ["firm", "friendly", "friendly", "firm", "friendly", "firm", "friendly", "friendly"]


@pytest.mark.parametrize(
    ("known", "name", "reason"),
    [
        (ArmStanding("firm", None), "firm", "the contact has been in it before"),
        (ArmStanding("firm", "friendly"), "firm", "the contact has been in it before"),
        (ArmStanding(None, "firm"), "firm", "it has won"),
        (ArmStanding("gone", "firm"), "firm", "it has won"),
    ],
)
def test_an_arm_is_for_good_and_the_winner_for_whoever_is_new(known: ArmStanding, name: str, reason: str) -> None:
    arm, why = choose_arm(BOTH, "welcome", "42", known)
    assert (arm.name, why) == (name, reason)


@pytest.mark.parametrize("known", [ArmStanding(), ArmStanding("gone", None), ArmStanding(None, "gone")])
def test_arms_the_journey_no_longer_has_count_for_nothing(known: ArmStanding) -> None:
    arm, why = choose_arm(BOTH, "welcome", "42", known)
    assert (arm, why) == (drawn_arm(BOTH, "welcome", "42"), "drawn with a chance of 1 in 2")


def test_a_new_contact_is_assigned_the_arm_it_goes_into() -> None:
    drawn = drawn_arm(BOTH, "test", "42").name
    decision = look(journey(BOTH), around=standing())
    assert (decision.actions, decision.exit_reason) == ((AssignArm(BOTH, drawn),), drawn)
    assert decision.state.arms == {"tone": drawn}
    assert words(decision)[0] == (f"steps[0].split.arms.{drawn}", "arm")
    assert decision.trace[0].summary == f"Goes into arm {drawn} of tone: drawn with a chance of 1 in 2"


@pytest.mark.parametrize("name", ["friendly", "firm"])
def test_a_contact_that_has_an_arm_is_not_assigned_again(name: str) -> None:
    decision = look(journey(BOTH), around=standing(assigned=name))
    assert (decision.actions, decision.exit_reason) == ((), name)


@pytest.mark.parametrize("name", ["friendly", "firm"])
def test_a_run_stays_in_its_arm_even_when_the_ledger_says_another(name: str) -> None:
    state = replace(START, arms={"tone": name})
    other = {"friendly": "firm", "firm": "friendly"}[name]
    assert look(journey(BOTH), state, around=standing(assigned=other)).exit_reason == name


def test_without_a_contact_s_id_the_enrollment_is_drawn_for() -> None:
    drawn = drawn_arm(BOTH, "test", "e1").name
    assert look(journey(BOTH), names={}, around=standing()).exit_reason == drawn
    assert look(journey(BOTH), names={**NAMES, "contact": {}}, around=standing()).exit_reason == drawn


def test_after_an_arm_without_steps_the_journey_goes_on() -> None:
    empty = split(Arm("only", 1, "steps[0].split.arms.only", HERE, ()), Arm("none", 1, "x", HERE, ()))
    assert look(journey(empty, leave("steps[1]", "went on"))).exit_reason == "went on"
