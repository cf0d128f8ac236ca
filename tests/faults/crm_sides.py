"""Which CRM stands behind a week of texts, and what does it go through?"""

from __future__ import annotations

import html
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx

from connector.adapters.crm.hubspot.adapter import HubSpotCRM
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.salesforce.adapter import SalesforceCRM
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.ledger import AccountRow
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot import app as hubspot_app
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.salesforce import app as salesforce_app
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from tests.adapters.crm.doubles import ScriptedLimiter, ThreadLocks
from tests.adapters.store.factories import an_account
from tests.faults.wiring import Wall

PORTAL, ORG, HOST = 12345, "00D000000000001EAA", "acme.my.salesforce.com"
_REDIRECT = "https://sms.example/install"
_CLIENT, _SECRET = "client-1", "secret-1"
_HANG = 0.05  # seconds a connection is held before it is cut: what becomes of the call is the same after 20 of them

Trouble = tuple[float, Callable[[], object]]
"""Hours since the week's beginning, and what happens then."""


class CRMSide(ABC):
    """One CRM of one account.

    Attributes:
        create_operation: creates what stands on timelines.
        calls: counts what came in: `all`, `done`, `tokens` given, and `turned away`; the rest got no answer.
        crm: the adapter.
    """

    slug: str
    create_operation: str
    crm: Any

    def __init__(self) -> None:
        self.clock, self.faults, self.http = SandboxClock(), Faults(), httpx.Client()
        self.calls: Counter[str] = Counter()
        self.server: Server | None = None

    def serve(self, app: Any) -> str:
        """Serve the sandbox, counting what it does and what it turns away; give its address."""

        def counting(environ: Any, start_response: Any) -> Any:
            is_token = "/oauth" in environ["PATH_INFO"]  # of no quota

            def start(status: str, *rest: Any) -> Any:
                self.calls["turned away" if int(status[:3]) >= 400 else "tokens" if is_token else "done"] += 1
                return start_response(status, *rest)

            self.calls["all"] += 1
            return app(environ, start)

        self.server = Server(counting).start()
        return self.server.url

    def stop(self) -> None:
        """Stop the sandbox."""
        if self.server is not None:
            self.server.stop()
        self.http.close()

    @abstractmethod
    def account(self) -> AccountRow:
        """Give the account, with tokens that end."""

    @abstractmethod
    def connect(self, ledger: SQLLedger) -> None:
        """Make the adapter."""

    @abstractmethod
    def add_contact(self, number: str) -> str:
        """Add a contact; its id."""

    @abstractmethod
    def shown(self) -> Sequence[str]:
        """Give the bodies of all texts on all timelines."""

    @abstractmethod
    def flagged(self) -> set[str]:
        """Give the ids of contacts that say they have opted out."""

    @abstractmethod
    def troubles(self, contacts: Sequence[str]) -> Sequence[Trouble]:
        """Say what goes wrong when; `contacts` are ids, of which the first five are lost for good on Wednesday."""

    def arm(self, operation: str, kind: str, times: int | None = 1, **options: Any) -> Callable[[], object]:
        """Give what arms a fault."""
        return lambda: self.faults.arm(f"{self.slug}.{operation}", kind, times, **options)


class HubSpotSide(CRMSide):
    """A portal whose tokens live half an hour and rotate."""

    slug, create_operation = "hubspot", "communications.batch_create"

    def __init__(self) -> None:
        """Open the portal."""
        super().__init__()
        self.world = HubSpotWorld(self.clock, seed=1, monotonic=time.time)
        self.world.add_portal(PORTAL, name="Acme")
        self.world.tokens.rotates = True
        self.url = self.serve(hubspot_app.create_app(self.world, self.clock, self.faults))

    def account(self) -> AccountRow:
        """See `CRMSide`."""
        app = self.world.tokens.add_app(_CLIENT, _SECRET, 678, (_REDIRECT,))
        code = self.world.tokens.issue_code(_CLIENT, PORTAL, _REDIRECT)
        issued = self.world.tokens.exchange_code(app, code, _REDIRECT)
        return an_account(
            crm="hubspot",
            external_id=str(PORTAL),
            created_at=self.clock.now(),
            access_token=issued["access_token"],
            refresh_token=issued["refresh_token"],
            token_expires_at=self.clock.now() + timedelta(minutes=30),
        )

    def connect(self, ledger: SQLLedger) -> None:
        """See `CRMSide`."""
        self.crm = HubSpotCRM(
            ledger=ledger,
            clock=Wall(),
            limiter=ScriptedLimiter(),
            locks=ThreadLocks(),
            http=self.http,
            app=OAuthApp(_CLIENT, (_SECRET,)),
            url=self.url,
            sleep=lambda _: None,
        )

    def add_contact(self, number: str) -> str:
        """See `CRMSide`."""
        return str(self.world.create(PORTAL, "contacts", {"mobilephone": number})["id"])

    def shown(self) -> Sequence[str]:
        """See `CRMSide`."""
        bodies = (str(each["properties"]["hs_communication_body"]) for each in self._all("communications"))
        return [html.unescape(each.replace("<br>", "\n")) for each in bodies]

    def flagged(self) -> set[str]:
        """See `CRMSide`."""
        contacts = self._all("contacts")
        return {str(each["id"]) for each in contacts if each["properties"].get("sms_connector_opted_out") == "true"}

    def troubles(self, contacts: Sequence[str]) -> Sequence[Trouble]:
        """See `CRMSide`."""
        limits, tokens = self.world.limits, self.world.tokens
        daily: Mapping[str, Any] = {
            "status": "error",
            "message": "You have reached your daily limit.",
            "category": "RATE_LIMITS",
            "policyName": "DAILY",
        }
        lost = [lambda each=each: self.world.delete(PORTAL, "contacts", each) for each in contacts[:5]]
        return [
            (8.9, lambda: setattr(limits, "per_ten_seconds", 1)),
            (11.0, lambda: setattr(limits, "per_ten_seconds", None)),
            (14.9, self.arm("*", "status", None, status=429, body=daily)),
            (19.0, self.faults.clear),
            (32.9, self.arm(self.create_operation, "accept_then_timeout", 2, then="reset")),
            (32.9, self.arm("communications.batch_update", "status", 2, status=500)),
            (38.9, self.arm("communications.*", "timeout", 2, seconds=_HANG)),
            (38.9, self.arm("communications.*", "reset")),
            (38.9, self.arm("communications.*", "status", 2, status=502)),
            *((56.5, each) for each in lost),
            (62.9, self.arm("communications.*", "status", None, status=403)),
            (66.0, self.faults.clear),
            (72.0, self.arm("*", "status", None, status=503)),  # Thursday, from midnight to midnight
            (96.0, self.faults.clear),
            (104.9, self.arm("*", "status", None, status=477, headers={"Retry-After": "3600"})),
            (115.0, self.faults.clear),
            (128.9, self.arm("communications.*", "status", 2, status=423)),
            (152.9, tokens._access.clear),
            (152.9, self.arm("oauth.token", "status", 2, status=500)),
        ]

    def _all(self, object_type: str) -> list[dict[str, Any]]:
        return self.world.list(PORTAL, object_type)


