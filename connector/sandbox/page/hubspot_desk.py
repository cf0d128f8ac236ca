"""What can a person do in the pretend HubSpot?"""

from datetime import datetime
from typing import Any

from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.page.actions import one_of
from connector.sandbox.page.hubspot_view import PRIORITIES


class HubSpotDesk:
    """A person at HubSpot's screens."""

    def __init__(self, hubspot: HubSpotWorld, portal_id: int) -> None:
        self._hubspot = hubspot
        self._portal_id = portal_id

    def move_deal(self, deal_id: str, stage: str) -> None:
        """Put a deal into another column."""
        self._hubspot.update(self._portal_id, "deals", deal_id, {"dealstage": stage})

    def pay_invoice(self, invoice_id: str) -> None:
        """Settle an invoice in full."""
        paid = {"hs_invoice_status": "paid", "hs_balance_due": "0"}
        self._hubspot.update(self._portal_id, "invoices", invoice_id, paid)

    def set_due_date(self, invoice_id: str, due_on: str) -> None:
        """Move an invoice's due date; HubSpot keeps the first moment of the day in UTC."""
        moment = datetime.fromisoformat(due_on)
        due = {"hs_due_date": moment.strftime("%Y-%m-%dT00:00:00Z")}
        self._hubspot.update(self._portal_id, "invoices", invoice_id, due)

    def raise_ticket(self, contact_id: str, subject: str, priority: str) -> str:
        """File a ticket for a contact; its id."""
        if not subject.strip():
            raise ValueError("A ticket needs a subject.")
        contact = self._hubspot.get(self._portal_id, "contacts", contact_id)
        values: dict[str, Any] = {"subject": subject.strip(), "hs_ticket_priority": _known(priority)}
        owner_id = contact["properties"].get("hubspot_owner_id")
        if owner_id:
            values["hubspot_owner_id"] = owner_id
        ticket = self._hubspot.create(self._portal_id, "tickets", values, [("contacts", contact_id)])
        return str(ticket["id"])

    def set_priority(self, ticket_id: str, priority: str) -> None:
        """Change how urgent a ticket is."""
        change = {"hs_ticket_priority": _known(priority)}
        self._hubspot.update(self._portal_id, "tickets", ticket_id, change)


def _known(priority: str) -> str:
    return one_of(priority, dict(PRIORITIES), "A priority")
