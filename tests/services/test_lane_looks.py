"""Are texts that a rate keeps back left alone, and those that it lets go sent at its full speed?"""

from __future__ import annotations

import pytest

from connector.domain.gateway_book import Rate
from connector.services.lane_looks import LaneLooks

LANE = ("twilio", "marketing")
RATE = Rate(100.0)


class Bucket:
    """A bucket of a second's worth that several processes take from."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.held, self.at = rate, burst, burst, 0.0

    def take(self, wanted: int, now: float) -> int:
        self.held = min(self.burst, self.held + self.rate * (now - self.at))
        self.at = now
        granted = min(wanted, int(self.held))
        self.held -= granted
        return granted


def test_a_lane_that_no_rate_keeps_back_is_looked_at_for_all_that_a_bucket_can_hold() -> None:
    looks = LaneLooks()
    assert looks.worth(LANE, RATE, 50, 0.0) == 50
    assert looks.worth(LANE, RATE, 500, 0.0) == 100
    looks.note(LANE, RATE, 50, 50, 0.0)
    assert looks.worth(LANE, RATE, 50, 0.001) == 50


def test_a_lane_that_was_kept_back_is_left_alone_until_some_texts_may_go_and_then_looked_at_for_these() -> None:
    looks = LaneLooks()
    looks.note(LANE, RATE, 50, 20, 0.0)
    assert looks.worth(LANE, RATE, 50, 0.1) == 0
    assert looks.worth(LANE, RATE, 50, 0.2) == 20
    assert looks.worth(LANE, RATE, 50, 5.1) == 50


def test_a_small_bucket_is_looked_at_before_it_is_full() -> None:
    looks, small = LaneLooks(), Rate(10.0, burst=1)
    looks.note(LANE, small, 5, 1, 0.0)
    assert looks.worth(LANE, small, 5, 0.04) == 0
    assert looks.worth(LANE, small, 5, 0.06) == 1


def test_the_few_requests_that_a_slow_gateway_takes_are_not_waited_with() -> None:
    looks = LaneLooks()
    looks.note(LANE, RATE, 4, 3, 0.0)
    assert looks.worth(LANE, RATE, 2, 0.02) == 2


def test_one_lane_s_rate_says_nothing_of_another_s() -> None:
    looks = LaneLooks()
    looks.note(LANE, RATE, 50, 20, 0.0)
    assert looks.worth(("twilio", "otp"), RATE, 50, 0.001) == 50


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_processes_together_reach_the_rate_and_look_at_little_more(processes: int) -> None:
    bucket, boards = Bucket(100.0, 100.0), [LaneLooks() for _ in range(processes)]
    looked_at = sent = 0
    for tick in range(20_000):
        now = tick * 0.001
        if tick % 10 == 0 and (worth := boards[tick // 10 % processes].worth(LANE, RATE, 100, now)):
            granted = bucket.take(worth, now)
            boards[tick // 10 % processes].note(LANE, RATE, worth, granted, now)
            looked_at, sent = looked_at + worth, sent + granted
    assert sent >= 0.95 * 100 * 20
    assert looked_at <= 2 * sent
