"""How is what the ledger holds of one contact emptied, where a row has to stay because others name it?

What stays: that there were texts, when, through which gateway and what they cost; that somebody was in a journey; and
the opt-out of a number with the words that made it, which the law wants kept. What goes: words, numbers, names,
whatever was read of the CRM, and raw events that tell of the contact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, delete, null, or_, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.contact_subject import Subject, calls_of, concerning, is_under_way, subject_of, texts_of
from connector.adapters.store.erasures import SQLErasureRepository
from connector.adapters.store.message_rows import BODY_COLUMN
from connector.adapters.store.raw_events import events_after
from connector.adapters.store.tables import (
    answer_count,
    consent_event,
    cursor,
    enrollment,
    external_event,
    message,
    number_lookup,
    suppression,
    timeline_entry,
    workflow_call,
)
from connector.adapters.store.workflows import INPUTS_COLUMN
from connector.ports.consents import ConsentKind
from connector.ports.erasing import numbers_note

_UNDER_WAY = ("held", "queued", "dispatching", "unknown")
"""Texts that still go, or that a gateway is still asked about by number and words."""

_EVENTS = 5000
"""Raw events looked through in one transaction: opening one takes microseconds."""


class SQLContactData:
    """What is kept of a contact; see `connector.ports.erasing.ContactData`.

    How far the inbox was looked through is kept in this process, so that it is opened once, however long a text is
    waited for. Another process begins anew.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault
        self._after: dict[str, str] = {}
        self._awaited: dict[str, set[str]] = {}  # events about the contact that nobody has handled yet

    def empty(
        self, erasure_id: str, account_id: str, contact_id: str, limit: int, lease_until: datetime, *, is_last: bool
    ) -> Mapping[str, int]:
        """Empty a batch of what is kept of a contact and count it; empty when nothing is left."""
        with self._engine.begin() as connection:
            whose = subject_of(connection, erasure_id, account_id, contact_id)
            if whose is None:
                return {}
            gone = self._events(connection, erasure_id, whose) if is_last else {}
            gone = gone or _rest(connection, self._vault, whose, limit)
            counted = {name: rows for name, rows in gone.items() if name}
            SQLErasureRepository(connection).count(erasure_id, counted, lease_until)
        return gone

    def end_contact(self, erasure_id: str, account_id: str, contact_id: str) -> bool:
        """Forget the contact's numbers; False while something about it is under way."""
        if self._awaited.get(erasure_id):
            return False
        with self._engine.begin() as connection:
            whose = subject_of(connection, erasure_id, account_id, contact_id)
            if whose is not None and is_under_way(connection, whose):
                return False
            name = numbers_note(erasure_id)
            connection.execute(delete(cursor).where(cursor.c.account_id == account_id, cursor.c.name == name))
        self._after.pop(erasure_id, None)
        self._awaited.pop(erasure_id, None)
        return True

    def _events(self, connection: Connection, erasure_id: str, whose: Subject) -> Mapping[str, int]:
        """Delete raw events that tell of the contact, and remember those that somebody still has to understand."""
        theirs = or_(external_event.c.account_id == whose.account_id, external_event.c.account_id.is_(None))
        rows = events_after(connection, theirs, self._after.get(erasure_id, ""), _EVENTS)
        if rows:
            self._after[erasure_id] = rows[-1].id
        else:
            rows = self._handled_since(connection, erasure_id)
        if not rows:
            return {}
        found = concerning(connection, self._vault, rows, whose)
        ids = [row.id for row in found if row.handled_at is not None]
        self._awaited.setdefault(erasure_id, set()).update(row.id for row in found if row.handled_at is None)
        if ids:
            connection.execute(delete(external_event).where(external_event.c.id.in_(ids)))
        return {"external_event": len(ids), "": len(rows) - len(ids)}

    def _handled_since(self, connection: Connection, erasure_id: str) -> Sequence[Row[Any]]:
        """Read the events that were waited for and are handled now."""
        awaited = self._awaited.get(erasure_id, set())
        query = select(external_event).where(external_event.c.id.in_(awaited))
        rows = connection.execute(query).all() if awaited else []
        self._awaited[erasure_id] = {row.id for row in rows if row.handled_at is None}
        return [row for row in rows if row.handled_at is not None]


def _rest(connection: Connection, vault: Vault, whose: Subject, limit: int) -> Mapping[str, int]:
    """Empty the next kind of row that has something of the contact."""
    for part in (_lookups, _consents, _calls, _entries, _enrollments, _habits, _texts):
        gone = part(connection, vault, whose, limit)
        if any(gone.values()):
            return gone
    return {}


