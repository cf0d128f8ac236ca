"""What happened in a CRM that no webhook told us of?

Every quarter of an hour each account's records that changed since the last look are walked along, a page at a time, and
compared with what we heard. What is missing goes into the inbox as a change that a poll found; whatever else comes of
it is up to those who read the inbox, who know what was told twice. Opt-outs that people set in the CRM are looked for
first. After an outage of our own everything is due at once.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connector.domain.event import ChangeNotice
from connector.domain.event_mapping import EventCatalogue, OnChange
from connector.domain.opt_out_fields import OptOutField, merged_fields
from connector.ports.crm import CRM, ChangePage
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.queue import EVENTS
from connector.ports.time import Clock
from connector.services.crm_reading import acting_for
from connector.services.events import ACTIVE
from connector.services.happenings import BACKFILL, missed
from connector.services.missed_changes import Walk, missing_changes
from connector.services.needed_events import NeededEvents
from connector.services.search_turns import SearchTurns, Turn

EVERY = timedelta(minutes=15)
"""How long a change may go unheard of; 100 searches a day and kind of record are nothing to any CRM's limits."""

LAG = timedelta(minutes=5)
"""A CRM's search index lags behind some seconds, in bad hours minutes: each walk begins that much before the last."""

REACH = timedelta(days=7)
"""No walk for events goes further back: what is older than a day is only noted, and a week of notes tells enough."""

LEASE = timedelta(minutes=5)
"""A page is one search and, where histories are read, four more calls of at most 15 seconds each."""

AT_ONCE = 4
"""Walks that are claimed together: so many pages, each of 75 seconds at worst, end within the lease."""

KIND = "backfill"
_OPT_OUT = "opt-out"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)  # an opt-out holds however old it is


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a walk stands: since when it looks, when it began, and what its next page is asked for with."""

    since: datetime
    begun: datetime
    after: str = ""

    @classmethod
    def read(cls, text: str) -> _Place:
        held = json.loads(text)
        return cls(datetime.fromisoformat(held["since"]), datetime.fromisoformat(held["begun"]), held["after"])

    def write(self) -> str:
        return json.dumps({"since": self.since.isoformat(), "begun": self.begun.isoformat(), "after": self.after})

    def next(self, page: ChangePage) -> _Place:
        """Give the place behind a page: the next page, or a new walk from a little before this one began."""
        return replace(self, after=page.next) if page.next else _Place(self.begun - LAG, self.begun)


class BackFill:
    """Finds what webhooks missed."""

    def __init__(
        self,
        ledger: Ledger,
        crms: Mapping[str, CRM],
        catalogue: EventCatalogue,
        needed: NeededEvents,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._ledger, self._crms, self._catalogue, self._clock = ledger, crms, catalogue, clock
        self._needed = needed
        self._turns = SearchTurns(ledger, self._walks, KIND, LEASE, clock, rng)

    def fill_due(self) -> bool:
        """Look at one page of some accounts that are due; tell whether any was: more may wait."""
        turns = self._turns.take(self._clock.now(), AT_ONCE)
        for turn in turns:
            what = f"The CRM refuses the search for changes that webhooks missed ({turn.search.name})"
            self._turns.make(turn, EVERY, self._look, summary=what)
        return bool(turns)

    def hasten(self, uow: UnitOfWork, account: AccountRow) -> None:
        """Have an account looked at at once, for something is known to be missing; part of the caller's transaction."""
        now = self._clock.now()
        for walk in self._walks(uow, account) if account.status == ACTIVE else ():
            uow.polls.ensure(account.id, walk.name, now)
            uow.polls.next(account.id, walk.name, now)

    def _walks(self, uow: UnitOfWork, account: AccountRow) -> Sequence[Walk]:
        """Give what an account is to be searched for, opt-outs first; nothing that no journey needs."""
        events = self._catalogue.by_crm.get(account.crm)
        if events is None:
            return ()
        fields = merged_fields(self._crms[account.crm].contact_fields(acting_for(account)).opt_out)
        flags = [Walk(_name_of(field), field.object_type, opt_out=field) for field in fields]
        wanted = self._needed.of(uow, account.id)
        told = [each for each in events.events.values() if isinstance(each.source, OnChange) and each.name in wanted]
        kinds = dict.fromkeys(each.object_type for each in told)
        changes = [
            Walk(f"{KIND}:{kind}", kind, tuple(each for each in told if each.object_type == kind)) for kind in kinds
        ]
        return (*flags, *changes)

    def _look(self, turn: Turn[Walk]) -> int:
        """Look at one page, and say when to look at the next; give how much is missing."""
        account, walk, now = turn.account, turn.search, self._clock.now()
        with self._ledger.begin(write=False) as uow:
            kept = uow.cursors.get(account.id, walk.name)
        if kept is None and walk.opt_out is None:
            due = now + self._turns.after(EVERY)
            self._keep(account, walk, [], _Place(now, now), due)  # what was before us is history
            return 0
        place = _Place(_EVER, now) if kept is None else _Place.read(kept)
        if not place.after:
            place = _Place(place.since if walk.opt_out is not None else max(place.since, now - REACH), now)
        page = self._crms[account.crm].changed_since(
            acting_for(account), walk.object_type, walk.properties, place.since, after=place.after, filters=walk.filters
        )
        with self._ledger.begin(write=False) as uow:
            notices = list(missing_changes(uow, account, walk, page.records, place.since))
        rows = [self._row(account, notice, now) for notice in notices]
        self._keep(account, walk, rows, place.next(page), now if page.next else now + self._turns.after(EVERY))
        return len(rows)

    def _keep(self, account: AccountRow, walk: Walk, rows: Sequence[InboxRow], place: _Place, due: datetime) -> None:
        """Write down what was found together with how far was looked."""
        with self._ledger.begin() as uow:
            if rows and uow.inbox.add(rows):
                uow.nudge(EVENTS)
            uow.cursors.set(account.id, walk.name, place.write(), self._clock.now())
            uow.polls.next(account.id, walk.name, due)
            uow.commit()

    def _row(self, account: AccountRow, notice: ChangeNotice, now: datetime) -> InboxRow:
        body = json.dumps(missed(notice), sort_keys=True)
        identity = hashlib.sha256(f"{account.id}|{body}".encode()).hexdigest()
        return InboxRow(self._ledger.new_id(), account.id, BACKFILL, identity, body.encode(), {}, now)


def _name_of(field: OptOutField) -> str:
    """Name the walk for a field; with other values it is another walk, which begins anew."""
    values = hashlib.sha256(json.dumps(sorted(field.values)).encode()).hexdigest()[:8]
    return f"{KIND}:{_OPT_OUT}:{field.object_type}.{field.property_name}:{values}"
