"""What is kept of installing and leaving: attempts, secrets of an account, how far was read, what was erased?"""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text, UniqueConstraint

from connector.adapters.store.tables.columns import ID, KEY, WORD, metadata
from connector.adapters.store.types import Document, UTCDateTime

install_attempt = Table(
    "install_attempt",
    metadata,
    Column("id", ID, primary_key=True),
    Column("crm", WORD, nullable=False),
    Column("state_hash", String(64), nullable=False),  # SHA-256, hex: the state itself is in the browser's cookie only
    Column("verifier_sealed", LargeBinary, nullable=False),  # of PKCE
    Column("account_id", ID),  # the one to reconnect; null for a new one
    Column("details", Document, nullable=False),  # where to go on: the login host, the page to come back to
    Column("created_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("used_at", UTCDateTime),
    UniqueConstraint("state_hash"),
    Index(None, "expires_at"),
)

account_secret = Table(
    "account_secret",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("name", KEY, nullable=False),  # what it opens: salesforce.intake, generic.<source>
    Column("hash", String(64), nullable=False),  # SHA-256, hex: finds the account of a secret that stands in a path
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("retires_at", UTCDateTime),  # null for the one in use
    UniqueConstraint("hash"),
    Index(None, "account_id", "name"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("name", KEY, nullable=False),  # what is read on from here: backfill:contacts, journal, pubsub:<topic>
    Column("value", Text, nullable=False),  # a time, an offset or a replay id, as its reader writes it
    Column("updated_at", UTCDateTime, nullable=False),
    UniqueConstraint("account_id", "name"),
)

# Outlives the account: it says what went, never whose texts or numbers they were.
erasure = Table(
    "erasure",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("crm", WORD, nullable=False),
    Column("external_id", KEY, nullable=False),
    Column("scope", WORD, nullable=False),  # account | contact
    Column("subject", KEY, nullable=False, server_default=""),  # a fingerprint of the contact's CRM id
    Column("reason", Text, nullable=False, server_default=""),
    Column("requested_by", KEY, nullable=False),
    Column("requested_at", UTCDateTime, nullable=False),
    Column("lease_until", UTCDateTime),
    Column("counts", Document, nullable=False),  # rows that went, by table
    Column("completed_at", UTCDateTime),
    Column("seal", String(64), nullable=False, server_default=""),  # HMAC of the certificate, hex
    Index(None, "account_id"),
)
