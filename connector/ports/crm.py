"""What must every CRM adapter be able to do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from connector.domain.event import ChangeNotice, ContactSnapshot, Owner
from connector.domain.opt_out_fields import OptOutField
from connector.ports.crm_writing import RecordWrite, WriteResult

MISSING_SCOPES = "MISSING_SCOPES"
"""Category of a `CRMRefusedError` that holds until the account is given more rights; the message names them."""

HANDOFF = "sms_connector_handoff"
"""Our contact property that says which workflow a conversation was handed to, and when; a workflow of the CRM starts on
its change. Every adapter installs it under this name, with whatever its CRM adds to names."""

OPTED_IN_AT = "sms_connector_opted_in_at"
"""Our contact property that says when the contact agreed to marketing texts, likewise."""


@dataclass(frozen=True, slots=True)
class CRMAccount:
    """What an adapter needs to act for one account.

    Attributes:
        account_id: ours.
        external_id: portal or organisation id.
        settings: the account's settings, such as `default_region`.
    """

    account_id: str
    external_id: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """An associated record and how it is associated (`primary`, a label, or empty); `via` names a record between."""

    object_id: str
    labels: tuple[str, ...] = ()
    via: str = ""


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """One condition of a CRM search; `operator` is EQ, NEQ, LT, LTE, GT, GTE, IN or HAS_PROPERTY."""

    property_name: str
    operator: str
    value: str | tuple[str, ...] = ""


@dataclass(frozen=True, slots=True)
class ContactFields:
    """Which properties of contacts decide whom we may text, by the CRM's names.

    Attributes:
        phones: where numbers stand.
        opt_out: our own flag first, then those the account's settings name.
    """

    phones: frozenset[str]
    opt_out: tuple[OptOutField, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """When something of a record changed, and whether a bulk import did it."""

    at: datetime
    is_import: bool = False


@dataclass(frozen=True, slots=True)
class ChangedRecord:
    """A record that changed of late, as it is now.

    Attributes:
        properties: those asked for, as the CRM has them now.
        modified_at: when anything of it changed last.
        created: when it was made; None where the CRM does not say.
        changed: when each property got its present value; a property the CRM has no history of is absent.
    """

    object_id: str
    properties: Mapping[str, str | None]
    modified_at: datetime
    created: Change | None = None
    changed: Mapping[str, Change] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Some of the records that changed since a time.

    Attributes:
        next: what to ask for the next page with; empty when this was the last.
    """

    records: Sequence[ChangedRecord]
    next: str = ""


