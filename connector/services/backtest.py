"""Who would have got what, had a journey run as its file says now on the events that really came?

Reads the raw events kept in the inbox, understands them with the event files as they are now, takes the values of
their records from what was recorded when they came, and plays them to the edited journey and, beside it, to the
published one. Replies and opt-outs are played when they really came.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from connector.domain.event import Owner
from connector.domain.event_mapping import EventCatalogue
from connector.domain.journey import Journey
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.contacts import ContactRow
from connector.ports.crm import CRM
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.services.consent import ConsentDesk, Saying
from connector.services.happenings import BACKFILL, POLL, WEBHOOK, happening
from connector.services.names import owner_id_of
from connector.services.needed_events import events_named
from connector.services.rehearsal import ConsentSaid, EventHappens, Happening, Rehearsal, ReplyComes

PAGE = 500
"""Raw events read together: some hundred kilobytes of memory, and a progress line about once a second."""

PLAYED_ON_FOR = timedelta(days=90)
"""How long after the last event those who are in the journey are followed; longer journeys are cut off there."""

_BEGINNING = ""


@dataclass(frozen=True, slots=True)
class Period:
    """The events to be played; `until` excluded."""

    since: datetime
    until: datetime


@dataclass(slots=True)
class Replayed:
    """How many events were read, and what became of those that could not be played.

    Attributes:
        total: to be read.
        read: read so far.
        played: those that mean something to the journeys compared.
        unrecorded: those that mean something, but of which no record's values were kept.
    """

    total: int = 0
    read: int = 0
    played: int = 0
    unrecorded: int = 0


@dataclass(frozen=True, slots=True)
class Past:
    """One account's past, ready to be played.

    Attributes:
        owners: by the CRM's id; one that is not in it is called "Owner".
    """

    ledger: Ledger
    account: AccountRow
    crm: CRM
    catalogue: EventCatalogue
    period: Period
    owners: Mapping[str, Owner] = field(default_factory=dict)


Progress = Callable[[Replayed], None]


def replay(past: Past, journeys: Sequence[Journey], stages: Sequence[Rehearsal], progress: Progress) -> Replayed:
    """Play an account's past on every stage; give how much of it could be played.

    Args:
        past: what is played.
        journeys: those compared; events that mean nothing to any of them are passed over.
        stages: where it is played, each with its own journey, all at the same times.
        progress: called after every page.
    """
    counts = Replayed()
    wanted = events_named(journeys)
    to_come: list[tuple[datetime, int, Happening]] = []
    order = count()
    seen: set[str] = set()
    with past.ledger.begin(write=False) as uow:
        for reply in _replies(uow, past):
            heapq.heappush(to_come, (reply.at, next(order), reply))
    for happenings, contacts in _pages(past, wanted, counts):
        new = [contact for contact in contacts if contact.id not in seen]
        seen.update(contact.id for contact in new)
        with past.ledger.begin(write=False) as uow:
            for said in _said(uow, past, new):
                heapq.heappush(to_come, (said.at, next(order), said))
        for each in happenings:
            heapq.heappush(to_come, (each.at, next(order), each))
        _play(stages, to_come, happenings[-1].at if happenings else past.period.since)
        progress(counts)
    _play(stages, to_come, past.period.until)
    for stage in stages:
        stage.advance(past.period.until + PLAYED_ON_FOR)
    return counts


def _play(stages: Sequence[Rehearsal], to_come: list[tuple[datetime, int, Happening]], until: datetime) -> None:
    while to_come and to_come[0][0] <= until:
        at, _, each = heapq.heappop(to_come)
        for stage in stages:
            stage.advance(at)
            stage.take(each)


# --- what happened ------------------------------------------------------------------------------------------------


def _pages(
    past: Past, wanted: frozenset[str], counts: Replayed
) -> Iterator[tuple[list[EventHappens], list[ContactRow]]]:
    sources, after = [past.account.crm, WEBHOOK, POLL, BACKFILL], _BEGINNING
    period = past.period
    with past.ledger.begin(write=False) as uow:
        counts.total = uow.past.count_raw_events(past.account.id, sources, period.since, period.until)
    while True:
        with past.ledger.begin(write=False) as uow:
            rows = uow.past.raw_events(past.account.id, sources, period.since, period.until, after, PAGE)
            if not rows:
                return
            found = _understood(uow, past, rows, wanted, counts)
        counts.read += len(rows)
        after = rows[-1].id
        contacts = {each.contact.id: each.contact for each in found if each.contact is not None}
        yield sorted(found, key=lambda each: each.at), list(contacts.values())


def _understood(
    uow: UnitOfWork, past: Past, rows: Sequence[InboxRow], named_events: frozenset[str], counts: Replayed
) -> list[EventHappens]:
    """Make happenings of raw events, with what was recorded of their records and contacts."""
    named = [
        (row, wanted.ref, mapping.name, each.is_import)
        for row in rows
        for each in [happening(row, past.crm, past.catalogue)]
        for mapping in each.events
        if mapping.name in named_events and (wanted := each.wanted(mapping)) is not None
    ]
    entries = uow.past.recorded(past.account.id, [(str(ref), f"{name}:{row.id}") for row, ref, name, _ in named])
    ids = {entry.contact_id for entry in entries.values() if entry.contact_id}
    contacts = uow.contacts.many(past.account.id, sorted(ids)) if ids else {}
    found = []
    for row, ref, name, is_import in named:
        entry = entries.get((str(ref), f"{name}:{row.id}"))
        if entry is None:
            counts.unrecorded += 1
            continue
        counts.played += 1
        contact = contacts.get(entry.contact_id or "")
        values = entry.data.get("values", {})
        owner = _owner(past, values, contact)
        found.append(
            EventHappens(row.received_at, name, ref, values, row.id, contact, owner, "as then", is_import, entry.at)
        )
    return found


def _owner(past: Past, values: Mapping[str, Mapping[str, object]], contact: ContactRow | None) -> Owner | None:
    owner_id = None if contact is None else owner_id_of(values, contact)
    return None if owner_id is None else past.owners.get(owner_id, Owner(owner_id, "Owner", ""))


def _replies(uow: UnitOfWork, past: Past) -> Iterator[ReplyComes]:
    for row in uow.past.replies(past.account.id, past.period.since, past.period.until):
        yield ReplyComes(row.created_at, row.msisdn, row.body, row.id)


def _said(uow: UnitOfWork, past: Past, contacts: Sequence[ContactRow]) -> Iterator[ConsentSaid]:
    """Give what was on record about consent before, at once, and what came otherwise than by a reply, when it came."""
    for contact in contacts:
        for event in uow.consents.history(past.account.id, contact.msisdn) if contact.msisdn else ():
            was_before = event.at < past.period.since
            if was_before or event.mechanism != Mechanism.KEYWORD:
                yield _saying(event, past.period.since if was_before else event.at)


def _saying(event: ConsentEvent, at: datetime) -> ConsentSaid:
    said = Saying(
        event.account_id, event.msisdn, Mechanism(event.mechanism), event.source, at, event.contact_id, event.wording
    )
    if event.kind is ConsentKind.OPT_OUT:
        return ConsentSaid(at, said, ConsentDesk.opt_out)
    if event.kind is ConsentKind.DOUBTFUL:
        return ConsentSaid(at, said, ConsentDesk.doubt)
    if event.scope is Scope.MARKETING:
        return ConsentSaid(at, said, lambda desk, uow, each, _now: desk.agree_to_marketing(uow, each))
    return ConsentSaid(at, said, ConsentDesk.opt_in)
