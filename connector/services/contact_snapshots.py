"""How does a contact as the CRM shows it become one we may text?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from connector.domain.event import ContactSnapshot
from connector.domain.msisdn import normalise
from connector.errors import InvalidNumberError
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.services.consent import ConsentDesk
from connector.services.crm_consent import CRMConsent
from connector.services.crm_flags import CRM_OPTED_OUT, CRM_OPTED_OUT_BY
from connector.services.crm_reading import Reading
from connector.services.imported_facts import carried_over
from connector.services.merged_contacts import MERGED_INTO


class ContactKeeper:
    """Saves snapshots, with what they say about consent."""

    def __init__(self, new_id: Callable[[], str], consent: ConsentDesk) -> None:
        self._new_id, self._crm_consent = new_id, CRMConsent(new_id, consent)

    def worth_keeping(self, uow: UnitOfWork, account: AccountRow, reading: Reading) -> Mapping[str, ContactSnapshot]:
        """Give what was read but for strangers who say nothing: nobody set an opt-out on them or for their number."""
        region = str(account.settings.get("default_region") or "")
        numbers = {
            each: usable_number(reading.contacts[each], region)[0]
            for each in reading.strangers & reading.contacts.keys()
        }
        blocked = uow.consents.suppressions(account.id, sorted({number for number in numbers.values() if number}))
        idle = {
            each for each, number in numbers.items() if not reading.contacts[each].opted_out and number not in blocked
        }
        return {each: snapshot for each, snapshot in reading.contacts.items() if each not in idle}

    def save(
        self, uow: UnitOfWork, account: AccountRow, snapshots: Mapping[str, ContactSnapshot], now: datetime
    ) -> dict[str, ContactRow]:
        """Save snapshots by the id they were asked for; give the rows by the same ids."""
        known = uow.contacts.by_crm_ids(account.id, list(snapshots))
        for crm_id, snapshot in snapshots.items():
            read = contact_row(self._new_id(), account, crm_id, snapshot, now)
            uow.contacts.save(carried_over(read, known.get(crm_id)))
        saved = uow.contacts.by_crm_ids(account.id, list(snapshots))
        self._crm_consent.heed(uow, [(saved[crm_id], snapshot) for crm_id, snapshot in snapshots.items()], now)
        return {crm_id: saved[crm_id] for crm_id in snapshots}


def contact_row(row_id: str, account: AccountRow, crm_id: str, snapshot: ContactSnapshot, now: datetime) -> ContactRow:
    """Make the row of a snapshot, with the first of its phones that can receive a text."""
    msisdn, reason = usable_number(snapshot, str(account.settings.get("default_region") or ""))
    merged = {MERGED_INTO: snapshot.crm_id} if snapshot.crm_id != crm_id else {}
    flagged: dict[str, object] = {CRM_OPTED_OUT: True} if snapshot.opted_out else {}
    flagged |= {CRM_OPTED_OUT_BY: snapshot.opted_out_by} if snapshot.opted_out_by else {}
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
        attributes={**snapshot.attributes, **merged, **flagged},
        read_at=snapshot.read_at or now,
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
