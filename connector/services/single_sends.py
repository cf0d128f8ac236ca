"""What goes with one request to a gateway, what came of it, and what does that tell of the gateway's health?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

import structlog

from connector.domain.circuit import Answers
from connector.domain.message import ErrorClass
from connector.errors import AmbiguousSendError, SendError, TransientSendError
from connector.ports.gateway import Accepted, Capabilities, DLTRegistration
from connector.ports.messages import MessageRow
from connector.services.claiming import Claim
from connector.services.outcomes import Sent

log = structlog.get_logger(__name__)

_AT_FAULT = frozenset({ErrorClass.TRANSIENT, ErrorClass.UNKNOWN})
"""Classes of errors that say the gateway itself is not well; a rate, a setting or an empty purse is no ill health."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A claim whose request is under way, and when it began by `time.monotonic`."""

    claim: Claim
    began: float


def outcome(sending: Sending, future: Future[Accepted]) -> Sent:
    """Give what came of a finished request."""
    claim, error = sending.claim, future.exception()
    seconds = time.monotonic() - sending.began
    if error is None:
        return Sent(claim.message, claim.attempt, claim.reason, seconds, accepted=future.result())
    if not isinstance(error, SendError):
        # A defect of ours, of which nobody can say whether it struck before or after the request left.
        log.error("send.defect", attempt_id=claim.attempt.id, error=type(error).__name__)
        error = AmbiguousSendError("the send ended in a defect", code=type(error).__name__)
    return Sent(claim.message, claim.attempt, claim.reason, seconds, error=error)


def answers_of(sent: Sent) -> Answers:
    """Say what an answer tells of its gateway's health; one that does not know us tells nothing of how others fare."""
    if sent.error is not None and sent.error.error_class == ErrorClass.CONFIG:
        return Answers(0, 0)
    if is_at_fault(sent.error):
        return Answers(0, 1, began_at=sent.attempt.requested_at)
    return Answers(1, 0, sent.seconds, began_at=sent.attempt.requested_at)


def is_at_fault(error: SendError | None) -> bool:
    """Tell whether an error says that its gateway is not well."""
    if isinstance(error, AmbiguousSendError):
        return True
    return isinstance(error, TransientSendError) and error.error_class in _AT_FAULT


def registration(message: MessageRow, entity: str, templates: Mapping[str, str]) -> DLTRegistration | None:
    """Give the Indian registration of a text; None where its template has none."""
    template = templates.get(message.template) if entity else None
    return None if template is None else DLTRegistration(entity, template)


def too_long(body: str, capabilities: Capabilities, *, is_unicode: bool) -> bool:
    """Tell whether a gateway takes no text of this length; outside the GSM alphabet UTF-16 units count."""
    if is_unicode:
        return len(body.encode("utf-16-le", "surrogatepass")) // 2 > capabilities.most_unicode
    return len(body) > capabilities.most_characters
