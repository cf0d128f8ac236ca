"""How are up to 200 rows written in one call, and what became of each?

Salesforce answers a collection with HTTP 200 and one result per row, in the order of the rows; a failed row took
nothing of the others with it (`allOrNone` false). Rows of one parent stand together: two calls that write to one
contact at a time wait for each other's lock (developer.salesforce.com, "sObject Collections").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.adapters.crm.salesforce.calls import OrgCalls
from connector.adapters.crm.salesforce.errors import UNKNOWN_NAMES, of_row
from connector.adapters.crm.salesforce.soql import batched
from connector.errors import CRMAmbiguousError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import CRMAccount
from connector.ports.crm_writing import WriteResult

# Refusals that one row of a batch may be the cause of; others, such as a missing permission, or a field that was there
# a while ago, hold for every row.
_OF_ONE_ROW = frozenset({400, 413})

Results = dict[str, WriteResult]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a collection.

    Attributes:
        ref: what its result is called.
        api_name: its object.
        fields: what is written, with `Id` for an update.
        parent: the record whose lock it takes.
    """

    ref: str
    api_name: str
    fields: Mapping[str, Any]
    parent: str = ""

    @property
    def wire(self) -> Mapping[str, Any]:
        """The row as Salesforce takes it."""
        return {"attributes": {"type": self.api_name}, **self.fields}


@dataclass(frozen=True, slots=True)
class Collections:
    """Writes collections."""

    calls: OrgCalls

    def create(self, account: CRMAccount, what: str, rows: Sequence[Row], *, can_wait: bool = False) -> Results:
        """Create records; an answer that got lost is ambiguous."""

        def send(some: Sequence[Row]) -> Results:
            body = _body(some)
            answer = self.calls.rest(
                account, what, "composite/sobjects", method="POST", body=body, is_repeatable=False, can_wait=can_wait
            )
            return _results(what, some, answer, is_repeatable=False)

        return _in_batches(rows, send)

    def update(self, account: CRMAccount, what: str, rows: Sequence[Row], *, can_wait: bool = False) -> Results:
        """Update records by their ids."""

        def send(some: Sequence[Row]) -> Results:
            answer = self.calls.rest(
                account, what, "composite/sobjects", method="PATCH", body=_body(some), can_wait=can_wait
            )
            return _results(what, some, answer, is_repeatable=True)

        return _in_batches(rows, send)

    def upsert(
        self, account: CRMAccount, what: str, rows: Sequence[Row], id_field: str, *, can_wait: bool = False
    ) -> Results:
        """Create or update records of one object by an external id; doing it twice is doing it once."""

        def send(some: Sequence[Row]) -> Results:
            path = f"composite/sobjects/{some[0].api_name}/{id_field}"
            answer = self.calls.rest(account, what, path, method="PATCH", body=_body(some), can_wait=can_wait)
            return _results(what, some, answer, is_repeatable=True)

        return _in_batches(rows, send)


def failed(rows: Sequence[Row], error: CRMError) -> Results:
    """Give every row the same error."""
    return {row.ref: WriteResult(row.ref, error=error) for row in rows}


def _body(rows: Sequence[Row]) -> Mapping[str, Any]:
    return {"allOrNone": False, "records": [row.wire for row in rows]}


def _in_batches(rows: Sequence[Row], send: Callable[[Sequence[Row]], Results]) -> Results:
    """Write rows, those of one object and parent together. A failure of the first call is raised, that of a later one
    is its rows' own, or the ids of the others would be lost.
    """
    found: Results = {}
    for some in batched(sorted(rows, key=lambda row: (row.api_name, row.parent, row.ref))):
        found |= _write_apart(some, send) if found else _write(some, send)
    return {row.ref: found[row.ref] for row in rows}


def _write(rows: Sequence[Row], send: Callable[[Sequence[Row]], Results]) -> Results:
    """Write rows, halving them while the whole is refused: one malformed row is refused with all the others."""
    try:
        return send(rows)
    except CRMRefusedError as error:
        if error.status not in _OF_ONE_ROW or error.category in UNKNOWN_NAMES:
            raise
        if len(rows) == 1:
            return failed(rows, error)
    middle = len(rows) // 2
    return _write_apart(rows[:middle], send) | _write_apart(rows[middle:], send)


def _write_apart(rows: Sequence[Row], send: Callable[[Sequence[Row]], Results]) -> Results:
    try:
        return _write(rows, send)
    except CRMError as error:
        return failed(rows, error)


def _results(what: str, rows: Sequence[Row], answer: Any, *, is_repeatable: bool) -> Results:
    told = answer if isinstance(answer, list) else []
    unsaid = (CRMUnavailableError if is_repeatable else CRMAmbiguousError)(
        f"{what}: Salesforce's answer does not mention this row"
    )
    found = failed(rows, unsaid)
    for row, result in zip(rows, told, strict=False):
        found[row.ref] = _result(what, row, result)
    return found


def _result(what: str, row: Row, result: Mapping[str, Any]) -> WriteResult:
    if result.get("success"):
        return WriteResult(row.ref, crm_record_id=str(result.get("id") or row.fields.get("Id") or "") or None)
    return WriteResult(row.ref, error=of_row(what, result.get("errors") or ()))
