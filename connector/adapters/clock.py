"""What time is it?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


class SystemClock:
    """The machine's time, in UTC."""

    def now(self) -> datetime:
        """Give the present time."""
        return datetime.now(UTC)


class OffsetClock:
    """The machine's time plus the seconds written in a file, which several processes share: days can be made to pass.

    For development and demonstrations; a missing file or one that holds no number counts as zero.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """Give the shifted time."""
        return datetime.now(UTC) + self._offset()

    def _offset(self) -> timedelta:
        try:
            return timedelta(seconds=float(self._path.read_text(encoding="ascii")))
        except (FileNotFoundError, ValueError):
            return timedelta(0)
