"""What would a publication change, and what was published when and by whom, on the command line?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from connector.adapters.account_journeys import read_own_folder
from connector.bootstrap import build_connector
from connector.domain.differences import Change
from connector.entrypoints.cli.publishing import chosen_accounts
from connector.errors import ConfigurationError
from connector.ports.ledger import AccountRow
from connector.services.standing import Comparison, Standing
from connector.settings import read_settings


@click.command()
@click.argument("journeys", nargs=-1)
@click.option("--account", help="Portal id; every account when left out.")
@click.option(
    "--own",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Compare an account's own files in this folder instead of the shared ones.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def diff(journeys: tuple[str, ...], account: str | None, own: Path | None, as_json: bool) -> None:
    """Show how the files differ from what is in service, and what becomes of the people in flight."""
    connector = build_connector(read_settings())
    files = connector.journey_files() if own is None else connector.own_journey_files(read_own_folder(own))[0]
    files.demand(journeys)
    for name in journeys:
        if name in files.broken:
            raise ConfigurationError(f"{name} cannot be compared: {files.broken[name]}")
    found = [
        (row, connector.comparer.compare(row.id, files.journeys[name]))
        for row in chosen_accounts(connector, account)
        for name in journeys or sorted(files.journeys)
    ]
    if as_json:
        told = [{"account": row.external_id, **asdict(each)} for row, each in found]
        click.echo(json.dumps(told, indent=2, default=dict))
        return
    for row, each in found:
        for line in _comparison(row, each):
            click.echo(line)


@click.command()
@click.argument("journey")
@click.option("--account", help="Portal id; every account when left out.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def versions(journey: str, account: str | None, as_json: bool) -> None:
    """List what was done to a journey: which version was put in or out of service, when and by whom."""
    connector = build_connector(read_settings())
    lines = []
    for row in chosen_accounts(connector, account):
        with connector.ledger.begin(write=False) as uow:
            numbers = {each.id: each.version for each in uow.versions.of_journey(row.id, journey)}
            counts = uow.enrollments.live_counts(row.id)
            history = uow.publications.history(row.id, journey)
        lines += [
            {
                "account": row.external_id,
                "at": each.at.isoformat(timespec="seconds"),
                "action": each.action.value,
                "version": numbers.get(each.journey_version_id or ""),
                "by": each.published_by,
                "in_service": each is history[-1] and each.journey_version_id is not None,
                "people": counts.get((journey, each.journey_version_id or ""), 0),
            }
            for each in history
        ]
    if not lines:
        raise ConfigurationError(f"{journey} was never published")
    if as_json:
        click.echo(json.dumps(lines, indent=2))
        return
    for line in lines:
        version = "" if line["version"] is None else f"version {line['version']}"
        now = f"in service, {line['people']} people on it" if line["in_service"] else ""
        click.echo(
            f"{line['account']}  {line['at']}  {line['action']:<8}  {version:<11}  by {line['by']}  {now}".rstrip()
        )


def _comparison(row: AccountRow, each: Comparison) -> Iterator[str]:
    title = f"{each.journey} in {row.crm} account {row.external_id}"
    if each.differences is None:
        yield f"{title}: not in service; publishing it would put it in"
    elif not each.differences:
        yield f"{title}: as published (version {each.version})"
    else:
        yield f"{title}: differs from version {each.version}"
        yield from (f"  {line}" for change in each.differences.header for line in _change(change))
        yield from (f"  {line}" for change in each.differences.steps for line in _change(change, "step "))
        for path, lines in each.differences.texts.items():
            yield f"  text {path}"
            yield from (f"    {line}" for line in lines[2:])
        yield from (f"  warning: {warning}" for warning in each.differences.warnings)
    yield from _people(each.standing)


def _change(change: Change, prefix: str = "") -> Iterator[str]:
    if change.what in {"added", "removed"}:
        yield f"{prefix}{change.where}: {change.what} ({change.new or change.old})"
        return
    what = f" {change.name}" if change.name else " moved in the file" if change.what == "moved" else ""
    yield f"{prefix}{change.where}:{what}"
    yield f"    - {change.old or '(nothing)'}"
    yield f"    + {change.new or '(nothing)'}"


def _people(standing: Sequence[Standing]) -> Iterator[str]:
    for each in standing:
        people = "1 person stands" if each.people == 1 else f"{each.people} people stand"
        there = f"with --move they go to {each.moves_to or 'the beginning'}"
        fate = (
            there if each.moves_to is not None else "--move all leaves them there; --move OLD=NEW can take them along"
        )
        where = f"at {each.step}" if each.step else "before the first step"
        yield f"  {people} {where} of version {each.version} and finish on it; {fate}"
