"""Do the commands that pages show really print what the pages say?"""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector
from connector.settings import read_settings
from tests.adapters.store.factories import an_account
from tests.docs.markdown import ROOT, pages
from tests.docs.playing import commands_of, is_as_said, lay_out, run

_PLAYED = [page for page in pages() if any(commands_of(page))]


@pytest.fixture
def folder(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to type commands in, with settings, an empty ledger and one account."""
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
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    with connector.ledger.begin() as uow:
        uow.accounts.add(an_account(external_id="12345"))
        uow.commit()
    connector.ledger.close()
    return tmp_path


@pytest.mark.parametrize("page", _PLAYED, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_print_what_it_says(page: Path, folder: Path) -> None:
    lay_out(page, folder)
    for said in commands_of(page):
        printed = run(said.command, folder)
        assert is_as_said(printed, said.output), f"{said.fence}: {said.command}\n{printed}"


def test_a_line_that_is_not_printed_is_noticed_and_an_ellipsis_stands_for_what_varies() -> None:
    printed = "one\ntwo at 10:15\nthree\nfour\n"
    assert is_as_said(printed, "one\ntwo at …\n…\nfour\n")
    assert is_as_said(printed, "…")
    assert not is_as_said(printed, "one\ntwo at …\nfour\n")
    assert not is_as_said(printed, "one\n…\nfive\n")
