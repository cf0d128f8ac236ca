"""Which databases do the end-to-end tests run on, and how does each test get a portal of its own?"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.e2e.rig import Rig
from tests.e2e.scene import Scene


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The connector's processes over one database, shared by all end-to-end tests on it."""
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        url = f"sqlite:///{directory}/ledger.sqlite3"
    else:
        server = request.getfixturevalue("postgres_server")
        name = f"e2e_{uuid4().hex}"
        server.psql(f"CREATE DATABASE {name};")
        url = server.get_uri(database=name)
    running = Rig(url, directory)
    try:
        running.start()
        yield running
    finally:
        running.stop()
    assert running.complaints() == []


@pytest.fixture
def scene(rig: Rig) -> Scene:
    """A fresh portal in an empty ledger, at an hour at which people may be texted."""
    rig.begin_test()
    return Scene(rig)
