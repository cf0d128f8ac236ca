"""What becomes of a row whose sealed value does not open, where many are read at once?

It is passed over and told of, since one such row must not keep the others from whoever asked for all of them. One that
is to be worked and was sealed with a key that this process does not have is left to those who have it: while a release
with a new key goes round, some seal with it already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import structlog
from sqlalchemy import Column, ColumnElement, LargeBinary, Row, bindparam, func, literal_column, or_

from connector.adapters.secrets import BEGINNING_BYTES, HEADER_BYTES
from connector.errors import DecryptionError

log = structlog.get_logger(__name__)

_T = TypeVar("_T")


def key_is_here(sealed: Column[bytes]) -> ColumnElement[bool]:
    """Be sealed with a key that is here, or too short to say with which; bind `beginnings` to those of the vault."""
    beginning = func.substr(sealed, literal_column("1"), literal_column(f"{BEGINNING_BYTES}"), type_=LargeBinary())
    is_short = func.length(sealed) < literal_column(f"{HEADER_BYTES}")
    return or_(is_short, beginning.in_(bindparam("beginnings", expanding=True)))


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
    tell_of_closed(table, closed)
    return found


def tell_of_closed(table: str, ids: Sequence[str]) -> None:
    """Log how many rows of a table did not open, and the id of the first, where there are any."""
    if ids:
        log.error("row.cannot_be_opened", table=table, first=ids[0], rows=len(ids))
