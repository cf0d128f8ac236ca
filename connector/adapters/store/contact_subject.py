"""What in the ledger is one person's: which numbers, which texts and calls, and which raw events?

Its numbers go from the contact and from its texts at once, while what comes late is still found by them: so they are
noted beside the erasure until that ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from connector.adapters.secrets import Vault
from connector.adapters.store.cursors import SQLCursorRepository
from connector.adapters.store.raw_events import names_id, names_number, owners_of_attempts, owners_of_numbers, said_in
from connector.adapters.store.tables import contact, message, workflow_call
from connector.ports.erasing import numbers_note


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data is to go.

    Attributes:
        contact_id: ours.
        crm_id: the CRM's.
        numbers: those it has, had, or was texted at, E.164, but for those that another contact has.
    """

    account_id: str
    contact_id: str
    crm_id: str
    numbers: Sequence[str]


def subject_of(connection: Connection, erasure_id: str, account_id: str, contact_id: str) -> Subject | None:
    """Say whose data is to go; numbers that texts went to are noted, since they are emptied before the last look."""
    query = select(contact.c.crm_id).where(contact.c.account_id == account_id, contact.c.id == contact_id)
    crm_id = connection.execute(query).scalar()
    if crm_id is None:
        return None
    cursors, name = SQLCursorRepository(connection), numbers_note(erasure_id)
    noted = set((cursors.get(account_id, name) or "").split())
    texted = select(message.c.msisdn, message.c.updated_at).where(
        message.c.account_id == account_id,
        message.c.contact_id == contact_id,
        message.c.recipient != "owner",  # a text about the contact, to a number that is a rep's
        message.c.msisdn != "",
    )
    times = {row.msisdn: row.updated_at for row in connection.execute(texted)}
    if times.keys() - noted:
        cursors.set(account_id, name, " ".join(sorted(noted | times.keys())), max(times.values()))
    shared = select(contact.c.msisdn).where(
        contact.c.account_id == account_id, contact.c.id != contact_id, contact.c.msisdn.in_(noted | times.keys())
    )
    numbers = noted.union(times) - set(connection.execute(shared).scalars())
    return Subject(account_id, contact_id, crm_id, tuple(sorted(numbers)))


def concerning(connection: Connection, vault: Vault, rows: Sequence[Row[Any]], whose: Subject) -> list[Row[Any]]:
    """Pick the events that tell of the contact; a gateway's callback knows numbers only, which others may text too."""
    attempts = owners_of_attempts(connection, rows)
    owners = owners_of_numbers(connection, whose.numbers)
    only_ours = [each for each in whose.numbers if owners.get(each, set()) <= {whose.account_id}]
    texts = said_in(rows, vault)
    return [row for row in rows if _concerns(row, texts[row.id], whose, attempts.get(row.id), only_ours)]


def _concerns(row: Row[Any], text: str, whose: Subject, owner: str | None, only_ours: Sequence[str]) -> bool:
    """Tell whether an event tells of the contact; `only_ours` are its numbers that no other account has texted."""
    if row.account_id == whose.account_id:
        return names_number(text, whose.numbers) or names_id(text, whose.crm_id)
    if row.account_id is not None:
        return False
    if owner is None:
        return names_number(text, only_ours)
    return owner == whose.account_id and names_number(text, whose.numbers)


def texts_of(whose: Subject) -> ColumnElement[bool]:
    """Give the condition for a person's texts: the contact's, and those that only its number tells of."""
    by_number = and_(message.c.contact_id.is_(None), message.c.msisdn.in_(whose.numbers))
    return and_(message.c.account_id == whose.account_id, or_(message.c.contact_id == whose.contact_id, by_number))


def calls_of(whose: Subject) -> ColumnElement[bool]:
    """Give the condition for the calls of workflows about a contact, or about a record of which it got the text."""
    texts = select(message.c.id).where(message.c.account_id == whose.account_id, texts_of(whose))
    about = or_(workflow_call.c.object_id == whose.crm_id, workflow_call.c.message_id.in_(texts))
    return and_(workflow_call.c.account_id == whose.account_id, about)


def is_under_way(connection: Connection, whose: Subject) -> bool:
    """Tell whether a text of the person's has not ended, or a workflow waits for one."""
    texts = select(message.c.id).where(
        message.c.account_id == whose.account_id, texts_of(whose), message.c.msisdn != ""
    )
    calls = select(workflow_call.c.id).where(
        workflow_call.c.account_id == whose.account_id, calls_of(whose), workflow_call.c.state != "done"
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in (texts, calls))
