"""How are properties, property groups, pipelines and owners read and added over HTTP?"""

import re
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.batch_routes import answer
from connector.sandbox.hubspot.gate import Gate, batch_inputs, checked_object, json_object
from connector.sandbox.hubspot.object_routes import known_type, paging_of
from connector.sandbox.hubspot.object_types import ObjectType
from connector.sandbox.hubspot.portal import Owner, Pipeline, Portal
from connector.sandbox.hubspot.property_definitions import FIELD_TYPES, Option, PropertyDefinition
from connector.sandbox.hubspot.refusals import RefusalError, invalid, not_found
from connector.sandbox.hubspot.values import iso

Row = dict[str, Any]

_PROPERTY_KEYS = (
    "name", "label", "type", "fieldType", "groupName", "options", "description", "displayOrder", "hidden",
    "formField", "hasUniqueValue", "externalOptions", "referencedObjectType", "calculationFormula",
)  # fmt: skip
_PROPERTY_NEEDS = ("name", "label", "type", "fieldType", "groupName")
_OPTION_KEYS = ("label", "value", "displayOrder", "hidden", "description")
_GROUP_KEYS = ("name", "label", "displayOrder")
LARGEST_PAGE = 500


def schema_routes(gate: Gate, version: str) -> Blueprint:
    """`/crm/properties/{version}/{type}`, `/crm/pipelines/{version}/{type}` and `/crm/owners/{version}`."""
    routes = Blueprint("schema", __name__)
    views = _SchemaViews(gate)
    properties = f"/crm/properties/{version}/<name>"
    routes.get(properties)(views.list_properties)
    routes.post(properties)(views.create_property)
    routes.get(f"{properties}/<property_name>")(views.read_property)
    routes.delete(f"{properties}/<property_name>")(views.archive_property)
    routes.post(f"{properties}/batch/create")(views.create_properties)
    routes.get(f"{properties}/groups")(views.list_groups)
    routes.post(f"{properties}/groups")(views.create_group)
    routes.get(f"{properties}/groups/<group>")(views.read_group)
    routes.get(f"/crm/pipelines/{version}/<name>")(views.list_pipelines)
    routes.get(f"/crm/pipelines/{version}/<name>/<pipeline_id>")(views.read_pipeline)
    routes.get(f"/crm/pipelines/{version}/<name>/<pipeline_id>/stages")(views.list_stages)
    routes.get(f"/crm/owners/{version}")(views.list_owners)
    routes.get(f"/crm/owners/{version}/<owner_id>")(views.read_owner)
    return routes


