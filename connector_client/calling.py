"""How is one call made, and made again when it may help?

What sends carries an idempotency key that was made before the first try, so that it may be repeated without harm. Only
a call that costs money each time is made once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from connector_client.errors import UnavailableError, error_of
from connector_client.models import Problem
from connector_client.reading import read

TRIES = 4
"""In all: over about ten seconds, which outlasts a restart of the connector and the tenth of a minute a limit needs."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds; a pause the connector asks for may be as long as that
_WORTH_REPEATING = frozenset({429, 502, 503, 504})
_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 30.0  # a batch of 500 takes some seconds to be queued


class Caller:
    """Makes calls to one connector with one key. Safe to use from many threads."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """Make one.

        Args:
            base_url: where the connector is, without `/api/v1`.
            api_key: the key.
            transport: how requests travel; for tests.
            sleep: waits so many seconds.
            rng: spreads the waits of many programs.
        """
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {api_key}", "User-Agent": "connector-client"},
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            transport=transport,
        )
        self._sleep, self._rng = sleep, rng or random.Random()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        tries: int = TRIES,
    ) -> Any:
        """Make a call, up to so many times, and give its JSON answer.

        Raises:
            APIProblemError: the connector answered with a problem.
            UnavailableError: nothing trustworthy was heard.
        """
        for number in range(1, tries + 1):
            answer, failure = self._once(method, path, body, query)
            if answer is not None and answer.status_code not in _WORTH_REPEATING:
                return _result(answer)
            if number < tries:
                self._sleep(self._pause(number, answer))
        if answer is None:
            raise UnavailableError(f"no answer after {tries} tries ({type(failure).__name__})") from failure
        return _result(answer)

    def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any] | None
    ) -> tuple[httpx.Response | None, Exception | None]:
        try:
            return self._http.request(method, path, json=body, params=query), None
        except httpx.TransportError as error:
            return None, error

    def _pause(self, number: int, answer: httpx.Response | None) -> float:
        """Give how long to wait: what the connector asks for, else longer each time and never all at once."""
        asked = "" if answer is None else answer.headers.get("Retry-After", "")
        if asked.isdigit():
            return min(float(asked), _LONGEST_PAUSE)
        return self._rng.uniform(0.1, _FIRST_PAUSE * 2.0**number)


def _result(answer: httpx.Response) -> Any:
    try:
        document = answer.json()
        if answer.is_success:
            return document
        problem = read(Problem, document)
    except (ValueError, KeyError, TypeError):
        raise UnavailableError(f"HTTP {answer.status_code}, and no JSON of the connector's") from None
    if problem.status >= 500:
        raise UnavailableError(str(problem))
    raise error_of(problem)
