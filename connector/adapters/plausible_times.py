"""When would the times of a record plausibly lie, for somebody whose journey starts at a certain time?

The rule goes by name. What has been done lies behind: names such as `created_at`, `paid_at` or `sent_on`, whose word
before `_at` or `_on` ends in -ed or is one of a few others, and `due_at` and `due_on` of an event whose name says
overdue. Everything else is still to come: `starts_at`, `ends_on`, `respond_by`, or `due_on` of an invoice that is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

AHEAD = timedelta(days=3)
"""How far ahead of the start times to come lie: an appointment is still to come, with room for a reminder."""

BEHIND = timedelta(days=3)
"""How far behind the start the others lie: overdue, and not yet a matter for lawyers."""

_DONE = re.compile(r"(?:.*_)?(?:\w+ed|paid|sent|won|lost|left|seen)_(?:at|on)")
_DUE = re.compile(r"(?:.*_)?due_(?:at|on)")
_TIME = re.compile(r".+_(at|on)")


def placed(values: Mapping[str, Any], event: str, start: datetime) -> dict[str, Any]:
    """Move every time in plausible values, also of records in them, to where it would lie.

    Args:
        values: by name.
        event: name of the event they come with.
        start: when the journey starts; aware.
    """
    return {
        name: placed(value, event, start) if isinstance(value, Mapping) else _placed(name, value, event, start)
        for name, value in values.items()
    }


def _placed(name: str, value: Any, event: str, start: datetime) -> Any:
    at = start - BEHIND if _is_past(name, event) else start + AHEAD
    if isinstance(value, datetime):
        return at
    if isinstance(value, date):
        return at.date()
    if isinstance(value, str) and (found := _TIME.fullmatch(name)):
        return at.isoformat() if found[1] == "at" else at.date().isoformat()
    return value


def _is_past(name: str, event: str) -> bool:
    return bool(_DONE.fullmatch(name) or ("overdue" in event and _DUE.fullmatch(name)))
