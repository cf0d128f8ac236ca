"""Does a split promote the arm that is really better, once, with its evidence, and leave the others alone?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from connector.adapters.store.tables import timeline_entry
from connector.domain.journey import Enroll, Journey, Trigger
from connector.domain.message import Purpose
from connector.domain.places import Expression, Place
from connector.domain.steps import Arm, Metric, Split, Winner
from connector.domain.timeline import EntryKind
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.splits import WinnerRow
from connector.services.journey_versions import InService, JourneyVersions
from connector.services.splits import SplitJudge, _promote, split_standing, splits_of
from tests.services.stage import START, Stage

PLACE = Place("welcome.yaml", 7, 5)
WITHIN = timedelta(days=3)
WINNER = Winner(Metric.REPLY_RATE, after=40, within=WITHIN)


def a_journey(winner: Winner | None = WINNER, *arms: str) -> Journey:
    names = arms or ("friendly", "firm")
    split = Split(
        id="tone",
        path="steps[0]",
        place=PLACE,
        arms=tuple(Arm(name, 1, f"steps[0].split.arms.{name}", PLACE, ()) for name in names),
        winner=winner,
    )
    return Journey(
        id="welcome",
        title="Welcome",
        purpose=Purpose.MARKETING,
        trigger=Trigger("contact.created", PLACE),
        enroll=Enroll(Expression("contact.id", PLACE)),
        steps=(split,),
        file="mappings/journeys/welcome.yaml",
        hash="h",
        source={},
    )


class Published:
    """Journeys in service, as `JourneyVersions` gives them."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey

    def in_service(self, _uow: UnitOfWork, account_id: str) -> Mapping[str, InService]:
        return {"welcome": InService(self.journey, "v1", 1, START, "ann")} if account_id == "account-1" else {}


class Trial:
    """A stage on which people enter arms and answer."""

    def __init__(self, directory: Path, journey: Journey) -> None:
        self.stage = Stage(directory)
        self.published = Published(journey)
        self.judge = SplitJudge(self.stage.ledger, cast("JourneyVersions", self.published), self.stage.clock)
        self._people, self._text = count(), self.stage.add_message(contact_id=None)

    def enter(self, arm: str, people: int, hits: int = 0, **answer: Any) -> None:
        """Let people into an arm now; so many of them answer an hour later."""
        now = self.stage.clock.at
        answered = answer or {"replied_at": now + timedelta(hours=1)}
        with self.stage.ledger.begin() as uow:
            for index in range(people):
                who = f"p{next(self._people)}"
                uow.splits.assign("account-1", "welcome", "tone", who, f"e-{who}", arm, now)
                text = self._text_to(who)
                assert uow.messages.add(replace(text, **answered) if index < hits else text)
            uow.commit()

    def _text_to(self, who: str) -> MessageRow:
        return replace(
            self._text, id=f"m-{who}", idempotency_key=f"k-{who}", contact_id=who, enrollment_id=f"e-{who}",
            created_at=self.stage.clock.at,
        )  # fmt: skip

    def winner(self) -> WinnerRow | None:
        with self.stage.ledger.begin(write=False) as uow:
            return uow.splits.winner("account-1", "welcome", "tone")

    def won_entries(self) -> list[Any]:
        query = select(timeline_entry).where(timeline_entry.c.kind == EntryKind.ARM_WON.value)
        with self.stage.ledger.engine.connect() as connection:
            return list(connection.execute(query))


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(tmp_path, a_journey())
    yield trial
    trial.stage.close()


def test_the_better_arm_wins_when_its_peoples_time_is_over(trial: Trial) -> None:
    trial.enter("friendly", 60, hits=30)
    trial.enter("firm", 60, hits=6)
    assert trial.judge.judge_due() == 0
    trial.stage.pass_time(days=3)
    assert trial.judge.judge_due() == 1
    won = trial.winner()
    assert won is not None
    assert (won.arm, won.at) == ("friendly", trial.stage.clock.at)
    assert won.evidence["by"] == "reply rate"
    assert won.evidence["arms"]["friendly"]["people"] == 60
    assert won.evidence["arms"]["firm"]["hits"] == 6


def test_the_timeline_says_once_who_won_and_which_line_asked_for_it(trial: Trial) -> None:
    trial.enter("friendly", 60, hits=30)
    trial.enter("firm", 60, hits=6)
    trial.stage.pass_time(days=3)
    trial.judge.judge_due()
    trial.stage.pass_time(days=3)
    assert trial.judge.judge_due() == 0
    (entry,) = trial.won_entries()
    assert entry.summary.startswith("welcome: new contacts get friendly from now on: friendly is better, ")
    assert (entry.file, entry.line, entry.path) == ("mappings/journeys/welcome.yaml", 7, "steps[0]")
    assert entry.data["arm"] == "friendly"


