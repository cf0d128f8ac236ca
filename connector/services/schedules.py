"""When is it time for a journey with a schedule, and when is it too late?

Each journey with a schedule has a timer per account. What becomes due is written into the inbox as one row, which the
listing of its audience works off page by page; the same occurrence is written once, whoever finds it due.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim

from connector.domain.journey import SCHEDULE, Journey
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.queue import MAINTENANCE
from connector.ports.time import Clock
from connector.services.accounts import ACTIVE
from connector.services.journey_versions import InService, JourneyVersions, schedule_since

log = structlog.get_logger(__name__)

AUDIENCE = "audience"
"""Source of inbox rows that stand for a part of an audience still to be listed."""

LATEST = timedelta(hours=6)
"""How late an occurrence may still begin. A campaign of Tuesday morning does in the afternoon; it does not at night."""

_LEASE = timedelta(minutes=10)  # of an account that is away; nothing here takes longer than a moment
_AT_ONCE = 50  # accounts in one transaction: short enough not to hold up the webhooks that share the ledger
_LONG = timedelta(days=1)  # a timer whose journey is out of service; publishing it again sets it


class Schedules:
    """Starts what is due."""

    def __init__(self, ledger: Ledger, versions: JourneyVersions, clock: Clock) -> None:
        self._ledger, self._versions, self._clock = ledger, versions, clock

    def start_due(self) -> int:
        """Write down every occurrence that is due; give how many were new."""
        now, started, is_more = self._clock.now(), 0, True
        while is_more:
            with self._ledger.begin() as uow:
                due = uow.polls.claim(now, now + _LEASE, _AT_ONCE, SCHEDULE)
                started += sum(self._start(uow, account_id, event, now) for account_id, event in due)
                uow.commit()
            is_more = bool(due)
        return started

    def _start(self, uow: UnitOfWork, account_id: str, event: str, now: datetime) -> int:
        account = uow.accounts.get(account_id)
        if account.status != ACTIVE:
            return 0
        service = self._versions.in_service(uow, account_id).get(event.partition(":")[2])
        if service is None or not service.journey.trigger.schedule:
            uow.polls.next(account_id, event, now + _LONG)
            return 0
        journey = service.journey
        uow.polls.next(account_id, event, next_occurrence(journey, account, now))
        occurrence = latest_occurrence(journey, account, now)
        since = schedule_since(uow, self._versions, account_id, journey)
        if not journey.enabled or since is None or occurrence < since:
            return 0
        if now - occurrence > LATEST:
            log.warning("schedule.missed", account_id=account_id, journey=journey.id)
            uow.timeline.add([_missed(account, service, occurrence, now)])
            return 0
        uow.nudge(MAINTENANCE)
        return uow.inbox.add([part_of_audience(self._ledger.new_id(), account, journey, occurrence, "", now)])


def next_occurrence(journey: Journey, account: AccountRow, now: datetime) -> datetime:
    """Give when a journey's schedule comes next after a time."""
    return _first(journey, account, now, is_backward=False)


def latest_occurrence(journey: Journey, account: AccountRow, now: datetime) -> datetime:
    """Give when a journey's schedule came last, at this time or before it."""
    return _first(journey, account, now + timedelta(minutes=1), is_backward=True)


def _first(journey: Journey, account: AccountRow, start: datetime, *, is_backward: bool) -> datetime:
    local = start.astimezone(ZoneInfo(clock_of(journey, account)))
    if is_backward:
        local = local.replace(second=0, microsecond=0)
    return next(CronSim(journey.trigger.schedule, local, reverse=is_backward)).astimezone(UTC)


def clock_of(journey: Journey, account: AccountRow) -> str:
    """Give the IANA zone of a schedule: the journey's own, else the account's, else UTC."""
    if journey.time_zone not in {"contact", "account"}:
        return journey.time_zone
    return str(account.settings.get("time_zone") or "UTC")


def part_of_audience(
    row_id: str, account: AccountRow, journey: Journey, occurrence: datetime, after: str, now: datetime
) -> InboxRow:
    """Make the inbox row for listing an audience from a contact's id on; empty from the beginning."""
    event = journey.trigger.event
    body = {"event": event, "occurrence": occurrence.isoformat(), "after": after}
    once = f"{account.id}|{event}|{occurrence.isoformat()}|{after}"
    external_id = hashlib.sha256(once.encode()).hexdigest()
    return InboxRow(row_id, account.id, AUDIENCE, external_id, json.dumps(body).encode(), {}, now)


def _missed(account: AccountRow, service: InService, occurrence: datetime, now: datetime) -> TimelineEntry:
    journey = service.journey
    hours = int(LATEST / timedelta(hours=1))
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject=journey.trigger.event,
        discriminator=f"missed:{occurrence.isoformat()}",
        at=now,
        summary=(
            f"{journey.id} did not start at {occurrence:%Y-%m-%d %H:%M} UTC: nothing ran then, "
            f"and {hours} hours later is too late"
        ),
        path="trigger.schedule",
        file=journey.file,
        line=journey.trigger.place.line,
        data={"journey": journey.id, "occurrence": occurrence},
    )
