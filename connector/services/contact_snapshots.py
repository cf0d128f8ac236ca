"""How does a contact as the CRM shows it become one we may text?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from connector.domain.event import ContactSnapshot
from connector.domain.msisdn import normalise
from connector.errors import InvalidNumberError
from connector.ports.consents import ConsentKind, Mechanism, Scope
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.services.consent import ConsentDesk, Saying
from connector.services.merged_contacts import MERGED_INTO, shown_crm_id

__all__ = ["MERGED_INTO", "ContactKeeper", "contact_row", "shown_crm_id", "usable_number"]

OPT_IN_SETTLES = timedelta(minutes=15)
"""After somebody opts in again, our own write-back takes the CRM's flag away; until then the flag proves nothing."""


class ContactKeeper:
    """Saves snapshots, with what their opt-out flag means."""

    def __init__(self, new_id: Callable[[], str], consent: ConsentDesk) -> None:
        self._new_id, self._consent = new_id, consent

    def save(
        self, uow: UnitOfWork, account: AccountRow, snapshots: Mapping[str, ContactSnapshot], now: datetime
    ) -> dict[str, ContactRow]:
        """Save snapshots by the id they were asked for; give the rows by the same ids."""
        rows: dict[str, ContactRow] = {}
        for crm_id, snapshot in snapshots.items():
            row = contact_row(self._new_id(), account, crm_id, snapshot, now)
            uow.contacts.save(row)
        saved = uow.contacts.by_crm_ids(account.id, list(snapshots))
        for crm_id, snapshot in snapshots.items():
            rows[crm_id] = saved[crm_id]
            if snapshot.opted_out:
                self._note_opt_out(uow, saved[crm_id], now)
        return rows

    def _note_opt_out(self, uow: UnitOfWork, contact: ContactRow, now: datetime) -> None:
        """Take over the CRM's flag; each time somebody opted in again since, it counts anew."""
        if contact.msisdn is None:
            return
        standing = uow.consents.suppressions(contact.account_id, [contact.msisdn]).get(contact.msisdn, ())
        if any(each.scope is Scope.ALL for each in standing):
            return
        history = uow.consents.history(contact.account_id, contact.msisdn)
        opt_ins = [said.at for said in history if said.kind is ConsentKind.OPT_IN]
        if opt_ins and now - opt_ins[-1] < OPT_IN_SETTLES:
            return
        said = Saying(
            account_id=contact.account_id,
            msisdn=contact.msisdn,
            mechanism=Mechanism.CRM_PROPERTY,
            source=f"crm_property:{contact.crm_id}:{len(opt_ins)}",
            at=now,
            contact_id=contact.id,
            jurisdiction=contact.country,
        )
        self._consent.opt_out(uow, said, now)


def contact_row(row_id: str, account: AccountRow, crm_id: str, snapshot: ContactSnapshot, now: datetime) -> ContactRow:
    """Make the row of a snapshot, with the first of its phones that can receive a text."""
    msisdn, reason = usable_number(snapshot, str(account.settings.get("default_region") or ""))
    merged = {MERGED_INTO: snapshot.crm_id} if snapshot.crm_id != crm_id else {}
    return ContactRow(
        id=row_id,
        account_id=account.id,
        crm=account.crm,
        crm_id=crm_id,
        msisdn=msisdn,
        msisdn_reason=reason,
        time_zone=snapshot.time_zone,
        locale=snapshot.locale,
        country=snapshot.country,
        owner_id=snapshot.owner_id,
        attributes={**snapshot.attributes, **merged},
        read_at=now,
    )


def usable_number(snapshot: ContactSnapshot, default_region: str) -> tuple[str | None, str]:
    """Give the number to text and the property it came from; or None, and why each property was no use."""
    regions = [region for region in (snapshot.country, default_region) if region]
    complaints: list[str] = []
    for text, property_name in snapshot.phones:
        try:
            return normalise(text, regions).e164, property_name
        except InvalidNumberError as error:
            complaints.append(f"{property_name}: {error}")
    return None, "; ".join(complaints) or "the contact has no phone number"
