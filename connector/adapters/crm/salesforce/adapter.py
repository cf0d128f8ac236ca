"""How does Salesforce stand behind the CRM port?"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from connector.adapters.crm.locks import Locks
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.remembering import Memory
from connector.adapters.crm.salesforce.calls import OrgCalls
from connector.adapters.crm.salesforce.changes import OrgChanges
from connector.adapters.crm.salesforce.clients import OrgClients
from connector.adapters.crm.salesforce.collections import Collections
from connector.adapters.crm.salesforce.consents import OrgConsents
from connector.adapters.crm.salesforce.contacts import OrgContacts, contact_fields
from connector.adapters.crm.salesforce.fields import OrgFields
from connector.adapters.crm.salesforce.limits import OrgLimits, Usage
from connector.adapters.crm.salesforce.metadata_api import MetadataAPI
from connector.adapters.crm.salesforce.notices import read_notice
from connector.adapters.crm.salesforce.org_facts import OrgFacts
from connector.adapters.crm.salesforce.properties import OrgProperties
from connector.adapters.crm.salesforce.records import OrgRecords
from connector.adapters.crm.salesforce.setting_checks import SettingChecks
from connector.adapters.crm.salesforce.tokens import OrgTokens
from connector.adapters.crm.salesforce.writing import OrgWriting
from connector.domain.event import ChangeNotice, ContactSnapshot, Owner
from connector.ports.crm import ChangePage, ContactFields, CRMAccount, Link, SearchFilter
from connector.ports.crm_writing import RecordWrite, WriteResult
from connector.ports.ledger import Ledger
from connector.ports.time import Clock

log = logging.getLogger(__name__)

_DESCRIBED_FOR = timedelta(hours=1)  # a description is large; what it lacks makes a call fail, and that asks anew
_FACTS_FOR = timedelta(minutes=5)  # how long a renamed stage may go unseen


class SalesforceCRM:
    """The `CRM` port for Salesforce organisations. Thread-safe; one serves a whole process.

    Call it outside of write transactions: it reads accounts, and a token refresh writes one.

    Attributes:
        metadata: makes what organisations tell us with.
        tokens: of every account.

    Args:
        ledger: where accounts and their tokens are.
        clock: for remembered answers and the day's calls.
        locks: for token refreshes.
        http: for the OAuth endpoint.
        app: the app's credentials; None when no account has a refresh token.
        url: of a double that stands for every organisation's own address.
    """

    slug = "salesforce"

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        locks: Locks,
        http: httpx.Client,
        app: OAuthApp | None = None,
        url: str = "",
    ) -> None:
        self._clock = clock
        self._limits = OrgLimits(clock)
        self.tokens = tokens = OrgTokens(ledger, clock, locks, http, app, url)
        calls = OrgCalls(OrgClients(tokens, self._limits.note, url), self._limits)
        self.metadata = MetadataAPI(calls, tokens)
        fields, collections = OrgFields(calls, Memory(clock, _DESCRIBED_FOR)), Collections(calls)
        self._checks = SettingChecks(fields)
        self._facts = OrgFacts(calls, fields, Memory(clock, _FACTS_FOR))
        self._records = OrgRecords(calls, fields)
        self._contacts = OrgContacts(self._records)
        self._changes = OrgChanges(self._records)
        consents = OrgConsents(self._records, collections, fields)
        self._properties = OrgProperties(collections, fields, self._contacts, consents)
        self._writing = OrgWriting(calls, fields, self._facts, self._contacts)

    def read_notice(self, body: Mapping[str, Any]) -> ChangeNotice | None:
        """Understand one notification of an outbound message."""
        return read_notice(body, self._clock.now())

    def read_records(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, Mapping[str, str | None]]:
        """Read fields of records; empty ones, and those the organisation does not have, are None."""
        return self._records.read(account, object_type, ids, properties)

    def read_contacts(
        self, account: CRMAccount, ids: Sequence[str], attributes: Mapping[str, str]
    ) -> Mapping[str, ContactSnapshot]:
        """Read contacts and leads; one that was merged or converted answers with what it became."""
        return self._contacts.read(account, ids, attributes)

    def associated_contacts(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], *, through: str = ""
    ) -> Mapping[str, Sequence[Link]]:
        """Give each record's people; a record without any is absent, unless it may go `through` its `company`."""
        return self._records.contacts_of(account, object_type, ids, through)

    def search(
        self,
        account: CRMAccount,
        object_type: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
    ) -> Sequence[tuple[str, Mapping[str, str | None]]]:
        """Find records that meet all filters; a search for contacts finds leads as well."""
        return self._records.search(account, object_type, filters, properties)

    def search_page(
        self,
        account: CRMAccount,
        object_type: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
        *,
        after: str = "",
    ) -> Sequence[tuple[str, Mapping[str, str | None]]]:
        """Find up to 2,000 records that meet all filters, behind the id `after`."""
        return self._records.search_page(account, object_type, filters, properties, after)

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
        """Give up to 2,000 records that changed since a time; of contacts, leads as well."""
        return self._changes.since(account, object_type, properties, since, after, filters)

    def stage_labels(self, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        """Map stages and statuses to labels, up to five minutes old."""
        return self._facts.stage_labels(account, object_type)

    def owners(self, account: CRMAccount) -> Mapping[str, Owner]:
        """Give active users by id, up to five minutes old."""
        return self._facts.owners(account)

    def find_contacts_by_number(self, account: CRMAccount, e164: str) -> Sequence[str]:
        """Find contacts and leads by number, as it is in this moment."""
        return self._contacts.find_by_number(account, e164)

    def find_contacts_by_email(
        self, account: CRMAccount, emails: Sequence[str], property_name: str
    ) -> Mapping[str, Sequence[str]]:
        """Find contacts and leads by e-mail address."""
        return self._contacts.find_by_email(account, emails, property_name)

    def create_contact(self, account: CRMAccount, e164: str, ref: str) -> str:
        """Give the contact or lead with a number, a new lead if need be."""
        return self._contacts.create(account, e164, ref)

    def contact_fields(self, account: CRMAccount) -> ContactFields:
        """Say which fields of contacts and leads hold numbers and opt-outs."""
        return contact_fields(account)

    def mistakes_in_settings(self, account: CRMAccount) -> Mapping[str, str]:
        """Compare the settings with what the organisation shows us of contacts and leads now."""
        return self._checks.mistakes(account)

    def create(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        """Create Tasks, and the texts they stand for; 200 rows are two calls."""
        return self._writing.create(account, rows)

    def update(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        """Update Tasks, and the texts they stand for."""
        return self._writing.update(account, rows)

    def find_written(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Mapping[str, str]:
        """Look up which rows exist."""
        return self._writing.find_written(account, rows)

    def set_opt_out(
        self, account: CRMAccount, contact_ids: Sequence[str], *, opted_out: bool, at: datetime, source: str
    ) -> Sequence[WriteResult]:
        """Set the opt-out fields of contacts and leads."""
        return self._properties.set_opt_out(account, contact_ids, opted_out=opted_out, at=at, source=source)

    def set_properties(
        self, account: CRMAccount, object_type: str, values: Mapping[str, Mapping[str, str]]
    ) -> Sequence[WriteResult]:
        """Write fields; somebody who was merged or converted is followed."""
        return self._properties.set_properties(account, object_type, values)

    def install(self, account: CRMAccount) -> Mapping[str, Any]:
        """Look for our package's fields, which only its installation makes, and for those the account's settings name;
        give the organisation's name and zone.

        What is missing stands under `missing_fields`, emptied once nothing is: without the package texts go out all
        the same, stand on the timeline as Tasks, and opt-outs are kept in our ledger alone.
        """
        lacking = self._properties.lacking(account)
        if lacking:
            log.warning(
                "account %s lacks fields of our package or of its settings: %s", account.account_id, ", ".join(lacking)
            )
        return {**self._facts.settings(account), "missing_fields": lacking}

    def usage(self, account: CRMAccount) -> Usage | None:
        """Give how many of the day's API calls the organisation said were used, None before its first answer."""
        return self._limits.usage(account.account_id)
