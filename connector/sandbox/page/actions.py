"""What can a person do on the page, and what does that change in the pretend world?"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.page.zones import next_morning
from connector.sandbox.twilio.world import TwilioWorld

STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
LONGEST_TEXT = 1600
PRIORITIES = ("LOW", "MEDIUM", "HIGH", "URGENT")


class Actions:
    """A person at the CRM, at the phones and at the clock. Mistakes are ValueError with a sentence to show."""

    def __init__(self, hubspot: HubSpotWorld, twilio: TwilioWorld, clock: SandboxClock, portal_id: int) -> None:
        self._hubspot = hubspot
        self._twilio = twilio
        self._clock = clock
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

    def write_text(self, number: str, body: str, to: str = "") -> str:
        """Send `body` from a phone to the sender that wrote last (or `to`); the message's id."""
        if not body.strip():
            raise ValueError("There is no text to send.")
        if len(body) > LONGEST_TEXT:
            raise ValueError(f"A text has at most {LONGEST_TEXT} characters.")
        return self._twilio.reply(number, to or self._last_sender(number), body.strip()).sid

    def switch_phone(self, number: str, is_on: bool) -> None:
        """Turn a phone off or on; a text to a phone that is off ends undelivered."""
        self._twilio.add_handset(number)
        self._twilio.switch_handset(number, is_on)

    def push_clock(self, step: str) -> None:
        """Forward by an `hour`, a `day`, or to the next `morning` at nine where the portal is."""
        now = self._clock.now()
        if step == "morning":
            zone = self._hubspot.portal(self._portal_id).time_zone
            self._clock.advance(next_morning(now, zone) - now)
        elif step in STEPS:
            self._clock.advance(STEPS[step])
        else:
            raise ValueError("The clock goes forward by an hour, by a day or to the next morning.")

    def _last_sender(self, number: str) -> str:
        for message in reversed(self._twilio.conversation(number)):
            other = message.sender if message.is_outbound else message.to
            if other in self._twilio.senders:
                return other
        return next(iter(self._twilio.senders))


def _known(priority: str) -> str:
    if priority not in PRIORITIES:
        raise ValueError(f"A priority is one of {', '.join(PRIORITIES)}.")
    return priority


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text field of a request's JSON; ValueError when it is missing or something else."""
    value = body.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name}: a text is needed.")  # noqa: TRY004 - the request's mistake, shown to a person
    return value
