"""Which gateway do the measured programs send to?

`python -m bench.gateway PORT DELAY_SECONDS`: takes the send requests of the vendors of `bench.vendors` and answers each
with its vendor's answer after a fixed time. One asyncio loop without a framework, so that it never is the bottleneck.
`GET /arrivals` gives (seconds on the system's monotonic clock, recipient) of every text so far, `GET /counts` the
clock's time and how many texts each vendor has got.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import sys
import time
from collections import Counter

from bench.vendors import VENDORS, recipient, vendor_of

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Gateway:
    """What came in so far, and how long an answer takes."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self._arrivals: list[tuple[float, bytes]] = []
        self._counts: Counter[str] = Counter(dict.fromkeys(VENDORS, 0))
        self._numbers = itertools.count()

    def take(self, head: bytes, body: bytes) -> bytes:
        """Note a text and give the answer."""
        vendor = vendor_of(head)
        self._arrivals.append((time.monotonic(), body))
        self._counts[vendor.slug] += 1
        answer = vendor.answer % next(self._numbers)
        return _HEAD % (vendor.status, len(answer)) + answer

    def show(self, head: bytes) -> bytes:
        """Give the counts or the arrivals."""
        counts = {"at": time.monotonic(), "counts": self._counts}
        is_counts = head.startswith(b"GET /counts")
        answer = json.dumps(counts if is_counts else [(at, recipient(body)) for at, body in self._arrivals]).encode()
        return _HEAD % (b"200 OK", len(answer)) + answer


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, one request at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        self._buffer = rest[size:]
        if head.startswith(b"GET"):
            self._transport.write(self._gateway.show(head))
        else:
            answer = self._gateway.take(head, rest[:size])
            asyncio.get_running_loop().call_later(self._gateway.delay, self._transport.write, answer)


async def serve(port: int, delay: float) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    gateway = Gateway(delay)
    server = await loop.create_server(lambda: _Connection(gateway), "127.0.0.1", port, backlog=1024)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