class _SchemaViews:
    """One method per operation."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._world = gate.world

    def list_properties(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            return {"results": [_shown_property(portal, kind, each) for each in portal.properties[kind.name].values()]}

        return self._gate.call("properties.list", work, scope=kind.read_scope)

    def read_property(self, name: str, property_name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            return _shown_property(portal, kind, _property(portal, kind, property_name))

        return self._gate.call("properties.get", work, scope=kind.read_scope)

    def create_property(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            definition = _checked_property(portal, kind, json_object(_PROPERTY_KEYS, _PROPERTY_NEEDS))
            portal.properties[kind.name][definition.name] = definition
            return _shown_property(portal, kind, definition), 201

        return self._gate.call("properties.create", work, scope=_schema_scope(kind))

    def create_properties(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            rows = batch_inputs(json_object(("inputs",)), _PROPERTY_KEYS, _PROPERTY_NEEDS)
            definitions = [_checked_property(portal, kind, row) for row in rows]
            portal.properties[kind.name].update({each.name: each for each in definitions})
            shown = [_shown_property(portal, kind, each) for each in definitions]
            return answer(self._world, shown, [], 201)

        return self._gate.call("properties.batch_create", work, scope=_schema_scope(kind))

    def archive_property(self, name: str, property_name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            if _property(portal, kind, property_name).built_in:
                raise invalid(f"{property_name} is HubSpot's own and cannot be archived")
            del portal.properties[kind.name][property_name]
            return "", 204

        return self._gate.call("properties.archive", work, scope=_schema_scope(kind))

    def list_groups(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            return {"results": [_group(each, label) for each, label in portal.groups[kind.name].items()]}

        return self._gate.call("property_groups.list", work, scope=kind.read_scope)

    def read_group(self, name: str, group: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            if group not in portal.groups[kind.name]:
                raise not_found(f"Property group {group} does not exist")
            return _group(group, portal.groups[kind.name][group])

        return self._gate.call("property_groups.get", work, scope=kind.read_scope)

    def create_group(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            body = json_object(_GROUP_KEYS, ("name", "label"))
            if body["name"] in portal.groups[kind.name]:
                raise _exists(f"A property group named {body['name']} already exists")
            portal.groups[kind.name][_checked_name(body["name"])] = str(body["label"])
            return _group(body["name"], body["label"]), 201

        return self._gate.call("property_groups.create", work, scope=_schema_scope(kind))

    def list_pipelines(self, name: str) -> ResponseReturnValue:
        kind = known_type(name)

        def work(portal: Portal) -> ResponseReturnValue:
            pipelines = _pipelines(portal, kind).values()
            return {"results": [_shown_pipeline(portal, each, n) for n, each in enumerate(pipelines)]}

        return self._gate.call("pipelines.list", work, scope=kind.read_scope)

    def read_pipeline(self, name: str, pipeline_id: str) -> ResponseReturnValue:
        kind = known_type(name)
        return self._gate.call(
            "pipelines.get", lambda portal: _pipeline(portal, kind, pipeline_id), scope=kind.read_scope
        )

    def list_stages(self, name: str, pipeline_id: str) -> ResponseReturnValue:
        kind = known_type(name)
        return self._gate.call(
            "pipelines.stages",
            lambda portal: {"results": _pipeline(portal, kind, pipeline_id)["stages"]},
            scope=kind.read_scope,
        )

    def list_owners(self) -> ResponseReturnValue:
        def work(portal: Portal) -> ResponseReturnValue:
            limit, after = paging_of(100, LARGEST_PAGE)
            email = request.args.get("email")
            owners = [o for o in portal.owners.values() if int(o.id) > after and email in {None, o.email}]
            more = {"paging": {"next": {"after": owners[limit - 1].id}}} if len(owners) > limit else {}
            return {"results": [_shown_owner(portal, each) for each in owners[:limit]], **more}

        return self._gate.call("owners.list", work, scope="crm.objects.owners.read")

    def read_owner(self, owner_id: str) -> ResponseReturnValue:
        def work(portal: Portal) -> ResponseReturnValue:
            if owner_id not in portal.owners:
                raise not_found(f"Owner {owner_id} does not exist")
            return _shown_owner(portal, portal.owners[owner_id])

        return self._gate.call("owners.get", work, scope="crm.objects.owners.read")


def _schema_scope(kind: ObjectType) -> str:
    return f"crm.schemas.{kind.name}.write"


def _property(portal: Portal, kind: ObjectType, name: str) -> PropertyDefinition:
    definition = portal.properties[kind.name].get(name)
    if definition is None:
        raise not_found(f"Property {name} does not exist for {kind.name}")
    return definition


def _shown_property(portal: Portal, kind: ObjectType, definition: PropertyDefinition) -> Row:
    shown = definition.as_json(iso(portal.created_at))
    if definition.name in {"pipeline", "hs_pipeline"}:
        shown["options"] = _options((p.id, p.label) for p in _pipelines(portal, kind).values())
    if definition.name in {"dealstage", "hs_pipeline_stage"}:
        stages = [stage for p in _pipelines(portal, kind).values() for stage in p.stages]
        shown["options"] = _options((stage.id, stage.label) for stage in stages)
    return shown


def _options(pairs: Any) -> list[Row]:
    return [
        {"value": value, "label": label, "displayOrder": n, "hidden": False} for n, (value, label) in enumerate(pairs)
    ]


def _checked_property(portal: Portal, kind: ObjectType, body: Row) -> PropertyDefinition:
    name, value_type = _checked_name(body["name"]), str(body["type"])
    if name in portal.properties[kind.name]:
        raise _exists(f'A property named "{name}" already exists')
    if body["groupName"] not in portal.groups[kind.name]:
        raise invalid(f"Property group {body['groupName']} does not exist", sub_category="Properties.GROUP_NOT_FOUND")
    if body["fieldType"] not in FIELD_TYPES.get(value_type, ()):
        raise invalid(f"fieldType {body['fieldType']} does not fit type {value_type}")
    options = tuple(_option(each) for each in body.get("options") or [])
    if value_type == "bool" and sorted(each.value for each in options) != ["false", "true"]:
        raise invalid("A boolean property needs exactly two options, true and false")
    return PropertyDefinition(
        name,
        str(body["label"]),
        value_type,
        str(body["fieldType"]),
        str(body["groupName"]),
        options,
        str(body.get("description") or ""),
        is_unique=bool(body.get("hasUniqueValue")),
        built_in=False,
        form_field=bool(body.get("formField")),
    )


def _option(raw: Any) -> Option:
    fields = checked_object(raw, _OPTION_KEYS, ("label", "value"))
    return Option(str(fields["value"]), str(fields["label"]))


def _checked_name(name: Any) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", str(name)):
        raise invalid(f"{name} is no valid name: lower-case letters, digits and underscores, a letter first")
    return str(name)


def _exists(message: str) -> RefusalError:
    return RefusalError(409, "OBJECT_ALREADY_EXISTS", message)


def _group(name: str, label: str) -> Row:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}


def _pipelines(portal: Portal, kind: ObjectType) -> dict[str, Pipeline]:
    if kind.name not in portal.pipelines:
        raise invalid(f"{kind.name} have no pipelines")
    return portal.pipelines[kind.name]


def _pipeline(portal: Portal, kind: ObjectType, pipeline_id: str) -> Row:
    pipeline = _pipelines(portal, kind).get(pipeline_id)
    if pipeline is None:
        raise not_found(f"Pipeline {pipeline_id} does not exist")
    return _shown_pipeline(portal, pipeline, 0)


def _shown_pipeline(portal: Portal, pipeline: Pipeline, order: int) -> Row:
    times = {"createdAt": iso(portal.created_at), "updatedAt": iso(portal.created_at), "archived": False}
    stages = [
        {
            "id": stage.id,
            "label": stage.label,
            "displayOrder": n,
            "metadata": {"isClosed": str(stage.is_closed).lower()}
            | ({"probability": stage.probability} if stage.probability else {}),
            **times,
        }
        for n, stage in enumerate(pipeline.stages)
    ]
    return {"id": pipeline.id, "label": pipeline.label, "displayOrder": order, "stages": stages, **times}


def _shown_owner(portal: Portal, owner: Owner) -> Row:
    return {
        "id": owner.id,
        "email": owner.email,
        "type": "PERSON",
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "userId": owner.user_id,
        "userIdIncludingInactive": owner.user_id,
        "createdAt": iso(portal.created_at),
        "updatedAt": iso(portal.created_at),
        "archived": False,
        "teams": [],
    }
