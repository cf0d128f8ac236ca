"""How does an admin see who would have got what, had a journey run as its file says now?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from connector.adapters.check import check
from connector.bootstrap import build_connector
from connector.entrypoints.cli.periods import parse_period
from connector.entrypoints.cli.publishing import chosen_accounts
from connector.entrypoints.cli.simulate_command import journey_named
from connector.errors import ConfigurationError
from connector.rehearsing import Backtester
from connector.services.backtest import Period, Replayed
from connector.services.backtest_report import BacktestReport, Difference, to_json
from connector.settings import read_settings

_EXAMPLES = 10  # contacts of each kind of difference that are listed; --json has all of them


@click.command()
@click.argument("journey")
@click.option("--since", default="7d", show_default=True, help="How far back: 12h, 7d, 8w or 30 days.")
@click.option("--account", help="Portal id; may be left out while there is one account.")
@click.option("--json", "as_json", is_flag=True, help="For programs; has every contact.")
def backtest(journey: str, since: str, account: str | None, *, as_json: bool) -> None:
    """Replay the events that really came through JOURNEY as its file says now, and compare with the published version.

    Nothing is sent and nothing is changed. Replies and opt-outs are played when they came.
    """
    settings = read_settings()
    connector = build_connector(settings)
    rows = chosen_accounts(connector, account)
    if len(rows) > 1:
        known = ", ".join(row.external_id for row in rows)
        raise ConfigurationError(f"say which account with --account; known are {known}")
    shelf = check(settings.mappings_dir, settings.templates_dir).journeys
    edited = journey_named(journey, shelf, settings.mappings_dir, settings.templates_dir)
    now = connector.clock.now()
    period = Period(now - parse_period(since, "--since"), now)
    tester = Backtester(connector.past(rows[0], period), shelf, connector.in_service(rows[0].id), settings)
    with _progress(shown=not as_json and sys.stderr.isatty()) as bar:
        bar_task = bar.add_task("events", total=None)

        def tell(replayed: Replayed) -> None:
            bar.update(bar_task, completed=replayed.read, total=replayed.total)

        report = tester.test(edited, tell)
    if as_json:
        click.echo(json.dumps(to_json(report), indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for part in _shown(report, edited.id):
        console.print(part)


def _progress(*, shown: bool) -> Progress:
    columns = TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TextColumn("events"), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown)


def _shown(report: BacktestReport, journey: str) -> Iterator[Table | str]:
    replayed = report.replayed
    yield f"[bold]{journey}[/bold]: {_counted(replayed.read, 'event')} read, of which {replayed.played} mattered to it."
    if replayed.unrecorded:
        yield (
            f"[yellow]{replayed.unrecorded} could not be replayed: no values of their records were kept, "
            "since no journey asked for this event when they came.[/yellow]"
        )
    if report.not_played:
        yield f"[yellow]{escape(report.not_played[:1].upper() + report.not_played[1:])}.[/yellow]"
    yield _figures(report)
    for title, name in (("Not enrolled", "refused"), ("Held", "held"), ("Never sent", "withheld")):
        counts = [getattr(played, name) for played in (report.edited, report.published) if played is not None]
        if any(counts):
            yield _reasons(title, counts)
    if report.difference is None:
        yield "No version of it is published, so there is nothing to compare with."
    else:
        yield from _difference(report.difference)


def _figures(report: BacktestReport) -> Table:
    table = Table("", "file", *(["published"] if report.published is not None else []))
    both = [played for played in (report.edited, report.published) if played is not None]
    table.add_row("enrolled", *(str(played.enrolled) for played in both))
    for step in dict.fromkeys(step for played in both for step in played.texts):
        table.add_row(f"texts: {step}", *(str(played.texts.get(step, 0)) for played in both))
    table.add_row("texts in all", *(str(sum(played.texts.values())) for played in both))
    table.add_row("segments", *(str(played.segments) for played in both))
    for country, currency in sorted({key for played in both for key in played.cost}):
        amounts = (played.cost.get((country, currency)) for played in both)
        table.add_row(f"cost: {country}", *(f"{amount or 0:.2f} {currency}" for amount in amounts))
    if any(played.unpriced for played in both):
        table.add_row("texts without a price", *(str(played.unpriced) for played in both))
    return table


def _reasons(title: str, counts: list[Mapping[str, int]]) -> Table:
    table = Table(title, "file", *(["published"] if len(counts) > 1 else []))
    for reason in dict.fromkeys(reason for each in counts for reason in each):
        table.add_row(reason, *(str(each.get(reason, 0)) for each in counts))
    return table


def _difference(found: Difference) -> Iterator[Table | str]:
    yield (
        f"[bold]By contact[/bold]: the same for {found.same}, other texts for {len(found.changed)}, "
        f"texts for the first time for {len(found.only_edited)}, none any more for {len(found.only_published)}."
    )
    table = Table("contact", "published", "file")
    for contact, (before, now) in list(found.changed.items())[:_EXAMPLES]:
        table.add_row(contact, _steps(before), _steps(now))
    for contact, steps in list(found.only_edited.items())[:_EXAMPLES]:
        table.add_row(contact, "-", _steps(steps))
    for contact, steps in list(found.only_published.items())[:_EXAMPLES]:
        table.add_row(contact, _steps(steps), "-")
    if table.row_count:
        yield table


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _steps(steps: tuple[str, ...]) -> str:
    return ", ".join(steps)
