"""How is what changes a few times a year asked for only now and then?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connector.ports.time import Clock


@dataclass(slots=True)
class Memory:
    """Answers by account and question, kept for a while; safe to share between threads."""

    clock: Clock
    kept_for: timedelta
    _kept: dict[tuple[str, str], tuple[datetime, Any]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def recall(
        self, account_id: str, question: str, load: Callable[[], Any], is_enough: Callable[[Any], bool] = lambda _: True
    ) -> Any:
        """Give the answer to a question, asked anew when it is too old or not enough."""
        key, now = (account_id, question), self.clock.now()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now - kept[0] < self.kept_for and is_enough(kept[1]):
            return kept[1]
        value = load()  # two threads may both load: harmless, and better than one waiting on the other's call
        with self._lock:
            self._kept[key] = (now, value)
        return value

    def forget(self, account_id: str) -> None:
        """Forget everything about an account."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == account_id]:
                del self._kept[key]
