"""How does an operator prepare the ledger, check the files, and see how things stand?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from connector.adapters.account_journeys import check_own, read_own_folder
from connector.adapters.check import check as check_files
from connector.adapters.check import format_github, format_json, format_people
from connector.adapters.store.migrate import migrate as migrate_database
from connector.adapters.store.unit_of_work import make_engine
from connector.bootstrap import build_connector
from connector.settings import read_settings, read_some

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
def migrate() -> None:
    """Bring the database to this program's tables; harmless to repeat."""
    engine = make_engine(read_some("DATABASE_URL")["database_url"])
    click.echo(f"the ledger is at revision {migrate_database(engine)}")
    engine.dispose()


@click.command()
@click.option("--format", "form", type=click.Choice(["people", "json", "github"]), default="people", show_default=True)
@click.option("--own", type=_FOLDER, help="Check an account's own files in this folder instead.")
def check(form: str, own: Path | None) -> None:
    """Find every mistake in every file under MAPPINGS_DIR and TEMPLATES_DIR; exit status 1 when there is one."""
    settings = read_some("MAPPINGS_DIR", "TEMPLATES_DIR")
    folders = settings["mappings_dir"], settings["templates_dir"]
    report = check_files(*folders) if own is None else check_own(read_own_folder(own), *folders)
    if form == "json":
        click.echo(format_json(report))
    elif form == "github":
        click.echo(format_github(report))
    else:
        click.echo(format_people(report, color=sys.stdout.isatty()))
    if any(mistake.severity == "error" for mistake in report.mistakes):
        sys.exit(1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Show how things stand: accounts, journeys, messages by state, what waits, what the CRM refused."""
    found = build_connector(read_settings()).status()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    console = Console()
    for title, rows in found.items():
        console.print(_table(title, rows))


def _table(title: str, rows: Any) -> Table:
    table = Table(title=title.replace("_", " ").capitalize(), title_justify="left", show_header=isinstance(rows, list))
    if isinstance(rows, dict):
        for name, value in rows.items():
            table.add_row(str(name), str(value))
    else:
        for name in rows[0] if rows else ("nothing",):
            table.add_column(str(name).replace("_", " "))
        for row in rows:
            table.add_row(*("" if value is None else str(value) for value in row.values()))
    return table
