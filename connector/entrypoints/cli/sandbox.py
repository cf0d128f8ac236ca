"""How is each emulator started alone?"""

from __future__ import annotations

import click

from connector.entrypoints.stopping import StopSignal
from connector.sandbox.hubspot.app import run as run_hubspot
from connector.sandbox.salesforce.running import DEMO_HOST
from connector.sandbox.salesforce.running import run as run_salesforce
from connector.sandbox.twilio.sandbox import run as run_twilio


@click.group()
def sandbox() -> None:
    """Start a pretend HubSpot, Salesforce or Twilio, to point the connector at."""


@sandbox.command()
@click.option("--port", type=int, required=True, help="Port on the loopback interface.")
@click.option("--webhook-url", help="Where signed webhooks are sent, such as http://127.0.0.1:8000/webhooks/hubspot.")
@click.option("--client-secret", default="sandbox-client-secret", show_default=True, help="Signs webhooks.")
@click.option("--token", help="Access token of the portal; made up when left out.")
def hubspot(port: int, webhook_url: str | None, client_secret: str, token: str | None) -> None:
    """Start a pretend HubSpot with one portal."""
    stop = StopSignal()
    running = run_hubspot(port, token=token, webhook_url=webhook_url, client_secret=client_secret)
    click.echo(f"HUBSPOT_API_URL={running.url}")
    click.echo(f"HUBSPOT_CLIENT_SECRETS={client_secret}")
    click.echo(f"smsctl account add --crm hubspot --external-id {running.portal_id} --token {running.token}")
    stop.wait()
    running.stop()


@sandbox.command()
@click.option("--port", type=int, required=True, help="Port on the loopback interface.")
@click.option("--client-id", default="sandbox-client", show_default=True, help="Consumer key of the app.")
@click.option("--client-secret", default="sandbox-secret", show_default=True, help="Consumer secret of the app.")
def salesforce(port: int, client_id: str, client_secret: str) -> None:
    """Start a pretend Salesforce with one organisation."""
    stop = StopSignal()
    running = run_salesforce(port, client_id=client_id, client_secret=client_secret)
    click.echo(f"SALESFORCE_API_URL={running.url}")
    click.echo(f"SALESFORCE_LOGIN_URL={running.url}")
    click.echo(f"SALESFORCE_CLIENT_ID={client_id}")
    click.echo(f"SALESFORCE_CLIENT_SECRETS={client_secret}")
    click.echo("INSTALL_OPEN=true")
    click.echo(f"then open PUBLIC_URL/install/salesforce?host={DEMO_HOST}")
    stop.wait()
    running.stop()


@sandbox.command()
@click.option("--port", type=int, required=True, help="Port on the loopback interface.")
@click.option("--inbound-url", help="Where replies are sent, such as http://127.0.0.1:8000/callbacks/twilio/inbound.")
def twilio(port: int, inbound_url: str | None) -> None:
    """Start a pretend Twilio."""
    run_twilio(port, announce=click.echo, inbound_url=inbound_url)
