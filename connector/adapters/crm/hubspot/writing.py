"""How do our records and properties get into a portal, a hundred at a time, one result per row?

Every input carries an `objectWriteTraceId`, which lets HubSpot write the good rows and name the bad ones (207). Where
it refuses the whole batch for one row all the same, the batch is halved until that row stands alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.adapters.crm.hubspot.batch_results import BatchRow, results
from connector.adapters.crm.hubspot.batches import batched
from connector.adapters.crm.hubspot.calls import PortalCalls
from connector.adapters.crm.hubspot.dated_client import PortalAPI
from connector.adapters.crm.hubspot.object_types import path_name
from connector.adapters.crm.hubspot.properties import CONSENT_SOURCE, OPTED_OUT, OPTED_OUT_AT
from connector.adapters.crm.hubspot.record_format import BODY_PROPERTY, carries, change, creation, timestamp
from connector.adapters.crm.hubspot.records import PortalRecords
from connector.errors import CRMError, CRMRefusedError
from connector.ports.crm import CRMAccount
from connector.ports.crm_writing import RecordKind, RecordWrite, WriteResult

# Refusals that one row of a batch may be the cause of; others, such as a missing permission, hold for every row.
_OF_ONE_ROW = frozenset({400, 404, 409, 413, 422})


@dataclass(frozen=True, slots=True)
class PortalWriting:
    """Writes communications, tasks, notes and properties."""

    calls: PortalCalls
    records: PortalRecords

    def create(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> list[WriteResult]:
        """Create records; see the port."""
        return self._by_kind(account, rows, _Creating)

    def update(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> list[WriteResult]:
        """Update records; see the port."""
        return self._by_kind(account, rows, _Updating)

    def set_opt_out(
        self, account: CRMAccount, contact_ids: Sequence[str], *, opted_out: bool, at: datetime, source: str
    ) -> list[WriteResult]:
        """Set the flag, how it came and the time of an opt-out on contacts; see the port.

        Lifting an opt-out is no consent to marketing: the time of that is left to those who asked for it.
        """
        values = {OPTED_OUT: str(opted_out).lower(), CONSENT_SOURCE: source}
        if opted_out:
            values[OPTED_OUT_AT] = timestamp(at)
        found = self.set_properties(account, "contact", dict.fromkeys(contact_ids, values))
        by_id = {result.ref: result for result in found}
        return [by_id[each] for each in contact_ids]

    def set_properties(
        self, account: CRMAccount, object_type: str, values: Mapping[str, Mapping[str, str]]
    ) -> list[WriteResult]:
        """Write properties of records; see the port."""
        rows = [
            BatchRow(each, {"id": each, "properties": dict(properties), "objectWriteTraceId": each})
            for each, properties in values.items()
        ]
        batch = _Updating(self.calls, account, object_type)
        return [result for some in batched(rows) for result in batch.write(some).values()]

    def find_written(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> dict[str, str]:
        """Find rows that exist, by our reference in the bodies of the contact's records, the newest looked at first.

        Associations are read, not searched: HubSpot's search index lags behind what was just written.
        """
        found: dict[str, str] = {}
        for kind in RecordKind:
            wanted = {row.ref: row.contact_crm_id for row in rows if row.kind is kind and row.contact_crm_id}
            if wanted:
                found |= self._find(account, kind, wanted)
        return found

    def _find(self, account: CRMAccount, kind: RecordKind, wanted: dict[str, str]) -> dict[str, str]:
        links = self.records.linked(account, "contact", kind.value, list(wanted.values()))
        ids = {link.object_id for some in links.values() for link in some}
        found: dict[str, str] = {}
        for some in batched(sorted(ids, key=int, reverse=True)):
            bodies = self.records.read(account, kind.value, some, [BODY_PROPERTY[kind]])
            for crm_id, held in bodies.items():
                text = held[BODY_PROPERTY[kind]] or ""
                found |= {ref: crm_id for ref in wanted if ref not in found and carries(text, ref)}
            if len(found) == len(wanted):
                break
        return found

    def _by_kind(self, account: CRMAccount, rows: Sequence[RecordWrite], batch: type[_Batch]) -> list[WriteResult]:
        found: dict[str, WriteResult] = {}
        for kind in dict.fromkeys(row.kind for row in rows):
            of_kind = [row for row in rows if row.kind is kind]
            written = batch(self.calls, account, kind.value)
            write = written.write_apart if found else written.write
            found |= write([written.row(each) for each in of_kind])
        return [found[row.ref] for row in rows]


@dataclass(frozen=True, slots=True)
class _Batch(ABC):
    """One way of writing rows of one object type."""

    calls: PortalCalls
    account: CRMAccount
    object_type: str

    @abstractmethod
    def row(self, row: RecordWrite) -> BatchRow:
        """Make the input of a row."""

    @abstractmethod
    def send(self, rows: Sequence[BatchRow]) -> dict[str, WriteResult]:
        """Make one call for rows."""

    def write(self, rows: Sequence[BatchRow]) -> dict[str, WriteResult]:
        """Write rows, halving them while the whole is refused. A failure of the first call is raised."""
        try:
            return self.send(rows)
        except CRMRefusedError as error:
            if error.status not in _OF_ONE_ROW:
                raise
            if len(rows) == 1:
                return _failed(rows, error)
        middle = len(rows) // 2
        return self.write_apart(rows[:middle]) | self.write_apart(rows[middle:])

    def write_apart(self, rows: Sequence[BatchRow]) -> dict[str, WriteResult]:
        """Write rows beside others that went already: a failure is their own, or those others' ids would be lost."""
        try:
            return self.write(rows)
        except CRMError as error:
            return _failed(rows, error)

    def _call(
        self, verb: str, rows: Sequence[BatchRow], call: Callable[[PortalAPI, str, Any], Any], *, is_repeatable: bool
    ) -> dict[str, WriteResult]:
        what, name = f"{verb} {self.object_type}", path_name(self.object_type)
        body = {"inputs": [row.wire for row in rows]}
        answer = self.calls.make(self.account, what, lambda api: call(api, name, body), is_repeatable=is_repeatable)
        return results(what, rows, answer, is_repeatable=is_repeatable)


class _Creating(_Batch):
    def row(self, row: RecordWrite) -> BatchRow:
        return BatchRow(row.ref, creation(row), BODY_PROPERTY[row.kind])

    def send(self, rows: Sequence[BatchRow]) -> dict[str, WriteResult]:
        return self._call("create", rows, lambda api, name, body: api.batches.create(name, body), is_repeatable=False)


class _Updating(_Batch):
    def row(self, row: RecordWrite) -> BatchRow:
        return BatchRow(row.ref, change(row), BODY_PROPERTY[row.kind])

    def send(self, rows: Sequence[BatchRow]) -> dict[str, WriteResult]:
        return self._call("update", rows, lambda api, name, body: api.batches.update(name, body), is_repeatable=True)


def _failed(rows: Iterable[BatchRow], error: CRMError) -> dict[str, WriteResult]:
    return {row.ref: WriteResult(row.ref, error=error) for row in rows}
