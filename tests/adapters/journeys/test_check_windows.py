"""A check finds send windows that stay closed, and texts that expire before theirs opens."""

from datetime import time

import pytest

from connector.adapters.journey_world import World
from tests.adapters.journeys.checking import check, said, with_windows, world

EVERY_NIGHT = {day: ((time(1), time(3)),) for day in range(7)}
NEVER = dict.fromkeys(range(7), ())
STOP = '"Acme: sale. STOP to end"'


@pytest.fixture(scope="module")
def nights() -> World:
    return with_windows(world(), night=EVERY_NIGHT, never=NEVER)


def test_a_window_without_hours_is_a_mistake(nights: World) -> None:
    (mistake,) = check("- {send: , text: Hello, window: never}", nights)
    assert (mistake.severity, mistake.path, mistake.line, mistake.column) == ("error", "steps[0].window", 6, 35)
    assert "the window `never` has no hours" in mistake.message


def test_the_journeys_own_window_counts_for_every_text(nights: World) -> None:
    (mistake,) = check("- {send: , text: Hello}\n- {send: , text: Bye}", nights, head="window: never\n")
    assert (mistake.path, mistake.line) == ("window", 3)


def test_a_window_that_shares_no_hour_with_the_countries_rules_is_a_warning(nights: World) -> None:
    (mistake,) = check(f"- {{send: , text: {STOP}, window: night}}", nights, purpose="marketing")
    assert mistake.severity == "warning"
    assert "shares no hour with those of marketing texts in countries without a row of their own, US" in mistake.message


def test_a_window_that_shares_some_hour_is_none(nights: World) -> None:
    assert said(f"- {{send: , text: {STOP}, window: daytime}}", nights, purpose="marketing") == []


def test_marketing_at_any_hour_is_a_warning() -> None:
    (mistake,) = check(f"- {{send: , text: {STOP}, window: anytime}}", purpose="marketing")
    assert (mistake.severity, "by night" in mistake.message) == ("warning", True)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "account"])
def test_a_clock_that_marketing_does_not_go_by_is_a_warning(zone: str) -> None:
    (mistake,) = check(f"- {{send: , text: {STOP}}}", purpose="marketing", head=f"timezone: {zone}\n")
    assert (mistake.severity, mistake.path, mistake.line) == ("warning", "timezone", 3)
    assert "counted by the recipient's own clock" in mistake.message


def test_another_clock_is_no_mistake_for_what_is_no_marketing() -> None:
    assert said("- {send: , text: Hello}", head="timezone: Europe/Berlin\n") == []


def test_a_text_to_the_owner_may_go_out_at_any_hour() -> None:
    assert said("- {send: , text: Hello, to: owner, window: anytime}", purpose="marketing") == []


NIGHT = '- wait: {until: next business day, at: "03:00"}\n'


def test_a_text_that_expires_before_its_hours_begin_is_a_mistake() -> None:
    (mistake,) = check(f"{NIGHT}- {{send: , text: Hello, expires_after: 2 hours}}")
    assert (mistake.severity, mistake.path) == ("error", "steps[1].expires_after")
    assert "never goes out: queued at 03:00, it expires before the hours of transactional texts open" in mistake.message


def test_a_text_that_expires_in_some_countries_only_is_a_warning() -> None:
    early = '- wait: {until: next business day, at: "07:00"}\n'
    (mistake,) = check(f"{early}- {{send: , text: Hello, expires_after: 2 hours}}")
    assert mistake.severity == "warning"
    assert "never goes out in IN: queued at 07:00" in mistake.message


def test_a_named_window_is_the_one_that_counts(nights: World) -> None:
    steps = (
        '- wait: {until: next business day, at: "12:00"}\n- {send: , text: Hi, window: night, expires_after: 1 hour}'
    )
    found = [mistake for mistake in check(steps, nights) if mistake.severity == "error"]
    assert "before the window `night` opens" in found[0].message


@pytest.mark.parametrize(
    "steps",
    [
        f"{NIGHT}- {{send: , text: Hello, expires_after: 12 hours}}",
        f"{NIGHT}- {{send: , text: Hello}}",
        f"{NIGHT}- {{send: , text: Hello, expires_after: 2 hours, window: anytime}}",
        f"{NIGHT}- wait: 5 hours\n- {{send: , text: Hello, expires_after: 2 hours}}",
        '- wait: {until: invoice.due_on + 1 day, at: "03:00"}\n- {send: , text: Hello, expires_after: 2 hours}',
        f"{NIGHT}- if: invoice.balance_due > 5\n  then: [wait: 6 hours]\n- {{send: , text: Hi, expires_after: 1 hour}}",
    ],
)
def test_a_text_whose_hour_is_not_known_or_right_is_no_mistake(steps: str) -> None:
    assert said(steps) == []


def test_the_hour_is_known_behind_steps_that_take_no_time() -> None:
    steps = f"{NIGHT}- note: here\n- if: invoice.balance_due > 5\n  then: [{{send: , text: Hi, expires_after: 1 hour}}]"
    assert [mistake.path for mistake in check(steps)] == ["steps[2].then[0].expires_after"]


def test_a_code_that_would_wait_for_a_window_is_a_warning() -> None:
    steps = "- verify: {{text: '{{{{ code }}}}'{}}}"
    (mistake,) = check(steps.format(""), head="window: daytime\n")
    assert (mistake.severity, mistake.suggestion) == ("warning", "write window: anytime")
    assert (mistake.path, mistake.line) == ("window", 3)
    assert said(steps.format(", window: anytime"), head="window: daytime\n") == []
    assert said(steps.format("")) == []


def test_the_option_of_a_text_is_found_beside_it_and_below_it(nights: World) -> None:
    beside = "- send:\n  text: Hello\n  window: never"
    below = "- send:\n    text: Hello\n    window: never"
    asked = "- confirm:\n    text: Yours?\n    reply: [YES]\n    within: 1 day\n    window: never"
    for steps, path, line in (
        (beside, "steps[0].window", 8),
        (below, "steps[0].send.window", 8),
        (asked, "steps[0].confirm.window", 10),
    ):
        (mistake,) = check(steps, nights)
        assert (mistake.path, mistake.line) == (path, line)
