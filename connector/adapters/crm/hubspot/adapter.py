"""How does HubSpot stand behind the CRM port?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from connector.adapters.crm.hubspot.calls import PortalCalls
from connector.adapters.crm.hubspot.changes import PortalChanges
from connector.adapters.crm.hubspot.contacts import PortalContacts, contact_fields
from connector.adapters.crm.hubspot.dated_client import DatedClients
from connector.adapters.crm.hubspot.limits import PortalLimits
from connector.adapters.crm.hubspot.portal_facts import KEPT_FOR, PortalFacts
from connector.adapters.crm.hubspot.properties import PortalProperties
from connector.adapters.crm.hubspot.records import PortalRecords
from connector.adapters.crm.hubspot.setting_checks import mistakes_in
from connector.adapters.crm.hubspot.tokens import PortalTokens
from connector.adapters.crm.hubspot.webhooks import read_notice
from connector.adapters.crm.hubspot.workflows import PortalWorkflows
from connector.adapters.crm.hubspot.writing import PortalWriting
from connector.adapters.crm.locks import Locks
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.remembering import Memory
from connector.domain.event import ChangeNotice, ContactSnapshot, Owner
from connector.ports.crm import ChangePage, ContactFields, CRMAccount, Link, SearchFilter
from connector.ports.crm_writing import RecordWrite, WriteResult
from connector.ports.ledger import Ledger
from connector.ports.queue import RateLimiter
from connector.ports.time import Clock
from connector.ports.workflows import Completion, CompletionResult

API_URL = "https://api.hubapi.com"
API_VERSION = "2026-09"


class HubSpotCRM:
    """The `CRM` port for HubSpot portals. Thread-safe; one serves a whole process.

    Call it outside of write transactions: it reads accounts, and a token refresh writes one.

    Args:
        ledger: where accounts and their tokens are.
        clock: for token lifetimes and remembered answers.
        limiter: the rate buckets shared by all processes.
        locks: for token refreshes.
        http: for the OAuth endpoint.
        app: the app's credentials; None when all accounts have private-app tokens.
        url: of HubSpot's API, or of a double.
        version: of the API.
        sleep: waits for a permit, two seconds at most.
    """

    slug = "hubspot"

    def __init__(  # noqa: PLR0913 - each is a part the composition root chooses
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        limiter: RateLimiter,
        locks: Locks,
        http: httpx.Client,
        app: OAuthApp | None = None,
        url: str = API_URL,
        version: str = API_VERSION,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        tokens = PortalTokens(ledger, clock, locks, http, url, version, app)
        calls = PortalCalls(tokens, DatedClients(url, version), PortalLimits(limiter, sleep))
        self._records = PortalRecords(calls)
        self._facts = PortalFacts(calls, Memory(clock, KEPT_FOR))
        self._contacts = PortalContacts(self._records, self._facts)
        self._changes = PortalChanges(self._records)
        self._properties = PortalProperties(calls)
        self._writing = PortalWriting(calls, self._records)
        self._workflows = PortalWorkflows(calls)

    def read_notice(self, body: Mapping[str, Any]) -> ChangeNotice | None:
        """Understand one webhook event."""
        return read_notice(body)

    def read_records(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, Mapping[str, str | None]]:
        """Read properties of records; empty ones are None."""
        return self._records.read(account, object_type, ids, properties)

    def read_contacts(
        self, account: CRMAccount, ids: Sequence[str], attributes: Mapping[str, str]
    ) -> Mapping[str, ContactSnapshot]:
        """Read contacts; one that was merged away answers with what it became."""
        return self._contacts.read(account, ids, attributes)

    def associated_contacts(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], *, through: str = ""
    ) -> Mapping[str, Sequence[Link]]:
        """Give each record's contacts, or those of the record it belongs to; a record without any is absent."""
        return self._records.contacts_of(account, object_type, ids, through)

    def search(
        self,
        account: CRMAccount,
        object_type: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
    ) -> Sequence[tuple[str, Mapping[str, str | None]]]:
        """Find records that meet all of up to five filters; times may be given as ISO 8601."""
        return list(self._records.search(account, object_type, [filters], properties))

    def search_page(
        self,
        account: CRMAccount,
        object_type: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
        *,
        after: str = "",
    ) -> Sequence[tuple[str, Mapping[str, str | None]]]:
        """Find up to 200 records that meet all of up to five filters, behind the id `after`."""
        return self._records.search_page(account, object_type, [filters], properties, after)

    def changed_since(
        self,
        account: CRMAccount,
        object_type: str,
        properties: Sequence[str],
        since: datetime,
        *,
        after: str = "",
        filters: Sequence[SearchFilter] = (),
    ) -> ChangePage:
        """Give up to 200 records that changed since a time, with the history of their properties."""
        return self._changes.since(account, object_type, properties, since, after, filters)

    def stage_labels(self, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        """Map stage ids to labels, up to five minutes old."""
        return self._facts.stage_labels(account, object_type)

    def owners(self, account: CRMAccount) -> Mapping[str, Owner]:
        """Give owners by id, up to five minutes old."""
        return self._facts.owners(account)

    def find_contacts_by_number(self, account: CRMAccount, e164: str) -> Sequence[str]:
        """Find contacts by number; HubSpot's search may lag some seconds behind a change."""
        return self._contacts.find_by_number(account, e164)

    def find_contacts_by_email(
        self, account: CRMAccount, emails: Sequence[str], property_name: str
    ) -> Mapping[str, Sequence[str]]:
        """Find contacts by e-mail address, in one search."""
        return self._contacts.find_by_email(account, emails, property_name)

    def create_contact(self, account: CRMAccount, e164: str, ref: str) -> str:
        """Give the contact with a number, a new one if need be."""
        return self._contacts.create(account, e164, ref)

    def contact_fields(self, account: CRMAccount) -> ContactFields:
        """Say which properties of contacts hold numbers and opt-outs."""
        return contact_fields(account)

    def mistakes_in_settings(self, account: CRMAccount) -> Mapping[str, str]:
        """Compare the settings with the portal's contact properties, as they are now."""
        return mistakes_in(account.settings, self._properties.definitions(account))

    def create(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        """Create records."""
        return self._writing.create(account, rows)

    def update(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        """Update records."""
        return self._writing.update(account, rows)

    def find_written(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Mapping[str, str]:
        """Look up which rows exist."""
        return self._writing.find_written(account, rows)

    def set_opt_out(
        self, account: CRMAccount, contact_ids: Sequence[str], *, opted_out: bool, at: datetime, source: str
    ) -> Sequence[WriteResult]:
        """Set the opt-out properties."""
        return self._writing.set_opt_out(account, contact_ids, opted_out=opted_out, at=at, source=source)

    def set_properties(
        self, account: CRMAccount, object_type: str, values: Mapping[str, Mapping[str, str]]
    ) -> Sequence[WriteResult]:
        """Write properties; a record that HubSpot merged into another answers under its new id."""
        return self._writing.set_properties(account, object_type, values)

    def complete_calls(self, account: CRMAccount, completions: Sequence[Completion]) -> Sequence[CompletionResult]:
        """Let workflows that wait for us go on; see `connector.ports.workflows.WorkflowCRM`."""
        return self._workflows.complete(account, completions)

    def install(self, account: CRMAccount) -> Mapping[str, Any]:
        """Create our property group and properties; give the portal's name, time zone and currency.

        Under `missing_fields` stand properties that the account's settings name and the portal does not have.
        """
        missing = self._properties.install(account)
        return {**self._facts.settings(account), "missing_fields": missing}
