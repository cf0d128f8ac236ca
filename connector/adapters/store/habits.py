"""How is counted at which hours people answer?"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.tables import answer_count as table
from connector.domain.habits import Habits, Hour

_EVERYONE = "account"


class SQLHabitRepository:
    """Counts of answers; see `connector.ports.habits.HabitRepository`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def add(self, account_id: str, contact_id: str, country: str | None, hour: Hour) -> None:
        """Count one answer of a contact, for the contact, its country and the account."""
        make = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        statement = make(table).on_conflict_do_update(
            index_elements=[table.c.account_id, table.c.scope, table.c.weekday, table.c.hour],
            set_={"count": table.c.count + 1},
        )
        weekday, hour_of_day = hour
        # In one order by everybody, so that two answers at once wait for each other in line; and the row that everybody
        # shares last, so that it is held for the shortest time. Several answers in one transaction can still meet
        # others in a ring: the database then ends one of them, and GroupCommit commits its answers one by one.
        for scope in reversed(_scopes(contact_id, country)):
            values = {"account_id": account_id, "scope": scope, "weekday": weekday, "hour": hour_of_day, "count": 1}
            self._connection.execute(statement, {"id": new_id(), **values})

    def of(self, account_id: str, contact_id: str, country: str | None) -> Habits:
        """Read the counts of a contact, of its country and of the account."""
        scopes = _scopes(contact_id, country)
        counts: dict[str, dict[Hour, int]] = {scope: {} for scope in scopes}
        query = select(table.c.scope, table.c.weekday, table.c.hour, table.c.count)
        query = query.where(table.c.account_id == account_id, table.c.scope.in_(scopes))
        for scope, weekday, hour, count in self._connection.execute(query):
            counts[scope][weekday, hour] = count
        return _habits(counts, contact_id, country)


def _scopes(contact_id: str, country: str | None) -> list[str]:
    alike = [] if country is None else [f"country:{country}"]
    return [_EVERYONE, *alike, f"contact:{contact_id}"]


def _habits(counts: Mapping[str, Mapping[Hour, int]], contact_id: str, country: str | None) -> Habits:
    alike = {} if country is None else counts[f"country:{country}"]
    return Habits(own=counts[f"contact:{contact_id}"], alike=alike, everyone=counts[_EVERYONE])
