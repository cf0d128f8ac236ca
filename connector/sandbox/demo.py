"""How does the whole pretend world of the demo stand: two CRMs, a gateway and the page a person opens?"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from flask import Flask

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.hubspot.app import create_app as create_hubspot
from connector.sandbox.hubspot.webhooks import WebhookSender
from connector.sandbox.hubspot.workflow_actions import WorkflowActions
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.page.app import create_page
from connector.sandbox.page.cards import Cards, KeyDoor, SignedDoor
from connector.sandbox.page.crm import Side
from connector.sandbox.page.hubspot_desk import HubSpotDesk
from connector.sandbox.page.hubspot_view import HubSpotView
from connector.sandbox.page.org_seed import seed_demo_org
from connector.sandbox.page.portal_seed import OWNER_EMAIL, OWNER_NUMBER, seed_demo_portal
from connector.sandbox.page.salesforce_desk import SalesforceDesk
from connector.sandbox.page.salesforce_view import SalesforceView, kind_of
from connector.sandbox.page.switches import Switches
from connector.sandbox.page.workflows import Workflows
from connector.sandbox.salesforce.app import create_app as create_salesforce
from connector.sandbox.salesforce.outbound import OutboundMessageSender
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, SENDER, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld

PORTAL_ID = 20251104
CLIENT_ID = "sandbox-client-id"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - the pretend app's, known to everybody
APP_ID = 41001
ORG_ID = "00D000000000001EAA"
ORG_HOST = "northgate.my.salesforce.com"
ORG_ADMIN = "admin@northgate.example"
CONSUMER_KEY = "sandbox-consumer-key"
CONSUMER_SECRET = "sandbox-consumer-secret"  # noqa: S105 - as above
HUBSPOT, SALESFORCE = "hubspot", "salesforce"
# A person looks on while a change is told again, so the first pauses are shorter than the vendors'.
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 60, 300, 900, 3600, 7200, 14400, 28800))


@dataclass
class Demo:
    """Four servers and what is behind them; a context manager.

    Attributes:
        app: the page, without its server.
        card_keys: API keys with which record cards ask, by CRM; filled once the connector has made them.
    """

    clock: SandboxClock
    faults: Faults
    hubspot_world: HubSpotWorld
    webhooks: WebhookSender
    workflows: Workflows
    salesforce_world: SalesforceWorld
    outbound: OutboundMessageSender
    twilio_world: TwilioWorld
    hubspot: Server
    salesforce: Server
    twilio: TwilioSandbox
    app: Flask
    page: Server
    connector_url: str
    card_keys: dict[str, str]

    @property
    def settings(self) -> dict[str, str]:
        """The connector's settings under which it talks to this world, by their environment names."""
        return {
            "HUBSPOT_API_URL": self.hubspot.url,
            "HUBSPOT_CLIENT_ID": CLIENT_ID,
            "HUBSPOT_CLIENT_SECRETS": self.webhooks.client_secret,
            "SALESFORCE_CLIENT_ID": CONSUMER_KEY,
            "SALESFORCE_CLIENT_SECRETS": CONSUMER_SECRET,
            "SALESFORCE_LOGIN_URL": self.salesforce.url,
            "SALESFORCE_API_URL": self.salesforce.url,
            "TWILIO_API_URL": self.twilio.url,
            "TWILIO_LOOKUP_URL": self.twilio.url,
            "TWILIO_ACCOUNT_SID": self.twilio_world.account_sid,
            "TWILIO_AUTH_TOKENS": self.twilio_world.auth_token,
            "TWILIO_FROM": next(iter(self.twilio_world.senders)),
            "PUBLIC_URL": self.connector_url,
        }

    @property
    def owner_phones(self) -> dict[str, str]:
        """Owners' numbers by their e-mail address: the connector is told them for both CRMs."""
        return {OWNER_EMAIL: OWNER_NUMBER}

    def start(self) -> Self:
        """Serve and deliver."""
        self.hubspot.start()
        self.salesforce.start()
        self.twilio.start()
        self.page.start()
        self.webhooks.start()
        self.outbound.start()
        self.workflows.start()
        return self

    def stop(self) -> None:
        """Stop everything, the page first."""
        self.page.stop()
        self.workflows.stop()
        self.outbound.stop()
        self.webhooks.stop()
        self.twilio.stop()
        self.salesforce.stop()
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
    page_port: int = 0,
    pace: Pace | None = None,
) -> Demo:
    """Seed a portal, an organisation and their phones, and put CRMs, Twilio and the page on ports (0: any free one).

    `connector_url` is where the connector will serve; it need not be up yet: what changes is told again.
    `clock_path` is the file through which the connector's processes read the sandbox's clock.
    """
    clock, faults = SandboxClock(clock_path), Faults()
    base = connector_url.rstrip("/")
    hubspot = HubSpotWorld(clock)
    hubspot.add_portal(PORTAL_ID, name="Northgate Services")
    hubspot.tokens.add_app(CLIENT_ID, CLIENT_SECRET, APP_ID, [f"{base}/install/{HUBSPOT}/callback"])
    twilio = TwilioWorld(clock, ACCOUNT_SID, AUTH_TOKEN, inbound_url=f"{base}/callbacks/twilio/inbound", pace=pace)
    twilio.add_sender(SENDER)
    seed_demo_portal(hubspot, twilio, PORTAL_ID)
    salesforce = _organisation(clock, base)
    # They listen only from here on: what was there before the app was installed is no event.
    webhooks = WebhookSender(
        hubspot,
        target_url=f"{base}/webhooks/hubspot",
        app_id=APP_ID,
        client_secret=CLIENT_SECRET,
        clock=clock,
        retry_after=RETRY_AFTER,
    )
    outbound = OutboundMessageSender(salesforce, clock, first_pause=RETRY_AFTER[0])
    actions = WorkflowActions(target_url=f"{base}/hubspot/actions/send-sms", client_secret=CLIENT_SECRET, clock=clock)
    workflows, card_keys = Workflows(actions, PORTAL_ID), dict[str, str]()
    sides = (_hubspot(hubspot, clock, base), _salesforce(salesforce, clock, base, card_keys))
    switches = Switches(faults, webhooks, outbound, twilio)
    app = create_page({side.slug: side for side in sides}, twilio, clock, switches, workflows, connector_url=base)
    return Demo(
        clock,
        faults,
        hubspot,
        webhooks,
        workflows,
        salesforce,
        outbound,
        twilio,
        Server(create_hubspot(hubspot, clock, faults, webhooks, workflows=actions), host),
        Server(create_salesforce(salesforce, clock, faults, outbound), host),
        TwilioSandbox(twilio, faults=faults, host=host),
        app,
        Server(app, host, page_port),
        base,
        card_keys,
    )


