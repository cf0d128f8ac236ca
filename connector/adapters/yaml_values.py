"""Which kinds of value can stand behind a key of an admin's file, and what does an editor know about each?

One marshmallow field per kind. Values come as the texts that were written (`yaml_file` guesses nothing), so a field
decides alone what a text means; what it says to an editor counts with YAML 1.2's numbers and booleans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import time, timedelta
from difflib import get_close_matches
from typing import Any, ClassVar

from marshmallow import ValidationError

from connector.adapters.yaml_shapes import Complaint, Field, Refer, Shape, closest, listed, quoted, spoken
from connector.domain.durations import BusinessDays, format_duration, parse_delay, parse_duration

SCALAR: Mapping[str, Any] = {"type": ["string", "number", "boolean"]}
"""What an editor may take a text without quotes for: `5`, `true`."""

_LONGEST = 4_000  # characters; nothing that a person writes in one place is longer
_UNIT = "(second|minute|hour|day|week)s?"
_DURATION = rf"^\s*[0-9]{{1,9}}\s+{_UNIT}\s*$"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


class Words(Field):
    """A text on one or more lines; blank margins do not count.

    `pattern` must match the whole of it; `expected` says so in words.
    """

    def __init__(self, *, pattern: str = "", expected: str = "a text", longest: int = _LONGEST, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pattern, self._expected, self._longest = pattern, expected, longest

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(f"expected {self._expected}, found {spoken(value)}")
        text = value.strip()
        if not text:
            raise ValidationError("has no value")
        if len(text) > self._longest:
            raise ValidationError(f"is longer than {self._longest} characters")
        if self._pattern and not re.fullmatch(self._pattern, text):
            raise ValidationError(f"{quoted(text)} is not {self._expected}")
        return text

    def plain_schema(self) -> dict[str, Any]:
        """Give a text's schema; one with a pattern may look like a number too, and is told apart by the pattern."""
        plain: dict[str, Any] = {**SCALAR, "minLength": 1}
        if self._longest != _LONGEST:
            plain["maxLength"] = self._longest
        if self._pattern:
            plain["pattern"] = rf"^\s*(?:{self._pattern})\s*$"
        return _or_nothing(plain) if self.allow_none else plain


