"""How is what the ledger holds of one contact emptied, where a row has to stay because others name it?

What stays: that there were texts, when, through which gateway and what they cost; that somebody was in a journey; and
the opt-out of a number with the words that made it, which the law wants kept. What goes: words, numbers, names,
whatever was read of the CRM, and raw events that tell of the contact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, null, or_, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.erasures import SQLErasureRepository
from connector.adapters.store.message_rows import BODY_COLUMN
from connector.adapters.store.raw_events import handled_after, names_id, names_number, text_of
from connector.adapters.store.tables import (
    answer_count,
    consent_event,
    contact,
    enrollment,
    external_event,
    message,
    number_lookup,
    suppression,
    timeline_entry,
    workflow_call,
)
from connector.adapters.store.workflows import INPUTS_COLUMN

_UNDER_WAY = ("held", "queued", "dispatching", "unknown")
"""Texts that still go, or that a gateway is still asked about by number and words."""

_EVENTS = 5000
"""Raw events looked through in one transaction: opening one takes microseconds."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data is to go.

    Attributes:
        contact_id: ours.
        crm_id: the CRM's.
    """

    account_id: str
    contact_id: str
    crm_id: str


class SQLContactData:
    """What is kept of a contact; see `connector.ports.erasing.ContactData`."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault
        self._after: dict[str, str] = {}
        self._looked_through: set[str] = set()

    def empty(
        self, erasure_id: str, account_id: str, contact_id: str, limit: int, lease_until: datetime
    ) -> Mapping[str, int]:
        """Empty a batch of what is kept of a contact and count it; empty when nothing is left."""
        with self._engine.begin() as connection:
            query = select(contact.c.crm_id).where(contact.c.account_id == account_id, contact.c.id == contact_id)
            crm_id = connection.execute(query).scalar()
            if crm_id is None:
                return {}
            whose = Subject(account_id, contact_id, crm_id)
            gone = self._events(connection, erasure_id, whose) or _rest(connection, self._vault, whose, limit)
            counted = {name: rows for name, rows in gone.items() if name}
            SQLErasureRepository(connection).count(erasure_id, counted, lease_until)
        return gone

    def _events(self, connection: Connection, erasure_id: str, whose: Subject) -> Mapping[str, int]:
        """Delete raw events that tell of the contact, before its numbers are gone."""
        if erasure_id in self._looked_through:
            return {}
        theirs = or_(external_event.c.account_id == whose.account_id, external_event.c.account_id.is_(None))
        rows = handled_after(connection, theirs, self._after.get(erasure_id, ""), _EVENTS)
        if not rows:
            self._looked_through.add(erasure_id)
            self._after.pop(erasure_id, None)
            return {}
        self._after[erasure_id] = rows[-1].id
        numbers = _numbers(connection, whose)
        ids = [row.id for row in rows if _concerns(row, self._vault, whose, numbers)]
        if ids:
            connection.execute(delete(external_event).where(external_event.c.id.in_(ids)))
        return {"external_event": len(ids), "": len(rows) - len(ids)}

    def look_again(self, erasure_id: str, account_id: str, contact_id: str) -> bool:
        """Begin anew with the raw events, of which some may have come meanwhile; False while texts are under way."""
        self._looked_through.discard(erasure_id)
        query = select(message.c.id).where(
            message.c.account_id == account_id, message.c.contact_id == contact_id, message.c.msisdn != ""
        )
        with self._engine.connect() as connection:
            return connection.execute(query.limit(1)).first() is None


def _concerns(row: Any, vault: Vault, whose: Subject, numbers: Sequence[str]) -> bool:
    """Tell whether an event tells of the contact; a gateway's callback knows numbers only."""
    text = text_of(row, vault)
    is_ours = row.account_id == whose.account_id
    return names_number(text, numbers) or (is_ours and names_id(text, whose.crm_id))


def _numbers(connection: Connection, whose: Subject) -> Sequence[str]:
    """Give the numbers the contact's texts went to, but for those that another contact has."""
    query = select(message.c.msisdn).where(
        message.c.account_id == whose.account_id, message.c.contact_id == whose.contact_id, message.c.msisdn != ""
    )
    shared = select(contact.c.msisdn).where(contact.c.account_id == whose.account_id, contact.c.msisdn.is_not(None))
    return connection.execute(query.where(message.c.msisdn.not_in(shared)).distinct()).scalars().all()


def _rest(connection: Connection, vault: Vault, whose: Subject, limit: int) -> Mapping[str, int]:
    """Empty the next kind of row that has something of the contact."""
    numbers = _numbers(connection, whose)
    for part in (_lookups, _consents, _calls, _entries, _enrollments, _habits, _texts):
        gone = part(connection, vault, whose, numbers, limit)
        if any(gone.values()):
            return gone
    return {}


