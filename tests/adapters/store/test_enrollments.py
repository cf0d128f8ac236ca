"""Does the ledger keep journeys in flight, their leases and their wakes as promised, on both databases?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import Ledger

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROW = EnrollmentRow(
    id="enrollment-1",
    account_id="account-1",
    contact_id="contact-1",
    journey="invoice-overdue",
    journey_version_id="version-1",
    key="invoice-7",
    epoch=0,
    subject="invoice:7",
    status="live",
    state={"run": {"cursor": "steps[0]", "since": NOW}, "names": {"amount": Decimal("10.00")}},
    started_at=NOW,
    due_at=NOW,
)


def _due_at(ledger: Ledger) -> datetime | None:
    with ledger.begin(write=False) as work:
        found = work.enrollments.find("account-1", "enrollment-1")
    assert found is not None
    return found.due_at


def test_an_enrollment_is_read_back_as_added(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert work.enrollments.add(ROW)
        assert work.enrollments.find("account-1", "enrollment-1") == ROW
        assert work.enrollments.find(None, "enrollment-1") == ROW
        assert work.enrollments.find("account-2", "enrollment-1") is None
        assert work.enrollments.of_contact("account-1", "contact-1") == [ROW]


def test_the_same_key_and_epoch_enters_once(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert work.enrollments.add(ROW)
        assert not work.enrollments.add(replace(ROW, id="enrollment-2"))
        assert work.enrollments.add(replace(ROW, id="enrollment-3", epoch=1))
        latest = work.enrollments.latest("account-1", "invoice-overdue", "contact-1", "invoice-7")
    assert latest is not None
    assert latest.id == "enrollment-3"


def test_a_claimed_enrollment_is_not_claimed_again_before_its_lease_ends(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.enrollments.add(ROW)
        claimed = work.enrollments.claim(10, NOW, NOW + MINUTE)
        assert [(row.id, row.attempts) for row in claimed] == [("enrollment-1", 1)]
        assert not work.enrollments.claim(10, NOW + MINUTE / 2, NOW + 2 * MINUTE)
        assert not work.enrollments.any_due(NOW + MINUTE / 2)
        assert work.enrollments.due_count(NOW + MINUTE / 2) == 0
        again = work.enrollments.claim(10, NOW + MINUTE, NOW + 2 * MINUTE)
    assert [row.attempts for row in again] == [2]


def test_a_lease_whose_holder_died_makes_the_row_due_again(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.enrollments.add(ROW)
        work.enrollments.claim(10, NOW, NOW + MINUTE)
        work.commit()
    with ledger.begin(write=False) as work:
        assert work.enrollments.any_due(NOW + MINUTE)
        assert work.enrollments.due_count(NOW + MINUTE) == 1


def test_the_longest_due_goes_first_and_the_limit_holds(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for count in (3, 1, 2):
            work.enrollments.add(replace(ROW, id=f"enrollment-{count}", key=str(count), due_at=NOW - count * MINUTE))
        claimed = work.enrollments.claim(2, NOW, NOW + MINUTE)
    assert [row.id for row in claimed] == ["enrollment-3", "enrollment-2"]


def test_save_writes_the_next_due_time_and_drops_the_lease(ledger: Ledger) -> None:
    later = NOW + timedelta(days=3)
    with ledger.begin() as work:
        work.enrollments.add(ROW)
        (claimed,) = work.enrollments.claim(1, NOW, NOW + MINUTE)
        work.enrollments.save(replace(claimed, due_at=later, waits_for="3 days", attempts=0))
        work.commit()
    assert _due_at(ledger) == later
    with ledger.begin() as work:
        assert [row.waits_for for row in work.enrollments.claim(1, later, later + MINUTE)] == ["3 days"]


def test_a_wake_that_meets_a_leased_row_is_not_lost(ledger: Ledger) -> None:
    woken_at = NOW + MINUTE / 2
    with ledger.begin() as work:
        work.enrollments.add(ROW)
        (claimed,) = work.enrollments.claim(1, NOW, NOW + MINUTE)
        work.commit()
    with ledger.begin() as work:
        assert work.enrollments.wake("account-1", contact_ids=["contact-1"], now=woken_at) == 1
        assert not work.enrollments.claim(1, woken_at, NOW + 2 * MINUTE)
        work.commit()
    with ledger.begin() as work:
        work.enrollments.save(replace(claimed, due_at=NOW + timedelta(days=3)))
        work.commit()
    assert _due_at(ledger) == woken_at


def test_a_wake_is_not_lost_when_only_an_event_was_waited_for(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.enrollments.add(ROW)
        (claimed,) = work.enrollments.claim(1, NOW, NOW + MINUTE)
        work.enrollments.wake("account-1", enrollment_ids=["enrollment-1"], now=NOW + MINUTE / 2)
        work.enrollments.save(replace(claimed, due_at=None))
        work.commit()
    assert _due_at(ledger) == NOW + MINUTE / 2


def test_a_wake_does_not_put_off_what_is_due_sooner(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.enrollments.add(ROW)
        work.enrollments.wake("account-1", subjects=["invoice:7"], now=NOW + MINUTE)
        work.commit()
    assert _due_at(ledger) == NOW


def test_a_wake_reaches_by_contact_by_subject_and_by_id_only_the_account_s_own(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for count in range(4):
            row = replace(ROW, id=f"enrollment-{count}", contact_id=f"contact-{count}", due_at=None)
            work.enrollments.add(replace(row, subject=f"invoice:{count}"))
        woken = work.enrollments.wake(
            "account-1",
            contact_ids=["contact-0"],
            subjects=["invoice:1"],
            enrollment_ids=["enrollment-2"],
            now=NOW,
        )
        assert woken == 3
        assert work.enrollments.wake("account-2", contact_ids=["contact-3"], now=NOW) == 0
        assert work.enrollments.wake("account-1", now=NOW) == 0


def test_an_ended_enrollment_is_neither_due_nor_woken(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.enrollments.add(ROW)
        (claimed,) = work.enrollments.claim(1, NOW, NOW + MINUTE)
        work.enrollments.wake("account-1", enrollment_ids=["enrollment-1"], now=NOW + MINUTE / 2)
        work.enrollments.save(replace(claimed, status="ended", ended_at=NOW, exit_reason="says paid"))
        assert work.enrollments.wake("account-1", contact_ids=["contact-1"], now=NOW + MINUTE) == 0
        assert work.enrollments.due_count(NOW + timedelta(days=9)) == 0
        found = work.enrollments.find("account-1", "enrollment-1")
    assert found is not None
    assert (found.status, found.ended_at, found.exit_reason, found.due_at) == (
        "ended",
        NOW,
        "says paid",
        None,
    )


def test_a_journey_version_is_made_once_per_content(ledger: Ledger) -> None:
    source = {"journey": "journey: a", "templates": {"a/first.txt.j2": "Hi"}}
    with ledger.begin() as work:
        first = work.versions.ensure("account-1", "a", "hash-1", source, "files", NOW)
        again = work.versions.ensure("account-1", "a", "hash-1", source, "files", NOW + MINUTE)
        second = work.versions.ensure("account-1", "a", "hash-2", source, "files", NOW)
        elsewhere = work.versions.ensure("account-2", "a", "hash-1", source, "files", NOW)
        assert work.versions.get("account-1", first.id) == first
        assert work.versions.get("account-2", first.id) is None
    assert again == first
    assert [first.version, second.version, elsewhere.version] == [1, 2, 1]
    assert first.source == source
