"""How do we speak HTTP to a vendor: with which time-outs, over which connections, and what does each failure mean?"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from connector.domain.message import ErrorClass
from connector.errors import AmbiguousSendError, SendError, TransientSendError

TIMEOUT = httpx.Timeout(
    connect=3.05,  # a lost SYN is sent again after 3 s (RFC 6298 doubling from 1 s); this allows for it
    read=15.0,  # gateways answer within a second; what takes longer is better asked for than waited for
    write=10.0,  # a form of some kilobytes; only a dead link takes longer
    pool=5.0,  # never waited for, since a client is lent to one caller at a time
)
_KEEP_ALIVE_SECONDS = 15.0  # shorter than servers keep idle connections, so that they rarely close one under a request
_LIMITS = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEP_ALIVE_SECONDS)
_LONGEST_WAIT_SECONDS = 86_400  # asked for in Retry-After: a day; a larger number is a mistake of the sender
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_NEVER_LEFT: tuple[tuple[type[Exception], str, ErrorClass], ...] = (
    (httpx.ConnectTimeout, "connect_timeout", ErrorClass.TRANSIENT),
    (httpx.PoolTimeout, "pool_timeout", ErrorClass.TRANSIENT),
    (httpx.ConnectError, "connect_error", ErrorClass.TRANSIENT),  # refused, unknown host, failed TLS handshake
    (httpx.ProxyError, "proxy_error", ErrorClass.CONFIG),  # our own proxy would not connect us
    (httpx.UnsupportedProtocol, "unsupported_protocol", ErrorClass.CONFIG),  # the URL in our settings is wrong
)
_MAY_HAVE_LEFT: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ReadTimeout, "read_timeout"),
    (httpx.WriteTimeout, "write_timeout"),
    (httpx.ReadError, "read_error"),
    (httpx.WriteError, "write_error"),  # a server may answer, and act, before it has read everything
    (httpx.RemoteProtocolError, "remote_protocol_error"),  # closed without an answer, or half of one
    (httpx.DecodingError, "decoding_error"),  # an answer came, but nobody can read it
    (httpx.HTTPError, "http_error"),  # whatever else: the careful reading
)


class HTTPClients:
    """Clients for one vendor, each lent to one caller at a time. Safe to use from many threads.

    One client per request under way, not one for all: an `httpx` client shared by 100 threads spends six times the
    CPU on its connection pool. Lending rather than keeping one per thread also means that connections outlive
    short-lived threads. The client that came back last is lent first, so that few connections stay warm.

    Args of the constructor:
        url: what the clients are for; decides whether the environment's proxies apply (never to loopback).
        headers: sent with every request, such as `Authorization`.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        quieten()
        host = httpx.URL(url)
        self._trust_env = host.host not in _LOOPBACK
        self._tls = httpx.create_ssl_context()  # made once: a client of its own costs 18 ms of CPU, even for http
        self._headers = dict(headers or {})
        self._idle: deque[httpx.Client] = deque()

    @contextlib.contextmanager
    def lend(self) -> Iterator[httpx.Client]:
        """Lend a client for one request or several in a row."""
        try:
            client = self._idle.pop()
        except IndexError:
            client = self._open()
        try:
            yield client
        finally:
            self._idle.append(client)

    def close(self) -> None:
        """Close every client that is not lent; may be called again."""
        while self._idle:
            self._idle.pop().close()

    def _open(self) -> httpx.Client:
        return httpx.Client(
            headers=self._headers,
            timeout=TIMEOUT,
            limits=_LIMITS,
            verify=self._tls,
            trust_env=self._trust_env,
            follow_redirects=False,  # a redirected POST would become a GET, or be sent twice
        )


def quieten() -> None:
    """Keep the HTTP libraries from logging URLs and headers, whatever level the program logs at."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextlib.contextmanager
def translate() -> Iterator[None]:
    """Turn the HTTP library's errors into ours: did the request certainly never leave, or may it have arrived?

    Raises:
        TransientSendError: it never left.
        AmbiguousSendError: it may have.
    """
    try:
        yield
    except (httpx.InvalidURL, httpx.LocalProtocolError) as exc:  # they quote what they refuse, keys among it
        word = "invalid_url" if isinstance(exc, httpx.InvalidURL) else "local_protocol_error"
        raise TransientSendError(f"the request never left: {word}", code=word, error_class=ErrorClass.CONFIG) from None
    except httpx.HTTPError as exc:
        raise _meaning(exc) from exc


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """Read `Retry-After`, seconds or a date (RFC 9110 §10.2.3); None when absent or unreadable."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return timedelta(seconds=min(int(text), _LONGEST_WAIT_SECONDS))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(aware - (now or datetime.now(UTC)), timedelta())


def _meaning(exc: httpx.HTTPError) -> SendError:
    for kind, word, error_class in _NEVER_LEFT:
        if isinstance(exc, kind):
            return TransientSendError(f"the request never left: {word}", code=word, error_class=error_class)
    word = next(word for kind, word in _MAY_HAVE_LEFT if isinstance(exc, kind))
    return AmbiguousSendError(f"no trustworthy answer: {word}", code=word, error_class=ErrorClass.UNKNOWN)
