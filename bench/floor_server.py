"""What would the same server do with one durable insert and nothing else?

`python -m bench.floor_server PORT DATABASE each|together`: `smsctl web`'s own gunicorn with its settings, over an
application that inserts the body of a request into one table with the bare `sqlite3` module: no framework, signature,
JSON, encryption or de-duplication. Either each request commits its own insert, or, as in the connector, one thread
commits together what has queued up meanwhile.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from connector.entrypoints.cli.processes import _Server
from connector.settings import read_settings

TOGETHER = {"each": 1, "together": 200}
"""Most inserts in one commit; the second as in the connector."""

_Wish = tuple[bytes, threading.Event]


class Writer:
    """Inserts bodies durably."""

    def __init__(self, database: str, together: int) -> None:
        self._together = together
        self._wishes: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(database,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop writing."""
        self._wishes.put(None)
        self._thread.join()

    def insert(self, body: bytes) -> None:
        """Return when `body` is on disk."""
        done = threading.Event()
        self._wishes.put((body, done))
        done.wait()

    def _run(self, database: str) -> None:
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
            self._write(connection)

    def _write(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        while first := self._wishes.get():
            group = [first]
            while len(group) < self._together and not self._wishes.empty() and (wish := self._wishes.get()):
                group.append(wish)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO event (body) VALUES (?)", [(body,) for body, _ in group])
            connection.execute("COMMIT")
            for _, done in group:
                done.set()


def application(writer: Writer) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Make the WSGI application."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        writer.insert(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
        return [b"{}"]

    return answer


class _Floor(_Server):
    def load(self) -> Any:
        return application(Writer(sys.argv[2], TOGETHER[sys.argv[3]]))


if __name__ == "__main__":
    _Floor(read_settings(), f"127.0.0.1:{sys.argv[1]}").run()
