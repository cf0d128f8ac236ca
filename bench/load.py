"""How fast does a server answer many keep-alive connections at once?

A load generator of one thread and one `select` loop over raw sockets: every connection sends its next request as soon
as the answer to the last one is there. `own_maximum` says what it reaches against a server that does nothing at all, so
that nobody takes its limit for the server's.
"""

from __future__ import annotations

import multiprocessing
import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.report import percentile
from bench.world import free_port, wait_for

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_CANNED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_STUCK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a server made of the requests: seconds for all, seconds for each."""

    seconds: float
    latencies: Sequence[float] = field(repr=False)

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def p99_ms(self) -> float:
        """Milliseconds in which 99 of 100 were answered."""
        return 1000 * percentile(self.latencies, 99)


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    sent_at: float = 0.0
    buffer: bytes = b""


def drive(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send all requests over `connections` connections; every answer must be a 2xx."""
    waiting = iter(requests)
    latencies: list[float] = []
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for _ in range(min(connections, len(requests))):
            connection = _Connection(_connect(port))
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            _send(connection, next(waiting))
        while len(latencies) < len(requests):
            ready = selector.select(_STUCK_SECONDS)
            assert ready, "the server answers no more"
            for key, _ in ready:
                _receive(key.data, waiting, latencies)
        seconds = time.perf_counter() - started
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return Load(seconds, latencies)


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _send(connection: _Connection, request: bytes) -> None:
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request)  # a kilobyte fits the socket's buffer, so this does not wait


def _receive(connection: _Connection, waiting: Iterator[bytes], latencies: list[float]) -> None:
    received = connection.socket.recv(65536)
    assert received, "the server closed a connection"
    connection.buffer += received
    head, found, rest = connection.buffer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head) if found else None
    if length is None or len(rest) < int(length[1]):
        return
    assert head[9:10] == b"2", head[:200]
    latencies.append(time.perf_counter() - connection.sent_at)
    connection.buffer = b""
    following = next(waiting, None)
    if following is not None:
        _send(connection, following)


def own_maximum(requests: Sequence[bytes], connections: int) -> float:
    """Give the requests per second that the generator itself reaches."""
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=_answer_at_once, args=(port,), daemon=True)
    server.start()
    wait_for(port)
    try:
        return drive(port, requests, connections).per_second
    finally:
        server.terminate()
        server.join()


def _answer_at_once(port: int) -> None:
    """Answer whatever arrives without reading it; requests arrive whole, one per connection at a time."""
    listening = socket.create_server(("127.0.0.1", port), backlog=128)
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listening:
                    selector.register(listening.accept()[0], selectors.EVENT_READ)
                    continue
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                if connection.recv(65536):
                    connection.sendall(_CANNED)
                else:
                    selector.unregister(connection)
                    connection.close()
