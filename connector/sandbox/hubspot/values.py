"""May this property value be written, and how is it kept?

Every kept value is text, as the API returns it: times in ISO 8601 UTC, booleans `true`/`false`, numbers as
plain decimals; empty text means not set.
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from connector.sandbox.hubspot.property_definitions import PropertyDefinition

LONGEST_TEXT = 65_536  # characters in a text property, the vendor's documented cap
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ValueRefusedError(ValueError):
    """A value that does not fit its property: the vendor's error code and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def iso(moment: datetime) -> str:
    """`2026-11-20T10:00:00.123Z`, as the API writes times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    """Epoch milliseconds of a kept time."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)


def kept_value(definition: PropertyDefinition, raw: Any, choices: Collection[str] | None = None) -> str:
    """`raw` as it is kept for this property; `choices` replaces the options of an enumeration."""
    if isinstance(raw, bool):
        raw = "true" if raw else "false"
    if raw is None or raw == "":
        return ""
    if not isinstance(raw, str | int | float):
        raise ValueRefusedError("INVALID_JSON_STRUCTURE", f"{definition.name}: a text is needed")
    text = str(raw)
    if definition.type == "enumeration":
        return _chosen(definition, text, choices)
    return {"number": _number, "bool": _boolean, "datetime": _datetime, "date": _date}.get(definition.type, _text)(
        definition.name, text
    )


def webhook_value(definition: PropertyDefinition, text: str) -> str:
    """A kept value as a webhook carries it: times in epoch milliseconds, all else as kept."""
    if definition.type == "datetime" and text:
        return str(milliseconds(text))
    return text


def _text(name: str, text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise ValueRefusedError("PROPERTY_VALUE_TOO_LONG", f"{name} is longer than {LONGEST_TEXT} characters")
    return text


def _number(name: str, text: str) -> str:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueRefusedError("INVALID_INTEGER", f"{text} was not a valid number for {name}") from None
    if not number.is_finite():
        raise ValueRefusedError("INVALID_INTEGER", f"{text} was not a valid number for {name}")
    return text.strip()


def _boolean(name: str, text: str) -> str:
    if text.lower() not in {"true", "false"}:
        raise ValueRefusedError("INVALID_OPTION", f"{text} was not one of the allowed options for {name}")
    return text.lower()


def _datetime(name: str, text: str) -> str:
    try:
        if re.fullmatch(r"-?\d+", text):
            return iso(_EPOCH + timedelta(milliseconds=int(text)))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueRefusedError("INVALID_DATE", f"{text} was not a valid date for {name}") from None
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _date(name: str, text: str) -> str:
    if re.fullmatch(r"-?\d+", text):
        moment = datetime.fromisoformat(_datetime(name, text))
        if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
            raise ValueRefusedError("INVALID_DATE", f"{text} is not midnight UTC, needed for {name}")
        return moment.date().isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueRefusedError("INVALID_DATE", f"{text} was not a valid date for {name}") from None


def _chosen(definition: PropertyDefinition, text: str, choices: Collection[str] | None) -> str:
    allowed = choices if choices is not None else {option.value for option in definition.options}
    picked = text.split(";") if definition.field_type == "checkbox" else [text]
    for each in picked:
        if each not in allowed:
            raise ValueRefusedError(
                "INVALID_OPTION",
                f"{each} was not one of the allowed options: [{', '.join(sorted(allowed))}] for {definition.name}",
            )
    return text
