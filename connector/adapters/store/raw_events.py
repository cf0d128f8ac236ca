"""Which raw events in the inbox tell of a number or a contact?

Callbacks of gateways lie there without an account, and bodies are sealed: so the bodies are opened one by one, in the
order of ids, which only an erasure does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import phonenumbers
from sqlalchemy import ColumnElement, Connection, Row, or_, select

from connector.adapters.secrets import Vault
from connector.adapters.store.inbox import inbox_row
from connector.adapters.store.opening import those_that_open
from connector.adapters.store.tables import attempt, message
from connector.adapters.store.tables import external_event as table

_BETWEEN = re.compile(r"[\s().\-/+%]")  # what people and URLs put between the digits of a number
_RUN = re.compile(r"\d{7,15}")  # E.164 has at most 15 digits, and no number we text fewer than seven


def events_after(connection: Connection, whose: ColumnElement[bool], after: str, limit: int) -> Sequence[Row[Any]]:
    """Read events behind an id, in the order of ids: handled ones, and callbacks of gateways that are not yet."""
    is_callback = or_(table.c.source.like("%.status"), table.c.source.like("%.inbound"))
    query = select(table).where(table.c.id > after, whose, or_(table.c.handled_at.is_not(None), is_callback))
    return connection.execute(query.order_by(table.c.id).limit(limit)).all()


def owners_of_attempts(connection: Connection, events: Collection[Row[Any]]) -> Mapping[str, str]:
    """Give the accounts, by event, whose attempts callbacks name."""
    named = {row.id: row.context.get("attempt_id") for row in events if row.context.get("attempt_id")}
    query = select(attempt.c.id, attempt.c.account_id).where(attempt.c.id.in_(set(named.values())))
    owners = {row.id: row.account_id for row in connection.execute(query)} if named else {}
    return {event_id: owners[attempt_id] for event_id, attempt_id in named.items() if attempt_id in owners}


def owners_of_numbers(connection: Connection, msisdns: Collection[str]) -> Mapping[str, set[str]]:
    """Give the accounts that have texted, or heard from, each of some numbers."""
    owners: dict[str, set[str]] = {}
    query = select(message.c.msisdn, message.c.account_id).where(message.c.msisdn.in_(msisdns)).distinct()
    for row in connection.execute(query) if msisdns else ():
        owners.setdefault(row.msisdn, set()).add(row.account_id)
    return owners


def said_in(rows: Sequence[Row[Any]], vault: Vault) -> Mapping[str, str]:
    """Give what events say, by their ids; empty for one that cannot be opened any more, by us or anybody."""
    opened = those_that_open("external_event", rows, lambda row: inbox_row(row, vault))
    texts = {event.id: event.body.decode("utf-8", "replace") for event in opened}
    return {row.id: texts.get(row.id, "") for row in rows}


def digit_runs(text: str) -> Iterator[str]:
    """Give every run of digits that may be a number, with what stands between digits left out."""
    yield from _RUN.findall(text)
    yield from _RUN.findall(_BETWEEN.sub("", text))


def names_id(text: str, crm_id: str) -> bool:
    """Tell whether a text has an id in it, and not as a part of a longer word."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(crm_id)}(?![A-Za-z0-9])", text) is not None


def names_number(text: str, msisdns: Sequence[str]) -> bool:
    """Tell whether a text has one of some numbers in it, however it is written."""
    digits = _BETWEEN.sub("", text)
    return any(national(each) in digits for each in msisdns)


def national(msisdn: str) -> str:
    """Give a number's digits without its country's prefix, as people type it."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(msisdn))
    except phonenumbers.NumberParseException:
        return msisdn.removeprefix("+")
