"""May this row be written, and with which values?

Every check of a row happens here, before anything is written; what is wrong is said as the vendor says it.
"""

from collections.abc import Mapping
from typing import Any

from connector.sandbox.salesforce.fields import Field, ObjectDefinition
from connector.sandbox.salesforce.ids import normal_id
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import RefusalError, bad_request, is_deleted
from connector.sandbox.salesforce.values import kept_value

Values = dict[str, Any]


def checked_create(org: Org, definition: ObjectDefinition, raw: Mapping[str, Any], user_id: str) -> Values:
    """The values of a new row, defaults and owner among them."""
    if not definition.is_createable:
        raise RefusalError(403, "INSUFFICIENT_ACCESS_OR_READONLY", f"entity {definition.name} is not createable")
    values = _defaults(definition) | _read(org, definition, raw, is_new=True)
    if "OwnerId" in values and not values["OwnerId"]:
        values["OwnerId"] = user_id
    missing = [each.name for each in definition.fields.values() if each.is_required and values.get(each.name) is None]
    if missing:
        raise bad_request("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)
    _check_whole(org, definition, values, values, None)
    return values


def checked_update(org: Org, definition: ObjectDefinition, record: Record, raw: Mapping[str, Any]) -> Values:
    """The values a row gets, without those it keeps."""
    if not definition.is_updateable:
        raise RefusalError(403, "INSUFFICIENT_ACCESS_OR_READONLY", f"entity {definition.name} is not updateable")
    if record.values.get("IsConverted"):
        raise bad_request("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    values = _read(org, definition, raw, is_new=False)
    emptied = [name for name, value in values.items() if value is None and _required(definition, name)]
    if emptied:
        raise bad_request("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(emptied)}]", emptied)
    _check_whole(org, definition, values, {**record.values, **values}, record)
    return values


def _required(definition: ObjectDefinition, name: str) -> bool:
    field = definition.field(name)
    return field is not None and field.is_required


def _defaults(definition: ObjectDefinition) -> Values:
    """A value for every field of the object."""
    return {each.name: each.default for each in definition.fields.values()}


def _read(org: Org, definition: ObjectDefinition, raw: Mapping[str, Any], *, is_new: bool) -> Values:
    given = {name: value for name, value in raw.items() if name != "attributes"}
    if any(name.lower() == "id" for name in given):
        raise bad_request("INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"])
    known = {name: known_field(definition, name) for name in given}
    closed = [f.name for f in known.values() if not (f.is_createable if is_new else f.is_updateable)]
    if closed:
        raise bad_request(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(closed)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set.",
            closed,
        )
    return {f.name: kept_value(f, given[name], org.options(f)) for name, f in known.items()}


def known_field(definition: ObjectDefinition, name: str) -> Field:
    """The field a write names; 400 for one the object does not have."""
    field = definition.field(name)
    if field is None:
        raise bad_request("INVALID_FIELD", f"No such column '{name}' on sobject of type {definition.name}")
    return field


def _check_whole(org: Org, definition: ObjectDefinition, written: Values, whole: Values, record: Record | None) -> None:
    """What can only be said of the row as it will be."""
    for name, value in written.items():
        field = definition.field(name)
        if field is not None and value is not None:
            _check_value(org, definition, field, value, record)
    if definition.name == "Task" and whole.get("WhatId") and str(whole.get("WhoId") or "").startswith("00Q"):
        raise bad_request(
            "FIELD_INTEGRITY_EXCEPTION", "WhatId: a task of a lead cannot be related to anything else", ["WhatId"]
        )
    for rule in org.rules:
        if rule.refuses(definition.name, whole):
            raise bad_request("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, [rule.field])


def _check_value(org: Org, definition: ObjectDefinition, field: Field, value: Any, record: Record | None) -> None:
    if field.refers_to:
        _check_reference(org, field, value)
    if field.is_unique:
        others = [each for each in org.with_value(definition.name, field, value) if each is not record]
        if others:
            text = f"duplicate value found: {field.name} duplicates value on record with id: {others[0].id}"
            raise bad_request("DUPLICATE_VALUE", text)


def _check_reference(org: Org, field: Field, value: str) -> None:
    target = org.find(normal_id(value))
    prefixes = {org.objects[name].prefix for name in field.refers_to if name in org.objects}
    if value[:3] not in prefixes:
        raise bad_request("MALFORMED_ID", f"{field.name}: id value of incorrect type: {value}", [field.name])
    if target is None:
        raise bad_request("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
    if target.is_deleted:
        raise RefusalError(400, "ENTITY_IS_DELETED", is_deleted().message, [field.name])
    if target.values.get("IsConverted"):
        raise bad_request("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [field.name])
    if target.object_name == "User" and field.name == "OwnerId" and not target.values["IsActive"]:
        text = f"operation performed with inactive user [{target.id}] as owner"
        raise bad_request("INACTIVE_OWNER_OR_USER", text, [field.name])
