"""Does a gateway tell prices and segments where its adapter says that it does? Part of `contract`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from connector.ports.gateway import (
    Accepted,
    AttemptQuery,
    CallbackRequest,
    Handle,
    OutgoingSMS,
    SMSGateway,
    StatusReport,
)
from tests.adapters.sms.texts import sms

_TWO_PARTS = "x" * 170


class Contract(Protocol):
    """What these tests need of the class they are part of."""

    def now(self) -> datetime: ...
    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]: ...
    def ask(self, sent: OutgoingSMS, at: datetime, provider_id: str | None = None) -> AttemptQuery: ...


class TellingContract:
    """What holds for what every gateway tells of a text it has sent."""

    def test_price_is_told_where_it_is_promised_and_nowhere_else(self: Contract, gateway: SMSGateway) -> None:
        told = _told(self, gateway, lambda said: said.price)
        assert {where for where, _ in told} == _places(gateway.capabilities.price)
        assert all(isinstance(price, Decimal) and price >= 0 for _, price in told)

    def test_segments_are_told_where_they_are_promised_and_nowhere_else(self: Contract, gateway: SMSGateway) -> None:
        told = _told(self, gateway, lambda said: said.segments)
        assert {where for where, _ in told} == _places(gateway.capabilities.segments)


def _told(
    contract: Contract, gateway: SMSGateway, what: Callable[[Accepted | StatusReport], object]
) -> list[tuple[str, object]]:
    """Send a text, let it arrive and ask for it; give what was told, and where."""
    text, at = sms(body=_TWO_PARTS), contract.now()
    accepted = gateway.send(text)
    said: list[tuple[str, Accepted | StatusReport | None]] = [("answer", accepted)]
    for request in contract.deliver(gateway):
        said += [("receipt", report) for report in gateway.read_status(request, text.attempt_id)]
    if Handle.ID in gateway.capabilities.asked_by:
        said.append(("query", gateway.find(contract.ask(text, at, accepted.provider_message_id))))
    return [(where, what(each)) for where, each in said if each is not None and what(each) is not None]


def _places(promised: str) -> set[str]:
    return set(promised.split(", ")) - {""}
