"""How are journeys put in service, taken back and taken out from the command line?"""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from connector.adapters.account_journeys import read_own_folder, write_own_folder
from connector.adapters.check import check, format_people
from connector.bootstrap import Connector, build_connector
from connector.errors import ConfigurationError
from connector.ports.ledger import AccountRow
from connector.services.moving_people import Moved
from connector.services.publications import Hand, JourneyFiles, Outcome, Word
from connector.settings import read_settings

_TRIES = 10  # a worker is done with an enrollment within a second or two
_SHOWN = 10  # of those who stay: enough to see why

Act = Callable[[AccountRow], Sequence[Outcome]]


def _user() -> str:
    """Give the name of the operating system's user; containers may run under a number that has none."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):
        return "somebody without a user name"


def _whose(command: Any) -> Any:
    """Give a command the options that say for whom, by whom and how."""
    for option in (
        click.option("--account", help="Portal id; every account when left out."),
        click.option("--by", default=_user, help="Who does it; your user name when left out."),
        click.option("--dry-run", is_flag=True, help="Tell what would happen, and do nothing."),
        click.option("--json", "as_json", is_flag=True, help="For programs."),
    ):
        command = option(command)
    return command


_move_option = click.option(
    "--move",
    "moves",
    multiple=True,
    metavar="OLD=NEW|all",
    help="Move people in flight too: from one step to another by id, or `all` to the same step of the new version.",
)


@click.command()
@click.argument("journeys", nargs=-1)
@click.option(
    "--own",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Publish this folder's journeys/ and templates/ for the one account of --account, as its own.",
)
@_move_option
@_whose
def publish(
    journeys: tuple[str, ...],
    own: Path | None,
    moves: tuple[str, ...],
    account: str | None,
    by: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put the journeys of the files in service, or those named; exit status 1 when one has a mistake.

    Without names, what has not changed stays as it is, and a journey whose file is gone is retired. What an account
    has of its own is left alone, unless the journey and the account are both named.
    """
    if any(move != "all" for move in moves) and len(journeys) != 1:
        raise ConfigurationError("--move OLD=NEW needs the one journey whose steps are meant; or say --move all")
    if own is not None and account is None:
        raise ConfigurationError("--own needs --account: the journeys become that account's own")
    connector = build_connector(read_settings())
    hand = Hand(by, _steps(moves), dry_run, replaces_own=account is not None)
    files = connector.journey_files() if own is None else own_files(connector, own, account)
    files.demand(journeys)
    files = files if own is None else files.only(journeys)
    act = connector.publisher.publish_own if own is not None else None
    outcomes = _each_account(
        connector,
        account,
        hand,
        lambda row: act(row.id, files, hand) if act else connector.publisher.publish(row.id, files, journeys, hand),
        as_json=as_json,
    )
    if any(outcome.word is Word.BROKEN for outcome in outcomes):
        click.echo("smsctl check shows every mistake", err=True)
        sys.exit(1)


@click.command()
@click.argument("journey")
@click.option("--account", required=True, help="Portal id.")
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder.")
def export(journey: str, account: str, folder: Path) -> None:
    """Write an account's journey, as it is in service, into a folder, to be edited and published with --own."""
    connector = build_connector(read_settings())
    row = chosen_accounts(connector, account)[0]
    with connector.ledger.begin(write=False) as uow:
        service = connector.versions.in_service(uow, row.id).get(journey)
    if service is None:
        raise ConfigurationError(f"{journey} is not in service")
    write_own_folder(folder, service.journey)
    click.echo(f"version {service.version} of {journey} is in {folder}; publish it with:")
    click.echo(f"  smsctl publish --own {folder} --account {account}")


@click.command()
@click.argument("journey")
@click.option("--to", type=int, help="Number of the version; the one before when left out.")
@_move_option
@_whose
def rollback(
    journey: str, to: int | None, moves: tuple[str, ...], account: str | None, by: str, dry_run: bool, as_json: bool
) -> None:
    """Put an earlier version of a journey in service again."""
    connector, hand = build_connector(read_settings()), Hand(by, _steps(moves), dry_run)
    _each_account(
        connector,
        account,
        hand,
        lambda row: [connector.publisher.roll_back(row.id, journey, to, hand)],
        as_json=as_json,
    )


@click.command()
@click.argument("journey")
@_whose
def retire(journey: str, account: str | None, by: str, dry_run: bool, as_json: bool) -> None:
    """Take a journey out of service; people who are in it finish."""
    connector, hand = build_connector(read_settings()), Hand(by, None, dry_run)
    _each_account(
        connector, account, hand, lambda row: [connector.publisher.retire(row.id, journey, hand)], as_json=as_json
    )


