"""Who stands in for the outside while plots are played live: the queue, the limits, the gateways, other systems?"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.adapters.sms.twilio import CAPABILITIES
from connector.domain.message import MessageState
from connector.ports.channels import Delivery
from connector.ports.gateway import (
    Accepted,
    AttemptQuery,
    CallbackRequest,
    Capabilities,
    IncomingSMS,
    OutgoingSMS,
    StatusReport,
)
from connector.ports.queue import Bucket


class Nobody:
    """Carries no nudges: the play looks for work itself."""

    def nudge(self, lane: str) -> None:
        """Do nothing."""


class Open:
    """Grants every permit."""

    def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:
        return [True] * len(asked)


@dataclass
class Carrier:
    """A gateway that takes every text, and delivers it unless it is told not to."""

    slug: str
    capabilities: Capabilities = CAPABILITIES
    taken: list[OutgoingSMS] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, sms: OutgoingSMS) -> Accepted:
        with self._lock:
            self.taken.append(sms)
        return Accepted(f"SM-{sms.attempt_id}", MessageState.ACCEPTED, "accepted", sender=sms.sender)

    def find(self, query: AttemptQuery) -> StatusReport | None:
        raise AssertionError("every text gets a receipt, so nobody needs to ask")

    def verify(self, request: CallbackRequest) -> None:
        """Believe everybody."""

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        state = MessageState(request.body.decode())
        return [StatusReport(f"SM-{attempt_id}", state, state.value, attempt_id)]

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        return [IncomingSMS(**json.loads(request.body))]

    def close(self) -> None:
        """Hold nothing."""


class Listener:
    """A channel that takes everything and answers nothing."""

    is_repeatable = False

    def deliver(self, delivery: Delivery) -> Any:
        return None
