"""How are single CRM records read, written, listed and searched over HTTP?"""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.drafts import draft_create, draft_update
from connector.sandbox.hubspot.gate import Gate, json_object
from connector.sandbox.hubspot.object_types import ObjectType, object_type
from connector.sandbox.hubspot.portal import Portal, Record
from connector.sandbox.hubspot.refusals import RefusalError, invalid, not_found
from connector.sandbox.hubspot.search import search

API = "INTEGRATION"  # changeSource of what an app writes
LARGEST_PAGE = 100
_MERGE_KEYS = ("primaryObjectId", "objectIdToMerge")


def object_routes(gate: Gate, version: str) -> Blueprint:
    """`/crm/objects/{version}/{type}` and below, without the batches."""
    routes = Blueprint("objects", __name__, url_prefix=f"/crm/objects/{version}")
    views = _ObjectViews(gate)
    routes.get("/<name>")(views.list)
    routes.post("/<name>")(views.create)
    routes.get("/<name>/<object_id>")(views.read)
    routes.patch("/<name>/<object_id>")(views.update)
    routes.delete("/<name>/<object_id>")(views.archive)
    routes.post("/<name>/search")(views.search)
    routes.post("/contacts/merge")(views.merge)
    routes.post("/contacts/gdpr-delete")(views.gdpr_delete)
    return routes


class _ObjectViews:
    """One method per operation; the path names the object type."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._world = gate.world

    def list(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)
        return self._gate.call(f"{kind.name}.list", lambda portal: _listing(portal, kind), scope=kind.read_scope)

    def create(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            body = json_object(("properties", "associations", "objectWriteTraceId"), ("properties",))
            draft = draft_create(portal, kind, properties_of(body), body.get("associations") or [])
            record, changes = self._world.writer.write_new(portal, draft, API)
            self._world.tell(changes)
            return record.as_json(), 201

        return self._gate.call(f"{kind.name}.create", work, scope=kind.write_scope)

    def read(self, name: str, object_id: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            record = _found(portal, kind, object_id)
            return shown(portal, kind, record, _asked("properties"), _asked("associations"))

        return self._gate.call(f"{kind.name}.get", work, scope=kind.read_scope)

    def update(self, name: str, object_id: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            record = _found(portal, kind, object_id)
            body = json_object(("properties", "objectWriteTraceId"), ("properties",))
            draft = draft_update(portal, kind, record.id, properties_of(body))
            self._world.tell(self._world.writer.write_over(portal, record, draft, API))
            return record.as_json()

        return self._gate.call(f"{kind.name}.update", work, scope=kind.write_scope)

    def archive(self, name: str, object_id: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            self._world.delete(portal.id, kind.name, object_id, API)
            return "", 204

        return self._gate.call(f"{kind.name}.archive", work, scope=kind.write_scope)

    def search(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            until = self._world.clock.now() - self._world.writer.search_lag
            return search(portal, kind, request.get_json(silent=True), until)

        return self._gate.call(f"{kind.name}.search", work, scope=kind.read_scope, is_search=True)

    def merge(self) -> ResponseReturnValue:
        def work(portal: Portal) -> ResponseReturnValue:
            body = json_object(_MERGE_KEYS, _MERGE_KEYS)
            return self._world.merge(portal.id, str(body["primaryObjectId"]), str(body["objectIdToMerge"]), API)

        return self._gate.call("contacts.merge", work, scope=object_type("contacts").write_scope)

    def gdpr_delete(self) -> ResponseReturnValue:
        def work(portal: Portal) -> ResponseReturnValue:
            self._world.forget(portal.id, str(json_object(("objectId",), ("objectId",))["objectId"]), API)
            return "", 204

        return self._gate.call("contacts.gdpr_delete", work, scope=object_type("contacts").write_scope)


def properties_of(body: dict[str, Any]) -> dict[str, Any]:
    """The `properties` of a write; 400 unless they are an object."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise invalid("Invalid input JSON: properties must be an object")
    return properties


def shown(
    portal: Portal, kind: ObjectType, record: Record, names: Iterable[str], associations: Iterable[str] = ()
) -> dict[str, Any]:
    """A record with the properties asked for (its defaults when none), and the associations asked for."""
    answer = record.as_json(dict.fromkeys([*kind.always_read, *(names or kind.default_properties)]))
    joined = {name: _joined(portal, kind, record, object_type(name)) for name in associations}
    if any(joined.values()):
        answer["associations"] = {name: {"results": ids} for name, ids in joined.items() if ids}
    return answer


def _joined(portal: Portal, kind: ObjectType, record: Record, to_kind: ObjectType) -> list[dict[str, str]]:
    name = f"{kind.singular}_to_{to_kind.singular}"
    return [{"id": to_id, "type": name} for to_id in portal.linked(kind.name, record.id, to_kind.name)]


def _listing(portal: Portal, kind: ObjectType) -> dict[str, Any]:
    limit, after = paging_of(10, LARGEST_PAGE)
    records = [each for each in portal.records[kind.name].values() if int(each.id) > after]
    page = records[:limit]
    names, associations = _asked("properties"), _asked("associations")
    answer: dict[str, Any] = {"results": [shown(portal, kind, each, names, associations) for each in page]}
    if len(records) > limit:
        answer["paging"] = {"next": {"after": page[-1].id, "link": f"{request.base_url}?after={page[-1].id}"}}
    return answer


def paging_of(default: int, most: int) -> tuple[int, int]:
    """`limit` and `after` of the query; 400 when they are not numbers within bounds."""
    try:
        limit, after = int(request.args.get("limit", default)), int(request.args.get("after", 0))
    except ValueError:
        raise invalid("limit and after must be numbers") from None
    if not 1 <= limit <= most:
        raise invalid(f"limit must be between 1 and {most}")
    return limit, after


def _asked(name: str) -> list[str]:
    """A list in the query: repeated, or with commas."""
    return [each for value in request.args.getlist(name) for each in value.split(",") if each]


def _found(portal: Portal, kind: ObjectType, object_id: str) -> Record:
    id_property = request.args.get("idProperty", "hs_object_id")
    if id_property == "hs_object_id":
        return portal.record(kind, object_id)
    return record_by(portal, kind, id_property, object_id)


def record_by(portal: Portal, kind: ObjectType, id_property: str, value: str) -> Record:
    """The record with this value of a unique property; 400 for another property, 404 without a record."""
    definition = portal.properties[kind.name].get(id_property)
    if definition is None or not definition.is_unique:
        raise invalid(f"{id_property} is not a unique identifier property of {kind.name}")
    for record in portal.records[kind.name].values():
        if record.properties.get(id_property, "").lower() == value.lower():
            return record
    raise not_found(f"Object not found. {id_property}: {value}", context={"id": [value]})


def known_type(name: str) -> ObjectType:
    """The object type a path names; an unknown one reads as a path that does not exist."""
    try:
        return object_type(name)
    except RefusalError:
        raise not_found(f"no object type {name} in this sandbox") from None
