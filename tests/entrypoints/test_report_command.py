"""Does `smsctl report journey` show people and programs how a journey fares?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector
from connector.domain.message import MessageState
from connector.entrypoints.cli import cli
from connector.entrypoints.cli import report as report_command
from connector.errors import ConfigurationError
from connector.ports.enrollments import EnrollmentRow
from connector.ports.reports import PeopleCount, ReasonCount
from connector.services.journey_report import JourneyReport, JourneyReporter
from connector.services.journey_versions import JourneyVersions
from connector.settings import read_settings
from tests.adapters.store.factories import a_message, an_account
from tests.entrypoints.environment import set_environment
from tests.services.test_journey_report import Figures
from tests.services.test_splits import Trial, a_journey

ROOT = Path(__file__).parents[2]


@pytest.fixture
def portal(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger with one account, in which two people entered a journey: one got a text, one is held."""
    for name in ("mappings", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    set_environment(monkeypatch, tmp_path, redis_url)
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    account = an_account(external_id="12345")
    with connector.ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    now = connector.clock.now()
    sent = {"state": MessageState.DELIVERED, "sent_at": now, "cost": Decimal("0.0083"), "currency": "USD"}
    _enter(connector, account.id, "ann", now, sent)
    _enter(connector, account.id, "bob", now, {"state": MessageState.HELD, "state_reason": "window is closed [night]"})
    connector.ledger.close()
    return account.external_id


def _enter(connector: Connector, account_id: str, contact: str, now: datetime, text: Mapping[str, Any]) -> None:
    enrollment = EnrollmentRow(
        id=f"e-{contact}", account_id=account_id, contact_id=contact, journey="demo-booked", journey_version_id="v",
        key=contact, epoch=0, subject="deal:1", status="live", state={"run": {"cursor": "steps[0]"}},
        started_at=now - timedelta(days=2),
    )  # fmt: skip
    message = a_message(
        account_id, contact_id=contact, enrollment_id=enrollment.id, journey="demo-booked", step="steps[0]", **text
    )
    with connector.ledger.begin() as uow:
        assert uow.enrollments.add(enrollment)
        assert uow.messages.add(message)
        uow.commit()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", "journey", *arguments], env={"COLUMNS": "200"})


def test_programs_get_the_whole_report(portal: str) -> None:
    (found,) = json.loads(run("demo-booked", "--json").output)
    assert found["account"] == {"crm": "hubspot", "id": portal}
    assert (found["entered"], found["people"]["texted"], found["cost"]) == (2, 1, {"USD": "0.0083"})
    assert found["held_or_lost"] == [{"state": "held", "reason": "window is closed [night]", "texts": 1}]


def test_people_get_tables_with_every_reason_as_it_was_written(portal: str) -> None:
    printed = run("demo-booked").output
    assert f"demo-booked in hubspot {portal}, since " in printed
    assert "2 entered, 2 are in it now, 0 ended; 1 got a text: 0.0% replied" in printed
    assert "1 SMS segments sent, cost 0.0083 USD" in printed
    assert "window is closed [night]" in printed


def test_a_period_may_be_written_short_or_long(portal: str) -> None:
    assert json.loads(run("demo-booked", "--json", "--since", "1d").output)[0]["entered"] == 0
    assert json.loads(run("demo-booked", "--json", "--since", "3 days").output)[0]["entered"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo-booked", "--since", "soon"], "--since: 'soon' is not a duration"),
        (["demo-boked"], "no account has a journey demo-boked"),
    ],
)
def test_a_mistake_is_named(portal: str, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, ConfigurationError)
    assert said in str(result.exception)


def printed(found: JourneyReport) -> str:
    told = StringIO()
    report_command.show(Console(width=160, file=told), found)
    return told.getvalue()


def test_a_split_is_shown_with_its_arms_and_when_it_was_decided(tmp_path: Path) -> None:
    trial = Trial(tmp_path, a_journey())
    trial.enter("friendly", 60, hits=30)
    trial.enter("firm", 60, hits=6)
    figures = Figures(people_=PeopleCount(120, 36, 0, 0), reasons_=[ReasonCount("held", "cap", 1)])
    reporter = JourneyReporter(trial.stage.ledger, figures, cast("JourneyVersions", trial.published), trial.stage.clock)
    (before,) = reporter.report("welcome", timedelta(days=30))
    assert "not decided: friendly has 0 of 40 people" in printed(before)
    trial.stage.pass_time(days=3)
    trial.judge.judge_due()
    (after,) = reporter.report("welcome", timedelta(days=30))
    text = printed(after)
    assert "Split tone, by reply rate" in text
    assert "50.0%" in text
    assert "friendly won on 2026-11-23 14:00 UTC; new contacts get it" in text
    trial.stage.close()
