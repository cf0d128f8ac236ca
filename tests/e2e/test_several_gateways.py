"""Do texts go out once and say why while gateways go away, come back and fall silent?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from connector_client import Text
from tests.e2e.processes import run_smsctl
from tests.e2e.scene import BOOKED, Person, Scene
from tests.e2e.several_gateways import ON_BOTH, ON_SQLITE, SENDERS, SeveralGateways
from tests.waiting import eventually

pytestmark = pytest.mark.slow

_SECONDS = timedelta(seconds=30)
"""Within which a text has left through another gateway: a refused connection, a second's pause, a busy machine."""


@pytest.fixture
def rig(several: SeveralGateways) -> SeveralGateways:
    """The rig that `scene` stands on."""
    return several


def ask(rig: SeveralGateways, *arguments: str) -> str:
    """Run a command that an operator would, and give what it says."""
    done = run_smsctl(rig.environment, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(rig: SeveralGateways, slug: str) -> Mapping[str, Any]:
    """Give what operators see of a gateway."""
    (found,) = json.loads(ask(rig, "provider", "status", "--provider", slug, "--json"))
    return dict(found)


def book_all(scene: Scene, count: int) -> list[Person]:
    """Let deals of so many people reach the stage together."""
    people = [scene.person() for _ in range(count)]
    for deal in [scene.deal(person) for person in people]:
        scene.rig.hubspot.update(scene.portal_id, "deals", deal, {"dealstage": BOOKED})
    scene.rig.webhooks.flush()
    return people


def all_get(scene: Scene, people: list[Person]) -> None:
    """Let time pass until everybody has got the journey's text."""
    for person in people:
        scene.gets_in_time(person.number, "your demo", step=1)


def counts(rig: SeveralGateways, people: list[Person]) -> Mapping[str, int]:
    """Say how many texts each gateway took for these people."""
    return {slug: sum(len(rig.by(slug, person.number)) for person in people) for slug in SENDERS}


@ON_SQLITE
def test_each_purpose_takes_its_route_and_receipts_and_replies_of_all_reach_the_timeline(
    rig: SeveralGateways, scene: Scene
) -> None:
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    with scene.program() as program:
        program.opt_in(person.number, scope="marketing", wording="Texts about offers, please")
        program.send(person.number, "4711 is your code", purpose="otp")
        program.send(person.number, "Half price until Friday", purpose="marketing")
    scene.gets(person.number, "4711")
    scene.gets(person.number, "Half price")
    for slug in SENDERS:
        scene.write(person.number, f"Thank you from {slug}", gateway=slug)
    scene.books.settle()
    found = {slug: rig.by(slug, person.number) for slug in SENDERS}
    assert {slug: len(texts) for slug, texts in found.items()} == dict.fromkeys(SENDERS, 1)
    assert "your demo" in found["twilio"][0]
    assert "4711" in found["vonage"][0]
    assert "Half price" in found["telnyx"][0]
    shown = "\n".join(scene.timeline(person))
    assert shown.count("· delivered") == len(SENDERS)
    assert [f"Thank you from {slug}" in shown for slug in SENDERS] == [True] * len(SENDERS)


@ON_BOTH
def test_texts_leave_through_the_next_gateway_while_the_first_is_away_and_through_it_when_it_is_back(
    rig: SeveralGateways, scene: Scene
) -> None:
    before = book_all(scene, 3)
    all_get(scene, before)
    assert counts(rig, before) == {"twilio": 3, "telnyx": 0, "vonage": 0}

    rig.away("twilio")
    during = book_all(scene, 12)
    for person in during:
        scene.gets(person.number, "your demo")  # by itself: no time is pushed
    assert counts(rig, during) == {"twilio": 0, "telnyx": 12, "vonage": 0}
    numbers = {person.number for person in during}
    late = [each for each in scene.books.outbound() if each.msisdn in numbers]
    assert [each for each in late if each.sent_at is None or each.sent_at - each.created_at > _SECONDS] == []
    assert status(rig, "twilio")["state"] in {"open", "probing"}
    one = next(each for each in late if each.tries > 1)
    why = ask(rig, "explain", one.id)
    assert "goes through telnyx" in why
    assert "twilio" in why
    assert "another gateway is next" in why or "its circuit is open" in why

    rig.back("twilio")
    rig.away("telnyx")
    after = book_all(scene, 12)
    all_get(scene, after)
    assert counts(rig, after) == {"twilio": 12, "telnyx": 0, "vonage": 0}
    assert status(rig, "twilio")["state"] in {"limited", "closed"}
    rig.back("telnyx")
    scene.books.settle(step=5)
    assert [len(scene.texts(person.number)) for person in before + during + after] == [1] * 27
    assert scene.books.states() == {"delivered": 27}


@ON_SQLITE
def test_gateway_that_dies_with_texts_under_way_loses_none_and_doubles_none(rig: SeveralGateways, scene: Scene) -> None:
    rig.twilio.receipts.arm("silent", times=None)  # no receipt tells either
    rig.faults.arm("twilio.messages.create", "accept_then_timeout", times=2, seconds=0.1)
    rig.faults.arm("twilio.messages.create", "timeout", times=2, seconds=0.1)
    people = book_all(scene, 6)
    rig.while_time_passes(lambda: scene.books.states()["unknown"] == 4, "nobody knows of four", step=0)
    rig.away("twilio")
    more = book_all(scene, 6)
    all_get(scene, more)
    rig.back("twilio")
    rig.push(minutes=4)
    all_get(scene, people)
    scene.books.settle(step=10)
    assert [len(scene.texts(person.number)) for person in people + more] == [1] * 12
    assert scene.books.states() == {"delivered": 12}


@ON_SQLITE
def test_stop_to_the_number_of_one_gateway_is_answered_there_and_stops_texts_through_all(
    rig: SeveralGateways, scene: Scene
) -> None:
    person = scene.person()
    scene.book(person)
    scene.gets(person.number, "your demo")
    with scene.program() as program:
        program.opt_in(person.number, scope="marketing", wording="Texts about offers, please")
        program.send(person.number, "4711 is your code", purpose="otp")
        scene.gets(person.number, "4711")
        scene.write(person.number, "STOP", gateway="vonage")
        eventually(lambda: len(rig.by("vonage", person.number)) == 2, "the STOP is answered")
        program.send(person.number, "Half price until Friday", purpose="marketing")
        program.send(person.number, "Your parcel is on its way")
    scene.book(person, "Another deal")
    scene.books.settle()
    assert {slug: len(rig.by(slug, person.number)) for slug in SENDERS} == {"twilio": 1, "telnyx": 0, "vonage": 2}
    assert scene.books.suppressed() == {person.number}
    assert scene.books.states()["suppressed"] == 2
    assert scene.flag(person) == "true"


@ON_SQLITE
def test_operators_see_a_gateway_that_takes_texts_and_delivers_none(rig: SeveralGateways, scene: Scene) -> None:
    with scene.program() as program:
        for said in ("before", "after"):
            program.send_many([Text(scene.number(), f"Sent {said}", sender=SENDERS["telnyx"]) for _ in range(12)])
            rig.while_time_passes(lambda: scene.books.states()["queued"] == 0, f"all are sent {said}")
            if said == "before":
                rig.while_time_passes(lambda: scene.books.states()["delivered"] == 12, "the receipts are heard")
                well = status(rig, "telnyx")
                rig.world("telnyx").outages.add("+1")
    rig.while_time_passes(lambda: scene.books.states()["sent"] == 12, "texts are under way")
    rig.push(minutes=10)
    ill = status(rig, "telnyx")
    assert (well["sent"], well["delivered"]) == (12, 12)
    assert (ill["sent"], ill["delivered"]) == (24, 12)
    assert ill["delivery_rate"] < 0.8 < well["delivery_rate"]
    assert ill["state"] == "closed", "it answers well: only what it delivers is told to be bad"
    shown = ask(rig, "route", "explain", "--to", scene.number(), "--json")
    assert json.loads(shown)["gateway"] == "twilio"
