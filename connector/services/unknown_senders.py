"""Whose is a number that writes to us and that no contact here has?

What happens is a setting of the account, `unknown_numbers`: `ignore` keeps the texts to us, `attach` looks the number
up in the CRM, `create` makes a contact where none is found. The work is done in the write-back lane, one record per
number, so that two texts at once never make two contacts. Texts are attached to the contact and shown on it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from connector.domain.event_mapping import EventCatalogue
from connector.domain.message import Direction
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMAmbiguousError, CRMRefusedError, CRMUnavailableError
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import writeback_lane
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.announcing import message_record, message_ref
from connector.services.contact_snapshots import ContactKeeper
from connector.services.merged_contacts import shown_crm_id
from connector.services.writeback_batch import Batch

SETTING = "unknown_numbers"

_ATTACHED = 50
"""Texts of a number that go to its contact, the latest ones: what a conversation of months holds."""


class Policy(StrEnum):
    """What an account wants done with numbers it does not know."""

    IGNORE = "ignore"
    ATTACH = "attach"
    CREATE = "create"


def policy_of(settings: Any) -> Policy:
    """Give an account's policy; a word that is none means `ignore`, which does nothing."""
    word = str(settings.get(SETTING) or "").strip().casefold()
    return Policy(word) if word in [each.value for each in Policy] else Policy.IGNORE


def ask_whose(
    uow: UnitOfWork, new_id: Callable[[], str], account: AccountRow, reply: MessageRow, *, may_create: bool
) -> None:
    """Ask for the contact of the number a reply came from, if the account wants that.

    `may_create` is False for somebody who wants nothing from us: they are looked up and never made a contact.
    """
    if policy_of(account.settings) is Policy.IGNORE:
        return
    record_id = new_id()
    number = hashlib.sha256(f"{account.id}|{reply.msisdn}".encode()).hexdigest()
    uow.records.want(
        [
            CRMRecordRow(
                id=record_id,
                account_id=account.id,
                crm=account.crm,
                kind=RecordSubject.FIND_SENDER,
                subject=f"sender:{number}",
                ref=message_ref(record_id),
                at=reply.created_at,
                not_before=reply.created_at,
                payload={"msisdn": reply.msisdn, "may_create": may_create},
            )
        ]
    )
    uow.nudge(writeback_lane(account.crm))


@dataclass(frozen=True, slots=True)
class _Found:
    """A number's contact, and the others that have the number as well."""

    crm_id: str
    others: tuple[str, ...] = ()
    is_new: bool = False

    @property
    def how(self) -> str:
        """Say it to people."""
        if self.is_new:
            return "made for a number that no contact had"
        if self.others:
            return f"the one changed last of those with the number; also: {', '.join(self.others)}"
        return "the only one with the number"


