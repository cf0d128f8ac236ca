"""How many texts a number may get in a stretch of time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.caps import Cap, next_free, parse_cap

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("3 per 7 days", Cap(3, 7 * DAY)),
        ("1 per day", Cap(1, DAY)),
        (" 2  PER  24 Hours ", Cap(2, DAY)),
        ("10 per week", Cap(10, 7 * DAY)),
    ],
)
def test_a_cap_is_a_number_of_texts_per_duration(text: str, cap: Cap) -> None:
    assert parse_cap(text) == cap
    assert parse_cap(str(cap)) == cap


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected a number of texts and a duration"),
        ("3", "expected a number of texts and a duration"),
        ("three per day", "expected a number of texts and a duration"),
        ("3 per 7", "expected a whole number and a unit"),
        ("3 per month", "'month' is not one of weeks"),
        ("0 per day", "at least one text"),
        ("1 per 0 days", "longer than zero"),
    ],
)
def test_a_mistyped_cap_says_what_was_expected(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_cap(text)


@pytest.mark.parametrize(
    ("caps", "hours_ago", "free_in_hours"),
    [
        ([], [0, 0, 0], None),
        ([Cap(1, DAY)], [], None),
        ([Cap(1, DAY)], [23], 1),
        ([Cap(1, DAY)], [24], None),  # exactly a day ago no longer counts
        ([Cap(2, DAY)], [23], None),
        ([Cap(2, DAY)], [1, 23, 30], 1),
        ([Cap(2, DAY), Cap(3, 7 * DAY)], [1, 30, 40], 128),  # the stricter of two
        ([Cap(1, DAY)], [-2], 26),  # planned in two hours
    ],
)
def test_the_next_text_is_free_when_every_cap_has_room(
    caps: list[Cap], hours_ago: list[int], free_in_hours: int | None
) -> None:
    sent = [NOON - hours * HOUR for hours in hours_ago]
    expected = None if free_in_hours is None else NOON + free_in_hours * HOUR
    assert next_free(caps, sent, NOON) == expected


caps_of_any_kind = st.builds(Cap, st.integers(1, 4), st.integers(1, 48).map(lambda hours: hours * HOUR))


@given(st.lists(caps_of_any_kind, min_size=1, max_size=3), st.lists(st.integers(0, 30), max_size=40))
def test_no_stretch_of_time_ever_holds_more_than_a_cap_allows(caps: list[Cap], gaps: list[int]) -> None:
    now, sent = NOON, list[datetime]()
    for gap in gaps:
        now += gap * HOUR
        now = next_free(caps, sent, now) or now
        sent.append(now)
    for cap in caps:
        for end in sent:
            assert sum(end - cap.per < at <= end for at in sent) <= cap.count


@given(caps_of_any_kind, st.lists(st.integers(0, 100), max_size=12))
def test_the_wait_is_never_longer_than_it_must_be(cap: Cap, hours_ago: list[int]) -> None:
    sent = [NOON - hours * HOUR for hours in hours_ago]
    free_at = next_free([cap], sent, NOON)
    if free_at is None:
        assert sum(NOON - cap.per < at <= NOON for at in sent) < cap.count
        return
    just_before = free_at - timedelta(microseconds=1)
    assert sum(just_before - cap.per < at <= just_before for at in sent) >= cap.count
    assert next_free([cap], sent, free_at) is None
