"""Where do texts go when nobody wants them sent: on a developer's machine, in a trial of a new journey?"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from connector.adapters.sms.reading import shown
from connector.domain.message import MessageState
from connector.domain.msisdn import masked
from connector.domain.segments import measure
from connector.errors import SignatureError
from connector.ports.gateway import (
    Accepted,
    AttemptQuery,
    CallbackRequest,
    Capabilities,
    Handle,
    IncomingSMS,
    OutgoingSMS,
    StatusReport,
)
from connector.ports.gateway_plugin import GatewayPlugin

_RAW_STATUS = "logged"

log = structlog.get_logger(__name__)


CAPABILITIES = Capabilities(
    vendor="a log instead of a gateway",
    page="",
    most_characters=1600,
    most_unicode=1600,
    reference="field",
    receipts="",
    has_incoming=False,
    asked_by=frozenset(Handle),
    price="",
    segments="answer",
    verified_by="",
)


class NullGateway:
    """Logs that a text would have gone out and accepts it; nothing is ever sent, so nothing is ever delivered.

    See `connector.ports.gateway.SMSGateway`. Keeps no memory: asked for an attempt, it says that it logged it, since
    it logs all it is given.
    """

    slug = "null"
    capabilities = CAPABILITIES

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Log the masked number and the length; accept."""
        segments = measure(sms.body).count
        log.info("not sent: null gateway", to=masked(sms.to), segments=segments, attempt=sms.attempt_id)
        return Accepted(
            _message_id(sms.attempt_id),
            MessageState.ACCEPTED,
            _RAW_STATUS,
            sender=shown(sms.sender),
            segments=segments,
        )

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Report what `send` reported."""
        return StatusReport(
            _message_id(query.attempt_id), MessageState.ACCEPTED, _RAW_STATUS, attempt_id=query.attempt_id
        )

    def verify(self, request: CallbackRequest) -> None:  # noqa: ARG002 - the port's shape
        """Refuse: there is nobody who could call back.

        Raises:
            SignatureError: always.
        """
        raise SignatureError("the null gateway has no callbacks")

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:  # noqa: ARG002 - the port's shape
        """Read nothing."""
        return ()

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:  # noqa: ARG002 - the port's shape
        """Read nothing."""
        return ()

    def close(self) -> None:
        """Nothing is open."""


def _message_id(attempt_id: str) -> str:
    return f"null-{attempt_id}"


PLUGIN = GatewayPlugin(NullGateway.slug, CAPABILITIES, settings=(), build=lambda _values: NullGateway())
