"""At which hour of the week did somebody answer?

Learned from replies and followed links, for `wait: {until: best time}`. An hour counts on the person's own clock; where
nobody knows which clock that is, nothing is learned.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.domain.habits import Hour
from connector.domain.msisdn import time_zones
from connector.ports.contacts import ContactRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow


def note_answer(uow: UnitOfWork, message: MessageRow, at: datetime) -> bool:
    """Count an answer of a contact; tell whether it was counted.

    Args:
        uow: the transaction that keeps the answer.
        message: the reply itself, or the text whose link was followed; an owner's does not count.
        at: when it came.
    """
    if message.recipient != "contact" or message.contact_id is None:
        return False
    contact = uow.contacts.get(message.account_id, message.contact_id)
    hour = None if contact is None else _hour(contact, message.msisdn, at)
    if contact is None or hour is None:
        return False
    uow.habits.add(contact.account_id, contact.id, contact.country, hour)
    return True


def _hour(contact: ContactRow, msisdn: str, at: datetime) -> Hour | None:
    """Give the hour on the contact's clock: its own zone, else the number's, where that has only one."""
    zones = (contact.time_zone,) if contact.time_zone else time_zones(msisdn)
    if len(zones) != 1:
        return None
    try:
        local = at.astimezone(ZoneInfo(zones[0]))
    except (ZoneInfoNotFoundError, ValueError):  # what a CRM holds for a zone need not be one
        return None
    return local.weekday(), local.hour
