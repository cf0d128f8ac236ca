"""A check finds steps that are never reached, and times that are past before they come."""

import pytest

from tests.adapters.journeys.checking import check, said, world

YES_NO = """
- verify:
    text: "{{ code }}"
    then:
      - exit: right
    else:
      - exit: wrong
"""
BEHIND = "is never reached: it stands behind a step all of whose ways exit"


@pytest.mark.parametrize(
    "step",
    [
        YES_NO,
        "- confirm: {text: Yours?, reply: [YES], within: 1 hour, then: [{exit: a}], else: [{exit: b}]}",
        "- split: {arms: {a: {then: [{exit: a}]}, b: {then: [{exit: b}]}}}",
        "- wait_for: {within: 1 day, cases: [{reply: any, then: [{exit: a}]}], else: [{exit: b}]}",
        '- if: invoice.number == "1"\n  then: [{exit: a}]\n  else: [{exit: b}]',
    ],
)
def test_a_step_behind_one_whose_ways_all_exit_is_never_reached(step: str) -> None:
    found = check(f"{step.strip()}\n- note: here\n")
    assert [mistake.path for mistake in found] == ["steps[1]"]
    assert BEHIND in found[0].message


@pytest.mark.parametrize(
    "step",
    [
        "- verify: {text: '{{ code }}', then: [{exit: right}]}",
        "- confirm: {text: Yours?, reply: [YES], within: 1 hour, then: [{exit: a}]}",
        "- split: {arms: {a: {then: [{exit: a}]}, b: {then: [{note: b}]}}}",
        "- exit: too small\n  when: invoice.balance_due < 1",
    ],
)
def test_a_step_that_some_way_leads_to_is_no_mistake(step: str) -> None:
    assert said(f"{step}\n- note: here\n") == []


def test_what_follows_a_failure_leaves_the_rest_reachable() -> None:
    assert said("- text: Hello\n  send:\n  on_failure: [{exit: unreachable}]\n- note: here\n") == []


def test_a_branch_with_an_earlier_ones_condition_is_never_reached() -> None:
    steps = """
- if: invoice.balance_due > 5
  then: [{note: a}]
  elif:
    - if: "invoice.balance_due   > 5"
      then: [{note: b}]
"""
    (mistake,) = check(steps)
    assert (mistake.line, mistake.column) == (9, 13)
    assert "is never reached: line 6 has the same condition" in mistake.message


@pytest.mark.parametrize(
    "steps",
    [
        "- note: a\n  at: +5 days\n- note: b\n  at: +3 days",
        "- note: a\n  at: +2 days\n- wait: 3 days\n- note: b\n  at: +4 days",
        "- wait: 1 week\n- note: b\n  at: +3 days",
        "- note: a\n  at: +5 days\n  when: invoice.balance_due > 1\n- note: b\n  at: +3 days",
        "- wait: 5 days\n- if: invoice.balance_due > 1\n  then: [{note: b, at: +3 days}]",
        "- if: invoice.balance_due > 1\n  then: [{wait: 9 days}]\n  else: [{wait: 8 days}]\n- note: b\n  at: +3 days",
        "- if: invoice.balance_due > 1\n  then: [{exit: x}]\n  else: [{wait: 8 days}]\n- note: b\n  at: +3 days",
    ],
)
def test_an_anchor_that_is_past_when_it_is_reached_is_a_warning(steps: str) -> None:
    (mistake,) = check(steps)
    assert mistake.severity == "warning"
    assert mistake.message.startswith("is past when it is reached: `+")


@pytest.mark.parametrize(
    "steps",
    [
        "- note: a\n  at: +3 days\n- note: b\n  at: +3 days",
        "- wait: 5 business days\n- note: b\n  at: +3 days",
        "- wait: 5 days\n  when: invoice.balance_due > 1\n- note: b\n  at: +3 days",
        "- wait_for: {within: 9 days, cases: [{reply: any}]}\n- note: b\n  at: +3 days",
        "- if: invoice.balance_due > 1\n  then: [{wait: 9 days}]\n- note: b\n  at: +3 days",
        "- note: a\n  at: invoice.due_on + 30 days\n- note: b\n  at: +3 days",
    ],
)
def test_an_anchor_that_may_lie_ahead_is_no_warning(steps: str) -> None:
    assert said(steps) == []


def test_the_first_of_two_past_anchors_does_not_hide_the_second() -> None:
    steps = "- wait: 9 days\n- note: a\n  at: +3 days\n- note: b\n  at: +4 days"
    assert [mistake.path for mistake in check(steps, world())] == ["steps[1].at", "steps[2].at"]
