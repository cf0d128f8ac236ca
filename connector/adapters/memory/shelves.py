"""How are rows kept in memory so that they are found without a search, and a change can be taken back?"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

Row = TypeVar("Row")
_Row = TypeVar("_Row", contravariant=True)  # noqa: PLC0105 - private; the long name says no more

Lane = Hashable
Turn = tuple[Lane, datetime]
"""Where a row queues up, and from when on it is its turn."""


class Leased(NamedTuple, Generic[Row]):
    """A row and until when somebody is at it; as in the database, the lease is no part of what is read."""

    row: Row
    lease_until: datetime | None = None


class Index(Protocol[_Row]):
    """A way to find rows that is kept up to date with every change."""

    def move(self, key: Any, old: _Row | None, new: _Row | None) -> None:
        """Note that the row under `key` was `old` and is `new` now; None where there is none."""
        ...


class Journal:
    """What has to be taken back if the unit of work under way does not commit."""

    def __init__(self) -> None:
        self._changes: list[tuple[Shelf[Any], Any, Any]] | None = None

    def open(self) -> None:
        """Begin to take notes.

        Raises:
            RuntimeError: another unit of work is writing already.
        """
        if self._changes is not None:
            raise RuntimeError("a unit of work is writing to this ledger already")
        self._changes = []

    def note(self, shelf: Shelf[Any], key: Any, old: Any) -> None:
        """Note what a row was before a change.

        Raises:
            RuntimeError: nobody is writing.
        """
        if self._changes is None:
            raise RuntimeError("rows change in a unit of work that writes and has not committed")
        self._changes.append((shelf, key, old))

    def keep(self) -> None:
        """Let the changes stand."""
        self._changes = None

    def take_back(self) -> None:
        """Undo the changes, the last one first."""
        changes, self._changes = self._changes or [], None
        for shelf, key, old in reversed(changes):
            shelf.restore(key, old)


class Shelf(Generic[Row]):
    """Rows by key, in the order in which they came, and the indexes over them."""

    def __init__(self, journal: Journal, *indexes: Index[Row]) -> None:
        self.rows: dict[Any, Row] = {}
        self._journal, self._indexes = journal, indexes

    def put(self, key: Hashable, row: Row) -> None:
        """Insert or replace a row."""
        old = self.rows.get(key)
        self._journal.note(self, key, old)
        self.rows[key] = row
        for index in self._indexes:
            index.move(key, old, row)

    def drop(self, key: Hashable) -> bool:
        """Remove a row; False when there is none."""
        old = self.rows.get(key)
        if old is None:
            return False
        self._journal.note(self, key, old)
        self.restore(key, None)
        return True

    def restore(self, key: Hashable, row: Row | None) -> None:
        """Put back what was there before, without a note of it."""
        old = self.rows.pop(key, None) if row is None else self.rows.get(key)
        if row is not None:
            self.rows[key] = row
        for index in self._indexes:
            index.move(key, old, row)

    def of(self, keys: Iterable[Any]) -> list[Row]:
        """Give the rows of keys, in their order; keys without a row are passed over."""
        rows = self.rows
        return [rows[key] for key in keys if key in rows]


class Group(Generic[Row]):
    """Finds the keys of all rows that have something in common."""

    def __init__(self, name: Callable[[Row], Hashable | None]) -> None:
        """`name` gives what a row has in common with others; None leaves it out."""
        self._name = name
        self._keys: dict[Hashable, dict[Any, None]] = {}

    def move(self, key: Any, old: Row | None, new: Row | None) -> None:
        """Keep up with a change."""
        before = None if old is None else self._name(old)
        after = None if new is None else self._name(new)
        if before == after:
            return
        if before is not None:
            keys = self._keys[before]
            del keys[key]
            if not keys:
                del self._keys[before]
        if after is not None:
            self._keys.setdefault(after, {})[key] = None

    def of(self, name: Hashable) -> list[Any]:
        """Give the keys of a group, in the order in which they joined it."""
        return list(self._keys.get(name, ()))

    def sizes(self) -> Mapping[Hashable, int]:
        """Count every group."""
        return {name: len(keys) for name, keys in self._keys.items()}


class Due(Generic[Row]):
    """Finds the keys of the rows whose turn has come, lane by lane, the longest due first.

    A heap per lane. A row that moves leaves its old place behind: it is thrown away when its time comes.
    """

    def __init__(self, turn: Callable[[Row], Turn | None]) -> None:
        """`turn` gives a row's lane and time; None when nothing is due of it."""
        self._turn = turn
        self._turns: dict[Any, Turn] = {}
        self._heaps: dict[Lane, list[tuple[datetime, Any]]] = {}

    def move(self, key: Any, _old: Row | None, new: Row | None) -> None:
        """Keep up with a change."""
        turn = None if new is None else self._turn(new)
        if turn == self._turns.get(key):
            return
        if turn is None:
            del self._turns[key]
            return
        self._turns[key] = turn
        lane, at = turn
        heapq.heappush(self._heaps.setdefault(lane, []), (at, key))

    def first(self, lane: Lane, now: datetime, limit: int) -> list[Any]:
        """Give up to `limit` keys of a lane whose time has come; they stay where they are."""
        heap, found = self._heaps.get(lane, []), dict[Any, datetime]()
        while heap and len(found) < limit and heap[0][0] <= now:
            at, key = heapq.heappop(heap)
            if self._turns.get(key) == (lane, at):
                found[key] = at
        for key, at in found.items():
            heapq.heappush(heap, (at, key))
        return list(found)

    def next(self, lane: Lane) -> tuple[datetime, Any] | None:
        """Give the earliest time in a lane, and whose it is."""
        heap = self._heaps.get(lane, [])
        while heap and self._turns.get(heap[0][1]) != (lane, heap[0][0]):
            heapq.heappop(heap)
        return heap[0] if heap else None

    def count(self, lane: Lane, now: datetime) -> int:
        """Count the rows of a lane whose time has come."""
        return len(set(self._past(lane, now)))

    def lanes(self) -> list[Lane]:
        """Give every lane there has been a row in."""
        return list(self._heaps)

    def _past(self, lane: Lane, now: datetime) -> Iterator[Any]:
        """Walk that part of a heap whose time has come: below a later entry there is none that is earlier."""
        heap, places = self._heaps.get(lane, []), [0]
        while places:
            place = places.pop()
            if place < len(heap) and heap[place][0] <= now:
                at, key = heap[place]
                if self._turns.get(key) == (lane, at):
                    yield key
                places += (2 * place + 1, 2 * place + 2)


def turn(lane: Lane, at: datetime | None, lease_until: datetime | None = None) -> Turn | None:
    """Give the turn of a row that is nobody's before its lease ends; None when it has no time."""
    if at is None:
        return None
    return lane, at if lease_until is None or lease_until < at else lease_until
