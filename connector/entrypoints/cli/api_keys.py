"""How does an operator let a program call the API, and take that back?"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import click

from connector.bootstrap import build_connector
from connector.entrypoints.cli.chosen_account import account_of
from connector.ports.api_keys import APIKeyRow, APIScope
from connector.services.api_keys import USUAL_PER_MINUTE
from connector.settings import read_settings

_ALL = "all"


@click.group(name="api-key")
def api_key() -> None:
    """Add, list and revoke keys of the REST API, and show what callbacks are signed with."""


def _of_account(command: Any) -> Any:
    return click.option("--account", "external_id", help="Portal id; may be left out while there is one account.")(
        command
    )


@api_key.command()
@_of_account
@click.option("--name", required=True, help="What people call it, such as shop.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([*(scope.value for scope in APIScope), _ALL]),
    help="What it may do; give it several times, or `all`.",
)
@click.option(
    "--per-minute", type=click.IntRange(1), default=USUAL_PER_MINUTE, show_default=True, help="Calls a minute."
)
@click.option("--days", type=click.IntRange(1), help="Opens nothing after so many days; else until it is revoked.")
def add(external_id: str | None, name: str, scopes: tuple[str, ...], per_minute: int, days: int | None) -> None:
    """Make a key and show it, once: only its hash is kept."""
    connector = build_connector(read_settings())
    chosen = list(APIScope) if _ALL in scopes else [APIScope(scope) for scope in scopes]
    made = connector.api_keys.add(
        account_of(connector, external_id),
        name,
        chosen,
        per_minute=per_minute,
        expires_at=None if days is None else connector.clock.now() + timedelta(days=days),
    )
    click.echo(made.secret)
    click.echo(f"key {made.row.prefix}… ({made.row.name}) may: {_scopes(made.row)}", err=True)
    click.echo("it is shown this once", err=True)


@api_key.command(name="list")
@_of_account
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(external_id: str | None, as_json: bool) -> None:
    """List keys, revoked ones too; times are in UTC."""
    connector = build_connector(read_settings())
    now = connector.clock.now()
    rows = connector.api_keys.of_account(account_of(connector, external_id))
    if as_json:
        click.echo(json.dumps([_row_json(row, now) for row in rows], indent=2))
        return
    for row in rows:
        used = f"used {_day(row.last_used_at)}" if row.last_used_at is not None else "never used"
        parts = (f"{row.prefix}…", row.name, _standing(row, now), f"{row.per_minute}/min", used, _scopes(row))
        click.echo("  ".join(parts))


@api_key.command()
@_of_account
@click.argument("key")
def revoke(external_id: str | None, key: str) -> None:
    """Let KEY open nothing any more; it goes by its id or the beginning that the list shows."""
    connector = build_connector(read_settings())
    row = connector.api_keys.revoke(account_of(connector, external_id), key.removesuffix("…"))
    click.echo(f"key {row.prefix}… ({row.name}) is revoked")


@api_key.command(name="callback-secret")
@_of_account
@click.option("--rotate", is_flag=True, help="Make a new one; the last one holds for seven days more.")
@click.option("--at-once", is_flag=True, help="With --rotate: the last one ends now.")
def callback_secret(external_id: str | None, rotate: bool, at_once: bool) -> None:
    """Show what callbacks are signed with, newest first."""
    if at_once and not rotate:
        raise click.UsageError("--at-once goes with --rotate")
    connector = build_connector(read_settings())
    account_id, secrets = account_of(connector, external_id), connector.callback_secrets
    for each in secrets.rotate(account_id, at_once=at_once) if rotate else secrets.shown(account_id):
        click.echo(each.secret + ("" if each.retires_at is None else f"  until {_day(each.retires_at)}"))


def _row_json(row: APIKeyRow, now: datetime) -> dict[str, Any]:
    times = {
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    }
    return {
        "id": row.id,
        "prefix": row.prefix,
        "name": row.name,
        "is_valid": row.is_valid(now),
        "scopes": sorted(scope.value for scope in row.scopes),
        "per_minute": row.per_minute,
        **{name: None if at is None else at.isoformat() for name, at in times.items()},
    }


def _standing(row: APIKeyRow, now: datetime) -> str:
    if row.revoked_at is not None:
        return f"revoked {_day(row.revoked_at)}"
    if row.expires_at is None:
        return "valid"
    return f"valid until {_day(row.expires_at)}" if row.is_valid(now) else f"expired {_day(row.expires_at)}"


def _scopes(row: APIKeyRow) -> str:
    return ", ".join(sorted(scope.value for scope in row.scopes))


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
