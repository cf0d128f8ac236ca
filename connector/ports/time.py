"""Where does the time come from?"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; a test or the demo passes one that can be moved."""

    def now(self) -> datetime:
        """Give the present time, aware, in UTC."""
        ...
