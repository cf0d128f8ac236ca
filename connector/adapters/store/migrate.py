"""How does a database come to have the ledger's present tables?"""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from connector.errors import ConfigurationError

_LOCK_KEY = 7_215_501  # any constant will do: the PostgreSQL advisory lock that lets one migration run at a time


def migrate(engine: Engine) -> str:
    """Bring the database to the newest revision and give its name; harmless to repeat or to run twice at once."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
        command.upgrade(_config(connection), "head")
    return _head()


def require_current(engine: Engine) -> None:
    """Refuse to work on a database that lacks a migration.

    Raises:
        ConfigurationError: says which command to run.
    """
    with engine.connect().execution_options(writes=False) as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present != _head():
        raise ConfigurationError(
            f"DATABASE_URL: the database is at revision {present or 'none'}, this program needs {_head()}; "
            "run: smsctl migrate"
        )


def _head() -> str:
    return ScriptDirectory.from_config(_config(None)).get_current_head() or ""


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("connector.adapters.store.migrations")))
    config.attributes["connection"] = connection
    return config
