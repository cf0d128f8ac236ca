"""How do raw CRM events become named events, enrollments and wakes?

A drain claims inbox rows, reads what they are about from the CRM (outside any transaction, in batches per account),
and writes everything that follows in one transaction that also finishes the rows. A CRM that is away puts rows off; a
row that cannot be worked never blocks the others.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from connector.domain.event import ChangeKind
from connector.domain.event_mapping import EventCatalogue
from connector.domain.retry import backoff
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import CRM, MISSING_SCOPES
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.time import Clock
from connector.services.crm_reading import CRMReader, Reading, acting_for
from connector.services.disconnecting import disconnect
from connector.services.event_recording import EventRecorder, LeaseLostError
from connector.services.happenings import BACKFILL, POLL, SCHEDULED, WEBHOOK, Happening, happening

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""A batch makes at most a dozen CRM calls of at most 15 seconds each."""

MOST_NUMBERS = 6
"""People searched by phone number in one batch: one call each, which with the dozen others fit in the lease."""

_NEXT = timedelta(seconds=3)
"""How long the others wait: until the batch that they were in is done, and no longer than somebody would notice."""

PATIENCE = timedelta(days=1)
"""How long a row waits for a CRM that is away. A text about what happened yesterday does more harm than none."""

MOST_TRIES = 5
"""A row that failed alone this often, over at least `SETTLES`, fails for what it holds and not for the moment."""

SETTLES = timedelta(minutes=10)
"""Long enough to notice that a new release or a migration breaks things, and to take it back."""

_RETRY_BASE, _RETRY_CAP = timedelta(seconds=5), timedelta(minutes=10)
"""A throttled CRM is back within its window of ten seconds; one that is down is asked again every ten minutes."""

ACTIVE = "active"


