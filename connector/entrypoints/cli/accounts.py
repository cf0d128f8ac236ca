"""How are accounts added and changed from the command line?"""

from __future__ import annotations

from typing import Any

import click

from connector.bootstrap import build_connector
from connector.domain.msisdn import normalise
from connector.errors import ConfigurationError
from connector.services.accounts import Installation
from connector.settings import read_settings


@click.group()
def account() -> None:
    """Add, change and list accounts: installed HubSpot portals."""


def _setting_options(command: Any) -> Any:
    """Give a command the options that are settings of an account."""
    for option in (
        click.option("--name", help="Who texts say they are from, as {{ account.name }}."),
        click.option("--region", help="Country whose phone numbers people type without prefix, such as US."),
        click.option("--locale", help="Language of contacts who have none, such as en."),
        click.option("--owner-phone", multiple=True, metavar="EMAIL=NUMBER", help="Where an owner gets SMS."),
    ):
        command = option(command)
    return command


@account.command()
@click.option("--crm", type=click.Choice(["hubspot"]), default="hubspot", show_default=True)
@click.option("--external-id", required=True, help="Portal id.")
@click.option("--token", help="Static access token, as private apps have.")
@click.option("--refresh-token", help="OAuth refresh token.")
@_setting_options
def add(
    crm: str,
    external_id: str,
    token: str | None,
    refresh_token: str | None,
    **chosen: Any,
) -> None:
    """Add an account and create our properties in its CRM; again, to replace its token."""
    settings = _settings(**chosen)
    installation = Installation(crm, external_id, token, refresh_token, settings)
    added = build_connector(read_settings()).accounts.add(installation)
    account_ = added.account
    click.echo(f"{crm} account {external_id} is {account_.status}" + (f": {account_.name}" if account_.name else ""))
    if added.in_service:
        click.echo(f"in service: {', '.join(added.in_service)}")
    if added.missing:
        click.echo(f"warning: {added.missing}", err=True)


@account.command(name="set")
@click.option("--crm", type=click.Choice(["hubspot"]), default="hubspot", show_default=True)
@click.option("--external-id", required=True, help="Portal id.")
@_setting_options
def set_(crm: str, external_id: str, **chosen: Any) -> None:
    """Change settings of an account."""
    changed = _settings(**chosen)
    account_ = build_connector(read_settings()).accounts.change(crm, external_id, changed)
    click.echo(f"{crm} account {external_id}: " + ", ".join(f"{k}={v}" for k, v in sorted(account_.settings.items())))


@account.command(name="list")
def list_() -> None:
    """List accounts."""
    with build_connector(read_settings()).ledger.begin(write=False) as uow:
        for row in uow.accounts.all():
            click.echo(f"{row.crm}  {row.external_id}  {row.status}  {row.name}  {row.status_reason}".rstrip())


def _settings(name: str | None, region: str | None, locale: str | None, owner_phone: tuple[str, ...]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if name:
        settings["name"] = name
    if region:
        settings["default_region"] = region.upper()
    if locale:
        settings["locale"] = locale
    if owner_phone:
        settings["owner_phones"] = dict(_owner_phone(text, region) for text in owner_phone)
    return settings


def _owner_phone(text: str, region: str | None) -> tuple[str, str]:
    email, found, number = text.partition("=")
    if not found or "@" not in email:
        raise ConfigurationError(f"--owner-phone {text}: expected EMAIL=NUMBER, such as ann@example.com=+12025550110")
    return email.strip().lower(), normalise(number, [region.upper()] if region else []).e164
