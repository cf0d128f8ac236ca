"""How do operators type a time and a set of values?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from connector.errors import ConfigurationError


def time_of(text: str | None, option: str) -> datetime | None:
    """Read a time as ISO 8601 has it; one without a zone is UTC.

    Raises:
        ConfigurationError: it is none; names the option.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option}: expected a time such as 2026-11-20T14:00+01:00") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def values_of(text: str | None, option: str) -> dict[str, Any] | None:
    """Read values as a JSON object.

    Raises:
        ConfigurationError: it is none; names the option.
    """
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigurationError(f'{option}: expected a JSON object such as {{"name": "Ada"}}')
    return found
