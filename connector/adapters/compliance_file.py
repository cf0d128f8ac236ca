"""Which hours, caps and consent does `mappings/compliance.yaml` lay down?"""

import re
from datetime import date, time
from pathlib import Path

import yaml

from connector.adapters.yaml_fields import YAMLFields
from connector.domain.caps import Cap, parse_cap
from connector.domain.compliance import (
    DEFAULT_COUNTRY,
    MOST_SEGMENTS,
    Compliance,
    FatigueRule,
    PurposeRule,
    WindowRow,
)
from connector.domain.durations import parse_duration
from connector.domain.message import Purpose
from connector.domain.send_window import ANYTIME, MIDNIGHT, SendWindow

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_COUNT = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_SEGMENTS = re.compile(r"[1-9]|10", re.ASCII)  # gateways refuse longer texts, at 1,600 characters
_COUNTRY = re.compile(r"[A-Z]{2}")
_CONSENT = {"required": True, "not required": False}


def load_compliance(path: Path) -> Compliance:
    """Read the rules.

    Raises:
        MappingError: every mistake with file, line and column (a ConfigurationError).
    """
    fields = YAMLFields(path)
    top = fields.mapping(fields.root, "", ("windows", "purposes"), ("windows", "purposes", "overall", "fatigue"))
    windows = _windows(fields, top.get("windows"))
    purposes = _purposes(fields, top.get("purposes"), windows)
    overall = _overall(fields, top.get("overall"))
    fatigue = _fatigue(fields, top.get("fatigue"))
    fields.check()
    return Compliance(windows, purposes, overall, fatigue)


def _windows(fields: YAMLFields, node: yaml.Node | None) -> dict[str, SendWindow]:
    if node is None:
        return {}
    found: dict[str, SendWindow] = {}
    for name, value in fields.mapping(node, "windows").items():
        path = f"windows.{name}"
        if name == ANYTIME.name:
            fields.mistake(value, path, "is built in and always open; choose another name")
            continue
        found[name] = SendWindow(name, _days(fields, value, path))
    return found


def _days(fields: YAMLFields, node: yaml.Node, path: str) -> dict[int, tuple[tuple[time, time], ...]]:
    days: dict[int, tuple[tuple[time, time], ...]] = {}
    for label, value in fields.mapping(node, path).items():
        where = f"{path}.{label}"
        weekdays = _weekdays(label)
        if not weekdays:
            fields.mistake(value, where, f"is no weekday: expected one of {', '.join(_WEEKDAYS)}, or mon-fri")
        if any(weekday in days for weekday in weekdays):
            fields.mistake(value, where, "names a weekday that another line already has")
        spans = [_span(fields, item, place) for item, place in fields.sequence(value, where)]
        days |= dict.fromkeys(weekdays, tuple(span for span in spans if span))
    return days


def _weekdays(label: str) -> range:
    first, _, last = label.partition("-")
    if first not in _WEEKDAYS or (last or first) not in _WEEKDAYS:
        return range(0)
    return range(_WEEKDAYS.index(first), _WEEKDAYS.index(last or first) + 1)


def _span(fields: YAMLFields, node: yaml.Node, path: str) -> tuple[time, time] | None:
    start, _, end = fields.text(node, path).partition("-")
    if _CLOCK.fullmatch(start) and (_CLOCK.fullmatch(end) or end == "24:00"):
        return time.fromisoformat(start), MIDNIGHT if end == "24:00" else time.fromisoformat(end)
    fields.mistake(node, path, 'expected hours such as "09:00-20:00"; an end before its start is next day')
    return None


def _purposes(fields: YAMLFields, node: yaml.Node | None, windows: dict[str, SendWindow]) -> dict[str, PurposeRule]:
    if node is None:
        return {}
    names = [purpose.value for purpose in Purpose]
    return {
        name: _purpose(fields, value, f"purposes.{name}", windows)
        for name, value in fields.mapping(node, "purposes", names, names).items()
    }


