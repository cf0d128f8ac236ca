"""How should the next call of an operation go wrong?

A fault is armed for a named operation such as `hubspot.communications.batch_create` (wildcards allowed:
`hubspot.*`) and used up by the calls that meet it. Kinds:

- `status`: answer `status` (503 when not given) with `body` and `headers`, without doing the work.
- `timeout`: hold the connection for `seconds` without an answer, then drop it; the work is not done.
- `accept_then_timeout`: do the work, then hold for `seconds` and drop (`then="reset"`: reset at once).
- `reset`: reset the connection at once (RST); the work is not done.
- `slow`: wait `seconds`, then do the work and answer as usual.

A hold ends early when the caller hangs up or the server stops, so no thread outlives a test. The dropped
connections need an application whose exceptions reach the server (Flask's PROPAGATE_EXCEPTIONS, which the
control blueprint switches on).
"""

import fnmatch
import functools
import json
import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

KINDS = frozenset({"status", "timeout", "accept_then_timeout", "reset", "slow"})
OPTIONS = frozenset({"status", "body", "headers", "seconds", "then"})
HOLD_SECONDS = 30.0  # longer than any client time-out in the project, short enough to forget about

Work = Callable[[], ResponseReturnValue]


class ConnectionCutError(ConnectionError):
    """Raised out of the WSGI application: the server drops the connection without an answer."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: `kind` and its options."""

    operation: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long a holding fault holds."""
        return float(self.options.get("seconds", HOLD_SECONDS))

    @property
    def status(self) -> int:
        """The HTTP status a `status` fault answers."""
        return int(self.options.get("status", 503))


@dataclass
class _Armed:
    fault: Fault
    left: int | None


class Faults:
    """Thread-safe list of armed faults; the first that matches an operation is taken."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def arm(self, operation: str, kind: str, times: int | None = 1, **options: Any) -> Fault:
        """Let the next `times` calls (None: all) of `operation` meet a fault of `kind`."""
        if kind not in KINDS:
            raise ValueError(f"no fault kind {kind!r}; one of {', '.join(sorted(KINDS))}")
        if unknown := set(options) - OPTIONS:
            raise ValueError(f"no fault option {', '.join(sorted(unknown))}; one of {', '.join(sorted(OPTIONS))}")
        if times is not None and times < 1:
            raise ValueError("a fault is armed for at least one call")
        fault = Fault(operation, kind, options)
        with self._lock:
            self._armed.append(_Armed(fault, times))
        return fault

    def take(self, operation: str) -> Fault | None:
        """The fault this call meets, used up by one; None when it goes well."""
        with self._lock:
            for armed in self._armed:
                if fnmatch.fnmatchcase(operation, armed.fault.operation):
                    self._use_up(armed)
                    return armed.fault
        return None

    def _use_up(self, armed: _Armed) -> None:
        if armed.left is None:
            return
        armed.left -= 1
        if armed.left == 0:
            self._armed.remove(armed)

    def clear(self) -> None:
        """Disarm everything."""
        with self._lock:
            self._armed.clear()

    def armed(self) -> list[dict[str, Any]]:
        """What is armed, oldest first, as plain data."""
        with self._lock:
            return [
                {"operation": a.fault.operation, "kind": a.fault.kind, "left": a.left, **a.fault.options}
                for a in self._armed
            ]

    def run(
        self, operation: str, work: Work, respond: Callable[[Fault], Response] | None = None
    ) -> ResponseReturnValue:
        """Do `work` for `operation`, or what the fault armed for it says.

        Called inside a Flask request. `respond` writes the vendor's own body for a `status` fault.
        """
        fault = self.take(operation)
        if fault is None:
            return work()
        request.get_data()  # the caller has said all before anything goes wrong; see _hold
        if fault.kind == "status":
            return (respond or plain_response)(fault)
        if fault.kind == "slow":
            _hold(fault.seconds)
            return work()
        if fault.kind == "accept_then_timeout":
            work()
        if fault.kind != "reset" and fault.options.get("then") != "reset":
            _hold(fault.seconds)
            raise ConnectionCutError(f"{operation}: held without an answer")
        _reset()
        raise ConnectionCutError(f"{operation}: connection reset")

    def guard(
        self, operation: str, respond: Callable[[Fault], Response] | None = None
    ) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
        """Decorate a Flask view so that it meets the faults armed for `operation`."""

        def decorate(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
            @functools.wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
                return self.run(operation, lambda: view(*args, **kwargs), respond)

            return guarded

        return decorate


def plain_response(fault: Fault) -> Response:
    """The answer of a `status` fault: its body as it is when text, as JSON otherwise."""
    body = fault.options.get("body", {"message": "fault armed in the sandbox"})
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/plain" if isinstance(body, str) else "application/json"
    return Response(text, fault.status, headers=dict(fault.options.get("headers", {})), content_type=kind)


def _hold(seconds: float) -> None:
    """Wait, but no longer than the caller keeps its end open; without a socket nobody does.

    Readable means hung up, because the request has been read to its end.
    """
    connection = request.environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket):
        return
    poller = select.poll()
    poller.register(connection, select.POLLIN | select.POLLHUP | select.POLLERR)
    poller.poll(seconds * 1000)


def _reset() -> None:
    """Close the socket with linger 0: the kernel sends RST instead of FIN."""
    connection = request.environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
