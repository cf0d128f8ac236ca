"""Why did this text go out, or why did none, in the connector's own words?"""

from typing import Any

from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.page.cards import Cards, CardUnavailableError

JSON = dict[str, Any]


class Why:
    """Finds the trace that belongs to what a person clicked on."""

    def __init__(self, cards: Cards, hubspot: HubSpotWorld, portal_id: int) -> None:
        self._cards = cards
        self._hubspot = hubspot
        self._portal_id = portal_id

    def text(self, sid: str, number: str) -> JSON:
        """The trace of the text a phone shows; contacts with that number are asked first, then all others."""
        return self._found(self._contacts(number), "provider_message_id", sid)

    def entry(self, contact_id: str, record_id: str) -> JSON:
        """The trace of a timeline record; the contact's own trace when the record is no message."""
        found = self._cards.find([contact_id], "crm_record_id", record_id)
        return _answer(*found) if found else self.contact(contact_id)

    def contact(self, contact_id: str) -> JSON:
        """Decisions about a contact that made no text, and the texts still waiting."""
        card = self._cards.of(contact_id)
        waiting = [m for m in card.get("messages", []) if not m.get("provider_message_id")]
        return {**_answer(card, None), "waiting": waiting, "trace": card.get("trace", [])}

    def _found(self, contact_ids: list[str], field: str, value: str) -> JSON:
        found = self._cards.find(contact_ids, field, value)
        if found is None:
            raise CardUnavailableError("The connector does not know this text. Another app may have sent it.")
        return _answer(*found)

    def _contacts(self, number: str) -> list[str]:
        records = self._hubspot.list(self._portal_id, "contacts")

        def is_other(record: JSON) -> bool:
            return bool(record["properties"].get("hs_calculated_mobile_number") != number)

        return [str(record["id"]) for record in sorted(records, key=is_other)]


def _answer(card: JSON, message: JSON | None) -> JSON:
    return {
        "contact": card.get("contact", {}),
        "message": message,
        "waiting": [],
        "trace": (message or {}).get("trace", []),
    }
