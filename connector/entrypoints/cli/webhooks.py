"""How does an operator let another system deliver webhooks, and see what one of them would become?"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from connector.adapters.event_files import load_events
from connector.bootstrap import build_connector
from connector.domain.event_mapping import EventCatalogue
from connector.entrypoints.cli.chosen_account import account_of
from connector.errors import ConfigurationError
from connector.services.webhook_desk import OpenEndpoint
from connector.services.webhook_trial import tried
from connector.settings import read_settings, read_some


@click.group()
def webhook() -> None:
    """Let billing, shop, forms, calendar or your own programs deliver signed webhooks."""


def _chosen(command: Any) -> Any:
    """Give a command the options that name an account and a system."""
    source = click.option("--source", required=True, help="The system, as mappings/events/generic.yaml names it.")
    return _of_account(source(command))


def _of_account(command: Any) -> Any:
    return click.option("--account", "external_id", help="Portal id; may be left out while there is one account.")(
        command
    )


_secret_option = click.option(
    "--secret-from",
    type=click.File("r", encoding="utf-8"),
    help="A file with the secret that the other system made, - for standard input; else one is made here.",
)


@webhook.command()
@_chosen
@_secret_option
def add(external_id: str | None, source: str, secret_from: Any) -> None:
    """Open an address for a system; its secret is shown this once."""
    connector = build_connector(read_settings())
    account_id = account_of(connector, external_id)
    _show(connector.webhook_desk.add(account_id, source, _given(secret_from)), is_given=secret_from is not None)


@webhook.command()
@_chosen
@_secret_option
@click.option("--at-once", is_flag=True, help="The last secret ends now; else both hold for seven days.")
def rotate(external_id: str | None, source: str, secret_from: Any, at_once: bool) -> None:
    """Give a system a new secret; it is shown this once."""
    connector = build_connector(read_settings())
    account_id = account_of(connector, external_id)
    renewed = connector.webhook_desk.rotate(account_id, source, _given(secret_from), at_once=at_once)
    _show(renewed, is_given=secret_from is not None)


@webhook.command()
@_chosen
def remove(external_id: str | None, source: str) -> None:
    """Close the address of a system, at once."""
    connector = build_connector(read_settings())
    if not connector.webhook_desk.remove(account_of(connector, external_id), source):
        raise ConfigurationError(f"{source} is not open for this account")
    click.echo(f"{source} is closed")


@webhook.command(name="list")
@_of_account
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(external_id: str | None, as_json: bool) -> None:
    """List the systems that may deliver, and where."""
    connector = build_connector(read_settings())
    opened = connector.webhook_desk.opened(account_of(connector, external_id))
    if as_json:
        click.echo(json.dumps([_endpoint_json(each) for each in opened], indent=2))
        return
    for each in opened:
        until = "" if each.until is None else f"  the secret before it until {_day(each.until)}"
        click.echo(f"{each.source}  {each.url}  secret of {_day(each.since)}{until}")


@webhook.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="The system, as mappings/events/generic.yaml names it.")
@click.option("--type", "type_", default="", help="What its header says of the type, where the body does not.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def test(file: Path, source: str, type_: str, as_json: bool) -> None:
    """Show what the webhook in FILE, its JSON body, would become; nothing is stored, nobody is asked."""
    catalogue = load_events(read_some("MAPPINGS_DIR")["mappings_dir"]).catalogue
    _demand_source(catalogue, source)
    trial = tried(catalogue, source, type_, file.read_bytes(), datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(trial, indent=2, ensure_ascii=False))
    else:
        _tell(trial)
    if not trial["events"]:
        sys.exit(1)


def _demand_source(catalogue: EventCatalogue, source: str) -> None:
    known = catalogue.webhooks.sources
    if source not in known:
        there = ", ".join(sorted(known)) or "none yet"
        raise ConfigurationError(f"mappings/events/generic.yaml describes no source {source}; there are {there}")


def _given(secret_from: Any) -> str:
    return "" if secret_from is None else str(secret_from.read()).strip()


def _show(endpoint: OpenEndpoint, *, is_given: bool) -> None:
    click.echo(f"url: {endpoint.url}")
    if not is_given:
        click.echo(f"secret: {endpoint.secret}")
        click.echo("it is shown this once", err=True)
    if endpoint.until is not None:
        click.echo(f"the secret before it holds until {_day(endpoint.until)}", err=True)


def _tell(trial: Mapping[str, Any]) -> None:
    click.echo(f"type: {trial['type'] or '(none)'}, happened: {trial['occurred_at'] or 'when it is received'}")
    if trial["nothing"]:
        click.echo(f"makes no event: {trial['nothing']}")
    for event in trial["events"]:
        click.echo(f"{event['event']} of {event['record']}  ({event['file']}:{event['line']})")
        for name, value in event["values"].items():
            click.echo(f"  {name} = {'(nothing)' if value is None else value}")
        named = ", then ".join(f"{each['by']} {each['text']}" for each in event["contact"])
        click.echo(f"  contact: {named or 'named nowhere in this webhook'}")


def _endpoint_json(each: OpenEndpoint) -> dict[str, Any]:
    until = None if each.until is None else each.until.isoformat()
    return {"source": each.source, "url": each.url, "since": each.since.isoformat(), "last_secret_until": until}


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
