"""How long is `7d` on the command line?"""

from __future__ import annotations

from datetime import timedelta

from connector.domain.durations import parse_duration
from connector.errors import ConfigurationError

_SHORT_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_period(text: str, option: str) -> timedelta:
    """Read a length of time, `12h`, `30d`, `8w` or as in a journey, `30 days`.

    Raises:
        ConfigurationError: it is none; names the option.
    """
    number, unit = text[:-1].strip(), text[-1:]
    long = f"{number} {_SHORT_UNITS[unit]}" if unit in _SHORT_UNITS and number.isdigit() else text
    try:
        return parse_duration(long)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}") from error
