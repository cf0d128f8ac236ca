"""Who is at the other end of a scene: a sandbox, a live account, or only a cassette?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from connector.adapters.crm.hubspot.adapter import API_URL, HubSpotCRM
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.salesforce.adapter import SalesforceCRM
from connector.adapters.memory.ledger import MemoryLedger
from connector.ports.crm import CRM, CRMAccount
from connector.ports.ledger import AccountRow
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot import app as hubspot_app
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.salesforce import app as salesforce_app
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from tests.adapters.crm.cassettes.scrubbing import Known
from tests.adapters.crm.doubles import ScriptedLimiter, ThreadLocks

ACCOUNT_ID = "0190b000-0000-7000-8000-00000000000c"
PORTAL, ORG = "100000000000", "00D000000000001EAA"
ORG_HOST, PORTAL_HOST = "acme.my.salesforce.com", "api.hubspot.example"
_SANDBOX_ORG, _SANDBOX_PORTAL = "00D5g00000KxyzAEAR", 27_182_818  # as a live one's look: nothing pretend about them
_REDIRECT = "https://sms.example/install"
_FIRST_ID = 50_000_000_000  # of records, as long as a live portal's


@dataclass(frozen=True, slots=True)
class Access:
    """An account and what opens it."""

    crm: str
    url: str
    external_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    instance_url: str = ""

    def known(self, words: Any) -> Known:
        """Say what of it a recording would tell, and what is put in its place."""
        own, pretend = self._told(), PRETEND[self.crm]._told()
        values = {real: theirs for real, theirs in zip(own, pretend, strict=True) if real}
        host = ORG_HOST if self.crm == "salesforce" else PORTAL_HOST
        hosts = {urlsplit(each).netloc: host for each in (self.url, self.instance_url) if each}
        return Known(values, hosts, words)

    def _told(self) -> tuple[str, ...]:
        return (self.external_id, self.access_token, self.refresh_token, self.client_id, self.client_secret)


PRETEND: Mapping[str, Access] = {
    "hubspot": Access(
        "hubspot",
        f"https://{PORTAL_HOST}",
        PORTAL,
        "pretend-access-0",
        "pretend-refresh-0",
        "pretend-client-0",
        "pretend-secret-0",
    ),
    "salesforce": Access(
        "salesforce",
        "",
        ORG,
        "pretend-access-0",
        "pretend-refresh-0",
        "pretend-client-0",
        "pretend-secret-0",
        f"https://{ORG_HOST}",
    ),
}
"""The accounts that cassettes are of."""


@dataclass
class Act:
    """One scene as it is played.

    Attributes:
        settle: waits until what was written can be found; HubSpot's searches lag behind.
        made: records that a live account is to be rid of afterwards, as (object, id).
    """

    crm: Any
    account: CRMAccount
    ledger: MemoryLedger
    settle: Callable[[], None] = lambda: None
    made: list[tuple[str, str]] = field(default_factory=list)

    @property
    def port(self) -> CRM:
        """The adapter as everybody else sees it."""
        found: CRM = self.crm
        return found

    def row(self) -> AccountRow:
        """Read the account as it is now."""
        with self.ledger.begin(write=False) as work:
            return work.accounts.with_tokens(ACCOUNT_ID)

    def let_token_end(self) -> None:
        """Let the access token's time be over, as far as we know."""
        row = self.row()
        with self.ledger.begin() as work:
            ended = row.created_at - timedelta(hours=1)
            work.accounts.save_tokens(ACCOUNT_ID, row.access_token or "", row.refresh_token, ended)
            work.commit()


@dataclass(frozen=True, slots=True)
class Box:
    """A sandbox from behind, for scenes in which something goes wrong."""

    world: Any
    faults: Faults

    def expire(self) -> None:
        """End every session of the sandbox's org."""
        self.world.tokens.expire_sessions(_SANDBOX_ORG)

    @property
    def org(self) -> Any:
        """The sandbox's org."""
        return self.world.org(_SANDBOX_ORG)

    @property
    def portal(self) -> int:
        """The sandbox's portal."""
        return _SANDBOX_PORTAL


