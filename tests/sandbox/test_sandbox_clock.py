"""Does the sandbox clock go forward, and do other processes see it?"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.sandbox.clock import SandboxClock


def test_advancing_moves_now_by_exactly_the_delta(tmp_path: Path) -> None:
    clock = SandboxClock(tmp_path / "offset")
    clock.advance(timedelta(hours=3))
    clock.advance(timedelta(seconds=1.5))
    assert clock.offset == timedelta(hours=3, seconds=1.5)
    assert timedelta() <= clock.now() - (datetime.now(UTC) + clock.offset) + timedelta(seconds=1)


def test_a_second_clock_on_the_same_path_reads_the_same_offset(tmp_path: Path) -> None:
    path = tmp_path / "offset"
    SandboxClock(path).advance(timedelta(days=2))
    assert SandboxClock(path).offset == timedelta(days=2)
    assert float(path.read_text()) == 172800


def test_a_clock_without_a_path_is_real_time_until_pushed() -> None:
    clock = SandboxClock()
    assert clock.offset == timedelta()
    assert clock.now().tzinfo is UTC
    clock.advance(timedelta(minutes=1))
    assert clock.offset == timedelta(minutes=1)


def test_the_clock_never_goes_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        SandboxClock().advance(timedelta(seconds=-1))
