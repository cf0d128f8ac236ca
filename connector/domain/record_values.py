"""What does a property mean that a CRM or a webhook gives as a text?

Values are text, `Decimal`, aware `datetime`, `date`, a yes or no, and None; `domain.documents` carries them through
JSON unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from connector.domain.event_mapping import Reads, ValueKind


def convert_record(reads: Reads, raw: Mapping[str, str | None], stage_labels: Mapping[str, str]) -> dict[str, Any]:
    """Turn a record's properties into values by our names.

    Args:
        reads: what to read, by our names.
        raw: properties as the other side gives them: texts, or None; an absent one counts as None.
        stage_labels: internal stage ids → names people see, of this kind of record.

    Returns:
        One value per name: None where there is none, or one that cannot be read as what the mapping says.
    """
    return {name: _convert(source.kind, raw.get(source.property_name), stage_labels) for name, source in reads.items()}


def _convert(kind: ValueKind, raw: str | None, stage_labels: Mapping[str, str]) -> Any:
    text = (raw or "").strip()
    if not text:
        return None
    if kind is ValueKind.PIPELINE:
        return stage_labels.get(text, text)
    if kind in {ValueKind.UPPER, ValueKind.LOWER}:
        return text.upper() if kind is ValueKind.UPPER else text.lower()
    if kind in {ValueKind.NUMBER, ValueKind.MONEY}:
        return read_number(text)
    if kind in {ValueKind.TIME, ValueKind.DATE}:
        return read_moment(text) if kind is ValueKind.TIME else _read_day(text)
    return {"true": True, "false": False}.get(text.lower()) if kind is ValueKind.YES_NO else text


_MOST_DIGITS = 100
"""Before or behind the point. No amount or count has that many; to write one of a million out takes seconds."""


def read_number(text: str) -> Decimal | None:
    """Read a number; None when it is none, or one of no sensible size."""
    if len(text) > _MOST_DIGITS:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS else None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _read_day(text: str) -> date | None:
    """Read a day; of a time with an offset it is the day there, which whoever wrote it has in mind."""
    moment = read_moment(text)
    is_written_out = moment is not None and not text.lstrip("-").isdigit()
    return datetime.fromisoformat(text).date() if is_written_out else moment and moment.date()


def read_moment(text: str) -> datetime | None:
    """Read ISO 8601 or milliseconds since 1970 (HubSpot sends both); a bare date is midnight UTC."""
    try:
        if text.lstrip("-").isdigit():
            moment = _EPOCH + timedelta(milliseconds=int(text))
        else:
            moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
