"""How are single records read and written over HTTP?"""

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.salesforce.fields import Field, ObjectDefinition
from connector.sandbox.salesforce.gate import Caller, Gate, json_object
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import RefusalError, bad_request, no_such_resource
from connector.sandbox.salesforce.shown import DATA, shown_record

_FORMAT_SUFFIXES = (".json", ".xml", ".inc")  # the path's ending asks for a format, so such an id is not found


def record_routes(gate: Gate) -> Blueprint:
    """`sobjects/{Object}`, by id and by external id."""
    routes = Blueprint("records", __name__, url_prefix=f"{DATA}/sobjects")
    views = _RecordViews(gate)
    routes.post("/<name>")(views.create)
    routes.post("/<name>/")(views.create)
    routes.get("/<name>/<record_id>")(views.read)
    routes.patch("/<name>/<record_id>")(views.update)
    routes.delete("/<name>/<record_id>")(views.delete)
    routes.get("/<name>/<field_name>/<path:value>")(views.read_by)
    routes.patch("/<name>/<field_name>/<path:value>")(views.upsert)
    return routes


class _RecordViews:
    """One method per operation; the path names the object."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._world = gate.world

    def create(self, name: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            definition = caller.org.definition(name)
            return saved(create_row(self._gate, caller, definition, json_object()).id), 201

        return self._gate.call(f"sobjects.{name}.create", work)

    def read(self, name: str, record_id: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            record = caller.org.record(caller.org.definition(name).name, record_id)
            return shown_record(caller.org, record, _asked())

        return self._gate.call(f"sobjects.{name}.get", work)

    def update(self, name: str, record_id: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            definition = caller.org.definition(name)
            update_row(self._gate, caller, definition, record_id, json_object())
            return "", 204

        return self._gate.call(f"sobjects.{name}.update", work)

    def delete(self, name: str, record_id: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            delete_row(self._gate, caller, caller.org.definition(name), record_id)
            return "", 204

        return self._gate.call(f"sobjects.{name}.delete", work)

    def read_by(self, name: str, field_name: str, value: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            field = external_id(caller.org, caller.org.definition(name), field_name)
            found = _found(caller.org, caller.org.definition(name), field, value)
            if not found:
                raise no_such_resource()
            return _choices(found) if len(found) > 1 else shown_record(caller.org, found[0], _asked())

        return self._gate.call(f"sobjects.{name}.get_by_external_id", work)

    def upsert(self, name: str, field_name: str, value: str) -> ResponseReturnValue:
        """201 created, 200 updated, 300 when several records have the value; `updateOnly` never creates."""

        def work(caller: Caller) -> ResponseReturnValue:
            definition, body = caller.org.definition(name), json_object()
            field = external_id(caller.org, definition, field_name)
            if any(key.lower() == field.name.lower() for key in body):
                text = f"The {field.name} field should not be specified in the sobject data."
                raise bad_request("INVALID_FIELD", text, [field.name])
            found = _found(caller.org, definition, field, value)
            if len(found) > 1:
                return _choices(found)
            if not found and request.args.get("updateOnly") == "true":
                raise no_such_resource()
            record, is_new = upsert_row(self._gate, caller, definition, field, value, body)
            return {**saved(record.id), "created": is_new}, 201 if is_new else 200

        return self._gate.call(f"sobjects.{name}.upsert", work)


def create_row(gate: Gate, caller: Caller, definition: ObjectDefinition, body: dict[str, Any]) -> Record:
    """Create one row as the caller."""
    gate.meet_row_fault(definition.name, "create")
    record, changes = gate.world.writer.create(caller.org, definition, body, caller.user_id)
    gate.world.tell(changes)
    return record


def update_row(
    gate: Gate, caller: Caller, definition: ObjectDefinition, record_id: str, body: dict[str, Any]
) -> Record:
    """Write over one row as the caller."""
    gate.meet_row_fault(definition.name, "update")
    record = caller.org.record(definition.name, record_id)
    gate.world.tell(gate.world.writer.update(caller.org, definition, record, body, caller.user_id))
    return record


def delete_row(gate: Gate, caller: Caller, definition: ObjectDefinition, record_id: str) -> None:
    """Put one row into the recycle bin as the caller."""
    gate.meet_row_fault(definition.name, "delete")
    record = caller.org.record(definition.name, record_id)
    if not definition.is_deletable:
        raise RefusalError(403, "INSUFFICIENT_ACCESS_OR_READONLY", f"entity {definition.name} is not deletable")
    caller.org.refuse_locked(record.id)
    gate.world.tell(gate.world.writer.delete(caller.org, record, caller.user_id))


def upsert_row(
    gate: Gate, caller: Caller, definition: ObjectDefinition, field: Field, value: str, body: dict[str, Any]
) -> tuple[Record, bool]:
    """Create the row with this external id, or write over it; whether it is new."""
    gate.meet_row_fault(definition.name, "upsert")
    found = _found(caller.org, definition, field, value)
    if len(found) > 1:
        text = f"{field.name}: more than one record found for external id field: [{', '.join(r.id for r in found)}]"
        raise bad_request("DUPLICATE_EXTERNAL_ID", text)
    if found:
        gate.world.tell(gate.world.writer.update(caller.org, definition, found[0], body, caller.user_id))
        return found[0], False
    record, changes = gate.world.writer.create(caller.org, definition, {**body, field.name: value}, caller.user_id)
    gate.world.tell(changes)
    return record, True


def external_id(org: Org, definition: ObjectDefinition, name: str) -> Field:
    """The field when it may be upserted by; without Unique only those who see all data may."""
    field = definition.field(name)
    if field is None or not field.is_external_id:
        raise RefusalError(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + name)
    if not field.is_unique and not org.sees_all:
        raise RefusalError(403, "INSUFFICIENT_ACCESS", f"no view all data permission for external id {name}")
    return field


def saved(record_id: str) -> dict[str, Any]:
    """What a write that went well answers."""
    return {"id": record_id, "success": True, "errors": []}


def _found(org: Org, definition: ObjectDefinition, field: Field, value: str) -> list[Record]:
    if value.lower().endswith(_FORMAT_SUFFIXES):
        raise no_such_resource()
    return org.with_value(definition.name, field, value)


def _choices(found: list[Record]) -> ResponseReturnValue:
    return jsonify([f"{DATA}/sobjects/{each.object_name}/{each.id}" for each in found]), 300


def _asked() -> list[str]:
    return [each.strip() for each in request.args.get("fields", "").split(",") if each.strip()]
