"""What is kept of who may call the API, and of what callbacks to customers are signed with?"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from connector.adapters.store.tables.columns import ID, KEY, WORD, metadata
from connector.adapters.store.types import Document, UTCDateTime

api_key = Table(
    "api_key",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("name", KEY, nullable=False),
    Column("prefix", WORD, nullable=False),  # the beginning of the key, for people; opens nothing
    # SHA-256 of the key, hex. A slow hash such as argon2 protects secrets that people make up, which can be guessed;
    # 256 random bits cannot, and a slow hash at every call would let strangers keep our processors busy.
    Column("hash", String(64), nullable=False),
    Column("scopes", Document, nullable=False),  # ports.api_keys.APIScope
    Column("per_minute", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("last_used_at", UTCDateTime),
    Column("expires_at", UTCDateTime),
    Column("revoked_at", UTCDateTime),
    UniqueConstraint("hash"),
    Index(None, "account_id"),
)

callback_secret = Table(
    "callback_secret",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("retires_at", UTCDateTime),  # null for the one in use
    Index(None, "account_id"),
)
