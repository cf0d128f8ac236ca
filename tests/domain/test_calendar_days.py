"""Is a day and a time of day the instant that the recipient's clock says, on odd nights too?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.calendar_days import (
    as_time,
    clocks,
    first_instant,
    later,
    next_business_day,
    on_day,
    on_day_of,
    spoken,
)
from connector.domain.durations import BusinessDays
from connector.domain.surroundings import Surroundings
from connector.errors import ConditionError

FRIDAY = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC")


def weekdays(day: date, country: str | None) -> bool:
    return day.weekday() < 5


def around(
    *zones: str, country: str | None = None, works_on: Callable[[date, str | None], bool] = weekdays
) -> Surroundings:
    return Surroundings(lambda _expression, _names: None, zones=zones, country=country, is_business_day=works_on)


@pytest.mark.parametrize(
    ("day", "at", "zone", "instant"),
    [
        (date(2026, 7, 1), time(9), "Europe/Berlin", "2026-07-01T07:00"),
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", "2026-03-29T01:00"),  # skipped: the gap ends at 03:00
        (date(2026, 3, 29), time(2, 30, 0, 1), "Europe/Berlin", "2026-03-29T01:00"),
        (date(2026, 3, 29), time(3), "Europe/Berlin", "2026-03-29T01:00"),
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", "2026-10-25T00:30"),  # doubled: the first time
        (date(2026, 3, 8), time(2, 30), "America/New_York", "2026-03-08T07:00"),
        (date(2026, 11, 1), time(1, 30), "America/New_York", "2026-11-01T05:30"),
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "2026-10-03T15:30"),  # a gap of half an hour
        (date(2011, 12, 30), time(9), "Pacific/Apia", "2011-12-30T10:00"),  # a day that Samoa did not have
    ],
)
def test_a_time_of_day_is_the_first_instant_at_which_the_clock_has_come_to_it(
    day: date, at: time, zone: str, instant: str
) -> None:
    assert first_instant(day, at, ZoneInfo(zone)) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@given(st.dates(date(2000, 1, 1), date(2037, 12, 31)), st.times(), st.sampled_from(ZONES))
def test_a_second_before_its_first_instant_no_clock_has_shown_a_time_of_day(day: date, at: time, zone: str) -> None:
    clock, wanted = ZoneInfo(zone), datetime.combine(day, at)
    found = first_instant(day, at, clock)
    shown = found.astimezone(clock).replace(tzinfo=None)
    before = (found - timedelta(seconds=1)).astimezone(clock).replace(tzinfo=None)
    assert shown >= wanted > before


def test_of_several_clocks_the_last_one_counts() -> None:
    assert on_day(date(2026, 11, 20), time(9), around("Europe/London", "America/Los_Angeles")) == datetime(
        2026, 11, 20, 17, tzinfo=UTC
    )


def test_without_a_zone_the_clock_of_utc_counts_and_a_name_that_is_none_is_passed_over() -> None:
    assert clocks(()) == (ZoneInfo("UTC"),)
    assert clocks(("Mars/Olympus", "../secret", "Europe/Berlin", "Europe/Berlin")) == (ZoneInfo("Europe/Berlin"),)


def test_the_day_of_a_moment_is_the_recipient_s() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert on_day_of(late, time(9), around("Europe/Berlin")) == datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert on_day_of(late, time(9), around("America/New_York")) == datetime(2026, 11, 20, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "zone", "expected"),
    [
        (1, "UTC", "2026-11-23T10:30"),
        (5, "UTC", "2026-11-27T10:30"),
        (6, "UTC", "2026-11-30T10:30"),
        (1, "Pacific/Kiritimati", "2026-11-22T10:30"),  # already Saturday there: the first business day is Monday
        (1, "Pacific/Auckland", "2026-11-23T10:30"),  # late on Friday there
    ],
)
def test_business_days_are_counted_on_the_recipient_s_calendar_at_the_same_time_of_day(
    count: int, zone: str, expected: str
) -> None:
    found = later(FRIDAY, BusinessDays(count), around(zone))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_business_days_keep_the_time_of_day_over_a_change_of_clocks() -> None:
    thursday = datetime(2026, 3, 26, 8, tzinfo=UTC)  # nine o'clock in Berlin, before summer time
    assert later(thursday, BusinessDays(2), around("Europe/Berlin")) == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_where_the_date_is_not_known_the_later_business_day_counts() -> None:
    friday_or_saturday = datetime(2026, 11, 20, 22, tzinfo=UTC)
    zones = around("Europe/London", "Asia/Tokyo")
    assert later(friday_or_saturday, BusinessDays(1), zones) == datetime(2026, 11, 23, 22, tzinfo=UTC)


def test_a_public_holiday_of_the_country_is_no_business_day() -> None:
    asked: list[str | None] = []

    def works_on(day: date, country: str | None) -> bool:
        asked.append(country)
        return day.weekday() < 5 and day != date(2026, 11, 23)

    found = later(FRIDAY, BusinessDays(1), around("UTC", country="JP", works_on=works_on))
    assert found == FRIDAY + timedelta(days=4)
    assert set(asked) == {"JP"}


@pytest.mark.parametrize(("at", "hour"), [(None, 9), (time(8, 15), 8)])
def test_the_next_business_day_begins_at_nine_or_when_it_is_said(at: time | None, hour: int) -> None:
    found = next_business_day(FRIDAY, at, around("Europe/Berlin"))
    assert (found.date(), found.astimezone(ZoneInfo("Europe/Berlin")).hour) == (date(2026, 11, 23), hour)


def test_the_next_business_day_is_never_today() -> None:
    early = datetime(2026, 11, 19, 5, tzinfo=UTC)
    assert next_business_day(early, time(9), around("UTC")) == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_calendar_without_business_days_is_an_error_and_no_endless_search() -> None:
    with pytest.raises(ConditionError, match="no business day within 60 days"):
        later(FRIDAY, BusinessDays(1), around("UTC", works_on=lambda _day, _country: False))


def test_a_long_rest_between_business_days_is_counted_anew_after_each() -> None:
    def works_on(day: date, country: str | None) -> bool:
        return day.day == 1

    assert later(FRIDAY, BusinessDays(3), around("UTC", works_on=works_on)).date() == date(2027, 2, 1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: later(FRIDAY, timedelta(days=3_000_000), around()),
        lambda: later(datetime.max.replace(tzinfo=UTC), BusinessDays(1), around()),
        lambda: on_day(date.max, time(23), around("America/New_York")),
        lambda: on_day_of(datetime.max.replace(tzinfo=UTC), time(9), around("Pacific/Auckland")),
        lambda: as_time(datetime.max.replace(tzinfo=timezone(-timedelta(hours=8))), None, "x", around()),
    ],
)
def test_a_time_beyond_the_calendar_is_an_error(ask: Callable[[], datetime]) -> None:
    with pytest.raises(ConditionError, match="longer than the calendar"):
        ask()


@pytest.mark.parametrize(
    ("value", "at", "expected"),
    [
        (FRIDAY, None, "2026-11-20T10:30"),
        (FRIDAY.isoformat(), None, "2026-11-20T10:30"),
        (FRIDAY, time(18), "2026-11-20T17:00"),
        (date(2026, 11, 21), None, "2026-11-20T23:00"),
        ("2026-11-21", None, "2026-11-20T23:00"),
        (date(2026, 11, 21), time(9), "2026-11-21T08:00"),
    ],
)
def test_a_time_is_itself_and_a_date_is_the_beginning_of_the_recipient_s_day(
    value: object, at: time | None, expected: str
) -> None:
    found = as_time(value, at, "deal.close_on", around("Europe/Berlin"))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("value", ["soon", 7, None, True, datetime(2026, 11, 21), "2026-11-21T10:00"])  # noqa: DTZ001 - that it is naive is the case
def test_what_is_no_time_is_an_error_that_names_the_expression(value: object) -> None:
    with pytest.raises(ConditionError, match=r"deal\.close_on gives no time"):
        as_time(value, None, "deal.close_on", around())


def test_an_instant_is_written_in_utc() -> None:
    assert spoken(FRIDAY.astimezone(ZoneInfo("Asia/Tokyo"))) == "2026-11-20 10:30 UTC"
