"""How does a checked write change an org's records, and which changes does it make known?

Everything here runs with the world's lock held.
"""

from collections.abc import Iterable
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.changes import Change
from connector.sandbox.salesforce.checks import checked_create, checked_update
from connector.sandbox.salesforce.derived import derived_values
from connector.sandbox.salesforce.fields import ObjectDefinition
from connector.sandbox.salesforce.ids import IdMaker
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.values import stamp

_BOOKKEEPING = frozenset({"LastModifiedDate", "LastModifiedById", "SystemModstamp"})


class Writer:
    """Writes into orgs."""

    def __init__(self, clock: SandboxClock, ids: IdMaker) -> None:
        self.ids = ids
        self._clock = clock

    def create(
        self, org: Org, definition: ObjectDefinition, raw: dict[str, Any], user_id: str
    ) -> tuple[Record, list[Change]]:
        """Check and write a new row."""
        values = checked_create(org, definition, raw, user_id)
        org.refuse_locked(*_references(definition, values))
        return self.write_new(org, definition, values, user_id)

    def update(
        self, org: Org, definition: ObjectDefinition, record: Record, raw: dict[str, Any], user_id: str
    ) -> list[Change]:
        """Check and write over a row."""
        values = checked_update(org, definition, record, raw)
        org.refuse_locked(record.id, *_references(definition, {**record.values, **values}))
        return self.write_over(org, record, values, user_id)

    def write_new(
        self, org: Org, definition: ObjectDefinition, values: dict[str, Any], user_id: str
    ) -> tuple[Record, list[Change]]:
        """Write values that were checked, or that Salesforce itself comes up with."""
        now = self._clock.now()
        record_id = self.ids.next(definition.prefix)
        whole = {name: values.get(name) for name in (f.name for f in definition.fields.values())}
        whole |= {"Id": record_id, "IsDeleted": False, "CreatedDate": stamp(now), "CreatedById": user_id}
        whole |= {"LastModifiedDate": stamp(now), "LastModifiedById": user_id, "SystemModstamp": stamp(now)}
        if definition.number_format:
            whole["CaseNumber" if definition.name == "Case" else "Name"] = org.next_number(definition)
        whole |= derived_values(org, definition.name, {}, whole, now)
        record = Record(definition.name, record_id, whole)
        org.records.setdefault(definition.name, {})[record_id] = record
        org.note_unique(record)
        changes = [self._change(org, record, "created", user_id, whole)]
        if definition.name == "Opportunity" and whole.get("ContactId"):
            changes += self._primary_role(org, record, user_id)
        return record, changes

    def write_over(self, org: Org, record: Record, values: dict[str, Any], user_id: str) -> list[Change]:
        """Write values over a row; one change, even when every value stays what it was."""
        now, before = self._clock.now(), dict(record.values)
        after = {**before, **values}
        after |= derived_values(org, record.object_name, before, after, now)
        changed = {name for name, value in after.items() if value != before.get(name)}
        after |= {"LastModifiedDate": stamp(now), "LastModifiedById": user_id, "SystemModstamp": stamp(now)}
        record.values = after
        org.note_unique(record)
        return [self._change(org, record, "updated", user_id, changed - _BOOKKEEPING)]

    def delete(self, org: Org, record: Record, user_id: str) -> list[Change]:
        """Put a row into the recycle bin with what hangs on it, and empty the lookups that led to it."""
        now = self._clock.now()
        record.deleted_at = now
        record.values |= {"IsDeleted": True, "LastModifiedDate": stamp(now), "SystemModstamp": stamp(now)}
        changes = [self._change(org, record, "deleted", user_id)]
        for other, name in list(references_to(org, record.id)):
            if other.object_name == "OpportunityContactRole" or (other.object_name == "Task" and _hangs(other, name)):
                changes += self.delete(org, other, user_id)
            else:
                changes += self.write_over(org, other, {name: None}, user_id)
        return changes

    def _primary_role(self, org: Org, opportunity: Record, user_id: str) -> list[Change]:
        """The contact role that a ContactId given at creation makes."""
        values = {"OpportunityId": opportunity.id, "ContactId": opportunity.values["ContactId"], "IsPrimary": True}
        return self.write_new(org, org.objects["OpportunityContactRole"], values, user_id)[1]

    def _change(self, org: Org, record: Record, kind: str, user_id: str, fields: Iterable[str] = ()) -> Change:
        return Change(org.id, record.object_name, record.id, kind, self._clock.now(), user_id, frozenset(fields))


def references_to(org: Org, record_id: str) -> Iterable[tuple[Record, str]]:
    """Live records that refer to another, and by which field."""
    for name, records in org.records.items():
        definition = org.objects.get(name)
        if definition is None:
            continue
        names = [f.name for f in definition.fields.values() if f.refers_to and f.name != "MasterRecordId"]
        for record in records.values():
            if not record.is_deleted:
                yield from ((record, each) for each in names if record.values.get(each) == record_id)


def _references(definition: ObjectDefinition, values: dict[str, Any]) -> list[Any]:
    return [values.get(f.name) for f in definition.fields.values() if f.refers_to and values.get(f.name)]


def _hangs(task: Record, name: str) -> bool:
    """A task goes with the only record it is about."""
    return name in {"WhoId", "WhatId"} and not (task.values.get("WhoId") and task.values.get("WhatId"))
