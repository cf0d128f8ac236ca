"""How does a gateway's callback reach its receiver, and what came of it?"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urldefrag
from uuid import uuid4

import httpx

from connector.sandbox.gateways.skin import Call

TIMEOUT_SECONDS = 15.0  # about what the vendors grant a receiver: 5 to 15 s, the longest of them
KEPT_RESULTS = 10_000  # enough for a bench run; older results fall out


@dataclass(frozen=True)
class Callback:
    """One callback on its way, not signed yet.

    Attributes:
        kind: `status` or `inbound`.
        message_id: what it is about.
        signing: `signed`, `unsigned` or `forged`.
        token: this callback's own, the same when it is tried again.
    """

    kind: str
    message_id: str
    call: Call
    signing: str = "signed"
    token: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True)
class CallbackResult:
    """One try: the `call` as it went out, the HTTP `status`, or None and the `error` when no answer came."""

    callback: Callback
    call: Call
    at: datetime
    status: int | None
    error: str = ""
    body: str = ""
    content_type: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and self.status < 300


Post = Callable[[Call], httpx.Response]


class Poster:
    """Makes calls over HTTP, with one connection pool per thread."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._clients: list[httpx.Client] = []

    def __call__(self, call: Call) -> httpx.Response:
        """One request; transport errors are httpx's."""
        return self._client().request(
            call.method, urldefrag(call.url).url, content=call.body or None, headers=dict(call.headers)
        )

    def close(self) -> None:
        """Close every connection."""
        while self._clients:
            self._clients.pop().close()

    def _client(self) -> httpx.Client:
        if not hasattr(self._local, "client") or self._local.client.is_closed:
            self._local.client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)
            self._clients.append(self._local.client)
        client: httpx.Client = self._local.client
        return client


class Courier:
    """Sends callbacks and keeps what came of them."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self.results: deque[CallbackResult] = deque(maxlen=KEPT_RESULTS)

    def send(self, callback: Callback, call: Call, at: datetime) -> CallbackResult:
        """One try with `call`, the callback as it is signed this time; recorded."""
        try:
            answer = self._post(call)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            result = CallbackResult(callback, call, at, None, type(error).__name__)
        else:
            kind = answer.headers.get("content-type", "")
            result = CallbackResult(callback, call, at, answer.status_code, "", answer.text, kind)
        self.results.append(result)
        return result
