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

import structlog

from connector.domain.event_mapping import EventCatalogue, EventMapping, Poll
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError
from connector.ports.crm import CRM, CRMAccount, SearchFilter
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.queue import EVENTS
from connector.ports.time import Clock
from connector.services.events import ACTIVE
from connector.services.happenings import POLL, finding
from connector.services.needed_events import NeededEvents

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=10)
"""The largest search a CRM allows is 10,000 results: 50 pages at five a second, and time-outs on top."""

CHUNK = 500
"""Rows inserted in one transaction: short enough not to hold up the webhooks that share the ledger."""

_SPREAD = 0.1  # accounts connected together do not search together for ever


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
        self._ledger, self._crms, self._catalogue, self._clock, self._rng = ledger, crms, catalogue, clock, rng
        self._needed = needed

    def poll_due(self) -> int:
        """Run every poll that is due; give how many new happenings were found."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            for account in uow.accounts.all():
                for mapping in self._polls(uow, account):
                    uow.polls.ensure(account.id, mapping.name, now)
            due = uow.polls.claim(now, now + LEASE)
            uow.commit()
        return sum(self.poll(account_id, event) for account_id, event in due)

    def poll(self, account_id: str, event: str) -> int:
        """Search one account for one event and say when to search next; give how many happenings were new."""
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
            mapping = next((each for each in self._polls(uow, account) if each.name == event), None)
        if mapping is None or not isinstance(mapping.source, Poll):
            return 0
        every, begun = mapping.source.every, self._clock.now()
        try:
            found = self._search(account, mapping, mapping.source, begun)
        except CRMDisconnectedError as error:
            self._disconnect(account, error)
            return 0
        except CRMRefusedError as error:
            self._refused(account, mapping, error, begun)
            self._next(account_id, event, begun, every)
            return 0
        except CRMError as error:
            log.warning("poll.failed", account_id=account_id, poll=event, status=error.status)
            back = error.retry_after / (1 - _SPREAD) if error.retry_after else every  # no spread makes it earlier
            self._next(account_id, event, begun, back)
            return 0
        new = sum(self._keep(found[start : start + CHUNK]) for start in range(0, len(found), CHUNK))
        self._next(account_id, event, begun, every)
        return new

    def _polls(self, uow: UnitOfWork, account: AccountRow) -> Sequence[EventMapping]:
        """Give the polls some journey needs: a search nobody needs costs a scope."""
        events = self._catalogue.by_crm.get(account.crm)
        if events is None or account.status != ACTIVE:
            return ()
        wanted = self._needed.of(uow, account.id)
        return [mapping for mapping in events.polls() if mapping.name in wanted]

    def _search(self, account: AccountRow, mapping: EventMapping, poll: Poll, now: datetime) -> list[InboxRow]:
        conditions = [each.at(now) for each in poll.where]
        filters = [SearchFilter(each.property_name, each.operator, each.value) for each in conditions]
        acting = CRMAccount(account.id, account.external_id, account.settings)
        found = self._crms[account.crm].search(acting, poll.object_type, filters, list(poll.once_per))
        return [self._row(account, mapping, poll, object_id, properties, now) for object_id, properties in found]

    def _row(
        self,
        account: AccountRow,
        mapping: EventMapping,
        poll: Poll,
        object_id: str,
        properties: Mapping[str, str | None],
        now: datetime,
    ) -> InboxRow:
        once = f"{account.id}|{mapping.name}|{object_id}|{poll.discriminator(properties)}"
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

    def _next(self, account_id: str, event: str, begun: datetime, after: timedelta) -> None:
        """Plan the next search from when this one began, so that a slow one does not stretch the interval."""
        spread = after * (_SPREAD * self._rng.random())
        with self._ledger.begin() as uow:
            uow.polls.next(account_id, event, begun + after - spread)
            uow.commit()

    def _disconnect(self, account: AccountRow, error: CRMDisconnectedError) -> None:
        log.warning("poll.disconnected", account_id=account.id, status=error.status)
        with self._ledger.begin() as uow:
            uow.accounts.set_status(account.id, "disconnected", str(error))
            uow.commit()

    def _refused(self, account: AccountRow, mapping: EventMapping, error: CRMRefusedError, now: datetime) -> None:
        """Show a person, once a day, that a search is refused; for a missing scope the account lives on without it."""
        log.warning("poll.refused", account_id=account.id, poll=mapping.name, status=error.status, why=error.category)
        entry = TimelineEntry(
            account_id=account.id,
            kind=EntryKind.ATTENTION_NEEDED,
            subject=f"poll:{mapping.name}",
            discriminator=f"refused:{now.date()}",
            at=now,
            summary=f"The CRM refuses the search for {mapping.name}, which starts nothing until it is allowed: {error}",
            path=f"events.{mapping.name}.poll",
            file=mapping.file,
            line=mapping.line,
            data={"event": mapping.name, "category": error.category},
        )
        with self._ledger.begin() as uow:
            uow.timeline.add([entry])
            uow.commit()
