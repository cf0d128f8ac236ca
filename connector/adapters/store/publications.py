"""How is kept which version of a journey takes people in?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, select, tuple_

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import publication as table
from connector.ports.enrollments import PublicationAction, PublicationRow

# Built once: it is run for every event, and building it costs more than running it.
_STAMP = select(func.count(), func.max(table.c.id)).where(table.c.account_id == bindparam("account_id"))


class SQLPublicationRepository:
    """Publications; see `connector.ports.enrollments.PublicationRepository`.

    Each is numbered within its journey, since ids and times come from each machine's own clock. Two that are made at
    the very same moment may get the same number; then the later id holds, for everybody.
    """

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(self, publication: PublicationRow) -> None:
        """Append one."""
        self._connection.execute(
            insert(table).values(
                id=publication.id,
                account_id=publication.account_id,
                journey=publication.journey,
                journey_version_id=publication.journey_version_id,
                action=publication.action.value,
                published_by=publication.published_by,
                at=publication.at,
                number=self._last(publication) + 1,
            )
        )

    def _last(self, publication: PublicationRow) -> int:
        ours = (table.c.account_id == publication.account_id, table.c.journey == publication.journey)
        return self._connection.execute(select(func.max(table.c.number)).where(*ours)).scalar() or 0

    def stamp(self, account_id: str) -> str:
        """Give how many publications there are, and the latest id: clocks of two machines may disagree about that."""
        count, newest = self._connection.execute(_STAMP, {"account_id": account_id}).one()
        return f"{count}:{newest}" if count else ""

    def current(self, account_id: str) -> Mapping[str, PublicationRow]:
        """Give the latest publication of every journey of an account, by journey."""
        later = table.alias()
        of_same = (later.c.account_id == table.c.account_id, later.c.journey == table.c.journey)
        is_later = tuple_(later.c.number, later.c.id) > tuple_(table.c.number, table.c.id)
        query = select(table).where(table.c.account_id == account_id, ~exists().where(*of_same, is_later))
        return {row.journey: _row(row) for row in self._connection.execute(query.order_by(table.c.journey))}

    def history(self, account_id: str, journey: str) -> Sequence[PublicationRow]:
        """Give every publication of a journey, oldest first."""
        query = select(table).where(table.c.account_id == account_id, table.c.journey == journey)
        return [_row(row) for row in self._connection.execute(query.order_by(table.c.number, table.c.id))]


def _row(row: Row[Any]) -> PublicationRow:
    return PublicationRow(
        id=row.id,
        account_id=row.account_id,
        journey=row.journey,
        journey_version_id=row.journey_version_id,
        action=PublicationAction(row.action),
        published_by=row.published_by,
        at=row.at,
    )
