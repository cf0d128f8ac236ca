"""How does an admin see how a journey fares?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.bootstrap import build_connector
from connector.entrypoints.cli.periods import parse_period
from connector.services.journey_report import JourneyReport
from connector.services.splits import UNTIL_NOTICED, SplitStanding
from connector.settings import read_settings


@click.group()
def report() -> None:
    """See how things fare over time."""


@report.command(name="journey")
@click.argument("name")
@click.option("--since", "period", default="30d", show_default=True, help="How far back: 12h, 30d, 8w or 30 days.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def journey_(name: str, period: str, as_json: bool) -> None:
    """Show how a journey fares: who entered, texts by step, replies and clicks, cost, and how its splits stand."""
    reports = build_connector(read_settings()).journey_reports.report(name, parse_period(period, "--since"))
    if as_json:
        click.echo(json.dumps([each.to_json() for each in reports], indent=2))
        return
    console = Console()
    for each in reports:
        show(console, each)


def show(console: Console, found: JourneyReport) -> None:
    """Print one report as tables."""
    account, people = found.account, found.people
    where = f"{account.crm} {account.external_id}"
    console.print(f"{found.journey} in {where}, since {found.since:%Y-%m-%d %H:%M} UTC", style="bold", markup=False)
    console.print(
        f"{found.entered} entered, {sum(found.live.values())} are in it now, {sum(found.ended.values())} ended; "
        f"{people.texted} got a text: {_rates(found)}"
    )
    console.print(f"{found.segments} SMS segments sent{_paid(found.cost)}")
    _table(console, "In it now", ("step", "people"), found.live.items())
    _table(console, "Ended", ("reason", "people"), found.ended.items())
    columns = ("step", "id", "state", "texts", "segments", "replied", "clicked", "opted out", "cost")
    texts = [
        (t.step, t.id, t.state, t.texts, t.segments, t.replied, t.clicked, t.opted_out, _amounts(t.cost))
        for t in found.texts
    ]
    _table(console, "Texts", columns, texts)
    _table(
        console,
        "Held or lost",
        ("state", "reason", "texts"),
        [(each.state, each.reason, each.texts) for each in found.reasons],
    )
    for standing in found.splits:
        _print_split(console, standing)


def _print_split(console: Console, standing: SplitStanding) -> None:
    rule, won = standing.step.winner or UNTIL_NOTICED, standing.won
    rows = [
        (
            arm.arm,
            standing.entered[arm.arm],
            arm.people,
            arm.hits,
            f"{arm.rate:.1%}",
            f"{arm.low:.1%} to {arm.high:.1%}",
        )
        for arm in standing.verdict.arms
    ]
    title = f"Split {standing.step.id}, by {rule.by.value}"
    _table(console, title, ("arm", "entered", "counted", "hits", "rate", "surely within"), rows)
    if won is not None:
        console.print(f"{won.arm} won on {won.at:%Y-%m-%d %H:%M} UTC; new contacts get it", markup=False)
    else:
        stands = f"not decided: {standing.verdict.reason}" if standing.step.winner else "promotes no winner"
        console.print(stands, markup=False)


def _table(console: Console, title: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    lines = [tuple(Text(str(value)) for value in row) for row in rows]
    if not lines:
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*line)
    console.print(table)


def _rates(found: JourneyReport) -> str:
    words = {"reply": "replied", "click": "followed a link", "opt_out": "opted out"}
    return ", ".join(f"{rate:.1%} {words[name]}" for name, rate in found.rates.items())


def _paid(cost: Mapping[str, Decimal]) -> str:
    return f", cost {_amounts(cost)}" if cost else ""


def _amounts(cost: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in cost.items())
