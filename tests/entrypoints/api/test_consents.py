"""Does what a program says about consent hold at once, and can it take back no more than it may?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from connector.adapters.store.tables import timeline_entry
from connector.bootstrap import Connector
from connector.domain.message import Direction, MessageState, Purpose
from connector.domain.timeline import EntryKind
from connector.ports.consents import Mechanism
from connector.services.consent import ConsentDesk, Saying
from tests.entrypoints.api.conftest import NUMBER, Program, kind_of, put

TICKED = "Yes, text me offers"


def say(program: Program, kind: str, status: int = 200, **more: Any) -> Any:
    return program.post("/consents", {"number": NUMBER, "kind": kind, **more}, status)


def says_stop(connector: Connector) -> None:
    said = Saying("account-1", NUMBER, Mechanism.KEYWORD, "message:1", connector.clock.now(), wording="STOP")
    with connector.ledger.begin() as uow:
        ConsentDesk(connector.ledger.new_id).opt_out(uow, said, connector.clock.now())
        uow.commit()


def test_a_number_nobody_spoke_of_may_be_texted_and_has_agreed_to_no_marketing(program: Program) -> None:
    found = program.post("/consents/search", {"number": "(202) 555-0143"})
    assert found == {"number": NUMBER, "may_be_texted": True, "marketing": None, "suppressions": [], "history": []}


def test_an_opt_out_holds_at_once_and_stops_what_waits(program: Program, connector: Connector) -> None:
    waiting = program.send()
    standing = say(program, "opt_out", wording="unsubscribed on the web", source="form:7")
    assert standing["may_be_texted"] is False
    assert standing["suppressions"][0]["mechanism"] == "api"
    assert standing["history"][0]["source"] == f"api:{program.secret[:11]}:form:7", "the key that said so, too"
    assert program.get(f"/messages/{waiting['id']}")["state"] == "suppressed"


def test_the_same_source_counts_once(program: Program) -> None:
    for _ in range(2):
        standing = say(program, "opt_out", source="form:7")
    assert len(standing["history"]) == 1


def test_a_program_takes_back_what_a_program_said(program: Program) -> None:
    say(program, "opt_out")
    assert say(program, "opt_in")["may_be_texted"] is True


def test_a_program_does_not_take_back_what_the_person_said(program: Program, connector: Connector) -> None:
    says_stop(connector)
    for scope in ("all", "marketing"):
        answer = say(program, "opt_in", 409 if scope == "all" else 200, scope=scope, wording=TICKED)
        assert scope == "marketing" or kind_of(answer) == "opt-out-stands"
    assert program.post("/consents/search", {"number": NUMBER})["may_be_texted"] is False


def test_marketing_is_agreed_to_with_evidence(program: Program) -> None:
    standing = say(program, "opt_in", scope="marketing", wording=TICKED, asked="May we text you offers?")
    assert standing["marketing"] == "opt_in"
    assert standing["history"][0]["asked"] == "May we text you offers?"
    assert say(program, "opt_in", 422, scope="marketing")["errors"][0]["pointer"] == "/wording"


def test_the_same_consent_said_twice_lifts_nothing_that_came_between(program: Program) -> None:
    """A call that is repeated late must not undo the opt-out that came after it."""
    first: dict[str, Any] = {"scope": "marketing", "wording": TICKED, "source": "form:1"}
    say(program, "opt_in", **first)
    say(program, "opt_out", scope="marketing", source="form:2")
    standing = say(program, "opt_in", **first)
    assert (standing["marketing"], len(standing["suppressions"])) == ("opt_out", 1)


def test_marketing_alone_can_be_refused_and_agreed_to_again(program: Program, connector: Connector) -> None:
    say(program, "opt_in", scope="marketing", wording=TICKED)
    standing = say(program, "opt_out", scope="marketing", source="form:8")
    assert (standing["may_be_texted"], standing["marketing"]) == (True, "opt_out")
    assert [each["scope"] for each in standing["suppressions"]] == ["marketing"]
    say(program, "opt_out", scope="marketing", source="form:8")
    standing = say(program, "opt_in", scope="marketing", wording=TICKED)
    assert (standing["marketing"], standing["suppressions"]) == ("opt_in", [])


def test_a_marketing_block_that_no_program_made_stands(program: Program, connector: Connector) -> None:
    say(program, "opt_out", scope="marketing")
    with connector.ledger.begin() as uow:
        uow.consents.lift("account-1", NUMBER, uow.consents.suppressions("account-1", [NUMBER])[NUMBER][0].scope)
        (event,) = uow.consents.history("account-1", NUMBER)
        crm = replace(event, id="event-2", mechanism=Mechanism.CRM_PROPERTY.value, source="crm")
        uow.consents.record(crm)
        uow.consents.suppress(crm)
        uow.commit()
    assert kind_of(say(program, "opt_in", 409, scope="marketing", wording=TICKED)) == "opt-out-stands"


@pytest.mark.parametrize(("path", "body"), [("/consents/search", {}), ("/consents", {"kind": "opt_out"})])
def test_what_is_no_number_is_refused(program: Program, path: str, body: dict[str, str]) -> None:
    assert program.post(path, body | {"number": "12"}, 422)["errors"][0]["pointer"] == "/number"


def test_a_doubt_is_not_a_programs_to_say(program: Program) -> None:
    assert say(program, "doubtful", 422)["errors"][0]["pointer"] == "/kind"


def test_a_conversation_has_both_sides_newest_first_and_no_codes(program: Program, connector: Connector) -> None:
    program.send(body="Shall we?")
    put(connector, direction=Direction.IN, state=MessageState.RECEIVED, body="Yes", sender="+12025550100")
    program.send(body="Your code is 123456", purpose=Purpose.OTP.value)
    page = program.post("/conversations/search", {"number": NUMBER, "limit": 2})
    talk = page["messages"]
    assert [(each["direction"], each["body"]) for each in talk] == [("out", "(a one-time code)"), ("in", "Yes")]
    assert (talk[1]["from"], talk[1]["to"]) == (NUMBER, "+12025550100")
    rest = program.post("/conversations/search", {"number": NUMBER, "limit": 2, "before": page["next"]})
    assert [each["body"] for each in rest["messages"]] == ["Shall we?"]
    assert program.post("/conversations/search", {"number": "12"}, 422)["errors"][0]["pointer"] == "/number"


def test_a_program_that_takes_back_its_block_agrees_to_no_marketing(program: Program) -> None:
    say(program, "opt_out")
    assert say(program, "opt_in")["marketing"] == "opt_out"


def test_an_opt_in_that_is_refused_leaves_word_that_somebody_wanted_it(program: Program, connector: Connector) -> None:
    says_stop(connector)
    say(program, "opt_in", 409, source="form:9")
    with connector.ledger.engine.connect() as connection:
        noted = connection.execute(
            select(timeline_entry.c.summary).where(timeline_entry.c.kind == EntryKind.ATTENTION_NEEDED.value)
        ).all()
    assert noted == [("asks for texts again by a program, but the opt-out by a keyword stands",)]
