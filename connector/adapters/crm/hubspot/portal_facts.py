"""Which stages, owners, contact properties and settings does a portal have?

People change them a few times a year and every event asks for them, so answers are kept for some minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connector.adapters.crm.hubspot.calls import PortalCalls
from connector.adapters.crm.hubspot.object_types import path_name
from connector.adapters.crm.hubspot.properties import Definitions, PortalProperties
from connector.adapters.crm.remembering import Memory
from connector.domain.event import Owner
from connector.ports.crm import CRMAccount

KEPT_FOR = timedelta(minutes=5)  # how long a renamed stage may go unseen
_OWNERS_PAGE = 100


@dataclass(slots=True)
class PortalFacts:
    """Reads and remembers; safe to share between threads."""

    calls: PortalCalls
    memory: Memory

    def stage_labels(self, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        """Map the stage ids of all pipelines of `object_type` to the names people see."""
        name = path_name(object_type)

        def load() -> Mapping[str, str]:
            answer = self.calls.make(account, f"read {object_type} pipelines", lambda api: api.pipelines.get_all(name))
            pipelines = (answer or {}).get("results") or ()
            return {str(stage["id"]): str(stage["label"]) for each in pipelines for stage in each.get("stages") or ()}

        found: Mapping[str, str] = self.memory.recall(account.account_id, f"stages:{name}", load)
        return found

    def owners(self, account: CRMAccount) -> Mapping[str, Owner]:
        """Give every owner by id."""

        def load() -> Mapping[str, Owner]:
            return {owner.owner_id: owner for owner in self._all_owners(account)}

        found: Mapping[str, Owner] = self.memory.recall(account.account_id, "owners", load)
        return found

    def contact_properties(self, account: CRMAccount, needed: Collection[str]) -> Definitions:
        """Give every property of contacts by name.

        What is remembered is enough where it has all that are needed: one that it lacks may have been made just now.
        """
        properties = PortalProperties(self.calls)
        found: Definitions = self.memory.recall(
            account.account_id,
            "properties",
            lambda: properties.definitions(account),
            is_enough=lambda kept: kept.keys() >= {*needed},
        )
        return found

    def settings(self, account: CRMAccount) -> Mapping[str, Any]:
        """Give what the account's settings want to know of the portal; never remembered."""
        told = self.calls.make(account, "read account details", lambda api: api.account_details()) or {}
        facts = {
            "name": f"HubSpot {account.external_id}",
            "external_id": str(told.get("portalId") or ""),
            "time_zone": told.get("timeZone"),
            "currency": told.get("companyCurrency"),
            "ui_domain": told.get("uiDomain"),
        }
        return {name: value for name, value in facts.items() if value}

    def _all_owners(self, account: CRMAccount) -> list[Owner]:
        owners: list[Owner] = []
        page: dict[str, Any] = {"limit": _OWNERS_PAGE}
        while True:
            answer = self.calls.make(account, "read owners", _owners_page(dict(page))) or {}
            owners += map(_owner, answer.get("results") or ())
            after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                return owners
            page["after"] = after


def _owners_page(page: Mapping[str, Any]) -> Callable[[Any], Any]:
    return lambda api: api.owners.get_page(**page)


def _owner(row: Mapping[str, Any]) -> Owner:
    email = str(row.get("email") or "")
    name = " ".join(str(row[part]) for part in ("firstName", "lastName") if row.get(part))
    return Owner(str(row["id"]), name or email, email)
