"""Is the hour chosen at which somebody answers, only where it is allowed, and can the choice be explained?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.best_time import EXPLORATION, Choice, choose_time
from connector.domain.habits import Habits, Hour
from connector.domain.send_window import ANYTIME, SendWindow, opening
from connector.domain.surroundings import Surroundings

MONDAY = datetime(2026, 11, 16, 7, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYTIME = SendWindow("daytime", dict.fromkeys(range(7), ((time(9), time(20)),)))
NEVER = SendWindow("never", {})
NEAR_MIDNIGHT = SendWindow("evening", dict.fromkeys(range(7), ((time(20), time(22)),)))


def choose(
    habits: Habits,
    *,
    key: str = "",
    within: timedelta = DAY,
    window: SendWindow = DAYTIME,
    zones: tuple[str, ...] = ("Europe/London",),
    start: datetime = MONDAY,
) -> Choice:
    around = Surroundings(lambda _expression, _names: None, zones=zones, habits=habits, window=window)
    return choose_time(around, start, start + within, key or key_that(explores=False))


def key_that(*, explores: bool) -> str:
    """Find a key whose lot says whether to explore: the reason tells."""
    keys = (f"e{number}:steps[0]" for number in range(1000))
    tried = Habits(own={(0, 12): 1})
    return next(key for key in keys if ("to learn about" in choose(tried, key=key).reason) is explores)


def hour_of(choice: Choice, zone: str = "Europe/London") -> Hour:
    assert choice.at is not None
    local = choice.at.astimezone(ZoneInfo(zone))
    return local.weekday(), local.hour


@pytest.mark.parametrize(
    ("habits", "expected", "reason"),
    [
        (Habits(own={(0, 18): 4, (0, 10): 2}), (0, 18), "answered 4 of 6 times between 17:00 and 20:00"),
        (Habits(own={(3, 18): 4}), (0, 18), "answered 4 of 4 times between 17:00 and 20:00"),  # another weekday
        (Habits(alike={(0, 11): 30}), (0, 11), "contacts in the same country answered 30 of 30 times"),
        (Habits(everyone={(0, 15): 9}), (0, 15), "all contacts answered 9 of 9 times"),
        (Habits(own={(0, 18): 20}, everyone={(0, 10): 5000}), (0, 18), "answered 20 of 20 times"),
        (Habits(own={(0, 18): 1}, alike={(0, 10): 5000}), (0, 10), "contacts in the same country answered 5000"),
        (Habits(alike={(0, 18): 400}, everyone={(0, 10): 9000}), (0, 18), "contacts in the same country answered"),
        (Habits(alike={(0, 18): 2}, everyone={(0, 10): 9000}), (0, 10), "all contacts answered 9000 of 9000"),
    ],
)
def test_own_habits_count_most_then_those_of_people_alike_then_everybody_s(
    habits: Habits, expected: Hour, reason: str
) -> None:
    choice = choose(habits)
    assert hour_of(choice) == expected
    assert reason in choice.reason


def test_the_reason_names_the_hour_and_the_clock_it_is_read_from() -> None:
    assert choose(Habits(own={(0, 18): 1})).reason.startswith("Chose Mon 18:00 (Europe/London): ")
    two = choose(Habits(own={(0, 18): 1}), zones=("Europe/London", "Europe/Berlin"))
    assert "(Europe/London and 1 more)" in two.reason


def test_answers_shortly_before_and_after_an_hour_speak_for_it() -> None:
    assert hour_of(choose(Habits(own={(0, 13): 2, (0, 14): 2, (0, 15): 2, (0, 18): 3}))) == (0, 14)


def test_the_same_hour_of_the_day_counts_more_on_the_same_weekday() -> None:
    habits = Habits(own={(0, 12): 5, (2, 15): 5})
    assert hour_of(choose(habits)) == (0, 12)
    assert hour_of(choose(habits, start=MONDAY + 2 * DAY)) == (2, 15)


def test_hours_next_to_each_other_are_so_over_midnight_and_the_end_of_the_week_too() -> None:
    habits = Habits(own={(6, 23): 8})
    assert hour_of(choose(habits, window=ANYTIME, within=4 * HOUR, start=MONDAY.replace(hour=0, minute=0))) == (0, 0)


def test_only_hours_in_the_window_and_the_time_allowed_are_chosen() -> None:
    assert hour_of(choose(Habits(own={(0, 21): 50}), within=12 * HOUR)) == (0, 19)
    habits = Habits(own={(0, 21): 50, (1, 10): 99})
    assert hour_of(choose(habits, within=30 * HOUR)) == (1, 10)


def test_an_hour_must_be_open_wherever_the_contact_can_be() -> None:
    zones = ("Europe/London", "America/New_York")
    choice = choose(Habits(own={(0, 9): 30, (0, 4): 30}), zones=zones)
    assert choice.at is not None
    assert opening(DAYTIME, zones, choice.at).is_open


def test_with_several_clocks_an_hour_is_as_good_as_it_is_on_average() -> None:
    habits = Habits(own={(0, 14): 20, (0, 19): 20})  # 14:00 in London is 19:00 in Karachi, five hours ahead
    assert hour_of(choose(habits, zones=("Europe/London", "Asia/Karachi"))) == (0, 14)


@pytest.mark.parametrize(
    ("window", "zones", "within"),
    [(NEVER, ("Europe/London",), DAY), (DAYTIME, (), DAY), (DAYTIME, ("Europe/London",), HOUR)],
)
def test_where_no_hour_is_open_nothing_is_waited_for(
    window: SendWindow, zones: tuple[str, ...], within: timedelta
) -> None:
    choice = choose(Habits(), window=window, zones=zones, within=within)
    assert choice == Choice(None, "No open hour in this time; goes on at once")


def test_a_window_that_needs_no_zone_is_open_to_who_has_none() -> None:
    assert choose(Habits(), window=ANYTIME, zones=()).at is not None


def test_before_anybody_has_answered_people_are_spread_over_the_open_hours() -> None:
    choices = [choose(Habits(), key=f"e{number}:steps[0]") for number in range(200)]
    assert {choice.reason.partition(": ")[2] for choice in choices} == {
        "nobody has answered yet, so an open hour was drawn by lot"
    }
    assert {hour_of(choice) for choice in choices} == {(0, hour) for hour in range(9, 20)}


def test_one_choice_in_ten_tries_another_hour() -> None:
    habits = Habits(own={(0, 18): 50})
    choices = [choose(habits, key=f"e{number}:steps[0]") for number in range(2000)]
    explored = [choice for choice in choices if "to learn about hours" in choice.reason]
    assert abs(len(explored) / len(choices) - EXPLORATION) < 0.03
    assert {hour_of(choice) for choice in explored} == {(0, hour) for hour in range(9, 20)}
    assert {hour_of(choice) for choice in choices if choice not in explored} == {(0, 18)}


def test_the_minute_is_spread_over_the_hour() -> None:
    keys = [f"e{number}:steps[0]" for number in range(400)]
    moments = [choose(Habits(own={(0, 18): 50}), key=key).at for key in keys]
    minutes = {moment.minute for moment in moments if moment is not None and moment.hour == 18}
    assert len(minutes) > 50


def test_an_hour_that_has_begun_is_chosen_for_what_is_left_of_it() -> None:
    habits = Habits(own={(0, 10): 50})
    start = MONDAY.replace(hour=10, minute=40)
    choices = [choose(habits, start=start, within=8 * HOUR, key=f"e{number}") for number in range(50)]
    assert all(choice.at is not None and start <= choice.at for choice in choices)
    assert any(hour_of(choice) == (0, 10) for choice in choices)


def test_where_all_answers_came_at_other_hours_the_reason_says_so() -> None:
    choice = choose(Habits(own={(0, 4): 50}), window=NEAR_MIDNIGHT)
    assert "nobody has answered between" in choice.reason


def test_more_than_a_week_has_no_hour_that_a_week_has_not() -> None:
    habits = Habits(own={(0, 12): 3})
    assert choose(habits, within=300 * DAY) == choose(habits, within=7 * DAY)


counts: st.SearchStrategy[Mapping[Hour, int]] = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 23)), st.integers(0, 1000), max_size=8
)


@given(
    st.builds(Habits, own=counts, alike=counts, everyone=counts),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - `timezones` makes them aware
    st.integers(1, 60 * 24 * 9).map(lambda minutes: timedelta(minutes=minutes)),
    st.sampled_from([ANYTIME, DAYTIME, NEVER, NEAR_MIDNIGHT]),
    st.lists(st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "Mars/Olympus"]), max_size=3),
    st.text(max_size=5),
)
def test_whatever_is_known_the_time_is_open_within_the_limits_and_always_the_same(
    habits: Habits, start: datetime, within: timedelta, window: SendWindow, zones: list[str], key: str
) -> None:
    choice = choose(habits, key=key + "!", within=within, window=window, zones=tuple(zones), start=start)
    assert choice == choose(habits, key=key + "!", within=within, window=window, zones=tuple(zones), start=start)
    assert choice.at is None or start <= choice.at < start + within
    assert choice.at is None or opening(window, zones, choice.at).is_open
