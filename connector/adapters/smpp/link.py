"""How do octets get to an SMPP gateway and back, and which of them certainly never left?

One thread owns the socket and turns; any thread may put parcels. A socket under TLS must not be read and written by two
threads at once, and a single writer knows for every parcel whether a single octet of it was handed over.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections import deque

_AT_ONCE = 65_536  # octets per read: some hundred answers

_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class LinkLostError(Exception):
    """The connection is gone, or could not be made; `word` says how, such as `connect_error`."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Parcel:
    """Octets to be written as one.

    Attributes:
        begun_at: when the first of it may have left, by the monotonic clock, or None.
    """

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.begun_at: float | None = None
        self._is_cancelled = False
        self._lock = threading.Lock()

    @property
    def is_begun(self) -> bool:
        """Whether some of it may have left."""
        return self.begun_at is not None

    def cancel(self) -> bool:
        """Keep it from being written; tell whether that was still possible."""
        with self._lock:
            self._is_cancelled = not self.is_begun
            return self._is_cancelled

    def write(self, sock: socket.socket, offset: int) -> int:
        """Write what the socket takes of it from `offset` on; give the new offset.

        Raises:
            OSError: as the socket says, also when it would block.
        """
        with self._lock:
            if self._is_cancelled:
                return len(self.octets)
            try:
                taken = sock.send(memoryview(self.octets)[offset:])
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self._begin()  # TLS may have sent a part of its record, and goes on with it next time
                raise
            if taken > 0:
                self._begin()
            return offset + taken

    def _begin(self) -> None:
        if self.begun_at is None:
            self.begun_at = time.monotonic()


class Link:
    """One connection. `put` and `wake` are for any thread, all else for the one that owns it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.setblocking(False)
        self._outgoing: deque[Parcel] = deque()
        self._offset = 0
        self._failure: LinkLostError | None = None
        self._bell, self._knob = socket.socketpair()
        self._bell.setblocking(False)
        self._knob.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sock, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)

    @classmethod
    def open(cls, host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> Link:
        """Connect.

        Raises:
            LinkLostError: `connect_timeout` or `connect_error`, which a failed TLS handshake is too.
        """
        sock = None
        try:
            sock = socket.create_connection((host, port), timeout=seconds)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # messages are small and each is waited for
            if tls is not None:
                sock = tls.wrap_socket(sock, server_hostname=host)
            return cls(sock)
        except OSError as exc:
            if sock is not None:
                sock.close()
            raise LinkLostError("connect_timeout" if isinstance(exc, TimeoutError) else "connect_error") from exc

    def put(self, parcel: Parcel) -> None:
        """Have a parcel written, in the order of the calls."""
        self._outgoing.append(parcel)
        self.wake()

    def wake(self) -> None:
        """End the wait of the thread that turns."""
        with contextlib.suppress(OSError):  # the bell is full, so it rings; or all is closed
            self._knob.send(b"!")

    def turn(self, seconds: float) -> bytes:
        """Wait until something can be done, at most so long; write and read it; give what was read, often nothing.

        Raises:
            LinkLostError: the connection is gone and everything that had arrived was given.
        """
        if self._failure is not None:
            raise self._failure
        self._wait(seconds)
        octets = self._read()
        try:
            self._write()
        except OSError as exc:
            self._failure = LinkLostError("write_error")
            if not octets:
                raise self._failure from exc
        return octets

    def close(self) -> None:
        """Close it; what was not written is never written."""
        self._selector.close()
        for each in (self._sock, self._bell, self._knob):
            each.close()

    def _wait(self, seconds: float) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
        self._selector.modify(self._sock, wanted)
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            seconds = 0.0
        self._selector.select(max(seconds, 0.0))
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(_AT_ONCE)

    def _read(self) -> bytes:
        try:
            octets = self._sock.recv(_AT_ONCE)
        except _WOULD_BLOCK:
            return b""
        except OSError as exc:
            raise LinkLostError("read_error") from exc
        if not octets:
            raise LinkLostError("closed")
        return octets

    def _write(self) -> None:
        while self._outgoing:
            parcel = self._outgoing[0]
            try:
                self._offset = parcel.write(self._sock, self._offset)
            except _WOULD_BLOCK:
                return
            if self._offset < len(parcel.octets):
                return
            self._outgoing.popleft()
            self._offset = 0
