"""What do the bodies, queries and answers of the API have in common?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from connector.domain.documents import clean_text

MOST_LISTED = 200
"""Rows in one answer."""

LONGEST_NUMBER = 64
"""Characters of a phone number as people write it, with blanks and brackets."""

BEFORE = "The `next` of the page before."


def schema_name(schema: Any) -> str:
    """Name a schema in the description, without the word "Schema"."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


def says(text: str, **more: Any) -> dict[str, Any]:
    """Describe a field."""
    return {"description": text, **more}


class TextField(fields.String):
    """A string of a request: one that every database keeps and every encoding writes."""

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        text = super()._deserialize(value, *args, **options)
        demand_texts(text)
        return text


class ValuesField(fields.Dict):
    """An object of a request with any values, whose strings are such as `TextField` takes."""

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> Any:
        read = super()._deserialize(value, *args, **options)  # type: ignore[no-untyped-call]
        demand_texts(read)
        return read


def demand_texts(value: Any) -> None:
    """Refuse NUL characters and halves of surrogate pairs in a string, or anywhere in a list or object.

    Raises:
        ValidationError: there is one.
    """
    if isinstance(value, str):
        if clean_text(value) != value:
            raise ValidationError("it holds a NUL character or half of a surrogate pair")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            demand_texts(key)
            demand_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            demand_texts(inner)


_NOBODY_MEANS_BEFORE, _NOBODY_MEANS_AFTER = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


def since_field(words: str) -> fields.AwareDateTime:
    """Make a field for a time that a list begins at; at the edges of the calendar no database can compare it."""
    return fields.AwareDateTime(format="iso", load_default=None, validate=_demand_sane, metadata=says(words))


def _demand_sane(at: datetime) -> None:
    if not _NOBODY_MEANS_BEFORE <= at < _NOBODY_MEANS_AFTER:
        raise ValidationError("it is no year that anybody means")


def number_field(words: str, **options: Any) -> fields.String:
    """Make a field for a phone number as typed."""
    return TextField(validate=validate.Length(1, LONGEST_NUMBER), metadata=says(words), **options)


def limit_field(words: str = "How many at most, newest first.") -> fields.Integer:
    """Make a field that bounds a list."""
    return fields.Integer(load_default=50, validate=validate.Range(1, MOST_LISTED), metadata=says(words))


class ProblemMistakeSchema(Schema):
    """One mistake in a request."""

    pointer = fields.String(required=True, metadata=says("Where: a JSON pointer, or the name of a parameter."))
    detail = fields.String(required=True)


class ProblemSchema(Schema):
    """What went wrong (RFC 9457)."""

    type = fields.String(
        required=True, metadata=says("Tells kinds apart.", example="urn:sms-connector:problem:invalid")
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String()
    code = fields.String(metadata=says("Of a card's refusals: why, in a word for programs.", example="opted_out"))
    errors = fields.List(fields.Nested(ProblemMistakeSchema))


class NumberSchema(Schema):
    """Whose number."""

    number = number_field("The person's number.", required=True)


class IdsSchema(Schema):
    """Which ones."""

    ids = fields.List(TextField(), required=True, validate=validate.Length(1, MOST_LISTED))


class LimitSchema(Schema):
    """How many."""

    limit = limit_field()


class CostSchema(Schema):
    """What a text cost."""

    amount = fields.String(required=True, metadata=says("A decimal number.", example="0.0079"))
    currency = fields.String(required=True, allow_none=True)
