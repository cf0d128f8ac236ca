"""Does `smsctl backtest` tell who would have got what, beside the version in service, from what the ledger has kept?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete

from connector.adapters.clock import SystemClock
from connector.adapters.store.tables import timeline_entry
from connector.entrypoints.cli import cli
from connector.errors import ConfigurationError
from connector.ports.consents import Mechanism
from connector.ports.ledger import UnitOfWork
from connector.services.consent import ConsentDesk, Saying
from connector.services.crm_reading import CRMReader
from connector.services.publications import Hand
from tests.adapters.store.factories import an_account
from tests.services.theatre import ACCOUNT, CONFIRMATION, NUMBER, REMINDER, START, Theatre

LATER = START + timedelta(days=5)
LAST = "  - wait: 3 days\n  - send: reminder/first"
SCHEDULED = """
journey: weekly
title: Weekly
purpose: transactional
trigger: {schedule: "0 10 * * tue", audience: everybody}
steps:
  - send: {text: "Hello there"}
"""


@pytest.fixture
def theatre(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"reminder": REMINDER})
    values = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://sms.example.com",
        "SECRET_KEYS": "k" * 32,
        "GATEWAY": "twilio",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKENS": "t" * 32,
        "TWILIO_FROM": "+12025550100",
        "MAPPINGS_DIR": str(tmp_path / "mappings"),
        "TEMPLATES_DIR": str(tmp_path / "templates"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(SystemClock, "now", lambda _: LATER)
    monkeypatch.setattr(CRMReader, "owners", lambda *_: {})
    yield theatre
    theatre.close()


def overdue(theatre: Theatre, number: str = NUMBER) -> str:
    """Let a contact's invoice fall overdue."""
    contact = theatre.lea(mobilephone=number)
    theatre.invoice(contact)
    theatre.poller.poll_due()
    theatre.work()
    return contact