class CRM(Protocol):
    """One kind of CRM. Every method acts for one account and raises `CRMError`s only."""

    slug: str

    def read_notice(self, body: Mapping[str, Any]) -> ChangeNotice | None:
        """Understand one stored webhook event; None for a kind we have no use for."""
        ...

    def read_records(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, Mapping[str, str | None]]:
        """Read raw properties of many records, in batches; ids that do not exist are absent from the answer."""
        ...

    def read_contacts(
        self, account: CRMAccount, ids: Sequence[str], attributes: Mapping[str, str]
    ) -> Mapping[str, ContactSnapshot]:
        """Read contacts; `attributes` maps our attribute names to CRM properties. Missing ids are absent."""
        ...

    def associated_contacts(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], *, through: str = ""
    ) -> Mapping[str, Sequence[Link]]:
        """Give the contacts associated with each record, in the CRM's order.

        A record without any gets those of the first record of the kind `through` that it belongs to, such as its
        `company`: its primary contacts first, with `via` saying whose they are.
        """
        ...

    def search(
        self,
        account: CRMAccount,
        object_type: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
    ) -> Sequence[tuple[str, Mapping[str, str | None]]]:
        """Find records that meet all filters, every page of them, as (id, properties)."""
        ...

    def search_page(
        self,
        account: CRMAccount,
        object_type: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
        *,
        after: str = "",
    ) -> Sequence[tuple[str, Mapping[str, str | None]]]:
        """Find the next page of records that meet all filters, in the order of their ids, behind the id `after`.

        For what is too much to be held at once. Empty at the end.
        """
        ...

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
        """Give the next page of the records that changed at `since` or later, the longest unchanged first.

        A walk begins with no `after` and goes on with each page's `next`. It meets every record that changed before it
        began, however many changed in the same moment; one that changes meanwhile may be met twice. A search index
        lags behind some seconds or minutes: begin the next walk a little before the last one began.

        Args:
            account: whose records.
            object_type: our name of their kind.
            properties: whose values and, where the CRM keeps one, history are wanted.
            since: when the walk begins.
            after: the `next` of the page before.
            filters: further conditions, all to be met.
        """
        ...

    def stage_labels(self, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        """Map internal pipeline-stage ids to the names people see."""
        ...

    def owners(self, account: CRMAccount) -> Mapping[str, Owner]:
        """Give every owner by id."""
        ...

    def find_contacts_by_number(self, account: CRMAccount, e164: str) -> Sequence[str]:
        """Find ids of all contacts that carry this number in any phone property, compared as E.164.

        The one that changed last comes first.
        """
        ...

    def find_contacts_by_email(
        self, account: CRMAccount, emails: Sequence[str], property_name: str
    ) -> Mapping[str, Sequence[str]]:
        """Find ids of all contacts with one of up to 100 e-mail addresses in a property; capitals make no difference.

        By the address in small letters, the one that changed last first, as by number; an address nobody has is absent.
        """
        ...

    def create_contact(self, account: CRMAccount, e164: str, ref: str) -> str:
        """Give the id of a contact with a number: the one that is there, or else a new one.

        Repeating it is harmless once the CRM's search has caught up, about a minute after a lost answer.

        Args:
            account: whose.
            e164: its mobile number.
            ref: our short reference, under which the call can be traced in the CRM.

        Raises:
            CRMAmbiguousError: no answer came; the contact may exist now.
        """
        ...

    def contact_fields(self, account: CRMAccount) -> ContactFields:
        """Say which properties of contacts hold numbers and opt-outs; makes no call."""
        ...

    def mistakes_in_settings(self, account: CRMAccount) -> Mapping[str, str]:
        """Say which settings of the account name fields of people, or values of them, that can never say anything.

        By setting, `opt_out_fields` or `phone_fields`, in one sentence for the admin; empty when nothing is wrong.
        """
        ...

    def create(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        """Create up to 100 records of one kind in one call; one result per row.

        Raises:
            CRMAmbiguousError: no answer came; any row may exist now: use `find_written`.
        """
        ...

    def update(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        """Update up to 100 records of one kind in one call; repeating it is harmless."""
        ...

    def find_written(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Mapping[str, str]:
        """Look up which of `rows` exist already, by our reference on the contact's records: ref → CRM id."""
        ...

    def set_opt_out(
        self, account: CRMAccount, contact_ids: Sequence[str], *, opted_out: bool, at: datetime, source: str
    ) -> Sequence[WriteResult]:
        """Set the opt-out properties on up to 100 contacts in one call; `ref` of a result is the contact id.

        Args:
            account: whose contacts.
            contact_ids: theirs.
            opted_out: what the flag says from now on.
            at: since when.
            source: how that came, in words for people.
        """
        ...

    def set_properties(
        self, account: CRMAccount, object_type: str, values: Mapping[str, Mapping[str, str]]
    ) -> Sequence[WriteResult]:
        """Write properties of up to 100 records of one kind in one call; `ref` of a result is the record's id.

        `values` maps record ids to properties, by the CRM's own names. Repeating it is harmless. A record with one
        property that the CRM does not take is refused as a whole.
        """
        ...

    def install(self, account: CRMAccount) -> Mapping[str, Any]:
        """Create our property group and properties if absent; give facts for the account's settings
        (`name`, `time_zone`, `currency` …).
        """
        ...
