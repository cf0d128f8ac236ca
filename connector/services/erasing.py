"""How does somebody's data go for good, and what proves it afterwards?

A request is a row; working on it is a lease, a batch and a commit, over and over, so that it goes on wherever a killed
process left it. What a worker had in hand when it began may still be written for some minutes: so the last look comes
after the longest lease there is, and only what is empty then is certified. The certificate is the row itself: which
account, who asked, why, how many rows of each table went, sealed against later changes. It names nobody.

An opt-out of an erased contact's number stays, with the words that made it: forgetting it would text somebody who has
said no, which the law forbids more strictly than it asks to forget. With a whole account everything goes, since nobody
is left who could text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from connector.domain.account_status import AccountStatus
from connector.errors import ConfigurationError
from connector.ports.erasing import ContactData, ErasureRow, ErasureScope, TenantData, numbers_note
from connector.ports.fingerprints import Fingerprints
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.queue import MAINTENANCE
from connector.ports.time import Clock
from connector.services.enrollment_ending import cancel_texts, end_enrollment

log = structlog.get_logger(__name__)

BATCH = 500
"""Rows of a table deleted in one transaction: short enough not to hold up the webhooks that share the ledger."""

LEASE = timedelta(minutes=5)
"""A batch takes seconds; whoever died with it is not waited for long."""

LAST_LOOK = timedelta(minutes=15)
"""The longest lease of any lane is ten minutes (a poll); five more are for clocks that differ."""


class Eraser:
    """Erases accounts and contacts, `batch` rows of a table at a time."""

    def __init__(
        self,
        ledger: Ledger,
        tenants: TenantData,
        contacts: ContactData,
        fingerprints: Fingerprints,
        clock: Clock,
        batch: int = BATCH,
    ) -> None:
        self._ledger, self._tenants, self._contacts = ledger, tenants, contacts
        self._fingerprints, self._clock, self._batch = fingerprints, clock, batch

    def request(self, crm: str, external_id: str, by: str, reason: str) -> ErasureRow:
        """Ask for everything of an account to go; the same erasure again while one is under way.

        Raises:
            ConfigurationError: there is no such account, or it is still installed.
        """
        with self._ledger.begin() as uow:
            account_id = uow.accounts.by_external_ids(crm, [external_id]).get(external_id)
            if account_id is None:
                raise ConfigurationError(f"there is no {crm} account {external_id}")
            account = uow.accounts.get(account_id)
            if account.status not in {AccountStatus.UNINSTALLED, AccountStatus.ERASING}:
                raise ConfigurationError(
                    f"{crm} account {external_id} is {account.status}; uninstall it first: "
                    f"smsctl account remove --crm {crm} --external-id {external_id} --by …"
                )
            under_way = _under_way(uow, account_id, ErasureScope.ACCOUNT, "")
            if under_way is not None:
                return under_way
            erasure = ErasureRow(
                id=self._ledger.new_id(),
                account_id=account_id,
                crm=crm,
                external_id=external_id,
                scope=ErasureScope.ACCOUNT,
                requested_by=by,
                requested_at=self._clock.now(),
                reason=reason,
            )
            uow.erasures.add(erasure)
            uow.accounts.set_status(account_id, AccountStatus.ERASING, f"its data is being erased, as {by} asked")
            uow.nudge(MAINTENANCE)
            uow.commit()
        log.info("erasure.requested", erasure_id=erasure.id, account_id=account_id)
        return erasure

    def erase_contact(self, account_id: str, crm_id: str, by: str, reason: str) -> str | None:
        """Ask for everything of a contact to go; give the erasure's id, or None when we know no such contact."""
        with self._ledger.begin() as uow:
            erasure_id = begin_contact(uow, self._ledger.new_id(), account_id, crm_id, by, reason, self._clock.now())
            uow.commit()
        return erasure_id

    def settle(self) -> bool:
        """Work one batch of the oldest erasure that is due; tell whether there may be more to do at once."""
        return self._work(None)

    def work_off(self, erasure_id: str) -> ErasureRow:
        """Work one erasure until it ends or has to wait for its last look."""
        while self._work(erasure_id):
            pass
        return self.get(erasure_id)

    def get(self, erasure_id: str) -> ErasureRow:
        """Read one.

        Raises:
            ConfigurationError: there is none.
        """
        with self._ledger.begin(write=False) as uow:
            found = uow.erasures.get(erasure_id)
        if found is None:
            raise ConfigurationError(f"there is no erasure {erasure_id}")
        return found

    def certificate(self, erasure: ErasureRow) -> Mapping[str, Any]:
        """Give what went as a document, JSON-able, and whether its seal holds; it has none while it is under way."""
        told = _told(erasure)
        is_sealed = bool(erasure.seal) and self._fingerprints.matches(erasure.seal, _sealed_text(told))
        return {**told, "total": sum(erasure.counts.values()), "seal": erasure.seal, "is_genuine": is_sealed}

    def _work(self, erasure_id: str | None) -> bool:
        now = self._clock.now()
        with self._ledger.begin() as uow:
            erasure = uow.erasures.claim(now, now + LEASE, erasure_id)
            uow.commit()
        if erasure is None:
            return False
        is_last, whose = now >= erasure.requested_at + LAST_LOOK, erasure.account_id
        if erasure.scope is ErasureScope.ACCOUNT:
            gone = self._tenants.erase(erasure.id, whose, self._batch, now, is_last=is_last)
        else:
            self._stop(erasure, now)
            gone = self._contacts.empty(erasure.id, whose, erasure.subject, self._batch, now, is_last=is_last)
        if gone:
            return True  # its lease ended with the batch: whoever comes next goes on
        return self._last_look(erasure, now)

    def _last_look(self, erasure: ErasureRow, now: datetime) -> bool:
        """End an erasure, when enough time has passed for every worker to have written what it had in hand."""
        looks_at = erasure.requested_at + LAST_LOOK
        if now < looks_at:
            is_empty = False
            self._tenants.look_again(erasure.id)
        elif erasure.scope is ErasureScope.ACCOUNT:
            is_empty = self._tenants.end_account(erasure.id, erasure.account_id)
        else:
            is_empty = self._contacts.end_contact(erasure.id, erasure.account_id, erasure.subject)
        if is_empty:
            self._complete(erasure.id, now)
        else:
            self._wait(erasure.id, max(looks_at, now + timedelta(minutes=1)))
        return False

    def _stop(self, erasure: ErasureRow, now: datetime) -> None:
        """End what is still under way for a contact: nobody is texted whose data is on its way out."""
        why = "the contact's data is being erased"
        with self._ledger.begin() as uow:
            contact = uow.contacts.get(erasure.account_id, erasure.subject)
            if contact is not None:
                uow.contacts.purge(erasure.account_id, contact.crm_id, now)
            for row in uow.enrollments.of_contact(erasure.account_id, erasure.subject):
                if row.status == "live":
                    end_enrollment(uow, row, why, now)
            uow.commit()
        while self._cancel_some(erasure, why, now):
            pass

    def _cancel_some(self, erasure: ErasureRow, why: str, now: datetime) -> bool:
        """Cancel a batch of a contact's texts that have not left; tell whether there may be more."""
        with self._ledger.begin() as uow:
            texts = uow.messages.open_of(erasure.account_id, self._batch, erasure.subject)
            cancel_texts(uow, texts, why, now)
            uow.commit()
        return len(texts) == self._batch

    def _wait(self, erasure_id: str, until: datetime) -> None:
        with self._ledger.begin() as uow:
            uow.erasures.count(erasure_id, {}, until)
            uow.commit()

    def _complete(self, erasure_id: str, now: datetime) -> None:
        erasure = self.get(erasure_id)
        subject = erasure.subject
        if erasure.scope is ErasureScope.CONTACT:
            with self._ledger.begin(write=False) as uow:
                contact = uow.contacts.get(erasure.account_id, erasure.subject)
            crm_id = contact.crm_id if contact is not None else ""
            subject = self._fingerprints.make(contact_text(erasure.account_id, crm_id))
        ended = replace(erasure, subject=subject, completed_at=now)
        ended = replace(ended, seal=self._fingerprints.make(_sealed_text(_told(ended))))
        with self._ledger.begin() as uow:
            uow.erasures.complete(ended)
            uow.commit()
        log.info("erasure.completed", erasure_id=erasure_id, rows=sum(ended.counts.values()))


