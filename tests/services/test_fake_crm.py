"""Does the CRM that services are tested against keep the promises of every CRM?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from connector.errors import CRMUnavailableError
from connector.ports.crm import CRM, CRMAccount
from tests.adapters.crm.contract import NOON, CRMContract, Portal
from tests.services.fake_crm import FakeCRM


@dataclass
class FakePortal:
    """The fake, driven from behind."""

    fake: FakeCRM
    crm: CRM
    account: CRMAccount
    at: datetime = NOON

    def add_contact(self, phone: str = "", mobile: str = "") -> str:
        typed = {"phone": phone, "mobilephone": mobile}
        return self.fake.put("contact", **{name: value for name, value in typed.items() if value})

    def add_deal(self, name: str, contacts: Sequence[str] = ()) -> str:
        return self.fake.put("deal", contacts, dealname=name, dealstage="closedwon")

    def shown(self, contact_id: str) -> Sequence[str]:
        return [row.body for row in self.fake.shown(contact_id)]

    def change_contact(self, contact_id: str, **properties: str) -> None:
        self.at += timedelta(minutes=1)
        names = {"mobile": "mobilephone"}
        self.fake.change("contact", contact_id, **{names.get(name, name): value for name, value in properties.items()})

    def add_field(self, name: str) -> None:
        self.fake.fields = {*(self.fake.fields or ()), name}

    def now(self) -> datetime:
        return self.at

    def is_opted_out(self, contact_id: str) -> bool:
        return self.fake.opted_out.get(contact_id, False)

    def lose_next_answer(self) -> None:
        self.fake.answers_lost.add("create")

    def fail_next_call(self) -> None:
        self.fake.fail("create", CRMUnavailableError("down", status=503))


class TestFakeCRM(CRMContract):
    @pytest.fixture
    def portal(self) -> Portal:
        fake = FakeCRM(labels={"deal": {"closedwon": "Closed Won"}})
        portal = FakePortal(fake, fake, CRMAccount("account-1", "12345"))
        fake.now = portal.now
        return portal
