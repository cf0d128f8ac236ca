"""Which language and time zone did an imported file give a contact to whom the CRM gives none?

Kept beside what is read from the CRM, which goes first and is read again and again.
"""

from __future__ import annotations

from dataclasses import replace

from connector.ports.contacts import ContactRow

LOCALE, TIME_ZONE = "sms_imported_locale", "sms_imported_time_zone"
"""Attributes of a contact that no event file can read."""


def with_facts(contact: ContactRow, locale: str, time_zone: str) -> ContactRow:
    """Give a contact what a file says of it; an empty text says nothing."""
    said = {LOCALE: locale, TIME_ZONE: time_zone}
    return _filled(replace(contact, attributes={**contact.attributes, **{k: v for k, v in said.items() if v}}))


def carried_over(contact: ContactRow, before: ContactRow | None) -> ContactRow:
    """Give a contact just read from the CRM what a file has said before."""
    known = {} if before is None else {k: before.attributes[k] for k in (LOCALE, TIME_ZONE) if k in before.attributes}
    return _filled(replace(contact, attributes={**contact.attributes, **known})) if known else contact


def _filled(contact: ContactRow) -> ContactRow:
    locale = contact.locale or contact.attributes.get(LOCALE)
    return replace(contact, locale=locale, time_zone=contact.time_zone or contact.attributes.get(TIME_ZONE))
