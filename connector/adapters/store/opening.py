"""What becomes of a row whose sealed value does not open, where many are read at once?

It is passed over and told of, since one such row must not keep the others from whoever asked for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog
from sqlalchemy import Row

from connector.errors import DecryptionError

log = structlog.get_logger(__name__)

_T = TypeVar("_T")


def those_that_open(table: str, rows: Iterable[Row[Any]], read: Callable[[Row[Any]], _T]) -> list[_T]:
    """Read rows of a table with `read`, but for those for which that raises a `DecryptionError`.

    One log line tells how many these are, and the id of the first.
    """
    found, closed = list[_T](), list[str]()
    for row in rows:
        try:
            found.append(read(row))
        except DecryptionError:
            closed.append(row.id)
    if closed:
        log.error("row.cannot_be_opened", table=table, first=closed[0], rows=len(closed))
    return found
