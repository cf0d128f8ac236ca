"""How does an operator send one text, and ask why anything happened?"""

from __future__ import annotations

import json
from typing import Any

import click

from connector.bootstrap import build_connector
from connector.domain.journey import USUAL_PRIORITY
from connector.domain.message import Purpose
from connector.entrypoints.cli.chosen_account import account_of
from connector.entrypoints.cli.typed_values import time_of, values_of
from connector.errors import ConfigurationError
from connector.services.single_texts import Ordered, TextOrder
from connector.settings import read_settings


@click.command()
@click.option("--to", required=True, help="Phone number, as people write it.")
@click.option("--body", help="The text.")
@click.option("--template", help="Instead of a text: a template by folder and name, such as deal-won/thanks.")
@click.option("--data", help="What the template's names stand for, as a JSON object.")
@click.option("--account", "external_id", help="Portal id; may be left out while there is one account.")
@click.option("--from", "sender", help="Our number to send from; the gateway's default when left out.")
@click.option("--purpose", type=click.Choice([p.value for p in Purpose]), default="transactional", show_default=True)
@click.option("--priority", type=click.IntRange(1, 9), default=USUAL_PRIORITY, show_default=True, help="9 goes first.")
@click.option("--send-at", help="Not before this time, such as 2026-11-20T14:00+01:00; without a zone it is UTC.")
@click.option(
    "--expires-at",
    help="Not after this time, in UTC where it has no zone; the usual lifetime of the purpose when left out.",
)
@click.option("--key", help="Idempotency key: the same key never sends a second text.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def send(  # noqa: PLR0913, PLR0917 - click passes every option by itself
    to: str,
    body: str | None,
    template: str | None,
    data: str | None,
    external_id: str | None,
    sender: str | None,
    purpose: str,
    priority: int,
    send_at: str | None,
    expires_at: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Queue one SMS; opt-outs, send windows and caps hold for it as for every other."""
    connector = build_connector(read_settings())
    order = TextOrder(
        account_id=account_of(connector, external_id),
        to=to,
        body=body,
        purpose=Purpose(purpose),
        sender=sender,
        idempotency_key=key,
        template=template,
        data=values_of(data, "--data"),
        priority=priority,
        send_at=time_of(send_at, "--send-at"),
        expires_at=time_of(expires_at, "--expires-at"),
        ordered_by="cli",
    )
    ordered = connector.single_texts.queue(order)
    message = ordered.message
    if as_json:
        click.echo(json.dumps(_order_json(ordered), indent=2))
        return
    click.echo(f"{message.state}: message {message.id}, {message.segments} segment(s), {message.encoding}")
    click.echo(f"ask what became of it with: smsctl explain {message.id}")


def _order_json(ordered: Ordered) -> dict[str, Any]:
    """Give what was queued; neither number nor text, which whoever ordered it knows."""
    message = ordered.message
    return {
        "id": message.id,
        "is_new": ordered.is_new,
        "state": message.state.value,
        "reason": message.state_reason,
        "gateway": message.gateway,
        "encoding": message.encoding,
        "segments": message.segments,
        "not_before": message.not_before.isoformat(),
        "expires_at": None if message.expires_at is None else message.expires_at.isoformat(),
    }


@click.command()
@click.argument("subject")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def explain(subject: str, as_json: bool) -> None:
    """Tell why: SUBJECT is a contact's CRM id, a message, enrollment or gateway message id."""
    lines = build_connector(read_settings()).traces.explain(subject)
    if not lines:
        raise ConfigurationError(f"nothing here goes by {subject}")
    if as_json:
        click.echo(json.dumps([line.to_json() for line in lines], indent=2))
        return
    for line in lines:
        click.echo(str(line))