@click.command()
@click.option("--by", default=_user, help="Who does it; your user name when left out.")
def release(by: str) -> None:
    """Check every file and publish what has changed in every account; a mistake publishes nothing, exit status 1.

    For deployments, after `smsctl migrate`.
    """
    settings = read_settings()
    report = check(settings.mappings_dir, settings.templates_dir)
    if not report.is_clean:
        click.echo(format_people(report, color=sys.stdout.isatty()))
        click.echo("nothing was published", err=True)
        sys.exit(1)
    connector = build_connector(settings)
    with connector.ledger.begin(write=False) as uow:
        rows = uow.accounts.all()
    files, hand = connector.journey_files(), Hand(by)
    for row in rows:
        _show(row, connector.publisher.publish(row.id, files, (), hand))
    if not rows:
        click.echo("there is no account yet; each one starts with the journeys of the files")


def _steps(moves: Sequence[str]) -> dict[str, str] | None:
    if not moves:
        return None
    pairs = [move.partition("=") for move in moves if move != "all"]
    for old, sign, new in pairs:
        if not (old and sign and new):
            raise ConfigurationError(f"--move {old}{sign}{new}: expected OLD=NEW, two ids of steps, or all")
    return {old: new for old, _, new in pairs}


def chosen_accounts(connector: Connector, external_id: str | None) -> Sequence[AccountRow]:
    """Give every account, or the one of this portal.

    Raises:
        ConfigurationError: there is none.
    """
    with connector.ledger.begin(write=False) as uow:
        accounts = uow.accounts.all()
    chosen = [account for account in accounts if external_id in {None, account.external_id}]
    if not chosen:
        known = ", ".join(account.external_id for account in accounts)
        raise ConfigurationError(
            f"there is no account {external_id}; known are {known}"
            if known
            else "there is no account yet; add one with: smsctl account add"
        )
    return chosen


def own_files(connector: Connector, folder: Path, account: str | None) -> JourneyFiles:
    """Read a folder of an account's own journeys, held against what else the account named has."""
    account_id = None if account is None else chosen_accounts(connector, account)[0].id
    return connector.own_journey_files(read_own_folder(folder), account_id)[0]


def _each_account(
    connector: Connector, external_id: str | None, hand: Hand, act: Act, *, as_json: bool
) -> Sequence[Outcome]:
    """Act for every account meant; what one of several does not have is told and stops nothing for the others."""
    rows = chosen_accounts(connector, external_id)
    found: dict[str, list[Outcome]] = {}
    for row in rows:
        try:
            outcomes = act(row)
        except ConfigurationError as error:
            if len(rows) == 1:
                raise
            click.echo(f"{row.crm} account {row.external_id}: {error}", err=True)
            continue
        found[row.external_id] = [_wait_for_busy(connector, row, outcome, hand) for outcome in outcomes]
        if not as_json:
            _show(row, found[row.external_id], is_dry_run=hand.is_dry_run)
    if as_json:
        click.echo(json.dumps({each: [asdict(one) for one in some] for each, some in found.items()}, indent=2))
    if not found:
        raise ConfigurationError("nothing was done")
    return [outcome for outcomes in found.values() for outcome in outcomes]


def _wait_for_busy(connector: Connector, row: AccountRow, outcome: Outcome, hand: Hand) -> Outcome:
    """Move those too who were being worked at the moment everybody else was moved."""
    for _ in range(0 if hand.is_dry_run else _TRIES):
        if outcome.moved is None or not outcome.moved.busy:
            break
        time.sleep(1)
        more = connector.publisher.move(row.id, outcome.journey, hand)
        outcome = replace(outcome, moved=replace(more, moved=outcome.moved.moved + more.moved))
    return outcome


def _show(row: AccountRow, outcomes: Sequence[Outcome], *, is_dry_run: bool = False) -> None:
    click.echo(f"{row.crm} account {row.external_id}" + (" (nothing is done: --dry-run)" if is_dry_run else ""))
    width = max((len(outcome.journey) for outcome in outcomes), default=0)
    for outcome in outcomes:
        version = f"version {outcome.version} " if outcome.version is not None else ""
        line = f"  {outcome.journey:<{width}}  {outcome.word.value:<11}  {version}{outcome.why}"
        click.echo(line.rstrip())
        for warning in outcome.warnings:
            click.echo(f"    warning: {warning}")
        if outcome.moved is not None:
            _show_moved(outcome.moved)


def _show_moved(moved: Moved) -> None:
    busy = f", {moved.busy} are being worked just now: move again" if moved.busy else ""
    click.echo(f"    {moved.moved} moved, {len(moved.staying)} stay{busy}")
    for each in moved.staying[:_SHOWN]:
        click.echo(f"    stays: enrollment {each.enrollment_id} on version {each.version}: {each.why}")
    if len(moved.staying) > _SHOWN:
        click.echo(f"    and {len(moved.staying) - _SHOWN} more; --json lists all")
