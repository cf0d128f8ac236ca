"""Is what the CRM's journal tells kept once, and is the end of an account heard of?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.domain.timeline import EntryKind
from connector.errors import CRMError, CRMRefusedError, CRMUnavailableError, PlaceLostError
from connector.ports.journals import JournalEntry, JournalNotice
from connector.services.accounts import Accounts, Installation
from connector.services.backfill import BackFill
from connector.services.journals import EVERY, PATIENCE, PATIENCE_AWAY, JournalReader, skipped_entries
from tests.services.theatre import ACCOUNT, CONFIRMATION, START, Theatre

PORTAL = "12345"


@dataclass
class Told:
    """A journal with entries by number; fails when told to."""

    entries: list[list[JournalNotice]] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)
    is_away: bool = False
    followed: dict[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    failures: list[CRMError] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def read(self, after: str) -> JournalEntry | None:
        self.reads.append(after)
        if self.failures:
            raise self.failures.pop(0)
        number = int(after or 0)
        if number in self.unreadable:
            return JournalEntry(str(number + 1), unreadable=self.unreadable[number], is_away=self.is_away)
        return JournalEntry(str(number + 1), self.entries[number]) if number < len(self.entries) else None

    def follow(self, external_account_id: str, watched: Mapping[str, Sequence[str]]) -> int:
        if self.failures:
            raise self.failures.pop(0)
        self.followed[external_account_id] = watched
        return 1


class Rig(Theatre):
    """A theatre with a journal."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, f"sqlite:///{directory}/ledger.sqlite3", {"confirmation": CONFIRMATION})
        self.told, self.gone = Told(), list[tuple[str, str | None, str]]()
        self.journal = JournalReader(
            self.ledger,
            self.crm,
            self.told,
            self.catalogue,
            lambda *what: self.gone.append(what),
            self.backfill.hasten,
            self.clock,
        )

    def read(self) -> None:
        while self.journal.read_due():
            pass
        self.work()

    def moved(self, deal: str, stage: str = "demo", portal: str = PORTAL) -> JournalNotice:
        ref = ObjectRef("deal", deal)
        return JournalNotice(portal, ChangeNotice(ref, ChangeKind.CHANGED, self.clock.at, "dealstage", stage))

    def booked(self) -> str:
        return self.crm.put("deal", [self.lea()], dealname="Roof", dealstage="demo")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def test_what_the_journal_tells_starts_its_journey_once(rig: Rig) -> None:
    deal = rig.booked()
    rig.told.entries += [[rig.moved(deal)], [rig.moved(deal)]]
    rig.read()
    assert [row.journey for row in rig.enrollments()] == ["confirmation"]
    assert rig.told.reads == ["", "1", "2"]


def test_reading_goes_on_where_it_stopped(rig: Rig) -> None:
    rig.told.entries.append([])
    rig.read()
    rig.pass_time(minutes=6)
    rig.read()
    assert rig.told.reads == ["", "1", "1"]
    with rig.ledger.begin(write=False) as uow:
        assert uow.cursors.get("hubspot", "journal:read") == "1"


def test_what_a_webhook_told_is_known(rig: Rig) -> None:
    deal = rig.booked()
    rig.hear("deal.propertyChange", deal, propertyName="dealstage", propertyValue="demo")
    rig.work()
    rig.told.entries.append([rig.moved(deal)])
    rig.read()
    assert len(rig.enrollments()) == 1
    assert len(rig.entries(EntryKind.EVENT_RECEIVED)) == 1


def test_what_the_journal_and_a_poll_find_is_one_event(rig: Rig) -> None:
    while rig.backfill.fill_due():
        pass
    rig.pass_time(minutes=1)
    deal = rig.booked()
    rig.told.entries.append([rig.moved(deal)])
    rig.pass_time(minutes=16)
    while rig.backfill.fill_due():
        pass
    rig.read()
    assert len(rig.enrollments()) == 1
    assert isinstance(rig.backfill, BackFill)


def test_portals_that_are_no_accounts_are_passed_over(rig: Rig) -> None:
    deal = rig.booked()
    rig.told.entries.append([rig.moved(deal, portal="999"), JournalNotice("999", is_uninstall=True)])
    rig.read()
    assert (rig.enrollments(), rig.gone) == ([], [])


def test_changes_that_make_no_event_are_not_kept(rig: Rig) -> None:
    deal = rig.booked()
    change = ChangeNotice(ObjectRef("deal", deal), ChangeKind.CHANGED, rig.clock.at, "amount", "9")
    rig.told.entries.append([JournalNotice(PORTAL, change)])
    while rig.journal.read_due():
        pass
    assert rig.reader.understand() == 0


