"""Under which id does the CRM show a contact, also after it merged that one into another?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.ports.contacts import ContactRow

MERGED_INTO = "merged_into"
"""Attribute of a contact that the CRM merged into another: the id of that other one. The row lives on, since journeys
and messages name it, and shows what the other one shows."""


def shown_crm_id(contact: ContactRow) -> str:
    """Give the CRM id under which the contact is to be found now: the surviving one after a merge."""
    return str(contact.attributes.get(MERGED_INTO) or contact.crm_id)


def by_shown_id(contacts: Iterable[ContactRow]) -> Mapping[str, ContactRow]:
    """Give one row per contact the CRM shows, the survivor's own where we know it."""
    found: dict[str, ContactRow] = {}
    for contact in contacts:
        shown = shown_crm_id(contact)
        if shown not in found or contact.crm_id == shown:
            found[shown] = contact
    return found
