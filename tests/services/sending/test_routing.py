"""Is each text routed once, again when its choice has grown old, and does its trace show by which numbers?"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.store.traffic import SQLTrafficRepository
from connector.domain.circuit import Answers, CircuitState, healthy
from connector.domain.gateway_book import CountryRule, Preference, RouteRule
from connector.domain.message import Direction, MessageState, Purpose
from connector.domain.routing import Wanted
from connector.domain.scoring import Tally
from connector.domain.timeline import EntryKind
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import StateChange
from connector.services.routing import NoWay, Way
from tests.adapters.store.factories import NOW, NUMBER, SENDER, a_message, an_account
from tests.domain.gateway_parts import long_code, minutes
from tests.services.sending.conftest import Desk
from tests.services.sending.texts import a_text, down, failing, in_order, some_texts, with_plivo, work

OTHER = "+12025550101"
BOTH = (long_code(SENDER, "twilio"), long_code(OTHER, "plivo"))


def routed(desk: Desk, text: object) -> list[str]:
    return [entry.summary for entry in desk.entries(text, EntryKind.MESSAGE_ROUTED)]  # type: ignore[arg-type]


def test_a_text_is_routed_once_and_its_trace_says_by_what(desk: Desk) -> None:
    desk, _ = with_plivo(desk)
    text = a_text(desk)
    desk.add(text)
    work(desk)
    (entry,) = desk.entries(text, EntryKind.MESSAGE_ROUTED)
    assert entry.summary == "goes through twilio: the first in order"
    assert (entry.data["route"], entry.data["prefer"]) == ("transactional", "in_order")
    assert [each["gateway"] for each in entry.data["candidates"]] == ["twilio", "plivo"]
    assert {"rate", "lower", "texts", "latency", "errors", "score"} <= entry.data["candidates"][0].keys()
    assert "twilio: the first in order" in desk.trace(text)[-1]


def test_the_numbers_of_a_choice_name_nobody(desk: Desk) -> None:
    desk, _ = with_plivo(desk)
    text = a_text(desk)
    desk.add(text)
    work(desk)
    (entry,) = desk.entries(text, EntryKind.MESSAGE_ROUTED)
    assert text.msisdn not in json.dumps(dict(entry.data))
    assert text.body not in json.dumps(dict(entry.data))


def test_where_there_was_nothing_to_choose_the_trace_is_silent(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)
    work(desk)
    assert routed(desk, text) == []


def test_a_text_whose_gateway_is_another_one_moves_to_that_lane_and_is_not_chosen_for_again(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, in_order("plivo", "twilio"))
    text = a_text(desk)
    desk.add(text)
    desk.nudged.clear()
    assert desk.path.claimer.claim("twilio", "transactional", 10).redirected == 1
    assert desk.nudged == ["send:plivo:transactional"]
    row = desk.row(text)
    assert (row.gateway, row.routed_at, row.state, row.tries) == ("plivo", NOW, MessageState.QUEUED, 0)
    work(desk, "send:plivo:transactional")
    assert len(plivo.sent) == 1
    assert routed(desk, text) == ["goes through plivo: the first in order"]


def test_a_choice_that_has_grown_old_is_made_anew(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, in_order("plivo", "twilio"))
    text = a_text(desk)
    desk.add(text)
    desk.path.claimer.claim("twilio", "transactional", 10)
    later = replace(desk, book=in_order("twilio", "plivo"))  # the file was changed meanwhile
    later.clock.advance(seconds=59)
    later.limiter.grants = 0
    assert later.path.claimer.claim("plivo", "transactional", 10).redirected == 0
    later.clock.advance(seconds=1)
    assert later.path.claimer.claim("plivo", "transactional", 10).redirected == 1
    assert later.row(text).gateway == "twilio"
    assert plivo.sent == []


def test_a_text_that_a_rate_keeps_back_does_not_fill_its_trace_with_every_look(desk: Desk) -> None:
    desk, _ = with_plivo(desk)
    text = a_text(desk)
    desk.add(text)
    desk.limiter.grants = 0
    for _ in range(20):
        desk.path.claimer.claim("twilio", "transactional", 10)
    assert desk.trace(text) == []
    desk.limiter.grants = None
    work(desk)
    assert len(routed(desk, text)) == 1


def test_a_conversation_keeps_its_sender_and_with_it_its_gateway(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, in_order("twilio", "plivo", senders=BOTH))
    past = a_text(desk, state=MessageState.DELIVERED, sender=OTHER, gateway="plivo", sent_at=NOW)
    desk.add(past)
    text, stranger = a_text(desk), a_text(desk, msisdn="+12025550199")
    desk.add(text, stranger)
    work(desk)
    assert [sms.sender for sms in plivo.sent] == [OTHER]
    assert [sms.sender for sms in desk.gateway.sent] == [SENDER]
    assert routed(desk, text) == [f"goes through plivo from {OTHER}: the conversation's sender"]


def test_a_conversation_of_another_account_with_the_same_number_counts_for_nothing(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, in_order("twilio", "plivo", senders=BOTH))
    past = replace(a_text(desk, state=MessageState.DELIVERED, sender=OTHER, sent_at=NOW), account_id="another")
    desk.add(past, a_text(desk))
    work(desk)
    assert plivo.sent == []


def test_a_sender_that_a_step_names_is_kept(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, in_order("twilio", "plivo", senders=BOTH))
    desk.add(a_text(desk, sender=OTHER, wanted_sender=OTHER))
    work(desk)
    assert (desk.gateway.sent, [sms.sender for sms in plivo.sent]) == ([], [OTHER])


def test_a_text_no_gateway_may_ever_carry_is_a_dead_letter_with_the_reason(desk: Desk) -> None:
    senders = (long_code(SENDER, "twilio", "US"), long_code(OTHER, "plivo", "US"))
    desk, plivo = with_plivo(desk, in_order("twilio", "plivo", senders=senders))
    text = a_text(desk)
    desk.add(text)
    work(desk)
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    assert "twilio has no sender for GB; plivo has no sender for GB" in desk.row(text).state_reason
    assert (desk.gateway.sent, plivo.sent, desk.attempts(text)) == ([], [], [])


def test_a_text_of_more_parts_than_its_country_takes_is_a_dead_letter_before_it_costs_anything(desk: Desk) -> None:
    book = replace(in_order("twilio"), countries={"GB": CountryRule("GB", most_segments=2)})
    desk = replace(desk, book=book)
    text = a_text(desk, segments=3)
    desk.add(text)
    work(desk)
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    assert "it takes 3 SMS" in desk.row(text).state_reason


def test_a_text_waits_while_its_gateways_are_closed_and_not_for_good(desk: Desk) -> None:
    desk, _ = with_plivo(desk)
    for gateway in ("twilio", "plivo"):
        desk.path.health.hear(gateway, Answers(0, 20))
    text = a_text(desk)
    desk.add(text)
    work(desk)
    row = desk.row(text)
    assert (row.state, row.not_before) == (MessageState.HELD, NOW + timedelta(seconds=15))
    assert "twilio its circuit is open; plivo its circuit is open" in row.state_reason
    desk.clock.advance(seconds=15)
    desk.wake()
    work(desk)
    assert desk.state_of(text) is MessageState.ACCEPTED


def test_a_text_that_no_gateway_here_may_carry_does_not_wait_for_one_that_is_not_in_use(desk: Desk) -> None:
    desk = replace(desk, book=in_order("twilio", "vonage", senders=(long_code(SENDER, "twilio", "US"),)))
    text = a_text(desk)
    desk.add(text)
    work(desk)
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    assert "twilio has no sender for GB; vonage is not in use here" in desk.row(text).state_reason


@pytest.mark.parametrize(
    ("age", "openings", "wait"),
    [
        (timedelta(days=2), 1, timedelta(seconds=15)),  # made long ago for today, and the outage has just begun
        (timedelta(seconds=20), 40, timedelta(minutes=5)),  # an old outage, a new text: as long as the circuit rests
        (timedelta(minutes=100), 40, timedelta(minutes=10)),
        (timedelta(days=2), 40, timedelta(minutes=15)),
    ],
)
def test_a_text_is_looked_at_the_less_often_the_longer_it_has_waited(
    desk: Desk, age: timedelta, openings: int, wait: timedelta
) -> None:
    down = replace(
        healthy("twilio", NOW),
        state=CircuitState.OPEN,
        reason="down",
        until=NOW + (timedelta(seconds=5) if openings == 1 else timedelta(minutes=5)),
        openings=openings,
    )
    with desk.ledger.begin() as uow:
        uow.traffic.save_health(down)
        uow.commit()
    text = a_text(desk, created_at=NOW - age)
    desk.add(text)
    work(desk)
    assert desk.row(text).not_before == NOW + wait


def test_scores_are_not_read_within_a_claim_once_they_were_refreshed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    router, text = desk.path.router, a_text(desk)
    router.refresh()
    desk.clock.advance(seconds=59)
    with desk.ledger.begin(write=False) as uow, monkeypatch.context() as within:
        within.setattr(SQLTrafficRepository, "tallies", _unreadable)
        assert isinstance(router.ways(uow, [text], desk.clock.now())[text.id], Way)
        with pytest.raises(RuntimeError, match="tallies"):
            router.refresh()


def test_a_claim_reads_scores_before_its_transaction_begins(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, begin = list[bool](), desk.ledger.begin

    def note(_: object, since: datetime) -> list[Tally]:
        under_way.append(is_claiming)
        return []

    is_claiming = False

    def begin_noted(*, write: bool = True) -> AbstractContextManager[UnitOfWork]:
        nonlocal is_claiming
        is_claiming = is_claiming or write
        return begin(write=write)

    monkeypatch.setattr(SQLTrafficRepository, "tallies", note)
    desk.add(a_text(desk))
    for _ in range(3):
        is_claiming = False
        monkeypatch.setattr(desk.ledger, "begin", begin_noted)
        desk.path.claimer.claim("twilio", "transactional", 10)
        monkeypatch.undo()
        monkeypatch.setattr(SQLTrafficRepository, "tallies", note)
        desk.clock.advance(seconds=11)
        desk.add(a_text(desk))
    assert under_way == [False] * 3


def _unreadable(*_: object) -> None:
    raise RuntimeError("tallies were read")


def test_a_gateway_that_stops_delivering_loses_its_texts_to_the_one_that_delivers(desk: Desk) -> None:
    routes = {"transactional": RouteRule("transactional", ("twilio", "plivo"), Preference.PREMIUM)}
    desk, plivo = with_plivo(desk, replace(in_order(), routes=routes))
    with desk.ledger.begin() as uow:
        uow.traffic.note(minutes("twilio", "GB", range(2, 40), rate=0.4))
        uow.traffic.note(minutes("plivo", "GB", range(2, 40), rate=0.97))
        uow.commit()
    some_texts(desk, 5)
    work(desk)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (0, 5)


def test_what_gateways_answer_and_receipts_tell_becomes_what_routes_go_by(desk: Desk) -> None:
    texts = some_texts(desk, 4)
    desk.gateway.script = [*failing(down, 1)]
    work(desk)
    taken = [text for text in texts if desk.state_of(text) is MessageState.ACCEPTED]
    desk.clock.advance(seconds=30)
    desk.apply(taken[0], MessageState.DELIVERED)
    desk.apply(taken[1], MessageState.UNDELIVERED, error_class=None, error_code="30003")
    desk.apply(taken[1], MessageState.UNDELIVERED, error_class=None, error_code="30003")  # told twice
    with desk.ledger.begin(write=False) as uow:
        tallies = uow.traffic.tallies(NOW - timedelta(hours=1))
    totals = {
        name: sum(getattr(each, name) for each in tallies)
        for name in ("sent", "failed", "delivered", "undelivered", "delivery_seconds")
    }
    assert totals == {"sent": 3, "failed": 1, "delivered": 1, "undelivered": 1, "delivery_seconds": 30.0}
    assert {(each.gateway, each.country, each.slot) for each in tallies} == {
        ("twilio", "GB", NOW.replace(second=0, microsecond=0))
    }


def test_a_phone_that_was_off_for_a_night_does_not_make_its_gateway_slow(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)
    work(desk)
    desk.clock.advance(hours=9)
    desk.apply(text, MessageState.DELIVERED)
    with desk.ledger.begin(write=False) as uow:
        (*_, last) = uow.traffic.tallies(NOW - timedelta(hours=1))
        assert sum(each.delivery_seconds for each in uow.traffic.tallies(NOW - timedelta(hours=1))) == 300.0
    assert last.delivered == 1


@pytest.mark.parametrize("error_class", ["permanent_number", "opted_out", "permanent_content"])
def test_what_the_number_or_the_text_is_at_fault_for_says_nothing_against_a_way(desk: Desk, error_class: str) -> None:
    text = a_text(desk)
    desk.add(text)
    work(desk)
    desk.apply(text, MessageState.UNDELIVERED, error_class=error_class)
    with desk.ledger.begin(write=False) as uow:
        tallies = uow.traffic.tallies(NOW - timedelta(hours=1))
    assert sum(each.sent for each in tallies) == 0
    assert sum(each.undelivered for each in tallies) == 0


def test_a_late_success_takes_the_failure_back_that_was_counted_before(desk: Desk) -> None:
    text = a_text(desk)
    desk.add(text)
    work(desk)
    desk.apply(text, MessageState.UNDELIVERED)
    desk.apply(text, MessageState.DELIVERED)
    with desk.ledger.begin(write=False) as uow:
        tallies = uow.traffic.tallies(NOW - timedelta(hours=1))
    assert (sum(each.undelivered for each in tallies), sum(each.delivered for each in tallies)) == (0, 1)


def test_a_way_can_be_explained_without_a_text(desk: Desk) -> None:
    desk, _ = with_plivo(desk)
    way = desk.path.router.explain(Wanted("m-1", Purpose.TRANSACTIONAL, "GB"), NOW)
    assert isinstance(way, Way)
    assert (way.gateway, way.reason) == ("twilio", "twilio: the first in order")
    desk, _ = with_plivo(desk, in_order("twilio", senders=(long_code(SENDER, "twilio", "US"),)))
    refused = desk.path.router.explain(Wanted("m-1", Purpose.TRANSACTIONAL, "GB"), NOW)
    assert isinstance(refused, NoWay)
    assert (refused.until, refused.reason) == (None, "no gateway can take it: twilio has no sender for GB")


@pytest.mark.parametrize("kind", ["database", "memory"])
def test_a_new_way_takes_its_sender_as_it_is_also_none(desk: Desk, kind: str) -> None:
    ledger: Ledger = desk.ledger if kind == "database" else MemoryLedger(desk.nudged.append)
    text = a_message(desk.account_id, sender=SENDER, direction=Direction.OUT)
    stay = StateChange(text.id, MessageState.QUEUED, MessageState.QUEUED, "")
    with ledger.begin() as uow:
        uow.messages.add(text)
        uow.messages.move_all([stay], NOW)
        assert uow.messages.many([text.id])[text.id].sender == SENDER
        uow.messages.move_all([replace(stay, gateway="plivo", routed_at=NOW)], NOW)
        row = uow.messages.many([text.id])[text.id]
    assert (row.gateway, row.sender, row.msisdn) == ("plivo", None, NUMBER)


def test_an_account_texts_from_the_sender_it_names_and_no_other_account_does(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, in_order("twilio", "plivo", senders=BOTH))
    with desk.ledger.begin() as uow:
        owner = an_account(settings={"senders": [SENDER]})
        uow.accounts.add(owner)
        uow.commit()
    desk.add(a_text(desk))
    desk.add(replace(a_text(desk), account_id=owner.id))
    work(desk)
    assert [sms.sender for sms in plivo.sent] == [OTHER]
    assert [sms.sender for sms in desk.gateway.sent] == [SENDER]