def test_too_few_people_decide_nothing(trial: Trial) -> None:
    trial.enter("friendly", 39, hits=39)
    trial.enter("firm", 60)
    trial.stage.pass_time(days=3)
    assert trial.judge.judge_due() == 0
    trial.enter("friendly", 1)
    trial.stage.pass_time(days=2, hours=23)
    assert trial.judge.judge_due() == 0
    trial.stage.pass_time(hours=1)
    assert trial.judge.judge_due() == 1


def test_who_answers_too_late_has_not_answered(trial: Trial) -> None:
    late = trial.stage.clock.at + WITHIN + timedelta(minutes=1)
    trial.enter("friendly", 60, hits=30, replied_at=late)
    trial.enter("firm", 60)
    trial.stage.pass_time(days=4)
    assert trial.judge.judge_due() == 0


def test_of_opt_outs_the_fewer_win(tmp_path: Path) -> None:
    trial = Trial(tmp_path, a_journey(Winner(Metric.OPT_OUT_RATE, 40, WITHIN)))
    at = trial.stage.clock.at + timedelta(hours=1)
    trial.enter("friendly", 60, hits=30, opted_out_at=at)
    trial.enter("firm", 60)
    trial.stage.pass_time(days=3)
    trial.judge.judge_due()
    won = trial.winner()
    assert won is not None
    assert won.arm == "firm"
    trial.stage.close()


def test_a_split_is_looked_at_every_five_minutes_and_not_more_often(trial: Trial) -> None:
    trial.enter("friendly", 60, hits=30)
    trial.enter("firm", 60, hits=6)
    trial.stage.pass_time(days=2, hours=23, minutes=57)
    assert trial.judge.judge_due() == 0
    trial.stage.pass_time(minutes=4)
    assert trial.judge.judge_due() == 0
    trial.stage.pass_time(minutes=1)
    assert trial.judge.judge_due() == 1


def test_a_split_that_is_decided_or_gone_is_left_in_peace_for_a_day(trial: Trial) -> None:
    trial.judge.judge_due()
    trial.published.journey = a_journey(None)
    trial.stage.pass_time(minutes=5)
    trial.judge.judge_due()
    with trial.stage.ledger.begin(write=False) as uow:
        assert not uow.polls.any_due(trial.stage.clock.at + timedelta(hours=23))
        assert uow.polls.any_due(trial.stage.clock.at + timedelta(days=1))


def test_splits_of_many_accounts_are_looked_at_some_at_a_time_and_none_is_left_out(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.services.splits._AT_ONCE", 2)
    with trial.stage.ledger.begin() as uow:
        for number in range(5):
            uow.polls.ensure(f"{number:032x}", "split:welcome:tone", trial.stage.clock.at)
        uow.commit()
    trial.judge.judge_due()
    with trial.stage.ledger.begin() as uow:
        assert uow.polls.claim(trial.stage.clock.at, trial.stage.clock.at, 10, "split") == []


def test_a_split_without_a_winner_promotes_nobody_and_can_still_be_reported(tmp_path: Path) -> None:
    trial = Trial(tmp_path, a_journey(None))
    trial.enter("friendly", 60, hits=30)
    trial.enter("firm", 60, hits=6)
    trial.stage.pass_time(days=3)
    assert trial.judge.judge_due() == 0
    journey = trial.published.journey
    split = journey.steps[0]
    assert isinstance(split, Split)
    with trial.stage.ledger.begin(write=False) as uow:
        standing = split_standing(uow, "account-1", journey, split, trial.stage.clock.at)
    assert [(arm.people, arm.hits) for arm in standing.verdict.arms] == [(60, 30), (60, 6)]
    assert standing.won is None
    trial.stage.close()


def test_an_arm_that_is_no_longer_in_the_file_cannot_win(tmp_path: Path) -> None:
    trial = Trial(tmp_path, a_journey(WINNER, "firm", "short"))
    trial.enter("friendly", 60, hits=60)
    trial.enter("firm", 60)
    trial.enter("short", 60, hits=1)
    trial.stage.pass_time(days=3)
    assert trial.judge.judge_due() == 0
    trial.stage.close()


def test_two_judges_at_once_name_one_winner(trial: Trial) -> None:
    trial.enter("friendly", 60, hits=30)
    trial.enter("firm", 60, hits=6)
    trial.stage.pass_time(days=3)
    now, journey = trial.stage.clock.at, trial.published.journey
    with trial.stage.ledger.begin() as uow:
        seen_by_both = split_standing(uow, "account-1", journey, next(splits_of(journey)), now)
        assert [_promote(uow, "account-1", seen_by_both, now) for _ in range(2)] == [True, False]
        uow.commit()
    assert len(trial.won_entries()) == 1
