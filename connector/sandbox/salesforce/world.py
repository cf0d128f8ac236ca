"""What stands in the pretend Salesforce, and what changes when somebody works in it?"""

from collections.abc import Mapping
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.ids import normal_id
from connector.sandbox.salesforce.merges import Joiner
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.orgs import Orgs
from connector.sandbox.salesforce.refusals import no_such_resource

Row = dict[str, Any]
Rows = list[Row]


class SalesforceWorld(Orgs):
    """Several orgs in memory behind one lock; every method may be called from any thread.

    Methods that read or write records take the org's id (15 or 18 characters) and an object's API name, answer
    `{field: value}` as the API would, and raise RefusalError where the API would refuse. They work as a person does
    in Salesforce's screens: no token, no quota, as the user `by` (a user's id; the org's first user unless given).

    `calls` counts API calls by operation, `org_calls` by org and operation. `seed` makes tokens repeatable.
    `denies_approval` is a person who says no; `unknown_field_refuses_call` is told in collection_routes.py.
    `query_batch` is how many rows a page of a query holds at most (2,000 at Salesforce).
    """

    def __init__(self, clock: SandboxClock, *, seed: int | None = None, query_batch: int = 2000) -> None:
        super().__init__(clock, seed=seed, query_batch=query_batch)
        self._joiner = Joiner(self.writer, clock)

    def create(self, org_id: str, object_name: str, values: Mapping[str, Any], by: str | None = None) -> Row:
        """Create a record."""
        with self.held():
            org = self.org(org_id)
            record, changes = self.writer.create(org, org.definition(object_name), dict(values), by or org.user_id)
            self.tell(changes)
            return dict(record.values)

    def update(
        self, org_id: str, object_name: str, record_id: str, values: Mapping[str, Any], by: str | None = None
    ) -> Row:
        """Change fields of a record."""
        with self.held():
            org, record = self._at(org_id, object_name, record_id)
            definition = org.definition(object_name)
            self.tell(self.writer.update(org, definition, record, dict(values), by or org.user_id))
            return dict(record.values)

    def delete(self, org_id: str, object_name: str, record_id: str, by: str | None = None) -> None:
        """Put a record into the recycle bin with what hangs on it."""
        with self.held():
            org, record = self._at(org_id, object_name, record_id)
            org.refuse_locked(record.id)
            self.tell(self.writer.delete(org, record, by or org.user_id))

    def purge(self, org_id: str, object_name: str, record_id: str) -> None:
        """Delete a record and empty the recycle bin of it, as privacy law asks: queryAll does not find it."""
        with self.held():
            org, record = self._at(org_id, object_name, record_id)
            self.tell(self.writer.delete(org, record, org.user_id))
            del org.records[record.object_name][record.id]

    def merge(self, org_id: str, master_id: str, loser_id: str, by: str | None = None) -> Row:
        """Merge two contacts, leads or accounts: the loser is deleted with its MasterRecordId set."""
        with self.held():
            org = self.org(org_id)
            name = next((r.object_name for r in [org.find(master_id)] if r), "Contact")
            master, loser = org.record(name, master_id), org.record(name, loser_id)
            self.tell(self._joiner.merge(org, master, loser, by or org.user_id))
            return dict(master.values)

    def convert(self, org_id: str, lead_id: str, *, contact_id: str | None = None, deal_name: str | None = None) -> Row:
        """Convert a lead into an account, a contact (or one that is there) and, with `deal_name`, a deal."""
        with self.held():
            org, lead = self._at(org_id, "Lead", lead_id)
            self.tell(self._joiner.convert(org, lead, org.user_id, contact_id, deal_name))
            return dict(lead.values)

    def get(self, org_id: str, object_name: str, record_id: str) -> Row:
        """One record, one in the recycle bin too; 404 when there is none."""
        with self.held():
            found = self.org(org_id).find(record_id)
            if found is None or found.object_name != self.org(org_id).definition(object_name).name:
                raise no_such_resource()
            return dict(found.values)

    def list(self, org_id: str, object_name: str) -> Rows:
        """Every live record of an object, oldest first."""
        with self.held():
            org = self.org(org_id)
            return [dict(record.values) for record in org.rows(org.definition(object_name).name)]

    def timeline(self, org_id: str, who_id: str) -> Rows:
        """Tasks of a contact or lead, newest first."""
        with self.held():
            tasks = [task.values for task in self.org(org_id).rows("Task") if task.values["WhoId"] == normal_id(who_id)]
            return [dict(values) for values in reversed(tasks)]

    def _at(self, org_id: str, object_name: str, record_id: str) -> tuple[Org, Record]:
        org = self.org(org_id)
        return org, org.record(org.definition(object_name).name, record_id)
