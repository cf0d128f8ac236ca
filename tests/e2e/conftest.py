"""Which databases do the end-to-end tests run on, and how does each test get a portal of its own?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from tests.e2e.rig import Rig
from tests.e2e.salesforce_rig import OrgScene, SalesforceRig
from tests.e2e.scene import Scene
from tests.e2e.several_gateways import SeveralGateways
from tests.e2e.smpp_rig import SMPPRig

SQLITE, POSTGRESQL = "sqlite", "postgresql"

_R = TypeVar("_R", bound=Rig)


@pytest.fixture(scope="session", params=[SQLITE, POSTGRESQL])
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The connector's processes over one database, shared by all end-to-end tests on it."""
    directory = tmp_path_factory.mktemp(request.param)
    with _running(Rig(_database(request, directory), directory)) as running:
        yield running


@pytest.fixture(scope="session", params=[SQLITE, POSTGRESQL])
def several(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeveralGateways]:
    """The same with three gateways; tests name the databases they need."""
    directory = tmp_path_factory.mktemp(request.param)
    with _running(SeveralGateways(_database(request, directory), directory)) as running:
        yield running


@pytest.fixture(scope="session", params=[SQLITE, POSTGRESQL])
def salesforce(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SalesforceRig]:
    """The same with a pretend Salesforce."""
    directory = tmp_path_factory.mktemp(request.param)
    with _running(SalesforceRig(_database(request, directory), directory)) as running:
        yield running


@pytest.fixture(scope="module")
def smpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SMPPRig]:
    """The same with an SMPP gateway and the process that holds its binds, on SQLite."""
    directory = tmp_path_factory.mktemp("smpp")
    with _running(SMPPRig(f"sqlite:///{directory}/ledger.sqlite3", directory)) as running:
        yield running


def _database(request: pytest.FixtureRequest, directory: Path) -> str:
    if request.param == SQLITE:
        return f"sqlite:///{directory}/ledger.sqlite3"
    server = request.getfixturevalue("postgres_server")
    name = f"e2e_{uuid4().hex}"
    server.psql(f"CREATE DATABASE {name};")
    return str(server.get_uri(database=name))


@contextmanager
def _running(rig: _R) -> Iterator[_R]:
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()
    assert rig.complaints() == []


@pytest.fixture
def scene(rig: Rig) -> Scene:
    """A fresh portal in an empty ledger, at an hour at which people may be texted."""
    rig.begin_test()
    return Scene(rig)


@pytest.fixture
def org(salesforce: SalesforceRig) -> OrgScene:
    """A fresh organisation in the same way."""
    salesforce.begin_test()
    return OrgScene(salesforce)
