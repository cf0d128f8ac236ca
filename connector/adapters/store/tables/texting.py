"""What is kept of texts, their attempts and links, and of who may be texted?"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint, false, text

from connector.adapters.store.tables.columns import ID, KEY, NUMBER, WORD, metadata
from connector.adapters.store.types import Document, UTCDateTime

OPEN_MESSAGE = text("state IN ('held', 'queued', 'dispatching')")
"""Condition of a partial index; a query that is to use it repeats it word for word, since a bound value hides it."""

message = Table(
    "message",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("direction", String(3), nullable=False),
    Column("contact_id", ID),
    Column("enrollment_id", ID),
    Column("journey", KEY, nullable=False, server_default=""),
    Column("step", KEY, nullable=False, server_default=""),  # path of the step that made it
    Column("idempotency_key", KEY, nullable=False),
    Column("purpose", WORD, nullable=False),
    Column("recipient", WORD, nullable=False, server_default="contact"),  # contact | owner | number
    Column("msisdn", NUMBER, nullable=False),  # the person's number, whichever way the text goes
    Column("sender", NUMBER),  # our number or sender id; null until the gateway chose
    Column("gateway", WORD, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("encoding", WORD, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("state", WORD, nullable=False),
    Column("state_reason", Text, nullable=False, server_default=""),
    Column("policy", WORD, nullable=False),
    Column("send_window", WORD, nullable=False, server_default=""),  # a named window, or empty for the purpose's
    Column("caps", Document, nullable=False),  # the journey's own caps, as written
    Column("time_zones", Document, nullable=False),  # IANA zones whose windows must all be open
    Column("country", String(2)),
    Column("not_before", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime),
    Column("lease_until", UTCDateTime),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("provider_message_id", KEY),
    Column("cost", String(32)),  # Decimal as text
    Column("currency", String(3)),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    Column("sent_at", UTCDateTime),  # when a gateway took it: what caps count
    Column("replied_at", UTCDateTime),
    Column("opted_out_at", UTCDateTime),
    Column("clicked_at", UTCDateTime),
    Column("priority", Integer, nullable=False, server_default="5"),  # its journey's, 1 to 9
    Column("route", WORD, nullable=False, server_default=""),  # a named route, or empty for the purpose's
    Column("routed_at", UTCDateTime),  # when its gateway was chosen; null: it has only been given a first one
    Column("template", KEY, nullable=False, server_default=""),  # it was written from, or empty
    Column("wanted_sender", NUMBER),  # the sender its step or order names
    Column("ordered_by", KEY, nullable=False, server_default=""),  # who ordered a text that no journey made
    Column("order_fingerprint", WORD, nullable=False, server_default=""),  # of what was ordered under its key
    Column("callback_url_sealed", LargeBinary),  # where the one who ordered it wants to hear of it
    Column("restarted_at", UTCDateTime),  # when a person last had it sent again; null: nobody has
    Column("tries_before", Integer, nullable=False, server_default="0"),  # of its tries, those before that
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
    Index(
        "ix_message_dead",
        "id",
        sqlite_where=text("state = 'dead_letter'"),
        postgresql_where=text("state = 'dead_letter'"),
    ),
    Index(None, "account_id", "created_at"),
    Index(None, "account_id", "msisdn", "created_at"),
    Index(None, "msisdn", "sender"),
    Index(None, "account_id", "contact_id", "created_at"),
    Index(None, "enrollment_id"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("message_id", ID, nullable=False),
    Column("gateway", WORD, nullable=False),
    Column("sender", NUMBER),
    Column("provider_message_id", KEY),
    Column("state", WORD, nullable=False),
    Column("raw_status", KEY, nullable=False, server_default=""),
    Column("error_class", WORD, nullable=False, server_default=""),
    Column("error_code", KEY, nullable=False, server_default=""),
    Column("price", String(32)),
    Column("currency", String(3)),
    Column("segments", Integer),
    Column("requested_at", UTCDateTime, nullable=False),
    Column("answered_at", UTCDateTime),
    Column("ask_at", UTCDateTime),  # when reconciliation asks the gateway next; null when there is nothing to ask
    Column("asked", Integer, nullable=False, server_default="0"),
    Column("carrier", WORD, nullable=False, server_default=""),  # the recipient's, as far as it was known
    Column("estimate", String(32)),  # what it was expected to cost, Decimal as text, in the currency of `spending`
    Column("spent_on", String(10)),  # the day of `spending` it counts for
    Column("settled_at", UTCDateTime),  # when a receipt ended it
    Column("redact_at", UTCDateTime),  # when the gateway is next told to forget the body; null: not to be, or done
    Column("is_urgent", Boolean, nullable=False, server_default=false()),  # somebody waits for the text
    UniqueConstraint("provider_message_id", "gateway"),
    Index(None, "message_id"),
    Index(
        "ix_attempt_ask",
        "ask_at",
        sqlite_where=text("ask_at IS NOT NULL"),
        postgresql_where=text("ask_at IS NOT NULL"),
    ),
    Index(
        "ix_attempt_urgent_ask",
        "is_urgent",
        "ask_at",
        sqlite_where=text("ask_at IS NOT NULL"),
        postgresql_where=text("ask_at IS NOT NULL"),
    ),
    Index(
        "ix_attempt_redact_due",
        "redact_at",
        sqlite_where=text("redact_at IS NOT NULL"),
        postgresql_where=text("redact_at IS NOT NULL"),
    ),
)

short_link = Table(
    "short_link",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("code", WORD, nullable=False),  # the last part of the short address
    Column("name", WORD, nullable=False),  # what the template calls it
    Column("url_sealed", LargeBinary, nullable=False),
    Column("message_id", ID, nullable=False),
    Column("contact_id", ID),
    Column("enrollment_id", ID),
    Column("created_at", UTCDateTime, nullable=False),
    UniqueConstraint("code"),
    Index(None, "message_id"),
)

click = Table(
    "click",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("link_id", ID, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("is_person", Boolean, nullable=False),  # false: a program that looks at links in texts
    Index(None, "link_id", "at"),
)

consent_event = Table(
    "consent_event",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("msisdn", NUMBER, nullable=False),
    Column("contact_id", ID),
    Column("kind", WORD, nullable=False),  # opt_in | opt_out | doubtful
    Column("scope", WORD, nullable=False),  # all | marketing
    Column("mechanism", WORD, nullable=False),  # keyword | crm_property | gateway
    Column("wording_sealed", LargeBinary),
    Column("asked_sealed", LargeBinary),  # the text that asked for it
    Column("source", KEY, nullable=False),  # message:<id>, crm property, attempt:<id>
    Column("jurisdiction", String(2)),
    Column("at", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "msisdn", "kind", "scope", "source"),
    Index(None, "account_id", "msisdn", "at"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("msisdn", NUMBER, nullable=False),
    Column("scope", WORD, nullable=False),
    Column("consent_event_id", ID, nullable=False),
    Column("since", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "msisdn", "scope"),
)
