"""What do a contact's opt-out flag and marketing opt-in in the CRM say about its number?

We write the flag ourselves, so it is a word of the CRM's people only where it differs from what we wrote last, and was
read after that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from connector.domain.event import ContactSnapshot
from connector.ports.consents import BY_STAFF, ConsentEvent, ConsentKind, Mechanism, Scope, Suppression
from connector.ports.contacts import ContactRow
from connector.ports.ledger import UnitOfWork
from connector.ports.queue import writeback_lane
from connector.ports.records import CRMRecordRow
from connector.services.consent import ConsentDesk, Saying
from connector.services.consent_records import flag_record
from connector.services.crm_flags import CRM_OPTED_OUT, CRM_OPTED_OUT_BY
from connector.services.merged_contacts import by_shown_id, shown_crm_id


class CRMConsent:
    """Takes over what people set on contacts in the CRM."""

    def __init__(self, new_id: Callable[[], str], consent: ConsentDesk) -> None:
        self._new_id, self._consent = new_id, consent

    def heed(self, uow: UnitOfWork, read: Sequence[tuple[ContactRow, ContactSnapshot]], now: datetime) -> None:
        """Take over flags and opt-ins of contacts of one account, each as saved and with the snapshot just read."""
        read = [(contact, snapshot) for contact, snapshot in read if contact.msisdn and contact.deleted_at is None]
        for contact, snapshot in read:
            if snapshot.opted_in:
                self._note_opt_in(uow, contact, snapshot, now)
        contacts = [contact for contact, _ in read]
        if not contacts:
            return
        written = uow.records.flags(contacts[0].account_id, [shown_crm_id(contact) for contact in contacts])
        standing = _suppressions(uow, contacts[0].account_id, contacts)
        for contact in _changed(uow, contacts, written, standing):
            if contact.attributes.get(CRM_OPTED_OUT):
                self._consent.opt_out(uow, _flag_set(uow, contact, now), now)
            elif not _is_flagged_elsewhere(uow, contact):
                self._consent.opt_in(uow, _flag_taken_off(uow, contact, now), now)

        self._flag_the_rest(uow, contacts, written, standing)

    def _flag_the_rest(
        self,
        uow: UnitOfWork,
        contacts: Sequence[ContactRow],
        written: Mapping[str, CRMRecordRow],
        standing: Mapping[str, Suppression],
    ) -> None:
        """Ask for the flag on contacts that came to an opted-out number later, or lost a flag that stands."""
        records = [
            flag_record(
                self._new_id(), contact.account_id, contact.crm, crm_id, block.msisdn, block.since, block.mechanism
            )
            for crm_id, contact in by_shown_id(contacts).items()
            if (block := standing.get(contact.msisdn or "")) is not None
            and _lacks_flag(contact, written.get(crm_id), block)
        ]
        if records:
            uow.records.want(records)
            uow.nudge(writeback_lane(records[0].crm))

    def _note_opt_in(self, uow: UnitOfWork, contact: ContactRow, snapshot: ContactSnapshot, now: datetime) -> None:
        """Keep a marketing opt-in as evidence, at the time the CRM gives: a later opt-out outweighs it.

        One without a time cannot be shown to be later than anything, so it counts only where nothing was said before.
        """
        when, number = snapshot.opted_in_at, contact.msisdn or ""
        if when is None and uow.consents.marketing_consent(contact.account_id, [number]):
            return
        said = snapshot.opted_in_property + (f": {when.isoformat()}" if when else "")
        saying = _saying(
            contact, f"crm_property:{contact.crm_id}:{said}", min(when or now, now), f"CRM property {said}"
        )
        self._consent.agree_to_marketing(uow, saying)


def _changed(
    uow: UnitOfWork,
    contacts: Sequence[ContactRow],
    written: Mapping[str, CRMRecordRow],
    standing: Mapping[str, Suppression],
) -> Sequence[ContactRow]:
    """Give the contacts whose flag somebody else than us has changed; their numbers are locked."""
    changed = [
        contact
        for contact in contacts
        if _is_changed(contact, written.get(shown_crm_id(contact)), standing.get(contact.msisdn or ""))
    ]
    if changed:
        uow.lock_numbers(contacts[0].account_id, sorted({contact.msisdn for contact in changed if contact.msisdn}))
    return changed


def _lacks_flag(contact: ContactRow, written: CRMRecordRow | None, block: Suppression) -> bool:
    """Whether a contact should show a block and does not; one whose flag the staff took off is judged elsewhere."""
    if contact.attributes.get(CRM_OPTED_OUT):
        return False
    if written is None or written.payload.get("msisdn") != contact.msisdn:
        return True
    return _is_settled(written, contact) and block.mechanism not in BY_STAFF


def _is_changed(contact: ContactRow, written: CRMRecordRow | None, standing: Suppression | None) -> bool:
    if contact.attributes.get(CRM_OPTED_OUT_BY):
        return standing is None
    if written is not None and not _is_settled(written, contact):
        return False
    if contact.attributes.get(CRM_OPTED_OUT):
        return standing is None
    # A contact without the flag lifts nothing: it must have shown the block that somebody then took off.
    return (
        standing is not None
        and standing.mechanism in BY_STAFF
        and written is not None
        and written.written_back_at is not None
        and written.written_back_at >= standing.since
        and written.payload.get("msisdn") == contact.msisdn
    )


def _is_settled(written: CRMRecordRow, contact: ContactRow) -> bool:
    """Whether the contact was read when it showed our latest change of the flag."""
    return (
        written.written >= written.wanted
        and written.written_back_at is not None
        and written.written_back_at < contact.read_at
    )


def _is_flagged_elsewhere(uow: UnitOfWork, contact: ContactRow) -> bool:
    """Whether another contact with the number shows the flag; what was merged into this one is this one."""
    others = uow.contacts.with_number(contact.account_id, contact.msisdn or "")
    return any(other.attributes.get(CRM_OPTED_OUT) and shown_crm_id(other) != shown_crm_id(contact) for other in others)


def _flag_set(uow: UnitOfWork, contact: ContactRow, now: datetime) -> Saying:
    """Each time an opt-out was lifted since, the flag counts anew."""
    lifted = [said for said in _history(uow, contact) if said.kind is ConsentKind.OPT_IN]
    return _saying(contact, f"crm_property:{contact.crm_id}:{len(lifted)}", now)


def _flag_taken_off(uow: UnitOfWork, contact: ContactRow, now: datetime) -> Saying:
    opt_outs = [said for said in _history(uow, contact) if said.kind is ConsentKind.OPT_OUT]
    return _saying(contact, f"crm_property:{contact.crm_id}:off:{len(opt_outs)}", now)


def _history(uow: UnitOfWork, contact: ContactRow) -> list[ConsentEvent]:
    history = uow.consents.history(contact.account_id, contact.msisdn or "")
    return [said for said in history if said.scope is Scope.ALL]


def _suppressions(uow: UnitOfWork, account_id: str, contacts: Sequence[ContactRow]) -> Mapping[str, Suppression]:
    found = uow.consents.suppressions(account_id, sorted({contact.msisdn for contact in contacts if contact.msisdn}))
    return {each.msisdn: each for standing in found.values() for each in standing if each.scope is Scope.ALL}


def _saying(contact: ContactRow, source: str, at: datetime, wording: str = "") -> Saying:
    return Saying(
        account_id=contact.account_id,
        msisdn=contact.msisdn or "",
        mechanism=Mechanism.CRM_PROPERTY,
        source=source,
        at=at,
        contact_id=contact.id,
        wording=wording,
        jurisdiction=contact.country,
    )
