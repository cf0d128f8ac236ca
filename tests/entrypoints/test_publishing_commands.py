"""Do the commands that put journeys in service and out of it say what they did, and to whom?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector
from connector.entrypoints.cli import cli
from connector.errors import ConfigurationError
from connector.settings import read_settings
from tests.adapters.store.factories import an_account
from tests.entrypoints.environment import set_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("mappings", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for path in (tmp_path / "mappings/journeys").iterdir():
        if path.stem != "demo-booked":
            path.unlink()
    set_environment(monkeypatch, tmp_path, redis_url)
    return tmp_path


@pytest.fixture
def accounts(folder: Path) -> list[str]:
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    portals = ["12345", "67890"]
    with connector.ledger.begin() as uow:
        for portal in portals:
            uow.accounts.add(an_account(external_id=portal))
        uow.commit()
    connector.ledger.close()
    return portals


def run(*arguments: str, status: int = 0) -> str:
    """What a command prints; its exit status must be the one said."""
    result = CliRunner().invoke(cli, arguments)
    if isinstance(result.exception, ConfigurationError):
        assert status == 1, result.exception
        return str(result.exception)
    assert result.exit_code == status, (result.output, result.exception)
    return result.output


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "mappings/journeys/demo-booked.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def parsed(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_publishing_tells_each_account_what_became_of_each_journey(folder: Path, accounts: list[str]) -> None:
    first = run("publish", "--by", "sam").splitlines()
    assert first == [
        "hubspot account 12345",
        "  demo-booked  published    version 1",
        "hubspot account 67890",
        "  demo-booked  published    version 1",
    ]
    assert "unchanged    version 1" in run("publish")


def test_one_account_can_be_meant(folder: Path, accounts: list[str]) -> None:
    run("publish", "--account", "67890")
    assert [each["version"] for each in parsed("status")["journeys"]] == [None, 1]
    assert "known are 12345, 67890" in run("publish", "--account", "1", status=1)


def test_a_mistake_is_told_and_the_others_are_published(folder: Path, accounts: list[str]) -> None:
    path = folder / "mappings/journeys/welcome.yaml"
    path.write_text("journey: welcome\n", encoding="utf-8")
    told = run("publish", status=1)
    assert "demo-booked  published" in told
    assert f"welcome      broken       it stays off; {path}:1:1" in told
    assert "smsctl check" in told


def test_a_release_with_a_mistake_publishes_nothing(folder: Path, accounts: list[str]) -> None:
    edit(folder, "purpose:", "porpoise:")
    told = run("release", status=1)
    assert "porpoise" in told
    assert "nothing was published" in told
    assert "never published" in run("versions", "demo-booked", status=1)


def test_a_release_publishes_what_has_changed(folder: Path, accounts: list[str]) -> None:
    run("release", "--by", "v1")
    edit(folder, "title: Demo", "title: New demo")
    assert run("release", "--by", "v2").count("published    version 2 instead of version 1") == 2


def test_a_release_before_the_first_account_says_that_nothing_is_to_do(folder: Path) -> None:
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    connector.ledger.close()
    assert "there is no account yet" in run("release")


def test_a_rollback_is_one_command_and_versions_tell_who_did_what(folder: Path, accounts: list[str]) -> None:
    run("publish", "--by", "sam")
    edit(folder, "title: Demo", "title: New demo")
    run("publish", "--by", "kim")
    assert "demo-booked  rolled back  version 1 instead of version 2" in run("rollback", "demo-booked", "--by", "lee")
    told = parsed("versions", "demo-booked", "--account", "12345")
    assert [(each["action"], each["version"], each["by"], each["in_service"]) for each in told] == [
        ("publish", 1, "sam", False),
        ("publish", 2, "kim", False),
        ("rollback", 1, "lee", True),
    ]
    assert "in service, 0 people on it" in run("versions", "demo-booked", "--account", "12345")
    assert "withheld" in run("publish")


def test_what_one_account_lacks_stops_nothing_for_the_others(folder: Path, accounts: list[str]) -> None:
    run("publish", "--account", "12345")
    told = run("retire", "demo-booked")
    assert "account 67890: demo-booked is not in service" in told
    assert "people in it finish on version 1" in told
    assert "nothing was done" in run("retire", "demo-booked", status=1)


def test_a_difference_shows_header_steps_and_texts(folder: Path, accounts: list[str]) -> None:
    run("publish", "--account", "12345")
    assert "as published (version 1)" in run("diff", "demo-booked", "--account", "12345")
    edit(folder, "title: Demo", "title: New demo")
    edit(folder, "within: 3 days", "within: 2 days")
    text = folder / "templates/demo-booked/confirmation.de.txt.j2"
    text.write_text(text.read_text(encoding="utf-8").replace("Hallo", "Guten Tag"), encoding="utf-8")
    told = run("diff", "demo-booked", "--account", "12345")
    assert "differs from version 1" in told
    assert "  title:\n      - Demo confirmation\n      + New demo confirmation" in told
    assert "  step steps[1]: within\n      - 3 days\n      + 2 days" in told
    assert "text demo-booked/confirmation.de.txt.j2" in told
    assert "Guten Tag" in told
    assert "not in service" in run("diff", "--account", "67890")
    assert parsed("diff", "--account", "12345")[0]["differences"]["header"][0]["where"] == "title"


def test_a_broken_file_cannot_be_compared(folder: Path, accounts: list[str]) -> None:
    edit(folder, "purpose:", "porpoise:")
    assert "demo-booked cannot be compared" in run("diff", "demo-booked", status=1)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["publish", "--move", "a=b"], "needs the one journey"),
        (["publish", "demo-booked", "--move", "a"], "expected OLD=NEW"),
        (["publish", "demo-bookd"], "there is no journey file demo-bookd.yaml; there are demo-booked"),
        (["rollback", "demo-booked"], "nothing was done"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, accounts: list[str], arguments: list[str], why: str) -> None:
    assert why in run(*arguments, status=1)


def test_moving_tells_how_many_moved(folder: Path, accounts: list[str]) -> None:
    run("publish")
    edit(folder, "title: Demo", "title: New demo")
    assert run("publish", "--move", "all").count("0 moved, 0 stay") == 2


def test_every_publishing_command_explains_itself() -> None:
    for name in ("publish", "rollback", "retire", "release", "diff", "versions"):
        command = cli.commands[name]
        assert isinstance(command, click.Command)
        assert command.help


def test_an_account_edits_a_journey_of_its_own_and_the_other_keeps_the_shared_one(
    folder: Path, accounts: list[str]
) -> None:
    run("publish")
    own = folder / "own"
    assert f"publish --own {own} --account 12345" in run(
        "export", "demo-booked", "--account", "12345", "--to", str(own)
    )
    text = own / "templates/demo-booked/confirmation.txt.j2"
    text.write_text(text.read_text(encoding="utf-8") + " Bring the plans.", encoding="utf-8")
    assert "No mistakes" in run("check", "--own", str(own))
    assert "Bring the plans." in run("diff", "--own", str(own), "--account", "12345")
    assert "published    version 2 instead of version 1" in run("publish", "--own", str(own), "--account", "12345")
    edit(folder, "journey: demo-booked\n", "journey: demo-booked\n# newer\n")
    told = run("release")
    assert "demo-booked  own          version 2 the account runs its own version 2" in told
    assert "demo-booked  published    version 2 instead of version 1" in told


def test_mistakes_in_own_files_are_shown_where_they_stand_and_publish_nothing(
    folder: Path, accounts: list[str]
) -> None:
    run("publish")
    own = folder / "own"
    run("export", "demo-booked", "--account", "12345", "--to", str(own))
    text = own / "templates/demo-booked/confirmation.txt.j2"
    text.write_text("Hi {{ contact.frist_name }}", encoding="utf-8")
    told = run("check", "--own", str(own), status=1)
    assert f"{text}:1:7" in told
    assert "1 | Hi {{ contact.frist_name }}" in told
    told = run("publish", "--own", str(own), "--account", "12345", status=1)
    assert "broken       version 1 version 1 runs on" in told


def test_an_own_text_that_no_own_journey_uses_is_a_mistake_and_not_dropped_unseen(
    folder: Path, accounts: list[str]
) -> None:
    run("publish")
    own = folder / "own"
    run("export", "demo-booked", "--account", "12345", "--to", str(own))
    assert "No mistakes" in run("check", "--own", str(own))
    text = own / "templates/demo-booked/confirmatoin.txt.j2"
    text.write_text("Hi", encoding="utf-8")
    told = run("check", "--own", str(own), status=1)
    assert str(text) in told
    assert "no journey of the account's own uses this text" in told


def test_own_files_need_the_account_whose_own_they_become(folder: Path, accounts: list[str]) -> None:
    (folder / "own").mkdir()
    assert "--own needs --account" in run("publish", "--own", str(folder / "own"), status=1)
    assert "there is no journey file" in run("check", "--own", str(folder / "own"), status=1)
