"""Which tables does the ledger have?

Ids are UUIDv7 text made by us; every row carries its account. Columns ending in `_sealed` hold ciphertext of
`adapters.secrets`, bound to account and column. `lease_until` marks a row some worker is at; a lease that ran out
belongs to nobody.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from connector.adapters.store.types import Document, UTCDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = String(36)
_WORD = String(64)
_NUMBER = String(20)  # E.164 is at most 15 digits and a plus; short codes are shorter
_KEY = String(255)

account = Table(
    "account",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("crm", _WORD, nullable=False),
    Column("external_id", _KEY, nullable=False),
    Column("name", String(255), nullable=False, server_default=""),
    Column("status", _WORD, nullable=False),  # active | disconnected
    Column("status_reason", Text, nullable=False, server_default=""),
    Column("access_token_sealed", LargeBinary),
    Column("refresh_token_sealed", LargeBinary),
    Column("token_expires_at", UTCDateTime),
    Column("settings", Document, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    UniqueConstraint("crm", "external_id"),
)

external_event = Table(
    "external_event",
    metadata,
    Column("id", _ID, primary_key=True),
    # Null until understood: a gateway's callback names an attempt or a number, not an account.
    Column("account_id", _ID),
    Column("source", _WORD, nullable=False),  # hubspot | poll | <gateway>.status | <gateway>.inbound
    Column("external_id", _KEY, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("context", Document, nullable=False),  # kept headers, the public URL, ids from the path
    Column("received_at", UTCDateTime, nullable=False),
    Column("not_before", UTCDateTime, nullable=False),
    Column("lease_until", UTCDateTime),
    Column("handled_at", UTCDateTime),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    # The account is part of `external_id` where the vendor's event names one.
    UniqueConstraint("source", "external_id"),
    Index(
        "ix_external_event_waiting",
        "source",
        "not_before",
        sqlite_where=text("handled_at IS NULL"),
        postgresql_where=text("handled_at IS NULL"),
    ),
)

contact = Table(
    "contact",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("crm", _WORD, nullable=False),
    Column("crm_id", _KEY, nullable=False),
    Column("msisdn", _NUMBER),
    Column("msisdn_reason", Text, nullable=False, server_default=""),  # from which property, or why there is none
    Column("time_zone", _WORD),
    Column("locale", _WORD),
    Column("country", String(2)),
    Column("owner_id", _KEY),
    Column("attributes", Document, nullable=False),
    Column("read_at", UTCDateTime, nullable=False),
    Column("deleted_at", UTCDateTime),
    UniqueConstraint("account_id", "crm", "crm_id"),
    Index(None, "account_id", "msisdn"),
)

journey_version = Table(
    "journey_version",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("journey", _KEY, nullable=False),
    Column("version", Integer, nullable=False),
    Column("hash", _WORD, nullable=False),
    Column("source", Document, nullable=False),  # {"journey": yaml text, "templates": {name: text}}
    Column("published_by", _KEY, nullable=False),
    Column("published_at", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "journey", "version"),
    UniqueConstraint("account_id", "journey", "hash"),
)

publication = Table(
    "publication",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("journey", _KEY, nullable=False),
    Column("journey_version_id", _ID),  # null: taken out of service
    Column("action", _WORD, nullable=False),  # publish | rollback | retire
    Column("published_by", _KEY, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Index(None, "account_id", "journey", "id"),
)

# Conditions of partial indexes; a query that is to use one repeats it word for word, since a bound value hides it.
LIVE_ENROLLMENT = text("status = 'live'")
OPEN_MESSAGE = text("state IN ('held', 'queued', 'dispatching')")

enrollment = Table(
    "enrollment",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("contact_id", _ID, nullable=False),
    Column("journey", _KEY, nullable=False),
    Column("journey_version_id", _ID, nullable=False),
    Column("key", _KEY, nullable=False),
    Column("epoch", Integer, nullable=False),  # counts entries with the same key, from 0
    Column("subject", _KEY, nullable=False),  # the trigger's record, `deal:9001`
    Column("status", _WORD, nullable=False),  # live | ended
    Column("state", Document, nullable=False),  # domain.enrollment.RunState and the names it sees
    Column("waits_for", Text, nullable=False, server_default=""),
    Column("due_at", UTCDateTime),
    Column("lease_until", UTCDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("started_at", UTCDateTime, nullable=False),
    Column("ended_at", UTCDateTime),
    Column("exit_reason", Text, nullable=False, server_default=""),
    UniqueConstraint("account_id", "journey", "contact_id", "key", "epoch"),
    Index(
        "ix_enrollment_due",
        "due_at",
        sqlite_where=LIVE_ENROLLMENT,
        postgresql_where=LIVE_ENROLLMENT,
    ),
    Index(None, "account_id", "contact_id", "status"),
    Index(None, "account_id", "subject", "status"),
    Index(None, "account_id", "journey", "status"),
)

message = Table(
    "message",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("direction", String(3), nullable=False),
    Column("contact_id", _ID),
    Column("enrollment_id", _ID),
    Column("journey", _KEY, nullable=False, server_default=""),
    Column("step", _KEY, nullable=False, server_default=""),  # path of the step that made it
    Column("idempotency_key", _KEY, nullable=False),
    Column("purpose", _WORD, nullable=False),
    Column("recipient", _WORD, nullable=False, server_default="contact"),  # contact | owner | number
    Column("msisdn", _NUMBER, nullable=False),  # the person's number, whichever way the text goes
    Column("sender", _NUMBER),  # our number or sender id; null until the gateway chose
    Column("gateway", _WORD, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("encoding", _WORD, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("state", _WORD, nullable=False),
    Column("state_reason", Text, nullable=False, server_default=""),
    Column("policy", _WORD, nullable=False),
    Column("send_window", _WORD, nullable=False, server_default=""),  # a named window, or empty for the purpose's
    Column("caps", Document, nullable=False),  # the journey's own caps, as written
    Column("time_zones", Document, nullable=False),  # IANA zones whose windows must all be open
    Column("country", String(2)),
    Column("not_before", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime),
    Column("lease_until", UTCDateTime),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("provider_message_id", _KEY),
    Column("cost", String(32)),  # Decimal as text
    Column("currency", String(3)),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Column("sent_at", UTCDateTime),  # when a gateway took it: what caps count
    Column("replied_at", UTCDateTime),
    Column("opted_out_at", UTCDateTime),
    Column("clicked_at", UTCDateTime),
    Column("priority", Integer, nullable=False, server_default="5"),  # its journey's, 1 to 9
    Column("route", _WORD, nullable=False, server_default=""),  # a named route, or empty for the purpose's
    UniqueConstraint("account_id", "idempotency_key"),
    Index(
        "ix_message_open",
        "state",
        "gateway",
        "purpose",
        "not_before",
        sqlite_where=OPEN_MESSAGE,
        postgresql_where=OPEN_MESSAGE,
    ),
    Index(None, "account_id", "msisdn", "created_at"),
    Index(None, "msisdn", "sender"),
    Index(None, "account_id", "contact_id", "created_at"),
    Index(None, "enrollment_id"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("message_id", _ID, nullable=False),
    Column("gateway", _WORD, nullable=False),
    Column("sender", _NUMBER),
    Column("provider_message_id", _KEY),
    Column("state", _WORD, nullable=False),
    Column("raw_status", _KEY, nullable=False, server_default=""),
    Column("error_class", _WORD, nullable=False, server_default=""),
    Column("error_code", _KEY, nullable=False, server_default=""),
    Column("price", String(32)),
    Column("currency", String(3)),
    Column("segments", Integer),
    Column("requested_at", UTCDateTime, nullable=False),
    Column("answered_at", UTCDateTime),
    Column("ask_at", UTCDateTime),  # when reconciliation asks the gateway next; null when there is nothing to ask
    Column("asked", Integer, nullable=False, server_default="0"),
    UniqueConstraint("provider_message_id", "gateway"),
    Index(None, "message_id"),
    Index(
        "ix_attempt_ask",
        "ask_at",
        sqlite_where=text("ask_at IS NOT NULL"),
        postgresql_where=text("ask_at IS NOT NULL"),
    ),
)

timeline_entry = Table(
    "timeline_entry",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("kind", _WORD, nullable=False),  # domain.timeline.EntryKind
    Column("subject", _KEY, nullable=False),  # what it is about, `message:<id>`
    Column("discriminator", _KEY, nullable=False),  # tells apart entries of one kind and subject
    Column("contact_id", _ID),
    Column("enrollment_id", _ID),
    Column("message_id", _ID),
    Column("ref", _KEY, nullable=False, server_default=""),  # the CRM record concerned, `invoice:7`
    Column("at", UTCDateTime, nullable=False),
    Column("summary", Text, nullable=False),
    Column("path", _KEY, nullable=False, server_default=""),
    Column("file", _KEY, nullable=False, server_default=""),
    Column("line", Integer, nullable=False, server_default="0"),
    Column("data", Document, nullable=False),
    UniqueConstraint("account_id", "kind", "subject", "discriminator"),
    Index(None, "account_id", "contact_id", "at"),
    Index(None, "message_id"),
    Index(None, "enrollment_id"),
)

crm_record = Table(
    "crm_record",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("crm", _WORD, nullable=False),
    Column("kind", _WORD, nullable=False),  # message | reply | opt_out | task | opt_out_property | find_contacts
    Column("subject", _KEY, nullable=False),
    Column("ref", _WORD, nullable=False),
    Column("contact_id", _ID),
    Column("contact_crm_id", _KEY, nullable=False, server_default=""),
    Column("payload_sealed", LargeBinary),  # what the record says, where no other row says it
    Column("crm_record_id", _KEY),
    Column("wanted", Integer, nullable=False),  # counts changes to be shown
    Column("written", Integer, nullable=False, server_default="0"),  # the change the CRM shows
    Column("state", _WORD, nullable=False),  # waiting | creating | written | refused
    Column("at", UTCDateTime, nullable=False),
    Column("create_sent_at", UTCDateTime),  # a create may be under way: look before creating again
    Column("not_before", UTCDateTime, nullable=False),
    Column("lease_until", UTCDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("written_back_at", UTCDateTime),
    UniqueConstraint("account_id", "kind", "subject"),
    Index(
        "ix_crm_record_waiting",
        "crm",
        "not_before",
        sqlite_where=text("state IN ('waiting', 'creating')"),
        postgresql_where=text("state IN ('waiting', 'creating')"),
    ),
    Index(None, "account_id", "contact_id"),
)

consent_event = Table(
    "consent_event",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("msisdn", _NUMBER, nullable=False),
    Column("contact_id", _ID),
    Column("kind", _WORD, nullable=False),  # opt_in | opt_out | doubtful
    Column("scope", _WORD, nullable=False),  # all | marketing
    Column("mechanism", _WORD, nullable=False),  # keyword | crm_property | gateway
    Column("wording_sealed", LargeBinary),
    Column("source", _KEY, nullable=False),  # message:<id>, crm property, attempt:<id>
    Column("jurisdiction", String(2)),
    Column("at", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "msisdn", "kind", "scope", "source"),
    Index(None, "account_id", "msisdn", "at"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("msisdn", _NUMBER, nullable=False),
    Column("scope", _WORD, nullable=False),
    Column("consent_event_id", _ID, nullable=False),
    Column("since", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "msisdn", "scope"),
)

poll = Table(
    "poll",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("event", _KEY, nullable=False),
    Column("due_at", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "event"),
    Index(None, "due_at"),
)

effect = Table(
    "effect",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("kind", _WORD, nullable=False),  # notify | handoff | call
    Column("key", _KEY, nullable=False),  # of the action that asked for it
    Column("channel", _KEY, nullable=False),  # of mappings/channels.yaml
    Column("enrollment_id", _ID),
    Column("contact_id", _ID),
    Column("path", _KEY, nullable=False, server_default=""),  # of the step that asked for it
    Column("payload_sealed", LargeBinary, nullable=False),
    Column("is_awaited", Boolean, nullable=False),
    Column("state", _WORD, nullable=False),  # waiting | sending | done | failed
    Column("error", Text, nullable=False, server_default=""),
    Column("answer_sealed", LargeBinary),
    Column("not_before", UTCDateTime, nullable=False),
    Column("lease_until", UTCDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("ended_at", UTCDateTime),
    UniqueConstraint("account_id", "key"),
    Index(
        "ix_effect_open",
        "not_before",
        sqlite_where=text("state IN ('waiting', 'sending')"),
        postgresql_where=text("state IN ('waiting', 'sending')"),
    ),
    Index(None, "account_id", "state", "ended_at"),
)

short_link = Table(
    "short_link",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("code", _WORD, nullable=False),  # the last part of the short address
    Column("name", _WORD, nullable=False),  # what the template calls it
    Column("url_sealed", LargeBinary, nullable=False),
    Column("message_id", _ID, nullable=False),
    Column("contact_id", _ID),
    Column("enrollment_id", _ID),
    Column("created_at", UTCDateTime, nullable=False),
    UniqueConstraint("code"),
    Index(None, "message_id"),
)

click = Table(
    "click",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("link_id", _ID, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("is_person", Boolean, nullable=False),  # false: a program that looks at links in texts
    Index(None, "link_id", "at"),
)

split_assignment = Table(
    "split_assignment",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("journey", _KEY, nullable=False),
    Column("step", _KEY, nullable=False),  # id of the split step
    Column("contact_id", _ID, nullable=False),
    Column("enrollment_id", _ID, nullable=False),  # the one in which the contact got its arm
    Column("arm", _KEY, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    # A contact's arms are read at every decision, an arm's contacts now and then.
    UniqueConstraint("account_id", "journey", "contact_id", "step"),
)

split_winner = Table(
    "split_winner",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("journey", _KEY, nullable=False),
    Column("step", _KEY, nullable=False),
    Column("arm", _KEY, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("evidence", Document, nullable=False),  # the counts and intervals that decided
    UniqueConstraint("account_id", "journey", "step"),
)

answer_count = Table(
    "answer_count",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, nullable=False),
    Column("scope", _KEY, nullable=False),  # contact:<id> | country:<ISO 3166> | account
    Column("weekday", Integer, nullable=False),  # Monday is 0
    Column("hour", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    UniqueConstraint("account_id", "scope", "weekday", "hour"),
)
