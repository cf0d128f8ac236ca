"""A Salesforce adapter in front of the sandbox's Salesforce, over real HTTP, with a SQLite ledger behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.salesforce.adapter import SalesforceCRM
from connector.adapters.crm.salesforce.tokens import OrgTokens
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.crm import CRMAccount
from connector.ports.ledger import AccountRow
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.salesforce.app import create_app
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from tests.adapters.crm.doubles import ThreadLocks

ORG = "00D000000000001EAA"
HOST = "acme.my.salesforce.com"
ADMIN = "admin@acme.example"
CLIENT_ID, CLIENT_SECRET = "client-1", "secret-1"
ACCOUNT_ID = "0190b000-0000-7000-8000-00000000000a"


@dataclass
class Salesforce:
    """Everything a test of the adapter may want to reach."""

    crm: SalesforceCRM
    account: CRMAccount
    world: SalesforceWorld
    clock: SandboxClock
    faults: Faults
    ledger: SQLLedger
    locks: ThreadLocks
    http: httpx.Client
    url: str

    def another(self) -> SalesforceCRM:
        """The adapter of another process over the same ledger."""
        return new_crm(self.ledger, self.clock, self.locks, self.http, self.url)

    def row(self) -> AccountRow:
        with self.ledger.begin(write=False) as work:
            return work.accounts.with_tokens(ACCOUNT_ID)

    def grant(self, access_token: str, refresh_token: str | None) -> None:
        """Give the account other tokens."""
        with self.ledger.begin() as work:
            work.accounts.save_tokens(ACCOUNT_ID, access_token, refresh_token, None)
            work.commit()

    def having(self, **settings: Any) -> CRMAccount:
        """The account with more settings."""
        return replace(self.account, settings={**self.account.settings, **settings})

    def contact(self, **values: Any) -> str:
        return str(self.world.create(ORG, "Contact", {"LastName": "Lindqvist", **values})["Id"])

    def lead(self, **values: Any) -> str:
        return str(self.world.create(ORG, "Lead", {"LastName": "Okafor", "Company": "Acme", **values})["Id"])

    def deal(self, name: str = "Roof", **values: Any) -> str:
        wanted = {"Name": name, "StageName": "Prospecting", "CloseDate": "2026-12-24", **values}
        return str(self.world.create(ORG, "Opportunity", wanted)["Id"])

    def task(self, crm_record_id: str | None) -> Mapping[str, Any]:
        return self.world.get(ORG, "Task", str(crm_record_id))

    def texts(self) -> list[dict[str, Any]]:
        """Our package's own records."""
        return self.world.list(ORG, "SMS_Message__c")

    def calls(self, operation: str) -> int:
        return self.world.calls[f"salesforce.{operation}"]


def new_crm(ledger: SQLLedger, clock: SandboxClock, locks: ThreadLocks, http: httpx.Client, url: str) -> SalesforceCRM:
    app = OAuthApp(CLIENT_ID, (CLIENT_SECRET,))
    return SalesforceCRM(ledger=ledger, clock=clock, locks=locks, http=http, app=app, url=url)


def app_of(salesforce: Salesforce) -> OAuthApp | None:
    """The app the adapter refreshes tokens with."""
    tokens = salesforce.crm._records.calls.clients.tokens
    assert isinstance(tokens, OrgTokens)
    return tokens.app


@pytest.fixture
def salesforce(ledger: SQLLedger) -> Iterator[Salesforce]:
    clock, faults = SandboxClock(), Faults()
    world = SalesforceWorld(clock, seed=1)
    world.add_org(
        ORG, username=ADMIN, instance_host=HOST, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, name="Acme"
    )
    issued = world.grant(ORG, client_id=CLIENT_ID)
    settings = {"default_region": "US", "instance_url": f"https://{HOST}", "invoice_object": "Invoice__c"}
    with ledger.begin() as work:
        work.accounts.add(
            AccountRow(
                id=ACCOUNT_ID,
                crm="salesforce",
                external_id=ORG,
                name="Acme",
                status="active",
                status_reason="",
                settings=settings,
                created_at=clock.now(),
                access_token=issued.access_token,
                refresh_token=issued.refresh_token,
            )
        )
        work.commit()
    locks = ThreadLocks()
    with Server(create_app(world, clock, faults)) as server, httpx.Client() as http:
        crm = new_crm(ledger, clock, locks, http, server.url)
        yield Salesforce(
            crm, CRMAccount(ACCOUNT_ID, ORG, settings), world, clock, faults, ledger, locks, http, server.url
        )
