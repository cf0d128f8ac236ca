"""What must a ledger be able to do so that journeys can be played on it, time skipped from one due row to the next?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from connector.domain.timeline import TimelineEntry
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import Ledger
from connector.ports.messages import MessageRow


class PlayableLedger(Ledger, Protocol):
    """A ledger that can be looked over whole."""

    def next_due(self) -> datetime | None:
        """Give the earliest time at which a live enrollment, an open message or an effect is due; None for never."""
        ...

    def all_enrollments(self) -> Iterable[EnrollmentRow]:
        """Give every enrollment, oldest first."""
        ...

    def all_messages(self) -> Iterable[MessageRow]:
        """Give every message, oldest first."""
        ...

    def all_entries(self) -> Iterable[TimelineEntry]:
        """Give the whole timeline, in the order it was written."""
        ...
