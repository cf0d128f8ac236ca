"""How are up to 200 records read and written in one call?

Rows fail one by one inside HTTP 200; a 400 means that the call itself could not be read. Whether a field an org does
not have refuses the row or the call is not documented: the row here, the call when the world's
`unknown_field_refuses_call` says so.
(developer.salesforce.com: REST API Developer Guide, sObject Collections)
"""

import itertools
from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.salesforce.checks import known_field
from connector.sandbox.salesforce.fields import ObjectDefinition
from connector.sandbox.salesforce.gate import Caller, Gate, json_object
from connector.sandbox.salesforce.ids import normal_id
from connector.sandbox.salesforce.record_routes import (
    create_row,
    delete_row,
    external_id,
    saved,
    update_row,
    upsert_row,
)
from connector.sandbox.salesforce.refusals import RefusalError, bad_request
from connector.sandbox.salesforce.rollback import rolled_back
from connector.sandbox.salesforce.shown import DATA, shown_record

LARGEST_WRITE = 200
LARGEST_READ = {"GET": 800, "POST": 2000}
MOST_RUNS = 10  # stretches of one object in a row of rows

Row = dict[str, Any]


def collection_routes(gate: Gate) -> Blueprint:
    """`composite/sobjects` and below."""
    routes = Blueprint("collections", __name__, url_prefix=f"{DATA}/composite/sobjects")
    views = _CollectionViews(gate)
    routes.post("")(views.create)
    routes.patch("")(views.update)
    routes.delete("")(views.delete)
    routes.patch("/<name>/<field_name>")(views.upsert)
    routes.route("/<name>", methods=["GET", "POST"])(views.retrieve)
    return routes


