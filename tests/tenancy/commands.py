"""With which words is every command called for one account with the ids of another?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from connector.entrypoints.cli import cli
from tests.tenancy.keeping import Kept
from tests.tenancy.owners import HUBSPOT, Owner

Words = Callable[[Kept, Path], Sequence[str]]
"""What is said after the command and the account: of another account's rows, with a folder for files."""

NAMES_AN_ACCOUNT = {"--account", "--external-id"}


@dataclass(frozen=True)
class Command:
    """What is known of a command that is told an account.

    Attributes:
        words: what it is told of another account's.
        is_refused: it has to fail: it was told an id.
        crm: only for accounts of this one.
        status: how the account stands before.
    """

    words: Words
    is_refused: bool = False
    crm: str = ""
    status: str = ""

    def is_for(self, owner: Owner) -> bool:
        return self.crm in {"", owner.crm}


def _says(*words: str) -> Words:
    return lambda _kept, _folder: words


def _number(kept: Kept) -> str:
    return kept.owner.number(kept.key)


def _journey(kept: Kept) -> str:
    return str(kept.rows["enrollments"].journey)


def _file(kept: Kept, folder: Path) -> str:
    path = folder / "people.csv"
    path.write_text(f"Id,Mobile,Stop\n{kept.rows['contacts'].crm_id},{_number(kept)},yes\n", encoding="utf-8")
    return str(path)


_BY = ("--by", "tester")

COMMANDS: Mapping[str, Command] = {
    "account add": Command(_says("--crm", HUBSPOT, "--token", "alder-hubspot-token"), crm=HUBSPOT),
    "account set": Command(_says("--region", "GB"), crm=HUBSPOT),
    "account remove": Command(_says(*_BY, "--without-crm"), crm=HUBSPOT),
    "account erase": Command(_says(*_BY, "--reason", "asked to"), crm=HUBSPOT, status="uninstalled"),
    "account erase-contact": Command(
        lambda kept, _: ["--contact", kept.rows["contacts"].crm_id, *_BY, "--reason", "asked to"], True, HUBSPOT
    ),
    "api-key add": Command(_says("--name", "shop", "--scope", "messages:read")),
    "api-key list": Command(_says("--json")),
    "api-key revoke": Command(lambda kept, _: [kept.rows["api_keys"].id], is_refused=True),
    "api-key callback-secret": Command(_says("--rotate")),
    "backtest": Command(lambda kept, _: [_journey(kept), "--since", "7d"], is_refused=True),
    "diff": Command(lambda kept, _: [_journey(kept)], is_refused=True),
    "dlq drop": Command(lambda kept, _: [kept.texts["dead"].id, "--yes", *_BY], is_refused=True),
    "dlq list": Command(_says("--json")),
    "dlq replay": Command(lambda kept, _: [kept.texts["dead"].id, "--yes", *_BY], is_refused=True),
    "export": Command(lambda kept, folder: [_journey(kept), "--to", str(folder / "own")], is_refused=True),
    "import contacts": Command(
        lambda kept, folder: [
            _file(kept, folder),
            "--map",
            "crm_id=Id",
            "--map",
            "number=Mobile",
            "--map",
            "opted_out=Stop",
            *_BY,
        ]
    ),
    "import list": Command(_says("--json")),
    "import show": Command(lambda kept, _: [kept.rows["imports"].id], is_refused=True),
    "import troubles": Command(lambda kept, _: [kept.rows["imports"].id], is_refused=True),
    "lookup": Command(lambda kept, _: [_number(kept), "--known"]),
    "provider test": Command(lambda kept, _: ["--provider", "null", "--to", _number(kept), "--wait", "0"]),
    "publish": Command(lambda kept, _: [_journey(kept), *_BY], is_refused=True),
    "retire": Command(lambda kept, _: [_journey(kept), *_BY], is_refused=True),
    "rollback": Command(lambda kept, _: [_journey(kept), *_BY], is_refused=True),
    "route explain": Command(lambda kept, _: ["--to", _number(kept)]),
    "salesforce setup": Command(_says("--user", "admin@alder.example.com", "--print"), crm="salesforce"),
    "send": Command(lambda kept, _: ["--to", _number(kept), "--body", "hello", "--json"]),
    "versions": Command(lambda kept, _: [_journey(kept)], is_refused=True),
    "webhook add": Command(_says("--source", "shopify")),
    "webhook list": Command(_says("--json")),
    "webhook remove": Command(_says("--source", "stripe")),
    "webhook rotate": Command(_says("--source", "stripe")),
}
"""Commands that are told an account."""

OF_EVERYBODY: Mapping[str, str] = {
    **dict.fromkeys(
        ["account list", "status", "dlq show", "explain", "account certificate", "report journey", "release"],
        "the operator looks at the whole installation",
    ),
    **dict.fromkeys(
        ["check", "docs", "preview", "schema", "simulate", "webhook test", "provider status"],
        "reads files and settings, no row of an account",
    ),
    **dict.fromkeys(["clock", "migrate", "smpp", "streams", "web", "worker"], "starts what works for every account"),
    **dict.fromkeys(["demo", "sandbox hubspot", "sandbox salesforce", "sandbox twilio"], "a pretend world of its own"),
}
"""Commands that are told none, and why; whoever may run one holds the database's password."""


def commands(group: click.Command = cli, above: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Give every command there is, by the words it is called with."""
    if not isinstance(group, click.Group):
        yield " ".join(above), group
        return
    for name, command in group.commands.items():
        yield from commands(command, (*above, name))


def option_of_account(command: click.Command) -> str:
    """Give the option by which a command is told an account; empty when it has none."""
    return next((name for each in command.params for name in each.opts if name in NAMES_AN_ACCOUNT), "")
