"""Hours in which a text may go out, on ordinary days and on the nights when clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from connector.domain.send_window import ANYTIME, HORIZON, MIDNIGHT, Opening, OpeningReason, SendWindow, opening

OFFICE = SendWindow("office", dict.fromkeys(range(5), ((time(9), time(12)), (time(13), time(17)))))
DAYTIME = SendWindow("daytime", dict.fromkeys(range(7), ((time(8), time(21)),)))
NIGHT = SendWindow("night", dict.fromkeys(range(7), ((time(22), time(2)),)))
WEEKEND = SendWindow("weekend", dict.fromkeys((5, 6), ((MIDNIGHT, MIDNIGHT),)))
NEW_YORK, BERLIN, TOKYO = "America/New_York", "Europe/Berlin", "Asia/Tokyo"


def at(local: str, zone: str = "UTC", fold: int = 0) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("window", "zones", "now", "opens", "closes"),
    [
        (DAYTIME, [NEW_YORK], at("2026-11-20 12:00", NEW_YORK), None, at("2026-11-20 21:00", NEW_YORK)),
        (DAYTIME, [NEW_YORK], at("2026-11-20 08:00", NEW_YORK), None, at("2026-11-20 21:00", NEW_YORK)),
        (DAYTIME, [NEW_YORK], at("2026-11-20 21:00", NEW_YORK), at("2026-11-21 08:00", NEW_YORK), None),
        (DAYTIME, [NEW_YORK], at("2026-11-20 07:59:59", NEW_YORK), at("2026-11-20 08:00", NEW_YORK), None),
        (OFFICE, [BERLIN], at("2026-11-20 12:30", BERLIN), at("2026-11-20 13:00", BERLIN), None),
        (OFFICE, [BERLIN], at("2026-11-20 17:00", BERLIN), at("2026-11-23 09:00", BERLIN), None),
        (NIGHT, [BERLIN], at("2026-11-20 23:00", BERLIN), None, at("2026-11-21 02:00", BERLIN)),
        (NIGHT, [BERLIN], at("2026-11-21 01:59", BERLIN), None, at("2026-11-21 02:00", BERLIN)),
        (NIGHT, [BERLIN], at("2026-11-21 02:00", BERLIN), at("2026-11-21 22:00", BERLIN), None),
        (WEEKEND, [BERLIN], at("2026-11-21 12:00", BERLIN), None, at("2026-11-23 00:00", BERLIN)),  # two days merge
        # both coasts: open from 8 in the west until 21 in the east
        (
            DAYTIME,
            [NEW_YORK, "America/Los_Angeles"],
            at("2026-11-20 08:00", NEW_YORK),
            at("2026-11-20 11:00", NEW_YORK),
            None,
        ),
        (
            DAYTIME,
            [NEW_YORK, "America/Los_Angeles"],
            at("2026-11-20 12:00", NEW_YORK),
            None,
            at("2026-11-20 21:00", NEW_YORK),
        ),
        # 29 March 2026, Berlin skips 02:00-03:00: 02:00 is no time to open or close at
        (NIGHT, [BERLIN], at("2026-03-29 00:30", BERLIN), None, at("2026-03-29 01:00", BERLIN)),
        # 25 October 2026, Berlin has 02:00-03:00 twice: closed from the first 02:00
        (NIGHT, [BERLIN], at("2026-10-25 00:30", BERLIN), None, at("2026-10-25 02:00", BERLIN)),
    ],
)
def test_a_window_is_read_on_the_readers_clock(
    window: SendWindow, zones: list[str], now: datetime, opens: datetime | None, closes: datetime | None
) -> None:
    found = opening(window, zones, now)
    reason = OpeningReason.OPEN if opens is None else OpeningReason.CLOSED
    expected_opens = opens and opens.astimezone(UTC)
    expected_closes = closes and closes.astimezone(UTC)
    assert found == Opening(opens is None, expected_opens, expected_closes, tuple(zones), reason)


def test_a_window_inside_the_doubled_hour_opens_at_its_second_pass() -> None:
    late = SendWindow("late", {6: ((time(2, 30), time(4)),)})
    found = opening(late, [BERLIN], at("2026-10-25 00:00", BERLIN))
    assert found.opens_at == at("2026-10-25 02:30", BERLIN, fold=1).astimezone(UTC)


def test_a_window_inside_the_doubled_hour_that_would_close_before_it_opens_stays_shut() -> None:
    quarter = SendWindow("quarter", {6: ((time(2, 15), time(2, 45)),)})
    found = opening(quarter, [BERLIN], at("2026-10-25 00:00", BERLIN))
    assert found.opens_at == at("2026-11-01 02:15", BERLIN).astimezone(UTC)


@pytest.mark.parametrize("zones", [[], ["Mars/Olympus"], [BERLIN, "Mars/Olympus"], ["../etc"], [""], ["Europe"]])
def test_a_reader_without_a_known_zone_gets_nothing_while_hours_matter(zones: list[str]) -> None:
    found = opening(DAYTIME, zones, at("2026-11-20 12:00"))
    assert (found.is_open, found.opens_at, found.reason) == (False, None, OpeningReason.NO_ZONE)


@pytest.mark.parametrize("zones", [[], ["Mars/Olympus"], [BERLIN, TOKYO]])
def test_anytime_needs_no_clock(zones: list[str]) -> None:
    found = opening(ANYTIME, zones, at("2026-11-20 03:00"))
    assert found == Opening(True, None, None, tuple(zones), OpeningReason.OPEN)


@pytest.mark.parametrize(("window", "zones"), [(OFFICE, [NEW_YORK, TOKYO]), (SendWindow("shut", {}), [BERLIN])])
def test_zones_that_share_no_open_hour_are_said_never_to_open(window: SendWindow, zones: list[str]) -> None:
    found = opening(window, zones, at("2026-11-20 12:00"))
    assert (found.is_open, found.opens_at, found.reason) == (False, None, OpeningReason.NEVER)


def test_a_window_that_never_closes_says_no_closing_time() -> None:
    halves = SendWindow("halves", dict.fromkeys(range(7), ((MIDNIGHT, time(12)), (time(12), MIDNIGHT))))
    found = opening(halves, [TOKYO], at("2026-11-20 12:00"))
    assert (found.is_open, found.closes_at) == (True, None)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        opening(DAYTIME, [BERLIN], datetime(2026, 11, 20, 12))  # noqa: DTZ001 the mistake itself


# --- laws, held against the wall clock ---

ZONES = [NEW_YORK, BERLIN, TOKYO, "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "UTC"]
SWITCHES = [  # hours around which clocks change somewhere in ZONES
    at("2026-03-08 07:00"),
    at("2026-11-01 06:00"),
    at("2026-03-29 01:00"),
    at("2026-10-25 01:00"),
    at("2026-04-04 15:00"),
    at("2026-10-03 15:30"),
    at("2026-04-23 22:00"),
    at("2026-10-29 21:00"),
]

minutes = st.integers(0, 24 * 4 - 1).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
windows = st.builds(
    SendWindow,
    st.just("some"),
    st.dictionaries(st.integers(0, 6), st.lists(st.tuples(minutes, minutes), max_size=2).map(tuple)),
)
instants = st.builds(
    lambda base, offset: base + timedelta(minutes=offset),
    st.sampled_from(SWITCHES),
    st.integers(-3 * 24 * 60, 3 * 24 * 60),
)
some_zones = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3)


def wall_clock_allows(window: SendWindow, zone: str, instant: datetime) -> bool:
    """Read the clock on the reader's wall: is this weekday and time inside the window?"""
    local = instant.astimezone(ZoneInfo(zone))
    now, today, yesterday = local.time(), local.weekday(), (local.weekday() - 1) % 7
    same_day = any(start <= now < end or (start >= end and now >= start) for start, end in window.days.get(today, ()))
    return same_day or any(start >= end > now for start, end in window.days.get(yesterday, ()))


