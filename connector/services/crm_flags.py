"""What do the contacts we have read say about opt-outs set in the CRM?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.ledger import UnitOfWork

CRM_OPTED_OUT = "crm_opted_out"
"""Attribute of a contact whose opt-out flag was set when it was last read."""

CRM_OPTED_OUT_BY = "crm_opted_out_by"
"""Attribute of a contact that a field of the account's own calls opted out: that field. We never write it, so it is a
word of the account's people in any case."""


def still_flagged(
    uow: UnitOfWork, account_id: str, msisdn: str, source: str, new_id: Callable[[], str], now: datetime
) -> ConsentEvent | None:
    """Keep it as evidence that a field of the account's own holds a number back, if one does.

    Asked when the person takes their own opt-out back by `source`: theirs may have hidden this one.
    """
    contacts = uow.contacts.with_number(account_id, msisdn)
    contact = next((each for each in contacts if each.attributes.get(CRM_OPTED_OUT_BY)), None)
    if contact is None:
        return None
    event = ConsentEvent(
        id=new_id(),
        account_id=account_id,
        msisdn=msisdn,
        kind=ConsentKind.OPT_OUT,
        scope=Scope.ALL,
        mechanism=Mechanism.CRM_PROPERTY.value,
        source=f"crm_property:{contact.crm_id}:beside:{source}",
        at=now,
        contact_id=contact.id,
        wording=f"CRM property {contact.attributes[CRM_OPTED_OUT_BY]}",
        jurisdiction=contact.country,
    )
    uow.consents.record(event)
    return event
