"""What is kept of gateways: how they fare, what went through them, what was spent, what they know of numbers?

How a gateway fares is the same for all accounts of an installation: `route_tally` and `gateway_health` carry none.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from connector.adapters.store.tables.columns import ID, KEY, NUMBER, WORD, metadata
from connector.adapters.store.types import UTCDateTime

attempt_part = Table(
    "attempt_part",
    metadata,
    Column("id", ID, primary_key=True),
    Column("attempt_id", ID, nullable=False),
    Column("gateway", WORD, nullable=False),
    Column("provider_message_id", KEY, nullable=False),
    Column("number", Integer, nullable=False),  # 1 is the first part
    Column("state", WORD, nullable=False),
    UniqueConstraint("provider_message_id", "gateway"),
    Index(None, "attempt_id"),
)

incoming_piece = Table(
    "incoming_piece",
    metadata,
    Column("id", ID, primary_key=True),
    Column("gateway", WORD, nullable=False),
    Column("msisdn", NUMBER, nullable=False),
    Column("sender", NUMBER, nullable=False),  # our number
    Column("reference", KEY, nullable=False),
    Column("number", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("provider_message_id", KEY, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("received_at", UTCDateTime, nullable=False),
    UniqueConstraint("gateway", "msisdn", "sender", "reference", "number"),
    Index(None, "received_at"),
)

route_tally = Table(
    "route_tally",
    metadata,
    Column("id", ID, primary_key=True),
    Column("slot", UTCDateTime, nullable=False),  # the minute in which the attempts were requested
    Column("gateway", WORD, nullable=False),
    Column("country", String(2), nullable=False),
    Column("sender", NUMBER, nullable=False),
    Column("carrier", WORD, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("undelivered", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("answer_seconds", Float, nullable=False),
    Column("delivery_seconds", Float, nullable=False),
    UniqueConstraint("slot", "gateway", "country", "sender", "carrier"),
)

gateway_health = Table(
    "gateway_health",
    metadata,
    Column("gateway", WORD, primary_key=True),
    Column("state", WORD, nullable=False),  # closed | limited | open | probing
    Column("share", Float, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("since", UTCDateTime, nullable=False),
    Column("until", UTCDateTime),
    Column("openings", Integer, nullable=False, server_default="0"),
    Column("good_probes", Integer, nullable=False, server_default="0"),
    Column("usual_seconds", Float, nullable=False),
    Column("error_rate", Float, nullable=False),
    Column("weight", Float, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("day", String(10), nullable=False),  # ISO date of the account's clock
    Column("utc_day", String(10), nullable=False),  # ISO date by UTC: what budgets of gateways go by
    Column("gateway", WORD, nullable=False),
    Column("journey", KEY, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("texts", Integer, nullable=False),
    Column("micros", BigInteger, nullable=False),  # millionths of the currency: sums are exact in every database
    UniqueConstraint("account_id", "day", "utc_day", "gateway", "journey", "currency"),
    Index(None, "day"),
    Index(None, "utc_day"),
)

number_lookup = Table(
    "number_lookup",
    metadata,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, nullable=False),
    Column("msisdn", NUMBER, nullable=False),
    Column("state", WORD, nullable=False),  # wanted | known | skipped
    Column("line_type", WORD, nullable=False, server_default="unknown"),
    Column("is_reachable", Boolean),
    Column("country", String(2)),
    Column("carrier", WORD, nullable=False, server_default=""),
    Column("source", WORD, nullable=False, server_default=""),  # lookup:<gateway> | receipt:<gateway>
    Column("price", String(32)),  # Decimal as text
    Column("currency", String(3)),
    Column("known_at", UTCDateTime),
    Column("not_before", UTCDateTime, nullable=False),
    Column("lease_until", UTCDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("asked_at", UTCDateTime),  # when a lookup last answered: what a day's lookups are counted by
    UniqueConstraint("account_id", "msisdn"),
    Index(
        "ix_number_lookup_wanted",
        "not_before",
        sqlite_where=text("state = 'wanted'"),
        postgresql_where=text("state = 'wanted'"),
    ),
    Index(None, "account_id", "asked_at"),
)
