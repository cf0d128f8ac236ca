"""What does a failed call of the Pub/Sub API mean for us?

| what came back | meaning |
|---|---|
| `service.auth.error`, or UNAUTHENTICATED without a code | the token is dead: another one, and listen again |
| `…replayid.corrupted`, `…replayid.validation.failed` | what follows the place is not kept any more |
| `subscription.limit.exceeded` | the day's deliveries are used up: they come free over 24 hours |
| `concurrent.client.limit.exceeded`, `service.protection…` | too many at once: later |
| headers, topic, schema or rights are wrong, no licence | refused until somebody mends it |
| everything else | the stream broke: listen again |

The code is in the trailer `error-code`, without it only the gRPC status tells. The words that come with it are
Salesforce's own and name topics, never values; still only the code is shown
(developer.salesforce.com, Pub/Sub API, "Handle Errors").
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import Any

import grpc

from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError, CRMUnavailableError, PlaceLostError

_PREFIX = "sfdc.platform.eventbus.grpc."
_CODE_TRAILER = "error-code"
_DEAD_TOKEN = frozenset({"service.auth.error", "service.auth.refresh.invalid"})
_PLACE_LOST = frozenset({"subscription.fetch.replayid.corrupted", "subscription.fetch.replayid.validation.failed"})
_LATER = MappingProxyType(
    {
        "subscription.limit.exceeded": timedelta(hours=1),  # a rolling day, so some come free every hour
        "concurrent.client.limit.exceeded": timedelta(minutes=10),  # another program of the customer's has to end
        "service.protection.triggered": timedelta(minutes=1),
        "service.protection.stream.limit.triggered": timedelta(minutes=1),
    }
)
_REFUSED = frozenset(
    {
        "service.auth.headers.invalid", "service.tenant.license", "topic.not.found", "topic.meta.permission",
        "topic.validation.empty", "schema.meta.permission", "schema.validation.failed",
        "subscription.topic.cannot.subscribe", "subscription.fetch.request.invalid",
    }
)  # fmt: skip
_REFUSING_STATUSES = frozenset(
    {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED}
)


def translated(what: str, error: Any) -> CRMError:
    """Translate what a call raised.

    Args:
        what: the call in words.
        error: a `grpc.RpcError` that is a call, as all are that a channel raises.
    """
    status, code = error.code(), error_code(error)
    text = f"{what}: {code or status.name}"
    if code in _DEAD_TOKEN or (not code and status is grpc.StatusCode.UNAUTHENTICATED):
        return CRMDisconnectedError(text, category=code)
    if code in _PLACE_LOST:
        return PlaceLostError(text, category=code)
    if code in _REFUSED or (not code and status in _REFUSING_STATUSES):
        return CRMRefusedError(text, category=code)
    return CRMUnavailableError(text, category=code, retry_after=_LATER.get(code))


def error_code(error: Any) -> str:
    """Give Salesforce's code for an error without what is common to all, such as `topic.not.found`; empty for none."""
    trailers = error.trailing_metadata() or ()
    found = next((str(value) for key, value in trailers if key == _CODE_TRAILER), "")
    return found.removeprefix(_PREFIX)[:100]
