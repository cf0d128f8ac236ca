"""Does the report of a journey add up, and does it show how its splits stand?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from connector.domain.message import MessageState
from connector.errors import ConfigurationError
from connector.ports.reports import EndCount, PeopleCount, ReasonCount, TextCount
from connector.services.journey_report import JourneyReport, JourneyReporter
from connector.services.journey_versions import JourneyVersions
from tests.services.stage import START, Stage
from tests.services.test_splits import Trial, a_journey

MONTH = timedelta(days=30)
NOBODY = PeopleCount(0, 0, 0, 0)


@dataclass
class Figures:
    """Counts as given; remembers since when it was asked for."""

    ends_: Sequence[EndCount] = ()
    standing_: Sequence[tuple[str, int]] = ()
    texts_: Sequence[TextCount] = ()
    reasons_: Sequence[ReasonCount] = ()
    people_: PeopleCount = NOBODY
    since: set[datetime] = field(default_factory=set)

    def ends(self, account_id: str, journey: str, since: datetime) -> Sequence[EndCount]:
        self.since.add(since)
        return self.ends_

    def standing(self, account_id: str, journey: str) -> Sequence[tuple[str, int]]:
        return self.standing_

    def texts(self, account_id: str, journey: str, since: datetime) -> Sequence[TextCount]:
        self.since.add(since)
        return self.texts_

    def reasons(self, account_id: str, journey: str, since: datetime) -> Sequence[ReasonCount]:
        self.since.add(since)
        return self.reasons_

    def people(self, account_id: str, journey: str, since: datetime) -> PeopleCount:
        self.since.add(since)
        return self.people_

    def has_any(self, account_id: str, journey: str) -> bool:
        return journey == "retired"


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path, a_journey())


def report(trial: Trial, figures: Figures, journey: str = "welcome") -> JourneyReport:
    versions = cast("JourneyVersions", trial.published)
    (found,) = JourneyReporter(trial.stage.ledger, figures, versions, trial.stage.clock).report(journey, MONTH)
    return found


def counted(step: str, state: MessageState, texts: int, **more: object) -> TextCount:
    values: Mapping[str, object] = {
        "segments": texts, "sent": texts, "replied": 0, "clicked": 0, "opted_out": 0, "cost": Decimal(0),
        "currency": None,
    }  # fmt: skip
    return TextCount(step, state.value, texts, **{**values, **more})  # type: ignore[arg-type]


def test_who_entered_is_in_it_or_ended(trial: Trial) -> None:
    figures = Figures(
        ends_=[EndCount("live", "", 7), EndCount("ended", "says paid", 4), EndCount("ended", "", 1)],
        standing_=[("", 1), ("steps[0]", 6), ("steps[9]", 2)],
    )
    found = report(trial, figures)
    assert found.entered == 12
    assert found.ended == {"says paid": 4, "no reason is written down": 1}
    assert found.live == {"the beginning": 1, "tone": 6, "steps[9]": 2}
    assert figures.since == {START - MONTH}


def test_reasons_beyond_a_screenful_are_added_up(trial: Trial) -> None:
    figures = Figures(
        ends_=[EndCount("ended", f"reason {n}", 1) for n in range(25)],
        reasons_=[ReasonCount("held" if n % 2 else "suppressed", f"reason {n}", 2) for n in range(23)],
    )
    found = report(trial, figures)
    assert (len(found.ended), found.ended["other reasons"]) == (21, 5)
    assert found.reasons[20:] == [
        ReasonCount("suppressed", "other reasons", 4),
        ReasonCount("held", "other reasons", 2),
    ]


def test_texts_of_one_step_and_state_are_one_line_with_every_currency(trial: Trial) -> None:
    dollars, euros = {"cost": Decimal("1.50"), "currency": "USD"}, {"cost": Decimal("0.20"), "currency": "EUR"}
    figures = Figures(
        texts_=[
            counted("steps[0]", MessageState.DELIVERED, 3, replied=1, **euros),
            counted("steps[0]", MessageState.DELIVERED, 5, clicked=2, segments=10, **dollars),
            counted("steps[1]", MessageState.HELD, 2, sent=0),
            counted("steps[1]", MessageState.SENT, 1, **dollars),
        ]
    )
    found = report(trial, figures)
    first, held, _ = found.texts
    assert (first.id, first.texts, first.segments, first.replied, first.clicked) == ("tone", 8, 13, 1, 2)
    assert first.cost == {"EUR": Decimal("0.20"), "USD": Decimal("1.50")}
    assert (held.id, held.cost) == ("", {})
    assert found.cost == {"EUR": Decimal("0.20"), "USD": Decimal("3.00")}
    assert found.segments == 14


def test_rates_are_shares_of_the_people_who_got_a_text(trial: Trial) -> None:
    assert report(trial, Figures(people_=PeopleCount(40, 10, 4, 1))).rates == {
        "reply": 0.25, "click": 0.1, "opt_out": 0.025,
    }  # fmt: skip
    assert report(trial, Figures()).rates == {"reply": 0, "click": 0, "opt_out": 0}


def test_a_split_shows_its_arms_before_and_after_one_has_won(trial: Trial) -> None:
    trial.enter("friendly", 60, hits=30)
    trial.enter("firm", 60, hits=6)
    (split,) = report(trial, Figures()).to_json()["splits"]
    assert (split["winner"], split["standing"]) == (None, "friendly has 0 of 40 people")
    assert [(arm["arm"], arm["entered"], arm["people"]) for arm in split["arms"]] == [
        ("friendly", 60, 0),
        ("firm", 60, 0),
    ]
    trial.stage.pass_time(days=3)
    trial.judge.judge_due()
    (split,) = report(trial, Figures()).to_json()["splits"]
    assert (split["winner"], split["since"]) == ("friendly", trial.stage.clock.at.isoformat())
    friendly = split["arms"][0]
    assert (friendly["hits"], friendly["rate"]) == (30, 0.5)
    assert friendly["low"] < 0.5 < friendly["high"]


def test_the_report_can_be_written_as_json(trial: Trial) -> None:
    figures = Figures(texts_=[counted("steps[0]", MessageState.SENT, 1, cost=Decimal("0.0083"), currency="USD")])
    read = json.loads(json.dumps(report(trial, figures).to_json()))
    assert (read["cost"], read["texts"][0]["cost"]) == ({"USD": "0.0083"}, {"USD": "0.0083"})
    assert read["account"] == {"crm": "hubspot", "id": "1"}


def test_a_journey_that_was_taken_out_of_service_is_still_reported(trial: Trial) -> None:
    found = report(trial, Figures(standing_=[("steps[0]", 1)]), "retired")
    assert (found.splits, found.live) == ([], {"steps[0]": 1})


def test_a_journey_nobody_has_is_named_with_those_there_are(tmp_path: Path) -> None:
    trial = Trial(tmp_path, a_journey())
    with pytest.raises(ConfigurationError, match="no account has a journey welcom; in service are welcome"):
        report(trial, Figures(), "welcom")


def test_every_account_that_has_the_journey_gets_its_report(trial: Trial) -> None:
    stage: Stage = trial.stage
    stage.add_account("account-2")
    reporter = JourneyReporter(stage.ledger, Figures(), cast("JourneyVersions", trial.published), stage.clock)
    assert [each.account.id for each in reporter.report("welcome", MONTH)] == ["account-1"]
    assert [each.account.id for each in reporter.report("retired", MONTH)] == ["account-1", "account-2"]
