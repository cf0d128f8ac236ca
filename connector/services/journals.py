"""What happened while we were away, by the CRM's own journal of it?

Read a file at a time, how far is kept in the transaction that keeps what was read. What it tells goes into the inbox as
what a poll found does, so that webhooks that did come are known there; that an app was taken out ends the account.
An entry that stays unreadable is passed over, counted, and the back-fill looks for what it would have told; so it does
when the place we had reached is kept no longer. What only the journal tells a person is asked to look at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from connector.domain.account_status import CONNECTED_AT
from connector.domain.event import ChangeNotice
from connector.domain.event_mapping import EventCatalogue, OnChange
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMError, PlaceLostError
from connector.ports.crm import CRM
from connector.ports.inbox import InboxRow
from connector.ports.journals import Journal, JournalEntry, JournalNotice
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.queue import EVENTS
from connector.ports.time import Clock
from connector.services.crm_reading import CONTACT, acting_for
from connector.services.happenings import BACKFILL, missed

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)
"""How often the journal is looked at when it is empty; it keeps three days."""

FOLLOWED_EVERY = timedelta(days=1)
"""How often is looked whether the journal is kept for every account, with all that the mappings watch."""

LEASE = timedelta(minutes=5)
"""One entry is three calls of at most 15 seconds each."""

PATIENCE = timedelta(minutes=30)
"""How long an entry is tried again that is refused, or is no entry: a copy that was not whole yet is whole by then."""

PATIENCE_AWAY = timedelta(days=2)
"""How long an entry is tried again whose keeper is away: the journal keeps three days, and one of them is left to read
what came behind it."""

_READ, _FOLLOW = "journal:read", "journal:follow"
_STUCK, _AWAY, _SKIPPED = "journal:stuck", "journal:away", "journal:skipped"


class JournalReader:
    """Reads the journal of one CRM.

    Args of the constructor:
        gone: takes over that an account uninstalled us: its id, which connection ended (`CONNECTED_AT` of the settings
            that were read), and why we think so.
        hasten: has the back-fill look at an account at once; called inside the transaction that tells of a hole.
    """

    def __init__(
        self,
        ledger: Ledger,
        crm: CRM,
        journal: Journal,
        catalogue: EventCatalogue,
        gone: Callable[[str, str | None, str], None],
        hasten: Callable[[UnitOfWork, AccountRow], None],
        clock: Clock,
    ) -> None:
        self._ledger, self._crm, self._journal, self._catalogue = ledger, crm, journal, catalogue
        self._gone, self._hasten, self._clock = gone, hasten, clock

    def read_due(self) -> int:
        """Do what is due; give how much that was: more may wait."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            for name in sorted({_READ, _FOLLOW} - {each for _, each in uow.polls.planned("journal")}):
                uow.polls.ensure(self._crm.slug, name, now)
            due = [name for _, name in uow.polls.claim(now, now + LEASE, 1, "journal")]
            uow.commit()
        if _FOLLOW in due:
            self._follow()
        if _READ in due:
            self._read()
        return len(due)

    def _follow(self) -> None:
        """Have the journal kept for every account; one that cannot be followed does not keep the others from it."""
        with self._ledger.begin(write=False) as uow:
            accounts = self._accounts(uow)
        for account in accounts:
            try:
                self._journal.follow(account.external_id, self._watched(account))
            except CRMError as error:
                log.warning("journal.not_followed", account_id=account.id, status=error.status)
        self._next(_FOLLOW, FOLLOWED_EVERY)

    def _accounts(self, uow: UnitOfWork) -> Sequence[AccountRow]:
        return [each for each in uow.accounts.connected() if each.crm == self._crm.slug]

    def _watched(self, account: AccountRow) -> Mapping[str, Sequence[str]]:
        """Give, by kind of record, the properties whose changes mean something."""
        fields = self._crm.contact_fields(acting_for(account))
        watched: dict[str, set[str]] = {CONTACT: {*fields.phones, *(each.property_name for each in fields.opt_out)}}
        for event in self._catalogue.by_crm[self._crm.slug].events.values():
            if isinstance(event.source, OnChange):
                names = {event.source.property_name} if event.source.property_name else set()
                watched.setdefault(event.object_type, set()).update(names)
        return {kind: sorted(names) for kind, names in watched.items()}

    def _read(self) -> None:
        with self._ledger.begin(write=False) as uow:
            after = uow.cursors.get(self._crm.slug, _READ) or ""
        try:
            entry = self._journal.read(after)
        except PlaceLostError as error:
            self._begin_anew(error)
            return
        except CRMError as error:
            log.warning("journal.failed", status=error.status)
            self._next(_READ, max(EVERY, error.retry_after or EVERY))
            return
        if entry is None or entry.offset == after:
            self._next(_READ, EVERY)
        elif not entry.unreadable:
            self._keep(entry)
        elif self._is_worth_another_try(entry):
            self._next(_READ, EVERY)
        else:
            self._pass_over(entry)

    def _is_worth_another_try(self, entry: JournalEntry) -> bool:
        """Tell whether an entry that cannot be read may be readable yet; note since when it cannot, for either reason.

        A refusal has its own half an hour, however long the entry's keeper was away before it said so.
        """
        now = self._clock.now()
        log.warning("journal.unreadable", offset=entry.offset, reason=entry.unreadable)
        note, patience = (_AWAY, PATIENCE_AWAY) if entry.is_away else (_STUCK, PATIENCE)
        with self._ledger.begin() as uow:
            since, _, stuck = (uow.cursors.get(self._crm.slug, note) or "").partition(" ")
            if stuck != entry.offset:
                uow.cursors.set(self._crm.slug, note, f"{now.isoformat()} {entry.offset}", now)
                uow.commit()
                return True
        return now - datetime.fromisoformat(since) < patience

    def _pass_over(self, entry: JournalEntry) -> None:
        """Leave an entry to the back-fill, tell so where people see it, and read on behind it at once."""
        now = self._clock.now()
        log.error("journal.passed_over", offset=entry.offset, reason=entry.unreadable)
        why = f"An entry of the CRM's journal was passed over: {entry.unreadable}"
        self._tell_hole(f"hole:{entry.offset}", why, now)
        with self._ledger.begin() as uow:
            uow.cursors.set(self._crm.slug, _SKIPPED, str(skipped_entries(uow, self._crm.slug) + 1), now)
            uow.cursors.set(self._crm.slug, _READ, entry.offset, now)
            uow.polls.next(self._crm.slug, _READ, now)
            uow.commit()

    def _begin_anew(self, error: PlaceLostError) -> None:
        """Tell, once a day, that the place we had reached is lost, and read from the earliest entry.

        Not at once: a journal that refuses every place would be asked without end.
        """
        now = self._clock.now()
        log.error("journal.place_lost", status=error.status, category=error.category)
        why = "The CRM's journal was not read for so long that it keeps what came next no longer"
        self._tell_hole(f"lost:{now.date()}", why, now)
        with self._ledger.begin() as uow:
            uow.cursors.set(self._crm.slug, _READ, "", now)
            uow.polls.next(self._crm.slug, _READ, now + EVERY)
            uow.commit()

    def _tell_hole(self, discriminator: str, why: str, now: datetime) -> None:
        """Show people that the journal has a hole, and have it looked at; it holds all accounts: nobody knows whose."""
        with self._ledger.begin(write=False) as uow:
            accounts = self._accounts(uow)
        for account in accounts:
            with self._ledger.begin() as uow:
                uow.timeline.add([_hole(account, discriminator, why, now)])
                try:
                    self._hasten(uow, account)
                except CRMError as error:  # its settings do not say what to look for; the others are looked at
                    log.warning("journal.not_hastened", account_id=account.id, status=error.status)
                uow.commit()

    def _keep(self, entry: JournalEntry) -> None:
        """Write down an entry, then read the next at once."""
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            portals = sorted({each.external_account_id for each in entry.notices})
            ids = uow.accounts.by_external_ids(self._crm.slug, portals)
            active = {each.id: each for each in self._accounts(uow)}
        for each in entry.notices:
            account_id = ids.get(each.external_account_id)
            if each.is_uninstall and account_id in active and _ends(each, active[account_id]):
                connected_at = active[account_id].settings.get(CONNECTED_AT)
                self._gone(account_id, connected_at, "HubSpot's journal says that somebody uninstalled the app")
        rows = list(self._rows(entry, ids))
        with self._ledger.begin() as uow:
            if rows and uow.inbox.add(rows):
                uow.nudge(EVENTS)
            uow.cursors.set(self._crm.slug, _READ, entry.offset, now)
            uow.polls.next(self._crm.slug, _READ, now)
            uow.commit()

    def _rows(self, entry: JournalEntry, ids: Mapping[str, str]) -> Iterator[InboxRow]:
        """Give inbox rows for what means something; the same change is the same row, whoever finds it."""
        for each in entry.notices:
            account_id = ids.get(each.external_account_id)
            if account_id is None or each.notice is None or not self._matters(each.notice):
                continue
            body = json.dumps(missed(each.notice), sort_keys=True)
            identity = hashlib.sha256(f"{account_id}|{body}".encode()).hexdigest()
            yield InboxRow(self._ledger.new_id(), account_id, BACKFILL, identity, body.encode(), {}, self._clock.now())

    def _matters(self, notice: ChangeNotice) -> bool:
        if notice.ref.object_type == CONTACT or notice.property_name is None:
            return True
        return bool(self._catalogue.by_crm[self._crm.slug].of_notice(notice))

    def _next(self, name: str, after: timedelta) -> None:
        with self._ledger.begin() as uow:
            uow.polls.next(self._crm.slug, name, self._clock.now() + after)
            uow.commit()


def skipped_entries(uow: UnitOfWork, crm: str) -> int:
    """Count the entries of a CRM's journal that were passed over because they could not be read."""
    return int(uow.cursors.get(crm, _SKIPPED) or 0)


def _hole(account: AccountRow, discriminator: str, why: str, now: datetime) -> TimelineEntry:
    """Show a person that the journal has a hole, and what of it only a person can find."""
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject="journal",
        discriminator=discriminator,
        at=now,
        summary=f"{why}. A poll looks for what it told, but finds no records that were deleted, merged or erased for "
        "privacy: look in the CRM for these",
    )


def _ends(notice: JournalNotice, account: AccountRow) -> bool:
    """Tell whether an uninstallation came after the account was connected: the journal tells of older ones as well."""
    if notice.occurred_at is None:
        log.warning("journal.uninstalled_at_no_time", account_id=account.id)
        return False
    connected = account.settings.get(CONNECTED_AT)
    return notice.occurred_at > (datetime.fromisoformat(connected) if connected else account.created_at)
