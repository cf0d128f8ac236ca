"""What is kept of the CRM: accounts, what it told us, its contacts, and what it is to show?"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint, text

from connector.adapters.store.tables.columns import ID, KEY, NUMBER, WORD, metadata
from connector.adapters.store.types import Document, UTCDateTime

account = Table(
    "account",
    metadata,
    Column("id", ID, primary_key=True),
    Column("crm", WORD, nullable=False),
    Column("external_id", KEY, nullable=False),
    Column("name", String(255), nullable=False, server_default=""),
    Column("status", WORD, nullable=False),  # domain.account_status
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
    Column("id", ID, primary_key=True),
    # Null until understood: a gateway's callback names an attempt or a number, not an account.
    Column("account_id", ID),
    Column("source", WORD, nullable=False),  # hubspot | poll | <gateway>.status | <gateway>.inbound
    Column("external_id", KEY, nullable=False),
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
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("crm", WORD, nullable=False),
    Column("crm_id", KEY, nullable=False),
    Column("msisdn", NUMBER),
    Column("msisdn_reason", Text, nullable=False, server_default=""),  # from which property, or why there is none
    Column("time_zone", WORD),
    Column("locale", WORD),
    Column("country", String(2)),
    Column("owner_id", KEY),
    Column("attributes", Document, nullable=False),
    Column("read_at", UTCDateTime, nullable=False),
    Column("deleted_at", UTCDateTime),
    UniqueConstraint("account_id", "crm", "crm_id"),
    Index(None, "account_id", "msisdn"),
)

crm_record = Table(
    "crm_record",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("crm", WORD, nullable=False),
    Column("kind", WORD, nullable=False),  # message | reply | opt_out | task | opt_out_property | find_contacts
    Column("subject", KEY, nullable=False),
    Column("ref", WORD, nullable=False),
    Column("contact_id", ID),
    Column("contact_crm_id", KEY, nullable=False, server_default=""),
    Column("payload_sealed", LargeBinary),  # what the record says, where no other row says it
    Column("crm_record_id", KEY),
    Column("wanted", Integer, nullable=False),  # counts changes to be shown
    Column("written", Integer, nullable=False, server_default="0"),  # the change the CRM shows
    Column("state", WORD, nullable=False),  # waiting | creating | written | refused
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

poll = Table(
    "poll",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("event", KEY, nullable=False),
    Column("due_at", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "event"),
    Index(None, "due_at"),
)
