"""What is kept of the calls by which a CRM's workflows order texts, and wait for what becomes of them?"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from connector.adapters.store.tables.columns import ID, KEY, WORD, metadata
from connector.adapters.store.types import UTCDateTime

workflow_call = Table(
    "workflow_call",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("callback_id", KEY, nullable=False),  # the CRM's name for the call; the same for every try of it
    Column("workflow", KEY, nullable=False, server_default=""),
    Column("object_type", WORD, nullable=False),
    Column("object_id", KEY, nullable=False),
    Column("inputs_sealed", LargeBinary, nullable=False),  # what to send to whom, as the admin filled it in
    Column("waits_for", WORD, nullable=False),  # nothing | delivered | reply
    Column("state", WORD, nullable=False),  # ordered | waiting | completing | done
    Column("message_id", ID),
    Column("result", WORD, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("reply_id", ID),  # the reply that ended the wait; its words are in its own row
    Column("received_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),  # when the workflow goes on by itself
    Column("not_before", UTCDateTime, nullable=False),
    Column("lease_until", UTCDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("completed_at", UTCDateTime),
    UniqueConstraint("account_id", "callback_id"),
    Index(None, "message_id"),
    Index(
        "ix_workflow_call_open",
        "not_before",
        sqlite_where=text("state <> 'done'"),
        postgresql_where=text("state <> 'done'"),
    ),
)