class _CollectionViews:
    """One method per operation."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def create(self) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            rows, all_or_none = self._rows(caller)
            _refuse_runs(rows)

            def write(row: Row) -> Row:
                return saved(create_row(self._gate, caller, _definition(caller, row), _content(row)).id)

            return self._written(caller, rows, write, all_or_none=all_or_none)

        return self._gate.call("collections.create", work)

    def update(self) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            rows, all_or_none = self._rows(caller)
            _refuse_runs(rows)
            seen: set[str] = set()

            def write(row: Row) -> Row:
                record_id = _own_id(row)
                if record_id in seen:
                    raise bad_request("DUPLICATE_VALUE", f"Duplicate id in list: {record_id}", ["Id"])
                seen.add(record_id)
                definition = _definition(caller, row)
                if caller.org.find(record_id) is None:
                    raise bad_request("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
                content = {name: value for name, value in _content(row).items() if name.lower() != "id"}
                return saved(update_row(self._gate, caller, definition, record_id, content).id)

            return self._written(caller, rows, write, all_or_none=all_or_none)

        return self._gate.call("collections.update", work)

    def upsert(self, name: str, field_name: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            rows, all_or_none = self._rows(caller)
            definition = caller.org.definition(name)
            field = external_id(caller.org, definition, field_name)
            keys = [str(row.get(field.name, "")) for row in rows]

            def write(row: Row) -> Row:
                if _definition(caller, row) is not definition:
                    raise bad_request("INVALID_TYPE", f"the rows of this call are {definition.name} rows")
                key = row.get(field.name)
                if not key:
                    raise bad_request("MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
                if keys.count(str(key)) > 1:
                    raise bad_request("DUPLICATE_VALUE", f"Duplicate external id specified: {key}", [field.name])
                content = {each: value for each, value in _content(row).items() if each != field.name}
                record, is_new = upsert_row(self._gate, caller, definition, field, str(key), content)
                return {**saved(record.id), "created": is_new}

            return self._written(caller, rows, write, all_or_none=all_or_none)

        return self._gate.call(f"collections.{name}.upsert", work)

    def delete(self) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            ids = [each for each in request.args.get("ids", "").split(",") if each]
            _refuse_size(len(ids), LARGEST_WRITE)

            def write(row: Row) -> Row:
                record = caller.org.find(row["id"])
                if record is None:
                    raise bad_request("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
                delete_row(self._gate, caller, caller.org.definition(record.object_name), record.id)
                return saved(record.id)

            is_whole = request.args.get("allOrNone") == "true"
            return self._written(caller, [{"id": each} for each in ids], write, all_or_none=is_whole)

        return self._gate.call("collections.delete", work)

    def retrieve(self, name: str) -> ResponseReturnValue:
        """Records in the order of their ids; null for one that is not there or was deleted."""

        def work(caller: Caller) -> ResponseReturnValue:
            definition, org = caller.org.definition(name), caller.org
            ids, names = _asked()
            _refuse_size(len(ids), LARGEST_READ[request.method])
            if not names:
                raise bad_request("MISSING_ARGUMENT", "fields is required")
            found = [org.records.get(definition.name, {}).get(normal_id(each) or "") for each in ids]
            shown = [shown_record(org, each, names) if each and not each.is_deleted else None for each in found]
            return jsonify(shown)

        return self._gate.call(f"collections.{name}.retrieve", work)

    def _rows(self, caller: Caller) -> tuple[list[Row], bool]:
        rows, all_or_none = _rows(json_object())
        if self._gate.world.unknown_field_refuses_call:
            for row in rows:
                _refuse_unknown(_definition(caller, row), row)
        return rows, all_or_none

    def _written(
        self, caller: Caller, rows: list[Row], write: Callable[[Row], Row], *, all_or_none: bool
    ) -> ResponseReturnValue:
        if not all_or_none:
            return jsonify([_outcome(row, write) for row in rows])
        with rolled_back(self._gate.world, caller.org) as undo:
            results = [_outcome(row, write) for row in rows]
            if not all(each["success"] for each in results):
                undo()
                results = [_undone() if each["success"] else each for each in results]
        return jsonify(results)


def _outcome(row: Row, write: Callable[[Row], Row]) -> Row:
    try:
        return write(row)
    except RefusalError as refusal:
        return {"success": False, "errors": [refusal.row()]}


def _undone() -> Row:
    text = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return {"success": False, "errors": [bad_request("ALL_OR_NONE_OPERATION_ROLLED_BACK", text).row()]}


def _rows(body: dict[str, Any]) -> tuple[list[Row], bool]:
    """The records of a write and whether they stand or fall together; 400 when they cannot be read."""
    rows = body.get("records")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise bad_request("JSON_PARSER_ERROR", "records is required: a list of objects")
    _refuse_size(len(rows), LARGEST_WRITE)
    if not all(isinstance(row.get("attributes"), dict) and row["attributes"].get("type") for row in rows):
        raise bad_request("INVALID_INPUT", "sobject type is required in the attributes of each record")
    all_or_none = body.get("allOrNone", False)
    if not isinstance(all_or_none, bool):
        raise bad_request("JSON_PARSER_ERROR", "allOrNone must be true or false")
    return rows, all_or_none


def _refuse_size(count: int, most: int) -> None:
    if count > most:
        text = f"record limit reached. cannot submit more than {most} records into this call"
        raise bad_request("EXCEEDED_ID_LIMIT", text)


def _refuse_runs(rows: list[Row]) -> None:
    kinds = [str(row["attributes"]["type"]).lower() for row in rows]
    runs = 1 + sum(before != after for before, after in itertools.pairwise(kinds))
    if runs > MOST_RUNS:
        text = f"Cannot have more than {MOST_RUNS} chunks in a single operation. "
        raise bad_request("LIMIT_EXCEEDED", f"{text}Please rearrange the data to reduce chunking.")


def _definition(caller: Caller, row: Row) -> ObjectDefinition:
    name = str(row["attributes"]["type"])
    definition = caller.org.find_definition(name)
    if definition is None:
        raise bad_request("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return definition


def _refuse_unknown(definition: ObjectDefinition, row: Row) -> None:
    for name in _content(row):
        known_field(definition, name)


def _content(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "attributes"}


def _own_id(row: Row) -> str:
    given = next((value for name, value in row.items() if name.lower() == "id"), None)
    record_id = normal_id(given)
    if record_id is None:
        raise bad_request("MALFORMED_ID", f"malformed id {given}", ["Id"])
    return record_id


def _asked() -> tuple[list[str], list[str]]:
    if request.method == "POST":
        body = json_object()
        return [str(each) for each in body.get("ids", [])], [str(each) for each in body.get("fields", [])]
    return _listed("ids"), _listed("fields")


def _listed(name: str) -> list[str]:
    return [each.strip() for each in request.args.get(name, "").split(",") if each.strip()]
