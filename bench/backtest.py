"""How many events of the past does a backtest play in a minute, and how much of that is reading them?"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench.report import Figure
from bench.sending import Runner, in_own_process
from bench.texts import connector_of, prepare_ledger
from bench.world import World
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.rehearsing import Backtester
from connector.services.backtest import PAGE, Past, Period
from connector.services.happenings import POLL

JOURNEY, EVENT = "invoice-overdue", "invoice.overdue"
_CONTACTS = 4000
_DAYS = 7
_TOGETHER = 500
_ENROLLS_EVERY = 3  # the others owe too little for the journey's `where`
_A_MINUTE = 60.0


def measure(world: World, events: int, run: Runner = in_own_process) -> list[Figure]:
    """Fill a ledger with a week's events, read them, and play them to one version and to two."""
    environment = world.environment("backtest")
    account_id = run(_fill, environment, events)
    reading = run(_reading, environment, account_id)
    alone = run(_playing, environment, account_id, False)
    compared = run(_playing, environment, account_id, True)
    told = f"{events:,} events of a week, every third enrolls for three texts; CPU time of one process"
    return [
        Figure(
            "backtest",
            "events per minute, backtested",
            events / alone * _A_MINUTE,
            "events/min",
            floor=events / reading * _A_MINUTE,
            floor_is="the same rows read and decrypted, and nothing done with them",
            note=told,
        ),
        Figure(
            "backtest",
            "the same, compared with what is published",
            events / compared * _A_MINUTE,
            "events/min",
            aim="≥ 20000",
            note=told,
        ),
    ]


def _fill(environment: Mapping[str, str], events: int) -> str:
    """Make a ledger in which a week's events have come; give its account's id."""
    account_id = prepare_ledger(environment, [str(index) for index in range(_CONTACTS)]).account_id
    began = datetime.now(UTC) - timedelta(days=_DAYS)
    with connector_of(environment) as connector:
        ledger = connector.ledger
        with ledger.begin(write=False) as uow:
            contacts = uow.contacts.by_crm_ids(account_id, [str(index) for index in range(_CONTACTS)])
        for start in range(0, events, _TOGETHER):
            numbers = range(start, min(start + _TOGETHER, events))
            rows = [_raw(account_id, ledger.new_id(), each, began + _spread(each, events)) for each in numbers]
            entries = [
                _entry(row, each, contacts[str(each % _CONTACTS)].id) for row, each in zip(rows, numbers, strict=True)
            ]
            with ledger.begin() as uow:
                uow.inbox.add(rows)
                uow.inbox.finish([row.id for row in rows], "bench", datetime.now(UTC), account_id)
                uow.timeline.add(entries)
                uow.commit()
    return account_id


def _spread(each: int, events: int) -> timedelta:
    return timedelta(days=_DAYS) * (each / events)


def _raw(account_id: str, row_id: str, each: int, at: datetime) -> InboxRow:
    body = json.dumps({"event": EVENT, "id": str(each), "occurred_at": at.isoformat()}).encode()
    return InboxRow(row_id, account_id, POLL, hashlib.sha256(body).hexdigest(), body, {}, at)


def _entry(row: InboxRow, each: int, contact_id: str) -> TimelineEntry:
    ref, at = f"invoice:{each}", row.received_at
    invoice = {
        "id": str(each),
        "number": f"INV-{each}",
        "title": "Boiler service",
        "status": "open",
        "balance_due": Decimal(5 if each % _ENROLLS_EVERY else 120),
        "currency": "USD",
        "due_on": at.date(),
        "due_at": at,
        "link": "https://pay.example.com/i/7",
    }
    return TimelineEntry(
        account_id=row.account_id or "",
        kind=EntryKind.EVENT_RECEIVED,
        subject=ref,
        discriminator=f"{EVENT}:{row.id}",
        at=at,
        summary=f"{EVENT} of {ref}: bench",
        contact_id=contact_id,
        ref=ref,
        data={"event": EVENT, "values": {"invoice": invoice}, "is_import": False},
    )


def _reading(environment: Mapping[str, str], account_id: str) -> float:
    """Read and decrypt every event as a backtest does; give the seconds of CPU it took."""
    with connector_of(environment) as connector:
        ledger, period = connector.ledger, _period()
        return _cpu(lambda: [None for page in _pages(ledger.begin, account_id, period) for _ in page])


def _pages(
    begin: Callable[..., UnitOfWork], account_id: str, period: Period
) -> Iterator[Mapping[tuple[str, str], TimelineEntry]]:
    after = ""
    while True:
        with begin(write=False) as uow:
            rows = uow.past.raw_events(account_id, [POLL], period.since, period.until, after, PAGE)
            found = [(json.loads(row.body)["id"], row.id) for row in rows]
            yield uow.past.recorded(account_id, [(f"invoice:{each}", f"{EVENT}:{row_id}") for each, row_id in found])
        if len(rows) < PAGE:
            return
        after = rows[-1].id


def _playing(environment: Mapping[str, str], account_id: str, is_compared: bool) -> float:
    """Backtest a shipped journey, alone or beside itself as published; give the seconds of CPU it took."""
    with connector_of(environment) as connector:
        with connector.ledger.begin(write=False) as uow:
            account: AccountRow = uow.accounts.get(account_id)
        shelf = connector.journey_files().journeys
        past = Past(connector.ledger, account, connector.crms[account.crm], connector.catalogue, _period())
        published = {JOURNEY: shelf[JOURNEY]} if is_compared else {}
        tester = Backtester(past, shelf, published, connector.settings)
        return _cpu(lambda: tester.test(shelf[JOURNEY], lambda _replayed: None))


def _period() -> Period:
    now = datetime.now(UTC)
    return Period(now - timedelta(days=_DAYS + 1), now)


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
