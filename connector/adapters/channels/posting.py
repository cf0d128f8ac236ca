"""How does a channel speak HTTP to an address that an admin wrote: guarded, bounded in time and size, and never twice?

One connection per request, to the address that the guard has looked at, with the host's own name in TLS and `Host`.
Redirects are not followed: they lead to addresses nobody wrote.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from connector.adapters.http import quieten, retry_after
from connector.adapters.outbound_guard import OutboundGuard
from connector.errors import (
    ChannelAmbiguousError,
    ChannelError,
    ChannelRefusedError,
    ChannelUnavailableError,
)

CONNECT_SECONDS = 3.0  # a host that takes longer to shake hands is overloaded or not there
READ_SECONDS = 10.0  # of silence; what takes longer than that belongs into a queue on the other side
WHOLE_SECONDS = 15.0  # from the first packet to the last byte of the answer, however slowly they drip
MOST_BYTES = 64 * 1024  # an answer becomes a variable of a journey: a page of JSON, no export

_NEVER_LEFT: tuple[tuple[type[Exception], str], ...] = (
    (httpcore.ConnectTimeout, "it took too long to connect"),
    (httpcore.ConnectError, "no connection: refused, unreachable, or its certificate is not trusted"),
    (httpcore.UnsupportedProtocol, "its URL is of a kind nobody can call"),
    (httpcore.LocalProtocolError, "the request could not be written"),
)
_MAY_HAVE_LEFT: tuple[tuple[type[Exception], str], ...] = (
    (httpcore.TimeoutException, "no answer in time"),
    (httpcore.NetworkError, "the connection broke before the answer came"),
    (httpcore.ProtocolError, "the answer was no HTTP"),
)
_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)
_USUAL_HEADERS = (("User-Agent", "sms-connector"), ("Accept", "application/json"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case. The body is empty when it was larger than 64 kB."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Poster:
    """Makes requests to addresses that admins wrote. Safe to use from many threads.

    Args of the constructor:
        guard: says which addresses may be called.
        tls: how certificates are judged; as browsers do when not given.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        guard: OutboundGuard,
        *,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        quieten()
        self._guard, self._monotonic = guard, monotonic
        self._tls = tls or httpx.create_ssl_context()

    def check(self, url: str) -> None:
        """Refuse a URL that may never be called, as far as that shows without asking anybody."""
        self._guard.check_url(url)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post once; see `request`."""
        return self.request("POST", url, headers, body)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Make exactly one request and read its answer, whatever the status.

        Raises:
            ChannelRefusedError: the address may not be called.
            ChannelUnavailableError: the request never left.
            ChannelAmbiguousError: it left and no trustworthy answer came.
        """
        self._guard.check_url(url)
        deadline = self._monotonic() + WHOLE_SECONDS
        backend = _GuardedBackend(self._guard, deadline, self._monotonic, is_encrypted=urlsplit(url).scheme == "https")
        limits = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": CONNECT_SECONDS}
        sent = [*_USUAL_HEADERS, *headers.items()]
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend, retries=0) as pool,
                pool.stream(method, url, headers=sent, content=body, extensions={"timeout": limits}) as answer,
            ):
                return _read(answer)
        except _FAILURES as exc:
            raise _meaning(exc) from None  # what the library says may quote the URL


def raise_for(answer: Answer, *, is_repeatable: bool, detail: str = "") -> None:
    """Raise what the status of an answer means; a success passes.

    429 and 503 say that nothing was done. A 408 or another 5xx may come from a proxy that had passed the request on
    already, which only matters where doing it twice does. A redirect is refused: it is no address anybody wrote.

    Args:
        answer: the answer.
        is_repeatable: whether the channel knows a repeated delivery by its id.
        detail: the other side's own word for it, without anything of ours in it.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    message = f"it answered HTTP {status}" + (f" ({detail})" if detail else "")
    if 300 <= status < 400:
        raise ChannelRefusedError(f"{message}: redirects are not followed", status=status)
    wait = retry_after(answer.headers)
    if status in {429, 503} or (is_repeatable and (status == 408 or status >= 500)):
        raise ChannelUnavailableError(message, status=status, retry_after=wait)
    if status == 408 or status >= 500:
        raise ChannelAmbiguousError(message, status=status, retry_after=wait)
    raise ChannelRefusedError(message, status=status)


def _read(answer: httpcore.Response) -> Answer:
    """Read an answer; of one that is too large the status still says what was done."""
    pieces, size = list[bytes](), 0
    for piece in answer.iter_stream():
        size += len(piece)
        if size > MOST_BYTES:
            pieces = []
            break
        pieces.append(piece)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
    return Answer(answer.status, headers, b"".join(pieces))


def _meaning(exc: Exception) -> ChannelError:
    for kind, words in _NEVER_LEFT:
        if isinstance(exc, kind):
            return ChannelUnavailableError(f"the request never left: {words}")
    words = next(words for kind, words in _MAY_HAVE_LEFT if isinstance(exc, kind))
    return ChannelAmbiguousError(f"it may have arrived: {words}")


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects to the addresses the guard gives for a name, and to nothing else."""

    def __init__(
        self, guard: OutboundGuard, deadline: float, monotonic: Callable[[], float], *, is_encrypted: bool
    ) -> None:
        self._guard, self._deadline, self._monotonic = guard, deadline, monotonic
        self._is_encrypted = is_encrypted
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the host's addresses one after the other, within one time-out for all."""
        addresses = self._guard.addresses(host, port, is_encrypted=self._is_encrypted)
        ends = min(self._monotonic() + (timeout or CONNECT_SECONDS), self._deadline)
        failure: Exception = httpcore.ConnectTimeout()
        for address in addresses:
            left = ends - self._monotonic()
            if left <= 0:
                break
            try:
                stream = self._sockets.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
                continue
            return _TimedStream(stream, self._deadline, self._monotonic)
        raise failure


class _TimedStream(httpcore.NetworkStream):
    """A connection on which nothing outlives the deadline of its request, however slowly bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float, monotonic: Callable[[], float]) -> None:
        self._stream, self._deadline, self._monotonic = stream, deadline, monotonic

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything."""
        self._stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands under the host's own name."""
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline, self._monotonic)

    def get_extra_info(self, info: str) -> Any:
        """Tell about the connection."""
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise error
        return left if timeout is None else min(timeout, left)
