"""How is kept in memory what the CRM is to show, and what it shows already?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connector.adapters.memory.accounts import MemoryAccountRepository
from connector.adapters.memory.documents import kept_text
from connector.adapters.memory.shelves import Due, Group, Journal, Leased, Shelf, Turn, turn
from connector.ports.records import CRMRecordRow, RecordSubject

_OPEN = frozenset({"waiting", "creating"})
_TRIED_AGAIN = frozenset({RecordSubject.OPT_OUT_PROPERTY, RecordSubject.PROPERTY, RecordSubject.FIND_SENDER})
_ALL = 1 << 62

_Record = Leased[CRMRecordRow]


def _waits(record: _Record) -> Turn | None:
    row = record.row
    return turn((row.crm, row.account_id), row.not_before, record.lease_until) if row.state in _OPEN else None


class RecordShelf(Shelf[_Record]):
    """Records by id."""

    def __init__(self, journal: Journal) -> None:
        self.waiting: Due[_Record] = Due(_waits)
        self.by_subject: Group[_Record] = Group(lambda each: (each.row.account_id, each.row.kind, each.row.subject))
        self.by_contact: Group[_Record] = Group(lambda each: (each.row.account_id, each.row.contact_id))
        super().__init__(journal, self.waiting, self.by_subject, self.by_contact)

    def change(self, record: _Record, *, lease_until: datetime | None, **values: Any) -> None:
        """Replace values of a record and its lease."""
        self.put(record.row.id, Leased(replace(record.row, **values), lease_until))

    def erase(self, ids: Iterable[str], reason: str) -> None:
        """Erase what records were to say; what was not written yet never is."""
        for record in self.of(ids):
            refused = {"state": "refused", "error": reason} if record.row.state in _OPEN else {}
            self.change(record, lease_until=record.lease_until, payload={}, **refused)


class MemoryCRMRecordRepository:
    """What the CRM is to show; see `connector.ports.records.CRMRecordRepository`."""

    def __init__(self, shelf: RecordShelf, accounts: MemoryAccountRepository) -> None:
        self._shelf, self._accounts = shelf, accounts

    def want(self, records: Sequence[CRMRecordRow]) -> None:
        """Insert each record, or count one more change on the one with the same (account, kind, subject)."""
        for row in records:
            known = self._about(row.account_id, row.kind, [row.subject])
            if known:
                self._one_more_change(known[0], row.not_before, payload=row.payload or known[0].row.payload)
            else:
                self._shelf.put(row.id, Leased(row))

    def changed(
        self, account_id: str, kind: RecordSubject, subjects: Sequence[str], not_before: datetime
    ) -> Sequence[str]:
        """Count one more change on those records that exist; give the CRMs that are to show them."""
        known = self._about(account_id, kind, subjects)
        for record in known:
            self._one_more_change(record, not_before)
        return sorted({record.row.crm for record in known})

    def claim(
        self,
        crm: str,
        limit: int,
        now: datetime,
        lease_until: datetime,
        patience: timedelta = timedelta(0),
    ) -> Sequence[CRMRecordRow]:
        """Lease up to `limit` records of one active account that wait to be written (the one with the oldest)."""
        account = self._ripe_account(crm, limit, now, patience)
        if account is None:
            return []
        found = self._shelf.of(self._shelf.waiting.first((crm, account), now, limit))
        for record in found:
            self._shelf.put(record.row.id, Leased(record.row, lease_until))
        return [record.row for record in found]

    def _ripe_account(self, crm: str, limit: int, now: datetime, patience: timedelta) -> str | None:
        waiting = self._shelf.waiting
        heads = {account: waiting.next((crm, account)) for account in self._accounts.active()}
        due = sorted((head, account) for account, head in heads.items() if head is not None and head[0] <= now)
        if not due:
            return None
        (_, oldest), account = due[0]
        if self._shelf.rows[oldest].row.not_before <= now - patience:
            return account
        return next((account for _, account in due if waiting.count((crm, account), now) >= limit), None)

    def mark_creating(self, record_ids: Sequence[str], now: datetime) -> None:
        """Note that a create is about to leave."""
        for record in self._shelf.of(record_ids):
            self._shelf.change(record, lease_until=record.lease_until, state="creating", create_sent_at=now)

    def mark_written(self, written: Sequence[tuple[str, int, str | None]], now: datetime) -> None:
        """Note (record id, change now shown, CRM id); a record with newer changes stays waiting."""
        for record_id, change, crm_record_id in written:
            for record in self._shelf.of([record_id]):
                self._shelf.change(
                    record,
                    lease_until=None,
                    written=max(record.row.written, change),
                    state="waiting" if record.row.wanted > change else "written",
                    crm_record_id=crm_record_id or record.row.crm_record_id,
                    create_sent_at=None,
                    attempts=0,
                    error="",
                    written_back_at=now,
                )

    def mark_refused(self, record_id: str, error: str, now: datetime) -> None:
        """Note that the CRM refuses it for good, and why."""
        for record in self._shelf.of([record_id]):
            self._shelf.change(
                record,
                lease_until=None,
                state="refused",
                error=kept_text(error),
                create_sent_at=None,
                not_before=now,
                attempts=record.row.attempts + 1,
            )

    def mark_refused_in_part(self, record_id: str, error: str) -> None:
        """Note why the CRM refuses a part of a written record for good."""
        for record in self._shelf.of([record_id]):
            self._shelf.change(record, lease_until=record.lease_until, error=kept_text(error))

    def postpone(self, record_ids: Sequence[str], error: str, not_before: datetime, *, certain: bool) -> None:
        """Give records back; `certain` says that a create certainly did not happen."""
        values: dict[str, Any] = {"state": "waiting", "create_sent_at": None} if certain else {}
        for record in self._shelf.of(record_ids):
            tries = record.row.attempts + 1
            values |= {"error": kept_text(error), "not_before": not_before, "attempts": tries}
            self._shelf.change(record, lease_until=None, **values)

    def put_off(self, account_id: str, now: datetime, not_before: datetime) -> None:
        """Let every record of an account that could be claimed now wait until `not_before`: its CRM is away."""
        lanes = [lane for lane in self._shelf.waiting.lanes() if isinstance(lane, tuple) and lane[1] == account_id]
        for record in self._shelf.of(key for lane in lanes for key in self._shelf.waiting.first(lane, now, _ALL)):
            tries = record.row.attempts or 1  # a change must not cut this wait short
            self._shelf.change(record, lease_until=record.lease_until, not_before=not_before, attempts=tries)

    def waiting(self, now: datetime) -> Mapping[str, int]:
        """Count records by CRM that could be written now."""
        counts: Counter[str] = Counter()
        active = set(self._accounts.active())
        for lane in self._shelf.waiting.lanes():
            if isinstance(lane, tuple) and lane[1] in active:
                counts[lane[0]] += self._shelf.waiting.count(lane, now)
        return {crm: count for crm, count in counts.items() if count}

    def flags(self, account_id: str, crm_ids: Sequence[str]) -> Mapping[str, CRMRecordRow]:
        """Read the records that set the opt-out flag on contacts, by the CRM's id of the contact."""
        return self._named(account_id, RecordSubject.OPT_OUT_PROPERTY, "contact:", crm_ids)

    def put_off_because(self, limit: int) -> Mapping[str, int]:
        """Count, by reason, the records that wait because writing them failed; the most frequent reasons first."""
        rows = [record.row for record in self._shelf.rows.values()]
        counts = Counter(row.error for row in rows if row.state in _OPEN and row.error)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit])

    def of_messages(self, account_id: str, message_ids: Sequence[str]) -> Mapping[str, CRMRecordRow]:
        """Read the records that show messages, by message id."""
        return self._named(account_id, RecordSubject.MESSAGE, "message:", message_ids)

    def refused(
        self, account_id: str | None, limit: int, in_part_since: datetime | None = None
    ) -> Sequence[CRMRecordRow]:
        """Read records the CRM refused, newest first, then those of which it refused a part, newest first."""
        rows = [record.row for record in self._shelf.rows.values() if account_id in {None, record.row.account_id}]
        whole = [(row.not_before, row.id, row) for row in rows if row.state == "refused"]
        in_part = [
            (at, row.id, row)
            for row in rows
            if row.state == "written" and row.error and (at := row.written_back_at) is not None
            if in_part_since is None or at >= in_part_since
        ]
        newest = [sorted(some, key=lambda one: one[:2], reverse=True) for some in (whole, in_part)]
        return [row for some in newest for _, _, row in some][:limit]

    def _about(self, account_id: str, kind: RecordSubject, subjects: Iterable[str]) -> list[_Record]:
        by_subject = self._shelf.by_subject
        return self._shelf.of(key for subject in subjects for key in by_subject.of((account_id, kind, subject)))

    def _named(self, account_id: str, kind: RecordSubject, prefix: str, ids: Sequence[str]) -> dict[str, CRMRecordRow]:
        found = self._about(account_id, kind, [f"{prefix}{id_}" for id_ in ids])
        return {record.row.subject.removeprefix(prefix): record.row for record in found}

    def _one_more_change(self, record: _Record, not_before: datetime, **values: Any) -> None:
        row = record.row
        reopened = row.state == "written" or (row.state == "refused" and row.kind in _TRIED_AGAIN)
        if reopened or record.lease_until is not None:
            # The present time of a leased row is spent: the new one is for what its holder does not write.
            at = not_before
        elif row.attempts > 0 or row.state == "creating":
            at = row.not_before
        else:
            at = min(not_before, row.not_before)
        state = "waiting" if reopened else row.state
        changes = {"wanted": row.wanted + 1, "state": state, "not_before": at, **values}
        self._shelf.change(record, lease_until=record.lease_until, **changes)
