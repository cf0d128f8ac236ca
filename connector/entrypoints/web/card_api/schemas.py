"""What do a card's questions and answers look like?"""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from connector.domain.message import MessageState
from connector.entrypoints.web.api.schemas import BEFORE, CostSchema, TextField, ValuesField, says
from connector.services.card_consent import LONGEST_WORDING
from connector.services.card_contacts import PersonType
from connector.services.card_preview import LONGEST_BODY

_LONGEST_KEY = 150  # characters; a UUID has 36
_LONGEST_TEMPLATE = 200  # characters of a folder and a file name
_LONGEST_NAME = 200  # characters of a person's name or e-mail address
_MOST_PARTS = 10
"""Times the longest text that a draft may be: what is longer is no text that grew, and need not be measured."""


class PersonQuerySchema(Schema):
    """Which record of a person is meant."""

    class Meta:
        """Cards get parameters of their CRM's beside ours."""

        unknown = EXCLUDE

    object_type = fields.Enum(
        PersonType,
        by_value=True,
        load_default=PersonType.CONTACT,
        metadata=says("`lead` for a CRM whose leads are people, such as Salesforce."),
    )


class CardQuerySchema(PersonQuerySchema):
    """Which part of a card is meant."""

    before = TextField(load_default=None, validate=validate.Length(1, 64), metadata=says(BEFORE))


class TemplatesQuerySchema(PersonQuerySchema):
    """For whom templates are looked for."""

    crm_id = TextField(load_default=None, metadata=says("The record the card is open on; changes nothing yet."))


class DraftSchema(Schema):
    """A text that is thought of."""

    body = TextField(
        allow_none=True,
        load_default=None,
        validate=validate.Length(0, _MOST_PARTS * LONGEST_BODY),
        metadata=says("The text, unless `template` writes it."),
    )
    template = TextField(
        allow_none=True,
        load_default=None,
        validate=validate.Length(1, _LONGEST_TEMPLATE),
        metadata=says("A template by folder and name, such as `demo-booked/confirmation`."),
    )

    @validates_schema
    def _demand_one(self, data: dict[str, Any], **_: Any) -> None:
        if (data.get("body") is None) == (data.get("template") is None):
            raise ValidationError("a text has a body or a template, and one of the two", "body")


class ReplySchema(DraftSchema):
    """A rep's answer."""

    idempotency_key = TextField(
        required=True,
        validate=validate.Length(1, _LONGEST_KEY),
        metadata=says("Made by the card for each answer, such as a UUID: the same key never sends a second text."),
    )
    by = TextField(
        load_default="",
        validate=validate.Length(0, _LONGEST_NAME),
        metadata=says("Who writes. Not read from HubSpot's card, whose signed query says it."),
    )


class RecordedConsentSchema(Schema):
    """What a rep records of a person's consent."""

    action = fields.String(required=True, validate=validate.OneOf(["opt_out", "opt_in"]))
    wording = TextField(
        allow_none=True,
        load_default="",
        validate=validate.Length(0, LONGEST_WORDING),
        metadata=says("How they said it; an opt-in needs it as its proof."),
    )
    by = TextField(load_default="", validate=validate.Length(0, _LONGEST_NAME), metadata=says("Who records it."))


class SettingsChangeSchema(Schema):
    """New values of settings; those left out stay."""

    settings = ValuesField(keys=fields.String(), required=True)


class JourneyChangeSchema(Schema):
    """Whether a journey is to take people in."""

    enabled = fields.Boolean(required=True, truthy={True}, falsy={False})


class CardPersonSchema(Schema):
    """Whose card it is."""

    crm_id = fields.String(required=True)
    name = fields.String(required=True)
    number = fields.String(required=True, allow_none=True, metadata=says("E.164."))
    number_reason = fields.String(
        required=True, metadata=says("Which property the number came from, or why there is none.")
    )
    time_zone = fields.String(required=True, allow_none=True)
    local_time = fields.String(required=True, allow_none=True, metadata=says("There and now.", example="14:03"))


class MayPurposeSchema(Schema):
    """Whether texts of a purpose may go to the number."""

    may = fields.Boolean(required=True)
    why = fields.String(required=True)


class MayPurposesSchema(Schema):
    """Whether texts may go to the number, by purpose."""

    transactional = fields.Nested(MayPurposeSchema, required=True)
    marketing = fields.Nested(MayPurposeSchema, required=True)


class CardEvidenceSchema(Schema):
    """One thing that was said about consent."""

    at = fields.String(required=True)
    what = fields.String(required=True, metadata=says("", example="opted out"))
    how = fields.String(required=True, metadata=says("", example="text STOP"))
    source = fields.String(required=True, metadata=says("`reply`, `crm`, `card`, `program` or `carrier`."))
    wording = fields.String(required=True)