def test_a_deleted_contact_is_taken_over(rig: Rig) -> None:
    contact = rig.lea()
    rig.hear("contact.creation", contact)
    rig.work()
    rig.pass_time(minutes=1)
    gone = ChangeNotice(ObjectRef("contact", contact), ChangeKind.DELETED, rig.clock.at)
    rig.told.entries.append([JournalNotice(PORTAL, gone)])
    rig.read()
    assert rig.contacts()[contact].deleted_at is not None


def uninstalled(rig: Rig) -> JournalNotice:
    return JournalNotice(PORTAL, is_uninstall=True, occurred_at=rig.clock.at)


def test_the_end_of_an_account_is_told(rig: Rig) -> None:
    rig.pass_time(minutes=1)
    rig.told.entries.append([uninstalled(rig)])
    rig.read()
    ((account_id, connected_at, why),) = rig.gone
    assert (account_id, connected_at) == (ACCOUNT, None)
    assert "journal" in why


def test_an_account_that_was_connected_again_is_not_ended_by_what_came_before(rig: Rig) -> None:
    rig.pass_time(hours=1)
    old = uninstalled(rig)
    rig.pass_time(hours=1)
    again = Installation("hubspot", PORTAL, token="new")
    Accounts(rig.ledger, {"hubspot": rig.crm}, rig.clock).add(again)
    rig.told.entries.append([old])
    rig.read()
    assert rig.gone == []
    connected_at = rig.clock.at.isoformat()
    rig.pass_time(hours=1)
    rig.told.entries.append([uninstalled(rig)])
    rig.read()
    assert [told[:2] for told in rig.gone] == [(ACCOUNT, connected_at)]


def test_an_end_before_the_account_was_made_or_at_no_known_time_is_not_believed(rig: Rig) -> None:
    before = JournalNotice(PORTAL, is_uninstall=True, occurred_at=START - timedelta(days=1))
    rig.told.entries.append([before, JournalNotice(PORTAL, is_uninstall=True)])
    rig.read()
    assert rig.gone == []


def test_an_account_that_has_ended_is_not_ended_again(rig: Rig) -> None:
    rig.pass_time(minutes=1)
    with rig.ledger.begin() as uow:
        uow.accounts.set_status(ACCOUNT, "uninstalled", "by hand")
        uow.commit()
    rig.told.entries.append([uninstalled(rig)])
    rig.read()
    assert rig.gone == []


def test_every_account_is_followed_with_what_the_mappings_watch_once_a_day(rig: Rig) -> None:
    rig.read()
    watched = rig.told.followed.pop(PORTAL)
    assert "dealstage" in watched["deal"]
    assert {"mobilephone", "sms_connector_opted_out"} <= set(watched["contact"])
    rig.pass_time(hours=1)
    rig.read()
    assert not rig.told.followed
    rig.pass_time(hours=24)
    rig.read()
    assert PORTAL in rig.told.followed


def test_a_journal_that_cannot_be_followed_or_read_is_asked_again_later(rig: Rig) -> None:
    rig.told.failures += [CRMRefusedError("no scope", status=403), CRMUnavailableError("away")]
    deal = rig.booked()
    rig.told.entries.append([rig.moved(deal)])
    rig.read()
    assert rig.enrollments() == []
    rig.pass_time(seconds=EVERY.total_seconds() + 1)
    rig.read()
    assert len(rig.enrollments()) == 1


def test_a_journal_says_when_to_come_back(rig: Rig) -> None:
    rig.read()
    rig.pass_time(minutes=6)
    rig.told.failures.append(CRMUnavailableError("busy", retry_after=timedelta(minutes=30)))
    rig.read()
    reads = len(rig.told.reads)
    rig.pass_time(minutes=20)
    rig.read()
    assert len(rig.told.reads) == reads
    rig.pass_time(minutes=11)
    rig.read()
    assert len(rig.told.reads) == reads + 1
    assert rig.clock.at > START


# Entries that cannot be read


def passed_over(rig: Rig) -> int:
    with rig.ledger.begin(write=False) as uow:
        return skipped_entries(uow, "hubspot")


def try_for(rig: Rig, lapse: timedelta) -> None:
    until = rig.clock.at + lapse
    while rig.clock.at < until:
        rig.read()
        rig.pass_time(seconds=EVERY.total_seconds() + 1)


def test_an_entry_that_stays_unreadable_is_passed_over_and_what_follows_is_read(rig: Rig) -> None:
    rig.told.unreadable[0] = "it is too large"
    deal = rig.booked()
    rig.told.entries += [[], [rig.moved(deal)]]
    try_for(rig, PATIENCE - EVERY)
    assert (passed_over(rig), set(rig.told.reads)) == (0, {""})
    try_for(rig, 3 * EVERY)
    assert passed_over(rig) == 1
    assert len(rig.enrollments()) == 1
    (told,) = [each for each in rig.summaries(EntryKind.ATTENTION_NEEDED) if "journal" in each]
    assert told == (
        "An entry of the CRM's journal was passed over: it is too large. A poll looks for what it told, but finds no "
        "records that were deleted, merged or erased for privacy: look in the CRM for these"
    )


