"""Why did this text go out, or why did none, in the connector's own words?"""

from typing import Any

from connector.sandbox.page.cards import CardUnavailableError
from connector.sandbox.page.crm import Side

JSON = dict[str, Any]


class Why:
    """Finds the trace that belongs to what a person clicked on, in the CRM they look at."""

    def __init__(self, side: Side) -> None:
        self._cards = side.cards
        self._view = side.view

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
            raise CardUnavailableError(
                "The connector does not know this text here. The other CRM, or another app, may have sent it."
            )
        return _answer(*found)

    def _contacts(self, number: str) -> list[str]:
        contacts = self._view.records()["contacts"]
        return [str(each["id"]) for each in sorted(contacts, key=lambda each: each["number"] != number)]


def _answer(card: JSON, message: JSON | None) -> JSON:
    return {
        "contact": card.get("contact", {}),
        "message": message,
        "waiting": [],
        "trace": (message or {}).get("trace", []),
    }