class CardConsentSchema(Schema):
    """How the number stands."""

    state = fields.String(required=True, validate=validate.OneOf(["opted_out", "opted_in", "not_asked", "doubtful"]))
    label = fields.String(required=True, metadata=says("The same in a sentence for people."))
    purposes = fields.Nested(MayPurposesSchema, required=True)
    evidence = fields.List(fields.Nested(CardEvidenceSchema), required=True, metadata=says("Newest first."))


class CardMessageSchema(Schema):
    """One text."""

    id = fields.String(required=True)
    direction = fields.String(required=True, validate=validate.OneOf(["outbound", "inbound"]))
    body = fields.String(required=True, metadata=says("The text; a one-time code is never given back."))
    at = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in MessageState]))
    label = fields.String(required=True, metadata=says("The state in a word for people."))
    reason = fields.String(required=True, metadata=says("Why it stands there; empty where nobody asks."))
    facts = fields.List(fields.String(), required=True, metadata=says("`replied`, `clicked`, `opted_out`."))
    segments = fields.Integer(required=True)
    price = fields.Nested(CostSchema, required=True, allow_none=True)
    journey = fields.String(required=True)
    sender = fields.String(required=True)
    by = fields.String(required=True, metadata=says("The rep who wrote it, or empty."))


class NotSentSchema(Schema):
    """A journey that sent nothing, and why."""

    at = fields.String(required=True)
    journey = fields.String(required=True)
    why = fields.String(required=True)
    where = fields.String(required=True, metadata=says("", example="mappings/journeys/deal-won.yaml:12"))


class RecordCardSchema(Schema):
    """Everything a card shows."""

    contact = fields.Nested(CardPersonSchema, required=True)
    consent = fields.Nested(CardConsentSchema, required=True)
    messages = fields.List(fields.Nested(CardMessageSchema), required=True, metadata=says("Newest first."))
    next = fields.String(required=True, allow_none=True, metadata=says("`before` of the page of older texts."))
    not_sent = fields.List(fields.Nested(NotSentSchema), required=True, metadata=says("Newest first, at most 20."))
    reply = fields.Nested(MayPurposeSchema, required=True, metadata=says("Whether a rep may write now."))
    as_of = fields.String(required=True)


class CardTraceSchema(Schema):
    """Every text to a contact with the decisions behind it, and the decisions that made no text."""

    contact = fields.Dict(required=True)
    messages = fields.List(fields.Dict(), required=True)
    trace = fields.List(fields.Dict(), required=True)


class TemplateSchema(Schema):
    """One template."""

    id = fields.String(required=True)
    title = fields.String(required=True)
    locales = fields.List(fields.String(), required=True)


class TemplateListSchema(Schema):
    """The templates there are."""

    templates = fields.List(fields.Nested(TemplateSchema), required=True)


class PreviewSchema(Schema):
    """A text as its reader would get it."""

    body = fields.String(required=True)
    encoding = fields.String(required=True, validate=validate.OneOf(["gsm7", "ucs2"]))
    segments = fields.Integer(required=True)
    characters = fields.Integer(required=True)
    left = fields.Integer(required=True, metadata=says("Characters that still fit into the last SMS."))
    price = fields.Nested(CostSchema, required=True, allow_none=True, metadata=says("By the list prices."))
    warnings = fields.List(fields.String(), required=True)
    mistakes = fields.List(fields.String(), required=True, metadata=says("What keeps it from being sent."))


class SentReplySchema(Schema):
    """The text that was queued."""

    message = fields.Nested(CardMessageSchema, required=True)


class ConsentAnswerSchema(Schema):
    """How the number stands now."""

    consent = fields.Nested(CardConsentSchema, required=True)


class SettingSchema(Schema):
    """One setting there is."""

    name = fields.String(required=True)
    label = fields.String(required=True)
    kind = fields.String(required=True)
    options = fields.List(fields.String(), required=True)
    help = fields.String(required=True)


class CardJourneySchema(Schema):
    """One journey there is."""

    id = fields.String(required=True)
    title = fields.String(required=True)
    enabled = fields.Boolean(required=True)
    status = fields.String(required=True)


class CardAccountSchema(Schema):
    """Whose settings they are."""

    name = fields.String(required=True)
    status = fields.String(required=True)
    crm = fields.String(required=True)
    external_id = fields.String(required=True)


class CardSettingsSchema(Schema):
    """An account's settings, and what there is to choose."""

    settings = fields.Dict(required=True)
    schema = fields.List(fields.Nested(SettingSchema), required=True)
    journeys = fields.List(fields.Nested(CardJourneySchema), required=True)
    account = fields.Nested(CardAccountSchema, required=True)
    may_change = fields.Boolean(required=True, metadata=says("Whether whoever asks may change them."))
