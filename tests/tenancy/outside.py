"""Which CRMs do the tenants sit in, and who was asked there with whose token?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from flask import Flask, request

from connector.ports.ledger import Ledger
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.app import create_app as create_hubspot
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.salesforce.app import create_app as create_salesforce
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from tests.tenancy.filling import an_account
from tests.tenancy.owners import OWNERS, SALESFORCE, TENANTS, Owner

HUBSPOT_APP, HUBSPOT_SECRET = "hubspot-app", "hubspot-app-secret"
SALESFORCE_APP, SALESFORCE_SECRET = "salesforce-app", "salesforce-app-secret"


@dataclass(frozen=True)
class Heard:
    """One call that a CRM got: with which token, and all it said."""

    token: str
    said: str


@dataclass
class Outside:
    """Both CRMs.

    Attributes:
        tokens: by account, every token that CRM has given for it.
    """

    hubspot: HubSpotWorld
    salesforce: SalesforceWorld
    urls: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    tokens: dict[str, set[str]] = field(default_factory=dict)

    def hand_out_tokens(self, ledger: Ledger) -> None:
        """Let every account have a token that its CRM knows."""
        with ledger.begin() as uow:
            for owner in OWNERS:
                access, refresh = self._issued(owner)
                self.tokens[owner.account_id] = {token for token in (access, refresh) if token}
                uow.accounts.save_tokens(owner.account_id, access, refresh, None)
            uow.commit()

    def _issued(self, owner: Owner) -> tuple[str, str | None]:
        if owner.crm == SALESFORCE:
            issued = self.salesforce.grant(owner.external_id, client_id=SALESFORCE_APP)
            return issued.access_token, issued.refresh_token
        return str(an_account(owner).access_token), None

    def owner_of(self, token: str) -> str:
        """Give the account a token is of; empty for none."""
        return next((account_id for account_id, known in self.tokens.items() if token in known), "")

    def listen(self, app: Flask) -> None:
        """Write down every call."""

        @app.before_request
        def _note() -> None:
            token = request.headers.get("Authorization", "").partition(" ")[2] or request.form.get("refresh_token", "")
            said = f"{request.method} {unquote_plus(request.full_path)} {request.get_data(as_text=True)}"
            self.heard.append(Heard(token, said))


@contextmanager
def outside() -> Iterator[Outside]:
    """Open both CRMs, with a portal and an organisation of each tenant."""
    clock, faults = SandboxClock(), Faults()
    found = Outside(HubSpotWorld(clock, seed=1), SalesforceWorld(clock, seed=1))
    found.hubspot.limits.per_ten_seconds = found.hubspot.limits.searches_per_second = None
    for tenant in TENANTS:
        token = an_account(tenant.hubspot).access_token
        found.hubspot.add_portal(int(tenant.hubspot.external_id), token=token)
        found.salesforce.add_org(
            tenant.salesforce.external_id,
            username=f"admin@{tenant.word}.example.com",
            instance_host=f"{tenant.word}.my.salesforce.com",
            client_id=SALESFORCE_APP,
            client_secret=SALESFORCE_SECRET,
        )
    hubspot, salesforce = (
        create_hubspot(found.hubspot, clock, faults),
        create_salesforce(found.salesforce, clock, faults),
    )
    for app in (hubspot, salesforce):
        found.listen(app)
    with Server(hubspot) as hubspot_server, Server(salesforce) as salesforce_server:
        found.urls = {"HUBSPOT_API_URL": hubspot_server.url, "SALESFORCE_API_URL": salesforce_server.url}
        yield found
