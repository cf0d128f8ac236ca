"""Is an answer counted at the hour at which it came, on the clock of whoever gave it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.domain.habits import Habits
from connector.services.habits import note_answer
from tests.services.stage import NUMBER, Stage

FRIDAY_EVENING = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
TOLL_FREE = "+18005550143"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def live_in(stage: Stage, zone: str | None) -> None:
    stage.lea = replace(stage.lea, time_zone=zone)
    with stage.ledger.begin() as uow:
        uow.contacts.save(stage.lea)
        uow.commit()


def habits(stage: Stage) -> Habits:
    with stage.ledger.begin(write=False) as uow:
        return uow.habits.of("account-1", stage.lea.id, "US")


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        (None, (4, 18)),  # the number's: Washington
        ("Europe/Berlin", (5, 0)),
        ("Asia/Kolkata", (5, 5)),
        ("America/Los_Angeles", (4, 15)),
    ],
)
def test_a_reply_counts_at_its_hour_on_the_contacts_clock(
    stage: Stage, zone: str | None, hour: tuple[int, int]
) -> None:
    live_in(stage, zone)
    stage.add_message()
    stage.clock.at = FRIDAY_EVENING
    stage.receive("Yes, please")
    assert habits(stage) == Habits({hour: 1}, {hour: 1}, {hour: 1})


def test_answers_add_up_for_the_contact_its_country_and_the_account(stage: Stage) -> None:
    stage.add_message()
    stage.receive("Yes")
    stage.receive("No")
    mia = stage.add_contact("52", msisdn="+12025550144")
    stage.add_message(contact_id=mia.id, msisdn="+12025550144")
    stage.receive("Yes", from_="+12025550144")
    assert habits(stage) == Habits({(4, 9): 2}, {(4, 9): 3}, {(4, 9): 3})


@pytest.mark.parametrize("body", ["STOP", "take me off your list"])
def test_who_wants_no_texts_says_nothing_about_when(stage: Stage, body: str) -> None:
    stage.add_message()
    stage.receive(body)
    assert habits(stage) == Habits()


def test_a_reply_that_comes_twice_counts_once(stage: Stage) -> None:
    stage.add_message()
    for _ in range(2):
        stage.receive("Yes", id_="SM1")
    assert habits(stage).own == {(4, 9): 1}


def test_the_hour_of_an_owner_is_nobodys_habit(stage: Stage) -> None:
    stage.add_message(recipient="owner", msisdn="+12025550199")
    stage.receive("On my way", from_="+12025550199")
    assert habits(stage) == Habits()


@pytest.mark.parametrize("zone", ["Central Time", "../etc"])
def test_nothing_is_learned_from_a_zone_that_is_none(stage: Stage, zone: str) -> None:
    live_in(stage, zone)
    stage.add_message()
    assert stage.receive("Yes") == "reply"
    assert habits(stage) == Habits()


def test_nothing_is_learned_from_a_number_of_many_zones(stage: Stage) -> None:
    text = stage.add_message(msisdn=TOLL_FREE)
    with stage.ledger.begin() as uow:
        assert not note_answer(uow, text, FRIDAY_EVENING)
        assert not note_answer(uow, replace(text, contact_id="gone"), FRIDAY_EVENING)
        assert note_answer(uow, replace(text, msisdn=NUMBER), FRIDAY_EVENING)
