"""Does a mapping in an admin's file have the keys and kinds of values it should, and what is wrong where it has not?

marshmallow knows the kinds; this module turns what it finds into mistakes with line, column and a did-you-mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, ClassVar, Self

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from connector.adapters.yaml_file import Document, Trail
from connector.domain.durations import parse_duration
from connector.errors import Mistake

_SPOKEN: Mapping[type, str] = {
    dict: "a mapping (key: value)",
    list: "a list (- item)",
    str: "a text",
    type(None): "nothing",
}


class Complaint(str):
    """What a field has against a value, with a suggestion; a str, because marshmallow carries nothing else."""

    __slots__ = ("suggestion",)
    suggestion: str | None

    def __new__(cls, message: str, suggestion: str | None = None) -> Self:
        """Make one."""
        made = super().__new__(cls, message)
        made.suggestion = suggestion
        return made


class Shape(Schema):
    """A mapping's keys; keys that a later version will have are told apart from unknown ones.

    Attributes:
        what: what people call the mapping.
        later: keys of the language that this version does not have.
    """

    class Meta:
        """marshmallow's settings."""

        unknown = EXCLUDE  # `shape_of` reports them, with a did-you-mean

    what: ClassVar[str] = "a mapping"
    later: ClassVar[frozenset[str]] = frozenset()


class Field(fields.Field[Any]):
    """A field whose complaints are in plain words."""

    default_error_messages: dict[str, str | list[Any] | dict[Any, Any]] = {  # noqa: RUF012 - declared so by marshmallow
        "required": "is missing",
        "null": "has no value",
        "validator_failed": "is not valid",
    }


class Words(Field):
    """A text on one or more lines; blank margins do not count.

    `pattern` must match the whole of it; `expected` says so in words.
    """

    def __init__(self, *, pattern: str = "", expected: str = "a text", longest: int = 4_000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pattern, self._expected, self._longest = pattern, expected, longest

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
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


class Duration(Field):
    """A length of time such as `3 days`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> timedelta:
        if not isinstance(value, str):
            raise ValidationError(f'expected a duration such as "3 days", found {spoken(value)}')
        if "business day" in value:
            raise ValidationError(Complaint("business days are not available in this version", 'write "1 day"'))
        try:
            duration = parse_duration(value)
        except ValueError as exc:
            raise ValidationError(Complaint(str(exc), _nearest_duration(value))) from exc
        if not duration:
            raise ValidationError("is no time at all")
        return duration


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


class Items(Field):
    """A list that somebody else looks into; `expected` says of what."""

    def __init__(self, expected: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._expected = expected

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError(f"expected {self._expected}, found {spoken(value)}")
        if not value:
            raise ValidationError(f"is an empty list: expected {self._expected}")
        return value


class Anything(Field):
    """A value that somebody else looks into."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return value


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


def shape_of(
    schema: Shape, document: Document, trail: Trail, value: Any, mistakes: list[Mistake], *, also: Collection[str] = ()
) -> dict[str, Any] | None:
    """Read a mapping by its schema and note every mistake; None when a key it needs is missing or wrong.

    Unknown keys are mistakes, but for those in `also`, which another schema reads from the same mapping.
    """
    if not isinstance(value, dict):
        mistakes.append(document.mistake(trail, f"expected {schema.what}, found {spoken(value)}"))
        return None
    known = {field.data_key or name for name, field in schema.fields.items()}
    mistakes.extend(_unknown_keys(schema, document, trail, value, known | set(also)))
    try:
        return dict(schema.load({key: item for key, item in value.items() if key in known}))
    except ValidationError as exc:
        mistakes.extend(_complaints(document, trail, exc.messages))
        return None


def _unknown_keys(
    schema: Shape, document: Document, trail: Trail, value: Mapping[str, Any], known: Collection[str]
) -> Iterator[Mistake]:
    for key in value:
        if key in known:
            continue
        if key in schema.later:
            yield document.mistake((*trail, key), f"`{key}` is not available in this version", key=True)
            continue
        close = closest(key, known)
        yield document.mistake(
            (*trail, key),
            f"`{key}` is not a key of {schema.what}",
            close or f"there are {listed(sorted(known))}",
            key=True,
        )


def _complaints(document: Document, trail: Trail, found: Any) -> Iterator[Mistake]:
    if isinstance(found, Mapping):
        for key, below in found.items():
            yield from _complaints(document, (*trail, key), below)
        return
    for complaint in found if isinstance(found, Sequence) and not isinstance(found, str) else [found]:
        yield document.mistake(trail, str(complaint), getattr(complaint, "suggestion", None))


def spoken(value: Any) -> str:
    """Say what a value is: a short text is quoted, anything else named by its kind."""
    return quoted(value) if isinstance(value, str) else _SPOKEN.get(type(value), "something else")


def quoted(text: str) -> str:
    """Quote the beginning of a text on one line."""
    line = " ".join(text.split())
    return f"`{line[:60]}…`" if len(line) > 60 else f"`{line}`"


def listed(words: Collection[str]) -> str:
    """Write words as a list."""
    return ", ".join(words)


def closest(word: str, known: Collection[str]) -> str | None:
    """Give a did-you-mean, or None when nothing is near."""
    near = get_close_matches(word.lower(), {each.lower(): each for each in known}, 1, 0.6)
    return f"did you mean `{next(each for each in known if each.lower() == near[0])}`?" if near else None


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
