"""What do the organisation's records say, and which contacts belong to them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.adapters.crm.salesforce.calls import OrgCalls, Record
from connector.adapters.crm.salesforce.fields import OrgFields, has
from connector.adapters.crm.salesforce.ids import CONTACT, LEAD, full_id, is_id, person_of, short
from connector.adapters.crm.salesforce.names import OrgNames
from connector.adapters.crm.salesforce.soql import PAGE, batched, compares, condition, is_in, select
from connector.errors import CRMRefusedError
from connector.ports.crm import CRMAccount, Link, SearchFilter

Properties = Mapping[str, str | None]
Found = list[tuple[str, Properties]]

_ROLES = "OpportunityContactRole"
_PEOPLE = {"contact": (CONTACT, LEAD), "lead": (LEAD,)}
_ACCOUNTS = ("AccountId", "Account__c")
_LOOKUPS = ("ContactId", "WhoId", "BillToContactId", "Contact__c")


@dataclass(frozen=True, slots=True)
class OrgRecords:
    """Reads records by query. Object types are ours (`deal`), property names Salesforce's (`StageName`)."""

    calls: OrgCalls
    fields: OrgFields

    def read(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], properties: Sequence[str]
    ) -> dict[str, Properties]:
        """Read many records; ids that do not exist are absent, what the organisation has no field for is None."""
        found: dict[str, Properties] = {}
        for api_name, some in self._by_object(account, object_type, ids).items():
            wanted = self.wanted(account, api_name, properties)
            records = self.read_object(account, api_name, some, list(wanted.values()))
            found |= {each: asked(records[short(each)], properties, wanted) for each in some if short(each) in records}
        return {each: found[each] for each in ids if each in found}

    def read_object(
        self,
        account: CRMAccount,
        api_name: str,
        ids: Sequence[str],
        names: Sequence[str],
        *,
        with_deleted: bool = False,
    ) -> dict[str, Record]:
        """Read fields of one object's records, by the short forms of their ids; fields it lacks are left out."""
        found: dict[str, Record] = {}
        for some in batched(sorted({full_id(each) for each in ids if is_id(each)})):

            def ask(some: Sequence[str] = some) -> list[Record]:
                known = self.fields.of(account, api_name)
                soql = select([name for name in names if has(known, name)], api_name, [is_in("Id", some)])
                return self.calls.query(account, f"read {api_name}s", soql, with_deleted=with_deleted)

            found |= {short(str(each["Id"])): each for each in self.fields.with_present(account, ask)}
        return found

    def search(
        self, account: CRMAccount, object_type: str, filters: Sequence[SearchFilter], properties: Sequence[str]
    ) -> Found:
        """Find records that meet all filters, in the order of their ids."""
        return [
            row
            for api_name in self.searched(account, object_type, filters)
            for row in self._found(account, api_name, filters, properties)
        ]

    def search_page(
        self,
        account: CRMAccount,
        object_type: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
        after: str,
    ) -> Found:
        """Find the first records behind an id; among people, leads follow after the last contact."""
        objects = self.searched(account, object_type, filters)
        if len(objects) > 1 and after and person_of(after) == objects[1]:
            objects = objects[1:]
        for number, api_name in enumerate(objects):
            page = self._found(account, api_name, filters, properties, after if number == 0 else "", PAGE)
            if page:
                return page
        return []

    def contacts_of(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], through: str
    ) -> dict[str, list[Link]]:
        """Give each record's people; one without any gets those of its account, where `through` is `company`."""
        found = self.linked_contacts(account, object_type, ids)
        bare = [each for each in ids if not found.get(each)]
        api_name = OrgNames.of(account).object(object_type)
        lookup = self._lookup(account, api_name, _ACCOUNTS) if through == "company" and api_name and bare else ""
        records = self.read_object(account, str(api_name), bare, [lookup]) if lookup else {}
        companies = {each: str((records.get(short(each)) or {}).get(lookup) or "") for each in bare}
        theirs = self._of_companies(account, [each for each in companies.values() if each])
        for each, company in companies.items():
            if company and theirs.get(short(company)):
                found[each] = [Link(crm_id, via=f"{through}:{company}") for crm_id in theirs[short(company)]]
        return found

    def linked_contacts(self, account: CRMAccount, object_type: str, ids: Sequence[str]) -> dict[str, list[Link]]:
        """Give the people each record is about: a deal's by role, the primary one first; else by its own lookup."""
        if object_type in _PEOPLE:
            return {each: [Link(each, ("primary",))] for each in ids}
        api_name = OrgNames.of(account).object(object_type)
        if api_name is None:
            return {}
        if api_name == "Opportunity":
            return self._by_role(account, ids)
        lookup = self._lookup(account, api_name, _LOOKUPS)
        records = self.read_object(account, api_name, ids, [lookup]) if lookup else {}
        people = {each: (records.get(short(each)) or {}).get(lookup) for each in ids}
        return {each: [Link(str(person), ("primary",))] for each, person in people.items() if person}

    def _of_companies(self, account: CRMAccount, companies: Sequence[str]) -> dict[str, list[str]]:
        """Give the contacts of accounts, oldest first: Salesforce names none of them primary."""
        found: dict[str, list[str]] = {}
        for some in batched(sorted({full_id(each) for each in companies})):
            soql = select(("AccountId",), CONTACT, [is_in("AccountId", some)], order="Id")
            for each in self.calls.query(account, "read contacts of accounts", soql):
                found.setdefault(short(str(each["AccountId"])), []).append(str(each["Id"]))
        return found

    def _by_role(self, account: CRMAccount, ids: Sequence[str]) -> dict[str, list[Link]]:
        roles: list[Record] = []
        for some in batched(sorted({full_id(each) for each in ids if is_id(each)})):
            where, names = [is_in("OpportunityId", some)], ("OpportunityId", "ContactId", "IsPrimary", "Role")
            roles += self.calls.query(account, "read contact roles", select(names, _ROLES, where, order="Id"))
        roles.sort(key=lambda role: not role.get("IsPrimary"))
        found: dict[str, list[Link]] = {}
        for each in ids:
            own = [role for role in roles if short(str(role["OpportunityId"])) == short(each)]
            if own:
                found[each] = [_link(role) for role in own]
        return found

    def _lookup(self, account: CRMAccount, api_name: str, fields: Sequence[str]) -> str:
        names, known = OrgNames.of(account), self.fields.of(account, api_name)
        return next((name for each in fields if (name := names.field(api_name, each)) in known), "")

    def _by_object(self, account: CRMAccount, object_type: str, ids: Sequence[str]) -> dict[str, list[str]]:
        api_name, found = OrgNames.of(account).object(object_type), dict[str, list[str]]()
        for each in dict.fromkeys(ids):
            own = person_of(each) if object_type == "contact" else api_name
            if own is not None:
                found.setdefault(own, []).append(each)
        return found

    def wanted(self, account: CRMAccount, api_name: str, properties: Sequence[str]) -> dict[str, str]:
        """Give the fields behind properties, without those the object does not have."""
        names, known = OrgNames.of(account), self.fields.of(account, api_name)
        called = {each: names.field(api_name, each) for each in properties}
        return {each: name for each, name in called.items() if has(known, name)}

    def searched(self, account: CRMAccount, object_type: str, filters: Sequence[SearchFilter]) -> list[str]:
        """Give the objects to search: of people those that have every field asked about.

        Raises:
            CRMRefusedError: none has.
        """
        api_name = OrgNames.of(account).object(object_type)
        objects = _PEOPLE.get(object_type) or ((api_name,) if api_name else ())
        asked = [each.property_name for each in filters]
        fitting = [each for each in objects if len(self.wanted(account, each, asked)) == len(set(asked))]
        if objects and not fitting:
            raise CRMRefusedError(
                f"search {object_type}s: {' and '.join(objects)} lack one of {', '.join(sorted(set(asked)))}",
                status=400,
                category="INVALID_FIELD",
            )
        return fitting

    def conditions(self, account: CRMAccount, api_name: str, filters: Sequence[SearchFilter]) -> list[str]:
        """Give search filters as conditions on an object's fields."""
        names, known = OrgNames.of(account), self.fields.of(account, api_name)
        called = [(each, names.field(api_name, each.property_name)) for each in filters]
        return [condition(each, name, known.get(name)) for each, name in called]

    def _found(
        self,
        account: CRMAccount,
        api_name: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
        after: str = "",
        limit: int = 0,
    ) -> Found:
        def ask() -> Found:
            wanted = self.wanted(account, api_name, properties)
            where = self.conditions(account, api_name, filters)
            where += [compares("IsConverted", "=", False)] if api_name == LEAD else []
            where += [compares("Id", ">", full_id(after))] if after else []
            soql = select(list(wanted.values()), api_name, where, order="Id", limit=limit)
            records = self.calls.query(account, f"search {api_name}s", soql)
            return [(str(each["Id"]), asked(each, properties, wanted)) for each in records]

        return self.fields.with_present(account, ask)


def text_at(record: Record, name: str) -> str | None:
    """Give a field's value as text: `true`, `12.5`, ISO 8601; None where it is empty."""
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def asked(record: Record, properties: Sequence[str], wanted: Mapping[str, str]) -> Properties:
    """Give a record's properties by the names they were asked for."""
    return {each: text_at(record, wanted[each]) if each in wanted else None for each in properties}


def _link(role: Record) -> Link:
    labels = ("primary",) if role.get("IsPrimary") else ()
    return Link(str(role["ContactId"]), (*labels, *((str(role["Role"]),) if role.get("Role") else ())))
