"""Which ledger do the store's contract tests run on? Both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def nudged() -> list[str]:
    """Lanes nudged so far."""
    return []


@pytest.fixture
def ledger(database_url: str, nudged: list[str]) -> Iterator[SQLLedger]:
    ledger = SQLLedger(make_engine(database_url), Vault(["k" * 32]), nudged.append)
    metadata.create_all(ledger.engine)
    yield ledger
    ledger.close()
