"""Does a mapping in an admin's file have the keys and kinds of values it should, and what is wrong where it has not?

marshmallow knows the kinds, `yaml_values` has one field per kind; this module turns what they find into mistakes with
line, column and a did-you-mean. Every field also says its own part of the JSON Schema that editors use.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar, Self

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from connector.adapters.yaml_file import Document, Trail
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
    """A mapping's keys; the docstring says what the mapping is for, to people who write one in an editor.

    Attributes:
        what: what people call the mapping.
    """

    class Meta:
        """marshmallow's settings."""

        unknown = EXCLUDE  # `shape_of` reports them, with a did-you-mean

    what: ClassVar[str] = "a mapping"


Refer = Callable[[type[Shape]], dict[str, Any]]
"""Gives the JSON Schema that refers to a shape."""


class Field(fields.Field[Any]):
    """A field whose complaints are in plain words.

    Attributes:
        means: what it is for, to people who write in an editor.
        examples: values that an editor may propose.
    """

    def __init__(self, *, means: str = "", examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.means, self.examples = means, tuple(examples)

    def json_schema(self, refer: Refer) -> dict[str, Any]:  # noqa: ARG002 - only fields that hold shapes refer to any
        """Give the JSON Schema of this field's values, as an editor sees them: numbers and booleans are no texts."""
        return self.plain_schema()

    def plain_schema(self) -> dict[str, Any]:
        """Give the schema of a field that holds no other shape."""
        raise NotImplementedError

    default_error_messages: dict[str, str | list[Any] | dict[Any, Any]] = {  # noqa: RUF012 - declared so by marshmallow
        "required": "is missing",
        "null": "has no value",
        "validator_failed": "is not valid",
    }


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
