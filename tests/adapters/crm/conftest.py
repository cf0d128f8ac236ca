"""A HubSpot adapter in front of the sandbox's HubSpot, over real HTTP, with a SQLite ledger behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from connector.adapters.crm.hubspot.adapter import HubSpotCRM
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.ports.crm import CRMAccount
from connector.ports.ledger import AccountRow
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.app import create_app
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server
from tests.adapters.crm.doubles import ScriptedLimiter, ThreadLocks

PORTAL = 12345
TOKEN = "pat-test"
CLIENT_ID, CLIENT_SECRET = "client-1", "secret-1"
ACCOUNT_ID = "0190b000-0000-7000-8000-000000000001"


@dataclass
class HubSpot:
    """Everything a test of the adapter may want to reach."""

    crm: HubSpotCRM
    account: CRMAccount
    world: HubSpotWorld
    clock: SandboxClock
    faults: Faults
    ledger: SQLLedger
    limiter: ScriptedLimiter
    locks: ThreadLocks
    url: str

    def row(self) -> AccountRow:
        with self.ledger.begin(write=False) as work:
            return work.accounts.with_tokens(ACCOUNT_ID)

    def grant(self, access_token: str, refresh_token: str | None, lives_for: timedelta) -> None:
        """Give the account OAuth tokens."""
        with self.ledger.begin() as work:
            expires_at = self.clock.now() + lives_for
            work.accounts.save_tokens(ACCOUNT_ID, access_token, refresh_token, expires_at)
            work.commit()

    def contact(self, **properties: str) -> str:
        return str(self.world.create(PORTAL, "contacts", properties)["id"])

    def calls(self, operation: str) -> int:
        return self.world.calls[f"hubspot.{operation}"]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SQLLedger]:
    engine = make_engine(f"sqlite:///{tmp_path}/ledger.sqlite3")
    ledger = SQLLedger(engine, Vault(["k" * 32]), lambda _: None)
    metadata.create_all(engine)
    yield ledger
    ledger.close()


@pytest.fixture
def hubspot(ledger: SQLLedger) -> Iterator[HubSpot]:
    clock, faults = SandboxClock(), Faults()
    world = HubSpotWorld(clock, seed=1)
    world.limits.per_ten_seconds = world.limits.searches_per_second = None
    world.add_portal(PORTAL, token=TOKEN, name="Test portal")
    world.tokens.add_app(CLIENT_ID, CLIENT_SECRET, 678, ("https://sms.example/install",))
    with ledger.begin() as work:
        work.accounts.add(
            AccountRow(
                id=ACCOUNT_ID,
                crm="hubspot",
                external_id=str(PORTAL),
                name="Test portal",
                status="active",
                status_reason="",
                settings={},
                created_at=clock.now(),
                access_token=TOKEN,
            )
        )
        work.commit()
    limiter, locks = ScriptedLimiter(), ThreadLocks()
    with Server(create_app(world, clock, faults)) as server, httpx.Client() as http:
        crm = HubSpotCRM(
            ledger=ledger,
            clock=clock,
            limiter=limiter,
            locks=locks,
            http=http,
            app=OAuthApp(CLIENT_ID, (CLIENT_SECRET,)),
            url=server.url,
            sleep=lambda _: None,
        )
        account = CRMAccount(ACCOUNT_ID, str(PORTAL), {"default_region": "US"})
        yield HubSpot(crm, account, world, clock, faults, ledger, limiter, locks, server.url)
