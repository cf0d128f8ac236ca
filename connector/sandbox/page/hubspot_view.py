"""What does the pretend HubSpot show of its records right now?"""

from datetime import datetime, timedelta
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.page.plain_text import plain_text
from connector.sandbox.page.zones import iana_zone

SHOWN_ENTRIES = 60  # of a timeline: what a person scrolls through
TICKETS_SHOWN = 12
PRIORITIES = (("URGENT", "Urgent"), ("HIGH", "High"), ("MEDIUM", "Medium"), ("LOW", "Low"))
_ENTRY_KINDS = {"communications": "sms", "tasks": "task", "notes": "note"}

JSON = dict[str, Any]


class HubSpotView:
    """Reads one portal into plain data."""

    def __init__(self, hubspot: HubSpotWorld, clock: SandboxClock, portal_id: int) -> None:
        self._hubspot = hubspot
        self._clock = clock
        self._portal_id = portal_id

    @property
    def portal(self) -> Portal:
        """The portal the page is about."""
        return self._hubspot.portal(self._portal_id)

    @property
    def time_zone(self) -> str:
        """The portal's."""
        return self.portal.time_zone

    def records(self) -> JSON:
        """Everything, in the shapes the page's scripts read."""
        contacts = [self._contact(record) for record in self._hubspot.list(self._portal_id, "contacts")]
        people = {contact["id"]: contact for contact in contacts}
        return {
            "portal": {"id": self._portal_id, "name": self.portal.name},
            "stages": [{"id": s.id, "label": s.label} for s in self.portal.pipelines["deals"]["default"].stages],
            "deals": [self._deal(record, people) for record in self._hubspot.list(self._portal_id, "deals")],
            "invoices": self._invoices(people),
            "tickets": self._tickets(people),
            "priorities": PRIORITIES,
            "contacts": contacts,
        }

    def _contact(self, record: JSON) -> JSON:
        values = record["properties"]
        name = " ".join(filter(None, [values.get("firstname"), values.get("lastname")])) or values.get("email", "")
        timeline = self._hubspot.timeline(self._portal_id, record["id"])[:SHOWN_ENTRIES]
        return {
            "id": record["id"],
            "kind": "contact",
            "name": name,
            "company": values.get("company", ""),
            "email": values.get("email", ""),
            "mobile": values.get("mobilephone", ""),
            "number": values.get("hs_calculated_mobile_number", ""),
            "zone": iana_zone(values.get("hs_timezone", ""), self.portal.time_zone),
            "owner": self._owner(values.get("hubspot_owner_id")),
            "properties": self._own_properties(values),
            "timeline": [_entry(row) for row in timeline],
        }

    def _owner(self, owner_id: str | None) -> str:
        owner = self.portal.owners.get(owner_id or "")
        return f"{owner.first_name} {owner.last_name}".strip() if owner else ""

    def _own_properties(self, values: JSON) -> list[JSON]:
        """What an app added to contacts, as far as it is set: opt-out and its kin."""
        definitions = self.portal.properties["contacts"]
        return [
            {"name": name, "label": definition.label, "type": definition.type, "value": values[name]}
            for name, definition in list(definitions.items())
            if not definition.built_in and values.get(name)
        ]

    def _deal(self, record: JSON, people: JSON) -> JSON:
        values = record["properties"]
        return {
            "id": record["id"],
            "name": values.get("dealname", ""),
            "stage": values.get("dealstage", ""),
            "amount": values.get("amount", ""),
            "currency": values.get("deal_currency_code", self.portal.currency),
            "contact": self._first_contact("deals", record["id"], people),
        }

    def _invoices(self, people: JSON) -> list[JSON]:
        now = self._clock.now()
        rows = [self._invoice(record, people, now) for record in self._hubspot.list(self._portal_id, "invoices")]
        return sorted(rows, key=lambda row: (row["status"] != "open", row["due_at"]))

    def _invoice(self, record: JSON, people: JSON, now: datetime) -> JSON:
        values = record["properties"]
        due_at = values.get("hs_due_date", "")
        late = (now - datetime.fromisoformat(due_at)) if due_at else timedelta()
        return {
            "id": record["id"],
            "number": values.get("hs_number", ""),
            "title": values.get("hs_title", ""),
            "status": values.get("hs_invoice_status", ""),
            "amount": values.get("hs_amount_billed", "") or values.get("hs_balance_due", ""),
            "currency": values.get("hs_currency", self.portal.currency),
            "due_at": due_at,
            "days_late": late // timedelta(days=1),
            "contact": self._first_contact("invoices", record["id"], people),
        }

    def _tickets(self, people: JSON) -> list[JSON]:
        rows = self._hubspot.list(self._portal_id, "tickets")[-TICKETS_SHOWN:]
        return [
            {
                "id": record["id"],
                "subject": record["properties"].get("subject", ""),
                "priority": record["properties"].get("hs_ticket_priority", ""),
                "created_at": record["createdAt"],
                "contact": self._first_contact("tickets", record["id"], people),
            }
            for record in reversed(rows)
        ]

    def _first_contact(self, object_type: str, object_id: str, people: JSON) -> JSON | None:
        for contact_id in self._hubspot.associated(self._portal_id, object_type, object_id, "contacts"):
            if contact_id in people:
                return {"id": contact_id, "name": people[contact_id]["name"]}
        return None


def _entry(row: JSON) -> JSON:
    values = row["properties"]
    return {
        "id": row["id"],
        "kind": _ENTRY_KINDS[row["type"]],
        "title": values.get("hs_task_subject", ""),
        "body": plain_text(row["body"]),
        "at": row["timestamp"],
        "changed_at": values.get("hs_lastmodifieddate", ""),
    }
