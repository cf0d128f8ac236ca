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


WRONG = "- {wait: 3 dyas}\n"


def test_a_step_that_cannot_be_read_hides_nothing_that_is_wrong_with_the_others() -> None:
    found = said(WRONG + "- exit: done\n- note: never\n- confirm: {text: Yes?, reply: [STOP], within: 1 day}")
    assert "steps[2]: is never reached: it stands behind `exit` in line 7" in found
    assert "steps[3].confirm.reply: `STOP` never gets here: it is a STOP word" in found


def test_a_marketing_text_is_looked_at_though_another_step_is_wrong() -> None:
    found = said(WRONG + "- {send: , text: Our sale}", purpose="marketing")
    assert any("names no word that stops it" in each for each in found)


def test_a_text_that_cannot_be_read_may_have_been_the_one_that_names_the_word() -> None:
    steps = "- {send: , text: Sale. STOP to end, polcy: x}\n- {send: , text: Second}"
    assert all("names no word" not in each for each in said(steps, purpose="marketing"))


def test_a_case_that_cannot_be_read_may_have_been_the_way_on() -> None:
    cases = "cases: [{reply: [YES], then: [{exit: a}]}, {rply: [NO]}]"
    steps = f"- wait_for: {{within: 1 day, {cases}, else: [{{exit: b}}]}}\n- note: reached"
    assert all("never reached" not in each for each in said(steps))


def test_a_case_without_steps_is_still_held_against_the_others() -> None:
    cases = "cases: [{reply: [YES]}, {reply: [STOP, yes please], then: []}]"
    found = said(f"- wait_for: {{within: 1 day, {cases}}}")
    at = "steps[0].wait_for.cases[1].reply"
    assert f"{at}: `STOP` never gets here: it is a STOP word" in found
    assert f"{at}: `yes please` is taken by `YES` in line 6" in found


def test_a_condition_that_is_asked_only_once_its_time_has_come_helps_nobody() -> None:
    step = "- {send: , text: Hello, at: invoice.due_on + 7 days, when: WHEN}"
    (mistake,) = check(step.replace("WHEN", "invoice.due_on is defined and invoice.balance_due > 5"))
    assert (mistake.path, mistake.severity) == ("steps[0].at", "warning")
    assert mistake.message == (
        "`when` is asked once this time has come, so it fails where `invoice.due_on` is not defined"
    )
    assert mistake.suggestion == "put the step into an `if: invoice.due_on is defined`"
    assert said(step.replace("WHEN", "invoice.number is defined")) == []
    assert said(step.replace("WHEN", "invoice.due_on is defined").replace("invoice.due_on + 7", "+7")) == []
