"""Is a gateway asked about a text that never was in a way it can be asked, and is its answer read as what it means?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.sms.twilio import CAPABILITIES
from connector.domain.gateway_book import VIA, GatewayBook, RouteRule
from connector.domain.message import MessageState, Purpose
from connector.errors import ConfigurationError, TransientSendError, UnanswerableError
from connector.ports.gateway import AttemptQuery, Handle, SMSGateway, StatusReport
from connector.services.gateway_trials import GatewayTrials, Reached
from connector.services.single_texts import SingleTexts
from tests.services.theatre import Clock


class Gateway:
    """Answers as it is told to; remembers what it was asked."""

    def __init__(self, answer: StatusReport | Exception | None, *handles: Handle) -> None:
        self.answer, self.asked = answer, list[AttemptQuery]()
        self.capabilities = replace(CAPABILITIES, asked_by=frozenset(handles))

    def find(self, query: AttemptQuery) -> StatusReport | None:
        self.asked.append(query)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def reached(gateway: Gateway, slug: str = "twilio") -> Reached:
    gateways = {"twilio": cast("SMSGateway", gateway)}
    return GatewayTrials(MemoryLedger(), gateways, cast("SingleTexts", None), Clock()).reach(slug)


@pytest.mark.parametrize(
    ("answer", "is_well", "code"),
    [
        (None, True, ""),
        (StatusReport("x", MessageState.UNKNOWN, "not found"), True, ""),
        (TransientSendError("refused", code="401"), False, "401"),
        (UnanswerableError("only from its own process", code="no_query"), None, "no_query"),
    ],
)
def test_an_answer_is_read_as_what_it_means(answer: Any, is_well: bool | None, code: str) -> None:
    found = reached(Gateway(answer, Handle.ID))
    assert (found.is_well, found.code) == (is_well, code)


def test_a_gateway_that_cannot_be_asked_is_not_asked() -> None:
    gateway = Gateway(None)
    assert reached(gateway).is_well is None
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("handles", "by_id"),
    [((Handle.ID,), True), ((Handle.ID, Handle.REFERENCE), False), ((Handle.ID, Handle.TEXT), False)],
)
def test_an_id_of_theirs_is_made_up_only_where_nothing_else_can_be_asked_by(
    handles: tuple[Handle, ...], by_id: bool
) -> None:
    gateway = Gateway(None, *handles)
    reached(gateway)
    (query,) = gateway.asked
    assert (query.provider_message_id is not None) is by_id


def test_a_gateway_that_is_not_in_use_is_named() -> None:
    with pytest.raises(ConfigurationError, match="vonage is not in use here; in use are twilio"):
        reached(Gateway(None), "vonage")


@pytest.mark.parametrize("purpose", Purpose)
def test_a_text_that_tries_a_gateway_has_a_route_of_that_gateway_alone(purpose: Purpose) -> None:
    book = GatewayBook(routes={purpose.value: RouteRule(purpose.value, ("vonage", "twilio"))})
    assert book.route_for(purpose, f"{VIA}telnyx") == RouteRule("via:telnyx", ("telnyx",))