def _texts(
    connection: Connection, vault: Vault, whose: Subject, _numbers: Sequence[str], limit: int
) -> Mapping[str, int]:
    """Take words and number out of texts that are done with; the number marks those that are not emptied yet."""
    query = select(message.c.id).where(
        message.c.account_id == whose.account_id,
        message.c.contact_id == whose.contact_id,
        message.c.msisdn != "",
        message.c.state.not_in(_UNDER_WAY),
    )
    ids = connection.execute(query.order_by(message.c.id).limit(limit)).scalars().all()
    nothing = vault.seal("", account=whose.account_id, column=BODY_COLUMN)
    values = {"msisdn": "", "body_sealed": nothing, "callback_url_sealed": null(), "order_fingerprint": ""}
    return _changed(connection, message, ids, values)


def _entries(
    connection: Connection, _vault: Vault, whose: Subject, _numbers: Sequence[str], limit: int
) -> Mapping[str, int]:
    """Take what decisions saw out of the trace; that they were made, and why, stays."""
    table = timeline_entry
    mine = select(table.c.id, table.c.data).where(
        table.c.account_id == whose.account_id, table.c.contact_id == whose.contact_id
    )
    ids = [row.id for row in connection.execute(mine) if row.data][:limit]
    return _changed(connection, table, ids, {"data": {}})


def _enrollments(
    connection: Connection, _vault: Vault, whose: Subject, _numbers: Sequence[str], limit: int
) -> Mapping[str, int]:
    """Take what a journey knew out of enrollments that have ended; where they stood stays."""
    table = enrollment
    mine = select(table.c.id, table.c.state).where(
        table.c.account_id == whose.account_id, table.c.contact_id == whose.contact_id, table.c.status != "live"
    )
    found = [(row.id, _only_cursor(row.state)) for row in connection.execute(mine)]
    todo = [(row_id, state) for row_id, (state, is_done) in found if not is_done][:limit]
    for row_id, state in todo:
        connection.execute(update(table).where(table.c.id == row_id).values(state=state))
    return {table.name: len(todo)}


def _only_cursor(state: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    cursor = (state.get("run") or {}).get("cursor", "")
    kept = {"run": {"cursor": cursor}}
    return kept, state == kept


def _consents(
    connection: Connection, _vault: Vault, whose: Subject, _numbers: Sequence[str], limit: int
) -> Mapping[str, int]:
    """Take the words out of consent, but for those a suppression rests on."""
    table = consent_event
    kept = select(suppression.c.consent_event_id).where(suppression.c.account_id == whose.account_id)
    query = select(table.c.id).where(
        table.c.account_id == whose.account_id,
        table.c.contact_id == whose.contact_id,
        or_(table.c.wording_sealed.is_not(None), table.c.asked_sealed.is_not(None)),
        table.c.id.not_in(kept),
    )
    ids = connection.execute(query.limit(limit)).scalars().all()
    return _changed(connection, table, ids, {"wording_sealed": null(), "asked_sealed": null()})


def _calls(
    connection: Connection, vault: Vault, whose: Subject, _numbers: Sequence[str], limit: int
) -> Mapping[str, int]:
    """Take what a workflow filled in out of its calls; `inputs` of an emptied one cannot be told, so the reason is."""
    table = workflow_call
    query = select(table.c.id).where(
        table.c.account_id == whose.account_id,
        table.c.object_id == whose.crm_id,
        table.c.state == "done",
        table.c.error != _EMPTIED,
    )
    ids = connection.execute(query.limit(limit)).scalars().all()
    nothing = vault.seal("{}", account=whose.account_id, column=INPUTS_COLUMN)
    return _changed(connection, table, ids, {"inputs_sealed": nothing, "error": _EMPTIED})


_EMPTIED = "erased on request of the CRM"


def _lookups(
    connection: Connection, _vault: Vault, whose: Subject, numbers: Sequence[str], _limit: int
) -> Mapping[str, int]:
    """Delete what was found out about numbers nobody else has."""
    table = number_lookup
    theirs = table.c.account_id == whose.account_id, table.c.msisdn.in_(numbers)
    return {table.name: connection.execute(delete(table).where(*theirs)).rowcount if numbers else 0}


def _habits(
    connection: Connection, _vault: Vault, whose: Subject, _numbers: Sequence[str], _limit: int
) -> Mapping[str, int]:
    """Delete at which hours the contact answers."""
    table = answer_count
    theirs = table.c.account_id == whose.account_id, table.c.scope == f"contact:{whose.contact_id}"
    return {table.name: connection.execute(delete(table).where(*theirs)).rowcount}


def _changed(connection: Connection, table: Table, ids: Sequence[str], values: Mapping[str, Any]) -> Mapping[str, int]:
    if ids:
        connection.execute(update(table).where(table.c.id.in_(ids)).values(values))
    return {table.name: len(ids)}
