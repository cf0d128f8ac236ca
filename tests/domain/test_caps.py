"""How many texts a number may get in a stretch of time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.caps import Cap, Contender, Limit, next_free, parse_cap

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


def a_limit(count: int, *hours_ago: float, wanted_by: tuple[Contender, ...] = ()) -> Limit:
    return Limit(Cap(count, DAY), "a cap", [NOON - hours * HOUR for hours in hours_ago], wanted_by)


def wants(*, hours: float, name: str = "recall") -> Contender:
    return Contender(name, name, 8, NOON + hours * HOUR)


def test_a_text_sent_exactly_a_stretch_ago_no_longer_fills_a_limit() -> None:
    assert a_limit(3, 1, 23, 24, 30).used(NOON) == 2
    assert a_limit(2, 1, 24).opens_at(NOON) is None
    assert a_limit(2, 1, 23).opens_at(NOON) == NOON + HOUR


def test_the_next_place_becomes_free_when_the_oldest_text_that_counts_falls_out() -> None:
    assert a_limit(3, 1, 20, 30).reopens_at(NOON) == NOON + 4 * HOUR
    assert a_limit(3).reopens_at(NOON) == NOON + DAY


def test_whoever_comes_first_needs_the_last_place_only_before_the_next_is_free() -> None:
    assert a_limit(2, 20).crowded_out_by(NOON) is None
    assert a_limit(2, 20, wanted_by=(wants(hours=4),)).crowded_out_by(NOON) is None
    assert a_limit(2, 20, wanted_by=(wants(hours=3.9),)).crowded_out_by(NOON) == wants(hours=3.9)


def test_as_many_as_come_first_take_as_many_places() -> None:
    first, second = wants(hours=0, name="first"), wants(hours=1, name="second")
    assert a_limit(3, wanted_by=(first, second)).crowded_out_by(NOON) is None
    assert a_limit(2, wanted_by=(first, second)).crowded_out_by(NOON) == first
    assert a_limit(1, wanted_by=(second,)).crowded_out_by(NOON) == second
