"""What is kept of journeys: their versions, who is in them, what they want done, and what happened?"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from connector.adapters.store.tables.columns import ID, KEY, WORD, metadata
from connector.adapters.store.types import Document, UTCDateTime

LIVE_ENROLLMENT = text("status = 'live'")
"""Condition of a partial index; a query that is to use it repeats it word for word, since a bound value hides it."""

journey_version = Table(
    "journey_version",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("journey", KEY, nullable=False),
    Column("version", Integer, nullable=False),
    Column("hash", WORD, nullable=False),
    Column("source", Document, nullable=False),  # {"journey": yaml text, "templates": {name: text}}
    Column("published_by", KEY, nullable=False),
    Column("published_at", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "journey", "version"),
    UniqueConstraint("account_id", "journey", "hash"),
)

publication = Table(
    "publication",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("journey", KEY, nullable=False),
    Column("journey_version_id", ID),  # null: taken out of service
    Column("action", WORD, nullable=False),  # publish | rollback | retire
    Column("published_by", KEY, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("number", Integer, nullable=False),  # counts a journey's publications from 1: no clock tells their order
    Index(None, "account_id", "journey", "number"),
)

enrollment = Table(
    "enrollment",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("contact_id", ID, nullable=False),
    Column("journey", KEY, nullable=False),
    Column("journey_version_id", ID, nullable=False),
    Column("key", KEY, nullable=False),
    Column("epoch", Integer, nullable=False),  # counts entries with the same key, from 0
    Column("subject", KEY, nullable=False),  # the trigger's record, `deal:9001`
    Column("status", WORD, nullable=False),  # live | ended
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
    Index(None, "account_id", "journey", "started_at"),
)

effect = Table(
    "effect",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("kind", WORD, nullable=False),  # notify | handoff | call | callback
    Column("key", KEY, nullable=False),  # of the action that asked for it
    Column("channel", KEY, nullable=False),  # of mappings/channels.yaml; of a callback scheme and host
    Column("enrollment_id", ID),
    Column("contact_id", ID),
    Column("path", KEY, nullable=False, server_default=""),  # of the step that asked for it
    Column("payload_sealed", LargeBinary, nullable=False),
    Column("is_awaited", Boolean, nullable=False),
    Column("state", WORD, nullable=False),  # waiting | sending | done | failed
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

timeline_entry = Table(
    "timeline_entry",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("kind", WORD, nullable=False),  # domain.timeline.EntryKind
    Column("subject", KEY, nullable=False),  # what it is about, `message:<id>`
    Column("discriminator", KEY, nullable=False),  # tells apart entries of one kind and subject
    Column("contact_id", ID),
    Column("enrollment_id", ID),
    Column("message_id", ID),
    Column("ref", KEY, nullable=False, server_default=""),  # the CRM record concerned, `invoice:7`
    Column("at", UTCDateTime, nullable=False),
    Column("summary", Text, nullable=False),
    Column("path", KEY, nullable=False, server_default=""),
    Column("file", KEY, nullable=False, server_default=""),
    Column("line", Integer, nullable=False, server_default="0"),
    Column("data", Document, nullable=False),
    UniqueConstraint("account_id", "kind", "subject", "discriminator"),
    Index(None, "account_id", "contact_id", "at"),
    Index(None, "message_id"),
    Index(None, "enrollment_id"),
)
