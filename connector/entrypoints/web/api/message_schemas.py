"""What do orders of texts and texts look like?"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from connector.domain.message import MessageState, Purpose
from connector.entrypoints.web.api.schemas import (
    BEFORE,
    CostSchema,
    ProblemSchema,
    TextField,
    ValuesField,
    limit_field,
    number_field,
    says,
    since_field,
)
from connector.services.text_orders import LONGEST_KEY

MOST_TOGETHER = 500
"""Texts in one batch: about a megabyte of JSON at the longest, and a second of the ledger's time."""

_LONGEST_BODY = 1_600  # characters; Twilio refuses longer bodies with error 21617 (twilio.com/docs/api/errors/21617)
_LONGEST_URL = 2_048  # characters; what browsers and proxies carry without trouble


class SendSchema(Schema):
    """One text to be sent."""

    to = number_field("The person's number, E.164 or as people of the account's country write it.", required=True)
    sender = TextField(
        data_key="from",
        allow_none=True,
        load_default=None,
        validate=validate.Length(1, 20),
        metadata=says("Our number or sender id; the gateway's default when left out."),
    )
    body = TextField(
        load_default=None,
        validate=validate.Length(1, _LONGEST_BODY),
        metadata=says("The text, unless `template` writes it."),
    )
    template = TextField(
        load_default=None,
        validate=validate.Length(1, 200),
        metadata=says("A template by folder and name, such as `shop/ready`; in the closest language of the contact."),
    )
    data = ValuesField(keys=fields.String(), load_default=None, metadata=says("What the template's names stand for."))
    priority = fields.Integer(
        strict=True,
        load_default=5,
        validate=validate.Range(1, 9),
        metadata=says("Of several texts for the last slot under a cap the higher one goes."),
    )
    purpose = fields.Enum(
        Purpose,
        by_value=True,
        load_default=Purpose.TRANSACTIONAL,
        metadata=says("Decides consent rule, send window, caps and lane."),
    )
    callback_url = TextField(
        load_default=None,
        validate=validate.Length(1, _LONGEST_URL),
        metadata=says("Where to hear what becomes of it; https, and no private address.", format="uri"),
    )
    idempotency_key = TextField(
        load_default=None,
        validate=validate.Length(1, LONGEST_KEY),
        metadata=says("The same key never sends a second text; the header `Idempotency-Key` does the same."),
    )
    send_at = fields.AwareDateTime(
        format="iso", load_default=None, metadata=says("Not before this; at most 90 days ahead.")
    )
    expires_at = fields.AwareDateTime(
        format="iso",
        load_default=None,
        metadata=says("Not after this, at most 90 days after it may go out; else the usual lifetime of its purpose."),
    )


class MessageSchema(Schema):
    """One text, out or in."""

    id = fields.String(required=True)
    direction = fields.String(required=True, validate=validate.OneOf(["out", "in"]))
    state = fields.Enum(MessageState, by_value=True, required=True)
    reason = fields.String(required=True, metadata=says("Why it stands there, in one sentence; may be empty."))
    to = fields.String(required=True, allow_none=True)
    sender = fields.String(data_key="from", required=True, allow_none=True)
    body = fields.String(required=True, metadata=says("The text; a one-time code is never given back."))
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    priority = fields.Integer(required=True)
    gateway = fields.String(required=True)
    encoding = fields.String(required=True)
    segments = fields.Integer(required=True)
    tries = fields.Integer(required=True)
    journey = fields.String(required=True, allow_none=True, metadata=says("The journey that made it, if one did."))
    idempotency_key = fields.String(required=True, allow_none=True)
    not_before = fields.DateTime(format="iso", required=True)
    expires_at = fields.DateTime(format="iso", required=True, allow_none=True)
    created_at = fields.DateTime(format="iso", required=True)
    updated_at = fields.DateTime(format="iso", required=True)
    sent_at = fields.DateTime(format="iso", required=True, allow_none=True)
    replied_at = fields.DateTime(format="iso", required=True, allow_none=True)
    clicked_at = fields.DateTime(format="iso", required=True, allow_none=True)
    opted_out_at = fields.DateTime(format="iso", required=True, allow_none=True)
    cost = fields.Nested(CostSchema, required=True, allow_none=True)


class AttemptSchema(Schema):
    """One try through one gateway."""

    id = fields.String(required=True)
    gateway = fields.String(required=True)
    state = fields.Enum(MessageState, by_value=True, required=True)
    sender = fields.String(data_key="from", required=True, allow_none=True)
    provider_message_id = fields.String(required=True, allow_none=True)
    raw_status = fields.String(required=True, metadata=says("The gateway's own word."))
    error_class = fields.String(required=True)
    error_code = fields.String(required=True, metadata=says("The gateway's own code."))
    requested_at = fields.DateTime(format="iso", required=True)
    answered_at = fields.DateTime(format="iso", required=True, allow_none=True)


class MessageStatusSchema(MessageSchema):
    """One text and every try to send it, oldest first."""

    attempts = fields.List(fields.Nested(AttemptSchema), required=True)


class MessagePageSchema(Schema):
    """Some texts, newest first."""

    messages = fields.List(fields.Nested(MessageSchema), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata=says("`before` of the next page; null when this is the last one.")
    )


class MessageQuerySchema(Schema):
    """Which texts to list."""

    state = fields.Enum(MessageState, by_value=True, load_default=None)
    since = since_field("Only texts made since then.")
    before = TextField(load_default=None, metadata=says(BEFORE))
    limit = limit_field()


class MessageSearchSchema(MessageQuerySchema):
    """Which texts to list, also by number."""

    to = number_field("Only texts to this number.", load_default=None)


class _EachByItself(fields.Nested):
    """A text of a batch, read by itself later: one with a mistake stops no other."""

    def _deserialize(self, value: Any, *_args: Any, **_options: Any) -> Any:
        return value


class BatchSchema(Schema):
    """Many texts to be sent."""

    messages = fields.List(_EachByItself(SendSchema), required=True, validate=validate.Length(1, MOST_TOGETHER))


class BatchResultSchema(Schema):
    """What came of one text of a batch."""

    index = fields.Integer(required=True, metadata=says("Its place in the batch, from 0."))
    status = fields.Integer(
        required=True, metadata=says("What it would have been answered by itself: 201, 200, 409, 422.")
    )
    message = fields.Nested(MessageSchema, required=True, allow_none=True)
    problem = fields.Nested(ProblemSchema, required=True, allow_none=True)


class BatchAnswerSchema(Schema):
    """What came of each text of a batch, in its order."""

    results = fields.List(fields.Nested(BatchResultSchema), required=True)
    refused = fields.Integer(required=True, metadata=says("How many have a problem."))


class ConversationSchema(Schema):
    """With whom."""

    number = number_field("The person's number.", required=True)
    before = TextField(load_default=None, metadata=says(BEFORE))
    limit = limit_field()
