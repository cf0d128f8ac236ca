"""How does an operator ask which way a text would go, without sending one?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
from rich.console import Console

from connector.bootstrap import Connector, build_connector
from connector.domain.message import Purpose
from connector.domain.msisdn import normalise
from connector.domain.routing import Wanted
from connector.entrypoints.cli.chosen_account import account_of
from connector.entrypoints.cli.terminal_tables import print_table
from connector.errors import ConfigurationError
from connector.services.message_desk import number_of
from connector.services.routing import NoWay, Way
from connector.settings import read_settings

ORDINARY = "an ordinary text"
"""What stands for a message's id: the lot that is drawn from it makes no trial unless a route explores all its texts.
One that is drawn anew each time would now and then show a trial, which is not what people ask about."""


@click.group()
def route() -> None:
    """See which way texts go."""


@route.command()
@click.option("--to", required=True, help="Phone number, as people write it.")
@click.option("--purpose", type=click.Choice([p.value for p in Purpose]), default="transactional", show_default=True)
@click.option("--route", "name", default="", help="The route a step names; the purpose's own when left out.")
@click.option("--from", "sender", help="The sender a step names.")
@click.option("--segments", type=click.IntRange(1), default=1, show_default=True, help="How many SMS the text takes.")
@click.option("--account", "external_id", help="Portal id; may be left out while there is one account.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def explain(
    to: str, purpose: str, name: str, sender: str | None, segments: int, external_id: str | None, as_json: bool
) -> None:
    """Say through which gateway and from which sender a text would go now, and why not another way; sends nothing."""
    connector = build_connector(read_settings())
    if name and name not in connector.gateway_book.routes:
        known = ", ".join(connector.gateway_book.routes) or "none"
        raise ConfigurationError(f"--route: mappings/gateways.yaml has no route {name}; it has {known}")
    wanted = replace(
        _to_number(connector, account_of(connector, external_id), to),
        purpose=Purpose(purpose),
        segments=segments,
        route=name,
        sender=sender,
    )
    way = connector.send_path.router.explain(wanted, connector.clock.now())
    if as_json:
        click.echo(json.dumps(way_json(wanted, way), indent=2))
        return
    show(Console(), wanted, way)


def _to_number(connector: Connector, account_id: str, to: str) -> Wanted:
    """Make up a text to a number, with what the router would know of the number and of the conversation with it."""
    book = connector.gateway_book
    with connector.ledger.begin(write=False) as uow:
        e164 = number_of(uow, account_id, to, "--to")
        known = uow.numbers.of(account_id, [e164]).get(e164) if book.lookups.gateways else None
        last = uow.messages.last_senders(account_id, [e164]).get(e164) if book.senders else None
    region = normalise(e164, []).region
    return Wanted(
        message_id=ORDINARY,
        purpose=Purpose.TRANSACTIONAL,
        country=region if len(region) == 2 else None,
        carrier=known.carrier if known is not None else "",
        conversation_sender=last,
    )


def show(console: Console, wanted: Wanted, way: Way | NoWay) -> None:
    """Print a way and what it was chosen by."""
    parts = "1 SMS" if wanted.segments == 1 else f"{wanted.segments} SMS"
    about = [f"{wanted.purpose} text of {parts} to {wanted.country or 'a country nobody knows'}"]
    about += [f"carrier {wanted.carrier}"] if wanted.carrier else []
    about += [f"last texted from {wanted.conversation_sender}"] if wanted.conversation_sender else []
    console.print(", ".join(about), markup=False, highlight=False, soft_wrap=True)
    _print_candidates(console, way.numbers)
    if isinstance(way, Way):
        console.print(f"→ {way.reason}", style="bold", markup=False, highlight=False, soft_wrap=True)
        return
    when = "no use in waiting" if way.until is None else f"looked at again at {way.until:%H:%M:%S} UTC"
    console.print(f"→ {way.reason}; {when}", style="bold", markup=False, highlight=False, soft_wrap=True)


def _print_candidates(console: Console, numbers: Mapping[str, Any]) -> None:
    found = numbers.get("candidates", [])
    if not found:
        return
    title = f"Route {numbers['route'] or 'of no name'}: {numbers['prefer']}, {_rules(numbers)}"
    columns = ("!gateway", "from", ">price", ">delivers", ">surely", ">within", ">errors", ">score", "but")
    print_table(console, title, columns, [_candidate(each) for each in found])
    if more := numbers.get("more"):
        console.print(f"and {more} more", markup=False, highlight=False, soft_wrap=True)


def _rules(numbers: Mapping[str, Any]) -> str:
    floor = f"at least {numbers['floor']:.0%} delivered" if numbers["floor"] else "no quality floor"
    return f"{floor}, " + (f"{numbers['explore']:.0%} of texts try others" if numbers["explore"] else "no trials")


def _candidate(each: Mapping[str, Any]) -> tuple[object, ...]:
    sender = each.get("sender", "its own")
    if "refused" in each:
        return (each["gateway"], sender, *[""] * 6, each["refused"])
    price = f"{each['price']} {each['currency']}" if "price" in each else "unknown"
    marks = {"below_floor": "below the floor", "tried": "tried before"}
    return (
        each["gateway"],
        sender,
        price,
        f"{each['rate']:.1%} of {each['texts']:.0f}",
        f"{each['lower']:.1%}",
        f"{each['latency']:.0f} s",
        f"{each['errors']:.1%}",
        f"{each['score']:.4g}",
        ", ".join(told for mark, told in marks.items() if each.get(mark)),
    )


def way_json(wanted: Wanted, way: Way | NoWay) -> dict[str, Any]:
    """Give a way for programs; rates are 0 to 1, prices are of the whole text."""
    asked = {
        "purpose": wanted.purpose.value,
        "country": wanted.country,
        "carrier": wanted.carrier or None,
        "segments": wanted.segments,
        "conversation_sender": wanted.conversation_sender,
    }
    chosen: dict[str, Any] = {"gateway": None, "sender": None, "reason": way.reason, "until": None}
    if isinstance(way, Way):
        chosen |= {"gateway": way.gateway, "sender": way.sender}
    elif way.until is not None:
        chosen["until"] = way.until.isoformat()
    return {"wanted": asked, **chosen, **way.numbers}
