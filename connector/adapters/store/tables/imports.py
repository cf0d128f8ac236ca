"""What is kept of imports of contacts and consent from files?"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from connector.adapters.store.tables.columns import ID, KEY, WORD, metadata
from connector.adapters.store.types import Document, UTCDateTime

import_run = Table(
    "import_run",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("file_name", KEY, nullable=False),
    Column("file_hash", String(64), nullable=False),  # SHA-256, hex: a run goes on with the same file only
    Column("columns", Document, nullable=False),  # ours: the file's
    Column("options", Document, nullable=False),  # purpose, wording, source, region
    Column("state", WORD, nullable=False),  # running | done
    Column("next_row", Integer, nullable=False),  # the first that was not worked
    Column("counts", Document, nullable=False),  # rows by what became of them
    Column("started_by", KEY, nullable=False),
    Column("started_at", UTCDateTime, nullable=False),
    Column("finished_at", UTCDateTime),
    UniqueConstraint("account_id", "file_hash", "id"),
)

import_trouble = Table(
    "import_trouble",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("run_id", ID, nullable=False),
    Column("row_number", Integer, nullable=False),  # as a spreadsheet counts: the heading is row 1
    Column("column", KEY, nullable=False),
    Column("why", Text, nullable=False),  # never the value itself
    UniqueConstraint("run_id", "row_number", "column"),
    Index(None, "account_id"),
)
