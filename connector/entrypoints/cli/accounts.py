"""How are accounts added, changed, uninstalled and erased from the command line?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from connector.adapters.crm.salesforce.ids import full_id
from connector.bootstrap import HUBSPOT, SALESFORCE, build_connector
from connector.domain.account_settings import read_value
from connector.errors import ConfigurationError
from connector.services.accounts import Installation
from connector.services.erasing import LAST_LOOK
from connector.settings import read_settings

_CRMS = [HUBSPOT, SALESFORCE]


@click.group()
def account() -> None:
    """Add, change, uninstall and erase accounts: HubSpot portals and Salesforce organisations."""


def _setting_options(command: Any) -> Any:
    """Give a command the options that are settings of an account."""
    for option in (
        click.option("--name", help="Who texts say they are from, as {{ account.name }}."),
        click.option("--region", help="Country whose phone numbers people type without prefix, such as US."),
        click.option("--locale", help="Language of contacts who have none, such as en."),
        click.option("--owner-phone", multiple=True, metavar="EMAIL=NUMBER", help="Where an owner gets SMS."),
        click.option("--set", "others", multiple=True, metavar="NAME=VALUE", help="Any setting; nothing: its default."),
    ):
        command = option(command)
    return command


def _named(command: Any) -> Any:
    """Give a command the options that name an account."""
    external_id = click.option("--external-id", required=True, help="Portal id, or organisation id.")
    crm = click.option("--crm", type=click.Choice(_CRMS), default=HUBSPOT, show_default=True)
    return crm(external_id(command))


@account.command()
@_named
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
    settings = read_settings()
    if crm == SALESFORCE:  # where it lives and what renews its token are known only by way of its login page
        raise ConfigurationError(f"connect an organisation in a browser: {settings.public_url}/install/salesforce")
    given = _settings(crm, {}, **chosen)
    installation = Installation(crm, external_id, token, refresh_token, _without_nothing(given))
    added = build_connector(settings).accounts.add(installation)
    account_ = added.account
    click.echo(f"{crm} account {external_id} is {account_.status}" + (f": {account_.name}" if account_.name else ""))
    if added.in_service:
        click.echo(f"in service: {', '.join(added.in_service)}")
    if added.missing:
        click.echo(f"warning: {added.missing}", err=True)


@account.command(name="set")
@_named
@_setting_options
def set_(crm: str, external_id: str, **chosen: Any) -> None:
    """Change settings of an account; docs/reference/account-settings.md lists them."""
    connector, external_id = build_connector(read_settings()), _whole(crm, external_id)
    with connector.ledger.begin(write=False) as uow:
        account_id = uow.accounts.by_external_ids(crm, [external_id]).get(external_id)
        kept = {} if account_id is None else uow.accounts.get(account_id).settings
    account_ = connector.accounts.change(crm, external_id, _settings(crm, kept, **chosen))
    click.echo(f"{crm} account {external_id}: " + ", ".join(f"{k}={v}" for k, v in sorted(account_.settings.items())))


@account.command(name="list")
def list_() -> None:
    """List accounts."""
    with build_connector(read_settings()).ledger.begin(write=False) as uow:
        for row in uow.accounts.all():
            click.echo(f"{row.crm}  {row.external_id}  {row.status}  {row.name}  {row.status_reason}".rstrip())


@account.command()
@_named
@click.option("--by", required=True, help="Who wants it, for the record.")
@click.option("--without-crm", is_flag=True, help="End it here only, where its CRM is gone for good.")
def remove(crm: str, external_id: str, by: str, without_crm: bool) -> None:
    """Uninstall an account: in its CRM, then here; what it sent and heard is kept."""
    external_id = _whole(crm, external_id)
    left = build_connector(read_settings()).departures.remove(crm, external_id, by, tells_crm=not without_crm)
    if left.not_told:
        raise ConfigurationError(
            f"{crm} account {external_id} does nothing any more, but its CRM could not be told: {left.not_told}; "
            "run the same command again, or with --without-crm"
        )
    click.echo(f"{crm} account {external_id} is {left.account.status}")
    for each in left.by_hand:
        click.echo(f"still to be done by hand: {each}")


@account.command()
@_named
@click.option("--by", required=True, help="Who asked for it, for the certificate.")
@click.option("--reason", required=True, help="Why, for the certificate; no personal data.")
def erase(crm: str, external_id: str, by: str, reason: str) -> None:
    """Erase everything of an uninstalled account; run again, it goes on where it was stopped."""
    eraser, external_id = build_connector(read_settings()).eraser, _whole(crm, external_id)
    erasure = eraser.work_off(eraser.request(crm, external_id, by, reason).id)
    gone = sum(erasure.counts.values())
    click.echo(f"erasure {erasure.id}: {gone} row{'' if gone == 1 else 's'} of {crm} account {external_id} went")
    if erasure.completed_at is None:
        ends = erasure.requested_at + LAST_LOOK
        click.echo(f"the last look, for what workers still had in hand, is after {ends:%Y-%m-%d %H:%M} UTC")
    click.echo(f"certificate: smsctl account certificate {erasure.id}")


@account.command(name="erase-contact")
@_named
@click.option("--contact", required=True, help="The contact's id in the CRM.")
@click.option("--by", required=True, help="Who asked for it, for the certificate.")
@click.option("--reason", required=True, help="Why, for the certificate; no personal data.")
def erase_contact(crm: str, external_id: str, contact: str, by: str, reason: str) -> None:
    """Erase what is kept of one contact; that its number opted out stays."""
    connector, external_id = build_connector(read_settings()), _whole(crm, external_id)
    with connector.ledger.begin(write=False) as uow:
        account_id = uow.accounts.by_external_ids(crm, [external_id]).get(external_id)
    erasure_id = None
    if account_id is not None:
        erasure_id = connector.eraser.erase_contact(account_id, contact, by, reason)
    if erasure_id is None:
        raise ConfigurationError(f"{crm} account {external_id} has no contact {contact} here: nothing is kept of it")
    connector.eraser.work_off(erasure_id)
    click.echo(f"certificate: smsctl account certificate {erasure_id}")


@account.command()
@click.argument("erasure_id")
def certificate(erasure_id: str) -> None:
    """Print what an erasure did as JSON, and check its seal; exit status 1 where it does not hold."""
    eraser = build_connector(read_settings()).eraser
    told = eraser.certificate(eraser.get(erasure_id))
    click.echo(json.dumps(told, indent=2))
    if not told["completed_at"]:
        raise ConfigurationError(f"erasure {erasure_id} is still under way: there is no certificate yet")
    if not told["is_genuine"]:
        raise ConfigurationError(f"the seal of erasure {erasure_id} does not hold: the row was changed afterwards")


def _whole(crm: str, external_id: str) -> str:
    """Give the id as accounts are kept under: organisations' ids come with 15 characters as well."""
    return (full_id(external_id) if crm == SALESFORCE else "") or external_id


def _settings(
    crm: str,
    kept: Mapping[str, Any],
    name: str | None,
    region: str | None,
    locale: str | None,
    owner_phone: tuple[str, ...],
    others: tuple[str, ...],
) -> dict[str, Any]:
    """Read settings by their rules; None takes one back to its default.

    Raises:
        ConfigurationError: lists every one that cannot be.
    """
    given: dict[str, Any] = {"name": name, "default_region": region, "locale": locale}
    given = {setting: value for setting, value in given.items() if value}
    if owner_phone:
        given["owner_phones"] = dict(_pair("--owner-phone", text) for text in owner_phone)
    given |= dict(_pair("--set", text) for text in others)
    read, mistakes = dict[str, Any](), list[str]()
    for setting, raw in given.items():
        try:
            read[setting] = read_value(crm, setting, raw, {**kept, **read})
        except ValueError as error:
            mistakes.append(f"{setting}: {error}")
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return read


def _pair(option: str, text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        example = "ann@example.com=+12025550110" if option == "--owner-phone" else "unknown_numbers=attach"
        raise ConfigurationError(f"{option} {name}: expected a name, = and a value, such as {example}")
    return name.strip(), value.strip()


def _without_nothing(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}
