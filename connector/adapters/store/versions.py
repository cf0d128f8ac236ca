"""How are versions of journeys kept?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_or_ignore
from connector.adapters.store.tables import journey_version as table
from connector.ports.enrollments import JourneyVersionRow

_TRIES = 5  # two publishers may reach for the same number; each lost race means that the other one moved on


class SQLJourneyVersionRepository:
    """Versions of journeys; see `connector.ports.enrollments.JourneyVersionRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def ensure(
        self,
        account_id: str,
        journey: str,
        hash_: str,
        source: Mapping[str, Any],
        published_by: str,
        now: datetime,
    ) -> JourneyVersionRow:
        """Give the version with this hash, made now with the next number if it is new."""
        for _ in range(_TRIES):
            found = self._with_hash(account_id, journey, hash_)
            if found is not None:
                return found
            row = {
                "id": new_id(),
                "account_id": account_id,
                "journey": journey,
                "version": self._next_number(account_id, journey),
                "hash": hash_,
                "source": dict(source),
                "published_by": published_by,
                "published_at": now,
            }
            self._connection.execute(insert_or_ignore(self._connection, table).values(row))
        raise RuntimeError(f"no free version number for journey {journey} after {_TRIES} tries")

    def get(self, account_id: str, version_id: str) -> JourneyVersionRow | None:
        """Read one."""
        query = select(table).where(table.c.account_id == account_id, table.c.id == version_id)
        found = self._connection.execute(query).first()
        return None if found is None else _row(found)

    def of_journey(self, account_id: str, journey: str) -> Sequence[JourneyVersionRow]:
        """Read every version of a journey, oldest first."""
        query = select(table).where(table.c.account_id == account_id, table.c.journey == journey)
        return [_row(found) for found in self._connection.execute(query.order_by(table.c.version))]

    def _with_hash(self, account_id: str, journey: str, hash_: str) -> JourneyVersionRow | None:
        query = select(table).where(table.c.account_id == account_id, table.c.journey == journey, table.c.hash == hash_)
        found = self._connection.execute(query).first()
        return None if found is None else _row(found)

    def _next_number(self, account_id: str, journey: str) -> int:
        query = select(func.max(table.c.version)).where(table.c.account_id == account_id, table.c.journey == journey)
        return (self._connection.execute(query).scalar() or 0) + 1


def _row(found: Row[Any]) -> JourneyVersionRow:
    return JourneyVersionRow(**found._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