def _organisation(clock: SandboxClock, connector_url: str) -> SalesforceWorld:
    world = SalesforceWorld(clock)
    world.add_org(
        ORG_ID,
        username=ORG_ADMIN,
        instance_host=ORG_HOST,
        client_id=CONSUMER_KEY,
        client_secret=CONSUMER_SECRET,
        redirect_uris=[f"{connector_url}/install/{SALESFORCE}/callback"],
        name="Northgate Services",
    )
    seed_demo_org(world, ORG_ID)
    return world


def _hubspot(world: HubSpotWorld, clock: SandboxClock, connector_url: str) -> Side:
    door = SignedDoor(clock, CLIENT_SECRET, PORTAL_ID, OWNER_EMAIL)
    view, desk = HubSpotView(world, clock, PORTAL_ID), HubSpotDesk(world, PORTAL_ID)
    cards = Cards(connector_url, door)
    return Side(HUBSPOT, "HubSpot", view, desk, cards, lambda _: "contact", world.on_change)


def _salesforce(world: SalesforceWorld, clock: SandboxClock, connector_url: str, keys: dict[str, str]) -> Side:
    view, desk = SalesforceView(world, clock, ORG_ID), SalesforceDesk(world, ORG_ID)
    cards = Cards(connector_url, KeyDoor(lambda: keys.get(SALESFORCE, "")))
    return Side(SALESFORCE, "Salesforce", view, desk, cards, kind_of, world.on_change)
