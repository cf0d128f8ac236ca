"""Which parts let accounts in, change them, and let them out again?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cached_property

from connector.adapters.crm.hubspot.installing import HubSpotInstalling
from connector.adapters.crm.hubspot.tokens import PortalTokens
from connector.adapters.crm.locks import RedisLocks
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.salesforce.installing import SalesforceInstalling
from connector.adapters.fingerprints import HMACFingerprints
from connector.adapters.store.contact_data import SQLContactData
from connector.adapters.store.tenant_data import SQLTenantData
from connector.bootstrap.texting_parts import TextingParts
from connector.ports.installing import OAuthDoor
from connector.services.account_settings import AccountSettings
from connector.services.erasing import Eraser
from connector.services.installing import Installer
from connector.services.leaving import Departures

_SECRET_BYTES = 64  # PKCE wants 43 to 128 characters (RFC 7636, 4.1); these are 86


class InstallingParts(TextingParts):
    """Everything about the beginning and the end of accounts."""

    @cached_property
    def oauth_doors(self) -> Mapping[str, OAuthDoor]:
        """The way in and out of every CRM, by slug."""
        doors = (self._hubspot_installing, self._salesforce_installing)
        return {door.slug: door for door in doors}

    @cached_property
    def _hubspot_installing(self) -> HubSpotInstalling:
        settings = self.settings
        tokens = PortalTokens(
            ledger=self.ledger,
            clock=self.clock,
            locks=RedisLocks(self.redis),
            http=self._crm_http,
            url=settings.hubspot_api_url,
            version=settings.hubspot_api_version,
            app=_app(settings.hubspot_client_id, settings.hubspot_client_secrets, needs_secret=True),
        )
        return HubSpotInstalling(tokens)

    @cached_property
    def _salesforce_installing(self) -> SalesforceInstalling:
        settings = self.settings
        return SalesforceInstalling(
            ledger=self.ledger,
            http=self._crm_http,
            app=_app(settings.salesforce_client_id, settings.salesforce_client_secrets, needs_secret=False),
            login_url=settings.salesforce_login_url,
            url=settings.salesforce_api_url,
        )

    @cached_property
    def installer(self) -> Installer:
        """Installs from the CRMs whose app this connector has."""
        has_app = {
            "hubspot": self._hubspot_installing.tokens.app is not None,
            "salesforce": self._salesforce_installing.app is not None,
        }
        offered = {slug: door for slug, door in self.oauth_doors.items() if has_app[slug]}
        public_url = self.settings.public_url
        return Installer(self.ledger, offered, self.accounts, self.clock, public_url, _new_secret)

    @cached_property
    def departures(self) -> Departures:
        """Ends accounts."""
        return Departures(self.ledger, self.oauth_doors, self.clock)

    @cached_property
    def account_settings(self) -> AccountSettings:
        """Keeps the settings of accounts."""
        return AccountSettings(self.ledger, self.crms)

    @cached_property
    def eraser(self) -> Eraser:
        """Erases accounts' and contacts' data."""
        tenants = SQLTenantData(self.ledger.engine, self.ledger.vault)
        contacts = SQLContactData(self.ledger.engine, self.ledger.vault)
        return Eraser(self.ledger, tenants, contacts, HMACFingerprints(self.settings.secret_keys), self.clock)


def _new_secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _app(client_id: str, client_secrets: tuple[str, ...], *, needs_secret: bool) -> OAuthApp | None:
    """Give our app's credentials; a public client of Salesforce's has no secret."""
    return OAuthApp(client_id, client_secrets) if client_id and (client_secrets or not needs_secret) else None
