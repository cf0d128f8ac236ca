"""How is a value written into a CRM property of some kind?

As CRMs take it, not as people read it: ISO 8601 times and dates, `true` and `false`, plain numbers, an empty text for
no value. A value that is one expression (`{{ deal.amount * 2 }}`) is taken as what it is; anything else is a text,
which has to read as what the property holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.domain.event_mapping import ValueKind
from connector.domain.places import Expression, Text
from connector.errors import ConditionError
from connector.ports.rendering import Renderer
from connector.services.message_making import Setting
from connector.services.wishes import ImpossibleError, for_staff

_ONE_EXPRESSION = re.compile(r"\s*\{\{-?((?:(?!\}\}|\{\{).)+?)-?\}\}\s*", re.DOTALL)
_SINGLE = (str, bool, int, float, Decimal, date)
"""What a property can hold; a `datetime` is a `date` too."""

_YES_NO = {"true": "true", "yes": "true", "false": "false", "no": "false"}


def written(renderer: Renderer, setting: Setting, text: Text, kind: ValueKind, name: str) -> str:
    """Write a value for a property of a kind; `name` is what the journey calls it.

    Raises:
        ImpossibleError: it cannot be worked out, or is not of that kind.
    """
    value = _value(renderer, setting, text)
    if value is None:
        return ""
    if not isinstance(value, _SINGLE):
        raise ImpossibleError(f"the value for {name} is no single value but a {_shape(value)}")
    try:
        return _WRITERS.get(kind, _text)(value, _zone(setting))
    except (TypeError, AttributeError, ValueError, InvalidOperation, KeyError, OverflowError):
        raise ImpossibleError(f"the value for {name} is no {kind.value.replace('_', '/')}") from None


def _value(renderer: Renderer, setting: Setting, text: Text) -> Any:
    found = _ONE_EXPRESSION.fullmatch(text.source)
    if found is None:
        return for_staff(renderer, setting, text).strip()
    try:
        return renderer.evaluate(Expression(found[1].strip(), text.place), setting.names)
    except ConditionError as error:
        raise ImpossibleError(f"its text cannot be written: {error}") from error


def _shape(value: Any) -> str:
    return "mapping" if isinstance(value, Mapping) else "list" if isinstance(value, list | tuple) else "whole record"


def _zone(setting: Setting) -> ZoneInfo:
    """The account's clock: on which day a moment falls is a question of the people who read the CRM."""
    try:
        return ZoneInfo(str(setting.account.settings.get("time_zone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _text(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _time(value, zone)
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _number(value: Any, _zone: ZoneInfo) -> str:
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError(value)
    return format(number, "f")


def _time(value: Any, zone: ZoneInfo) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(0), zone)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).isoformat()


def _date(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, str):
        value = date.fromisoformat(value) if len(value) <= len("2026-11-20") else datetime.fromisoformat(value)
    if isinstance(value, datetime):
        value = (value.astimezone(zone) if value.tzinfo else value).date()
    return str(value.isoformat())


def _yes_no(value: Any, _zone: ZoneInfo) -> str:
    return _YES_NO[str(value).strip().lower()]


_WRITERS: Mapping[ValueKind, Callable[[Any, ZoneInfo], str]] = {
    ValueKind.NUMBER: _number,
    ValueKind.MONEY: _number,
    ValueKind.TIME: _time,
    ValueKind.DATE: _date,
    ValueKind.YES_NO: _yes_no,
}
