"""Does every account of the tests own a row of every table, so that no table can be forgotten?"""

from __future__ import annotations

from sqlalchemy import select

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.ledger import Ledger
from tests.tenancy.filling import fill
from tests.tenancy.keeping import Ledgerful
from tests.tenancy.owners import ALDER, BIRCH, OWNERS
from tests.tenancy.telling import belongings, is_of, leaked, shelves

OF_NOBODY = {
    "attempt_part": "a part names its attempt, which has the account",
    "incoming_piece": "part of a reply to a number of ours: whose it is, the whole reply tells",
    "route_tally": "sums over everybody, by gateway and country",
    "gateway_health": "how a gateway fares, for everybody",
    "account": "is the account",
}
"""Tables that name no account, and why."""


def test_a_table_names_its_account_or_is_known_to_need_none() -> None:
    without = {table.name for table in metadata.sorted_tables if "account_id" not in table.c}
    assert without == set(OF_NOBODY)


def test_every_account_owns_a_row_of_every_table(sql_ledger: SQLLedger) -> None:
    fill(sql_ledger)
    missing = []
    with sql_ledger.engine.connect() as connection:
        for table in metadata.sorted_tables:
            if "account_id" not in table.c:
                continue
            query = select(table.c.account_id).distinct()
            owning = set(connection.execute(query).scalars())
            missing += [f"{table.name} of {each.account_id}" for each in OWNERS if each.account_id not in owning]
    assert not missing, f"tests/tenancy/filling.py puts no row into {', '.join(missing)}"


def test_no_tenant_knows_another(sql_ledger: SQLLedger) -> None:
    """A leak is found by a tenant's words; so they stand nowhere in what the other one owns."""
    fill(sql_ledger)
    with sql_ledger.engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = [row._mapping for row in connection.execute(select(table))]
            for tenant, other in ((ALDER, BIRCH), (BIRCH, ALDER)):
                theirs = [row for row in rows if is_of(tenant, table, row)]
                assert not leaked(other, theirs), table.name


def test_belongings_change_with_any_row(ledger: Ledger, kept: Ledgerful) -> None:
    before = belongings(ledger, BIRCH)
    assert before
    assert before == belongings(ledger, BIRCH)
    with ledger.begin() as uow:
        uow.cursors.set(
            BIRCH.hubspot.account_id, "new", "1", kept[OWNERS[0].account_id, "own"].rows["contacts"].read_at
        )
        uow.commit()
    assert belongings(ledger, BIRCH) != before
    assert belongings(ledger, ALDER)


def test_memory_keeps_every_kind_of_row_where_the_tests_look() -> None:
    ledger = MemoryLedger()
    fill(ledger)
    empty = [shelf for shelf in shelves(ledger) if not shelf.rows]
    assert len(empty) == len({"pieces of replies", "tallies of gateways", "health of gateways"})
