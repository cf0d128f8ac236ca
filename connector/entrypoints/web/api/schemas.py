"""What do the bodies, queries and answers of the API have in common?"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

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


def number_field(words: str, **options: Any) -> fields.String:
    """Make a field for a phone number as typed."""
    return fields.String(validate=validate.Length(1, LONGEST_NUMBER), metadata=says(words), **options)


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
    errors = fields.List(fields.Nested(ProblemMistakeSchema))


class NumberSchema(Schema):
    """Whose number."""

    number = number_field("The person's number.", required=True)


class IdsSchema(Schema):
    """Which ones."""

    ids = fields.List(fields.String(), required=True, validate=validate.Length(1, MOST_LISTED))


class LimitSchema(Schema):
    """How many."""

    limit = limit_field()


class CostSchema(Schema):
    """What a text cost."""

    amount = fields.String(required=True, metadata=says("A decimal number.", example="0.0079"))
    currency = fields.String(required=True, allow_none=True)
