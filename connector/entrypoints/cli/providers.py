"""How does an operator see how the gateways fare, and try one out?"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console

from connector.bootstrap import Connector, build_connector
from connector.domain.message import FINAL_STATES, MessageState, Purpose
from connector.entrypoints.cli.chosen_account import account_of
from connector.entrypoints.cli.terminal_tables import print_table
from connector.errors import ConfigurationError
from connector.ports.attempts import AttemptRow
from connector.services.gateway_trials import GatewayTrials
from connector.services.message_desk import MessageStatus
from connector.services.providers import ProviderStatus
from connector.settings import read_settings

_LOOK_EVERY_SECONDS = 0.5  # a person waits for it
_TEXT = "This is a test. No answer is needed."


@click.group()
def provider() -> None:
    """See how the gateways fare, and try one out."""


@provider.command()
@click.option("--provider", "slug", help="Only this gateway.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(slug: str | None, as_json: bool) -> None:
    """Show each gateway: its circuit, how fast it answers, how often it fails, what came of the last hour's texts."""
    connector = build_connector(read_settings())
    found = connector.providers.status(slug)
    if not found:
        raise ConfigurationError(f"{slug} is not in use here; in use are {', '.join(connector.gateways)}")
    if as_json:
        click.echo(json.dumps([status_json(each) for each in found], indent=2))
        return
    show(Console(), found)


