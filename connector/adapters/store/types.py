"""How do ids, times and documents look in a column on both databases?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time: microseconds since the epoch on SQLite (which drops zones), timestamptz on PostgreSQL."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database at hand."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times; a time without a zone is a bug at the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time reached the ledger")
        if dialect.name == "postgresql":
            return _utc(value)
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give an aware UTC time; one beyond the calendar is its edge, so that one row never stops a lane."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return _utc(value)
        try:
            return _EPOCH + timedelta(microseconds=value)
        except OverflowError:
            return _FIRST if value < 0 else _LAST


def _utc(value: datetime) -> datetime:
    """Give a time in UTC; on its last day in the west the calendar's end in UTC is past."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return _FIRST if value.year == _FIRST.year else _LAST


Document = JSON().with_variant(JSONB(), "postgresql")
"""A JSON document."""