class UnknownSenders:
    """Finds or makes the contacts of numbers."""

    def __init__(self, catalogue: EventCatalogue, keeper: ContactKeeper) -> None:
        self._catalogue, self._keeper = catalogue, keeper

    def find(self, batch: Batch) -> None:
        """Do the batch's part of the work."""
        for row in batch.left([RecordSubject.FIND_SENDER]):
            try:
                self._find_one(batch, row)
            except CRMRefusedError as error:
                batch.note_error(row, error, was_create=True)

    def _find_one(self, batch: Batch, row: CRMRecordRow) -> None:
        known = self._known(batch, row)
        if known is not None:
            if self._attach(batch, row, known):
                batch.note_written([(row, known.crm_id)])
                return
            self._forget(batch, row, known)
        found = self._looked_up(batch, row) or self._made(batch, row)
        if found is None:
            return
        if found.crm_id and not self._attach(batch, row, found):
            # Unsure, for the contact may have been made a moment ago; only this number has to wait.
            unread = CRMAmbiguousError("the contact that was found cannot be read yet")
            batch.note_error(row, unread, was_create=True)
            return
        batch.note_written([(row, found.crm_id or None)])

    def _forget(self, batch: Batch, row: CRMRecordRow, known: _Found) -> None:
        """Take over that a contact of the ledger is gone from the CRM, though nobody told us."""
        with batch.ledger.begin() as uow:
            uow.contacts.mark_deleted(row.account_id, known.crm_id, batch.clock.now())
            uow.commit()

    def _known(self, batch: Batch, row: CRMRecordRow) -> _Found | None:
        """Look into the ledger, which may know the contact since the text came: made for another one, or created."""
        with batch.ledger.begin(write=False) as uow:
            contacts = uow.contacts.with_number(row.account_id, row.payload["msisdn"])
        shown = list(dict.fromkeys(shown_crm_id(each) for each in contacts))
        return _Found(shown[0], tuple(shown[1:])) if shown else None

    def _looked_up(self, batch: Batch, row: CRMRecordRow) -> _Found | None:
        batch.may_call()
        try:
            ids = batch.crm.find_contacts_by_number(batch.account, row.payload["msisdn"])
        except CRMAmbiguousError as error:
            raise CRMUnavailableError(str(error), status=error.status) from error
        return _Found(ids[0], tuple(ids[1:])) if ids else None

    def _made(self, batch: Batch, row: CRMRecordRow) -> _Found | None:
        """Make a contact; that the call leaves is committed first. None when it has to wait or did not work out."""
        if policy_of(batch.account.settings) is not Policy.CREATE or not row.payload.get("may_create"):
            return _Found("")
        if not batch.may_create(row):
            return None
        try:
            crm_id = batch.crm.create_contact(batch.account, row.payload["msisdn"], row.ref)
        except CRMAmbiguousError as error:
            batch.note_error(row, error, was_create=True)
            return None
        return _Found(crm_id, is_new=True)

    def _attach(self, batch: Batch, row: CRMRecordRow, found: _Found) -> bool:
        """Give the number's texts to the contact, in one transaction with the wish to show them.

        False, and nothing is done, when the CRM does not show the contact.
        """
        batch.may_call()
        attributes = self._catalogue.by_crm[row.crm].contact.attributes
        now = batch.clock.now()
        try:
            read = batch.crm.read_contacts(batch.account, [found.crm_id], attributes)
        except CRMAmbiguousError as error:
            raise CRMUnavailableError(str(error), status=error.status) from error
        if found.crm_id not in read:
            return False
        with batch.ledger.begin() as uow:
            account = uow.accounts.get(row.account_id)
            snapshots = {found.crm_id: replace(read[found.crm_id], read_at=now)}
            contact = self._keeper.save(uow, account, snapshots, now)[found.crm_id]
            texts = uow.messages.adopt(row.account_id, row.payload["msisdn"], contact.id, _ATTACHED)
            _show(uow, batch.ledger.new_id, texts, contact, found, now)
            uow.commit()
        return True


def _show(
    uow: UnitOfWork,
    new_id: Callable[[], str],
    texts: Sequence[MessageRow],
    contact: ContactRow,
    found: _Found,
    now: datetime,
) -> None:
    if not texts:
        return
    crm_id = shown_crm_id(contact)
    note = f"Other contacts have this number too: {', '.join(found.others)}." if found.others else ""
    records = [message_record(text, new_id(), contact.crm, crm_id, now) for text in texts]
    is_reply = [text.direction is Direction.IN for text in texts]
    uow.records.want(
        [
            replace(record, payload={"note": note}) if note and replied else record
            for record, replied in zip(records, is_reply, strict=True)
        ]
    )
    uow.timeline.add([_attached(text, contact, found, now) for text in texts])
    uow.nudge(writeback_lane(contact.crm))


def _attached(text: MessageRow, contact: ContactRow, found: _Found, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=text.account_id,
        kind=EntryKind.SENDER_FOUND,
        subject=f"message:{text.id}",
        discriminator="",
        at=now,
        summary=f"belongs to contact {shown_crm_id(contact)}, {found.how}",
        contact_id=contact.id,
        message_id=text.id,
        data={"others": list(found.others), "is_new": found.is_new},
    )