def _texts(connection: Connection, vault: Vault, whose: Subject, limit: int) -> Mapping[str, int]:
    """Take words and number out of texts that are done with; the number marks those that are not emptied yet."""
    awaited = select(workflow_call.c.message_id).where(
        workflow_call.c.account_id == whose.account_id,
        workflow_call.c.message_id.is_not(None),
        workflow_call.c.state != "done",  # its number still tells whose call it is
    )
    query = select(message.c.id).where(
        message.c.account_id == whose.account_id,
        texts_of(whose),
        message.c.msisdn != "",
        message.c.state.not_in(_UNDER_WAY),
        message.c.id.not_in(awaited),
    )
    ids = connection.execute(query.order_by(message.c.id).limit(limit)).scalars().all()
    nothing = vault.seal("", account=whose.account_id, column=BODY_COLUMN)
    values = {"msisdn": "", "body_sealed": nothing, "callback_url_sealed": null(), "order_fingerprint": ""}
    return _changed(connection, message, ids, values)


def _entries(connection: Connection, _vault: Vault, whose: Subject, limit: int) -> Mapping[str, int]:
    """Take what decisions saw out of the trace; that they were made, and why, stays."""
    table = timeline_entry
    mine = select(table.c.id, table.c.data).where(
        table.c.account_id == whose.account_id, table.c.contact_id == whose.contact_id
    )
    ids = [row.id for row in connection.execute(mine) if row.data][:limit]
    return _changed(connection, table, ids, {"data": {}})


def _enrollments(connection: Connection, _vault: Vault, whose: Subject, limit: int) -> Mapping[str, int]:
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


def _consents(connection: Connection, _vault: Vault, whose: Subject, limit: int) -> Mapping[str, int]:
    """Take consent away, but for opt-outs of numbers that are suppressed: of those what no suppression rests on."""
    return _opt_ins(connection, whose, limit) or _wordings(connection, whose, limit)


def _opt_ins(connection: Connection, whose: Subject, limit: int) -> Mapping[str, int]:
    """Delete consent that suppresses nothing: without its number it says nothing of anybody."""
    table = consent_event
    rested_on = select(suppression.c.consent_event_id).where(suppression.c.account_id == whose.account_id)
    suppressed = select(suppression.c.msisdn).where(suppression.c.account_id == whose.account_id)
    query = select(table.c.id).where(
        table.c.account_id == whose.account_id,
        table.c.msisdn.in_(whose.numbers),
        table.c.id.not_in(rested_on),
        or_(table.c.kind != ConsentKind.OPT_OUT.value, table.c.msisdn.not_in(suppressed)),
    )
    ids = connection.execute(query.limit(limit)).scalars().all()
    if ids:
        connection.execute(delete(table).where(table.c.account_id == whose.account_id, table.c.id.in_(ids)))
    return {table.name: len(ids)} if ids else {}


def _wordings(connection: Connection, whose: Subject, limit: int) -> Mapping[str, int]:
    """Take the words out of consent that stays, but for those a suppression rests on."""
    table = consent_event
    kept = select(suppression.c.consent_event_id).where(suppression.c.account_id == whose.account_id)
    query = select(table.c.id).where(
        table.c.account_id == whose.account_id,
        or_(table.c.contact_id == whose.contact_id, table.c.msisdn.in_(whose.numbers)),
        or_(table.c.wording_sealed.is_not(None), table.c.asked_sealed.is_not(None)),
        table.c.id.not_in(kept),
    )
    ids = connection.execute(query.limit(limit)).scalars().all()
    return _changed(connection, table, ids, {"wording_sealed": null(), "asked_sealed": null()})


def _calls(connection: Connection, vault: Vault, whose: Subject, limit: int) -> Mapping[str, int]:
    """Take what a workflow filled in out of its calls; `inputs` of an emptied one cannot be told, so the reason is."""
    table = workflow_call
    query = select(table.c.id).where(
        table.c.account_id == whose.account_id,
        calls_of(whose),
        table.c.state == "done",
        table.c.error != _EMPTIED,
    )
    ids = connection.execute(query.limit(limit)).scalars().all()
    nothing = vault.seal("{}", account=whose.account_id, column=INPUTS_COLUMN)
    return _changed(connection, table, ids, {"inputs_sealed": nothing, "error": _EMPTIED})


_EMPTIED = "erased on request of the CRM"


def _lookups(connection: Connection, _vault: Vault, whose: Subject, _limit: int) -> Mapping[str, int]:
    """Delete what was found out about numbers nobody else has."""
    table = number_lookup
    theirs = table.c.account_id == whose.account_id, table.c.msisdn.in_(whose.numbers)
    return {table.name: connection.execute(delete(table).where(*theirs)).rowcount}


def _habits(connection: Connection, _vault: Vault, whose: Subject, _limit: int) -> Mapping[str, int]:
    """Delete at which hours the contact answers."""
    table = answer_count
    theirs = table.c.account_id == whose.account_id, table.c.scope == f"contact:{whose.contact_id}"
    return {table.name: connection.execute(delete(table).where(*theirs)).rowcount}


def _changed(connection: Connection, table: Table, ids: Sequence[str], values: Mapping[str, Any]) -> Mapping[str, int]:
    if ids:
        connection.execute(update(table).where(table.c.id.in_(ids)).values(values))
    return {table.name: len(ids)}
