"""How are the parts of a long incoming SMS kept in memory?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.pieces import PieceRow

_Name = tuple[str, str, str, str]


def _whole(row: PieceRow) -> _Name:
    piece = row.sms.piece
    return row.gateway, row.sms.from_, row.sms.to, piece.reference if piece is not None else ""


def _number(row: PieceRow) -> int:
    return row.sms.piece.number if row.sms.piece is not None else 0


class MemoryPieceRepository:
    """Parts; see `connector.ports.pieces.PieceRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_whole: Group[PieceRow] = Group(_whole)
        self._shelf: Shelf[PieceRow] = Shelf(journal, self._by_whole)

    def add(self, row: PieceRow) -> bool:
        """Keep a part; False when it is there already."""
        if row.sms.piece is None:
            raise ValueError("only a part of a longer SMS is kept")
        key = (*_whole(row), _number(row))
        if key in self._shelf.rows:
            return False
        self._shelf.put(key, row)
        return True

    def of(self, row: PieceRow) -> Sequence[PieceRow]:
        """Read all parts of the SMS that this one belongs to, the first one first."""
        return sorted(self._shelf.of(self._by_whole.of(_whole(row))), key=_number)

    def drop(self, rows: Sequence[PieceRow]) -> None:
        """Forget parts."""
        for row in rows:
            self._shelf.drop((*_whole(row), _number(row)))

    def put_off(self, rows: Sequence[PieceRow], at: datetime) -> None:
        """Treat parts as if they had come at a later time."""
        for row in rows:
            for each in self.of(row):
                self._shelf.put((*_whole(each), _number(each)), replace(each, received_at=at))

    def older_than(self, at: datetime, limit: int) -> Sequence[PieceRow]:
        """Read parts that came before a time and still wait for others."""
        old = [row for row in self._shelf.rows.values() if row.received_at < at]
        return sorted(old, key=lambda row: row.received_at)[:limit]