def test_an_entry_that_can_be_read_after_a_while_is_not_passed_over(rig: Rig) -> None:
    rig.told.unreadable[0] = "no answer from HubSpot"
    deal = rig.booked()
    rig.told.entries.append([rig.moved(deal)])
    try_for(rig, PATIENCE - EVERY)
    rig.told.unreadable.clear()
    rig.read()
    assert (passed_over(rig), len(rig.enrollments())) == (0, 1)


def test_an_entry_whose_keeper_is_away_is_waited_for_as_long_as_the_journal_can_be_caught_up_with(rig: Rig) -> None:
    rig.told.unreadable[0], rig.told.is_away = "no answer from HubSpot", True
    rig.read()
    rig.pass_time(seconds=(PATIENCE_AWAY - EVERY).total_seconds())
    rig.read()
    assert (passed_over(rig), set(rig.told.reads)) == (0, {""})
    deal = rig.booked()
    rig.told.entries += [[], [rig.moved(deal)]]
    try_for(rig, 2 * EVERY)
    assert (passed_over(rig), len(rig.enrollments())) == (1, 1)


def test_an_entry_refused_after_its_keeper_was_away_is_still_tried_for_a_while(rig: Rig) -> None:
    rig.told.unreadable[0], rig.told.is_away = "no answer from HubSpot", True
    rig.read()
    rig.pass_time(hours=20)
    rig.told.unreadable[0], rig.told.is_away = "HTTP 404", False
    try_for(rig, PATIENCE - EVERY)
    assert passed_over(rig) == 0
    try_for(rig, 3 * EVERY)
    assert passed_over(rig) == 1


def test_each_unreadable_entry_has_a_while_of_its_own(rig: Rig) -> None:
    rig.told.unreadable |= {0: "it is too large", 1: "it is too large"}
    try_for(rig, PATIENCE + 3 * EVERY)
    assert passed_over(rig) == 1
    try_for(rig, PATIENCE + EVERY)
    assert passed_over(rig) == 2


def test_what_an_entry_passed_over_would_have_told_is_looked_for_at_once(rig: Rig) -> None:
    rig.told.unreadable[0] = "it is too large"
    while rig.backfill.fill_due():
        pass
    try_for(rig, PATIENCE)
    while rig.backfill.fill_due():
        pass
    assert not rig.backfill.fill_due()
    rig.read()
    assert passed_over(rig) == 1
    assert rig.backfill.fill_due()


def test_an_account_of_which_nobody_can_say_what_to_look_for_keeps_no_other_from_being_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CRMRefusedError("no such field")

    monkeypatch.setattr(rig.journal, "_hasten", refuse)
    rig.told.unreadable[0] = "it is too large"
    try_for(rig, PATIENCE + 2 * EVERY)
    assert passed_over(rig) == 1
    assert any("journal" in each for each in rig.summaries(EntryKind.ATTENTION_NEEDED))


# A place that is kept no longer


def lose_the_place(rig: Rig) -> None:
    rig.told.entries.append([])
    rig.read()
    rig.pass_time(seconds=EVERY.total_seconds() + 1)
    rig.told.failures.append(PlaceLostError("no such offset", status=404))
    rig.read()


def test_a_lost_place_is_told_and_the_journal_is_read_from_its_earliest_entry(rig: Rig) -> None:
    lose_the_place(rig)
    (told,) = [each for each in rig.summaries(EntryKind.ATTENTION_NEEDED) if "journal" in each]
    assert told.startswith("The CRM's journal was not read for so long that it keeps what came next no longer. A poll")
    assert "deleted, merged or erased" in told
    deal = rig.booked()
    rig.told.entries[0] = [rig.moved(deal)]
    rig.pass_time(seconds=EVERY.total_seconds() + 1)
    rig.read()
    assert rig.told.reads == ["", "1", "1", "", "1"]
    assert len(rig.enrollments()) == 1


def test_what_came_behind_a_lost_place_is_looked_for_at_once(rig: Rig) -> None:
    while rig.backfill.fill_due():
        pass
    lose_the_place(rig)
    assert rig.backfill.fill_due()


def test_a_journal_that_loses_every_place_is_asked_now_and_then_and_told_of_once_a_day(rig: Rig) -> None:
    lose_the_place(rig)
    rig.told.failures.append(PlaceLostError("no such offset", status=400))
    rig.pass_time(seconds=EVERY.total_seconds() + 1)
    reads = len(rig.told.reads)
    rig.read()
    assert len(rig.told.reads) == reads + 1
    assert len([each for each in rig.summaries(EntryKind.ATTENTION_NEEDED) if "journal" in each]) == 1
