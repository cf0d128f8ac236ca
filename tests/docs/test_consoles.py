"""Do the commands that pages show really print what the pages say?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector
from connector.settings import read_settings
from tests.docs.markdown import ROOT, pages
from tests.docs.playing import commands_of, is_as_said, lay_out_what_is_shown, lay_out_what_ships, run
from tests.services.theatre import REMINDER, Theatre

_PLAYED = [page for page in pages() if any(commands_of(page))]
_OF_THE_LEDGER = (
    "backtest",
    "publish",
    "rollback",
    "retire",
    "release",
    "diff",
    "versions",
    "status",
    "explain",
    "report",
)


@pytest.fixture
def folder(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to type commands in, with settings."""
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://sms.example.com",
        "SECRET_KEYS": "k" * 32,
        "GATEWAY": "null",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def theatre(folder: Path) -> Iterator[Theatre]:
    """The demo's portal, as far as pages tell of it: an account, some people and deals, and a ledger an hour ago."""
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    connector.ledger.close()
    found = Theatre(folder / "theatre", f"sqlite:///{folder}/ledger.sqlite3", {"reminder": REMINDER})
    found.clock.at = datetime.now(UTC) - timedelta(hours=1)
    found.crm.labels["deal"]["closedwon"] = "Closed won"
    for contact, first, last, deal, name, amount in (
        ("102", "Maya", "Lindqvist", "107", "Studio website", "4800"),
        ("104", "Priya", "Sundaram", "108", "Bookshop tills", "2650"),
    ):
        known = {"firstname": first, "lastname": last, "mobilephone": f"+12025550{contact}", "country": "US"}
        found.crm.put("contact", id=contact, hubspot_owner_id="7", **known)
        found.crm.put("deal", [contact], id=deal, dealname=name, dealstage="demo", amount=amount, hubspot_owner_id="7")
    yield found
    found.close()


def a_deal_is_won(theatre: Theatre) -> None:
    theatre.deal_moves("107", "closedwon")
    theatre.work()


def a_deal_is_won_and_the_customer_answers_no(theatre: Theatre) -> None:
    theatre.pass_time(minutes=30)
    theatre.deal_moves("108", "closedwon")
    theatre.work()
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=5)
    theatre.reply("No", "+12025550104")
    theatre.work()


def two_deals_are_won(theatre: Theatre) -> None:
    a_deal_is_won(theatre)
    a_deal_is_won_and_the_customer_answers_no(theatre)


SCENES: Mapping[str, Callable[[Theatre], None]] = {
    "Maya's deal was won before anything was published": a_deal_is_won,
    "two deals are won": two_deals_are_won,
    "Priya's deal is won and she answers NO": a_deal_is_won_and_the_customer_answers_no,
}


@pytest.mark.parametrize("page", _PLAYED, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_print_what_it_says(page: Path, folder: Path, request: pytest.FixtureRequest) -> None:
    lay_out_what_ships(page, folder)
    theatre: Theatre | None = None
    if any(said.command.split()[1] in _OF_THE_LEDGER for said in commands_of(page)):
        theatre = request.getfixturevalue("theatre")
        run("smsctl publish", folder)
    line = 0
    for said in commands_of(page):
        lay_out_what_is_shown(page, folder, line, said.fence.line)
        line = said.fence.line
        if said.scene:
            assert theatre is not None
            SCENES[said.scene](theatre)
        printed = run(said.command, folder)
        assert is_as_said(printed, said.output), f"{said.fence}: {said.command}\n{printed}"


def test_every_scene_is_played() -> None:
    assert {said.scene for page in _PLAYED for said in commands_of(page)} - {""} == SCENES.keys()


def test_a_line_that_is_not_printed_is_noticed_and_an_ellipsis_stands_for_what_varies() -> None:
    printed = "one\ntwo at 10:15\nthree\nfour\n"
    assert is_as_said(printed, "one\ntwo at …\n…\nfour\n")
    assert is_as_said(printed, "…")
    assert not is_as_said(printed, "one\ntwo at …\nfour\n")
    assert not is_as_said(printed, "one\n…\nfive\n")
