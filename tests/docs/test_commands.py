"""Does every command that the documentation tells people to type exist, and is every command documented?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from connector.entrypoints.cli import cli
from tests.docs.markdown import ROOT, anchors, commands, pages

COMMANDS_PAGE = ROOT / "docs/reference/commands.md"


def _typed() -> list[tuple[str, str]]:
    return sorted({(str(page.relative_to(ROOT)), said) for page in pages() for said in commands(page)})


def _problem(said: str) -> str | None:
    """Say what is wrong with the words after `smsctl`, if anything is."""
    words = shlex.split(said)
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        names = words.pop(0).split("|")
        if unknown := [name for name in names if name not in command.commands]:
            return f"there is no command {unknown[0]}"
        command = command.commands[names[0]]
    known = {option for parameter in command.params for option in parameter.opts} | {"-h", "--help"}
    wrong = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{command.name} has no option {wrong[0]}" if wrong else None


@pytest.mark.parametrize(("page", "said"), _typed())
def test_every_command_in_the_documentation_exists(page: str, said: str) -> None:
    assert _problem(said) is None, f"{page} says: smsctl {said}"


def test_a_command_or_option_that_does_not_exist_is_noticed() -> None:
    assert _problem("frobnicate") == "there is no command frobnicate"
    assert _problem("migrate --twice") == "migrate has no option --twice"
    assert _problem("migrate") is None


def _names(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _names(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


@pytest.mark.parametrize("name", list(_names(cli)))
def test_every_command_has_its_section(name: str) -> None:
    assert f"smsctl-{name.replace(' ', '-')}" in anchors(COMMANDS_PAGE)
