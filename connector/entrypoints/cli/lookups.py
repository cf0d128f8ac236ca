"""How does an operator ask what kind of number a number is?"""

from __future__ import annotations

import json
from typing import Any

import click

from connector.bootstrap import build_connector
from connector.entrypoints.cli.chosen_account import account_of
from connector.ports.lookups import NumberRow
from connector.ports.number_lookup import LineType
from connector.services.lookups import known_numbers
from connector.services.message_desk import number_of
from connector.settings import read_settings


@click.command()
@click.argument("number")
@click.option("--provider", "slug", help="The gateway to ask; the first of the file's lookups when left out.")
@click.option("--known", is_flag=True, help="Ask nobody: show what is known. Costs nothing.")
@click.option("--account", "external_id", help="Portal id; may be left out while there is one account.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def lookup(number: str, slug: str | None, known: bool, external_id: str | None, as_json: bool) -> None:
    """Ask a gateway what kind of number NUMBER is, in whose network, and whether it is reachable; it costs money."""
    if known and slug is not None:
        raise click.UsageError("--known asks nobody, so it takes no --provider")
    connector = build_connector(read_settings())
    account_id = account_of(connector, external_id)
    with connector.ledger.begin(write=False) as uow:
        e164 = number_of(uow, account_id, number, "number")
    if known:
        row = known_numbers(connector.ledger, account_id, [e164]).get(e164)
    else:
        row = connector.lookups.look_up(account_id, e164, slug)
    if as_json:
        click.echo(json.dumps(number_json(e164, row), indent=2))
        return
    for line in _lines(e164, row):
        click.echo(line)


def _lines(e164: str, row: NumberRow | None) -> list[str]:
    if row is None or row.known_at is None:
        return [f"{e164}: nothing is known of it" + ("" if row is None else f" ({row.state})")]
    reachable = {True: "can be reached now", False: "cannot be reached now", None: "not told whether it can be reached"}
    cost = f", for {row.price} {row.currency}" if row.price is not None else ""
    return [
        f"{e164}: {row.line_type}",
        f"country {row.country or 'unknown'}, carrier {row.carrier or 'unknown'}, {reachable[row.is_reachable]}",
        f"{row.source or 'nobody could be asked'} at {row.known_at:%Y-%m-%d %H:%M} UTC{cost}",
    ]


def number_json(e164: str, row: NumberRow | None) -> dict[str, Any]:
    """Give what is known of a number for programs, as the REST API does."""
    cost = None if row is None or row.price is None else {"amount": str(row.price), "currency": row.currency}
    at = None if row is None else row.known_at
    return {
        "number": e164,
        "state": "unheard_of" if row is None else row.state.value,
        "line_type": (LineType.UNKNOWN if row is None else row.line_type).value,
        "is_reachable": None if row is None else row.is_reachable,
        "country": None if row is None else row.country,
        "carrier": "" if row is None else row.carrier,
        "source": "" if row is None else row.source,
        "known_at": None if at is None else at.isoformat(),
        "cost": cost,
    }
