"""How does an operator import contacts and consent from a file, and see what became of its rows?"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from connector.adapters.contact_files import Reading, read_contacts
from connector.bootstrap import build_connector
from connector.domain.import_rows import ImportColumn
from connector.domain.webhook_sources import NamedBy
from connector.entrypoints.cli.chosen_account import account_of
from connector.errors import ConfigurationError
from connector.ports.imports import ImportRunRow, ImportTroubleRow
from connector.services.import_orders import ImportOrder
from connector.settings import read_settings

_COLUMNS = [column.value for column in ImportColumn]
_MATCHES = {"crm-id": NamedBy.CRM_ID, "email": NamedBy.EMAIL, "number": NamedBy.NUMBER}
_SHOWN = 20  # troubles on the screen; the rest by `smsctl import troubles`


def _user() -> str:
    """Give the name of the operating system's user; containers may run under a number that has none."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):
        return "somebody without a user name"


@click.group(name="import")
def import_() -> None:
    """Import contacts and their consent from CSV or XLSX, and see what became of every row."""


def _of_account(command: Any) -> Any:
    return click.option("--account", "external_id", help="Portal id; may be left out while there is one account.")(
        command
    )


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_of_account
@click.option(
    "--map", "maps", multiple=True, required=True, metavar="OURS=HEADING", help=f"OURS is one of {', '.join(_COLUMNS)}."
)
@click.option("--match", type=click.Choice(list(_MATCHES)), help="Look contacts up in the CRM by this.")
@click.option("--purpose", help="What they agreed to where the file does not say it: marketing.")
@click.option("--how", help="How they agreed where the file does not say it, such as: tick box at the checkout.")
@click.option("--wording", help="What they agreed to, word by word, where the file does not say it.")
@click.option("--from", "source", help="Where the file's data come from, such as the system it was exported from.")
@click.option("--region", help="Country of numbers without prefix, such as US; else the account's.")
@click.option("--time-zone", help="Where times are meant that name no offset; else the account's.")
@click.option("--date-format", help="How dates are written if not as 2025-03-31, such as %d.%m.%Y.")
@click.option("--encoding", help="Of a CSV that is neither UTF-8 nor Windows-1252.")
@click.option("--delimiter", help="Of a CSV, where what is found is not right.")
@click.option("--sheet", help="Of an XLSX; else its first.")
@click.option("--by", default=_user, help="Who does it; your user name when left out.")
@click.option("--dry-run", is_flag=True, help="Tell what would happen, and do nothing.")
@click.option("--again", is_flag=True, help="Import a file once more that was imported before.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def contacts(file: Path, external_id: str | None, maps: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Import FILE; killed and started again with the same words it goes on where it was."""
    table = read_contacts(file, Reading(*(options[name] or "" for name in ("encoding", "delimiter", "sheet"))))
    connector = build_connector(read_settings())
    order = _order(account_of(connector, external_id), _mapped(maps), options)
    if options["dry_run"]:
        rehearsed = connector.importer.rehearse(order, table)
        _tell(rehearsed.counts, rehearsed.troubles, as_json=as_json, more="")
        return
    run = connector.importer.begin(order, table)
    is_seen = not as_json and sys.stderr.isatty()
    done = connector.importer.go_on(run, order, table, _progress if is_seen else lambda _run: None)
    with connector.ledger.begin(write=False) as uow:
        troubles = uow.imports.troubles(done.account_id, done.id, _SHOWN + 1)
    if as_json:
        click.echo(json.dumps(_run_json(done), indent=2))
        return
    click.echo(f"import {done.id} is {done.state}")
    _tell(done.counts or {}, troubles, as_json=False, more=f"all of them: smsctl import troubles {done.id}")


@import_.command(name="list")
@_of_account
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(external_id: str | None, limit: int, as_json: bool) -> None:
    """List imports, newest first; times are in UTC."""
    connector = build_connector(read_settings())
    with connector.ledger.begin(write=False) as uow:
        runs = uow.imports.of_account(account_of(connector, external_id), limit)
    if as_json:
        click.echo(json.dumps([_run_json(run) for run in runs], indent=2))
        return
    for run in runs:
        rows = (run.counts or {}).get("rows", 0)
        click.echo(f"{run.id}  {run.state}  {_day(run.started_at)}  {rows} rows  {run.file_name}  by {run.started_by}")


@import_.command()
@click.argument("run_id", metavar="RUN")
@_of_account
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(run_id: str, external_id: str | None, as_json: bool) -> None:
    """Show how an import stands, and what became of its rows."""
    run = _run(external_id, run_id)
    if as_json:
        click.echo(json.dumps(_run_json(run), indent=2))
        return
    click.echo(f"import {run.id} of {run.file_name} is {run.state}")
    click.echo(f"begun {_day(run.started_at)} by {run.started_by}; the next row is {run.next_row}")
    click.echo(f"file sha256 {run.file_hash}")
    click.echo("columns: " + ", ".join(f"{ours}={heading}" for ours, heading in run.columns.items()))
    _tell(run.counts or {}, [], as_json=False, more="")


@import_.command()
@click.argument("run_id", metavar="RUN")
@_of_account
@click.option("--limit", type=click.IntRange(1), default=10_000, show_default=True, help="At most so many.")
@click.option("--after", type=click.IntRange(0), default=0, help="Only rows behind this one.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def troubles(run_id: str, external_id: str | None, limit: int, after: int, as_json: bool) -> None:
    """List what was wrong with the rows of an import: row and column, never the value."""
    run = _run(external_id, run_id)
    with build_connector(read_settings()).ledger.begin(write=False) as uow:
        found = uow.imports.troubles(run.account_id, run.id, limit, after)
    if as_json:
        click.echo(json.dumps([_trouble_json(each) for each in found], indent=2))
        return
    for each in found:
        click.echo(_trouble_line(each))


def _run(external_id: str | None, run_id: str) -> ImportRunRow:
    connector = build_connector(read_settings())
    with connector.ledger.begin(write=False) as uow:
        run = uow.imports.get(account_of(connector, external_id), run_id)
    if run is None:
        raise ConfigurationError(f"this account has no import {run_id}; smsctl import list shows them")
    return run


def _mapped(maps: Sequence[str]) -> dict[ImportColumn, str]:
    found: dict[ImportColumn, str] = {}
    for each in maps:
        ours, sign, heading = each.partition("=")
        if not sign or not heading.strip():
            raise click.UsageError(f"--map {each}: expected OURS=HEADING, such as number=Mobile")
        if ours.strip() not in _COLUMNS:
            raise click.UsageError(f"--map {each}: {ours.strip()} is not one of {', '.join(_COLUMNS)}")
        if ImportColumn(ours.strip()) in found:
            raise click.UsageError(f"--map {each}: {ours.strip()} is mapped twice")
        found[ImportColumn(ours.strip())] = heading
    return found


def _order(account_id: str, columns: Mapping[ImportColumn, str], options: Mapping[str, Any]) -> ImportOrder:
    named = {
        ImportColumn.PURPOSE: options["purpose"],
        ImportColumn.HOW: options["how"],
        ImportColumn.WORDING: options["wording"],
        ImportColumn.SOURCE: options["source"],
    }
    return ImportOrder(
        account_id=account_id,
        columns=columns,
        defaults={column: text for column, text in named.items() if text},
        match=_MATCHES[options["match"]] if options["match"] else None,
        region=(options["region"] or "").upper(),
        time_zone=options["time_zone"] or "",
        date_format=options["date_format"] or "",
        encoding=options["encoding"] or "",
        delimiter=options["delimiter"] or "",
        by=options["by"],
        is_again=options["again"],
    )


def _progress(run: ImportRunRow) -> None:
    click.echo(f"\r{(run.counts or {}).get('rows', 0)} rows", nl=False, err=True)


def _tell(counts: Mapping[str, int], found: Sequence[ImportTroubleRow], *, as_json: bool, more: str) -> None:
    if as_json:
        click.echo(json.dumps({"counts": dict(counts), "troubles": [_trouble_json(each) for each in found]}, indent=2))
        return
    for name, number in counts.items():
        click.echo(f"  {number:>8}  {name.replace('_', ' ')}")
    for each in found[:_SHOWN]:
        click.echo(_trouble_line(each))
    if len(found) > _SHOWN:
        click.echo(more or f"and {len(found) - _SHOWN} more; --json shows them")


def _trouble_line(each: ImportTroubleRow) -> str:
    return f"row {each.row_number}{', ' + each.column if each.column else ''}: {each.why}"


def _trouble_json(each: ImportTroubleRow) -> dict[str, Any]:
    return {"row": each.row_number, "column": each.column, "why": each.why}


def _run_json(run: ImportRunRow) -> dict[str, Any]:
    return {
        "id": run.id,
        "state": run.state.value,
        "file_name": run.file_name,
        "file_hash": run.file_hash,
        "columns": dict(run.columns),
        "options": dict(run.options),
        "next_row": run.next_row,
        "counts": dict(run.counts or {}),
        "started_by": run.started_by,
        "started_at": run.started_at.isoformat(),
        "finished_at": None if run.finished_at is None else run.finished_at.isoformat(),
    }


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
