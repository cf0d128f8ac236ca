"""Who is in the audience of a journey whose time has come?

The CRM is searched page by page in the order of ids, and everybody found becomes an inbox row of their own. Where the
listing has come to stands in the inbox too: it goes on after a crash, and lets other work in between.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from connector.domain.event_mapping import PollFilter
from connector.domain.journey import Journey
from connector.domain.retry import backoff
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import CRM, MISSING_SCOPES, SearchFilter
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.queue import EVENTS
from connector.ports.time import Clock
from connector.services.accounts import ACTIVE
from connector.services.crm_reading import CONTACT, acting_for
from connector.services.disconnecting import disconnect
from connector.services.happenings import SCHEDULED, scheduled
from connector.services.journey_versions import JourneyVersions
from connector.services.schedules import AUDIENCE, LATEST, part_of_audience

log = structlog.get_logger(__name__)

PAGES = 10
"""Pages listed at a time: 2,000 contacts at five searches a second, a few seconds."""

_LEASE = timedelta(minutes=5)  # ten searches of at most 15 seconds each, and what they write
_RETRY_BASE, _RETRY_CAP = timedelta(seconds=5), timedelta(minutes=10)


class AudienceLister:
    """Lists audiences."""

    def __init__(
        self, ledger: Ledger, crms: Mapping[str, CRM], versions: JourneyVersions, clock: Clock, rng: random.Random
    ) -> None:
        self._ledger, self._crms, self._versions, self._clock, self._rng = ledger, crms, versions, clock, rng

    def list_next(self) -> bool:
        """List one part of one audience; tell whether there was any."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            rows = uow.inbox.claim([AUDIENCE], 1, now, now + _LEASE)
            uow.commit()
        for row in rows:
            self._work(row, json.loads(row.body))
        return bool(rows)

    def _work(self, row: InboxRow, body: Mapping[str, Any]) -> None:
        event, occurrence = str(body["event"]), datetime.fromisoformat(body["occurrence"])
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(row.account_id or "")
            service = self._versions.in_service(uow, account.id).get(event.partition(":")[2])
        if service is None or not service.journey.enabled or service.journey.trigger.event != event:
            self._finish(row, "ignored: the journey is not in service any more")
            return
        journey = service.journey
        if not _conditions(account, journey):
            self._give_up(
                row, account, journey, f"mappings/audiences.yaml does not say how to find it in {account.crm}"
            )
            return
        if self._clock.now() - occurrence > LATEST:
            far = f" behind contact {body['after']}" if body["after"] else ""
            self._give_up(row, account, journey, f"the CRM could not be searched{far} in time")
            return
        try:
            last = self._list(account, journey, occurrence, str(body["after"]))
        except CRMRefusedError as error:
            if error.category == MISSING_SCOPES:
                self._put_off(row, account, error)  # a reconnect cures it
                return
            self._give_up(row, account, journey, f"the CRM refuses the search: {error}")
        except CRMError as error:
            self._put_off(row, account, error)
        else:
            self._finish(row, "listed", None if last is None else (account, journey, occurrence, last))

    def _list(self, account: AccountRow, journey: Journey, occurrence: datetime, after: str) -> str | None:
        """Put a few pages of contacts into the inbox; give the last id, None at the end of the audience."""
        if account.status != ACTIVE:
            raise CRMUnavailableError(account.status_reason or "the account is disconnected", retry_after=_RETRY_CAP)
        now, crm = self._clock.now(), self._crms[account.crm]
        conditions = [each.at(occurrence) for each in _conditions(account, journey)]
        filters = [SearchFilter(each.property_name, each.operator, each.value) for each in conditions]
        acting = acting_for(account)
        for _ in range(PAGES):
            page = [found for found, _ in crm.search_page(acting, CONTACT, filters, [], after=after)]
            if not page:
                return None
            self._keep([self._row(account, journey, occurrence, contact, now) for contact in page])
            after = page[-1]
        return after

    def _row(
        self, account: AccountRow, journey: Journey, occurrence: datetime, contact: str, now: datetime
    ) -> InboxRow:
        event = journey.trigger.event
        once = f"{account.id}|{event}|{occurrence.isoformat()}|{contact}"
        external_id = hashlib.sha256(once.encode()).hexdigest()
        body = json.dumps(scheduled(event, contact, occurrence)).encode()
        return InboxRow(self._ledger.new_id(), account.id, SCHEDULED, external_id, body, {}, now)

    def _keep(self, rows: Sequence[InboxRow]) -> None:
        with self._ledger.begin() as uow:
            if uow.inbox.add(rows):
                uow.nudge(EVENTS)
            uow.commit()

    def _finish(
        self, row: InboxRow, outcome: str, rest: tuple[AccountRow, Journey, datetime, str] | None = None
    ) -> None:
        now = self._clock.now()
        with self._ledger.begin() as uow:
            if rest is not None:
                uow.inbox.add([part_of_audience(self._ledger.new_id(), *rest, now)])
            uow.inbox.finish([row.id], outcome, now)
            uow.commit()

    def _put_off(self, row: InboxRow, account: AccountRow, error: CRMError) -> None:
        log.warning("audience.put_off", account_id=account.id, status=error.status)
        wait = error.retry_after or timedelta(seconds=1) + backoff(row.attempts + 1, self._rng, _RETRY_BASE, _RETRY_CAP)
        with self._ledger.begin() as uow:
            if isinstance(error, CRMDisconnectedError):
                disconnect(uow, acting_for(account), error, self._clock.now())
            uow.inbox.postpone(row.id, str(error), self._clock.now() + wait)
            uow.commit()

    def _give_up(self, row: InboxRow, account: AccountRow, journey: Journey, why: str) -> None:
        """Finish a listing that came to nothing, where a person sees it."""
        now = self._clock.now()
        entry = TimelineEntry(
            account_id=account.id,
            kind=EntryKind.ATTENTION_NEEDED,
            subject=journey.trigger.event,
            discriminator=f"not listed:{row.id}",
            at=now,
            summary=f"The audience of {journey.id} could not be listed: {why}",
            path="trigger.audience",
            file=journey.file,
            line=journey.trigger.place.line,
            data={"journey": journey.id},
        )
        with self._ledger.begin() as uow:
            if uow.inbox.finish([row.id], f"gave up: {why}", now):
                uow.timeline.add([entry])
            uow.commit()


def _conditions(account: AccountRow, journey: Journey) -> Sequence[PollFilter]:
    audience = journey.trigger.audience
    return audience.find.get(account.crm, ()) if audience is not None else ()
