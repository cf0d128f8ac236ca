"""How do services read and write snapshots of CRM contacts?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact as we last read it.

    Attributes:
        msisdn: E.164, or None.
        msisdn_reason: which property it came from, or why there is no usable number.
        attributes: what the mapping reads, by our names.
        read_at: when the reading began.
    """

    id: str
    account_id: str
    crm: str
    crm_id: str
    msisdn: str | None = field(repr=False)
    msisdn_reason: str
    time_zone: str | None
    locale: str | None
    country: str | None
    owner_id: str | None
    attributes: Mapping[str, Any] = field(repr=False)
    read_at: datetime
    deleted_at: datetime | None = None


class ContactRepository(Protocol):
    """Contacts."""

    def save(self, contact: ContactRow) -> str:
        """Insert, or replace the snapshot with the same (account, crm, crm_id); give the row's id.

        A snapshot read before the one we have, or before the contact was deleted, changes nothing, and nothing ever
        revives a purged one.
        """
        ...

    def get(self, account_id: str, contact_id: str) -> ContactRow | None:
        """Read one by our id."""
        ...

    def many(self, account_id: str, contact_ids: Sequence[str]) -> Mapping[str, ContactRow]:
        """Read several by our ids."""
        ...

    def by_crm_ids(self, account_id: str, crm_ids: Sequence[str]) -> Mapping[str, ContactRow]:
        """Read those known, by the CRM's ids."""
        ...

    def with_number(self, account_id: str, msisdn: str) -> Sequence[ContactRow]:
        """Read every live contact that has a number."""
        ...

    def mark_deleted(self, account_id: str, crm_id: str, now: datetime) -> None:
        """Note that the CRM no longer has the contact."""
        ...

    def purge(self, account_id: str, crm_id: str, now: datetime) -> None:
        """Erase a contact whose data must go: its number and attributes, and what was written down about it to be done.

        That is what the CRM was to show, what other systems were to be told and what they answered, and where the
        contact's short links lead. What of it has not been done yet never is.

        The row stays as a tombstone: its id is named by messages and journeys.
        """
        ...
