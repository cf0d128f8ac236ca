"""Where does a path such as `Owner.Name` lead from a record?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.salesforce.fields import Field, ObjectDefinition
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import bad_request
from connector.sandbox.salesforce.shown import no_such_column
from connector.sandbox.salesforce.soql import Path

DEEPEST = 5  # relationships in one path

# What a reference to several objects (Who, What, an Owner that may be a queue) shows of them: the Name entity.
_NAME_FIELDS: Mapping[str, str] = {
    "id": "id",
    "name": "string",
    "type": "string",
    "firstname": "string",
    "lastname": "string",
    "email": "email",
    "phone": "phone",
    "title": "string",
    "username": "string",
    "alias": "string",
    "isactive": "boolean",
}
_SPELLED = {"firstname": "FirstName", "lastname": "LastName", "isactive": "IsActive"}


@dataclass(frozen=True)
class Step:
    """A checked path: the reference fields it follows and the field it ends in."""

    references: tuple[Field, ...]
    field: Field

    def record_of(self, org: Org, record: Record) -> Record | None:
        """The record the last field is read from; None when a reference on the way is empty."""
        here: Record | None = record
        for reference in self.references:
            here = org.find(here.values.get(reference.name)) if here else None
        return here

    def value(self, org: Org, record: Record) -> Any:
        """The value the path leads to, None when there is nothing on the way."""
        end = self.record_of(org, record)
        if end is None:
            return None
        if self.field.name == "Type" and self.references and len(self.references[-1].refers_to) > 1:
            return end.object_name
        return end.values.get(self.field.name)


def checked_path(org: Org, definition: ObjectDefinition, path: Path) -> Step:
    """The path of an object's record; INVALID_FIELD where it leads nowhere.

    A path may begin with the object's own name, as in `Contact.Email` from Contact.
    """
    if len(path) > 1 and path[0].lower() == definition.name.lower() and definition.relationship(path[0]) is None:
        path = path[1:]
    if len(path) - 1 > DEEPEST:
        raise bad_request("INVALID_FIELD", f"The path {'.'.join(path)} has more than {DEEPEST} relationships")
    references: list[Field] = []
    here: ObjectDefinition | None = definition
    for name in path[:-1]:
        reference = here.relationship(name) if here else None
        if reference is None:
            raise bad_request("INVALID_FIELD", _no_relationship(name))
        references.append(reference)
        here = org.find_definition(reference.refers_to[0]) if len(reference.refers_to) == 1 else None
    return Step(tuple(references), _last(here, path[-1]))


def _last(here: ObjectDefinition | None, name: str) -> Field:
    if here is not None:
        field = here.field(name)
        if field is None:
            raise bad_request("INVALID_FIELD", no_such_column(name, here.name))
        return field
    kind = _NAME_FIELDS.get(name.lower())
    if kind is None:
        raise bad_request("INVALID_FIELD", no_such_column(name, "Name"))
    return Field(_SPELLED.get(name.lower(), name.capitalize()), kind)


def _no_relationship(name: str) -> str:
    return (
        f"\nDidn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
        "be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe "
        "call for the appropriate names."
    )
