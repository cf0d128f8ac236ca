"""What do gateways look like, and what they know of numbers?"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from connector.entrypoints.web.api.schemas import LONGEST_NUMBER, MOST_LISTED, CostSchema, NumberSchema, TextField, says


class LookupSchema(NumberSchema):
    """About which number a gateway is to be asked."""

    gateway = TextField(load_default=None, metadata=says("Which one; the first of the file when left out."))


class NumbersSchema(Schema):
    """Which numbers."""

    numbers = fields.List(
        TextField(validate=validate.Length(1, LONGEST_NUMBER)),
        required=True,
        validate=validate.Length(1, MOST_LISTED),
    )


class KnownNumberSchema(Schema):
    """What is known of a number."""

    number = fields.String(required=True)
    state = fields.String(required=True, metadata=says("`known`, `wanted`, `skipped`, or `unheard_of`."))
    line_type = fields.String(
        required=True, metadata=says("`mobile`, `landline`, `voip`, `toll_free`, `invalid` or `unknown`.")
    )
    is_reachable = fields.Boolean(required=True, allow_none=True)
    country = fields.String(required=True, allow_none=True)
    carrier = fields.String(required=True)
    source = fields.String(required=True, metadata=says("Who said so, such as `lookup:twilio`."))
    known_at = fields.DateTime(format="iso", required=True, allow_none=True)
    cost = fields.Nested(CostSchema, required=True, allow_none=True)


class KnownNumbersSchema(Schema):
    """What is known of numbers, in the order in which they were named."""

    numbers = fields.List(fields.Nested(KnownNumberSchema), required=True)


class FallenSchema(Schema):
    """Where a gateway delivers much less than it did."""

    country = fields.String(required=True)
    carrier = fields.String(required=True, allow_none=True)


class ProviderSchema(Schema):
    """How one gateway fares."""

    name = fields.String(required=True)
    vendor = fields.String(required=True)
    state = fields.String(required=True, metadata=says("Its circuit: `closed`, `limited`, `open` or `probing`."))
    share = fields.Float(required=True, metadata=says("Which share of its usual rate it gets, 0 to 1."))
    reason = fields.String(required=True)
    since = fields.DateTime(format="iso", required=True)
    until = fields.DateTime(format="iso", required=True, allow_none=True)
    usual_seconds = fields.Float(required=True, metadata=says("How long it usually takes to answer."))
    error_rate = fields.Float(required=True)
    delivery_rate = fields.Float(required=True, metadata=says("Share of the texts it takes that arrive."))
    routes = fields.List(fields.String(), required=True, metadata=says("Routes that lead through it."))
    fallen = fields.List(fields.Nested(FallenSchema), required=True)
    has_incoming = fields.Boolean(required=True)
    has_lookup = fields.Boolean(required=True)
    receipts = fields.String(required=True, metadata=says("`callback`, `poll`, or empty for never."))


class ProvidersSchema(Schema):
    """How gateways fare."""

    providers = fields.List(fields.Nested(ProviderSchema), required=True)