def edit(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "mappings/journeys/reminder.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def run(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "140"}).invoke(cli, ["backtest", *arguments])
    if isinstance(result.exception, ConfigurationError):
        return str(result.exception)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def parsed(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_a_version_is_compared_with_the_one_in_service(theatre: Theatre, tmp_path: Path) -> None:
    overdue(theatre)
    edit(tmp_path, LAST, f"{LAST}\n    when: invoice.balance_due > 1000")
    found = parsed("reminder")
    assert found["events"] == {"read": 1, "played": 1, "unrecorded": 0}
    assert (found["edited"]["enrolled"], found["published"]["enrolled"]) == (1, 1)
    assert found["edited"]["texts"] == {"steps[0]": 1}
    assert found["published"]["texts"] == {"steps[0]": 1, "steps[2]": 1}
    assert found["edited"]["cost"] == [{"country": "US", "currency": "USD", "amount": "0.0083"}]
    (changed,) = found["difference"]["changed"].values()
    assert changed == {"published": ["steps[0]", "steps[2]"], "edited": ["steps[0]"]}


def test_people_see_the_same_in_tables(theatre: Theatre, tmp_path: Path) -> None:
    overdue(theatre)
    edit(tmp_path, LAST, f"{LAST}\n    when: invoice.balance_due > 1000")
    told = run("reminder")
    assert "reminder: 1 event read, of which 1 mattered to it." in told
    assert "texts in all" in told
    assert "By contact: the same for 0, other texts for 1, texts for the first time for 0, none any more for 0." in told


def test_who_gets_texts_for_the_first_time_or_none_any_more_is_named(theatre: Theatre, tmp_path: Path) -> None:
    overdue(theatre)
    edit(tmp_path, "balance_due >= 10", "balance_due >= 1000")
    assert "texts for the first time for 0, none any more for 1" in run("reminder")
    assert "Not enrolled" in run("reminder")
    assert list(parsed("reminder")["difference"]["only_published"].values()) == [["steps[0]", "steps[2]"]]


def test_without_a_version_in_service_there_is_nothing_to_compare_with(theatre: Theatre) -> None:
    overdue(theatre)
    theatre.publisher.retire(ACCOUNT, "reminder", Hand("sam"))
    assert "No version of it is published, so there is nothing to compare with." in run("reminder")
    found = parsed("reminder")
    assert (found["edited"]["enrolled"], found["published"], found["difference"]) == (1, None, None)


def test_a_journey_that_is_switched_off_is_played_all_the_same(theatre: Theatre, tmp_path: Path) -> None:
    overdue(theatre)
    theatre.publisher.retire(ACCOUNT, "reminder", Hand("sam"))
    edit(tmp_path, "purpose: transactional", "purpose: transactional\nenabled: no")
    assert parsed("reminder")["edited"]["enrolled"] == 1


def test_replies_come_when_they_came(theatre: Theatre) -> None:
    overdue(theatre)
    theatre.accept_all()
    theatre.pass_time(hours=1)
    theatre.reply("STOP")
    assert parsed("reminder")["published"]["texts"] == {"steps[0]": 1, "stop-confirmation": 1}


def opted_out(desk: ConsentDesk, uow: UnitOfWork, said: Saying) -> object:
    return desk.opt_out(uow, said, said.at)


def doubtful(desk: ConsentDesk, uow: UnitOfWork, said: Saying) -> object:
    return desk.doubt(uow, said, said.at)


def opted_in(desk: ConsentDesk, uow: UnitOfWork, said: Saying) -> object:
    desk.opt_out(uow, said, said.at)
    later = said.at + timedelta(minutes=1)
    return desk.opt_in(uow, replace(said, at=later, source="another test"), later)


def agreed(desk: ConsentDesk, uow: UnitOfWork, said: Saying) -> object:
    return desk.agree_to_marketing(uow, said)


@pytest.mark.parametrize(
    ("act", "days", "texts"),
    [(opted_out, 1, 1), (opted_out, -30, 0), (doubtful, 1, 2), (opted_in, -30, 2), (agreed, 1, 2)],
)
def test_what_was_said_elsewhere_counts_from_when_it_was_said(
    theatre: Theatre, act: Callable[[ConsentDesk, UnitOfWork, Saying], object], days: int, texts: int
) -> None:
    overdue(theatre)
    at, (contact,) = START + timedelta(days=days), theatre.contacts().values()
    with theatre.ledger.begin() as uow:
        said = Saying(ACCOUNT, NUMBER, Mechanism.CRM_PROPERTY, "a test", at, contact.id)
        act(ConsentDesk(theatre.ledger.new_id), uow, said)
        uow.commit()
    assert sum(parsed("reminder")["published"]["texts"].values()) == texts


def test_events_of_which_nothing_was_kept_are_counted(theatre: Theatre, tmp_path: Path) -> None:
    theatre.deal_moves(theatre.crm.put("deal", [theatre.lea()], dealname="Roof"), "demo")
    theatre.work()
    with theatre.ledger.engine.begin() as connection:
        connection.execute(delete(timeline_entry))
    (tmp_path / "mappings/journeys/confirmation.yaml").write_text(CONFIRMATION, encoding="utf-8")
    assert parsed("confirmation")["events"] == {"read": 1, "played": 0, "unrecorded": 1}
    assert "1 could not be replayed" in run("confirmation")


def test_a_journey_with_a_schedule_says_that_its_starts_are_not_played(theatre: Theatre, tmp_path: Path) -> None:
    (tmp_path / "mappings/journeys/weekly.yaml").write_text(SCHEDULED, encoding="utf-8")
    (tmp_path / "mappings/audiences.yaml").write_text(
        "audiences: {everybody: {title: All, where: contact.city == 'Leeds', find: {hubspot: [city = Leeds]}}}\n",
        encoding="utf-8",
    )
    told = "starts by schedule are not played: nobody enters weekly by it"
    assert parsed("weekly")["not_played"] == told
    assert told[1:] in run("weekly")
    assert parsed("reminder")["not_played"] == ""


def test_what_cannot_be_played_is_said(theatre: Theatre) -> None:
    assert "there is no journey remindr" in run("remindr")
    assert "--since: " in run("reminder", "--since", "soon")
    with theatre.ledger.begin() as uow:
        uow.accounts.add(an_account(external_id="67890"))
        uow.commit()
    assert "say which account with --account; known are " in run("reminder")
    assert "0 events read" in run("reminder", "--account", "67890")
