"""What would a publication change, and what was published when and by whom, on the command line?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from connector.bootstrap import build_connector
from connector.entrypoints.cli.publishing import chosen_accounts, own_files
from connector.entrypoints.comparison_text import comparison_lines
from connector.errors import ConfigurationError
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
    files = connector.journey_files() if own is None else own_files(connector, own, account)
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
        for line in comparison_lines(each, f"{row.crm} account {row.external_id}"):
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
