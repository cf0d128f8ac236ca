"""Does a text get the choice it would get alone, although texts just like it are chosen for once?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from connector.domain.circuit import GatewayHealth, healthy
from connector.domain.gateway_book import GatewayBook, Preference, RouteRule
from connector.domain.message import Purpose
from connector.domain.routing import Choice, Wanted, choose
from connector.domain.scoring import Fallen, Scores, score
from connector.services import routing
from connector.services.routing import Router, Way
from tests.adapters.store.factories import NOW
from tests.domain.gateway_parts import minutes

BOTH = {"twilio": 1.0, "plivo": 1.0}
TEXTS = [Wanted(f"text-{index}", Purpose.MARKETING, country) for index in range(100) for country in ("GB", "US")]


@dataclass
class Board:
    """Health and scores as a test says."""

    given: Mapping[str, float] = field(default_factory=lambda: BOTH)
    known: Scores = field(default_factory=Scores)

    def shares(self) -> Mapping[str, float]:
        return self.given

    def of(self, gateway: str) -> GatewayHealth:
        return healthy(gateway, NOW)

    def scores(self) -> Scores:
        return self.known

    def fallen(self) -> Sequence[Fallen]:
        return ()


def a_book(explore: float) -> GatewayBook:
    rule = RouteRule("marketing", ("twilio", "plivo"), Preference.BALANCED, explore=explore)
    return GatewayBook(routes={"marketing": rule})


def a_router(book: GatewayBook, board: Board) -> Router:
    return Router(book, "twilio", BOTH, board, board)  # type: ignore[arg-type] # as much of a health board as it needs


def gateways(router: Router, texts: Sequence[Wanted] = TEXTS) -> list[str]:
    ways = [router.explain(text, NOW) for text in texts]
    assert all(isinstance(way, Way) for way in ways)
    return [way.gateway for way in ways if isinstance(way, Way)]


def alone(book: GatewayBook, board: Board) -> list[str]:
    choices = [choose(book, text, board.given, board.known, "twilio") for text in TEXTS]
    return [choice.gateway for choice in choices if isinstance(choice, Choice)]


@pytest.mark.parametrize("explore", [0.0, 0.3])
@pytest.mark.parametrize("shares", [BOTH, BOTH | {"twilio": 0.5}, BOTH | {"twilio": 0.0}])
def test_every_text_goes_where_it_would_go_alone(explore: float, shares: Mapping[str, float]) -> None:
    book, board = a_book(explore), Board(shares)
    assert gateways(a_router(book, board)) == alone(book, board)


def test_texts_that_are_alike_are_chosen_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Wanted] = []

    def counted(book: GatewayBook, wanted: Wanted, *rest: object) -> object:
        asked.append(wanted)
        return choose(book, wanted, *rest)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(routing, "choose", counted)
    gateways(a_router(a_book(0.0), Board()))
    assert [wanted.country for wanted in asked] == ["GB", "US"]


def test_a_gateway_whose_circuit_opens_or_that_delivers_less_is_left_at_once() -> None:
    book, board = a_book(0.0), Board()
    router = a_router(book, board)
    (text,) = TEXTS[:1]
    assert gateways(router, [text]) == ["twilio"]
    board.given = BOTH | {"twilio": 0.0}
    assert gateways(router, [text]) == ["plivo"]
    board.given = BOTH
    board.known = score(minutes("twilio", "GB", range(5, 30), rate=0.2), NOW)
    assert gateways(router, [text]) == ["plivo"]


def test_a_text_that_a_gateway_has_failed_is_not_like_one_that_it_has_not() -> None:
    router = a_router(a_book(0.0), Board())
    (text,) = TEXTS[:1]
    assert gateways(router, [text, replace(text, tried=frozenset({"twilio"}))]) == ["twilio", "plivo"]
