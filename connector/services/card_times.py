"""How does a card read a moment: exactly, and as people of the recipient's place say it?"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def exact(at: datetime) -> str:
    """Write a time as ISO 8601 in UTC with `Z`, to the second."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def day(at: datetime, zone: str | None) -> str:
    """Write a day in the recipient's zone, UTC where nobody knows it, such as `3 May 2026`."""
    local = at.astimezone(_clock(zone))
    return f"{local.day} {local:%B %Y}"


def time_of_day(at: datetime, zone: str | None) -> str | None:
    """Write the time of day in a zone, such as `14:03`; None where nobody knows the zone."""
    return f"{at.astimezone(_clock(zone)):%H:%M}" if zone is not None and _is_known(zone) else None


def _clock(zone: str | None) -> ZoneInfo:
    return ZoneInfo(zone) if zone is not None and _is_known(zone) else ZoneInfo("UTC")


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # as written in the CRM: it may be anything
        return False
    return True
