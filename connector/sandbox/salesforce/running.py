"""How is a pretend Salesforce served from this process, with something in it to look at?

Invented people with numbers from ranges reserved for fiction: NANP 555-01xx and Ofcom's 07700 900xxx.
"""

from dataclasses import dataclass
from datetime import timedelta

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.salesforce.app import create_app
from connector.sandbox.salesforce.outbound import OutboundMessageSender
from connector.sandbox.salesforce.tokens import Issued
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server

DEMO_ORG = "00D000000000001EAA"
DEMO_HOST = "northgate.my.salesforce.com"  # its tokens name it: they are sent to addresses of Salesforce's only
DEMO_USER = "admin@northgate.example"
_PEOPLE = (
    ("Maya", "Lindqvist", "+1 202-555-0143"),
    ("Jonah", "Achterberg", "+1 312-555-0178"),
    ("Priya", "Sundaram", "+44 7700 900461"),
)


@dataclass(frozen=True)
class RunningSalesforce:
    """A pretend Salesforce that is being served: where, and whose tokens open it."""

    server: Server
    world: SalesforceWorld
    clock: SandboxClock
    faults: Faults
    sender: OutboundMessageSender
    org_id: str
    tokens: Issued

    @property
    def url(self) -> str:
        """Where the org's API and its OAuth endpoints are."""
        return self.server.url

    def stop(self) -> None:
        """Stop sending outbound messages and serving."""
        self.sender.stop()
        self.server.stop()


def run(
    port: int,
    *,
    host: str = "127.0.0.1",
    clock: SandboxClock | None = None,
    client_id: str = "sandbox-client",
    client_secret: str = "sandbox-secret",  # noqa: S107 - the pretend app's, known to everybody
    seed: int | None = None,
) -> RunningSalesforce:
    """Serve a world with one seeded org from threads of this process, and return at once.

    Outbound messages go out once they are made through the Metadata API. The caller shows `.url` and `.tokens`,
    waits, and calls `.stop()`.
    """
    clock, faults = clock or SandboxClock(), Faults()
    world = SalesforceWorld(clock, seed=seed)
    world.add_org(
        DEMO_ORG,
        username=DEMO_USER,
        instance_host=DEMO_HOST,
        client_id=client_id,
        client_secret=client_secret,
        name="Northgate Services",
    )
    seed_org(world, DEMO_ORG)
    sender = OutboundMessageSender(world, clock)
    server = Server(create_app(world, clock, faults, sender), host, port).start()
    sender.start()
    return RunningSalesforce(server, world, clock, faults, sender, DEMO_ORG, world.grant(DEMO_ORG, client_id=client_id))


def seed_org(world: SalesforceWorld, org_id: str) -> None:
    """Fill an empty org: a rep, three contacts each with a deal, an invoice and a case, and a lead."""
    rep = world.add_user(
        org_id, "sam.okafor@northgate.example", FirstName="Sam", LastName="Okafor", MobilePhone="+12025550199"
    )
    account = world.create(org_id, "Account", {"Name": "Globex", "Phone": "+1 202-555-0100"})["Id"]
    owned = {"OwnerId": rep}
    day = world.clock.now().date()
    for number, (first, last, phone) in enumerate(_PEOPLE):
        person = {"FirstName": first, "LastName": last, "MobilePhone": phone, "AccountId": account, **owned}
        contact = world.create(org_id, "Contact", {**person, "Email": f"{first}.{last}@example.com".lower()})["Id"]
        due = (day + timedelta(days=3 + number)).isoformat()
        deal = {
            "Name": f"Installation {number + 1}",
            "StageName": "Prospecting",
            "CloseDate": due,
            "ContactId": contact,
        }
        world.create(org_id, "Opportunity", {**deal, "AccountId": account, "Amount": 1200 + 350 * number, **owned})
        invoice = {"Name": f"INV-{1001 + number}", "Status__c": "Open", "Due_Date__c": due, "Contact__c": contact}
        world.create(org_id, "Invoice__c", {**invoice, "Balance__c": 450 + 75 * number, "CurrencyIsoCode": "USD"})
        world.create(org_id, "Case", {"Subject": f"Question {number + 1}", "ContactId": contact, "Priority": "Low"})
    world.create(org_id, "Lead", {"LastName": "Berg", "Company": "Initech", "Phone": "+1 202-555-0120", **owned})
