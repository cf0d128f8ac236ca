"""What does the page show right now?"""

from collections.abc import Iterable, Mapping
from typing import Any

import phonenumbers

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.handsets import Handset, bubble
from connector.sandbox.page.crm import Side
from connector.sandbox.page.zones import next_morning
from connector.sandbox.twilio.world import TwilioWorld

SHOWN_BUBBLES = 60  # of a phone: what a person scrolls through

JSON = dict[str, Any]


class Snapshot:
    """Reads one CRM and the phones, which all CRMs share, into plain data."""

    def __init__(self, sides: Mapping[str, Side], twilio: TwilioWorld, clock: SandboxClock) -> None:
        self._sides = sides
        self._twilio = twilio
        self._clock = clock

    def take(self, crm: str) -> JSON:
        """Everything of one CRM, in the shapes the page's scripts read; an unknown one is a LookupError."""
        view = self._sides[crm].view
        records = view.records()
        return {
            "crm": crm,
            "crms": [{"slug": side.slug, "label": side.label} for side in self._sides.values()],
            "clock": self._face(view.time_zone),
            **records,
            "phones": [
                self._phone(handset, records["contacts"], view.time_zone)
                for handset in list(self._twilio.handsets.values())
            ],
        }

    def _face(self, zone: str) -> JSON:
        """The sandbox's time and how far it is ahead."""
        now = self._clock.now()
        return {
            "now": now.isoformat(),
            "zone": zone,
            "offset_seconds": round(self._clock.offset.total_seconds()),
            "next_morning": next_morning(now, zone).isoformat(),
        }

    def _phone(self, handset: Handset, contacts: Iterable[JSON], zone: str) -> JSON:
        holders = [contact for contact in contacts if contact["number"] == handset.number]
        bubbles = [bubble(message) for message in self._twilio.conversation(handset.number)[-SHOWN_BUBBLES:]]
        return {
            "number": handset.number,
            "shown_number": _spaced(handset.number),
            "name": handset.name or " & ".join(contact["name"] for contact in holders) or handset.number,
            "contacts": [contact["id"] for contact in holders],
            "zone": holders[0]["zone"] if holders else zone,
            "is_on": handset.is_on,
            "bubbles": bubbles,
        }


def _spaced(number: str) -> str:
    """A number as people read it."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
