"""Who and what is in the demo's portal when the page is opened for the first time?

Invented people; numbers from ranges reserved for fiction (NANP 555-01xx, Ofcom's 07700 900xxx).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.hubspot.portal import Pipeline, Stage
from connector.sandbox.hubspot.values import iso
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.twilio.world import TwilioWorld

OWNER_NAME, OWNER_EMAIL, OWNER_NUMBER = "Sam Okafor", "sam.okafor@example.com", "+12025550190"

# HubSpot's own stage ids; an admin renamed two of the labels, as admins do.
PIPELINE = Pipeline(
    "default",
    "Sales pipeline",
    (
        Stage("qualifiedtobuy", "New enquiry", probability="0.2"),
        Stage("appointmentscheduled", "Appointment scheduled", probability="0.4"),
        Stage("presentationscheduled", "Demo booked", probability="0.7"),
        Stage("closedwon", "Closed won", is_closed=True, probability="1.0"),
    ),
)


@dataclass(frozen=True)
class Person:
    """A contact of the portal; without a mobile number texts have nowhere to go."""

    first: str
    last: str
    company: str
    mobile: str
    zone: str
    language: str = "en"


# Jo shares Marcus's number: an opt-out from one of them must hold for both. Lena has no number at all.
PEOPLE = (
    Person("Maya", "Lindqvist", "Northwind Studio", "+1 202-555-0143", "us_slash_eastern"),
    Person("Marcus", "Achterberg", "Achterberg Roofing", "+1 415-555-0132", "us_slash_pacific"),
    Person("Priya", "Sundaram", "Lantern Books", "+44 7700 900461", "europe_slash_london", "en-gb"),
    Person("Jo", "Achterberg", "Achterberg Roofing", "+1 415-555-0132", "us_slash_pacific"),
    Person("Lena", "Vogt", "Vogt & Daughters", "", "us_slash_eastern"),
)

# Each is a person's place in PEOPLE, a name, a stage and an amount.
DEALS = (
    (0, "Studio website", "qualifiedtobuy", "4800"),
    (2, "Bookshop tills", "qualifiedtobuy", "2650"),
    (1, "Crew scheduling", "appointmentscheduled", "7200"),
    (4, "Loyalty cards", "qualifiedtobuy", "1900"),
    (2, "Events calendar", "presentationscheduled", "3100"),
)

# A person's place, a number, a title, an amount, and in how many days it is due.
INVOICES = (
    (1, "INV-1041", "Roof survey", "450.00", -2),
    (0, "INV-1042", "Brand workshop", "1280.00", 1),
    (2, "INV-1043", "Till rental", "96.50", 4),
)

TICKETS = ((2, "Receipt printer offline", "LOW"),)


def seed_demo_portal(hubspot: HubSpotWorld, twilio: TwilioWorld, portal_id: int) -> None:
    """Fill an empty portal and give its people, and their owner, phones."""
    owner = hubspot.add_owner(portal_id, OWNER_EMAIL, *OWNER_NAME.split())
    hubspot.add_pipeline(portal_id, "deals", PIPELINE)
    contacts = [_contact(hubspot, portal_id, person, owner) for person in PEOPLE]
    _business(hubspot, portal_id, contacts, owner)
    for person, contact_id in zip(PEOPLE, contacts, strict=True):
        number = hubspot.get(portal_id, "contacts", contact_id)["properties"].get("hs_calculated_mobile_number")
        if number and number not in twilio.handsets:
            twilio.add_handset(number, f"{person.first} {person.last}")
    twilio.add_handset(OWNER_NUMBER, f"{OWNER_NAME.split(maxsplit=1)[0]} (owner)")


def _contact(hubspot: HubSpotWorld, portal_id: int, person: Person, owner: str) -> str:
    values = {
        "firstname": person.first,
        "lastname": person.last,
        "email": f"{person.first}.{person.last}@example.com".lower(),
        "company": person.company,
        "hs_timezone": person.zone,
        "hs_language": person.language,
        "hubspot_owner_id": owner,
    }
    if person.mobile:
        values["mobilephone"] = person.mobile
    return str(hubspot.create(portal_id, "contacts", values)["id"])


def _business(hubspot: HubSpotWorld, portal_id: int, contacts: list[str], owner: str) -> None:
    for who, name, stage, amount in DEALS:
        deal = {"dealname": name, "dealstage": stage, "amount": amount, "hubspot_owner_id": owner}
        hubspot.create(portal_id, "deals", deal, [("contacts", contacts[who])])
    for who, number, title, amount, days in INVOICES:
        invoice = _invoice(hubspot.clock.now(), number, title, amount, days) | {"hubspot_owner_id": owner}
        hubspot.create(portal_id, "invoices", invoice, [("contacts", contacts[who])])
    for who, subject, priority in TICKETS:
        ticket = {"subject": subject, "hs_ticket_priority": priority, "hubspot_owner_id": owner}
        hubspot.create(portal_id, "tickets", ticket, [("contacts", contacts[who])])


def _invoice(now: datetime, number: str, title: str, amount: str, days: int) -> dict[str, str]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "hs_number": number,
        "hs_title": title,
        "hs_invoice_status": "open",
        "hs_invoice_date": iso(midnight - timedelta(days=14 - days)),
        "hs_due_date": iso(midnight + timedelta(days=days)),
        "hs_amount_billed": amount,
        "hs_balance_due": amount,
        "hs_currency": "USD",
        "hs_invoice_link": f"https://pay.example.com/{number}",
    }
