"""How is one account's batch of records created and updated, and what is noted of each answer?

Every call's outcome is committed before the next call is made. A record leaves the batch when it is settled: written,
refused, or given back to wait; what is still in the batch when a call fails as a whole is given back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from connector.errors import (
    CRMAmbiguousError,
    CRMDisconnectedError,
    CRMError,
    CRMRefusedError,
    CRMUnavailableError,
)
from connector.ports.crm import CRM, MISSING_SCOPES, CRMAccount
from connector.ports.crm_writing import RecordKind, RecordWrite, WriteResult
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.ports.time import Clock
from connector.services.merged_contacts import shown_crm_id
from connector.services.writeback_saying import RECORDS, Said, what_to_say

GRACE = timedelta(seconds=60)
"""A create whose answer got lost may be under way this long; looking earlier could miss it and create it again."""

RIGHTS_PAUSE = timedelta(hours=1)
"""How long what the account lacks the right for waits: a person has to give it the scope first."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_LEASE_RESERVE = timedelta(seconds=30)  # one call with its time-outs must end before the lease does


class LeaseSpentError(Exception):
    """The lease is nearly over: no further call may leave, or two workers could write the same records."""


def is_new(row: CRMRecordRow) -> bool:
    """Tell whether a record is to be created and no create has ever left for it."""
    return row.kind in RECORDS and not row.crm_record_id and row.create_sent_at is None


