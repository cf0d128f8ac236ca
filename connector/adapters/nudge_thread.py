"""How do nudges leave a process without keeping those waiting whose commit caused them?

A nudge is a round trip to Redis. The thread that commits for every request of a web process would spend half its time
on them, and under load they all say the same. So another thread sends them, and lanes nudged meanwhile are nudged once.
Nudges that are lost with the process are found by the sweep, like all lost nudges.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.02  # at most 50 rounds a second; the first after a quiet moment leaves at once


class NudgeThread:
    """Passes nudges on, each after it was asked for; start once per process.

    Args of the constructor:
        nudge: called with a lane's name, in the thread of this object; does not raise.
        pause: called after each round.
    """

    def __init__(
        self, nudge: Callable[[str], None], pause: Callable[[], None] = lambda: time.sleep(_PAUSE_SECONDS)
    ) -> None:
        self._nudge, self._pause = nudge, pause
        self._asked = threading.Condition()
        self._lanes: dict[str, None] = {}
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="nudges", daemon=True)
        self._thread.start()

    def __call__(self, lane: str) -> None:
        """Ask that `lane` be nudged soon."""
        with self._asked:
            if lane not in self._lanes:
                self._lanes[lane] = None
                self._asked.notify()

    def close(self) -> None:
        """Send what is left and stop."""
        with self._asked:
            self._is_closing = True
            self._asked.notify()
        self._thread.join()

    def _run(self) -> None:
        while lanes := self._next():
            for lane in lanes:
                self._nudge(lane)
            self._pause()

    def _next(self) -> dict[str, None]:
        """Wait for lanes to nudge; none when it is time to stop."""
        with self._asked:
            while not self._lanes and not self._is_closing:
                self._asked.wait()
            lanes, self._lanes = self._lanes, {}
            return lanes
