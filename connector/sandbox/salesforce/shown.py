"""How does a record look in the API's JSON?"""

from collections.abc import Iterable
from typing import Any

from connector.sandbox.salesforce.fields import ObjectDefinition
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import bad_request

VERSION = "68.0"
DATA = f"/services/data/v{VERSION}"


def attributes(record: Record) -> dict[str, str]:
    """The type and address that come with every record."""
    return {"type": record.object_name, "url": f"{DATA}/sobjects/{record.object_name}/{record.id}"}


def shown_record(org: Org, record: Record, names: Iterable[str] = ()) -> dict[str, Any]:
    """A record with the fields asked for, with all of its object's when none are."""
    definition = org.objects[record.object_name]
    wanted = asked_fields(definition, names) or [f.name for f in definition.fields.values()]
    return {"attributes": attributes(record), **{name: record.values.get(name) for name in wanted}}


def asked_fields(definition: ObjectDefinition, names: Iterable[str]) -> list[str]:
    """The fields by their own names; 400 for one that is not there."""
    wanted = []
    for name in names:
        field = definition.field(name)
        if field is None:
            raise bad_request("INVALID_FIELD", no_such_column(name, definition.name))
        wanted.append(field.name)
    return wanted


def no_such_column(name: str, entity: str) -> str:
    """What the vendor says of a field it does not know in a read."""
    return (
        f"\nNo such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to "
        "append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
        "appropriate names."
    )