@provider.command()
@click.option("--provider", "slug", required=True, help="The gateway to try.")
@click.option("--to", help="Send a text to this number; without it nothing is sent.")
@click.option("--body", default=_TEXT, show_default=True, help="The text.")
@click.option(
    "--purpose",
    type=click.Choice([p.value for p in Purpose]),
    default=Purpose.OTP.value,
    show_default=True,
    help="As a code it goes at any hour: somebody waits for it.",
)
@click.option("--account", "external_id", help="Portal id; may be left out while there is one account.")
@click.option("--wait", type=click.IntRange(0), default=30, show_default=True, help="Seconds to wait for the outcome.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def test(slug: str, to: str | None, body: str, purpose: str, external_id: str | None, wait: int, as_json: bool) -> None:
    """Ask a gateway whether it lets us in; with --to, send one text that takes this gateway or none.

    The text goes the way of every other, so opt-outs, send windows and caps hold for it, and workers must run.
    """
    connector = build_connector(read_settings())
    trials = GatewayTrials(connector.ledger, connector.gateways, connector.single_texts, connector.clock)
    if to is None:
        _ask(trials, slug, as_json=as_json)
        return
    account_id = account_of(connector, external_id)
    message = trials.send(slug, account_id, to, body, Purpose(purpose), "cli: provider test")
    if not as_json:
        click.echo(f"message {message.id} waits for {slug}")
    found = _outcome(connector, account_id, message.id, wait)
    if as_json:
        click.echo(json.dumps(_test_json(found), indent=2))
    else:
        _show_test(found)
    if found.message.state in _IN_VAIN:
        sys.exit(1)


_IN_VAIN = FINAL_STATES - {MessageState.DELIVERED}


def _show_test(found: MessageStatus) -> None:
    for attempt in found.attempts:
        click.echo(_tried(attempt))
    click.echo(f"{found.message.state}: {found.message.state_reason or 'no worker has looked at it yet'}")
    click.echo(f"what becomes of it: smsctl explain {found.message.id}")


def _test_json(found: MessageStatus) -> dict[str, Any]:
    attempts = [
        {
            "gateway": each.gateway,
            "state": each.state.value,
            "raw_status": each.raw_status,
            "error_class": each.error_class,
            "error_code": each.error_code,
            "requested_at": each.requested_at.isoformat(),
            "answered_at": None if each.answered_at is None else each.answered_at.isoformat(),
        }
        for each in found.attempts
    ]
    message = found.message
    return {"id": message.id, "state": message.state.value, "reason": message.state_reason, "attempts": attempts}


def _ask(trials: GatewayTrials, slug: str, *, as_json: bool) -> None:
    began = time.monotonic()
    reached = trials.reach(slug)
    seconds = time.monotonic() - began
    code = f" (code {reached.code})" if reached.code else ""
    if as_json:
        answer = {"is_well": reached.is_well, "said": reached.said, "code": reached.code, "seconds": round(seconds, 3)}
        click.echo(json.dumps({"name": slug, **answer}, indent=2))
        sys.exit(1 if reached.is_well is False else 0)
    if reached.is_well is None:
        click.echo(f"{slug}: {reached.said}{code}; say --to NUMBER to send one")
        return
    click.echo(f"{slug}: {reached.said}{code}, within {seconds:.1f} s")
    if not reached.is_well:
        sys.exit(1)


def _outcome(connector: Connector, account_id: str, message_id: str, wait: int) -> MessageStatus:
    """Look at the text until a gateway has said something about it, it has ended, or the time is over."""
    looks = int(wait / _LOOK_EVERY_SECONDS) + 1
    found: MessageStatus | None = None
    for look in range(looks):
        if look:
            time.sleep(_LOOK_EVERY_SECONDS)
        found = connector.message_desk.status(account_id, message_id)
        if found is not None and _is_told(found):
            break
    if found is None:
        raise ConfigurationError(f"message {message_id} is gone from the ledger")
    return found


def _is_told(found: MessageStatus) -> bool:
    answered = [each for each in found.attempts if each.state is not MessageState.DISPATCHING]
    return bool(answered) or found.message.state in FINAL_STATES | {MessageState.HELD}


def _tried(attempt: AttemptRow) -> str:
    word = f", its word is {attempt.raw_status}" if attempt.raw_status else ""
    code = f", its code is {attempt.error_code} ({attempt.error_class})" if attempt.error_code else ""
    took = ""
    if attempt.answered_at is not None:
        took = f" within {(attempt.answered_at - attempt.requested_at).total_seconds():.1f} s"
    return f"{attempt.gateway} answered{took}: {attempt.state}{word}{code}"


def show(console: Console, found: Sequence[ProviderStatus]) -> None:
    """Print how gateways fare."""
    columns = (
        "!gateway", "circuit", ">answers", ">errors", ">sent", ">arrived", ">lost", ">failed", ">delivers", "routes",
    )  # fmt: skip
    print_table(console, "Gateways, and their texts of the last hour", columns, map(_row, found))
    for each in found:
        for line in _remarks(each):
            console.print(f"{each.slug}: {line}", markup=False, highlight=False, soft_wrap=True)


def _row(each: ProviderStatus) -> tuple[str, ...]:
    share = f", {each.share:.0%}" if 0 < each.share < 1 else ""
    return (
        each.slug,
        f"{each.state}{share}",
        f"{each.usual_seconds:.1f} s" if each.usual_seconds else "-",
        f"{each.error_rate:.0%}",
        str(each.sent),
        str(each.delivered),
        str(each.undelivered),
        str(each.failed),
        f"{each.estimate.delivery_rate:.0%}" if each.estimate.texts >= 1 else "unknown",
        "\n".join(each.routes) or "-",
    )


def _remarks(each: ProviderStatus) -> list[str]:
    told = []
    if each.reason:
        until = f", tried again at {each.until:%H:%M:%S} UTC" if each.until is not None else ""
        told.append(f"{each.state} since {each.since:%Y-%m-%d %H:%M} UTC, because {each.reason}{until}")
    told += [
        f"delivers {fall.now_rate:.0%} of {fall.texts} texts to {fall.country}"
        f"{f', carrier {fall.carrier}' if fall.carrier else ''}; before, it was {fall.before:.0%}"
        for fall in each.fallen
    ]
    return [*told, "texts wait for it"] if each.waiting else told


def status_json(each: ProviderStatus) -> dict[str, Any]:
    """Give how a gateway fares for programs; shares and rates are 0 to 1, the counts are of the last hour."""
    return {
        "name": each.slug,
        "vendor": each.capabilities.vendor,
        "state": each.state.value,
        "share": each.share,
        "reason": each.reason,
        "since": each.since.isoformat(),
        "until": None if each.until is None else each.until.isoformat(),
        "usual_seconds": each.usual_seconds,
        "error_rate": each.error_rate,
        "routes": list(each.routes),
        "waiting": each.waiting,
        "sent": each.sent,
        "delivered": each.delivered,
        "undelivered": each.undelivered,
        "failed": each.failed,
        "delivery_rate": each.estimate.delivery_rate,
        "delivery_rate_of_texts": each.estimate.texts,
        "delivery_seconds": each.estimate.latency_seconds,
        "fallen": [
            {
                "country": fall.country,
                "carrier": fall.carrier or None,
                "before": fall.before,
                "now": fall.now_rate,
                "texts": fall.texts,
            }
            for fall in each.fallen
        ],
    }
