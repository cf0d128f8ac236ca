"""What does a program's word about consent look like, and how a number stands?"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from connector.entrypoints.web.api.schemas import TextField, number_field, says
from connector.ports.consents import ConsentKind, Scope
from connector.services.text_orders import LONGEST_KEY


class ConsentSchema(Schema):
    """What a program says of a number."""

    number = number_field("The person's number.", required=True)
    kind = TextField(required=True, validate=validate.OneOf([ConsentKind.OPT_IN.value, ConsentKind.OPT_OUT.value]))
    scope = fields.Enum(
        Scope, by_value=True, load_default=Scope.ALL, metadata=says("What it is about: all texts, or marketing only.")
    )
    wording = TextField(
        load_default="",
        validate=validate.Length(max=2_000),
        metadata=says("What the person said or ticked, word by word; an opt-in to marketing needs it as evidence."),
    )
    asked = TextField(
        load_default="", validate=validate.Length(max=2_000), metadata=says("What they were asked, word by word.")
    )
    source = TextField(
        load_default=None,
        validate=validate.Length(1, LONGEST_KEY),
        metadata=says("Where you know it from, such as `form:4711`; the same source never counts twice."),
    )


class SuppressionSchema(Schema):
    """A standing "never"."""

    scope = fields.String(required=True)
    mechanism = fields.String(required=True, metadata=says("Who made it, such as `keyword` or `api`."))
    since = fields.DateTime(format="iso", required=True)


class ConsentEventSchema(Schema):
    """One piece of evidence."""

    kind = fields.String(required=True)
    scope = fields.String(required=True)
    mechanism = fields.String(required=True)
    source = fields.String(required=True)
    wording = fields.String(required=True)
    asked = fields.String(required=True)
    at = fields.DateTime(format="iso", required=True)


class ConsentStandingSchema(Schema):
    """How a number stands."""

    number = fields.String(required=True)
    may_be_texted = fields.Boolean(required=True, metadata=says("No opt-out from all texts stands."))
    marketing = fields.String(required=True, allow_none=True, metadata=says("Its latest word about marketing."))
    suppressions = fields.List(fields.Nested(SuppressionSchema), required=True)
    history = fields.List(fields.Nested(ConsentEventSchema), required=True, metadata=says("Oldest first."))
