"""What is in a portal when somebody opens the sandbox for the first time?

Invented people with numbers from ranges reserved for fiction: NANP 555-01xx and Ofcom's 07700 900xxx.
"""

from datetime import timedelta

from connector.sandbox.hubspot.values import iso
from connector.sandbox.hubspot.world import HubSpotWorld

_PEOPLE = (
    ("Maya", "Lindqvist", "+1 202-555-0143", "America/New_York", "en"),
    ("Jonah", "Achterberg", "+1 312-555-0178", "America/Chicago", "en"),
    ("Priya", "Sundaram", "+44 7700 900461", "Europe/London", "en"),
)


def seed_portal(world: HubSpotWorld, portal_id: int) -> None:
    """Fill an empty portal: an owner, three contacts, each with a deal, an invoice and a ticket."""
    owner = world.add_owner(portal_id, "sam.okafor@example.com", "Sam", "Okafor")
    for n, (first, last, phone, zone, language) in enumerate(_PEOPLE):
        contact = world.create(
            portal_id,
            "contacts",
            {
                "firstname": first,
                "lastname": last,
                "email": f"{first}.{last}@example.com".lower(),
                "mobilephone": phone,
                "hs_timezone": zone,
                "hs_language": language,
                "hubspot_owner_id": owner,
            },
        )
        _seed_business(world, portal_id, contact["id"], owner, n)


def _seed_business(world: HubSpotWorld, portal_id: int, contact_id: str, owner: str, n: int) -> None:
    to_contact = [("contacts", contact_id)]
    due = iso(world.clock.now() + timedelta(days=3 + n))
    deal = {"dealname": f"Installation {n + 1}", "dealstage": "appointmentscheduled", "amount": str(1200 + 350 * n)}
    invoice = {
        "hs_number": f"INV-{1001 + n}",
        "hs_invoice_status": "open",
        "hs_due_date": due,
        "hs_amount_billed": str(450 + 75 * n),
        "hs_balance_due": str(450 + 75 * n),
        "hs_currency": "USD",
    }
    ticket = {"subject": f"Question {n + 1}", "hs_ticket_priority": "LOW", "hubspot_owner_id": owner}
    world.create(portal_id, "deals", deal | {"hubspot_owner_id": owner}, to_contact)
    world.create(portal_id, "invoices", invoice, to_contact)
    world.create(portal_id, "tickets", ticket, to_contact)
