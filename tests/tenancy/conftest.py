"""In which ledgers do the two tenants live?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.ports.ledger import Ledger
from tests.tenancy.filling import fill
from tests.tenancy.keeping import Ledgerful


def a_sqlite_ledger(folder: Path) -> SQLLedger:
    ledger = SQLLedger(make_engine(f"sqlite:///{folder}/ledger.sqlite3"), Vault(["k" * 32]), lambda _lane: None)
    metadata.create_all(ledger.engine)
    return ledger


@pytest.fixture
def sql_ledger(tmp_path: Path) -> Iterator[SQLLedger]:
    ledger = a_sqlite_ledger(tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture(params=["sqlite", "memory"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """Both kinds of ledger: what holds in one holds in the other."""
    return MemoryLedger() if request.param == "memory" else request.getfixturevalue("sql_ledger")


@pytest.fixture
def kept(ledger: Ledger) -> Ledgerful:
    """What every account of both tenants owns in the ledger."""
    return fill(ledger)
