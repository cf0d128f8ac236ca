"""How does an admin see what a journey would do for one person, minute by minute?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.console import Console

from connector.adapters.check import check, format_people
from connector.adapters.rendering import Renderer
from connector.adapters.script_file import load_script, read_moment, with_answers
from connector.adapters.world_files import read_world
from connector.adapters.yaml_shapes import closest
from connector.domain.durations import parse_duration
from connector.domain.gateway_book import GatewayBook
from connector.domain.journey import Journey
from connector.entrypoints.cli.simulation_text import lines
from connector.entrypoints.cli.webhook_script import with_webhook
from connector.errors import ConfigurationError
from connector.rehearsing import Files, build_company, with_those_it_enrolls_in
from connector.services.simulation import ACCOUNT_ID, Simulation, Transcript, to_json
from connector.settings import read_some

_LONGEST = "90 days"


@click.command()
@click.argument("journey")
@click.option(
    "--event",
    "script_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML or JSON: the event, the contact, and what happens then; plausible values when left out.",
)
@click.option("--source", default="", help="The event file is the body of a webhook of this system, as it sends them.")
@click.option("--type", "type_", default="", help="With --source: what its header says of the type.")
@click.option("--reply", "replies", multiple=True, metavar="TEXT", help="A reply: STOP, or `after 2 hours: STOP`.")
@click.option("--click", "clicks", multiple=True, metavar="LINK", help="The contact follows this link of a text.")
@click.option("--at", help="When it begins, such as 2026-11-20T15:30+01:00; now when left out.")
@click.option("--for", "length", default=_LONGEST, show_default=True, help="How long it is played at most.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def simulate(
    journey: str,
    script_file: Path | None,
    replies: tuple[str, ...],
    clicks: tuple[str, ...],
    at: str | None,
    length: str,
    *,
    as_json: bool,
    **webhook: str,
) -> None:
    """Play JOURNEY, as its file says now, for one person on a clock of its own; nothing is sent, no network is used."""
    settings = read_some("MAPPINGS_DIR", "TEMPLATES_DIR")
    mappings, templates = settings["mappings_dir"], settings["templates_dir"]
    shelf = check(mappings, templates).journeys
    chosen = journey_named(journey, shelf, mappings, templates)
    begins = _moment(at)
    world = read_world(mappings, templates)[0]
    source, type_ = webhook["source"], webhook["type_"]
    if source and script_file is None:
        raise click.UsageError("--source goes with --event")
    script = load_script(None if source else script_file, chosen, world, begins)
    if source and script_file is not None:
        script = with_webhook(script, script_file, source, type_, chosen, world.catalogue)
    script = with_answers(script, replies, clicks)
    files = Files.read(mappings)
    gateway = next(iter(files.gateways.prices), "null")
    company = build_company(
        files, with_those_it_enrolls_in(chosen, shelf), ACCOUNT_ID, script.at, gateway, Renderer(sample_link="")
    )
    transcript = Simulation(company, chosen, script).run(script.at + _duration(length))
    if as_json:
        click.echo(json.dumps(to_json(transcript), indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for line in lines(transcript, _zone(script.contact.time_zone, script.account), _prices(transcript, files.gateways)):
        console.print(line, soft_wrap=True)


def journey_named(name: str, shelf: Mapping[str, Journey], mappings: Path, templates: Path) -> Journey:
    """Give a journey that can run.

    Raises:
        ConfigurationError: there is none of this name, or its file has mistakes, which are told.
    """
    if name in shelf:
        return shelf[name]
    if (mappings / "journeys" / f"{name}.yaml").exists():
        raise ConfigurationError(f"{name} cannot run:\n{format_people(check(mappings, templates))}")
    raise ConfigurationError(f"there is no journey {name}: {closest(name, shelf) or 'known are ' + ', '.join(shelf)}")


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return read_moment(text, ZoneInfo("UTC"))
    except ValueError as error:
        raise ConfigurationError(f"--at: {error}") from None


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(f"--for: {error}") from None


def _zone(contact: str | None, account: Mapping[str, Any]) -> ZoneInfo:
    try:
        return ZoneInfo(str(contact or account.get("time_zone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _prices(transcript: Transcript, book: GatewayBook) -> dict[str, tuple[Decimal, str]]:
    found = {
        message_id: book.price(text.gateway, text.segments, text.country)
        for message_id, text in transcript.texts.items()
    }
    return {message_id: (price.amount, price.currency) for message_id, price in found.items() if price is not None}
