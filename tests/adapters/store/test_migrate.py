"""Do the migrations make exactly the tables the code uses?"""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from connector.adapters.store.migrate import migrate, require_current
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import make_engine
from connector.errors import ConfigurationError


def test_migrations_and_tables_agree(database_url: str) -> None:
    engine = make_engine(database_url)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
    require_current(engine)
    engine.dispose()


def test_a_database_without_migrations_is_refused_with_the_command_to_run(database_url: str) -> None:
    engine = make_engine(database_url)
    with pytest.raises(ConfigurationError, match="smsctl migrate"):
        require_current(engine)
    engine.dispose()


def test_two_migrations_at_once_do_no_harm(database_url: str) -> None:
    program = (
        "import sys; from connector.adapters.store.migrate import migrate;"
        "from connector.adapters.store.unit_of_work import make_engine; migrate(make_engine(sys.argv[1]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, database_url]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    engine = make_engine(database_url)
    require_current(engine)
    engine.dispose()
