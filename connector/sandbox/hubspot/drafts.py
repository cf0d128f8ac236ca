"""Is this write allowed, and what exactly would it write?

Everything a write asks for is checked before anything is written, so that a batch can be refused whole.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.hubspot.association_types import AssociationType
from connector.sandbox.hubspot.object_types import ObjectType, object_type
from connector.sandbox.hubspot.portal import ORDER_PIPELINE, Portal
from connector.sandbox.hubspot.property_definitions import DYNAMIC, REQUIRED
from connector.sandbox.hubspot.refusals import RefusalError, invalid, invalid_properties, not_found
from connector.sandbox.hubspot.values import ValueRefusedError, kept_value

# An association as the API writes it, {"to": {"id"}, "types": [{"associationCategory", "associationTypeId"}]},
# or as the page and the tests write it, (object type, id) for the default association.
Association = Mapping[str, Any] | tuple[str, str]


@dataclass(frozen=True)
class Draft:
    """A checked write: kept property values (empty text clears) and checked associations."""

    kind: ObjectType
    values: dict[str, str]
    links: list[tuple[AssociationType, str]] = field(default_factory=list)


def draft_create(
    portal: Portal, kind: ObjectType, properties: Mapping[str, Any], associations: Iterable[Association] = ()
) -> Draft:
    """Check a creation; RefusalError when HubSpot would refuse it."""
    values = _with_defaults(kind, checked_values(portal, kind, properties))
    missing = [name for name in REQUIRED.get(kind.name, ()) if not values.get(name)]
    if missing:
        raise invalid(
            f"Error creating {kind.singular.upper()}. Some required properties were not set.",
            context={"properties": missing},
        )
    _check_email_is_free(portal, kind, values, None)
    links = [link for association in associations for link in checked_links(portal, kind, association)]
    return Draft(kind, values, links)


def draft_update(portal: Portal, kind: ObjectType, object_id: str, properties: Mapping[str, Any]) -> Draft:
    """Check an update of an existing record."""
    record = portal.record(kind, object_id)
    values = checked_values(portal, kind, properties, record.properties)
    _check_email_is_free(portal, kind, values, record.id)
    return Draft(kind, values)


def checked_values(
    portal: Portal, kind: ObjectType, properties: Mapping[str, Any], current: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Values as they are kept; all problems of all properties in one refusal."""
    known, kept, problems = portal.properties[kind.name], {}, []
    wanted = {**(current or {}), **{name: str(value) for name, value in properties.items()}}
    for name, raw in properties.items():
        definition = known.get(name)
        if definition is None:
            problems.append((name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
        elif definition.read_only:
            problems.append((name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'))
        else:
            try:
                kept[name] = kept_value(definition, raw, _choices(portal, kind, name, wanted))
            except ValueRefusedError as refused:
                problems.append((name, refused.code, str(refused)))
    if problems:
        raise invalid_properties(portal.id, problems)
    return kept


def _choices(portal: Portal, kind: ObjectType, name: str, wanted: Mapping[str, str]) -> Collection[str] | None:
    """The values a property may take where they depend on the portal; None where they do not."""
    if name not in DYNAMIC:
        return None
    if name == "hubspot_owner_id":
        return portal.owners
    if name == "hs_queue_membership_ids":
        return portal.task_queues
    pipelines = portal.pipelines.get(kind.name, {})
    if name in {"pipeline", "hs_pipeline"}:
        return pipelines
    chosen = wanted.get("pipeline") or wanted.get("hs_pipeline") or next(iter(pipelines))
    return {stage.id for stage in pipelines[chosen].stages} if chosen in pipelines else ()


def _with_defaults(kind: ObjectType, values: dict[str, str]) -> dict[str, str]:
    if kind.name == "deals":
        return {"pipeline": "default", **values}
    if kind.name == "tickets":
        return {"hs_pipeline": "0", "hs_pipeline_stage": "1", **values}
    if kind.name == "orders":
        return {"hs_pipeline": ORDER_PIPELINE.id, "hs_pipeline_stage": ORDER_PIPELINE.stages[0].id, **values}
    return values


def _check_email_is_free(portal: Portal, kind: ObjectType, values: Mapping[str, str], own_id: str | None) -> None:
    holder = portal.emails.get(values.get("email", "").lower()) if kind.name == "contacts" else None
    if holder is not None and holder != own_id:
        raise RefusalError(409, "CONFLICT", f"Contact already exists. Existing ID: {holder}")


def checked_links(portal: Portal, kind: ObjectType, association: Association) -> list[tuple[AssociationType, str]]:
    """The association types an association asks for, with the id at the other end."""
    if isinstance(association, tuple):
        to_kind = object_type(association[0])
        return [(default_association(portal, kind, to_kind), _existing(portal, to_kind, association[1]))]
    try:
        to_id, specs = str(association["to"]["id"]), list(association["types"])
        wanted = [(str(s["associationCategory"]), int(s["associationTypeId"])) for s in specs]
    except (KeyError, TypeError, ValueError):
        raise invalid('Invalid input JSON: an association needs "to": {"id"} and "types"') from None
    if not wanted:
        raise invalid("An association needs at least one type")
    return [_checked_link(portal, kind, spec, to_id) for spec in wanted]


def _checked_link(portal: Portal, kind: ObjectType, spec: tuple[str, int], to_id: str) -> tuple[AssociationType, str]:
    found = portal.association_type(*spec, kind.name)
    if found is None:
        raise invalid(
            f"No association type {spec[0]} {spec[1]} from {kind.name} exists in portal {portal.id}",
            context={"associationTypeId": [str(spec[1])]},
            sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
        )
    return found, _existing(portal, object_type(found.to_type), to_id)


def default_association(portal: Portal, kind: ObjectType, to_kind: ObjectType) -> AssociationType:
    """The unlabelled type between two object types; 400 when HubSpot has none (communications, invoices)."""
    found = portal.default_type(kind.name, to_kind.name)
    if found is None:
        raise invalid(
            f"No association type exists from {kind.name} to {to_kind.name}",
            sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
        )
    return found


def _existing(portal: Portal, kind: ObjectType, object_id: str) -> str:
    found = portal.find(kind, object_id) if re.fullmatch(r"\d+", object_id) else None
    if found is None:
        raise not_found(
            f"Association failed: {kind.singular} {object_id} does not exist",
            context={"toObjectId": [object_id]},
        )
    return found.id
