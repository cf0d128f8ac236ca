"""Does the ledger keep what the CRM is to show, so that no record is lost, written twice or blocks another?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from connector.adapters.store.tables import crm_record
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.records import CRMRecordRow, RecordSubject

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = timedelta(minutes=2)
RECORD = CRMRecordRow(
    id="record-1",
    account_id="account-1",
    crm="hubspot",
    kind=RecordSubject.MESSAGE,
    subject="message:m-1",
    ref="SMS-1",
    at=NOW,
    not_before=NOW + 2 * SECOND,
    contact_id="contact-1",
    contact_crm_id="51",
    payload={"note": "grüezi"},
)


@pytest.fixture(autouse=True)
def accounts(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for number in (1, 2):
            work.accounts.add(AccountRow(f"account-{number}", "hubspot", f"{number}", "Acme", "active", "", {}, NOW))
        work.commit()


def _claim(work: UnitOfWork, now: datetime, limit: int = 100) -> list[CRMRecordRow]:
    return list(work.records.claim("hubspot", limit, now, now + LEASE))


def _only(work: UnitOfWork) -> CRMRecordRow:
    return work.records.of_messages("account-1", ["m-1"])["m-1"]


def test_a_record_is_claimed_when_it_has_settled_and_reads_as_wanted(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([RECORD])
        assert not _claim(work, NOW + SECOND)
        assert _claim(work, NOW + 2 * SECOND) == [RECORD]


def test_a_claimed_record_is_nobody_elses_until_the_lease_runs_out(ledger: Ledger) -> None:
    start = NOW + 2 * SECOND
    with ledger.begin() as work:
        work.records.want([RECORD])
        assert _claim(work, start)
        work.commit()
    with ledger.begin() as work:
        assert not _claim(work, start + LEASE - SECOND)
        assert not work.records.waiting(start + LEASE - SECOND)
        assert _claim(work, start + LEASE)


def test_wanting_again_counts_a_change_and_the_earlier_time_wins(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([RECORD])
        work.records.want([replace(RECORD, id="other", not_before=NOW, payload={"note": "new"})])
        work.records.want([replace(RECORD, id="another", not_before=NOW + LEASE, payload={})])
        found = _only(work)
    assert (found.id, found.wanted, found.not_before) == ("record-1", 3, NOW)
    assert found.payload == {"note": "new"}


def test_a_record_written_at_its_newest_change_rests_until_it_is_wanted_again(ledger: Ledger) -> None:
    later = NOW + LEASE
    with ledger.begin() as work:
        work.records.want([RECORD])
        work.records.mark_written([("record-1", 1, "9001")], NOW + 3 * SECOND)
        rested = _only(work)
        assert not _claim(work, later)
        work.records.want([replace(RECORD, not_before=later)])
        again = _claim(work, later)
    assert (rested.state, rested.written, rested.crm_record_id) == ("written", 1, "9001")
    assert rested.written_back_at == NOW + 3 * SECOND
    assert [(row.wanted, row.written, row.crm_record_id) for row in again] == [(2, 1, "9001")]


def test_a_change_that_came_while_the_record_was_written_is_not_lost(ledger: Ledger) -> None:
    start = NOW + 2 * SECOND
    with ledger.begin() as work:
        work.records.want([RECORD])
        assert _claim(work, start)
        work.records.want([replace(RECORD, not_before=start + 5 * SECOND)])
        work.records.mark_written([("record-1", 1, "9001")], start + SECOND)
        assert _only(work).state == "waiting"
        assert not _claim(work, start + 4 * SECOND)
        assert [row.wanted for row in _claim(work, start + 5 * SECOND)] == [2]


def test_an_update_keeps_the_id_the_crm_gave(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([RECORD])
        work.records.mark_written([("record-1", 1, "9001")], NOW)
        work.records.mark_written([("record-1", 1, None)], NOW)
        assert _only(work).crm_record_id == "9001"


def test_a_create_that_may_be_under_way_stays_marked_until_it_is_certain(ledger: Ledger) -> None:
    start = NOW + 2 * SECOND
    with ledger.begin() as work:
        work.records.want([RECORD])
        _claim(work, start)
        work.records.mark_creating(["record-1"], start)
        work.records.postpone(["record-1"], "read timeout", start + 60 * SECOND, certain=False)
        unsure = _only(work)
        assert not _claim(work, start + 59 * SECOND)
        assert _claim(work, start + 60 * SECOND)
        work.records.postpone(["record-1"], "throttled", start + 90 * SECOND, certain=True)
        sure = _only(work)
    assert (unsure.state, unsure.create_sent_at, unsure.attempts) == ("creating", start, 1)
    assert unsure.error == "read timeout"
    assert (sure.state, sure.create_sent_at, sure.attempts) == ("waiting", None, 2)


def test_a_record_that_waits_because_of_a_failure_is_not_hurried_by_a_change(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([RECORD])
        work.records.postpone(["record-1"], "throttled", NOW + LEASE, certain=True)
        work.records.want([replace(RECORD, not_before=NOW)])
        assert _only(work).not_before == NOW + LEASE


def test_a_refused_record_stays_refused_and_is_shown_with_the_reason(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([RECORD])
        work.records.mark_refused("record-1", "contact 51 does not exist", NOW)
        work.records.want([replace(RECORD, not_before=NOW)])
        assert not _claim(work, NOW + LEASE)
        assert [row.error for row in work.records.refused("account-1", 10)] == ["contact 51 does not exist"]
        assert [row.id for row in work.records.refused(None, 10)] == ["record-1"]
        assert not work.records.refused("account-2", 10)


def test_a_record_refused_in_part_is_shown_with_the_reason_until_it_is_written_whole(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([RECORD])
        work.records.mark_written([("record-1", 1, "9001")], NOW)
        work.records.mark_refused_in_part("record-1", "no such status here")
        (shown,) = work.records.refused("account-1", 10)
        assert (shown.error, shown.state, shown.crm_record_id) == ("no such status here", "written", "9001")
        assert not work.records.refused("account-2", 10)
        work.records.want([replace(RECORD, not_before=NOW)])
        assert [row.id for row in _claim(work, NOW)] == ["record-1"]
        work.records.mark_written([("record-1", 2, None)], NOW)
        assert not work.records.refused(None, 10)


def test_whole_refusals_are_shown_first_and_those_in_part_only_as_long_as_they_are_asked_for(ledger: Ledger) -> None:
    records = [replace(RECORD, id=f"record-{n}", subject=f"message:m-{n}", ref=f"SMS-{n}") for n in range(1, 6)]
    with ledger.begin() as work:
        work.records.want(records)
        for number, at in ((1, NOW + LEASE), (2, NOW + 3 * LEASE), (3, NOW + 2 * LEASE)):
            work.records.mark_written([(f"record-{number}", 1, f"900{number}")], at)
            work.records.mark_refused_in_part(f"record-{number}", "no such status here")
        work.records.mark_refused("record-4", "no such contact", NOW)
        work.records.mark_refused("record-5", "no such contact", NOW + SECOND)
        shown = [row.id for row in work.records.refused("account-1", 10)]
        assert shown == ["record-5", "record-4", "record-2", "record-3", "record-1"]
        recent = [row.id for row in work.records.refused(None, 10, NOW + 2 * LEASE)]
        assert recent == ["record-5", "record-4", "record-2", "record-3"]
        assert [row.id for row in work.records.refused(None, 1)] == ["record-5"]


def test_a_refused_opt_out_flag_is_tried_again_by_the_next_change_of_mind(ledger: Ledger) -> None:
    flag = replace(RECORD, kind=RecordSubject.OPT_OUT_PROPERTY, subject="contact:51")
    with ledger.begin() as work:
        work.records.want([flag])
        work.records.mark_refused("record-1", "no such property", NOW)
        work.records.want([replace(flag, not_before=NOW)])
        assert [row.id for row in _claim(work, NOW)] == ["record-1"]


def test_one_claim_never_mixes_accounts_and_the_oldest_goes_first(ledger: Ledger) -> None:
    other = replace(RECORD, id="record-2", account_id="account-2", not_before=NOW)
    third = replace(RECORD, id="record-3", subject="message:m-3")
    with ledger.begin() as work:
        work.records.want([RECORD, third, other])
        assert [row.id for row in _claim(work, NOW + LEASE)] == ["record-2"]
        assert [row.id for row in _claim(work, NOW + LEASE, limit=1)] == ["record-1"]
        assert [row.id for row in _claim(work, NOW + LEASE)] == ["record-3"]


def test_records_of_a_disconnected_account_wait_without_being_in_anyones_way(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([RECORD])
        work.accounts.set_status("account-1", "disconnected", "token revoked")
        assert not _claim(work, NOW + LEASE)
        assert not work.records.waiting(NOW + LEASE)
        work.accounts.set_status("account-1", "active", "")
        assert work.records.waiting(NOW + LEASE) == {"hubspot": 1}
        assert _claim(work, NOW + LEASE)


def test_an_account_whose_crm_is_away_is_put_off_as_a_whole(ledger: Ledger) -> None:
    other = replace(RECORD, id="record-2", account_id="account-2")
    with ledger.begin() as work:
        work.records.want([RECORD, other])
        work.records.put_off("account-1", NOW + LEASE, NOW + 2 * LEASE)
        assert work.records.waiting(NOW + LEASE) == {"hubspot": 1}
        assert [row.id for row in _claim(work, NOW + LEASE)] == ["record-2"]
        work.records.mark_written([("record-2", 1, "9002")], NOW + LEASE)
        work.records.want([replace(RECORD, not_before=NOW)])
        assert not _claim(work, NOW + 2 * LEASE - SECOND)
        assert [row.id for row in _claim(work, NOW + 2 * LEASE)] == ["record-1"]


def test_what_a_record_says_is_unreadable_at_rest(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.records.want([RECORD])
        work.commit()
    with sql_ledger.engine.connect() as connection:
        sealed = connection.execute(sa.select(crm_record.c.payload_sealed)).scalar_one()
    assert "grüezi".encode() not in bytes(sealed)


def test_nothing_wanted_and_nothing_written_touches_no_row(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([])
        work.records.mark_written([], NOW)
        assert not _claim(work, NOW)


def test_a_change_is_counted_on_records_that_exist_and_on_no_others(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.records.want([RECORD])
        subjects = ["message:m-1", "message:m-2"]
        assert work.records.changed("account-1", RecordSubject.MESSAGE, subjects, NOW) == ["hubspot"]
        assert work.records.changed("account-2", RecordSubject.MESSAGE, subjects, NOW) == []
        assert work.records.of_messages("account-1", ["m-1", "m-2"]).keys() == {"m-1"}
        found = _only(work)
    assert (found.wanted, found.not_before) == (2, NOW)


def test_patience_fills_a_call_before_it_is_made(ledger: Ledger) -> None:
    due = replace(RECORD, not_before=NOW)
    patience = 2 * SECOND
    with ledger.begin() as work:
        work.records.want([due, replace(due, id="record-2", subject="message:m-2")])
        assert not work.records.claim("hubspot", 3, NOW + SECOND, NOW + LEASE, patience)
        work.records.want([replace(due, id="record-3", subject="message:m-3")])
        assert len(work.records.claim("hubspot", 3, NOW + SECOND, NOW + LEASE, patience)) == 3


def test_patience_ends_when_a_record_has_been_due_for_that_long(ledger: Ledger) -> None:
    due = replace(RECORD, not_before=NOW)
    with ledger.begin() as work:
        work.records.want([due])
        assert work.records.claim("hubspot", 3, NOW + 2 * SECOND, NOW + LEASE, 2 * SECOND) == [due]


def test_the_record_of_a_contacts_flag_is_found_by_the_contacts_id_in_the_crm(ledger: Ledger) -> None:
    flag = replace(RECORD, id="flag-1", kind=RecordSubject.OPT_OUT_PROPERTY, subject="contact:51")
    with ledger.begin() as work:
        work.records.want([RECORD, flag, replace(flag, id="flag-2", account_id="account-2")])
        assert work.records.flags("account-1", ["51", "52"]) == {"51": flag}


def test_what_waits_after_a_failure_is_counted_by_its_reason(ledger: Ledger) -> None:
    rows = [replace(RECORD, id=f"record-{n}", subject=f"message:m-{n}") for n in range(4)]
    with ledger.begin() as work:
        work.records.want(rows)
        work.records.postpone(["record-1", "record-2"], "needs a scope", NOW + LEASE, certain=True)
        work.records.postpone(["record-3"], "away", NOW + LEASE, certain=False)
        assert work.records.put_off_because(9) == {"needs a scope": 2, "away": 1}
        assert work.records.put_off_because(1) == {"needs a scope": 2}
        work.records.mark_written([("record-3", 1, "9001")], NOW)
        work.records.mark_refused("record-1", "deleted", NOW)
        assert work.records.put_off_because(9) == {"needs a scope": 1}


@pytest.mark.parametrize("kind", [RecordSubject.FIND_SENDER, RecordSubject.PROPERTY, RecordSubject.OPT_OUT_PROPERTY])
def test_what_is_about_the_present_is_tried_again_after_a_refusal(ledger: Ledger, kind: RecordSubject) -> None:
    record = replace(RECORD, kind=kind, subject="sender:abc")
    with ledger.begin() as work:
        work.records.want([record])
        work.records.mark_refused(record.id, "a validation rule", NOW)
        assert _claim(work, NOW + LEASE) == []
        work.records.want([replace(record, id="record-2", not_before=NOW + LEASE)])
        assert [row.id for row in _claim(work, NOW + LEASE)] == [record.id]
