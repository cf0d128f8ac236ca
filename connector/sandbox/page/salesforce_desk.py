"""What can a person do in the pretend Salesforce?"""

from datetime import date
from typing import Any

from connector.sandbox.page.actions import one_of
from connector.sandbox.page.org_seed import INVOICES
from connector.sandbox.page.salesforce_view import PRIORITIES
from connector.sandbox.salesforce.world import SalesforceWorld


class SalesforceDesk:
    """A person at Salesforce's screens."""

    def __init__(self, salesforce: SalesforceWorld, org_id: str) -> None:
        self._salesforce = salesforce
        self._org_id = org_id

    def move_deal(self, deal_id: str, stage: str) -> None:
        """Give an opportunity another stage."""
        self._salesforce.update(self._org_id, "Opportunity", deal_id, {"StageName": stage})

    def pay_invoice(self, invoice_id: str) -> None:
        """Settle an invoice in full."""
        self._salesforce.update(self._org_id, INVOICES, invoice_id, {"Status__c": "Paid", "Balance__c": 0})

    def set_due_date(self, invoice_id: str, due_on: str) -> None:
        """Move an invoice's due date."""
        due = {"Due_Date__c": date.fromisoformat(due_on).isoformat()}
        self._salesforce.update(self._org_id, INVOICES, invoice_id, due)

    def raise_ticket(self, contact_id: str, subject: str, priority: str) -> str:
        """Open a case for a contact; its id."""
        if not subject.strip():
            raise ValueError("A case needs a subject.")
        person = self._salesforce.get(self._org_id, "Contact", contact_id)
        values: dict[str, Any] = {"Subject": subject.strip(), "Priority": _known(priority), "ContactId": person["Id"]}
        case = self._salesforce.create(self._org_id, "Case", {**values, "OwnerId": person["OwnerId"]})
        return str(case["Id"])

    def set_priority(self, ticket_id: str, priority: str) -> None:
        """Change how urgent a case is."""
        self._salesforce.update(self._org_id, "Case", ticket_id, {"Priority": _known(priority)})


def _known(priority: str) -> str:
    return one_of(priority, dict(PRIORITIES), "A priority")
