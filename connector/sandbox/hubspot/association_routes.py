"""How are associations read and written over HTTP?

Shapes: developers.hubspot.com/docs/api-reference/latest/crm/associations.
"""

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.batch_routes import answer
from connector.sandbox.hubspot.drafts import checked_links, default_association
from connector.sandbox.hubspot.gate import Gate, batch_inputs, checked_object, json_object
from connector.sandbox.hubspot.object_routes import known_type, paging_of
from connector.sandbox.hubspot.object_types import ObjectType
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.refusals import invalid

LARGEST_PAGE, LARGEST_READ = 500, 1000
_ROW_KEYS = ("from", "to", "types")

Row = dict[str, Any]


def association_routes(gate: Gate, version: str) -> Blueprint:
    """`/crm/objects/{version}/{from}/{id}/associations/...` and `/crm/associations/{version}/...`."""
    routes = Blueprint("associations", __name__)
    views = _AssociationViews(gate)
    record = f"/crm/objects/{version}/<start>/<start_id>/associations"
    pair = f"/crm/associations/{version}/<start>/<end>"
    routes.get(f"{record}/<end>")(views.list)
    routes.put(f"{record}/default/<end>/<end_id>")(views.put_default)
    routes.put(f"{record}/<end>/<end_id>")(views.put_labels)
    routes.delete(f"{record}/<end>/<end_id>")(views.delete)
    routes.get(f"{pair}/labels")(views.labels)
    routes.post(f"{pair}/batch/read")(views.batch_read)
    routes.post(f"{pair}/batch/create")(views.batch_create)
    return routes


class _AssociationViews:
    """One method per operation; the path names the two object types."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._world = gate.world

    def list(self, start: str, start_id: str, end: str) -> ResponseReturnValue:
        kind, to_kind = known_type(start), known_type(end)

        def work(portal: Portal) -> ResponseReturnValue:
            limit, after = paging_of(LARGEST_PAGE, LARGEST_PAGE)
            record = portal.record(kind, start_id)
            ends = _ends(portal, kind, record.id, to_kind)
            following = after + limit
            more = {"paging": {"next": {"after": str(following)}}} if following < len(ends) else {}
            return {"results": ends[after:following], **more}

        return self._gate.call("associations.list", work, scope=kind.read_scope)

    def put_default(self, start: str, start_id: str, end: str, end_id: str) -> ResponseReturnValue:
        kind, to_kind = known_type(start), known_type(end)

        def work(portal: Portal) -> ResponseReturnValue:
            self._world.associate(portal.id, kind.name, start_id, (to_kind.name, end_id))
            used = default_association(portal, kind, to_kind)
            spec = {"associationCategory": used.category, "associationTypeId": used.type_id}
            row = {"associationSpec": spec, "from": {"id": start_id}, "to": {"id": end_id}}
            return answer(self._world, [row], [])

        return self._gate.call("associations.create", work, scope=kind.write_scope)

    def put_labels(self, start: str, start_id: str, end: str, end_id: str) -> ResponseReturnValue:
        kind, to_kind = known_type(start), known_type(end)

        def work(portal: Portal) -> ResponseReturnValue:
            wanted = {"to": {"id": end_id}, "types": request.get_json(silent=True)}
            return self._joined(portal, kind, start_id, to_kind, wanted), 201

        return self._gate.call("associations.create", work, scope=kind.write_scope)

    def delete(self, start: str, start_id: str, end: str, end_id: str) -> ResponseReturnValue:
        kind, to_kind = known_type(start), known_type(end)

        def work(portal: Portal) -> ResponseReturnValue:
            self._world.disassociate(portal.id, kind.name, start_id, to_kind.name, end_id)
            return "", 204

        return self._gate.call("associations.archive", work, scope=kind.write_scope)

    def labels(self, start: str, end: str) -> ResponseReturnValue:
        kind, to_kind = known_type(start), known_type(end)

        def work(portal: Portal) -> ResponseReturnValue:
            pair = (kind.name, to_kind.name)
            return {"results": [t.as_json() for t in portal.association_types if (t.from_type, t.to_type) == pair]}

        return self._gate.call("associations.labels", work, scope=kind.read_scope)

    def batch_read(self, start: str, end: str) -> ResponseReturnValue:
        kind, to_kind = known_type(start), known_type(end)

        def work(portal: Portal) -> ResponseReturnValue:
            rows = batch_inputs(json_object(("inputs",)), ("id", "after"), ("id",), LARGEST_READ)
            ends = {str(row["id"]): _ends(portal, kind, str(row["id"]), to_kind) for row in rows}
            results = [{"from": {"id": each}, "to": found} for each, found in ends.items() if found]
            lonely = [_lonely(kind, each, to_kind) for each, found in ends.items() if not found]
            return answer(self._world, results, lonely)

        return self._gate.call("associations.batch_read", work, scope=kind.read_scope)

    def batch_create(self, start: str, end: str) -> ResponseReturnValue:
        kind, to_kind = known_type(start), known_type(end)

        def work(portal: Portal) -> ResponseReturnValue:
            rows = batch_inputs(json_object(("inputs",)), _ROW_KEYS, _ROW_KEYS)
            for row in rows:
                checked_links(portal, kind, row | {"to": checked_object(row["to"], ("id",), ("id",))})
                portal.record(kind, str(checked_object(row["from"], ("id",), ("id",))["id"]))
            made = [self._joined(portal, kind, str(row["from"]["id"]), to_kind, row) for row in rows]
            return answer(self._world, made, [], 201)

        return self._gate.call("associations.batch_create", work, scope=kind.write_scope)

    def _joined(self, portal: Portal, kind: ObjectType, start_id: str, to_kind: ObjectType, wanted: Row) -> Row:
        links = checked_links(portal, kind, wanted)
        if any(link.to_type != to_kind.name for link, _ in links):
            raise invalid(f"The association types do not lead from {kind.name} to {to_kind.name}")
        self._world.associate(portal.id, kind.name, start_id, wanted)
        return {
            "fromObjectTypeId": kind.type_id,
            "fromObjectId": start_id,
            "toObjectTypeId": to_kind.type_id,
            "toObjectId": str(wanted["to"]["id"]),
            "labels": [link.label for link, _ in links if link.label],
        }


def _ends(portal: Portal, kind: ObjectType, start_id: str, to_kind: ObjectType) -> list[Row]:
    return [
        {
            "toObjectId": int(to_id),
            "associationTypes": [t.as_json() for t in sorted(types, key=lambda t: (t.category, t.type_id))],
        }
        for to_id, types in portal.linked(kind.name, start_id, to_kind.name).items()
    ]


def _lonely(kind: ObjectType, start_id: str, to_kind: ObjectType) -> Row:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {to_kind.singular} is associated with {kind.singular} {start_id}.",
        "context": {"fromObjectId": [start_id]},
    }
