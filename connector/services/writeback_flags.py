"""How does the opt-out flag get onto every contact with a number?

The flag says what the ledger says when it is written, so that it is right whatever order changes of mind came in. A
flag the CRM refuses never undoes an opt-out: the ledger's suppression is what stops texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.errors import CRMAmbiguousError, CRMRefusedError, CRMUnavailableError
from connector.ports.consents import Scope
from connector.ports.crm_writing import WriteResult
from connector.ports.ledger import UnitOfWork
from connector.ports.queue import writeback_lane
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.consent_records import flag_record, source_in_words
from connector.services.writeback_batch import Batch


@dataclass(frozen=True, slots=True)
class _Flag:
    opted_out: bool
    at: datetime
    mechanism: str


def write_flags(batch: Batch) -> None:
    """Set or reset the opt-out flag on contacts, those with the same flag and time in one call."""
    rows = batch.left([RecordSubject.OPT_OUT_PROPERTY])
    if not rows:
        return
    with batch.ledger.begin(write=False) as uow:
        flags = _flags(uow, batch.account.account_id, rows)
    for flag in dict.fromkeys(flags.values()):
        _write(batch, [row for row in rows if flags[row.id] == flag], flag)


def find_contacts(batch: Batch) -> None:
    """Look up every contact with a number, and ask for the flag on those that do not have it asked for."""
    for row in batch.left([RecordSubject.FIND_CONTACTS]):
        batch.may_call()
        try:
            found = batch.crm.find_contacts_by_number(batch.account, row.payload["msisdn"])
        except CRMRefusedError as error:
            batch.note_error(row, error)
            continue
        except CRMAmbiguousError as error:
            raise CRMUnavailableError(str(error), status=error.status) from error
        _want_flags(batch, row, [crm_id for crm_id in found if crm_id not in row.payload["flagged"]])
        batch.note_written([(row, None)])


def _flags(uow: UnitOfWork, account_id: str, rows: Sequence[CRMRecordRow]) -> Mapping[str, _Flag]:
    """Give for each record whether its contact has opted out, since when and how.

    A contact may have opted out with a number the CRM holds beside the one we text: either counts.
    """
    contacts = uow.contacts.by_crm_ids(account_id, [row.contact_crm_id for row in rows])
    numbers = {
        row.id: {row.payload["msisdn"], contact.msisdn if contact is not None else None} - {None}
        for row in rows
        for contact in [contacts.get(row.contact_crm_id)]
    }
    found = uow.consents.suppressions(account_id, sorted(set().union(*numbers.values())))
    flags: dict[str, _Flag] = {}
    for row in rows:
        standing = [each for number in numbers[row.id] for each in found.get(number, ())]
        first = min((each for each in standing if each.scope is Scope.ALL), key=lambda each: each.since, default=None)
        if first is not None:
            flags[row.id] = _Flag(opted_out=True, at=first.since, mechanism=first.mechanism)
        else:
            at = datetime.fromisoformat(row.payload["at"])
            flags[row.id] = _Flag(opted_out=False, at=at, mechanism=row.payload["mechanism"])
    return flags


def _write(batch: Batch, rows: Sequence[CRMRecordRow], flag: _Flag) -> None:
    batch.may_call()
    ids = [row.contact_crm_id for row in rows]
    try:
        results = batch.crm.set_opt_out(
            batch.account, ids, opted_out=flag.opted_out, at=flag.at, source=source_in_words(flag.mechanism)
        )
    except CRMRefusedError as error:
        results = [WriteResult(crm_id, error=error) for crm_id in ids]
    except CRMAmbiguousError as error:
        raise CRMUnavailableError(str(error), status=error.status) from error
    by_id = {result.ref: result for result in results}
    unsaid = CRMUnavailableError("the CRM's answer does not mention this contact")
    errors = {row.id: by_id[row.contact_crm_id].error if row.contact_crm_id in by_id else unsaid for row in rows}
    batch.note_written([(row, None) for row in rows if errors[row.id] is None])
    for row in rows:
        refused = errors[row.id]
        if refused is not None:
            batch.note_error(row, refused)


def _want_flags(batch: Batch, row: CRMRecordRow, crm_ids: Sequence[str]) -> None:
    with batch.ledger.begin() as uow:
        number, how = row.payload["msisdn"], row.payload["mechanism"]
        ids = [(batch.ledger.new_id(), crm_id) for crm_id in crm_ids]
        uow.records.want(
            [flag_record(new_id, row.account_id, row.crm, crm_id, number, row.at, how) for new_id, crm_id in ids]
        )
        if crm_ids:
            uow.nudge(writeback_lane(row.crm))
        uow.commit()
