"""Which polls and timers are missing?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from connector.ports.ledger import Ledger, UnitOfWork


def plan_missing(
    ledger: Ledger, kind: str, wanted: Callable[[UnitOfWork], Iterable[tuple[str, str]]], now: datetime
) -> bool:
    """Plan those of a kind that are wanted and not planned yet, due at once; tell whether any was.

    Looking is one query and writes nothing; what is planned already is left as it is.

    Args:
        ledger: where polls are kept.
        kind: as `ports.polls` has it.
        wanted: gives (account, event) pairs; called inside a transaction that only reads.
        now: when they are due.
    """
    with ledger.begin(write=False) as uow:
        missing = sorted({*wanted(uow)} - {*uow.polls.planned(kind)})
    if missing:
        with ledger.begin() as uow:
            for account_id, event in missing:
                uow.polls.ensure(account_id, event, now)
            uow.commit()
    return bool(missing)
