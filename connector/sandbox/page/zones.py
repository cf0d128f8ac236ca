"""Which IANA zone does HubSpot's time zone property mean, and when is it next nine in the morning there?"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MORNING = 9


def iana_zone(value: str, fallback: str) -> str:
    """`us_slash_eastern` is US/Eastern, an IANA name is itself; anything unknown is `fallback`."""
    if "/" in value:
        return _known(value, fallback)
    parts = ["_".join(word.capitalize() for word in part.split("_")) for part in value.split("_slash_")]
    return _known("/".join("US" if part == "Us" else part for part in parts), fallback)


def _known(name: str, fallback: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return fallback


def next_morning(now: datetime, zone: str) -> datetime:
    """The next 09:00 after `now` on the wall clock of `zone`."""
    local = now.astimezone(ZoneInfo(zone))
    today = local.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)
