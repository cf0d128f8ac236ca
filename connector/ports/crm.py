"""What must every CRM adapter be able to do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from connector.domain.event import ChangeNotice, ContactSnapshot, ObjectRef, Owner
from connector.errors import CRMError

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


class RecordKind(StrEnum):
    """Kinds of CRM record we write."""

    COMMUNICATION = "communication"
    TASK = "task"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """One CRM record as it should stand.

    Attributes:
        ref: our short reference, unique per account; appears in the body so that a lost answer can be looked up.
        crm_record_id: the CRM's id when the record exists already.
        contact_crm_id: the contact on whose timeline it stands.
        associations: further records it belongs to, such as the deal.
        title: for tasks.
        body: plain text; the adapter escapes it.
        at: its place on the timeline; for a task, when it is due.
        queue_id: for a task, the CRM's id of the queue it waits in.
        is_call: for a task, that somebody is to ring the contact up.
    """

    ref: str
    kind: RecordKind
    contact_crm_id: str
    body: str
    at: datetime
    title: str = ""
    priority: str = ""
    owner_id: str | None = None
    associations: tuple[ObjectRef, ...] = ()
    crm_record_id: str | None = None
    queue_id: str = ""
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one row of a batch: an id, or the error that refused it."""

    ref: str
    crm_record_id: str | None = None
    error: CRMError | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """An associated record and how it is associated (`primary`, a label, or empty)."""

    object_id: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """One condition of a CRM search; `operator` is EQ, NEQ, LT, LTE, GT, GTE, IN or HAS_PROPERTY."""

    property_name: str
    operator: str
    value: str | tuple[str, ...] = ""


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
        self, account: CRMAccount, object_type: str, ids: Sequence[str]
    ) -> Mapping[str, Sequence[Link]]:
        """Give the contacts associated with each record, in the CRM's order."""
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

    def stage_labels(self, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        """Map internal pipeline-stage ids to the names people see."""
        ...

    def owners(self, account: CRMAccount) -> Mapping[str, Owner]:
        """Give every owner by id."""
        ...

    def find_contacts_by_number(self, account: CRMAccount, e164: str) -> Sequence[str]:
        """Find ids of all contacts that carry this number in any phone property, compared as E.164."""
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
