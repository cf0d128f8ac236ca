"""Whom is a workflow's text for, and what does it say?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from connector.domain.event import ChangeKind, ObjectRef, Owner
from connector.domain.event_mapping import ContactFrom, ContactRule, CRMEvents, EventCatalogue, EventMapping, OnChange
from connector.domain.message import Purpose
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import ConnectorError, InvalidNumberError
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.workflows import WorkflowCallRow
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CONTACT, Reading, Wanted
from connector.services.names import names_of, owner_id_of
from connector.services.single_texts import Ordered, SingleTexts
from connector.services.text_orders import TextOrder, UnusableOrderError
from connector.services.workflow_telling import BY

log = structlog.get_logger(__name__)

_LONGEST_NAME = 200  # characters of a workflow's id; with the word before it, it fits the ledger's 255


class UnorderableError(ConnectorError):
    """A workflow's call can never make a text; says why, for the workflow, without number or text."""


@dataclass(frozen=True, slots=True)
class WorkflowTexts:
    """Orders the texts of calls, each exactly once: its idempotency key is the call's.

    Attributes:
        catalogue: says how the contact of a kind of record is found, and what is read of one.
    """

    texts: SingleTexts
    keeper: ContactKeeper
    catalogue: EventCatalogue

    def wanted(self, account: AccountRow, call: WorkflowCallRow) -> Wanted:
        """Say what is to be read for a call: as for the first event about its kind of record that the files name."""
        ref = ObjectRef(call.object_type, call.object_id)
        return Wanted(_mapping(self.catalogue.by_crm.get(account.crm), account.crm, call.object_type), ref)

    def order(
        self, uow: UnitOfWork, account: AccountRow, call: WorkflowCallRow, reading: Reading, now: datetime
    ) -> Ordered:
        """Order a call's text.

        Raises:
            UnorderableError: it can never be; the timeline says so.
        """
        contact = None
        try:
            contact = self._contact(uow, account, call, reading, now)
            return self.texts.put(uow, self._order(account, call, contact, reading))
        except (UnorderableError, InvalidNumberError, UnusableOrderError) as error:
            reason = error.detail if isinstance(error, UnusableOrderError) else str(error)
            note_no_text(uow, call, reason, now, contact)
            raise UnorderableError(reason) from error

    def _contact(
        self, uow: UnitOfWork, account: AccountRow, call: WorkflowCallRow, reading: Reading, now: datetime
    ) -> ContactRow:
        wanted = self.wanted(account, call)
        if wanted.ref not in reading.records:
            raise UnorderableError(f"the CRM does not have {wanted.ref}")
        ids, how = reading.chosen_contacts(wanted)
        if not ids:
            raise UnorderableError(how)
        if ids[0] not in reading.contacts:
            raise UnorderableError(f"the CRM does not have the contact {ids[0]}")
        return self.keeper.save(uow, account, {ids[0]: reading.contacts[ids[0]]}, now)[ids[0]]

    def _order(self, account: AccountRow, call: WorkflowCallRow, contact: ContactRow, reading: Reading) -> TextOrder:
        values = reading.values(self.wanted(account, call)) or {}
        owner = reading.owners.get(owner_id_of(values, contact) or "")
        is_owner = call.inputs.get("recipient") == "owner"
        template = call.inputs.get("template")
        return TextOrder(
            account_id=account.id,
            to=_owner_number(account, owner) if is_owner else _contact_number(contact),
            body=None if template else str(call.inputs.get("body") or ""),
            template=template or None,
            data=self._names(account, contact, owner, values) if template else None,
            purpose=Purpose(call.inputs.get("purpose") or Purpose.TRANSACTIONAL),
            idempotency_key=f"{BY}{call.id}",
            ordered_by=f"{BY}{call.workflow[:_LONGEST_NAME]}",
            contact_id=None if is_owner else contact.id,
            message_id=call.message_id,
        )

    def _names(
        self, account: AccountRow, contact: ContactRow, owner: Owner | None, values: Mapping[str, Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        mapping = self.catalogue.by_crm[account.crm].contact
        return names_of(account, mapping, contact, owner, values, {})


def _mapping(events: CRMEvents | None, crm: str, object_type: str) -> EventMapping:
    """Give the rule by which a kind of record is read; one of our own where no event is about it."""
    if object_type == CONTACT:
        rule = ContactRule(ContactFrom.SELF, CONTACT)
        return EventMapping("workflow", crm, OnChange(CONTACT, ChangeKind.CHANGED), {}, rule)
    known = () if events is None else events.events.values()
    about = [each for each in known if each.object_type == object_type]
    rule = about[0].contact if about else ContactRule(ContactFrom.ASSOCIATED, object_type)
    read = about[0].read if about else {}
    return EventMapping("workflow", crm, OnChange(object_type, ChangeKind.CHANGED), read, rule)


def _contact_number(contact: ContactRow) -> str:
    if contact.msisdn is None:
        raise UnorderableError(f"the contact has no usable number: {contact.msisdn_reason}")
    return contact.msisdn


def _owner_number(account: AccountRow, owner: Owner | None) -> str:
    """Give an owner's number, which the account's setting `owner_phones` has by e-mail address."""
    if owner is None:
        raise UnorderableError("the record and the contact have no owner")
    phones = {str(email).casefold(): phone for email, phone in (account.settings.get("owner_phones") or {}).items()}
    number = phones.get(owner.email.casefold())
    if number is None:
        raise UnorderableError(f"no phone is set for the owner {owner.name} (owner_phones of the account)")
    return str(number)


def note_no_text(
    uow: UnitOfWork, call: WorkflowCallRow, reason: str, now: datetime, contact: ContactRow | None = None
) -> None:
    """Leave a trace of a call that makes no text: on the timeline of its record and, if known, its contact."""
    if contact is None and call.object_type == CONTACT:
        contact = uow.contacts.by_crm_ids(call.account_id, [call.object_id]).get(call.object_id)
    uow.timeline.add([_refused(call, contact, reason, now)])
    log.warning("workflow.no_text", account_id=call.account_id, call_id=call.id, callback_id=call.callback_id)


def _refused(call: WorkflowCallRow, contact: ContactRow | None, reason: str, now: datetime) -> TimelineEntry:
    name = f"workflow {call.workflow}" if call.workflow else "a workflow"
    return TimelineEntry(
        account_id=call.account_id,
        kind=EntryKind.NOT_ENROLLED,
        subject=f"workflow_call:{call.id}",
        discriminator="",
        at=now,
        summary=f"Nothing was sent for {name}: {reason}",
        contact_id=None if contact is None else contact.id,
        ref=f"{call.object_type}:{call.object_id}",
        data={"journey": name, "reason": reason},
    )
