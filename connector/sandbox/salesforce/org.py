"""What stands in one org: records, the objects they are of, its rules and its locks?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.sandbox.salesforce.fields import Field, ObjectDefinition
from connector.sandbox.salesforce.ids import normal_id
from connector.sandbox.salesforce.outbound_messages import OutboundMessage
from connector.sandbox.salesforce.refusals import bad_request, is_deleted, no_such_resource, row_is_locked
from connector.sandbox.salesforce.usage import Usage


@dataclass
class Record:
    """A record: its values by the names of its fields, as the API returns them."""

    object_name: str
    id: str
    values: dict[str, Any]
    deleted_at: datetime | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether it lies in the recycle bin."""
        return self.deleted_at is not None


@dataclass(frozen=True)
class ValidationRule:
    """An admin's rule: a row whose `field` matches the whole of `pattern` is refused with `message`."""

    object_name: str
    field: str
    pattern: str
    message: str

    def refuses(self, object_name: str, values: dict[str, Any]) -> bool:
        """Whether a row breaks the rule."""
        return object_name == self.object_name and bool(
            re.fullmatch(self.pattern, str(values.get(self.field) or ""), re.DOTALL)
        )


@dataclass
class Org:
    """One customer's Salesforce.

    `instance_host` is its My Domain host; without one its token answers name the address the request came to.
    `silent_users` are users whose profile does not send outbound messages. `sees_all` is the permission View All
    Data of the integration's user.
    """

    id: str
    user_id: str
    usage: Usage
    objects: dict[str, ObjectDefinition]
    instance_host: str | None = None
    namespace: str = ""
    is_active: bool = True
    is_multi_currency: bool = False
    sees_all: bool = False
    may_customize: bool = True
    currency: str = "USD"
    records: dict[str, dict[str, Record]] = field(default_factory=dict)
    rules: list[ValidationRule] = field(default_factory=list)
    locks: dict[str, int | None] = field(default_factory=dict)
    silent_users: set[str] = field(default_factory=set)
    outbound_messages: dict[str, OutboundMessage] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    uniques: dict[tuple[str, str], dict[Any, str]] = field(default_factory=dict)

    # --- objects -------------------------------------------------------------------------------------

    def definition(self, name: str) -> ObjectDefinition:
        """The object of that name, whatever its case; 404 when the org has none."""
        found = self.find_definition(name)
        if found is None:
            raise no_such_resource()
        return found

    def find_definition(self, name: str) -> ObjectDefinition | None:
        """The object of that name, whatever its case."""
        if name in self.objects:
            return self.objects[name]
        wanted = name.lower()
        return next((each for key, each in self.objects.items() if key.lower() == wanted), None)

    def options(self, definition_field: Field) -> tuple[str, ...]:
        """The values a picklist has here."""
        if definition_field.options_from is None:
            return definition_field.options
        return tuple(record.values["ApiName"] for record in self.rows(definition_field.options_from))

    # --- records -------------------------------------------------------------------------------------

    def rows(self, object_name: str, *, with_deleted: bool = False) -> Iterator[Record]:
        """Records of an object, oldest first."""
        for record in list(self.records.get(object_name, {}).values()):
            if with_deleted or not record.is_deleted:
                yield record

    def find(self, record_id: Any) -> Record | None:
        """The record with this id of 15 or 18 characters, deleted or not."""
        wanted = normal_id(record_id)
        if wanted is None:
            return None
        for records in self.records.values():
            if wanted in records:
                return records[wanted]
        return None

    def record(self, object_name: str, record_id: str) -> Record:
        """The record of an object; 404 when it is not there, another 404 when it is in the recycle bin."""
        found = self.find(record_id)
        if found is None or found.object_name != object_name:
            raise no_such_resource()
        if found.is_deleted:
            raise is_deleted()
        return found

    def with_value(self, object_name: str, field_of: Field, value: Any) -> list[Record]:
        """Live records whose field has this value; text is compared as the field does."""
        wanted = _folded(field_of, value)
        rows = self._by_unique(object_name, field_of, wanted) if field_of.is_unique else self.rows(object_name)
        return [each for each in rows if _folded(field_of, each.values.get(field_of.name)) == wanted]

    def note_unique(self, record: Record) -> None:
        """Remember where the unique values of a record are found, as often as it is written."""
        for (object_name, name), known in self.uniques.items():
            field_of = self.objects[object_name].field(name)
            if object_name == record.object_name and field_of is not None:
                known[_folded(field_of, record.values.get(name))] = record.id

    def _by_unique(self, object_name: str, field_of: Field, wanted: Any) -> list[Record]:
        """The one live record that may have a unique value; looked at again by the caller, as it may have lost it."""
        key = (object_name, field_of.name)
        if key not in self.uniques:
            self.uniques[key] = {_folded(field_of, r.values.get(field_of.name)): r.id for r in self.rows(object_name)}
        record = self.records.get(object_name, {}).get(self.uniques[key].get(wanted, ""))
        return [record] if record is not None and not record.is_deleted else []

    def next_number(self, definition: ObjectDefinition) -> str:
        """The next auto number of an object."""
        self.numbers[definition.name] = self.numbers.get(definition.name, 0) + 1
        return definition.number_format.format(self.numbers[definition.name])

    def user(self, user_id: str) -> Record:
        """A user; 400 as for any reference to a record that is not there."""
        found = self.records["User"].get(user_id)
        if found is None:
            raise bad_request("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        return found

    # --- locks ---------------------------------------------------------------------------------------

    def refuse_locked(self, *record_ids: Any) -> None:
        """400 UNABLE_TO_LOCK_ROW when somebody holds one of these records; counted locks wear off."""
        for record_id in record_ids:
            if record_id not in self.locks:
                continue
            left = self.locks[record_id]
            if left == 1:
                del self.locks[record_id]
            elif left is not None:
                self.locks[record_id] = left - 1
            raise row_is_locked(str(record_id))


def _folded(field_of: Field, value: Any) -> Any:
    return value.lower() if isinstance(value, str) and not field_of.is_case_sensitive else value
