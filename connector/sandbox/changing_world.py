"""Who hears of what changes in a pretend CRM, and when?"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

ChangeT = TypeVar("ChangeT")


class ChangingWorld(Generic[ChangeT]):
    """A world behind one lock, which tells its listeners of changes once nobody holds it any more."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[Callable[[ChangeT], None]] = []
        self._untold: list[ChangeT] = []
        self._holders = 0

    def on_change(self, callback: Callable[[ChangeT], None]) -> None:
        """Call `callback` with every change, after it happened and outside the lock."""
        self._listeners.append(callback)

    def tell(self, changes: Iterable[ChangeT]) -> None:
        """Tell every listener, once nobody holds the lock any more."""
        with self.held():
            self._untold.extend(changes)

    def untold(self) -> list[ChangeT]:
        """The changes not told yet, for a call that may have to take its own back."""
        return self._untold

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; what changes meanwhile is told when the outermost holder has let go."""
        untold: list[ChangeT] = []
        try:
            with self._lock:
                self._holders += 1
                try:
                    yield
                finally:
                    self._holders -= 1
                    if not self._holders:
                        untold, self._untold = self._untold, []
        finally:
            for change in untold:
                for listener in self._listeners:
                    listener(change)