@contextmanager
def acting(access: Access, *, is_oauth: bool = True) -> Iterator[Act]:
    """Wire an adapter for an account; without `is_oauth` its token is a private app's."""
    ledger, clock = MemoryLedger(), SandboxClock()
    settings = {"default_region": "US", **({"instance_url": access.instance_url} if access.instance_url else {})}
    row = AccountRow(
        id=ACCOUNT_ID,
        crm=access.crm,
        external_id=access.external_id,
        name="Acme",
        status="active",
        status_reason="",
        settings=settings,
        created_at=clock.now(),
        access_token=access.access_token,
        refresh_token=(access.refresh_token or None) if is_oauth else None,
    )
    with ledger.begin() as work:
        work.accounts.add(row)
        work.commit()
    parts: dict[str, Any] = {"ledger": ledger, "clock": clock, "locks": ThreadLocks(), "url": access.url}
    parts["app"] = OAuthApp(access.client_id, (access.client_secret,))
    with httpx.Client() as http:
        if access.crm == "hubspot":
            crm: Any = HubSpotCRM(**parts, http=http, limiter=ScriptedLimiter(), sleep=lambda _: None)
        else:
            crm = SalesforceCRM(**parts, http=http)
        yield Act(crm, CRMAccount(ACCOUNT_ID, access.external_id, settings), ledger)


@contextmanager
def sandbox(crm: str) -> Iterator[tuple[Access, Box]]:
    """Start a sandbox with one account; to be used while time stands still."""
    with (_hubspot if crm == "hubspot" else _salesforce)() as both:
        yield both


@contextmanager
def _hubspot() -> Iterator[tuple[Access, Box]]:
    clock, faults = SandboxClock(), Faults()
    world = HubSpotWorld(clock, seed=1)
    world.limits.per_ten_seconds = world.limits.searches_per_second = None
    world.writer._last_id = _FIRST_ID
    world.add_portal(_SANDBOX_PORTAL, name="Nordlicht GmbH")
    app = world.tokens.add_app("nordlicht-client", "nordlicht-secret", 678, (_REDIRECT,))
    world.tokens.rotates = True
    code = world.tokens.issue_code(app.client_id, _SANDBOX_PORTAL, _REDIRECT)
    issued = world.tokens.exchange_code(app, code, _REDIRECT)
    with Server(hubspot_app.create_app(world, clock, faults)) as server:
        access = Access(
            "hubspot",
            server.url,
            str(_SANDBOX_PORTAL),
            issued["access_token"],
            issued["refresh_token"],
            app.client_id,
            app.client_secret,
        )
        yield access, Box(world, faults)


@contextmanager
def _salesforce() -> Iterator[tuple[Access, Box]]:
    clock, faults = SandboxClock(), Faults()
    world = SalesforceWorld(clock, seed=1)
    host, client, secret = "nordlicht.my.salesforce.com", "nordlicht-client", "nordlicht-secret"
    org = world.add_org(
        _SANDBOX_ORG,
        username="ada@nordlicht.test",
        instance_host=host,
        client_id=client,
        client_secret=secret,
        name="Nordlicht GmbH",
    )
    issued = world.grant(org.id, client_id=client)
    with Server(salesforce_app.create_app(world, clock, faults)) as server:
        access = Access(
            "salesforce",
            server.url,
            org.id,
            issued.access_token,
            issued.refresh_token or "",
            client,
            secret,
            f"https://{host}",
        )
        yield access, Box(world, faults)


def live(crm: str, environment: Mapping[str, str] = os.environ) -> Access | None:
    """Read the live account to record from out of the environment; None without a token.

    Raises:
        SystemExit: a part of it is missing.
    """
    token = environment.get("TOKEN", "")
    if not token:
        return None
    account = environment.get("PORTAL" if crm == "hubspot" else "ORG", "")
    instance = environment.get("INSTANCE_URL", "").rstrip("/")
    if not account or (crm == "salesforce" and not instance):
        raise SystemExit("beside TOKEN, a portal needs PORTAL, an organisation ORG (18 characters) and INSTANCE_URL")
    access = Access(
        crm,
        API_URL if crm == "hubspot" else "",
        account,
        token,
        environment.get("REFRESH_TOKEN", ""),
        environment.get("CLIENT_ID", ""),
        environment.get("CLIENT_SECRET", ""),
    )
    return replace(access, instance_url=instance) if crm == "salesforce" else access
