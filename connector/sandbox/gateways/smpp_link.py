"""Who listens for links to the pretend SMSC, and what goes wrong with the submits that come over them?"""

import abc
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

KINDS = frozenset({"pass", "unbind", "drop_before", "drop_after", "silent", "hold", "refuse", "garble", "nack"})

_HEADER = struct.Struct(">IIII")
_ENDS_WITHIN = 10.0  # seconds a thread may take to see that its link is cut


@dataclass
class Connection:
    """One link to a client; any thread may send."""

    sock: socket.socket
    is_bound: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        """Send one message; nothing happens when the link is gone."""
        self.say(_HEADER.pack(16 + len(body), command, status, sequence) + body)

    def say(self, octets: bytes) -> None:
        """Send octets as they are."""
        with self.lock, contextlib.suppress(OSError):
            self.sock.sendall(octets)

    def frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Give what arrives, each as command, status, sequence number and body, until the link ends."""
        with self.sock.makefile("rb") as stream:
            while len(header := stream.read(16)) == 16:
                length, command, status, sequence = _HEADER.unpack(header)
                yield command, status, sequence, stream.read(length - 16)

    def cut(self) -> None:
        """Break it."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Listener(abc.ABC):
    """Listens on the loopback interface and gives every message that arrives to `handle`.

    Attributes:
        changed: notified when something has happened.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.connections: list[Connection] = []
        self.port = 0
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None

    @abc.abstractmethod
    def handle(self, connection: Connection, command: int, status: int, sequence: int, body: bytes) -> None:
        """Do what a message asks for."""

    def start(self) -> Self:
        """Listen on the port it had before, or any."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self.begin(self._accept, self._listener)
        return self

    def stop(self) -> None:
        """Break every link and listen no more; may be started again."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()
        for thread in self._threads:
            thread.join(_ENDS_WITHIN)
        self._threads = []

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def address(self) -> str:
        """Where it listens, as settings write it."""
        return f"127.0.0.1:{self.port}"

    def wait_for(self, happened: Callable[[], bool], seconds: float = 10.0) -> bool:
        """Wait until something has happened here; tell whether it has."""
        with self.changed:
            return self.changed.wait_for(happened, seconds)

    def cut(self) -> None:
        """Break every link."""
        with self.changed:
            connections, self.connections = self.connections, []
        for connection in connections:
            connection.cut()

    def begin(self, work: Callable[..., object], *arguments: object) -> None:
        """Do something on a thread of its own."""
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                self.begin(self._meet, sock)

    def _meet(self, sock: socket.socket) -> None:
        try:
            connection = Connection(self._tls.wrap_socket(sock, server_side=True) if self._tls else sock)
        except OSError:  # it does not trust us, or speaks no TLS
            sock.close()
            return
        with self.changed:
            self.connections.append(connection)
        if self._listener is None:  # stopped meanwhile
            connection.cut()
        self._serve(connection)

    def _serve(self, connection: Connection) -> None:
        with contextlib.suppress(OSError, ValueError):
            for command, status, sequence, body in connection.frames():
                self.handle(connection, command, status, sequence, body)
        with self.changed:
            connection.is_bound = False
            self.connections = [each for each in self.connections if each is not connection]
            self.changed.notify_all()
        connection.cut()


@dataclass
class Fault:
    """What goes wrong with the next submits, `left` of them."""

    kind: str
    left: int
    status: int


NO_FAULT = Fault("", 0, 0)


class SubmitFaults:
    """What is armed. Thread-safe."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, kind: str, times: int, status: int) -> None:
        """Let the next submits meet a fault."""
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; one of {', '.join(sorted(KINDS))}")
        with self._lock:
            self._armed.append(Fault(kind, times, status))

    def take(self) -> Fault:
        """Give what this submit meets."""
        with self._lock:
            if not self._armed:
                return NO_FAULT
            fault = self._armed[0]
            fault.left -= 1
            if not fault.left:
                self._armed.pop(0)
            return fault