def _purpose(fields: YAMLFields, node: yaml.Node, path: str, windows: dict[str, SendWindow]) -> PurposeRule:
    keys = fields.mapping(node, path, ("consent", "countries"), ("consent", "caps", "segments", "countries"))
    consent = fields.text(keys["consent"], f"{path}.consent") if "consent" in keys else "required"
    if consent not in _CONSENT:
        fields.mistake(keys["consent"], f"{path}.consent", 'expected "required" or "not required"')
    caps = _caps(fields, keys.get("caps"), f"{path}.caps")
    rows = _rows(fields, keys.get("countries"), f"{path}.countries", windows)
    return PurposeRule(_CONSENT.get(consent, True), caps, rows, _segments(fields, keys.get("segments"), path))


def _segments(fields: YAMLFields, node: yaml.Node | None, path: str) -> int:
    if node is None:
        return MOST_SEGMENTS
    text = fields.text(node, f"{path}.segments")
    if _SEGMENTS.fullmatch(text):
        return int(text)
    fields.mistake(node, f"{path}.segments", "expected a number of SMS, 1 to 10")
    return MOST_SEGMENTS


def _caps(fields: YAMLFields, node: yaml.Node | None, path: str) -> tuple[Cap, ...]:
    caps: list[Cap] = []
    for item, where in fields.sequence(node, path) if node else ():
        try:
            caps.append(parse_cap(fields.text(item, where)))
        except ValueError as exc:
            fields.mistake(item, where, str(exc))
    return tuple(caps)


def _overall(fields: YAMLFields, node: yaml.Node | None) -> tuple[Cap, ...]:
    if node is None:
        return ()
    return _caps(fields, fields.mapping(node, "overall", ("caps",), ("caps",)).get("caps"), "overall.caps")


def _fatigue(fields: YAMLFields, node: yaml.Node | None) -> FatigueRule | None:
    if node is None:
        return None
    expected = ("after", "within", "caps")
    keys = fields.mapping(node, "fatigue", expected, expected)
    if len(keys) < len(expected):
        return None
    after = fields.text(keys["after"], "fatigue.after")
    if not _COUNT.fullmatch(after):
        fields.mistake(keys["after"], "fatigue.after", "expected a number of texts, 1 to 999")
    try:
        within = parse_duration(fields.text(keys["within"], "fatigue.within"))
    except ValueError as exc:
        fields.mistake(keys["within"], "fatigue.within", str(exc))
        return None
    caps = _caps(fields, keys["caps"], "fatigue.caps")
    return FatigueRule(int(after), within, caps) if _COUNT.fullmatch(after) else None


def _rows(
    fields: YAMLFields, node: yaml.Node | None, path: str, windows: dict[str, SendWindow]
) -> dict[str, WindowRow]:
    rows: dict[str, WindowRow] = {}
    for country, value in fields.mapping(node, path, (DEFAULT_COUNTRY,)).items() if node else ():
        if country != DEFAULT_COUNTRY and not _COUNTRY.fullmatch(country):
            fields.mistake(value, f"{path}.{country}", "expected a country code of two capitals, or default")
        row = _row(fields, value, f"{path}.{country}", windows)
        if row is not None:
            rows[country] = row
    return rows


def _row(fields: YAMLFields, node: yaml.Node, path: str, windows: dict[str, SendWindow]) -> WindowRow | None:
    expected = ("window", "source", "checked_on")
    keys = fields.mapping(node, path, expected, expected)
    if len(keys) < len(expected):
        return None
    name = fields.text(keys["window"], f"{path}.window")
    window = ANYTIME if name == ANYTIME.name else windows.get(name)
    if window is None:
        known = ", ".join((ANYTIME.name, *windows))
        fields.mistake(keys["window"], f"{path}.window", f"no window is named {name!r}", f"known are {known}")
    checked_on = _date(fields, keys["checked_on"], f"{path}.checked_on")
    source = fields.text(keys["source"], f"{path}.source")
    return WindowRow(window, source, checked_on) if window and checked_on else None


def _date(fields: YAMLFields, node: yaml.Node, path: str) -> date | None:
    try:
        return date.fromisoformat(fields.text(node, path))
    except ValueError:
        fields.mistake(node, path, "expected a date such as 2026-11-20")
        return None
