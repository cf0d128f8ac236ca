"""How does an operator work off the texts that wait for a person: look at them, send them again, drop them?"""

from __future__ import annotations

import getpass
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import click
from rich.console import Console

from connector.bootstrap import Connector, build_connector
from connector.entrypoints.cli.chosen_account import account_of
from connector.entrypoints.cli.dead_letter_text import count_of, letter_json, list_json, print_letter, print_letters
from connector.entrypoints.cli.periods import parse_period
from connector.errors import ConfigurationError
from connector.ports.message_filters import DeadLetterFilter
from connector.services.dead_letters import MOST, DeadLetter, Decided
from connector.settings import read_settings

_SHOWN = 50  # two screens; whoever wants more says so


@click.group()
def dlq() -> None:
    """See texts that were given up, send them again, or drop them."""


def _user() -> str:
    """Give the name of the operating system's user; containers may run under a number that has none."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):
        return "somebody without a user name"


def _which(command: Any) -> Any:
    """Give a command the options that say which dead letters are meant."""
    for option in reversed(
        (
            click.option("--provider", help="Only those whose last try went through this gateway."),
            click.option("--error", help="Only those whose last try ended with this code, or `unknown`."),
            click.option("--since", help="Only those given up within 12h, 2d, 8w or 30 days."),
            click.option("--account", "external_id", help="Portal id; all accounts when left out."),
        )
    ):
        command = option(command)
    return command


def _decision(command: Any) -> Any:
    """Give a command the options of a decision about dead letters."""
    for option in reversed(
        (
            click.argument("ids", nargs=-1),
            _which,
            click.option("--limit", type=click.IntRange(1, MOST), help=f"At most so many, the oldest first; {MOST}."),
            click.option("--by", default=_user, help="Who decides; your user name when left out."),
            click.option("--yes", is_flag=True, help="Do not ask."),
            click.option("--json", "as_json", is_flag=True, help="For programs."),
        )
    ):
        command = option(command)
    return command


@dlq.command(name="list")
@_which
@click.option("--limit", type=click.IntRange(1, MOST), default=_SHOWN, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(
    provider: str | None, error: str | None, since: str | None, external_id: str | None, limit: int, as_json: bool
) -> None:
    """List texts that wait for a decision, the oldest first; numbers are masked and bodies left out."""
    connector = build_connector(read_settings())
    letters = connector.dead_letters.find(_filter(connector, provider, error, since, external_id), limit)
    if as_json:
        click.echo(json.dumps([list_json(letter) for letter in letters], indent=2))
        return
    print_letters(Console(), letters, connector.clock.now())
    if len(letters) == limit:
        click.echo("there may be more: --limit")


@dlq.command()
@click.argument("message_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(message_id: str, as_json: bool) -> None:
    """Show one text that waits for a decision, with its number, its body and every try to send it."""
    connector = build_connector(read_settings())
    (letter,) = _named(connector, [message_id], None)
    if as_json:
        click.echo(json.dumps(letter_json(letter), indent=2))
        return
    print_letter(Console(), letter, connector.clock.now())


@dlq.command()
@_decision
@click.option("--afresh", is_flag=True, help="Give texts whose lifetime is over a new one; else they are passed over.")
def replay(ids: tuple[str, ...], by: str, yes: bool, as_json: bool, afresh: bool, **which: Any) -> None:
    """Send texts again, by IDS or those that a filter means; opt-outs, windows and caps are asked anew."""
    connector = build_connector(read_settings())
    letters = _chosen(connector, ids, **which, alive_at=None if afresh else connector.clock.now())
    if not yes:
        _confirm(letters, ids, "Send them again?")
    decided = connector.dead_letters.replay(letters, by, afresh=afresh)
    _tell(decided, letters, "queued to be sent again", connector.clock.now(), as_json=as_json, is_afresh=afresh)


@dlq.command()
@_decision
def drop(ids: tuple[str, ...], by: str, yes: bool, as_json: bool, **which: Any) -> None:
    """Be done with texts, by IDS or those that a filter means: they are never sent again."""
    connector = build_connector(read_settings())
    letters = _chosen(connector, ids, **which)
    if not yes:
        _confirm(letters, ids, "Drop them for good?")
    decided = connector.dead_letters.drop(letters, by)
    _tell(decided, letters, "dropped", connector.clock.now(), as_json=as_json, is_afresh=True)


def _chosen(
    connector: Connector,
    ids: Sequence[str],
    provider: str | None,
    error: str | None,
    since: str | None,
    external_id: str | None,
    limit: int | None,
    alive_at: datetime | None = None,
) -> Sequence[DeadLetter]:
    """Give the dead letters that are meant: the named ones, or those of a filter, but never just all of them.

    `alive_at` leaves those out of a filter's whose lifetime is over then: passed over, they would fill each call anew.
    """
    filters = (provider, error, since, limit)
    if ids and any(filters):
        raise click.UsageError("give ids or a filter, not both")
    if ids:
        return _named(connector, ids, external_id)
    if not any(filters):
        raise click.UsageError("say which texts: by their ids, or by --provider, --error, --since or --limit")
    which = replace(_filter(connector, provider, error, since, external_id), alive_at=alive_at)
    return connector.dead_letters.find(which, limit or MOST)


def _named(connector: Connector, ids: Sequence[str], external_id: str | None) -> Sequence[DeadLetter]:
    account_id = None if external_id is None else account_of(connector, external_id)
    found = {each: connector.dead_letters.get(account_id, each) for each in dict.fromkeys(ids)}
    if missing := [each for each, letter in found.items() if letter is None]:
        raise ConfigurationError("\n".join(f"no text that waits for a decision goes by {each}" for each in missing))
    return [letter for letter in found.values() if letter is not None]


def _filter(
    connector: Connector, provider: str | None, error: str | None, since: str | None, external_id: str | None
) -> DeadLetterFilter:
    return DeadLetterFilter(
        account_id=None if external_id is None else account_of(connector, external_id),
        gateway=provider,
        error_code=error,
        since=None if since is None else connector.clock.now() - parse_period(since, "--since"),
    )


def _confirm(letters: Sequence[DeadLetter], ids: Sequence[str], question: str) -> None:
    """Ask a person who did not name each text whether all that the filter means is really meant."""
    if ids or not letters or not is_terminal():
        return
    causes = Counter((letter.message.gateway, letter.message.state_reason) for letter in letters)
    click.echo(f"{count_of(len(letters))}:", err=True)
    for (gateway, reason), count in causes.most_common():
        click.echo(f"  {count:>5}  {gateway}: {reason}", err=True)
    if unsure := sum(letter.may_have_arrived for letter in letters):
        click.echo(f"nobody can tell of {unsure} of them whether they arrived", err=True)
    click.confirm(question, abort=True, err=True)


def is_terminal() -> bool:
    """Tell whether a person is there to be asked."""
    return sys.stdin.isatty()


def _tell(
    decided: Decided, letters: Sequence[DeadLetter], done: str, now: datetime, *, as_json: bool, is_afresh: bool
) -> None:
    if as_json:
        click.echo(json.dumps({"done": list(decided.done), "passed_over": list(decided.passed_over)}, indent=2))
        return
    click.echo(f"{count_of(len(decided.done))} {done}")
    passed = set(decided.passed_over)
    over = 0 if is_afresh else sum(letter.is_over(now) for letter in letters if letter.message.id in passed)
    if over:
        click.echo(f"{count_of(over)} passed over, whose time is over: --afresh gives them a new one")
    if len(passed) > over:
        click.echo(f"{count_of(len(passed) - over)} passed over: somebody else was faster")
    if len(letters) == MOST:
        click.echo("there may be more: say it again")
