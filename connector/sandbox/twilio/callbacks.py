"""How does a webhook of the gateway reach its receiver, and what happens when it does not?

A callback is tried again once when the connection fails; the URL's fragment may ask for other numbers:
`#rc=3` tries three times more, `#rp=all` also after time-outs and HTTP errors (twilio.com/docs/usage/webhooks,
"connection overrides"). An answer must come within 15 seconds.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, urldefrag, urlsplit
from uuid import uuid4

import httpx

from connector.sandbox.twilio.signing import SIGNATURE_HEADER, sign

TIMEOUT_SECONDS = 15.0  # the vendor's limit for any webhook
KEPT_RESULTS = 10_000  # enough for a bench run; older results fall out


@dataclass(frozen=True)
class Callback:
    """One webhook on its way. `idempotency_token` stays the same when it is tried again."""

    kind: str
    url: str
    form: Mapping[str, str]
    idempotency_token: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True)
class CallbackResult:
    """One try: the HTTP `status`, or None and the `error` when no answer came."""

    callback: Callback
    at: datetime
    status: int | None
    error: str = ""
    body: str = ""
    content_type: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and self.status < 300


Post = Callable[[str, Mapping[str, str], Mapping[str, str]], httpx.Response]


class Poster:
    """Posts forms over HTTP, with one connection pool per thread."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._clients: list[httpx.Client] = []

    def __call__(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> httpx.Response:
        """One POST; transport errors are httpx's."""
        return self._client().post(url, data=dict(form), headers=dict(headers))

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
    """Signs callbacks, sends them and keeps what came of it."""

    def __init__(self, auth_token: str, post: Post) -> None:
        self._auth_token = auth_token
        self._post = post
        self.results: deque[CallbackResult] = deque(maxlen=KEPT_RESULTS)

    def send(self, callback: Callback, at: datetime) -> CallbackResult:
        """One try, recorded."""
        headers = {
            SIGNATURE_HEADER: sign(self._auth_token, callback.url, callback.form),
            "I-Twilio-Idempotency-Token": callback.idempotency_token,
            "User-Agent": "TwilioProxy/1.1",
        }
        try:
            answer = self._post(urldefrag(callback.url).url, callback.form, headers)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            result = CallbackResult(callback, at, None, type(error).__name__)
        else:
            kind = answer.headers.get("content-type", "")
            result = CallbackResult(callback, at, answer.status_code, "", answer.text, kind)
        self.results.append(result)
        return result


def may_retry(result: CallbackResult, tries: int) -> bool:
    """Whether a callback that failed `tries` times is sent again."""
    wishes = parse_qs(urlsplit(result.callback.url).fragment)
    count = int(wishes.get("rc", ["1"])[0])
    policy = wishes.get("rp", ["ct"])[0].split(",")
    return not result.is_ok and tries <= count and ("all" in policy or _reason(result) in policy)


def _reason(result: CallbackResult) -> str:
    if result.status is not None:
        return f"{result.status // 100}xx"
    return "rt" if result.error == "ReadTimeout" else "ct"
