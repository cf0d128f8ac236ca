"""What do texts and callbacks look like that were given up, and decisions about them?"""

from __future__ import annotations

from marshmallow import Schema, fields

from connector.entrypoints.web.api.message_schemas import MessageStatusSchema
from connector.entrypoints.web.api.schemas import IdsSchema, TextField, limit_field, says, since_field


class FailedCallbackSchema(Schema):
    """A callback that could not be delivered."""

    id = fields.String(required=True, metadata=says("The same as in `X-SMS-Connector-Id`."))
    type = fields.String(required=True)
    message_id = fields.String(required=True, allow_none=True)
    host = fields.String(required=True, metadata=says("Scheme and host of its address."))
    error = fields.String(required=True)
    tries = fields.Integer(required=True)
    failed_at = fields.DateTime(format="iso", required=True, allow_none=True)


class FailedCallbacksSchema(Schema):
    """Callbacks that could not be delivered, newest first."""

    callbacks = fields.List(fields.Nested(FailedCallbackSchema), required=True)


class DeadLettersQuerySchema(Schema):
    """Which dead letters."""

    gateway = TextField(load_default=None, metadata=says("Only those whose last try went through this gateway."))
    error_code = TextField(
        load_default=None,
        metadata=says("Only those with this code of the gateway's, or `unknown` where nobody knows what became of it."),
    )
    since = since_field("Only those given up since then.")
    limit = limit_field("How many at most, oldest first.")


class DeadLettersSchema(Schema):
    """Texts that were given up and wait for a decision, oldest first."""

    dead_letters = fields.List(fields.Nested(MessageStatusSchema), required=True)


class ReplaySchema(IdsSchema):
    """Which ones to send again."""

    afresh = fields.Boolean(
        load_default=False, metadata=says("Give texts whose lifetime is over a new one; else they are passed over.")
    )


class DecidedSchema(Schema):
    """What became of them."""

    done = fields.List(fields.String(), required=True)
    passed_over = fields.List(
        fields.String(), required=True, metadata=says("No dead letters of the account, or their lifetime is over.")
    )
