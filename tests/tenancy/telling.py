"""What does something tell, down to its last field, and has anything of a tenant's changed?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.memory.shelves import Shelf
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, SQLUnitOfWork
from connector.ports.ledger import Ledger, UnitOfWork
from tests.tenancy.owners import Tenant


def told(thing: Any) -> str:
    """Write something out whole: fields that a `repr` leaves out are told too."""
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return " ".join(f"{each.name}={told(getattr(thing, each.name))}" for each in dataclasses.fields(thing))
    if isinstance(thing, Mapping):
        return " ".join(f"{told(name)}: {told(value)}" for name, value in thing.items())
    if isinstance(thing, bytes):
        return thing.decode("latin-1")
    if isinstance(thing, Iterable) and not isinstance(thing, str):
        return " ".join(told(each) for each in thing)
    return str(thing)


def leaked(tenant: Tenant, said: Any, *, asked: str = "") -> set[str]:
    """Give the words of a tenant's that were said; what was asked for by them may be called by them."""
    text, known = told(said).lower(), asked.lower()
    return {word for word in tenant.words if word.lower() in text and word.lower() not in known}


def belongings(ledger: Ledger, tenant: Tenant) -> list[str]:
    """Write out every row of a tenant's, of whatever table, in a fixed order."""
    if isinstance(ledger, MemoryLedger):
        return sorted(_in_memory(ledger, tenant))
    assert isinstance(ledger, SQLLedger)
    with ledger.engine.connect().execution_options(writes=False) as connection:
        return sorted(_in_tables(connection, tenant))


def belongings_now(ledger: Ledger, uow: UnitOfWork, tenant: Tenant) -> list[str]:
    """Write them out as a unit of work sees them that has not committed."""
    if isinstance(uow, SQLUnitOfWork):
        return sorted(_in_tables(uow._connection, tenant))
    return belongings(ledger, tenant)


def _in_tables(connection: Connection, tenant: Tenant) -> Iterator[str]:
    for table in metadata.sorted_tables:
        for row in connection.execute(select(table)):
            if is_of(tenant, table, row._mapping):
                yield f"{table.name}: {row!r}"


def is_of(tenant: Tenant, table: Table, row: Mapping[Any, Any]) -> bool:
    """Tell whose a row is: its account's, or for an account and the parts of an attempt its id's."""
    owner = next(name for name in ("account_id", "attempt_id", "id") if name in table.c)
    return str(row[owner]).startswith(f"{tenant.word}-")


def _in_memory(ledger: MemoryLedger, tenant: Tenant) -> Iterator[str]:
    for shelf in shelves(ledger):
        for key, row in shelf.rows.items():
            if _owner(key, row).startswith(f"{tenant.word}-"):
                yield f"{told(key)} => {told(row)}"


def _owner(key: Any, row: Any) -> str:
    """Tell whose a row in memory is: it or what it holds says so, or the key does, or the id of what it is part of."""
    for holder in (row, getattr(row, "row", None), getattr(row, "entry", None)):
        for name in ("account_id", "attempt_id", "link_id"):
            if hasattr(holder, name):
                return str(getattr(holder, name))
    known = next((each[0] for each in (key, row) if isinstance(each, tuple)), key)
    return str(known)


def shelves(thing: Any, seen: set[int] | None = None) -> Iterator[Shelf[Any]]:
    """Find every shelf of a ledger in memory, wherever a repository keeps it."""
    seen = set() if seen is None else seen
    if id(thing) in seen or not type(thing).__module__.startswith("connector.adapters.memory"):
        return
    seen.add(id(thing))
    if isinstance(thing, Shelf):
        yield thing
    for part in vars(thing).values() if hasattr(thing, "__dict__") else ():
        yield from shelves(part, seen)
