"""Which row of a batch became which record, and which row was refused?

HubSpot promises no order of results. A row is known by the `objectWriteTraceId` we sent with it, else by its record id
(updates), else by our reference in the body it now has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.adapters.crm.hubspot.errors import of_row
from connector.adapters.crm.hubspot.record_format import carries
from connector.errors import CRMAmbiguousError, CRMError, CRMUnavailableError
from connector.ports.crm_writing import WriteResult

_NAMING = ("objectWriteTraceId", "objectWriteTraceIds", "ids", "id")


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One input of a batch write.

    Attributes:
        ref: what its result is called.
        wire: the input as HubSpot takes it.
        body_property: where the record carries our reference, or empty.
    """

    ref: str
    wire: Mapping[str, Any]
    body_property: str = ""


def results(what: str, rows: Sequence[BatchRow], answer: Any, *, is_repeatable: bool) -> dict[str, WriteResult]:
    """Give one result per row, by its ref, from a 2xx answer of a batch create or update."""
    told = answer or {}
    found: dict[str, WriteResult] = {}
    for record in told.get("results") or ():
        row = next(_rows_of(record, rows, found), None)
        if row is not None:
            found[row.ref] = WriteResult(row.ref, crm_record_id=str(record["id"]))
    nameless: list[CRMError] = []
    for error in told.get("errors") or ():
        meant = [row for row in _named(error, rows) if row.ref not in found]
        found |= {row.ref: WriteResult(row.ref, error=of_row(what, error)) for row in meant}
        nameless += [] if meant else [of_row(what, error)]
    rest = nameless[0] if nameless else _silence(what, is_repeatable)
    return {row.ref: found.get(row.ref) or WriteResult(row.ref, error=rest) for row in rows}


def _rows_of(
    record: Mapping[str, Any], rows: Sequence[BatchRow], taken: Mapping[str, WriteResult]
) -> Iterator[BatchRow]:
    trace_id, held = record.get("objectWriteTraceId"), record.get("properties") or {}
    free = [row for row in rows if row.ref not in taken]
    yield from (row for row in free if trace_id == row.ref)
    yield from (row for row in free if "id" in row.wire and str(row.wire["id"]) == str(record.get("id")))
    yield from (row for row in free if row.body_property and carries(str(held.get(row.body_property)), row.ref))


def _named(error: Mapping[str, Any], rows: Sequence[BatchRow]) -> list[BatchRow]:
    context = error.get("context") or {}
    names = {str(each) for key in _NAMING for each in context.get(key) or ()}
    return [row for row in rows if row.ref in names or str(row.wire.get("id", "")) in names]


def _silence(what: str, is_repeatable: bool) -> CRMError:
    kind = CRMUnavailableError if is_repeatable else CRMAmbiguousError
    return kind(f"{what}: HubSpot's answer does not mention this row")
