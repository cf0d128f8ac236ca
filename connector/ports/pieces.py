"""How do services keep the parts of a long incoming SMS until all of them are there?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connector.ports.gateway import IncomingSMS


@dataclass(frozen=True, slots=True)
class PieceRow:
    """One part, as the gateway handed it over; its `piece` is set."""

    gateway: str
    sms: IncomingSMS
    received_at: datetime


class PieceRepository(Protocol):
    """Parts of long incoming SMS."""

    def add(self, row: PieceRow) -> bool:
        """Keep a part; False when it is there already."""
        ...

    def of(self, row: PieceRow) -> Sequence[PieceRow]:
        """Read, and lock until commit, all parts of the SMS that this one belongs to, the first one first."""
        ...

    def drop(self, rows: Sequence[PieceRow]) -> None:
        """Forget parts."""
        ...

    def put_off(self, rows: Sequence[PieceRow], at: datetime) -> None:
        """Treat parts as if they had come at a later time, so that others have their turn before them."""
        ...

    def older_than(self, at: datetime, limit: int) -> Sequence[PieceRow]:
        """Read parts that came before a time and still wait for others."""
        ...
