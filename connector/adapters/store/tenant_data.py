"""How is every row of an account found and deleted, whichever tables there come to be?

A table with an account is found by looking at the tables; one without is named here, with its parent or the reason
why nothing in it is anybody's. A test holds that there is no third kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, delete, exists, select, tuple_

from connector.adapters.secrets import Vault
from connector.adapters.store.erasures import SQLErasureRepository
from connector.adapters.store.raw_events import digit_runs, events_after, owners_of_attempts, owners_of_numbers, said_in
from connector.adapters.store.tables import (
    account,
    attempt,
    attempt_part,
    erasure,
    external_event,
    incoming_piece,
    message,
    metadata,
)
from connector.ports.erasing import ErasureScope

GOES_WITH: Mapping[str, str] = {
    "attempt_part": "attempt",  # a part names its attempt
    "incoming_piece": "message",  # a part of a reply has a number; whose it is, earlier texts say
}
"""Tables without an account whose rows go with those of another one."""

OF_NOBODY: Mapping[str, str] = {
    "route_tally": "sums over all accounts, by gateway and country",
    "gateway_health": "how a gateway fares, for all accounts",
}
"""Tables without an account in which nothing is anybody's, and why."""

KEPT: Mapping[str, str] = {
    "erasure": "the certificate of what went",
    "account": "ends the erasure: deleted by `end_account`",
}
"""Tables with an account that the batches pass over, and why."""

_INBOX = "callbacks"
"""What the walk through callbacks is called among the walks through tables."""

_CALLBACKS = external_event.c.account_id.is_(None)

_FOUND_BY: Mapping[str, int] = {
    "attempt": 1,  # callbacks name it
    "message": 2,  # callbacks and parts of replies are found by the numbers of its rows
}
"""Tables that go last, and in this order: while they are there, whatever comes late is known to be the account's."""


def tenant_tables() -> list[Table]:
    """Give the tables whose rows are deleted by their account, those that others are found by last."""
    found = [each for each in metadata.sorted_tables if "account_id" in each.c and each.name not in KEPT]
    return sorted(found, key=lambda each: _FOUND_BY.get(each.name, 0))


class SQLTenantData:
    """Every row of an account; see `connector.ports.erasing.TenantData`.

    Tables are walked in the order of their ids, which are never given twice: how far a walk has come is kept in this
    process, so that a batch need not begin at the first row of everybody. Another process begins anew.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault
        self._after: dict[tuple[str, str], str] = {}

    def erase(
        self, erasure_id: str, account_id: str, limit: int, lease_until: datetime, *, is_last: bool
    ) -> Mapping[str, int]:
        """Delete a batch of an account's rows and count them; empty when nothing is left that may go now."""
        tables = [each for each in tenant_tables() if is_last or each.name not in _FOUND_BY]
        with self._engine.begin() as connection:
            gone = self._callbacks(connection, erasure_id, account_id, limit) if is_last else {}
            for table in tables if not gone else ():
                gone = self._batch(connection, table, erasure_id, account_id, limit)
                if gone:
                    break
            SQLErasureRepository(connection).count(erasure_id, _real(gone), lease_until)
        return gone

    def look_again(self, erasure_id: str) -> None:
        """Begin every walk through the account's tables anew; of callbacks only those are looked at that came since."""
        self._after = {at: after for at, after in self._after.items() if at[0] != erasure_id or at[1] == _INBOX}

    def end_account(self, erasure_id: str, account_id: str) -> bool:
        """Delete the account's own row and count it; False, and nothing deleted, when other rows of it are there."""
        with self._engine.begin() as connection:
            if any(_has_rows(connection, table, account_id) for table in tenant_tables()):
                self.look_again(erasure_id)  # somebody wrote behind our back
                return False
            repository = SQLErasureRepository(connection)
            found = repository.get(erasure_id)
            gone = connection.execute(delete(account).where(account.c.id == account_id)).rowcount
            if gone and found is not None and found.scope is ErasureScope.ACCOUNT:
                lease = connection.execute(select(erasure.c.lease_until).where(erasure.c.id == erasure_id)).scalar_one()
                repository.count(erasure_id, {"account": gone}, lease)
        self._after = {at: after for at, after in self._after.items() if at[0] != erasure_id}
        return True

    def _callbacks(self, connection: Connection, erasure_id: str, account_id: str, limit: int) -> Mapping[str, int]:
        """Delete callbacks of gateways that tell of an attempt or a number of the account's, and of nobody else's.

        Those that nobody has handled yet go too: there is no text left that they could change. What passes is counted
        as work done even where nothing is deleted, under the name of no table.
        """
        at = (erasure_id, _INBOX)
        rows = events_after(connection, _CALLBACKS, self._after.get(at, ""), limit)
        if not rows:
            return {}
        self._after[at] = rows[-1].id
        ids = self._of_account(connection, rows, account_id)
        if ids:
            connection.execute(delete(external_event).where(external_event.c.id.in_(ids)))
        return {"external_event": len(ids), "": len(rows) - len(ids)}

    def _of_account(self, connection: Connection, rows: Sequence[Row[Any]], account_id: str) -> list[str]:
        """Pick the callbacks of an account: the attempt they name decides, else whom only it has texted."""
        texts = said_in(rows, self._vault)
        said = {row_id: {f"+{run}" for run in digit_runs(text)} for row_id, text in texts.items()}
        attempts = owners_of_attempts(connection, rows)
        texted = owners_of_numbers(connection, set[str]().union(*said.values()))
        owners = {row_id: set[str]().union(*(texted.get(each, ()) for each in said[row_id])) for row_id in said}
        for row_id, owner in attempts.items():
            owners[row_id] = {owner}
        return [row_id for row_id in said if owners[row_id] == {account_id}]

    def _batch(
        self, connection: Connection, table: Table, erasure_id: str, account_id: str, limit: int
    ) -> Mapping[str, int]:
        at = (erasure_id, table.name)
        key = table.c.id
        query = select(table).where(table.c.account_id == account_id, key > self._after.get(at, ""))
        rows = connection.execute(query.order_by(key).limit(limit)).all()
        if not rows:
            return {}
        ids = [row.id for row in rows]
        gone = {table.name: connection.execute(delete(table).where(key.in_(ids))).rowcount}
        if table is attempt:
            parts = delete(attempt_part).where(attempt_part.c.attempt_id.in_(ids))
            gone["attempt_part"] = connection.execute(parts).rowcount
        if table is message:
            gone["incoming_piece"] = _delete_pieces(connection, rows)
        self._after[at] = ids[-1]
        return gone


def _delete_pieces(connection: Connection, texts: Any) -> int:
    """Delete waiting parts of replies in conversations that no other account has, too."""
    talks = {(row.msisdn, row.sender) for row in texts if row.sender}
    theirs = tuple_(incoming_piece.c.msisdn, incoming_piece.c.sender).in_(talks)
    shared = exists().where(message.c.msisdn == incoming_piece.c.msisdn, message.c.sender == incoming_piece.c.sender)
    return connection.execute(delete(incoming_piece).where(theirs, ~shared)).rowcount


def _has_rows(connection: Connection, table: Table, account_id: str) -> bool:
    query = select(table.c.id).where(table.c.account_id == account_id).limit(1)
    return connection.execute(query).first() is not None


def _real(gone: Mapping[str, int]) -> Mapping[str, int]:
    return {name: rows for name, rows in gone.items() if name}
