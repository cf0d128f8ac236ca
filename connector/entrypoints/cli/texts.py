"""How does an operator send one text, and ask why anything happened?"""

from __future__ import annotations

import json

import click

from connector.bootstrap import Connector, build_connector
from connector.domain.message import Purpose
from connector.errors import ConfigurationError
from connector.services.single_texts import TextOrder
from connector.settings import read_settings


@click.command()
@click.option("--to", required=True, help="Phone number, as people write it.")
@click.option("--body", required=True, help="The text.")
@click.option("--account", "external_id", help="Portal id; may be left out while there is one account.")
@click.option("--from", "sender", help="Our number to send from; the gateway's default when left out.")
@click.option("--purpose", type=click.Choice([p.value for p in Purpose]), default="transactional", show_default=True)
@click.option("--key", help="Idempotency key: the same key never sends a second text.")
def send(to: str, body: str, external_id: str | None, sender: str | None, purpose: str, key: str | None) -> None:
    """Queue one SMS; opt-outs, send windows and caps hold for it as for every other."""
    connector = build_connector(read_settings())
    account_id = _account(connector, external_id)
    message = connector.single_texts.queue(TextOrder(account_id, to, body, Purpose(purpose), sender, key))
    click.echo(f"{message.state}: message {message.id}, {message.segments} segment(s), {message.encoding}")
    click.echo(f"ask what became of it with: smsctl explain {message.id}")


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


def _account(connector: Connector, external_id: str | None) -> str:
    with connector.ledger.begin(write=False) as uow:
        accounts = uow.accounts.all()
    chosen = [account for account in accounts if external_id in {None, account.external_id}]
    if len(chosen) == 1:
        return chosen[0].id
    if not accounts:
        raise ConfigurationError("there is no account yet; add one with: smsctl account add")
    known = ", ".join(account.external_id for account in accounts)
    raise ConfigurationError(f"say which account with --account; known are {known}")