class Batch:
    """Claimed records of one account on their way to the CRM."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        crm: CRM,
        account: CRMAccount,
        clock: Clock,
        wait: Callable[[int], timedelta],
        lease_until: datetime,
        rows: Sequence[CRMRecordRow],
    ) -> None:
        self.ledger, self.crm, self.account, self.clock = ledger, crm, account, clock
        self._wait, self._lease_until = wait, lease_until
        self._left = {row.id: row for row in rows}
        self.size = len(rows)
        self.attempts = max(row.attempts for row in rows)
        self._said: list[Said] = []

    def left(self, kinds: Iterable[RecordSubject]) -> list[CRMRecordRow]:
        """Give the records of some kinds that are not settled yet."""
        wanted = frozenset(kinds)
        return [row for row in self._left.values() if row.kind in wanted]

    def may_call(self) -> None:
        """Make sure that a call ends within the lease.

        Raises:
            LeaseSpentError: it might not.
        """
        if self.clock.now() > self._lease_until - _LEASE_RESERVE:
            raise LeaseSpentError

    def read(self) -> None:
        """Say every record from the present state of the ledger.

        In a transaction of its own, after the claim's: a state read now is at least as new as the change the claim
        saw, and holding records while reading messages would lock in the opposite order of those who move messages.
        """
        with self.ledger.begin(write=False) as uow:
            self._follow_merges(uow)
            rows = self.left(RECORDS)
            found = what_to_say(uow, self.account.account_id, rows)
        for row in rows:
            said = found[row.id]
            if isinstance(said, Said):
                self._said.append(said)
            else:
                self.refuse([row], said)

    def _follow_merges(self, uow: UnitOfWork) -> None:
        """Let what is to stand on a contact that was merged away meanwhile stand on the one that is left."""
        rows = self.left(RECORDS)
        contacts = uow.contacts.by_crm_ids(self.account.account_id, [row.contact_crm_id for row in rows])
        for row in rows:
            if row.contact_crm_id in contacts:
                shown = shown_crm_id(contacts[row.contact_crm_id])
                self._left[row.id] = replace(row, contact_crm_id=shown)

    def write_records(self) -> None:
        """Create and update what the batch holds."""
        self._create([said for said in self._said if is_new(said.row)])
        found, missing = self._look_up([said for said in self._said if _may_exist(said.row)])
        # The CRM certainly has none of them: should the create not leave, there is nothing to look for.
        self._left |= {said.row.id: replace(said.row, create_sent_at=None) for said in missing}
        self._create(missing)
        self._update([*found, *(said for said in self._said if said.row.crm_record_id)])

    def _create(self, said: Sequence[Said]) -> None:
        for kind in RecordKind:
            some = [one for one in said if one.write.kind is kind]
            if some:
                results = self._create_some(some)
                unowned = [one for one in some if _is_refused_with_owner(one, results)]
                self._settle([one for one in some if one not in unowned], results, was_create=True)
                if unowned:
                    # People leave; whoever is left must be asked all the same.
                    bare = [one.without_owner() for one in unowned]
                    self._settle(bare, self._create_some(bare), was_create=True)

    def _create_some(self, said: Sequence[Said]) -> Mapping[str, WriteResult]:
        """Make one create call. That it leaves is committed first, with the time a lookup must wait from.

        Raises:
            CRMUnavailableError: no trustworthy answer came; every row is noted, and the rest should wait.
        """
        self.may_call()
        with self.ledger.begin() as uow:
            uow.records.mark_creating([one.row.id for one in said], self.clock.now())
            uow.commit()
        try:
            return self._call(self.crm.create, said)
        except CRMAmbiguousError as error:
            self._postpone([one.row for one in said], str(error), self.clock.now() + GRACE, certain=False)
            raise CRMUnavailableError(str(error), status=error.status, retry_after=error.retry_after) from error

    def may_create(self, row: CRMRecordRow) -> bool:
        """Commit that one create is about to leave for a record; False while an earlier one may be under way."""
        now = self.clock.now()
        if row.create_sent_at is not None and now < _arrived_by(row):
            self._postpone([row], "its creation may be under way", _arrived_by(row), certain=False)
            return False
        self.may_call()
        with self.ledger.begin() as uow:
            uow.records.mark_creating([row.id], now)
            uow.commit()
        return True

    def _update(self, said: Sequence[Said]) -> None:
        for kind in RecordKind:
            some = [one for one in said if one.write.kind is kind]
            if some:
                self.may_call()
                try:
                    results = self._call(self.crm.update, some)
                except CRMAmbiguousError as error:
                    raise CRMUnavailableError(str(error), status=error.status) from error
                self._settle(some, results, was_create=False)

    def _look_up(self, said: Sequence[Said]) -> tuple[list[Said], list[Said]]:
        """Part records whose create may have arrived into those that exist and those that do not.

        Those whose create may still be under way are given back until its time is over.
        """
        now = self.clock.now()
        certain = [one for one in said if now >= _arrived_by(one.row)]
        for one in said:
            if now < _arrived_by(one.row):
                self._postpone([one.row], "its creation may be under way", _arrived_by(one.row), certain=False)
        if not certain:
            return [], []
        self.may_call()
        try:
            ids = self.crm.find_written(self.account, [one.write for one in certain])
        except CRMAmbiguousError as error:
            raise CRMUnavailableError(str(error), status=error.status) from error
        except CRMRefusedError as error:
            for one in certain:
                self.note_error(one.row, error)
            return [], []
        found = [one for one in certain if one.write.ref in ids]
        adopted = [Said(one.row, replace(one.write, crm_record_id=ids[one.write.ref])) for one in found]
        return adopted, [one for one in certain if one.write.ref not in ids]

    def _call(
        self, call: Callable[[CRMAccount, Sequence[RecordWrite]], Sequence[WriteResult]], said: Sequence[Said]
    ) -> Mapping[str, WriteResult]:
        """Make one call; a refusal of the rows as a whole becomes the error of each."""
        try:
            results = call(self.account, [one.write for one in said])
        except CRMRefusedError as error:
            return {one.write.ref: WriteResult(one.write.ref, error=error) for one in said}
        return {result.ref: result for result in results}

    def _settle(self, said: Sequence[Said], results: Mapping[str, WriteResult], *, was_create: bool) -> None:
        """Note what became of each row; a row the CRM does not mention may have been written."""
        unsaid = CRMAmbiguousError("the CRM's answer does not mention this record")
        outcomes = {one.row.id: results.get(one.write.ref, WriteResult(one.write.ref, error=unsaid)) for one in said}
        written = [(one, result) for one in said if (result := outcomes[one.row.id]).error is None]
        self.note_written(
            [(one.row, result.crm_record_id or one.write.crm_record_id) for one, result in written],
            {one.row.id: str(refused) for one, result in written if (refused := result.refused_beside) is not None},
        )
        errors = [(one.row, error) for one in said if (error := outcomes[one.row.id].error) is not None]
        # A disconnection ends the batch, so whatever else was said must be noted before.
        for row, error in sorted(errors, key=lambda pair: isinstance(pair[1], CRMDisconnectedError)):
            self.note_error(row, error, was_create=was_create)

    def note_written(
        self, written: Sequence[tuple[CRMRecordRow, str | None]], refused: Mapping[str, str] = _NOTHING
    ) -> None:
        """Note which change of each record the CRM now shows, under which id; and by record id, what it refused of it
        for good.
        """
        if not written:
            return
        with self.ledger.begin() as uow:
            uow.records.mark_written([(row.id, row.wanted, crm_id) for row, crm_id in written], self.clock.now())
            for record_id, reason in refused.items():
                uow.records.mark_refused_in_part(record_id, reason)
            uow.commit()
        for row, _ in written:
            del self._left[row.id]

    def note_error(self, row: CRMRecordRow, error: CRMError, *, was_create: bool = False) -> None:
        """Note why one record was not written, and when it is tried again, if ever.

        Raises:
            CRMDisconnectedError: it holds for the account as a whole.
        """
        if isinstance(error, CRMDisconnectedError):
            raise error
        if isinstance(error, CRMRefusedError):
            self._note_refusal(row, error, was_create=was_create)
            return
        is_unsure = was_create and not isinstance(error, CRMUnavailableError)
        wait = GRACE if is_unsure else max(error.retry_after or timedelta(), self._wait(row.attempts))
        self._postpone([row], str(error), self.clock.now() + wait, certain=not is_unsure)

    def _note_refusal(self, row: CRMRecordRow, error: CRMRefusedError, *, was_create: bool) -> None:
        """Note that the CRM never takes a record, or not before the account is given the right to write it."""
        if error.category != MISSING_SCOPES:
            self.refuse([row], str(error))
            return
        until = self.clock.now() + RIGHTS_PAUSE
        self._postpone([row], str(error), until, certain=was_create or not _may_exist(row))

    def refuse(self, rows: Sequence[CRMRecordRow], reason: str) -> None:
        """Note that the CRM never takes these records."""
        with self.ledger.begin() as uow:
            for row in rows:
                uow.records.mark_refused(row.id, reason, self.clock.now())
            uow.commit()
        for row in rows:
            del self._left[row.id]

    def give_back(self, reason: str, until: datetime) -> None:
        """Give back what is not settled: creates that were never made, and lookups that still have to be."""
        rows = list(self._left.values())
        self._postpone([row for row in rows if is_new(row)], reason, until, certain=True)
        self._postpone([row for row in rows if not is_new(row)], reason, until, certain=False)

    def _postpone(self, rows: Sequence[CRMRecordRow], reason: str, until: datetime, *, certain: bool) -> None:
        if not rows:
            return
        with self.ledger.begin() as uow:
            uow.records.postpone([row.id for row in rows], reason, until, certain=certain)
            uow.commit()
        for row in rows:
            del self._left[row.id]


def _is_refused_with_owner(said: Said, results: Mapping[str, WriteResult]) -> bool:
    """Whether a task may have been refused because of its owner, such as one who has left."""
    result = results.get(said.write.ref)
    error = None if result is None else result.error
    return (
        said.write.owner_id is not None
        and said.row.kind is RecordSubject.TASK
        and isinstance(error, CRMRefusedError)
        and error.category != MISSING_SCOPES
    )


def _may_exist(row: CRMRecordRow) -> bool:
    return not row.crm_record_id and row.create_sent_at is not None


def _arrived_by(row: CRMRecordRow) -> datetime:
    return (row.create_sent_at or row.not_before) + GRACE
