"""Which gateway do the measured programs send to?

`python -m bench.gateway PORT DELAY_SECONDS`: takes Twilio's send request and answers 201 with Twilio's message resource
after a fixed time. One asyncio loop without a framework, so that it never is the bottleneck. `GET /arrivals` gives
(seconds on the system's monotonic clock, recipient) of every text so far.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import sys
import time
from urllib.parse import parse_qs

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_MESSAGE = {
    "status": "queued", "to": "+12025550143", "from": "+12025550100", "num_segments": "1", "direction": "outbound-api",
    "price": None, "price_unit": "USD", "error_code": None, "error_message": None, "api_version": "2010-04-01",
    "date_created": "Fri, 20 Nov 2026 12:00:00 +0000", "date_sent": None,
}  # fmt: skip


class Gateway:
    """What came in so far, and how long an answer takes."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self._arrivals: list[tuple[float, bytes]] = []
        self._numbers = itertools.count()
        self._rest = json.dumps(_MESSAGE)[1:].encode()

    def take(self, body: bytes) -> bytes:
        """Note a text and give the answer."""
        self._arrivals.append((time.monotonic(), body))
        answer = b'{"sid": "SM%032x", ' % next(self._numbers) + self._rest
        return _HEAD % (b"201 Created", len(answer)) + answer

    def show(self) -> bytes:
        """Give the arrivals."""
        found = [(at, parse_qs(body.decode()).get("To", [""])[0]) for at, body in self._arrivals]
        answer = json.dumps(found).encode()
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
            self._transport.write(self._gateway.show())
        else:
            answer = self._gateway.take(rest[:size])
            asyncio.get_running_loop().call_later(self._gateway.delay, self._transport.write, answer)


async def serve(port: int, delay: float) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    gateway = Gateway(delay)
    server = await loop.create_server(lambda: _Connection(gateway), "127.0.0.1", port, backlog=512)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
