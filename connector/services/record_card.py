"""What does a card on a contact's record show, in one answer: who, consent, texts, why not, and may one write?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connector.domain.msisdn import time_zones
from connector.ports.contacts import ContactRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.time import Clock
from connector.services.card_consent import CardConsent
from connector.services.card_conversation import CardConversation, not_sent
from connector.services.card_reply import CardReplies
from connector.services.card_times import exact, time_of_day


@dataclass(frozen=True, slots=True)
class CardParts:
    """Who answers which part of a card."""

    consent: CardConsent
    conversation: CardConversation
    replies: CardReplies


class RecordCard:
    """Puts cards together; changes nothing."""

    def __init__(self, ledger: Ledger, parts: CardParts, clock: Clock) -> None:
        self._ledger, self._parts, self._clock = ledger, parts, clock

    def card(self, contact: ContactRow, before_id: str | None = None) -> dict[str, Any]:
        """Give a contact's card; `before_id` is the `next` of the page before."""
        with self._ledger.begin(write=False) as uow:
            return self._card(uow, contact, before_id)

    def consent(self, contact: ContactRow) -> dict[str, Any]:
        """Give how a contact's number stands."""
        with self._ledger.begin(write=False) as uow:
            return self._parts.consent.shown(uow, contact)

    def _card(self, uow: UnitOfWork, contact: ContactRow, before_id: str | None) -> dict[str, Any]:
        messages, following = self._parts.conversation.page(uow, contact, before_id)
        return {
            "contact": self._person(contact),
            "consent": self._parts.consent.shown(uow, contact),
            "messages": messages,
            "next": following,
            "not_sent": not_sent(uow, contact),
            "reply": self._parts.replies.may(uow, contact),
            "as_of": exact(self._clock.now()),
        }

    def _person(self, contact: ContactRow) -> dict[str, Any]:
        zone = _zone(contact)
        return {
            "crm_id": contact.crm_id,
            "name": str(contact.attributes.get("name") or ""),
            "number": contact.msisdn,
            "number_reason": contact.msisdn_reason,
            "time_zone": zone,
            "local_time": time_of_day(self._clock.now(), zone),
        }


def _zone(contact: ContactRow) -> str | None:
    """Give the zone a contact is in; of a number that may be in several, none."""
    if contact.time_zone:
        return contact.time_zone
    zones = time_zones(contact.msisdn) if contact.msisdn is not None else ()
    return zones[0] if len(zones) == 1 else None
