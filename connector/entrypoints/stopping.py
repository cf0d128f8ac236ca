"""How does a process hear that it shall stop?"""

from __future__ import annotations

import queue
import signal


class StopSignal:
    """Hears SIGTERM and SIGINT from now on; make it in the main thread.

    A `SimpleQueue`, since its `put` may interrupt its own `get`: an `Event` set by a handler while the same thread
    waits for it can lock up for good.
    """

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda heard, _frame: self._heard.put(heard))

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the signal, `seconds` at most; tell whether it has come."""
        try:
            self._heard.put(self._heard.get(timeout=seconds))
        except queue.Empty:
            return False
        return True
