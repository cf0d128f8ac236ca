"""What time is it in the pretend world, and how far has somebody pushed it forward?"""

import contextlib
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path


class SandboxClock:
    """Real time plus an offset that only grows.

    The offset is kept as decimal seconds in a small text file, so that the connector's own processes can
    read the same time. Without a path it lives in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._offset = timedelta()
        self._lock = threading.Lock()

    @property
    def offset(self) -> timedelta:
        """How far the sandbox is ahead of real time."""
        if self._path is None:
            return self._offset
        with contextlib.suppress(FileNotFoundError):
            return timedelta(seconds=float(self._path.read_text(encoding="ascii")))
        return timedelta()

    def now(self) -> datetime:
        """The sandbox's time, aware UTC."""
        return datetime.now(UTC) + self.offset

    def advance(self, delta: timedelta) -> datetime:
        """Push the clock forward by `delta` and return the new time; a negative delta is a ValueError."""
        if delta < timedelta():
            raise ValueError("the sandbox clock only goes forward")
        with self._lock:
            self._store(self.offset + delta)
        return self.now()

    def _store(self, offset: timedelta) -> None:
        if self._path is None:
            self._offset = offset
            return
        # Written beside and moved over, so that a reader in another process never sees half a number.
        draft = self._path.with_name(self._path.name + ".new")
        draft.write_text(f"{offset.total_seconds():.6f}", encoding="ascii")
        draft.replace(self._path)
