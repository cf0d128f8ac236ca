"""Does the ledger keep which version of a journey takes people in, and who is on which version?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from connector.ports.enrollments import EnrollmentRow, PublicationAction, PublicationRow
from connector.ports.ledger import Ledger
from tests.adapters.store.factories import NOW

FIRST = PublicationRow(
    id="p-1",
    account_id="account-1",
    journey="welcome",
    journey_version_id="v-1",
    action=PublicationAction.PUBLISH,
    published_by="files",
    at=NOW,
)
IN_IT = EnrollmentRow(
    id="e-1",
    account_id="account-1",
    contact_id="c-1",
    journey="welcome",
    journey_version_id="v-1",
    key="1",
    epoch=0,
    subject="contact:1",
    status="live",
    state={},
    started_at=NOW,
)


def test_the_latest_publication_of_each_journey_holds(ledger: Ledger) -> None:
    second = replace(FIRST, id="p-2", journey_version_id="v-2", at=NOW + timedelta(hours=1))
    back = replace(FIRST, id="p-3", action=PublicationAction.ROLLBACK, at=NOW + timedelta(hours=2))
    retired = replace(FIRST, id="p-4", journey="old", journey_version_id=None, action=PublicationAction.RETIRE)
    elsewhere = replace(second, id="p-5", account_id="account-2")
    with ledger.begin() as work:
        for each in (FIRST, second, back, retired, elsewhere):
            work.publications.add(each)
        assert work.publications.current("account-1") == {"welcome": back, "old": retired}
        assert work.publications.current("account-2") == {"welcome": elsewhere}
        assert work.publications.current("account-3") == {}


def test_every_publication_changes_the_stamp_of_its_account_also_one_by_a_clock_that_is_behind(ledger: Ledger) -> None:
    with ledger.begin() as work:
        before = work.publications.stamp("account-1")
        work.publications.add(FIRST)
        first = work.publications.stamp("account-1")
        work.publications.add(replace(FIRST, id="p-0", journey="other"))
        assert before == work.publications.stamp("account-2") == ""
        assert len({before, first, work.publications.stamp("account-1")}) == 3


def test_a_publication_by_a_clock_that_is_behind_holds_all_the_same(ledger: Ledger) -> None:
    behind = replace(FIRST, id="p-0", journey_version_id="v-2", at=NOW - timedelta(hours=1))
    with ledger.begin() as work:
        work.publications.add(FIRST)
        work.publications.add(behind)
        assert work.publications.current("account-1") == {"welcome": behind}
        assert work.publications.history("account-1", "welcome") == [FIRST, behind]


def test_the_history_of_a_journey_is_told_oldest_first(ledger: Ledger) -> None:
    second = replace(FIRST, id="p-2", journey_version_id="v-2")
    with ledger.begin() as work:
        for each in (FIRST, second, replace(FIRST, id="p-3", journey="old")):
            work.publications.add(each)
        assert work.publications.history("account-1", "welcome") == [FIRST, second]
        assert work.publications.history("account-2", "welcome") == []


def test_the_versions_of_a_journey_are_given_in_their_order(ledger: Ledger) -> None:
    with ledger.begin() as work:
        made = [work.versions.ensure("account-1", "welcome", hash_, {}, "files", NOW) for hash_ in ("b", "a")]
        work.versions.ensure("account-1", "old", "c", {}, "files", NOW)
        work.versions.ensure("account-2", "welcome", "a", {}, "files", NOW)
        assert work.versions.of_journey("account-1", "welcome") == made
        assert [row.version for row in made] == [1, 2]


def test_who_is_in_a_journey_is_given_and_counted_by_version(ledger: Ledger) -> None:
    rows = [
        IN_IT,
        replace(IN_IT, id="e-2", key="2", journey_version_id="v-2"),
        replace(IN_IT, id="e-3", key="3", status="ended"),
        replace(IN_IT, id="e-4", key="4", journey="old", journey_version_id="v-3"),
        replace(IN_IT, id="e-5", key="5", account_id="account-2"),
        replace(IN_IT, id="e-6", key="6"),
    ]
    with ledger.begin() as work:
        for row in rows:
            work.enrollments.add(row)
        for is_locked in (True, False):
            page = work.enrollments.live_of_journey("account-1", "welcome", "", 2, is_locked=is_locked)
            rest = work.enrollments.live_of_journey("account-1", "welcome", page[-1].id, 2, is_locked=is_locked)
            assert (page, rest) == ([rows[0], rows[1]], [rows[5]])
        assert work.enrollments.live_counts("account-1") == {
            ("welcome", "v-1"): 2,
            ("welcome", "v-2"): 1,
            ("old", "v-3"): 1,
        }


def test_an_enrollment_can_be_moved_to_another_version(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.enrollments.add(IN_IT)
        work.enrollments.save(replace(IN_IT, journey_version_id="v-2", due_at=NOW))
        assert work.enrollments.live_counts("account-1") == {("welcome", "v-2"): 1}
        [claimed] = work.enrollments.claim(1, NOW, NOW + timedelta(minutes=1))
    assert claimed.journey_version_id == "v-2"
