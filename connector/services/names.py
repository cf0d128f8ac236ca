"""What do conditions and texts of a journey see?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connector.domain.event import Owner
from connector.domain.event_mapping import ContactMapping
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow

Values = Mapping[str, Mapping[str, Any]]


def names_of(
    account: AccountRow,
    mapping: ContactMapping,
    contact: ContactRow,
    owner: Owner | None,
    values: Values,
    event: Mapping[str, Any],
) -> dict[str, Any]:
    """Give `contact.*`, `owner.*`, `account.*`, the trigger's records and `event.*`."""
    return {
        **values,
        "contact": mapping.values(contact.crm_id, contact.attributes),
        "owner": owner_names(owner),
        "account": {
            "id": account.external_id,
            "name": account.settings.get("name") or account.name,
            **_known(account.settings),
        },
        "event": event,
    }


def event_names(name: str, occurred_at: datetime, values: Values, object_id: str) -> dict[str, Any]:
    """Give what `event.*` means while an event is looked at: its name, its time, its record's id and its records."""
    return {**values, "name": name, "occurred_at": occurred_at, "id": object_id}


def reply_names(text: str, at: datetime) -> dict[str, Any]:
    """Give what `last_reply.*` means for a reply."""
    return {"text": text, "at": at}


def owner_names(owner: Owner | None) -> dict[str, Any]:
    """Give what `owner.*` means; nothing has a value when there is no owner."""
    if owner is None:
        return {}
    return {
        "id": owner.owner_id,
        "name": owner.name,
        "first_name": owner.name.partition(" ")[0] or None,
        "email": owner.email,
    }


def owner_id_of(values: Values, contact: ContactRow) -> str | None:
    """Give the owner meant by `owner`: the trigger's record's own one, else the contact's."""
    for record in values.values():
        if record.get("owner_id"):
            return str(record["owner_id"])
    return contact.owner_id


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings.get(name) for name in ("time_zone", "currency")}
