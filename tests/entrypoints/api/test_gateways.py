"""Can a program ask about numbers and gateways, and decide about texts that were given up?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from connector.adapters.sms.null import NullGateway
from connector.bootstrap import Connector
from connector.domain.gateway_book import LookupRule
from connector.domain.message import MessageState
from connector.errors import PermanentSendError, SendError, TransientSendError
from connector.ports.number_lookup import LineType, LookupAnswer
from connector.services.lookups import LookupDesk
from tests.adapters.store.factories import an_attempt
from tests.entrypoints.api.conftest import NUMBER, Program, kind_of, put


@dataclass
class Knowing(NullGateway):
    """A gateway that can be asked about numbers; raises what it is given."""

    errors: list[SendError] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.capabilities = replace(NullGateway.capabilities, has_lookup=True)

    def look_up(self, e164: str) -> LookupAnswer:
        self.asked.append(e164)
        if self.errors:
            raise self.errors.pop(0)
        return LookupAnswer(LineType.MOBILE, True, "US", "Examplecom", Decimal("0.005"), "USD")


def with_lookups(connector: Connector, *errors: SendError, per_day: int = 10) -> Knowing:
    gateway = Knowing(list(errors))
    rule = replace(connector.gateway_book.lookups, gateways=("null",), per_day=per_day)
    assert isinstance(rule, LookupRule)
    limiter = connector.rate_limiter
    vars(connector)["lookups"] = LookupDesk(connector.ledger, {"null": gateway}, rule, limiter, connector.clock)
    return gateway


def test_a_gateway_is_asked_and_its_answer_is_known_from_then_on(program: Program, connector: Connector) -> None:
    gateway = with_lookups(connector)
    told = program.post("/lookups", {"number": "(202) 555-0143"})
    assert (told["line_type"], told["carrier"], told["is_reachable"]) == ("mobile", "Examplecom", True)
    assert told["cost"] == {"amount": "0.005", "currency": "USD"}
    known = program.post("/lookups/search", {"numbers": [NUMBER, "+12025550144"]})["numbers"]
    assert known[0] == told
    assert (known[1]["state"], known[1]["line_type"], known[1]["cost"]) == ("unheard_of", "unknown", None)
    assert gateway.asked == [NUMBER]


@pytest.mark.parametrize("error", [TransientSendError("busy", code="429"), PermanentSendError("no", code="")])
def test_a_gateway_that_does_not_say_is_told_with_its_code(
    program: Program, connector: Connector, error: SendError
) -> None:
    with_lookups(connector, error)
    answer = program.post("/lookups", {"number": NUMBER}, 502)
    assert kind_of(answer) == "gateway"
    assert ("429" in answer.get("detail", "")) is bool(error.code)


def test_the_budget_of_the_day_is_kept(program: Program, connector: Connector) -> None:
    with_lookups(connector, per_day=1)
    program.post("/lookups", {"number": NUMBER})
    assert kind_of(program.post("/lookups", {"number": NUMBER}, 409)) == "lookup-impossible"


def test_what_is_no_number_is_named_by_its_place(program: Program) -> None:
    wrong = program.post("/lookups/search", {"numbers": [NUMBER, "12"]}, 422)
    assert wrong["errors"][0]["pointer"] == "/numbers/1"
    assert program.post("/lookups", {"number": "12"}, 422)["errors"][0]["pointer"] == "/number"


def test_gateways_are_told_about_without_how_much_goes_through_them(program: Program) -> None:
    (only,) = program.get("/providers")["providers"]
    assert (only["name"], only["state"], only["share"]) == ("null", "closed", 1.0)
    assert not {"sent", "delivered", "waiting"} & only.keys()
    assert program.get("/providers/null")["vendor"] == only["vendor"]
    assert program.call("GET", "/providers/pigeon").status_code == 404


def test_dead_letters_are_found_by_what_went_wrong(program: Program, connector: Connector) -> None:
    row = put(connector, state=MessageState.DEAD_LETTER)
    with connector.ledger.begin() as uow:
        uow.attempts.add([an_attempt(row, gateway="twilio", state=MessageState.FAILED, error_code="30003")])
        uow.commit()
    put(connector, state=MessageState.DEAD_LETTER)
    (found,) = program.get("/dead-letters?gateway=twilio&error_code=30003")["dead_letters"]
    assert (found["id"], found["attempts"][0]["error_code"]) == (row.id, "30003")
    assert program.get("/dead-letters?gateway=sinch")["dead_letters"] == []
    assert len(program.get("/dead-letters?limit=1")["dead_letters"]) == 1


def test_dead_letters_are_sent_again_and_those_that_are_over_only_afresh(
    program: Program, connector: Connector
) -> None:
    now = connector.clock.now()
    good = put(connector, state=MessageState.DEAD_LETTER, expires_at=now + timedelta(hours=1))
    over = put(connector, state=MessageState.DEAD_LETTER, expires_at=now - timedelta(hours=1))
    asked = [good.id, over.id, good.id, "unheard-of"]
    decided = program.post("/dead-letters/replay", {"ids": asked})
    assert decided == {"done": [good.id], "passed_over": [over.id, "unheard-of"]}
    assert program.get(f"/messages/{good.id}")["state"] == "queued"
    assert program.post("/dead-letters/replay", {"ids": [over.id], "afresh": True})["done"] == [over.id]


def test_dead_letters_are_dropped(program: Program, connector: Connector) -> None:
    row, sent = put(connector, state=MessageState.DEAD_LETTER), put(connector, state=MessageState.SENT)
    decided = program.post("/dead-letters/drop", {"ids": [row.id, sent.id]})
    assert decided == {"done": [row.id], "passed_over": [sent.id]}
    assert program.get(f"/messages/{row.id}")["reason"] == f"dropped by the API key shop ({program.secret[:11]}…)"
