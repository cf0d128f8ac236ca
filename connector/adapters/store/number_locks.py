"""How do an opt-out and a claim of the same number keep out of each other's way?

On PostgreSQL two transactions that have not committed do not see each other: a claim could miss an opt-out, or two
claims each other's texts. Whoever decides about a number therefore holds an advisory lock on it until commit. SQLite
has one writer at a time and needs none.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

# Taken in one order by everybody, so that two batches with the same numbers queue up instead of locking each other out.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(key) FROM ("
    "SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest(CAST(:names AS text[])) AS name ORDER BY key"
    ") AS keys"
)


def lock_numbers(connection: Connection, account_id: str, msisdns: Sequence[str]) -> None:
    """Hold an account's numbers until commit."""
    if msisdns and connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"names": [f"{account_id}:{msisdn}" for msisdn in msisdns]})
