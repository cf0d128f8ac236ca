"""How is kept how far was read elsewhere?"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_or_replace
from connector.adapters.store.tables import cursor as table


class SQLCursorRepository:
    """Places to read on from; see `connector.ports.cursors.CursorRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, account_id: str, name: str) -> str | None:
        """Give where to read on."""
        query = select(table.c.value).where(table.c.account_id == account_id, table.c.name == name)
        return self._connection.execute(query).scalar_one_or_none()

    def set(self, account_id: str, name: str, value: str, now: datetime) -> None:
        """Say where to read on."""
        row = {"id": new_id(), "account_id": account_id, "name": name, "value": value, "updated_at": now}
        insert_or_replace(self._connection, table, [row], ("account_id", "name"))
