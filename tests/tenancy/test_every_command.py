"""Does any command that is told one account show or change what is another's?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connector.entrypoints.cli import cli
from connector.errors import ConfigurationError
from tests.tenancy.commands import COMMANDS, OF_EVERYBODY, commands, option_of_account
from tests.tenancy.house import House
from tests.tenancy.house import house as open_house
from tests.tenancy.outside import Outside, outside
from tests.tenancy.owners import ALDER, BIRCH, OWN, SHARED, Owner
from tests.tenancy.telling import leaked

NOT_BY_ID = {
    "backtest": "plays a journey's file, and journeys of an account's own have none",
    "diff": "likewise",
    "publish": "likewise",
    "rollback": "goes back to an earlier version, and there is one",
}
"""Commands that refuse even the owner what `filling.py` has put there, and why."""

PAIRS = [(ALDER.hubspot, BIRCH.hubspot), (ALDER.salesforce, BIRCH.salesforce)]


@pytest.fixture(scope="module")
def world() -> Iterator[Outside]:
    with outside() as found:
        yield found


@pytest.fixture
def house(world: Outside, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with open_house(world, tmp_path, redis_url, monkeypatch) as made:
        yield made


def test_every_command_is_known() -> None:
    told_an_account = {name for name, command in commands() if option_of_account(command)}
    assert told_an_account == set(COMMANDS)
    assert {name for name, _ in commands()} - told_an_account == set(OF_EVERYBODY)


@pytest.mark.parametrize("key", [OWN, SHARED])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_told_one_account_shows_and_changes_nothing_of_another(
    house: House, tmp_path: Path, name: str, key: str
) -> None:
    command = COMMANDS[name]
    for mine, theirs in ((mine, theirs) for mine, theirs in PAIRS if command.is_for(mine)):
        if command.status:
            _set_status(house, mine, command.status)
        words = [*command.words(house.kept(theirs, key), tmp_path)]
        with house.looking():
            result = run(name, mine, words)
        said = f"{result.output}\n{result.exception}"
        assert not leaked(BIRCH, said, asked=" ".join(words))
        if key == OWN:
            kind = ConfigurationError if command.is_refused else type(None)
            assert isinstance(result.exception, kind), said
    written = [path.read_text(encoding="utf-8") for path in (tmp_path / "own").rglob("*") if path.is_file()]
    assert not leaked(BIRCH, written)


def run(name: str, owner: Owner, words: list[str]) -> Result:
    option = option_of_account(dict(commands())[name])
    return CliRunner().invoke(cli, [*name.split(), option, owner.external_id, *words])


def _set_status(house: House, owner: Owner, status: str) -> None:
    with house.connector.ledger.begin() as uow:
        uow.accounts.set_status(owner.account_id, status, "")
        uow.commit()


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.is_refused])
def test_the_owner_is_served_where_others_are_refused(house: House, tmp_path: Path, name: str) -> None:
    """Without this the test above would pass by asking for what nobody has."""
    owner = BIRCH.hubspot
    result = run(name, owner, [*COMMANDS[name].words(house.kept(owner), tmp_path)])
    assert (result.exit_code != 0) == (name in NOT_BY_ID), f"{result.output}\n{result.exception}"
