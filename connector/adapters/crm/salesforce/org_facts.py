"""Which stages, owners and task statuses does an organisation have, and what is it called?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from connector.adapters.crm.remembering import Memory
from connector.adapters.crm.salesforce.calls import OrgCalls
from connector.adapters.crm.salesforce.fields import OrgFields, has
from connector.adapters.crm.salesforce.ids import full_id, short
from connector.adapters.crm.salesforce.soql import compares, select
from connector.domain.event import Owner
from connector.errors import CRMRefusedError
from connector.ports.crm import CRMAccount

_STAGES = MappingProxyType({"deal": "OpportunityStage", "ticket": "CaseStatus", "lead": "LeadStatus"})
_FACTS = ("Name", "TimeZoneSidKey", "IsSandbox", "DefaultLocaleSidKey", "CurrencyIsoCode", "DefaultCurrencyIsoCode")


@dataclass(frozen=True, slots=True)
class TaskStatuses:
    """What a task that is done, and one that is to be done, is called."""

    closed: str
    open: str


@dataclass(frozen=True, slots=True)
class OrgFacts:
    """Reads and remembers."""

    calls: OrgCalls
    fields: OrgFields
    memory: Memory

    def stage_labels(self, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        """Map stages or statuses by API name to the names people see; nothing for kinds of record without stages."""
        api_name = _STAGES.get(object_type)
        if api_name is None:
            return {}

        def load() -> Mapping[str, str]:
            soql = select(("ApiName", "MasterLabel"), api_name, ())
            records = self.calls.query(account, f"read {object_type} stages", soql)
            return {str(each["ApiName"]): str(each["MasterLabel"]) for each in records}

        found: Mapping[str, str] = self.memory.recall(account.account_id, f"stages:{object_type}", load)
        return found

    def owners(self, account: CRMAccount) -> Mapping[str, Owner]:
        """Give every active user by id; others own records too, but nobody reads what they are told."""

        def load() -> Mapping[str, Owner]:
            soql = select(("Name", "Email"), "User", [compares("IsActive", "=", True)], order="Id")
            users = self.calls.query(account, "read users", soql)
            return {str(each["Id"]): _owner(each) for each in users}

        found: Mapping[str, Owner] = self.memory.recall(account.account_id, "owners", load)
        return found

    def task_statuses(self, account: CRMAccount) -> TaskStatuses:
        """Give what this organisation calls a task that is done: a picklist admins rename and add to."""

        def load() -> TaskStatuses:
            soql = select(("ApiName", "IsClosed", "IsDefault"), "TaskStatus", ())
            rows = self.calls.query(account, "read task statuses", soql)
            closed = [str(each["ApiName"]) for each in rows if each.get("IsClosed")]
            still_open = [str(each["ApiName"]) for each in rows if not each.get("IsClosed")]
            usual = [str(each["ApiName"]) for each in rows if each.get("IsDefault") and not each.get("IsClosed")]
            if not closed or not still_open:
                raise CRMRefusedError("the organisation has no task status that is closed, or none that is open")
            return TaskStatuses("Completed" if "Completed" in closed else closed[0], [*usual, *still_open][0])

        found: TaskStatuses = self.memory.recall(account.account_id, "task statuses", load)
        return found

    def settings(self, account: CRMAccount) -> Mapping[str, Any]:
        """Give what the account's settings want to know of the organisation; never remembered."""
        known = self.fields.of(account, "Organization")
        soql = select([name for name in _FACTS if has(known, name)], "Organization", ())
        told = next(iter(self.calls.query(account, "read the organisation", soql)), {})
        facts = {
            "name": told.get("Name"),
            "external_id": _as_kept(account.external_id, str(told.get("Id") or "")),
            "time_zone": told.get("TimeZoneSidKey"),
            "currency": told.get("DefaultCurrencyIsoCode") or told.get("CurrencyIsoCode"),
            "is_sandbox": told.get("IsSandbox"),
        }
        return {name: value for name, value in facts.items() if value}


def _as_kept(kept: str, told: str) -> str:
    """The same organisation may be known by 15 or by 18 characters."""
    return kept if short(kept) == short(told) else full_id(told)


def _owner(user: Mapping[str, Any]) -> Owner:
    email = str(user.get("Email") or "")
    return Owner(str(user["Id"]), str(user.get("Name") or "") or email, email)
