"""How are CRM records read and written a hundred at a time over HTTP?

A batch is refused whole when one input is wrong, unless every input carries an `objectWriteTraceId`: then the
answer is 207 and names the failed rows. Ids that do not exist give 207 in reads and updates always.
"""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.changes import Change
from connector.sandbox.hubspot.drafts import Draft, draft_create, draft_update
from connector.sandbox.hubspot.gate import LARGEST_BATCH, Gate, batch_inputs, json_object
from connector.sandbox.hubspot.object_routes import API, known_type, properties_of, record_by, shown
from connector.sandbox.hubspot.object_types import ObjectType
from connector.sandbox.hubspot.portal import Portal, Record
from connector.sandbox.hubspot.refusals import RefusalError, invalid
from connector.sandbox.hubspot.values import iso
from connector.sandbox.hubspot.world import HubSpotWorld

Row = dict[str, Any]
MOST_WITH_HISTORY = 50  # inputs of a read that asks for versions


def batch_routes(gate: Gate, version: str) -> Blueprint:
    """`/crm/objects/{version}/{type}/batch/...`."""
    routes = Blueprint("object_batches", __name__, url_prefix=f"/crm/objects/{version}/<name>/batch")
    world = gate.world

    @routes.post("/read")
    def read(name: str) -> ResponseReturnValue:
        kind = known_type(name)
        return gate.call(f"{kind.name}.batch_read", lambda p: _read(world, p, kind), scope=kind.read_scope)

    @routes.post("/create")
    def create(name: str) -> ResponseReturnValue:
        kind = known_type(name)
        return gate.call(f"{kind.name}.batch_create", lambda p: _create(world, p, kind), scope=kind.write_scope)

    @routes.post("/update")
    def update(name: str) -> ResponseReturnValue:
        kind = known_type(name)
        return gate.call(f"{kind.name}.batch_update", lambda p: _update(world, p, kind), scope=kind.write_scope)

    @routes.post("/archive")
    def archive(name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            for row in batch_inputs(json_object(("inputs",)), ("id",), ("id",)):
                world.delete(portal.id, kind.name, str(row["id"]), API)
            return "", 204

        return gate.call(f"{kind.name}.batch_archive", work, scope=kind.write_scope)

    return routes


def answer(world: HubSpotWorld, results: list[Row], errors: list[Row], status: int = 200) -> ResponseReturnValue:
    """A batch's answer: 207 as soon as there are errors."""
    now = iso(world.clock.now())
    body: Row = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if not errors:
        return body, status
    return {**body, "numErrors": len(errors), "errors": errors}, 207


def _read(world: HubSpotWorld, portal: Portal, kind: ObjectType) -> ResponseReturnValue:
    body = json_object(("inputs", "properties", "propertiesWithHistory", "idProperty"), ("inputs",))
    histories = [str(each) for each in body.get("propertiesWithHistory") or []]
    inputs = batch_inputs(body, ("id",), ("id",), most=MOST_WITH_HISTORY if histories else LARGEST_BATCH)
    wanted = dict.fromkeys(str(row["id"]) for row in inputs)
    records = {each: _find(portal, kind, body.get("idProperty"), each) for each in wanted}
    found = {record.id: record for record in records.values() if record}
    missing = [each for each, record in records.items() if record is None]
    results = [shown(portal, kind, record, body.get("properties") or []) for record in found.values()]
    if histories:
        for row, record in zip(results, found.values(), strict=True):
            row["propertiesWithHistory"] = record.history_json(histories)
    return answer(world, results, _missing(kind, missing))


def _find(portal: Portal, kind: ObjectType, id_property: str | None, value: str) -> Record | None:
    if id_property in {None, "hs_object_id"}:
        return portal.find(kind, value)
    try:
        return record_by(portal, kind, str(id_property), value)
    except RefusalError as refusal:
        if refusal.status == 404:
            return None
        raise


def _missing(kind: ObjectType, ids: list[str]) -> list[Row]:
    """The one error entry that names every id that was not found."""
    if not ids:
        return []
    text = f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist."
    return [{"status": "error", "category": "OBJECT_NOT_FOUND", "message": text, "context": {"ids": ids}}]


def _create(world: HubSpotWorld, portal: Portal, kind: ObjectType) -> ResponseReturnValue:
    rows = batch_inputs(json_object(("inputs",)), ("properties", "associations", "objectWriteTraceId"), ("properties",))

    def draft(row: Row) -> Draft:
        return draft_create(portal, kind, properties_of(row), row.get("associations") or [])

    drafts, errors = _drafts(rows, draft)
    results: list[Row] = []
    changes: list[Change] = []
    for row, each in drafts:
        record, made = world.writer.write_new(portal, each, API)
        changes += made
        results.append(_traced(row, record))
    world.tell(changes)
    return answer(world, results, errors, 201)


def _update(world: HubSpotWorld, portal: Portal, kind: ObjectType) -> ResponseReturnValue:
    rows = batch_inputs(
        json_object(("inputs",)), ("id", "idProperty", "properties", "objectWriteTraceId"), ("id", "properties")
    )
    _refuse_repeated(str(row["id"]) for row in rows)
    there = [(row, record) for row in rows if (record := portal.find(kind, str(row["id"])))]
    records = {id(row): record for row, record in there}
    missing = [str(row["id"]) for row in rows if id(row) not in records]

    def draft(row: Row) -> Draft:
        return draft_update(portal, kind, records[id(row)].id, properties_of(row))

    drafts, errors = _drafts([row for row, _ in there], draft)
    results: list[Row] = []
    changes: list[Change] = []
    for row, each in drafts:
        changes += world.writer.write_over(portal, records[id(row)], each, API)
        results.append(_traced(row, records[id(row)]))
    world.tell(changes)
    return answer(world, results, _missing(kind, missing) + errors)


def _drafts(rows: list[Row], draft: Any) -> tuple[list[tuple[Row, Draft]], list[Row]]:
    """Every row checked before any is written: the good ones, and the errors of the others."""
    is_partial = all(row.get("objectWriteTraceId") for row in rows)
    good: list[tuple[Row, Draft]] = []
    errors: list[Row] = []
    for row in rows:
        try:
            good.append((row, draft(row)))
        except RefusalError as refusal:
            if not is_partial:
                raise
            errors.append(refusal.row({"objectWriteTraceId": [str(row["objectWriteTraceId"])]}))
    return good, errors


def _traced(row: Row, record: Record) -> Row:
    trace_id = row.get("objectWriteTraceId")
    return record.as_json() | ({"objectWriteTraceId": trace_id} if trace_id else {})


def _refuse_repeated(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    repeated = [each for each in ids if each in seen or seen.add(each)]  # type: ignore[func-returns-value] # add is None
    if repeated:
        raise invalid(f"Duplicate IDs found in batch input: {repeated}. IDs must be unique")
