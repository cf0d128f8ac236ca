"""What must the CRM show when somebody changes their mind about being texted?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.contacts import ContactRow
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.announcing import message_ref
from connector.services.merged_contacts import by_shown_id

_HOW = {
    Mechanism.GATEWAY: "The SMS gateway reports that this number has opted out.",
    Mechanism.CRM_PROPERTY: "The SMS opt-out of a contact with this number was changed in the CRM.",
    Mechanism.API: "A program of yours told us so, such as a shop or a preference page.",
    Mechanism.STAFF: "Somebody of your team recorded it on the SMS card.",
    Mechanism.IMPORT: "A file that was imported says so.",
}


_SOURCE = {
    Mechanism.KEYWORD: "a reply by SMS",
    Mechanism.GATEWAY: "the SMS gateway or carrier",
    Mechanism.CRM_PROPERTY: "this contact, or another with its number, was changed in the CRM",
    Mechanism.API: "a program of yours that uses the API",
    Mechanism.DOUBLE_OPT_IN: "a confirmed opt-in by SMS",
    Mechanism.STAFF: "somebody of your team recorded it on the SMS card",
    Mechanism.IMPORT: "a file that was imported",
}


def consent_records(
    new_id: Callable[[], str],
    event: ConsentEvent,
    crm: str,
    contacts: Sequence[ContactRow],
    stopped: int,
    now: datetime,
) -> list[CRMRecordRow]:
    """Ask for a communication and the flag on each known contact, and for a search for contacts we do not know.

    The flag says that no text goes to the number at all, so an opt-out of marketing alone does not set it.

    A contact merged into another is that other one: the CRM shows them as one.
    """
    shown = by_shown_id(contacts)
    notes = [_communication(new_id(), event, crm_id, contact, stopped, now) for crm_id, contact in shown.items()]
    if event.scope is Scope.MARKETING:
        return notes
    return [*notes, *flag_records(new_id, event, crm, contacts), _search(new_id(), event, crm, list(shown), now)]


def flag_records(
    new_id: Callable[[], str], event: ConsentEvent, crm: str, contacts: Sequence[ContactRow]
) -> list[CRMRecordRow]:
    """Ask for the flag on each known contact."""
    said = event.msisdn, event.at, event.mechanism
    return [flag_record(new_id(), event.account_id, crm, crm_id, *said) for crm_id in by_shown_id(contacts)]


def source_in_words(mechanism: str) -> str:
    """Say to the people of the CRM how an opt-out came, or was lifted."""
    return _SOURCE[Mechanism(mechanism)]


def flag_record(
    record_id: str, account_id: str, crm: str, contact_crm_id: str, msisdn: str, at: datetime, mechanism: str
) -> CRMRecordRow:
    """Ask for the opt-out flag on a contact to say what the ledger says; one record per contact for good."""
    return CRMRecordRow(
        id=record_id,
        account_id=account_id,
        crm=crm,
        kind=RecordSubject.OPT_OUT_PROPERTY,
        subject=f"contact:{contact_crm_id}",
        ref=message_ref(record_id),
        at=at,
        not_before=at,
        contact_crm_id=contact_crm_id,
        payload={"msisdn": msisdn, "at": at.isoformat(), "mechanism": mechanism},
    )


def _communication(
    record_id: str, event: ConsentEvent, crm_id: str, contact: ContactRow, stopped: int, now: datetime
) -> CRMRecordRow:
    return CRMRecordRow(
        id=record_id,
        account_id=event.account_id,
        crm=contact.crm,
        kind=RecordSubject.OPT_OUT,
        subject=f"opt-out:{event.id}:{crm_id}",
        ref=message_ref(record_id),
        at=event.at,
        not_before=now,
        contact_id=contact.id,
        contact_crm_id=crm_id,
        payload=_sayings(event, stopped),
    )


def _sayings(event: ConsentEvent, stopped: int) -> dict[str, str]:
    how = _HOW.get(Mechanism(event.mechanism)) or f"The contact wrote: {event.wording}"
    when = f"{event.at:%Y-%m-%d %H:%M} UTC"
    if event.kind is ConsentKind.OPT_IN:
        return {
            "headline": f"Opted in to SMS again · {when}",
            "how": how,
            "effect": "SMS may go to this number again.",
        }
    waiting = "" if not stopped else f" {stopped} waiting SMS {'was' if stopped == 1 else 'were'} stopped."
    if event.scope is Scope.MARKETING:
        return {
            "headline": f"Opted out of marketing SMS · {when}",
            "how": how,
            "effect": f"No more marketing SMS go to this number, from any journey; others still do.{waiting}",
        }
    return {
        "headline": f"Opted out of SMS · {when}",
        "how": how,
        "effect": f"No more SMS go to this number, from any journey.{waiting}",
    }


def _search(record_id: str, event: ConsentEvent, crm: str, flagged: Sequence[str], now: datetime) -> CRMRecordRow:
    return CRMRecordRow(
        id=record_id,
        account_id=event.account_id,
        crm=crm,
        kind=RecordSubject.FIND_CONTACTS,
        subject=f"number:{event.id}",
        ref=message_ref(record_id),
        at=event.at,
        not_before=now,
        payload={"msisdn": event.msisdn, "mechanism": event.mechanism, "flagged": list(flagged)},
    )
