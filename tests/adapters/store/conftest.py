"""Which ledgers do the contract tests run on? All of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.ports.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return _database_url(request, tmp_path)


@pytest.fixture
def nudged() -> list[str]:
    """Lanes nudged so far."""
    return []


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, nudged: list[str]) -> Iterator[Ledger]:
    """Every ledger there is: what a test of it finds is a promise of the ports."""
    if request.param == "memory":
        yield MemoryLedger(nudged.append)
    else:
        yield from _sql_ledger(_database_url(request, tmp_path), nudged)


@pytest.fixture
def sql_ledger(database_url: str, nudged: list[str]) -> Iterator[SQLLedger]:
    """A ledger in a database, for what is about databases: locks, query plans, encryption at rest, threads."""
    yield from _sql_ledger(database_url, nudged)


def _database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


def _sql_ledger(database_url: str, nudged: list[str]) -> Iterator[SQLLedger]:
    ledger = SQLLedger(make_engine(database_url), Vault(["k" * 32]), nudged.append)
    metadata.create_all(ledger.engine)
    yield ledger
    ledger.close()
