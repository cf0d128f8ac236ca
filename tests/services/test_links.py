"""Every recipient has a link of their own; the first tap of a person is told to everyone who waits for it, once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.domain.message import MessageState
from connector.domain.short_links import is_code
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.enrollments import EnrollmentRow
from connector.ports.links import ShortLinkRow
from connector.ports.messages import MessageRow
from connector.services.links import LinkDesk, LinkWriter, link_rows
from tests.services.stage import START, Stage

ACCOUNT = "account-1"
URL = "https://pay.example.com/i/7"


class Scene:
    """A text with a link, in an enrollment."""

    def __init__(self, stage: Stage, **changes: Any) -> None:
        self.stage, self.desk = stage, LinkDesk(stage.ledger)
        self.enrollment = EnrollmentRow(
            id=stage.ledger.new_id(), account_id=ACCOUNT, contact_id=stage.lea.id, journey="deal-won",
            journey_version_id="v", key="k", epoch=1, subject="deal:7", status="live", state={}, started_at=START,
            due_at=START + timedelta(days=9),
        )  # fmt: skip
        with stage.ledger.begin() as uow:
            assert uow.enrollments.add(self.enrollment)
            uow.commit()
        self.message = stage.add_message(MessageState.DELIVERED, enrollment_id=self.enrollment.id, **changes)
        self.payment, self.help = self.add_links(self.message, "payment", "help")

    def add_links(self, message: MessageRow, *names: str) -> list[ShortLinkRow]:
        make = LinkWriter("https://go.example.com", random.Random(7 + len(message.id)).randrange).maker(
            "deal-won", "pay"
        )
        rows = link_rows(message, [make(name, URL) for name in names], self.stage.ledger.new_id)
        with self.stage.ledger.begin() as uow:
            uow.links.add(rows)
            uow.commit()
        return rows

    def tap(self, link: ShortLinkRow, *, is_person: bool = True) -> None:
        self.stage.pass_time(minutes=1)
        with self.stage.ledger.begin() as uow:
            self.desk.note(uow, link, self.stage.clock.at, is_person=is_person)
            uow.commit()

    def clicks(self) -> list[TimelineEntry]:
        with self.stage.ledger.begin(write=False) as uow:
            entries = uow.timeline.of_message(ACCOUNT, self.message.id)
        return [entry for entry in entries if entry.kind is EntryKind.LINK_CLICKED]

    def is_awake(self) -> bool:
        with self.stage.ledger.begin(write=False) as uow:
            return uow.enrollments.due_count(self.stage.clock.now()) == 1

    def learned(self) -> bool:
        with self.stage.ledger.begin(write=False) as uow:
            habits = uow.habits.of(ACCOUNT, self.stage.lea.id, "US")
        return any(habits.own.values())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def scene(stage: Stage) -> Scene:
    return Scene(stage)


def test_a_link_is_short_its_own_and_says_who_sent_it() -> None:
    make = LinkWriter("https://go.example.com/", random.Random(7).randrange).maker("deal-won", "pay")
    one, two = make("payment", URL), make("payment", URL)
    assert one.address == f"https://go.example.com/l/{one.code}"
    assert is_code(one.code)
    assert one.code != two.code
    assert parse_qs(urlsplit(one.url).query) == {
        "utm_source": ["sms"],
        "utm_medium": ["sms"],
        "utm_campaign": ["deal-won"],
        "utm_content": ["pay"],
    }


def test_a_link_is_found_by_its_code_and_by_nothing_else(scene: Scene) -> None:
    assert scene.desk.find(scene.payment.code) == scene.payment
    assert scene.desk.find(scene.payment.code.swapcase()) is None
    assert scene.desk.find("22222222222") is None
    assert scene.desk.find("'; drop table") is None


def test_the_first_tap_is_told_to_the_trace_and_the_journey_that_waits(scene: Scene) -> None:
    scene.tap(scene.payment)
    (entry,) = scene.clicks()
    assert (entry.summary, entry.data) == ("contact followed the link payment", {"link": "payment"})
    assert (entry.contact_id, entry.enrollment_id) == (scene.stage.lea.id, scene.enrollment.id)
    assert scene.is_awake()
    assert "journeys" in scene.stage.nudged


def test_the_first_tap_is_noted_beside_the_texts_state_and_shown_in_the_crm(scene: Scene) -> None:
    scene.stage.drain()
    scene.tap(scene.payment)
    assert scene.stage.message(scene.message.id).clicked_at == scene.stage.clock.at
    assert "writeback:hubspot" in scene.stage.nudged
    assert scene.stage.drain() == 1
    assert "clicked 14:0" in scene.stage.crm.bodies()[0]


def test_a_second_tap_is_no_news(scene: Scene) -> None:
    scene.tap(scene.payment)
    first = scene.stage.message(scene.message.id).clicked_at
    scene.stage.drain()
    scene.tap(scene.payment)
    assert len(scene.clicks()) == 1
    assert scene.stage.message(scene.message.id).clicked_at == first
    assert scene.stage.drain() == 0


def test_each_link_of_a_text_has_its_own_first_tap(scene: Scene) -> None:
    scene.tap(scene.payment)
    scene.tap(scene.help)
    assert [entry.data["link"] for entry in scene.clicks()] == ["payment", "help"]


def test_a_program_that_looks_first_is_nobody_and_the_person_after_it_is_the_first(scene: Scene) -> None:
    scene.tap(scene.payment, is_person=False)
    assert scene.clicks() == []
    assert scene.stage.message(scene.message.id).clicked_at is None
    assert not scene.is_awake()
    scene.tap(scene.payment)
    assert len(scene.clicks()) == 1


def test_a_tap_tells_at_which_hours_people_answer(stage: Stage) -> None:
    scene = Scene(stage, msisdn="+442079460143")  # one clock for all of the United Kingdom
    scene.tap(scene.payment)
    assert scene.learned()


def test_the_tap_of_an_owner_is_not_the_contacts(stage: Stage) -> None:
    scene = Scene(stage, recipient="owner")
    scene.tap(scene.payment)
    (entry,) = scene.clicks()
    assert entry.contact_id is None
    assert entry.summary == "owner followed the link payment"
    assert not scene.learned()
    assert scene.is_awake()


def test_neither_code_nor_address_is_on_the_timeline(scene: Scene) -> None:
    scene.tap(scene.payment)
    told = repr(scene.clicks())
    assert scene.payment.code not in told
    assert "pay.example.com" not in told


def test_a_link_whose_text_is_gone_still_leads_somewhere_and_tells_nobody(scene: Scene) -> None:
    lost = replace(scene.payment, id="link-9", code="99999999999", message_id="gone")
    with scene.stage.ledger.begin() as uow:
        uow.links.add([lost])
        uow.commit()
    assert scene.desk.find("99999999999") == lost
    scene.tap(lost)
    assert scene.clicks() == []


def test_a_link_whose_address_was_erased_leads_nowhere(scene: Scene) -> None:
    assert scene.desk.find(scene.payment.code) == scene.payment
    with scene.stage.ledger.begin() as uow:
        uow.contacts.purge(ACCOUNT, "51", START)
        uow.commit()
    assert scene.desk.find(scene.payment.code) is None
    assert scene.desk.find("22222222222") is None


def test_a_text_that_was_made_before_keeps_its_links(scene: Scene) -> None:
    with scene.stage.ledger.begin(write=False) as uow:
        assert [link.name for link in uow.links.of_message(scene.message.id)] == ["help", "payment"]
