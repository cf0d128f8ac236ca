"""What happened in the CRM, in words that no longer depend on which CRM it was?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """A CRM record by kind and id, such as `deal:9001`."""

    object_type: str
    object_id: str

    def __str__(self) -> str:
        """Give `deal:9001`, the form kept in the ledger."""
        return f"{self.object_type}:{self.object_id}"

    @property
    def is_outside(self) -> bool:
        """Whether no CRM has it: a webhook's record, whose kind names the system first, such as `billing.invoice`."""
        return "." in self.object_type

    @classmethod
    def parse(cls, text: str) -> ObjectRef:
        """Read `deal:9001` back."""
        object_type, _, object_id = text.partition(":")
        return cls(object_type, object_id)


class ChangeKind(StrEnum):
    """What a CRM notice says about a record."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    MERGED = "merged"
    PRIVACY_DELETED = "privacy_deleted"
    RESTORED = "restored"  # taken out of the recycle bin
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """One webhook event of a CRM, understood as far as the CRM's own format goes; carries ids, not records."""

    ref: ObjectRef
    kind: ChangeKind
    occurred_at: datetime
    property_name: str | None = None
    property_value: str | None = None
    is_import: bool = False
    merged_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactSnapshot:
    """A CRM contact as read at one moment.

    Attributes:
        crm_id: the CRM's id of the contact.
        phones: phone numbers as typed, best first (mobile before landline), each with the property it came from.
        locale: language tag such as `de-AT`, or None.
        time_zone: IANA zone set on the contact, or None; never guessed from the number here.
        country: ISO 3166 alpha-2, or None; region for reading the phone.
        owner_id: the CRM's id of the owner, or None.
        attributes: everything the mapping reads, by our names (`name`, `first_name`, `email`, …).
        opted_out: an opt-out flag for SMS in the CRM, ours or one the account's settings name.
        opted_out_by: the field of the account's own that says so; empty where only our flag does.
        opted_in: a marketing opt-in recorded in the CRM.
        opted_in_at: when that was given, or None if the CRM does not say.
        opted_in_property: the property that says so.
        read_at: when the reading began, or None if it has just ended.
    """

    crm_id: str
    phones: tuple[tuple[str, str], ...] = ()
    locale: str | None = None
    time_zone: str | None = None
    country: str | None = None
    owner_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    opted_out: bool = False
    opted_out_by: str = ""
    opted_in: bool = False
    opted_in_at: datetime | None = None
    opted_in_property: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """A CRM user who owns records: our name for the rep."""

    owner_id: str
    name: str
    email: str
