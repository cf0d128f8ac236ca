"""What wakes rows whose time has come?

A process that rings an alarm every second. All it does follows from rows in the ledger, so a second clock is harmless
and a dead one costs nothing but time.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0  # how late a due row may be noticed; rings find work with a handful of indexed queries
_LONGEST_PAUSE_SECONDS = 30.0  # while the ledger is away


def run_clock(ring: Callable[[], None], stop: threading.Event | None = None) -> None:
    """Ring until SIGTERM or SIGINT, or until `stop` is set."""
    stop = stop or _stop_on_signals()
    pause = TICK_SECONDS
    while not stop.is_set():
        try:
            ring()
            pause = TICK_SECONDS
        except Exception as error:  # noqa: BLE001 - the clock outlives whatever is broken
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            log.error("clock.failed", error=type(error).__name__, again_in=pause)
        stop.wait(pause)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
