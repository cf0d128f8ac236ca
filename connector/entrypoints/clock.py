"""What wakes rows whose time has come?

A process that rings an alarm every second. All it does follows from rows in the ledger, so a second clock is harmless
and a dead one costs nothing but time.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0  # how late a due row may be noticed; rings find work with a handful of indexed queries
_LONGEST_PAUSE_SECONDS = 30.0  # while the ledger is away


def run_clock(ring: Callable[[], None], stopped_within: Callable[[float], bool]) -> None:
    """Ring until told to stop.

    Args:
        ring: what to do each time.
        stopped_within: waits that many seconds and tells whether to stop.
    """
    pause = 0.0
    while not stopped_within(pause):
        try:
            ring()
            pause = TICK_SECONDS
        except Exception as error:  # noqa: BLE001 - the clock outlives whatever is broken
            pause = min(max(TICK_SECONDS, pause * 2), _LONGEST_PAUSE_SECONDS)
            log.error("clock.failed", error=type(error).__name__, again_in=pause)
