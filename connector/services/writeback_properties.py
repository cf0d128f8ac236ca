"""How do the properties that journeys set get onto their records, as few writes as there are records?

What is wanted of one record goes in one write. When the CRM does not take that, each property is tried alone: one bad
value must not keep the others out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.domain.event import ObjectRef
from connector.errors import CRMAmbiguousError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.property_setting import property_of
from connector.services.writeback_batch import Batch


def write_properties(batch: Batch) -> None:
    """Write what a batch holds of properties."""
    by_record: dict[ObjectRef, list[CRMRecordRow]] = {}
    for row in batch.left([RecordSubject.PROPERTY]):
        by_record.setdefault(property_of(row)[0], []).append(row)
    for object_type in dict.fromkeys(ref.object_type for ref in by_record):
        of_type = {ref.object_id: rows for ref, rows in by_record.items() if ref.object_type == object_type}
        refused = _write(batch, object_type, of_type)
        for object_id, rows in of_type.items():
            error = refused.get(object_id)
            if error is None:
                batch.note_written([(row, None) for row in rows])
            elif len(rows) == 1 or not isinstance(error, CRMRefusedError):
                _note(batch, rows, error)
            else:
                for row in rows:
                    alone = _write(batch, object_type, {object_id: [row]}).get(object_id)
                    _note(batch, [row], alone) if alone is not None else batch.note_written([(row, None)])


def _write(batch: Batch, object_type: str, rows: Mapping[str, Sequence[CRMRecordRow]]) -> Mapping[str, CRMError]:
    """Make one call; give the errors by record id.

    Raises:
        CRMUnavailableError: no trustworthy answer came; writing again is harmless, later.
    """
    batch.may_call()
    values = {
        object_id: {property_of(row)[1]: str(row.payload["value"]) for row in wanted}
        for object_id, wanted in rows.items()
    }
    try:
        results = batch.crm.set_properties(batch.account, object_type, values)
    except CRMRefusedError as error:
        return dict.fromkeys(rows, error)
    except CRMAmbiguousError as error:
        raise CRMUnavailableError(str(error), status=error.status) from error
    by_id = {result.ref: result.error for result in results}
    unsaid = CRMUnavailableError("the CRM's answer does not mention this record")
    found = {object_id: by_id.get(object_id, unsaid) for object_id in rows}
    return {object_id: error for object_id, error in found.items() if error is not None}


def _note(batch: Batch, rows: Sequence[CRMRecordRow], error: CRMError) -> None:
    for row in rows:
        batch.note_error(row, error)
