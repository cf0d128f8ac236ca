"""May this value be written into this field, and how is it kept?

Kept as the API returns it: times as `2026-11-20T10:00:00.000+0000` in whole seconds, dates as `2026-11-20`, numbers
as float (int only for whole-number fields), references as 18 characters, no text as None.
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

from connector.sandbox.salesforce.fields import Field
from connector.sandbox.salesforce.ids import normal_id
from connector.sandbox.salesforce.refusals import RefusalError, bad_request

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATETIME = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}:?\d{2})")


def stamp(moment: datetime) -> str:
    """A time as the API writes it: Salesforce keeps whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def kept_value(field: Field, raw: Any, options: Collection[str] = ()) -> Any:
    """`raw` as it is kept in `field`; `options` are the values its picklist has in the org."""
    if raw is None or (raw == "" and field.is_text):
        return _nothing(field)
    if field.type == "boolean":
        return raw if isinstance(raw, bool) else _refuse_type(field, raw)
    if field.type in {"double", "currency", "percent", "int"}:
        return _number(field, raw)
    if not isinstance(raw, str):
        _refuse_type(field, raw)
    if field.type in {"reference", "id"}:
        return _reference(field, raw)
    if field.type in {"date", "datetime"}:
        return (_date if field.type == "date" else _datetime)(field, raw)
    return _text(field, raw, options)


def read_datetime(text: str) -> datetime | None:
    """An ISO 8601 time with a zone, which is the only kind the API reads; None for any other text."""
    parts = _DATETIME.fullmatch(text)
    if parts is None:
        return None
    try:
        return datetime.fromisoformat(parts[1] + parts[2])
    except ValueError:
        return None


def read_date(text: str) -> date | None:
    """An ISO 8601 date, None for any other text."""
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None


def _nothing(field: Field) -> Any:
    if field.type == "boolean":
        _refuse_type(field, None)
    return None


def _number(field: Field, raw: Any) -> float | int:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        _refuse_type(field, raw)
    if field.type == "int":
        return raw if isinstance(raw, int) else _refuse_type(field, raw)
    if abs(raw) >= 10**field.length:
        raise bad_request(
            "NUMBER_OUTSIDE_VALID_RANGE", f"{field.name}: value outside of valid range on numeric field", [field.name]
        )
    return round(float(raw), field.scale)


def _reference(field: Field, raw: str) -> str:
    record_id = normal_id(raw)
    if record_id is None:
        raise bad_request("MALFORMED_ID", f"{field.name}: id value of incorrect type: {raw}", [field.name])
    return record_id


def _date(field: Field, raw: str) -> str:
    day = read_date(raw)
    return day.isoformat() if day else _refuse_type(field, raw)


def _datetime(field: Field, raw: str) -> str:
    moment = read_datetime(raw)
    return stamp(moment) if moment else _refuse_type(field, raw)


def _text(field: Field, raw: str, options: Collection[str]) -> str | None:
    text = raw if field.type == "textarea" else raw.strip()
    if len(text) > field.length:
        raise bad_request(
            "STRING_TOO_LONG", f"{field.name}: data value too large: {text} (max length={field.length})", [field.name]
        )
    if field.type == "email" and text and not _EMAIL.fullmatch(text):
        raise bad_request("INVALID_EMAIL_ADDRESS", f"{field.name}: invalid email address: {text}", [field.name])
    if field.is_multiple:
        return _chosen(field, text, options)
    if field.type == "picklist":
        _check_choice(field, text, options)
    return text or None


def _chosen(field: Field, text: str, options: Collection[str]) -> str | None:
    """Several choices, each once, in the order of the list."""
    found = list(dict.fromkeys(each.strip() for each in text.split(";") if each.strip()))
    for each in found:
        _check_choice(field, each, options)
    order = list(options)
    return ";".join(sorted(found, key=lambda each: order.index(each) if each in order else len(order))) or None


def _check_choice(field: Field, text: str, options: Collection[str]) -> None:
    if field.is_restricted and text not in options:
        raise bad_request(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.name}: bad value for restricted picklist field: {text}",
            [field.name],
        )


def _refuse_type(field: Field, raw: Any) -> Any:
    raise wrong_type(field, raw)


def wrong_type(field: Field, raw: Any) -> RefusalError:
    """400 for JSON whose type does not fit the field."""
    token = {bool: "TRUE" if raw else "FALSE", int: "NUMBER_INT", float: "NUMBER_FLOAT", str: "STRING"}.get(
        type(raw), "NULL" if raw is None else "START_OBJECT"
    )
    kind = field.type if not field.is_text else "string"
    text = f"Cannot deserialize instance of {kind} from VALUE_{token} value {raw}"
    return bad_request("JSON_PARSER_ERROR", f"{text} or request may be missing a required field at [line:1, column:1]")
