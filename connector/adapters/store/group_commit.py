"""How do many requests share one durable commit?

A commit costs an fsync whatever it holds, and SQLite has one writer at a time. So the web process has one thread that
writes: it takes whatever has queued up while the last commit was under way and commits it together. A request waits
for the commit that holds its rows, never less.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog

from connector.ports.ledger import Ledger, UnitOfWork

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
_I = TypeVar("_I")
_Handler = Callable[[UnitOfWork, Sequence[Any]], Sequence[Any]]

_MOST_TOGETHER = 200  # bounds how long the first of a group waits for the rest to be written


class _Wish:
    """An item and, once `settled` is free, what came of it. A bare lock: a Future costs five times as much."""

    __slots__ = ("error", "handler", "is_forgotten", "item", "result", "settled")

    def __init__(self, handler: _Handler, item: Any) -> None:
        self.handler, self.item = handler, item
        self.result: Any = None
        self.error: Exception | None = None
        self.is_forgotten = False
        self.settled = threading.Lock()
        self.settled.acquire()

    def settle(self, result: Any = None, error: Exception | None = None) -> None:
        self.result, self.error = result, error
        self.settled.release()
        # After the release: who gives up waiting says so first and then looks once more whether it is settled.
        if error is not None and self.is_forgotten:
            log.error("group_commit.lost", error=type(error).__name__)


class GroupCommit:
    """Runs small writes of many threads in shared transactions; start once per process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._wishes: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[UnitOfWork], _T]) -> _T:
        """Run `work` in a transaction shared with others; return its result after the commit.

        Raises:
            Exception: whatever `work` or the commit raised; then nothing of `work` is in the ledger.
        """
        result: _T = self.join(_each_alone, work)
        return result

    def run_within(self, work: Callable[[UnitOfWork], object], seconds: float) -> bool:
        """Run `work` in a transaction shared with others, and wait for its commit no longer than so many seconds.

        For callers who would rather answer than wait. Gives False when the time was over first; `work` stays in line
        and is run when its turn comes; that it then fails is told to the log, since nobody waits for it.

        Raises:
            Exception: whatever `work` or the commit raised within that time.
        """
        wish = _Wish(_each_alone, work)
        self._wishes.put(wish)
        if not wish.settled.acquire(timeout=seconds):
            wish.is_forgotten = True
            if not wish.settled.acquire(blocking=False):
                return False
        if wish.error is not None:
            raise wish.error
        return True

    def join(self, handler: Callable[[UnitOfWork, Sequence[_I]], Sequence[_T]], item: _I) -> _T:
        """Let `handler` work the items of several callers in one call; return the result for this one's.

        Args:
            handler: gives a result per item, in order. Callers that give an equal one may share a call.
            item: what is to be worked.

        Raises:
            Exception: as `run`; an item that fails is worked alone, so that others do not suffer.
        """
        wish = _Wish(handler, item)
        self._wishes.put(wish)
        wish.settled.acquire()
        if wish.error is not None:
            raise wish.error
        result: _T = wish.result
        return result

    def close(self) -> None:
        """Finish what is queued and stop."""
        self._wishes.put(None)
        self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            group, closing = self._next_group()
            self._commit(group)

    def _next_group(self) -> tuple[list[_Wish], bool]:
        """Wait for the next wish and take what has queued up behind it; tell whether to close afterwards."""
        first = self._wishes.get()
        group: list[_Wish] = []
        while first is not None:
            group.append(first)
            if len(group) == _MOST_TOGETHER or self._wishes.empty():
                return group, False
            first = self._wishes.get()
        return group, True

    def _commit(self, group: list[_Wish]) -> None:
        """Commit a group; when one of it fails, commit each alone, so that only the culprit hears of it."""
        try:
            with self._ledger.begin() as uow:
                results = _work(uow, group)
                uow.commit()
        except Exception as error:  # noqa: BLE001 - it is handed to the request that caused it
            if len(group) == 1:
                group[0].settle(error=error)
                return
            for wish in group:
                self._commit([wish])
            return
        for wish, result in results:
            wish.settle(result)


def _work(uow: UnitOfWork, group: Sequence[_Wish]) -> list[tuple[_Wish, Any]]:
    by_handler: dict[_Handler, list[_Wish]] = {}
    for wish in group:
        by_handler.setdefault(wish.handler, []).append(wish)
    results: list[tuple[_Wish, Any]] = []
    for handler, wishes in by_handler.items():
        results += zip(wishes, handler(uow, [wish.item for wish in wishes]), strict=True)
    return results


def _each_alone(uow: UnitOfWork, works: Sequence[Callable[[UnitOfWork], Any]]) -> Sequence[Any]:
    return [work(uow) for work in works]