@given(windows, some_zones, instants)
@example(DAYTIME, [BERLIN], at("2026-03-29 00:30"))
def test_a_window_is_never_called_open_when_a_wall_clock_says_closed(
    window: SendWindow, zones: list[str], now: datetime
) -> None:
    found = opening(window, zones, now)
    moment = now if found.is_open else found.opens_at
    assume(moment is not None and not window.is_always_open)
    assert moment is not None
    assert all(wall_clock_allows(window, zone, moment) for zone in zones)
    last = found.closes_at and found.closes_at - timedelta(microseconds=1)
    assert last is None or all(wall_clock_allows(window, zone, last) for zone in zones)


@given(windows, some_zones, instants)
def test_a_promised_opening_is_open_when_its_time_comes_and_ahead_of_now(
    window: SendWindow, zones: list[str], now: datetime
) -> None:
    found = opening(window, zones, now)
    assume(found.opens_at is not None)
    assert found.opens_at is not None
    assert now < found.opens_at <= now + HORIZON
    assert opening(window, zones, found.opens_at).is_open


@given(windows, some_zones, instants, st.integers(0, 2 * 24 * 60))
def test_who_asks_later_is_never_let_through_earlier(
    window: SendWindow, zones: list[str], now: datetime, minutes_later: int
) -> None:
    later = now + timedelta(minutes=minutes_later)
    first, second = (opening(window, zones, moment) for moment in (now, later))
    allowed_first = now if first.is_open else first.opens_at
    allowed_second = later if second.is_open else second.opens_at
    if allowed_first is not None and allowed_second is not None:
        assert allowed_first <= allowed_second


@given(windows, st.sampled_from(ZONES), instants)
def test_away_from_clock_changes_the_wall_clock_decides_alone(window: SendWindow, zone: str, now: datetime) -> None:
    clock = ZoneInfo(zone)
    offsets = {(now + timedelta(hours=hours)).astimezone(clock).utcoffset() for hours in range(-49, 50)}
    assume(len(offsets) == 1)
    assert opening(window, [zone], now).is_open == wall_clock_allows(window, zone, now)
