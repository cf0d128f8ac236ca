"""How does the whole pretend world of the demo stand: CRM, gateway and the page a person opens?"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.hubspot.app import create_app as create_hubspot
from connector.sandbox.hubspot.webhooks import WebhookSender
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.page.app import create_page
from connector.sandbox.page.portal_seed import OWNER_EMAIL, OWNER_NUMBER, seed_demo_portal
from connector.sandbox.serve import Server
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, SENDER, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld

PORTAL_ID = 20251104
ACCESS_TOKEN = "sandbox-private-app-token"  # noqa: S105 - the pretend portal's, known to everybody
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - as above
APP_ID = 41001
# A person looks on while the webhook is tried again, so the first pauses are shorter than HubSpot's.
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 60, 300, 900, 3600, 7200, 14400, 28800))


@dataclass
class Demo:
    """Three servers and what is behind them; a context manager."""

    clock: SandboxClock
    faults: Faults
    hubspot_world: HubSpotWorld
    webhooks: WebhookSender
    twilio_world: TwilioWorld
    hubspot: Server
    twilio: TwilioSandbox
    page: Server
    connector_url: str

    @property
    def settings(self) -> dict[str, str]:
        """The connector's settings under which it talks to this world, by their environment names."""
        return {
            "HUBSPOT_API_URL": self.hubspot.url,
            "HUBSPOT_CLIENT_SECRETS": self.webhooks.client_secret,
            "TWILIO_API_URL": self.twilio.url,
            "TWILIO_LOOKUP_URL": self.twilio.url,
            "TWILIO_ACCOUNT_SID": self.twilio_world.account_sid,
            "TWILIO_AUTH_TOKENS": self.twilio_world.auth_token,
            "TWILIO_FROM": next(iter(self.twilio_world.senders)),
            "PUBLIC_URL": self.connector_url,
        }

    @property
    def owner_phones(self) -> dict[str, str]:
        """Owners' numbers by their e-mail address: HubSpot keeps none, so the connector is told."""
        return {OWNER_EMAIL: OWNER_NUMBER}

    def start(self) -> Self:
        """Serve and deliver."""
        self.hubspot.start()
        self.twilio.start()
        self.page.start()
        self.webhooks.start()
        return self

    def stop(self) -> None:
        """Stop everything, the page first."""
        self.page.stop()
        self.webhooks.stop()
        self.twilio.stop()
        self.hubspot.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def build_demo(
    *,
    connector_url: str,
    clock_path: Path | None = None,
    host: str = "127.0.0.1",
    hubspot_port: int = 0,
    twilio_port: int = 0,
    page_port: int = 0,
    pace: Pace | None = None,
) -> Demo:
    """Seed a portal and its phones, and put HubSpot, Twilio and the page on three ports (0: any free one).

    `connector_url` is where the connector will serve; it need not be up yet: webhooks are tried again.
    `clock_path` is the file through which the connector's processes read the sandbox's clock.
    """
    clock, faults = SandboxClock(clock_path), Faults()
    base = connector_url.rstrip("/")
    hubspot_world = HubSpotWorld(clock)
    hubspot_world.add_portal(PORTAL_ID, token=ACCESS_TOKEN, name="Northgate Services")
    twilio_world = TwilioWorld(
        clock, ACCOUNT_SID, AUTH_TOKEN, inbound_url=f"{base}/callbacks/twilio/inbound", pace=pace
    )
    twilio_world.add_sender(SENDER)
    seed_demo_portal(hubspot_world, twilio_world, PORTAL_ID)
    # Listens only from here on: what was there before the app was installed is no event.
    webhooks = WebhookSender(
        hubspot_world,
        target_url=f"{base}/webhooks/hubspot",
        app_id=APP_ID,
        client_secret=CLIENT_SECRET,
        clock=clock,
        retry_after=RETRY_AFTER,
    )
    page = create_page(
        hubspot_world,
        webhooks,
        twilio_world,
        clock,
        faults,
        connector_url=base,
        client_secret=CLIENT_SECRET,
        portal_id=PORTAL_ID,
    )
    return Demo(
        clock,
        faults,
        hubspot_world,
        webhooks,
        twilio_world,
        Server(create_hubspot(hubspot_world, clock, faults, webhooks), host, hubspot_port),
        TwilioSandbox(twilio_world, faults=faults, host=host, port=twilio_port),
        Server(page, host, page_port),
        base,
    )
