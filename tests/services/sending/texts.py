"""Of what are the texts of these tests made, and the books by which they may go through one of two gateways?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connector.adapters.store.ids import new_id
from connector.domain.gateway_book import GatewayBook, Preference, RouteRule, SenderEntry
from connector.domain.message import MessageState
from connector.errors import SendError, TransientSendError
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.messages import MessageRow
from tests.adapters.store.factories import NOW, NUMBER, a_message
from tests.domain.gateway_parts import book
from tests.services.sending.conftest import PATIENT, Desk, ScriptedGateway

DAYTIME: Mapping[str, Any] = {"time_zones": ("Europe/London",), "country": "GB", "send_window": "anytime"}


def a_text(desk: Desk, **changes: Any) -> MessageRow:
    return a_message(desk.account_id, **{**DAYTIME, **changes})


def some_texts(desk: Desk, count: int, **changes: Any) -> list[MessageRow]:
    """Queue texts to as many numbers."""
    texts = [a_text(desk, msisdn=f"+120255501{n:02d}", **changes) for n in range(count)]
    desk.add(*texts)
    return texts


def work(desk: Desk, lane: str = "send:twilio:transactional") -> None:
    """Drain a lane, and whichever send lanes are nudged meanwhile, as workers do."""
    lanes = [lane]
    while lanes:
        desk.nudged.clear()
        for each in lanes:
            desk.dispatcher.drain(*each.split(":")[1:])
        lanes = [each for each in desk.nudged if each.startswith("send:")]


def suppress(desk: Desk, number: str = NUMBER) -> None:
    event = ConsentEvent(
        id=new_id(),
        account_id=desk.account_id,
        msisdn=number,
        kind=ConsentKind.OPT_OUT,
        scope=Scope.ALL,
        mechanism=Mechanism.KEYWORD,
        source="message:1",
        at=NOW,
    )
    with desk.ledger.begin() as uow:
        uow.consents.record(event)
        uow.consents.suppress(event)
        uow.commit()


def down() -> TransientSendError:
    return TransientSendError("it cannot be reached", code="connect_error", error_class="transient")


def in_order(*gateways: str, senders: tuple[SenderEntry, ...] = (), **changes: Any) -> GatewayBook:
    """Make a book whose transactional texts and codes take the first of these gateways that can be used."""
    routes = {name: RouteRule(name, gateways, Preference.IN_ORDER) for name in ("transactional", "otp", "marketing")}
    return replace(book(routes, senders), retries=PATIENT.retries, **changes)


def with_plivo(desk: Desk, gateway_book: GatewayBook | None = None) -> tuple[Desk, ScriptedGateway]:
    """Give the desk a second gateway, and that gateway."""
    plivo = ScriptedGateway("plivo")
    both = replace(desk, book=gateway_book or in_order("twilio", "plivo"), others={"plivo": plivo})
    return both, plivo


def failing(error: Callable[[], SendError], times: int) -> list[SendError | MessageState]:
    """Script failures."""
    return [error() for _ in range(times)]


def noted(function: Callable[..., Any], word: str, done: list[Any]) -> Callable[..., Any]:
    """Give a function that does the same, and says in `done` that it was called."""

    def call(*arguments: Any, **named: Any) -> Any:
        done.append(word)
        return function(*arguments, **named)

    return call