class SalesforceSide(CRMSide):
    """An organisation whose sessions end without a word, and whose refresh tokens rotate."""

    slug, create_operation = "salesforce", "collections.create"

    def __init__(self) -> None:
        """Open the organisation."""
        super().__init__()
        self.world = SalesforceWorld(self.clock, seed=1)
        self.world.add_org(
            ORG, username="admin@acme.example", instance_host=HOST, client_id=_CLIENT, client_secret=_SECRET
        )
        self.url = self.serve(salesforce_app.create_app(self.world, self.clock, self.faults))

    def account(self) -> AccountRow:
        """See `CRMSide`."""
        issued = self.world.grant(ORG, client_id=_CLIENT)
        return an_account(
            crm="salesforce",
            external_id=ORG,
            created_at=self.clock.now(),
            access_token=issued.access_token,
            refresh_token=issued.refresh_token,
            settings={"default_region": "GB", "instance_url": f"https://{HOST}"},
        )

    def connect(self, ledger: SQLLedger) -> None:
        """See `CRMSide`."""
        app = OAuthApp(_CLIENT, (_SECRET,))
        self.crm = SalesforceCRM(
            ledger=ledger, clock=Wall(), locks=ThreadLocks(), http=self.http, app=app, url=self.url
        )

    def add_contact(self, number: str) -> str:
        """See `CRMSide`."""
        return str(self.world.create(ORG, "Contact", {"LastName": "Lindqvist", "MobilePhone": number})["Id"])

    def shown(self) -> Sequence[str]:
        """See `CRMSide`."""
        return [str(each["Description"]) for each in self.world.list(ORG, "Task")]

    def flagged(self) -> set[str]:
        """See `CRMSide`."""
        return {str(each["Id"]) for each in self.world.list(ORG, "Contact") if each["SMS_Opt_Out__c"]}

    def troubles(self, contacts: Sequence[str]) -> Sequence[Trouble]:
        """See `CRMSide`."""
        usage, tokens = self.world.org(ORG).usage, self.world.tokens
        lost = [lambda each=each: self.world.delete(ORG, "Contact", each) for each in contacts[:5]]
        held = [lambda each=each: self.world.lock_row(ORG, each, times=3) for each in contacts[20:28]]
        return [
            *((8.9, each) for each in held),
            (8.9, self.arm("row.Task.create", "status", 10)),
            (14.9, usage.exhaust),
            (20.0, lambda: setattr(usage, "used_elsewhere", 0)),
            (32.9, self.arm(self.create_operation, "accept_then_timeout", 2, then="reset")),
            (32.9, self.arm("collections.SMS_Message__c.upsert", "status", 2, status=503)),
            (38.9, self.arm("collections.*", "timeout", 2, seconds=_HANG)),
            (38.9, self.arm("collections.*", "reset")),
            (38.9, self.arm("collections.*", "status", 2, status=502)),
            *((56.5, each) for each in lost),
            (62.9, lambda: tokens.expire_sessions(ORG)),
            (62.9, self.arm("oauth.token.refresh_token", "status", 2, status=503)),
            (72.0, self.arm("*", "reset", None)),  # Thursday, from midnight to midnight
            (96.0, self.faults.clear),
            (104.9, lambda: self.world.lock_row(ORG, contacts[50], times=10)),
            (128.9, self.arm("query", "status", 3, status=500)),
            (152.9, lambda: tokens.expire_sessions(ORG)),
        ]


SIDES: Mapping[str, Callable[[], CRMSide]] = {"hubspot": HubSpotSide, "salesforce": SalesforceSide}
