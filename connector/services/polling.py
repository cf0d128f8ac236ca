"""How do we hear of what a CRM does not tell by itself, such as an invoice falling overdue?

A poll searches and puts what it finds into the inbox under a name made of its `once_per` values, so each happening
becomes one event however often it is found.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connector.domain.event_mapping import EventCatalogue, EventMapping, Poll
from connector.ports.crm import CRM, SearchFilter
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.queue import EVENTS
from connector.ports.time import Clock
from connector.services.crm_reading import acting_for
from connector.services.happenings import POLL, finding
from connector.services.needed_events import NeededEvents
from connector.services.search_turns import SearchTurns, Turn

LEASE = timedelta(minutes=10)
"""The largest search a CRM allows is 10,000 results: 50 pages at five a second, and time-outs on top."""

CHUNK = 500
"""Rows inserted in one transaction: short enough not to hold up the webhooks that share the ledger."""


class Poller:
    """Runs polls."""

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
        self._turns = SearchTurns(ledger, self._polls, "", LEASE, clock, rng)

    def poll_due(self) -> int:
        """Run every poll that is due; give how many new happenings were found."""
        now, new = self._clock.now(), 0
        while turns := self._turns.take(now, 1):  # one at a time: a lease is for one search
            new += sum(map(self._poll, turns))
        return new

    def _poll(self, turn: Turn[EventMapping]) -> int:
        """Search one account for one event and say when to search next; give how many happenings were new."""
        mapping = turn.search
        return self._turns.make(
            turn,
            _source(mapping).every,
            self._search,
            summary=f"The CRM refuses the search for {mapping.name}, which starts nothing until it is allowed",
            path=f"events.{mapping.name}.poll",
            file=mapping.file,
            line=mapping.line,
        )

    def _polls(self, uow: UnitOfWork, account: AccountRow) -> Sequence[EventMapping]:
        """Give the polls some journey needs: a search nobody needs costs a scope."""
        events = self._catalogue.by_crm.get(account.crm)
        if events is None:
            return ()
        wanted = self._needed.of(uow, account.id)
        return [mapping for mapping in events.polls() if mapping.name in wanted]

    def _search(self, turn: Turn[EventMapping]) -> int:
        begun, account, poll = self._clock.now(), turn.account, _source(turn.search)
        conditions = [each.at(begun) for each in poll.where]
        filters = [SearchFilter(each.property_name, each.operator, each.value) for each in conditions]
        crm = self._crms[account.crm]
        found = crm.search(acting_for(account), poll.object_type, filters, list(poll.once_per))
        rows = [self._row(account, turn.search, object_id, properties, begun) for object_id, properties in found]
        new = sum(self._keep(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK))
        self._next(turn, begun + self._turns.after(poll.every))
        return new

    def _row(
        self,
        account: AccountRow,
        mapping: EventMapping,
        object_id: str,
        properties: Mapping[str, str | None],
        now: datetime,
    ) -> InboxRow:
        once = f"{account.id}|{mapping.name}|{object_id}|{_source(mapping).discriminator(properties)}"
        return InboxRow(
            id=self._ledger.new_id(),
            account_id=account.id,
            source=POLL,
            external_id=hashlib.sha256(once.encode()).hexdigest(),
            body=json.dumps(finding(mapping, object_id, now)).encode(),
            context={},
            received_at=now,
        )

    def _keep(self, rows: Sequence[InboxRow]) -> int:
        with self._ledger.begin() as uow:
            new = uow.inbox.add(rows)
            if new:
                uow.nudge(EVENTS)
            uow.commit()
        return new

    def _next(self, turn: Turn[EventMapping], due_at: datetime) -> None:
        """Plan the next search from when this one began, so that a slow one does not stretch the interval."""
        with self._ledger.begin() as uow:
            uow.polls.next(turn.account.id, turn.search.name, due_at)
            uow.commit()


def _source(mapping: EventMapping) -> Poll:
    assert isinstance(mapping.source, Poll)  # noqa: S101 - `events.polls` gives no other
    return mapping.source