def begin_contact(
    uow: UnitOfWork, erasure_id: str, account_id: str, crm_id: str, by: str, reason: str, now: datetime
) -> str | None:
    """Erase what must go of a contact at once, and ask for the rest; None when we know no such contact."""
    contact = uow.contacts.by_crm_ids(account_id, [crm_id]).get(crm_id)
    if contact is None:
        return None
    uow.contacts.purge(account_id, crm_id, now)  # the number too: it is kept below while it is still looked for
    under_way = _under_way(uow, account_id, ErasureScope.CONTACT, contact.id)
    if under_way is not None:
        return under_way.id
    account = uow.accounts.get(account_id)
    uow.erasures.add(
        ErasureRow(
            id=erasure_id,
            account_id=account_id,
            crm=account.crm,
            external_id=account.external_id,
            scope=ErasureScope.CONTACT,
            requested_by=by,
            requested_at=now,
            subject=contact.id,
            reason=reason,
        )
    )
    if contact.msisdn is not None:
        uow.cursors.set(account_id, numbers_note(erasure_id), contact.msisdn, now)
    uow.nudge(MAINTENANCE)
    return erasure_id


def contact_text(account_id: str, crm_id: str) -> str:
    """Give what the fingerprint in a contact's certificate is of: whoever has the id can show that it is meant."""
    return f"erased contact\0{account_id}\0{crm_id}"


def _under_way(uow: UnitOfWork, account_id: str, scope: ErasureScope, subject: str) -> ErasureRow | None:
    known = uow.erasures.of_account(account_id)
    same = (each for each in known if each.scope is scope and each.subject == subject and each.completed_at is None)
    return next(same, None)


def _told(erasure: ErasureRow) -> dict[str, Any]:
    ended = erasure.completed_at
    return {
        "id": erasure.id,
        "account_id": erasure.account_id,
        "crm": erasure.crm,
        "external_id": erasure.external_id,
        "scope": erasure.scope.value,
        "subject": erasure.subject,
        "reason": erasure.reason,
        "requested_by": erasure.requested_by,
        "requested_at": erasure.requested_at.isoformat(),
        "completed_at": None if ended is None else ended.isoformat(),
        "counts": dict(sorted(erasure.counts.items())),
    }


def _sealed_text(told: Mapping[str, Any]) -> str:
    return "erasure certificate\0" + json.dumps(told, sort_keys=True, separators=(",", ":"))
