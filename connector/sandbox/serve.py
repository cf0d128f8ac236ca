"""How is a sandbox application served from a thread and stopped at once, hanging requests included?"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STOP_SECONDS = 5.0  # what a request may still take to end once its socket is shut


class Server:
    """A WSGI application on a threaded server of its own, by default on loopback and a free port."""

    def __init__(self, app: "WSGIApplication", host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = _ThreadedServer(host, port, app, handler=_QuietHandler)
        self._thread = threading.Thread(target=self._serve, name=f"sandbox-{self.port}", daemon=True)

    @property
    def port(self) -> int:
        """The port the server listens on."""
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        """Base URL without a trailing slash."""
        return f"http://{self._server.host}:{self.port}"

    def start(self) -> Self:
        """Serve from a thread; the port is open already, so no request is too early."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, cut open connections and wait for their threads; twice is once."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(STOP_SECONDS)
        self._server.server_close()
        self._server.cut_connections()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.01)  # stop() waits for the next look

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _ThreadedServer(ThreadedWSGIServer):
    """Knows its open connections, so that stopping need not wait for clients to hang up."""

    daemon_threads = True
    request_queue_size = 128  # bursts of a bench connect faster than threads start

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: dict[threading.Thread, socket.socket] = {}
        self._open_lock = threading.Lock()
        super().__init__(*args, **kwargs)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection in its own thread, remembered while it lasts."""
        with self._open_lock:
            self._open[threading.current_thread()] = request
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.pop(threading.current_thread(), None)

    def cut_connections(self) -> None:
        """Shut every open socket; a handler that waits on its socket wakes up."""
        with self._open_lock:
            still_open = list(self._open.items())
        for _, connection in still_open:
            with contextlib.suppress(OSError):  # closed meanwhile
                connection.shutdown(socket.SHUT_RDWR)
        for thread, _ in still_open:
            if thread is not threading.current_thread():
                thread.join(STOP_SECONDS)


class _QuietHandler(WSGIRequestHandler):
    """HTTP/1.1 with keep-alive, no request log, no Nagle delay between head and body."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: BaseWSGIServer

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: tests and the demo read outcomes, not access logs."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:  # noqa: ARG002
        """A cut connection takes no further request."""
        self.close_connection = True
