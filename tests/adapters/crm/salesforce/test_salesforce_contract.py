"""Does Salesforce's adapter keep the promises of the CRM port?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from connector.ports.crm import CRM, CRMAccount
from connector.sandbox.salesforce.field_kinds import text
from tests.adapters.crm.contract import CRMContract, Portal, Words
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce


@dataclass
class SandboxOrg:
    """The sandbox's organisation, driven from behind."""

    salesforce: Salesforce
    crm: CRM
    account: CRMAccount

    def add_contact(self, phone: str = "", mobile: str = "") -> str:
        typed = {"Phone": phone, "MobilePhone": mobile}
        return self.salesforce.contact(**{name: value for name, value in typed.items() if value})

    def add_deal(self, name: str, contacts: Sequence[str] = ()) -> str:
        deal = self.salesforce.deal(name, StageName="Closed Won")
        for each in contacts:
            self.salesforce.world.create(ORG, "OpportunityContactRole", {"OpportunityId": deal, "ContactId": each})
        return deal

    def shown(self, contact_id: str) -> Sequence[str]:
        return [str(task["Description"]) for task in self.salesforce.world.timeline(ORG, contact_id)]

    def change_contact(self, contact_id: str, **properties: str) -> None:
        self.salesforce.clock.advance(timedelta(minutes=1))
        names = {"mobile": "MobilePhone", "phone": "Phone"}
        wanted = {names.get(name, name): value for name, value in properties.items()}
        self.salesforce.world.update(ORG, "Contact", contact_id, wanted)

    def add_field(self, name: str) -> None:
        self.salesforce.world.org(ORG).objects["Contact"].add(text(name))

    def now(self) -> datetime:
        return self.salesforce.clock.now()

    def is_opted_out(self, contact_id: str) -> bool:
        return bool(self.salesforce.world.get(ORG, "Contact", contact_id)["SMS_Opt_Out__c"])

    def lose_next_answer(self) -> None:
        self.salesforce.faults.arm("salesforce.collections.create", "accept_then_timeout", then="reset")

    def fail_next_call(self) -> None:
        self.salesforce.faults.arm("salesforce.collections.create", "status", status=400)  # a lock


class TestSalesforce(CRMContract):
    words = Words(
        name="Name",
        amount="Amount",
        won="Closed Won",
        phones=frozenset({"MobilePhone", "Phone"}),
        nobody="003000000000001AAA",
        wish="SMS_Wish__c",
        email="Email",
    )

    @pytest.fixture
    def portal(self, salesforce: Salesforce) -> Portal:
        return SandboxOrg(salesforce, salesforce.crm, salesforce.account)
