"""Do steps wait for their time on the recipient's clock, and follow appointments that move?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from connector.domain.durations import BusinessDays
from connector.domain.enrollment import begin
from connector.domain.habits import Habits
from connector.domain.send_window import SendWindow
from connector.domain.steps import Anchor, Delay
from connector.domain.surroundings import Surroundings
from tests.domain.journey_parts import (
    DAY,
    HERE,
    HOUR,
    MINUTE,
    NOW,
    START,
    at_message,
    evaluate,
    journey,
    keys,
    leave,
    look,
    moved,
    reply,
    send,
    task,
    wait,
    when,
    words,
)

BERLIN = Surroundings(evaluate, zones=("Europe/Berlin",))
DUE = "invoice.due_at"


def due(value: Any) -> Mapping[str, Any]:
    return {"invoice": {"due_at": value}}


def after(offset: Delay) -> Anchor:
    return Anchor(HERE, offset=offset)


def at(source: str = DUE) -> Anchor:
    return Anchor(HERE, moment=when(source))


# `at`


def test_a_step_with_a_time_waits_for_it_and_is_not_entered_before() -> None:
    what = journey(send(at=after(3 * DAY)))
    first = look(what)
    assert (first.actions, first.due_at, first.waits_for) == ((), NOW + 3 * DAY, "2026-11-23 10:00 UTC")
    assert (first.state.cursor, first.state.entered_at) == ("steps[0]", None)
    assert [line.summary for line in first.trace] == ["Not before 2026-11-23 10:00 UTC"]
    assert keys(look(what, first.state, now=NOW + 3 * DAY)) == ["e1:steps[0]"]


def test_a_held_text_does_not_push_the_steps_that_are_counted_from_the_trigger() -> None:
    what = journey(send(), send("steps[1]", at=after(7 * DAY)))
    late = look(what, at_message(), [moved("accepted", NOW + 5 * DAY)], now=NOW + 5 * DAY)
    assert late.due_at == NOW + 7 * DAY


def test_an_offset_counts_from_the_trigger_not_from_when_it_was_read() -> None:
    state = begin("e1", trigger="event:trigger", occurred_at=NOW - DAY, now=NOW)
    assert look(journey(send(at=after(3 * DAY))), state).due_at == NOW + 2 * DAY


def test_an_anchor_without_a_time_is_the_trigger_itself() -> None:
    assert look(journey(send(at=Anchor(HERE)))).actions


def test_an_offset_may_be_counted_in_business_days() -> None:
    assert look(journey(send(at=after(BusinessDays(1))))).due_at == NOW + 3 * DAY  # NOW is a Friday


@pytest.mark.parametrize("value", [NOW - MINUTE, NOW])
def test_a_step_whose_time_is_past_is_taken_at_once(value: datetime) -> None:
    decision = look(journey(send(at=at())), names=due(value))
    assert keys(decision) == ["e1:steps[0]"]


def test_a_step_with_a_time_follows_an_appointment_that_moves() -> None:
    what = journey(send(at=at()))
    first = look(what, names=due(NOW + DAY))
    assert first.due_at == NOW + DAY
    assert look(what, first.state, now=NOW + DAY, names=due(NOW + 2 * DAY)).due_at == NOW + 2 * DAY
    assert look(what, first.state, now=NOW + HOUR, names=due(NOW + MINUTE)).actions


def test_a_step_whose_appointment_is_gone_fails() -> None:
    what = journey(send(at=at(), on_failure=(leave("steps[0].on_failure[0]", "cancelled"),)))
    first = look(what, names=due(NOW + DAY))
    assert look(what, first.state, names={"invoice": {}}).exit_reason == "cancelled"


def test_a_date_means_the_beginning_of_that_day_on_the_recipient_s_clock() -> None:
    decision = look(journey(send(at=at())), names=due(date(2026, 11, 25)), around=BERLIN)
    assert decision.due_at == datetime(2026, 11, 24, 23, tzinfo=UTC)


def test_what_follows_counts_from_the_time_that_was_waited_for_however_late_it_is_looked_at() -> None:
    what = journey(task("steps[0]", at=after(DAY)), wait("steps[1]", 2 * HOUR))
    assert look(what, now=NOW + DAY + HOUR).due_at == NOW + DAY + 2 * HOUR


def test_a_time_before_the_step_before_was_done_changes_nothing_for_what_follows() -> None:
    what = journey(send(), task("steps[1]", at=after(HOUR)), wait("steps[2]", DAY))
    decision = look(what, at_message(), [moved("accepted", NOW + 3 * HOUR)], now=NOW + 3 * HOUR)
    assert decision.due_at == NOW + 3 * HOUR + DAY


def test_when_is_asked_once_the_time_has_come() -> None:
    what = journey(send(at=after(DAY), when=when("invoice.balance_due > 500")))
    first = look(what)
    assert [word for _, word in words(first)] == [f"at:{(NOW + DAY).isoformat()}"]
    little = {"invoice": {"balance_due": 1}}
    assert look(what, first.state, now=NOW + DAY, names=little).exit_reason == "completed"


def test_now_in_the_time_of_a_step_is_when_the_step_before_was_done() -> None:
    what = journey(send(at=at("now + 1 hour")))
    first = look(what)
    assert first.due_at == NOW + HOUR
    assert look(what, first.state, now=NOW + HOUR).actions


def test_a_time_beyond_the_calendar_fails_the_step() -> None:
    decision = look(journey(send(at=after(timedelta(days=3_000_000)))))
    assert decision.exit_reason == "steps[0] failed: the wait is longer than the calendar"


# `wait`


def test_business_days_pass_over_weekends_and_holidays_of_the_recipient_s_country() -> None:
    def works_on(day: date, country: str | None) -> bool:
        return day.weekday() < 5 and (day, country) != (date(2026, 11, 23), "JP")

    what = journey(wait("steps[0]", BusinessDays(1)))
    japan = Surroundings(evaluate, country="JP", is_business_day=works_on)
    assert look(what, around=replace(japan, country="US")).due_at == NOW + 3 * DAY
    assert look(what, around=japan).due_at == NOW + 4 * DAY


@pytest.mark.parametrize(("clock", "due_at"), [(None, "2026-11-23T08:00"), (time(14, 30), "2026-11-23T13:30")])
def test_the_next_business_day_is_one_on_the_recipient_s_clock(clock: time | None, due_at: str) -> None:
    step = wait("steps[0]", next_business_day=True, clock=clock)
    decision = look(journey(step), around=BERLIN)
    assert decision.due_at == datetime.fromisoformat(due_at).replace(tzinfo=UTC)


def test_the_next_business_day_is_counted_from_when_the_step_was_entered() -> None:
    what = journey(wait("steps[0]", next_business_day=True))
    first = look(what)
    assert look(what, first.state, now=NOW + 3 * DAY).ended


def test_a_time_of_day_on_the_day_an_expression_gives() -> None:
    step = wait("steps[0]", until=when(DUE), clock=time(9))
    decision = look(journey(step), names=due(datetime(2026, 11, 24, 23, 30, tzinfo=UTC)), around=BERLIN)
    assert decision.due_at == datetime(2026, 11, 25, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "due_at"), [(date(2027, 3, 28), "2027-03-28T01:00"), (date(2027, 10, 31), "2027-10-31T00:30")]
)
def test_on_the_nights_when_clocks_change_a_wait_ends_at_the_first_such_time(day: date, due_at: str) -> None:
    step = wait("steps[0]", until=when(DUE), clock=time(2, 30))
    decision = look(journey(step), names=due(day), around=BERLIN)
    assert decision.due_at == datetime.fromisoformat(due_at).replace(tzinfo=UTC)


def test_an_appointment_that_moves_into_the_past_fails_a_wait_that_may_not_be_late() -> None:
    step = wait("steps[0]", until=when(DUE), skip_if_past=False)
    first = look(journey(step), names=due(NOW + DAY))
    decision = look(journey(step), first.state, now=NOW + 3 * HOUR, names=due(NOW + HOUR))
    assert decision.exit_reason == "steps[0] failed: the time to wait until is past"


def test_a_wait_that_ends_in_time_does_not_fail_however_late_it_is_looked_at() -> None:
    step = wait("steps[0]", until=when(DUE), skip_if_past=False)
    first = look(journey(step), names=due(NOW + DAY))
    assert look(journey(step), first.state, now=NOW + 2 * DAY, names=due(NOW + DAY)).exit_reason == "completed"


def test_what_follows_an_appointment_that_moved_into_the_past_counts_from_when_that_was_heard() -> None:
    what = journey(wait("steps[0]", until=when(DUE)), wait("steps[1]", DAY))
    first = look(what, names=due(NOW + 5 * DAY))
    heard = look(what, first.state, now=NOW + 2 * DAY, names=due(NOW + DAY))
    assert heard.due_at == NOW + 3 * DAY


def test_an_appointment_that_is_cancelled_ends_the_wait_with_a_reason() -> None:
    what = journey(wait("steps[0]", until=when(DUE)))
    first = look(what, names=due(NOW + DAY))
    decision = look(what, first.state, now=NOW + HOUR, names=due(None))
    assert decision.exit_reason == "steps[0] failed: invoice.due_at gives no time with a time zone"


# Best time


EVENING = Surroundings(
    evaluate,
    zones=("Europe/Berlin",),
    habits=Habits(own={(4, 18): 500}, alike={(4, 18): 5000}),
    window=SendWindow("day", dict.fromkeys(range(7), ((time(9), time(20)),))),
)


def test_the_best_time_is_chosen_once_and_kept() -> None:
    what = journey(wait("steps[0]", best_within=DAY), task("steps[1]"))
    first = look(what, around=EVENING)
    chosen = first.due_at
    assert chosen is not None
    assert NOW < chosen < NOW + DAY
    assert first.trace[0].summary.startswith("Chose ")
    again = look(what, first.state, now=NOW + MINUTE, around=replace(EVENING, habits=Habits()))
    assert (again.due_at, again.trace, again.state) == (chosen, (), first.state)
    last = look(what, first.state, now=chosen, around=EVENING)
    assert (last.ended, words(last)[0]) == (True, ("steps[0]", "waited"))
    assert last.state.base_at == chosen


def test_without_an_open_hour_the_journey_goes_on_at_once_and_says_so() -> None:
    closed = replace(EVENING, window=SendWindow("never", {}))
    decision = look(journey(wait("steps[0]", best_within=DAY)), around=closed)
    assert decision.exit_reason == "completed"
    assert words(decision) == [("steps[0]", "best time")]


def test_the_best_time_is_chosen_among_hours_to_come_however_late_it_is_looked_at() -> None:
    late = NOW + 20 * HOUR
    decision = look(journey(wait("steps[0]", best_within=DAY)), now=late, around=EVENING)
    assert decision.due_at is None or late <= decision.due_at < NOW + DAY


def test_a_best_time_that_is_right_now_is_not_waited_for() -> None:
    narrow = replace(EVENING, window=SendWindow("instant", {4: ((time(11), time(11, 0, 1)),)}))
    decision = look(journey(wait("steps[0]", best_within=HOUR)), around=narrow)
    assert words(decision) == [("steps[0]", "best time"), ("steps[0]", "waited")]


def test_a_reply_while_waiting_changes_no_wait() -> None:
    what = journey(wait("steps[0]", DAY))
    assert look(what, START, [reply("hello", NOW + HOUR)], now=NOW + HOUR).due_at == NOW + DAY