class Choice(Field):
    """One of a few words."""

    def __init__(self, options: Collection[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options = tuple(options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(f"expected one of {listed(self.options)}, found {spoken(value)}")
        text = value.strip()
        if text not in self.options:
            raise ValidationError(
                Complaint(f"{quoted(text)} is not one of {listed(self.options)}", closest(text, self.options))
            )
        return text

    def plain_schema(self) -> dict[str, Any]:
        """Give the words."""
        return {"enum": list(self.options)}


class YesNo(Field):
    """yes or no; true, false, on and off will do."""

    _WORDS: ClassVar[Mapping[str, bool]] = {
        "yes": True, "true": True, "on": True, "no": False, "false": False, "off": False,
    }  # fmt: skip

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        known = self._WORDS.get(value.strip().lower()) if isinstance(value, str) else None
        if known is None:
            raise ValidationError(f"expected yes or no, found {spoken(value)}")
        return known

    def plain_schema(self) -> dict[str, Any]:
        """Give the words; YAML 1.2 takes only two of them for booleans."""
        return {"enum": ["yes", "no", True, False, "on", "off"]}


class WholeNumber(Field):
    """A whole number between two others, both included."""

    def __init__(self, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        text = value.strip() if isinstance(value, str) else ""
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not self.low <= int(text) <= self.high:
            raise ValidationError(f"expected a whole number from {self.low} to {self.high}, found {spoken(value)}")
        return int(text)

    def plain_schema(self) -> dict[str, Any]:
        """Give the bounds."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


class Duration(Field):
    """A length of time such as `3 days`, of at most `longest`."""

    def __init__(self, *, longest: timedelta | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._longest = longest

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(f'expected a duration such as "3 days", found {spoken(value)}')
        try:
            duration = self._parse(value)
        except ValueError as exc:
            raise ValidationError(Complaint(str(exc), _nearest_duration(value))) from exc
        if not duration:
            raise ValidationError("is no time at all")
        if self._longest is not None and isinstance(duration, timedelta) and duration > self._longest:
            raise ValidationError(f"is longer than {format_duration(self._longest)}")
        return duration

    def _parse(self, text: str) -> timedelta | BusinessDays:
        if "business day" in text.lower():
            raise ValueError(f"{quoted(text)} depends on the country: expected a fixed time, such as 3 days")
        return parse_duration(text)

    def plain_schema(self) -> dict[str, Any]:
        """Give the pattern; letters are small in an editor."""
        return {"type": "string", "pattern": _DURATION, "examples": ["30 minutes", "24 hours", "3 days"]}


class Delay(Duration):
    """A length of time such as `3 days`, or `5 business days`."""

    def _parse(self, text: str) -> timedelta | BusinessDays:
        return parse_delay(text)

    def plain_schema(self) -> dict[str, Any]:
        """Give the pattern of a duration, with business days."""
        pattern = _DURATION.replace(_UNIT, f"({_UNIT}|business days?)")
        return {"type": "string", "pattern": pattern, "examples": ["24 hours", "3 days", "5 business days"]}


class Clock(Field):
    """A time of day such as `09:00`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> time:
        text = value.strip() if isinstance(value, str) else ""
        if not re.fullmatch(_CLOCK, text, re.ASCII):
            hint = f'write "0{text}"' if re.fullmatch(rf"[0-9]{_CLOCK[-11:]}", text, re.ASCII) else None
            raise ValidationError(Complaint(f'expected a time of day such as "09:00", found {spoken(value)}', hint))
        return time.fromisoformat(text)

    def plain_schema(self) -> dict[str, Any]:
        """Give the pattern."""
        return {"type": "string", "pattern": rf"^\s*{_CLOCK}\s*$", "examples": ["09:00"]}


class TextList(Field):
    """A text, or a list of texts."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [value]
        wrong = {n: [f"expected a text, found {spoken(item)}"] for n, item in enumerate(items) if not _is_text(item)}
        if wrong:
            raise ValidationError(wrong if isinstance(value, list) else wrong[0])
        if not items:
            raise ValidationError("is an empty list")
        return tuple(item.strip() for item in items)

    def plain_schema(self) -> dict[str, Any]:
        """Give one text or several."""
        return {"anyOf": [dict(SCALAR), {"type": "array", "items": dict(SCALAR), "minItems": 1}]}


class Items(Field):
    """A list that somebody else looks into; `expected` says of what, `of` says it to editors."""

    def __init__(self, expected: str, of: type[Shape] | Field | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._expected, self.of = expected, of

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError(f"expected {self._expected}, found {spoken(value)}")
        if not value:
            raise ValidationError(f"is an empty list: expected {self._expected}")
        return value

    def json_schema(self, refer: Refer) -> dict[str, Any]:
        """Give a list of what it holds."""
        items = {} if self.of is None else _schema(self.of, refer)
        return {"type": "array", "items": items, "minItems": 1}


class Steps(Items):
    """A list of steps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("a list of steps (- send: …)", **kwargs)

    def json_schema(self, refer: Refer) -> dict[str, Any]:  # noqa: ARG002 - there is one list of steps
        """Refer to the one list of steps."""
        return {"$ref": "#/$defs/steps"}


class Anything(Field):
    """A value that somebody else looks into."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return value


class Below(Anything):
    """A value that somebody else looks into: one of the kinds or mappings named."""

    def __init__(self, *choices: type[Shape] | Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def json_schema(self, refer: Refer) -> dict[str, Any]:
        """Give the one choice, or any of several."""
        found = [_schema(choice, refer) for choice in self.choices]
        return found[0] if len(found) == 1 else {"anyOf": found}


class Named(Below):
    """A mapping from names that the admin chooses to one kind of value; somebody else looks into it."""

    def __init__(self, value: type[Shape] | Field, *, name: str = ".+", least: int = 1, **kwargs: Any) -> None:
        super().__init__(value, **kwargs)
        self._name, self._least = name, least

    def json_schema(self, refer: Refer) -> dict[str, Any]:
        """Give the pattern of the names and the schema of the values."""
        values = {f"^({self._name})$": super().json_schema(refer)}
        return {
            "type": "object",
            "patternProperties": values,
            "additionalProperties": False,
            "minProperties": self._least,
        }


class Parsed(Words):
    """A text that a function turns into a value; its ValueError says what is wrong."""

    def __init__(self, parse: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._parse = parse

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        try:
            return self._parse(text)
        except ValueError as exc:
            raise ValidationError(str(exc)) from exc


def _schema(choice: type[Shape] | Field, refer: Refer) -> dict[str, Any]:
    return choice.json_schema(refer) if isinstance(choice, Field) else refer(choice)


def _or_nothing(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"type": "null"}]}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _nearest_duration(text: str) -> str | None:
    found = re.fullmatch(r"\s*(\d+)\s*([A-Za-z]+)\s*", text)
    if found is None:
        return None
    short = {"h": "hours", "hr": "hours", "hrs": "hours", "m": "minutes", "min": "minutes", "mins": "minutes",
             "d": "days", "w": "weeks", "s": "seconds", "sec": "seconds"}  # fmt: skip
    units = ("seconds", "minutes", "hours", "days", "weeks")
    near = short.get(found[2].lower()) or next(iter(get_close_matches(found[2].lower(), units, 1)), None)
    return f"write {found[1]} {near}" if near else None
