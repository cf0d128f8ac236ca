"""Where does the next page of a long query begin?"""

import itertools
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.ids import full_id
from connector.sandbox.salesforce.refusals import bad_request

CURSOR_LIFE = timedelta(days=2)  # the vendor's documented life of a query locator


@dataclass(frozen=True)
class _Cursor:
    org_id: str
    rows: list[dict[str, Any]]
    made_at: datetime


class Cursors:
    """Results of queries that did not fit into one page. A locator belongs to the org that asked."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._open: dict[str, _Cursor] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def keep(self, org_id: str, rows: list[dict[str, Any]]) -> str:
        """Keep the rows of a result; its locator."""
        with self._lock:
            locator = full_id(f"01gSb{next(self._numbers):010d}")
            self._open[locator] = _Cursor(org_id, rows, self._clock.now())
            return locator

    def page(self, org_id: str, locator: str, start: int, size: int) -> tuple[list[dict[str, Any]], int]:
        """Rows from `start` on and how many there are in all; 400 when the locator is unknown, old or another's."""
        cursor = self._open.get(locator)
        if cursor is None or cursor.org_id != org_id or cursor.made_at + CURSOR_LIFE <= self._clock.now():
            raise bad_request("INVALID_QUERY_LOCATOR", "invalid query locator")
        if not 0 <= start < len(cursor.rows):
            raise bad_request("INVALID_QUERY_LOCATOR", "invalid query locator")
        return cursor.rows[start : start + size], len(cursor.rows)
