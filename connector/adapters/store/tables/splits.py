"""What is kept to compare arms, and to choose the hour at which people answer?"""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, UniqueConstraint

from connector.adapters.store.tables.columns import ID, KEY, metadata
from connector.adapters.store.types import Document, UTCDateTime

split_assignment = Table(
    "split_assignment",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("journey", KEY, nullable=False),
    Column("step", KEY, nullable=False),  # id of the split step
    Column("contact_id", ID, nullable=False),
    Column("enrollment_id", ID, nullable=False),  # the one in which the contact got its arm
    Column("arm", KEY, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    # A contact's arms are read at every decision, an arm's contacts now and then.
    UniqueConstraint("account_id", "journey", "contact_id", "step"),
)

split_winner = Table(
    "split_winner",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("journey", KEY, nullable=False),
    Column("step", KEY, nullable=False),
    Column("arm", KEY, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("evidence", Document, nullable=False),  # the counts and intervals that decided
    UniqueConstraint("account_id", "journey", "step"),
)

answer_count = Table(
    "answer_count",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("scope", KEY, nullable=False),  # contact:<id> | country:<ISO 3166> | account
    Column("weekday", Integer, nullable=False),  # Monday is 0
    Column("hour", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    UniqueConstraint("account_id", "scope", "weekday", "hour"),
)
