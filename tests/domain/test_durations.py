"""Durations as journeys write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.durations import LONGEST, BusinessDays, format_duration, parse_delay, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 seconds", timedelta(seconds=30)),
        ("1 minute", timedelta(minutes=1)),
        ("24 hours", timedelta(hours=24)),
        ("3 days", timedelta(days=3)),
        ("2 weeks", timedelta(weeks=2)),
        (" 1  Day ", timedelta(days=1)),
        ("1 days", timedelta(days=1)),
        ("0 days", timedelta(0)),
        ("3660 days", LONGEST),
    ],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected a whole number and a unit"),
        ("3", "expected a whole number and a unit"),
        ("days", "expected a whole number and a unit"),
        ("1.5 hours", "expected a whole number and a unit"),
        ("-3 days", "expected a whole number and a unit"),
        ("٣ days", "expected a whole number and a unit"),
        ("3 days 2 hours", "expected a whole number and a unit"),
        ("3 months", "'months' is not one of weeks, days, hours, minutes, seconds"),
        ("3661 days", "longer than ten years"),
        ("999999999 weeks", "longer than ten years"),
    ],
)
def test_a_mistyped_duration_says_what_was_expected(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(milliseconds=400), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(hours=24), "1 day"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(days=14), "2 weeks"),
    ],
)
def test_a_duration_is_written_in_the_longest_unit_that_divides_it(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


def test_a_negative_duration_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="is negative"):
        format_duration(timedelta(seconds=-1))


@given(st.integers(min_value=0, max_value=int(LONGEST.total_seconds())))
def test_a_written_duration_reads_back_as_itself(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 business day", BusinessDays(1)),
        (" 5  Business Days ", BusinessDays(5)),
        ("250 business days", BusinessDays(250)),
        ("3 days", timedelta(days=3)),
    ],
)
def test_a_delay_is_a_duration_or_a_number_of_business_days(text: str, expected: timedelta | BusinessDays) -> None:
    assert parse_delay(text) == expected


@pytest.mark.parametrize("text", ["0 business days", "251 business days"])
def test_no_business_days_and_too_many_are_mistakes(text: str) -> None:
    with pytest.raises(ValueError, match="expected 1 to 250 business days"):
        parse_delay(text)


@pytest.mark.parametrize("text", ["business days", "1.5 business days", "99999 business days", "2 Business weeks"])
def test_mistyped_business_days_say_how_they_are_written(text: str) -> None:
    with pytest.raises(ValueError, match='expected such as "5 business days"'):
        parse_delay(text)


def test_any_other_mistyped_delay_is_a_mistyped_duration() -> None:
    with pytest.raises(ValueError, match="has no known unit"):
        parse_delay("2 workdays")


@given(st.integers(1, 250).map(BusinessDays))
def test_written_business_days_read_back_as_themselves(days: BusinessDays) -> None:
    assert parse_delay(str(days)) == days