class EventReader:
    """Drains the CRM events of the inbox."""

    def __init__(
        self,
        ledger: Ledger,
        crms: Mapping[str, CRM],
        catalogue: EventCatalogue,
        reader: CRMReader,
        recorder: EventRecorder,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._ledger, self._crms, self._catalogue = ledger, crms, catalogue
        self._reader, self._recorder, self._clock, self._rng = reader, recorder, clock, rng

    def understand(self, limit: int = 100) -> int:
        """Work up to `limit` rows; give how many were claimed: `limit` means that more may wait."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            rows = [*uow.inbox.claim([*self._crms, WEBHOOK, POLL, BACKFILL], limit, now, now + LEASE)]
            if len(rows) < limit:  # an audience of hundreds of thousands lets everything else go first
                rows += uow.inbox.claim([SCHEDULED], limit - len(rows), now, now + LEASE)
            uow.commit()
        by_account: dict[str | None, list[InboxRow]] = {}
        for row in rows:
            by_account.setdefault(row.account_id, []).append(row)
        for account_id, group in by_account.items():
            if account_id is None:
                self._finish(group, "ignored: belongs to no account")
            else:
                for part in self._parts(account_id, group):
                    self._work(account_id, part, now + LEASE)
        return len(rows)

    def _parts(self, account_id: str, rows: Sequence[InboxRow]) -> Sequence[Sequence[InboxRow]]:
        """Part what needs no CRM, that a record is gone, from what does: it holds though the CRM is away for long."""
        with self._ledger.begin(write=False) as uow:
            try:
                crm = self._crms[uow.accounts.get(account_id).crm]
            except KeyError:
                return [rows]
        gone = {row.id for row in rows if self._tells_gone(row, crm)}
        parts = [row for row in rows if row.id in gone], [row for row in rows if row.id not in gone]
        return [part for part in parts if part]

    def _tells_gone(self, row: InboxRow, crm: CRM) -> bool:
        try:
            return _is_gone(happening(row, crm, self._catalogue))
        except Exception:  # noqa: BLE001 - what cannot be read fails where it is worked, and blocks no other there
            return False

    def _work(self, account_id: str, rows: Sequence[InboxRow], lease_until: datetime) -> None:
        """Work one account's rows together; each alone when they fail together."""
        try:
            self._understand(account_id, rows, lease_until)
        except CRMRefusedError as error:
            if error.category == MISSING_SCOPES:
                self._crm_is_away(account_id, rows, error)  # a reconnect cures it
            elif len(rows) == 1:
                self._give_up(account_id, rows[0], f"refused by the CRM: {error}")
            else:
                self._each_alone(account_id, rows, lease_until)
        except CRMError as error:
            self._crm_is_away(account_id, rows, error)
        except LeaseLostError:
            log.warning("events.lease_lost", account_id=account_id, rows=len(rows))
            if self._clock.now() >= lease_until:
                self._put_off(rows, "was held longer than its lease")  # the next claim has a lease of its own
            elif len(rows) > 1:
                self._each_alone(account_id, rows, lease_until)
        except Exception as error:  # noqa: BLE001 - whatever a row holds, it must not block the others
            log.error("events.failed", account_id=account_id, rows=len(rows), error=type(error).__name__)
            if len(rows) == 1:
                self._failed_alone(account_id, rows[0], type(error).__name__)
            else:
                self._each_alone(account_id, rows, lease_until)

    def _each_alone(self, account_id: str, rows: Sequence[InboxRow], lease_until: datetime) -> None:
        for row in rows:
            self._work(account_id, [row], lease_until)

    def _understand(self, account_id: str, rows: Sequence[InboxRow], lease_until: datetime) -> None:
        self._demand_lease(lease_until)
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
        crm = self._crms[account.crm]
        happenings = [happening(row, crm, self._catalogue) for row in rows]
        if account.status != ACTIVE and not all(map(_is_gone, happenings)):
            raise CRMUnavailableError(account.status_reason or "the account is disconnected")
        reading = self._read(account, happenings, MOST_NUMBERS if len(rows) > 1 else None)
        now = self._demand_lease(lease_until)
        settled = [each for each in happenings if _is_settled(each, reading)]
        if not settled:
            self._each_alone(account_id, rows, lease_until)  # one alone is asked for by all its numbers
            return
        with self._ledger.begin() as uow:
            self._recorder.record(uow, account, settled, reading, now)
            uow.commit()
        if len(settled) < len(happenings):
            left = [each.row for each in happenings if each not in settled]
            self._put_off(left, "waits for its turn to be searched for")

    def _demand_lease(self, lease_until: datetime) -> datetime:
        """Give the time; raise when the rows may be another worker's by now, who would record them a second time."""
        now = self._clock.now()
        if now >= lease_until:
            raise LeaseLostError
        return now

    def _put_off(self, rows: Sequence[InboxRow], why: str) -> None:
        until = self._clock.now() + _NEXT
        with self._ledger.begin() as uow:
            for row in rows:
                uow.inbox.postpone(row.id, why, until)
            uow.commit()

    def _read(self, account: AccountRow, happenings: Sequence[Happening], most_numbers: int | None) -> Reading:
        wanted = [want for each in happenings for event in each.events if (want := each.wanted(event))]
        concerned = list(dict.fromkeys(crm_id for each in happenings for crm_id in each.contacts_concerned))
        strangers: frozenset[str] = frozenset()
        if concerned:
            with self._ledger.begin(write=False) as uow:
                known = uow.contacts.by_crm_ids(account.id, concerned)
            strangers = self._telling(account, happenings) - known.keys()
            concerned = [crm_id for crm_id in concerned if crm_id in known or crm_id in strangers]
        if not wanted and not concerned:
            return Reading()
        try:
            reading = self._reader.read_events(account, wanted, concerned, most_numbers)
        except CRMDisconnectedError as error:
            self._disconnect(account, error)
            raise
        chosen = {crm_id for want in wanted for crm_id in reading.chosen_contacts(want)[0][:1]}
        reading.strangers = strangers - chosen
        return reading

    def _telling(self, account: AccountRow, happenings: Sequence[Happening]) -> frozenset[str]:
        """Give the contacts whose change may say something about a number; of other strangers we keep nothing.

        An opt-out set on a contact nobody here knows holds for its number, which another contact may have.
        """
        fields = self._crms[account.crm].contact_fields(acting_for(account))
        watched = fields.phones | {each.property_name for each in fields.opt_out}
        notices = [each.notice for each in happenings if each.notice is not None and each.contacts_concerned]
        return frozenset(each.ref.object_id for each in notices if each.property_name in watched)

    def _disconnect(self, account: AccountRow, error: CRMDisconnectedError) -> None:
        with self._ledger.begin() as uow:
            disconnect(uow, acting_for(account), error, self._clock.now())
            uow.commit()

    def _crm_is_away(self, account_id: str, rows: Sequence[InboxRow], error: CRMError) -> None:
        log.warning("events.put_off", account_id=account_id, rows=len(rows), status=error.status)
        now = self._clock.now()
        for row in rows:
            if now - row.received_at > PATIENCE:
                self._give_up(account_id, row, f"the CRM could not be read for a day: {error}")
        with self._ledger.begin() as uow:
            for row in rows:
                if now - row.received_at <= PATIENCE:
                    uow.inbox.postpone(row.id, str(error), now + (error.retry_after or self._wait(row)))
            uow.commit()

    def _failed_alone(self, account_id: str, row: InboxRow, error: str) -> None:
        now = self._clock.now()
        if row.attempts + 1 >= MOST_TRIES and now - row.received_at >= SETTLES:
            self._give_up(account_id, row, f"could not be worked ({error})")
            return
        with self._ledger.begin() as uow:
            uow.inbox.postpone(row.id, error, now + self._wait(row))
            uow.commit()

    def _wait(self, row: InboxRow) -> timedelta:
        return timedelta(seconds=1) + backoff(row.attempts + 1, self._rng, _RETRY_BASE, _RETRY_CAP)

    def _give_up(self, account_id: str, row: InboxRow, why: str) -> None:
        """Finish a row that came to nothing, where a person sees it."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            if uow.inbox.finish([row.id], f"gave up: {why}", now, account_id):
                uow.timeline.add([_needs_attention(account_id, row, why, now)])
            uow.commit()

    def _finish(self, rows: Sequence[InboxRow], outcome: str) -> None:
        with self._ledger.begin() as uow:
            uow.inbox.finish([row.id for row in rows], outcome, self._clock.now())
            uow.commit()


def _is_settled(each: Happening, reading: Reading) -> bool:
    wanted = (each.wanted(event) for event in each.events)
    return all(want is None or reading.is_settled(want) for want in wanted)


def _is_gone(each: Happening) -> bool:
    """Whether it says that a record is gone and makes no event, for which something would have to be read."""
    is_deletion = each.notice is not None and each.notice.kind in {ChangeKind.DELETED, ChangeKind.PRIVACY_DELETED}
    return is_deletion and not each.events


def _needs_attention(account_id: str, row: InboxRow, why: str, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=account_id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject=f"event:{row.id}",
        discriminator="gave up",
        at=now,
        summary=f"An event of the CRM came to nothing: {why}",
        data={"source": row.source, "attempts": row.attempts},
    )
