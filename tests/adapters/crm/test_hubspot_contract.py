"""Does HubSpot's adapter keep the promises of the CRM port?"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from connector.ports.crm import CRM, CRMAccount
from connector.sandbox.hubspot.property_definitions import PropertyDefinition
from tests.adapters.crm.conftest import PORTAL, HubSpot
from tests.adapters.crm.contract import CRMContract, Portal


@dataclass
class SandboxPortal:
    """The sandbox's portal, driven from behind."""

    hubspot: HubSpot
    crm: CRM
    account: CRMAccount

    def add_contact(self, phone: str = "", mobile: str = "") -> str:
        typed = {"phone": phone, "mobilephone": mobile}
        return self.hubspot.contact(**{name: value for name, value in typed.items() if value})

    def add_deal(self, name: str, contacts: Sequence[str] = ()) -> str:
        properties = {"dealname": name, "dealstage": "closedwon", "pipeline": "default"}
        links = [("contacts", each) for each in contacts]
        return str(self.hubspot.world.create(PORTAL, "deals", properties, links)["id"])

    def shown(self, contact_id: str) -> Sequence[str]:
        entries = self.hubspot.world.timeline(PORTAL, contact_id)
        return [html.unescape(str(entry["body"]).replace("<br>", "\n")) for entry in entries]

    def change_contact(self, contact_id: str, **properties: str) -> None:
        self.hubspot.clock.advance(timedelta(minutes=1))
        names = {"mobile": "mobilephone"}
        wanted = {names.get(name, name): value for name, value in properties.items()}
        self.hubspot.world.update(PORTAL, "contacts", contact_id, wanted)

    def add_field(self, name: str) -> None:
        self.hubspot.world.portal(PORTAL).properties["contacts"][name] = PropertyDefinition(name, name, built_in=False)

    def now(self) -> datetime:
        return self.hubspot.clock.now()

    def is_opted_out(self, contact_id: str) -> bool:
        held = self.hubspot.world.get(PORTAL, "contacts", contact_id)["properties"]
        return bool(held.get("sms_connector_opted_out") == "true")

    def lose_next_answer(self) -> None:
        self.hubspot.faults.arm("hubspot.communications.batch_create", "accept_then_timeout", then="reset")

    def fail_next_call(self) -> None:
        self.hubspot.faults.arm("hubspot.communications.batch_create", "status", status=429)


class TestHubSpot(CRMContract):
    @pytest.fixture
    def portal(self, hubspot: HubSpot) -> Portal:
        return SandboxPortal(hubspot, hubspot.crm, hubspot.account)
