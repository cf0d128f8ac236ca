"""Does the clock ring on, whatever happens, and stop when told?"""

from __future__ import annotations

import os
import signal
import threading

from connector.entrypoints.clock import run_clock
from connector.entrypoints.stopping import StopSignal


def test_the_clock_outlives_a_failing_ring_and_waits_longer_each_time() -> None:
    pauses: list[float] = []

    def stopped_within(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) > 8

    def ring() -> None:
        raise RuntimeError("the ledger is away")

    run_clock(ring, stopped_within)
    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_ring_that_works_again_resets_the_pause() -> None:
    rings = iter([True, False, False])
    pauses: list[float] = []

    def ring() -> None:
        if next(rings):
            raise RuntimeError("the ledger is away")

    def stopped_within(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) > 3

    run_clock(ring, stopped_within)
    assert pauses == [0.0, 1.0, 1.0, 1.0]


def test_several_signals_in_a_row_stop_a_waiting_process_once_and_for_all() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    stop = StopSignal()
    try:
        assert not stop.wait(0.0)
        shooter = threading.Thread(target=_shoot_five_times)
        shooter.start()
        assert stop.wait(10)
        assert stop.wait(10)
        shooter.join()
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)


def _shoot_five_times() -> None:
    for _ in range(5):
        os.kill(os.getpid(), signal.SIGTERM)
