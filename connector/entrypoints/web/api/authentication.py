"""Whose call is it, may this key make it, and has it calls left this minute?"""

from __future__ import annotations

import math
from typing import cast

import structlog
from flask import g, request

from connector.entrypoints.web.api.problems import ProblemError
from connector.entrypoints.web.requests import connector
from connector.errors import QueueUnavailableError
from connector.ports.api_keys import APIKeyRow, APIScope

log = structlog.get_logger(__name__)

_BURST_SHARE = 6
"""A rested key may make a sixth of its calls a minute at once, ten seconds' worth; over any minute it then makes at
most a sixth more than its limit says."""

_LONGEST_NAME = 40  # characters of a key's name in a reason, as of a person's
_PATIENCE_SECONDS = 0.2  # a call does not wait for the note that its key is in use
_CHALLENGE = 'Bearer realm="sms-connector"'


def admit(scope: APIScope, *, fails_closed: bool) -> None:
    """Let a call in, or end it with a problem.

    Args:
        scope: what the key must be allowed.
        fails_closed: whether the call is refused while nobody can count it. What costs money is: a loop gone wrong
            would be dear. What reads or stops something goes on.

    Raises:
        ProblemError: no valid key, a key without the scope, too many calls, or Redis is away.
    """
    key = _key()
    if scope not in key.scopes:
        challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'
        raise ProblemError("forbidden", f"the key needs the scope {scope}", {"WWW-Authenticate": challenge})
    _count(key, fails_closed=fails_closed)
    g.api_key = key
    _note(key)


def caller() -> APIKeyRow:
    """Give the key of the call that was admitted."""
    return cast("APIKeyRow", g.api_key)


def caller_name() -> str:
    """Name who calls, for reasons and traces: the key, as the list of keys shows it."""
    key = caller()
    return f"the API key {key.name[:_LONGEST_NAME]} ({key.prefix}…)"


def _key() -> APIKeyRow:
    given = request.authorization
    secret = given.token if given is not None and given.type == "bearer" else None
    if not secret:
        raise ProblemError("unauthorized", "send Authorization: Bearer <key>", {"WWW-Authenticate": _CHALLENGE})
    key = connector().api_keys.valid(secret)
    if key is None:
        challenge = f'{_CHALLENGE}, error="invalid_token"'
        raise ProblemError("unauthorized", "unknown, revoked or expired", {"WWW-Authenticate": challenge})
    return key


def _count(key: APIKeyRow, *, fails_closed: bool) -> None:
    burst = max(1, key.per_minute // _BURST_SHARE)
    try:
        granted = connector().rate_limiter.take(f"api:{key.id}", rate=key.per_minute / 60, burst=burst)
    except QueueUnavailableError:
        if fails_closed:
            raise
        log.warning("api.not_counted", key_id=key.id)
        return
    if not granted:
        wait = str(math.ceil(60 / key.per_minute))
        detail = f"this key may make {key.per_minute} calls a minute"
        raise ProblemError("rate-limited", detail, {"Retry-After": wait})


def _note(key: APIKeyRow) -> None:
    """Note that the key is in use; that this fails keeps nobody from calling."""
    keys = connector().api_keys
    if not keys.is_news(key):
        return
    try:
        connector().committer.run_within(lambda uow: keys.note(uow, key), _PATIENCE_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever it is, the call goes on
        log.error("api.use_not_noted", key_id=key.id, error=type(error).__name__)
