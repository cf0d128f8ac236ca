"""Does everything reach the CRM exactly once, coalesced, however the CRM and the process fail?"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connector.domain.account_status import CONNECTED_AT
from connector.domain.message import MessageState
from connector.errors import CRMAmbiguousError, CRMDisconnectedError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import MISSING_SCOPES
from connector.ports.crm_writing import RecordKind
from connector.ports.enrollments import EnrollmentRow
from connector.ports.messages import MessageRow
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.reports import status_report
from connector.services.writeback_batch import Batch
from tests.services.stage import START, KilledError, Killer, MortalCRM, MortalLedger, Stage

RECOVERED = timedelta(minutes=4)  # longer than lease and grace together


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_a_message_becomes_one_record_on_its_contact(stage: Stage) -> None:
    row = stage.add_message()
    stage.drain()
    (written,) = stage.crm.records.values()
    assert (written.kind, written.contact_crm_id) == (RecordKind.COMMUNICATION, "51")
    assert written.body.startswith("SMS to contact · waiting to be sent 14:00 UTC\n\nHello 1\n")
    shown = stage.record_of(row)
    assert (shown.state, shown.crm_record_id, shown.written_back_at) == ("written", "9001", stage.clock.at)


def test_states_that_follow_each_other_closely_become_one_write(stage: Stage) -> None:
    row = stage.add_message()
    for state in (MessageState.DISPATCHING, MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED):
        row = stage.move(row, state)
    stage.drain()
    assert stage.crm.calls == ["create"]
    assert "delivered 14:00 UTC" in stage.crm.bodies()[0]


def test_a_later_state_updates_the_same_record(stage: Stage) -> None:
    row = stage.move(stage.add_message(), MessageState.DISPATCHING)
    row = stage.move(row, MessageState.SENT)
    stage.drain()
    stage.pass_time(minutes=3)
    stage.move(row, MessageState.DELIVERED)
    stage.drain()
    assert stage.crm.calls == ["create", "update"]
    assert len(stage.crm.records) == 1
    assert "delivered 14:03 UTC" in stage.crm.bodies()[0]


def test_nothing_is_written_before_it_has_settled(stage: Stage) -> None:
    stage.add_message()
    assert stage.drain(settle=1) == 0
    assert stage.drain(settle=1) == 1


def test_hundreds_of_messages_cost_few_calls(stage: Stage) -> None:
    rows = [stage.add_message() for _ in range(250)]
    stage.drain()
    for row in rows:
        stage.move(stage.move(row, MessageState.DISPATCHING), MessageState.DELIVERED)
    stage.drain()
    assert stage.crm.calls == ["create"] * 3 + ["update"] * 3
    assert len(stage.crm.records) == 250


def test_a_full_call_does_not_wait(stage: Stage) -> None:
    for _ in range(100):
        stage.add_message()
    assert stage.writer().write_back("hubspot") == 100


def test_the_record_a_journey_was_started_by_gets_the_message_too(stage: Stage) -> None:
    with stage.ledger.begin() as uow:
        uow.enrollments.add(
            EnrollmentRow(
                id="enrollment-1",
                account_id="account-1",
                contact_id=stage.lea.id,
                journey="deal-won",
                journey_version_id="v",
                key="9",
                epoch=0,
                subject="deal:9",
                status="live",
                state={},
                started_at=START,
            )
        )
        uow.commit()
    stage.add_message(enrollment_id="enrollment-1")
    stage.drain()
    (written,) = stage.crm.records.values()
    assert [str(ref) for ref in written.associations] == ["deal:9"]


def test_a_create_whose_answer_got_lost_is_looked_up_and_adopted(stage: Stage) -> None:
    row = stage.add_message()
    stage.crm.answer_lost = True
    stage.crm.failures = [CRMAmbiguousError("read timed out")]
    stage.drain()
    stage.move(stage.move(row, MessageState.DISPATCHING), MessageState.DELIVERED)
    assert stage.drain(settle=50) == 0, "the lost request may still be under way"
    stage.drain(settle=20)
    assert stage.crm.calls == ["create", "find_written", "update"]
    assert len(stage.crm.records) == 1
    assert "delivered" in stage.crm.bodies()[0]


def test_a_create_that_never_arrived_is_made_again_after_looking(stage: Stage) -> None:
    stage.add_message()
    stage.crm.failures = [CRMAmbiguousError("connection reset")]
    stage.drain()
    stage.drain(settle=70)
    assert stage.crm.calls == ["create", "find_written", "create"]
    assert len(stage.crm.records) == 1


def test_a_record_whose_creation_may_be_under_way_is_not_even_looked_up(stage: Stage) -> None:
    row = stage.add_message()
    record_id = stage.record_of(row).id
    with stage.ledger.begin() as uow:
        uow.records.mark_creating([record_id], stage.clock.at)
        uow.commit()
    stage.drain()
    assert stage.crm.calls == []
    stage.drain(settle=70)
    assert stage.crm.calls == ["find_written", "create"]


def test_a_second_create_that_certainly_did_not_leave_is_not_looked_for(stage: Stage) -> None:
    stage.add_message()
    stage.crm.failures = [
        CRMAmbiguousError("reset"),
        None,
        CRMUnavailableError("503", retry_after=timedelta(seconds=5)),
    ]
    stage.drain()
    stage.drain(settle=70)
    stage.drain(settle=10)
    assert stage.crm.calls == ["create", "find_written", "create", "create"]
    assert len(stage.crm.records) == 1


def test_a_lookup_that_fails_is_repeated_before_anything_is_created(stage: Stage) -> None:
    stage.add_message()
    stage.crm.answer_lost = True
    stage.crm.failures = [CRMAmbiguousError("read timed out"), CRMAmbiguousError("read timed out")]
    stage.drain()
    stage.drain(settle=70)
    stage.drain(settle=900)
    assert stage.crm.calls == ["create", "find_written", "find_written", "update"]
    assert len(stage.crm.records) == 1


def test_a_throttled_crm_is_asked_again_when_it_says_and_not_per_record(stage: Stage) -> None:
    rows = [stage.add_message() for _ in range(150)]
    stage.crm.failures = [CRMUnavailableError("429", status=429, retry_after=timedelta(seconds=10))]
    writer = stage.writer()
    stage.drain(writer)
    stage.add_message()
    stage.move(rows[0], MessageState.DISPATCHING)
    stage.drain(writer, settle=5)
    assert stage.crm.calls == ["create"]
    stage.drain(writer, settle=8)
    assert len(stage.crm.records) == 151
    assert "find_written" not in stage.crm.calls


def test_a_crm_that_is_down_for_a_day_gets_everything_when_it_is_back(stage: Stage) -> None:
    row = stage.add_message()
    writer = stage.writer()
    for _ in range(24):
        stage.crm.failures = [CRMUnavailableError("503", status=503)]
        stage.drain(writer, settle=3600)
    stage.crm.failures = []
    stage.move(stage.move(row, MessageState.DISPATCHING), MessageState.DELIVERED)
    stage.drain(writer, settle=3600)
    assert len(stage.crm.records) == 1
    assert "delivered" in stage.crm.bodies()[0]


def test_another_account_is_served_while_one_is_throttled(stage: Stage) -> None:
    stage.add_account("account-2")
    other = stage.add_contact("77", "account-2")
    stage.add_message()
    stage.pass_time(seconds=1)
    stage.add_message(account_id="account-2", contact_id=other.id)
    stage.crm.failures = [CRMUnavailableError("429", status=429, retry_after=timedelta(minutes=5))]
    stage.drain()
    assert [written.contact_crm_id for written in stage.crm.records.values()] == ["77"]


def test_a_refused_row_is_kept_with_the_crms_reason_and_its_neighbours_are_written(stage: Stage) -> None:
    bad, good = stage.add_message(), stage.add_message()
    stage.crm.refuses[stage.record_of(bad).ref] = CRMRefusedError("contact 51 was deleted", status=400)
    stage.drain()
    assert [row.error for row in stage.refused()] == ["contact 51 was deleted"]
    assert stage.record_of(good).state == "written"
    stage.move(bad, MessageState.DISPATCHING)
    stage.drain()
    assert stage.crm.calls == ["create"]


def test_what_is_refused_beside_a_record_is_shown_and_the_record_goes_on_following_its_message(stage: Stage) -> None:
    row = stage.move(stage.add_message(), MessageState.DISPATCHING)
    ref = stage.record_of(row).ref
    stage.crm.refuses_beside[ref] = CRMRefusedError("no such status here", status=400)
    stage.drain()
    assert [(shown.error, shown.crm_record_id) for shown in stage.refused()] == [("no such status here", "9001")]
    row = stage.move(row, MessageState.SENT)
    stage.drain()
    assert [shown.error for shown in stage.refused()] == ["no such status here"]
    stage.crm.refuses_beside.clear()
    stage.move(row, MessageState.DELIVERED)
    stage.drain()
    assert stage.crm.calls == ["create", "update", "update"]
    assert (stage.refused(), stage.record_of(row).state) == ([], "written")


def test_a_call_refused_as_a_whole_refuses_every_row(stage: Stage) -> None:
    stage.add_message()
    stage.add_message()
    stage.crm.failures = [CRMRefusedError("a property is missing", status=400)]
    stage.drain()
    assert [row.error for row in stage.refused()] == ["a property is missing"] * 2


def test_rows_of_one_answer_are_noted_each_by_its_own_error(stage: Stage) -> None:
    lost, throttled, good = (stage.add_message() for _ in range(3))
    stage.crm.refuses = {
        stage.record_of(lost).ref: CRMAmbiguousError("not mentioned"),
        stage.record_of(throttled).ref: CRMUnavailableError("throttled", retry_after=timedelta(seconds=5)),
    }
    stage.drain()
    assert stage.record_of(lost).state == "creating"
    assert stage.record_of(throttled).state == "waiting"
    assert stage.record_of(good).state == "written"


def test_an_account_connected_again_while_its_records_were_refused_stays_connected(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        with stage.ledger.begin() as uow:
            uow.accounts.save_settings("account-1", {CONNECTED_AT: stage.clock.at.isoformat()}, "")
            uow.commit()
        raise CRMDisconnectedError("token revoked", status=401)

    row = stage.add_message()
    with monkeypatch.context() as patched:
        patched.setattr(stage.crm, "create", refuse)
        stage.drain()
    with stage.ledger.begin(write=False) as uow:
        assert uow.accounts.get("account-1").status == "active"
    stage.drain()
    assert stage.record_of(row).state == "written"


def test_a_disconnected_account_is_marked_and_its_records_wait_for_it(stage: Stage) -> None:
    row = stage.add_message()
    stage.crm.failures = [CRMDisconnectedError("token revoked", status=401)]
    stage.drain()
    stage.drain(settle=3600)
    assert stage.crm.calls == ["create"]
    with stage.ledger.begin() as uow:
        account = uow.accounts.get("account-1")
        uow.accounts.set_status("account-1", "active", "")
        uow.commit()
    assert (account.status, account.status_reason) == ("disconnected", "token revoked")
    stage.drain()
    assert stage.record_of(row).state == "written"


def test_a_create_that_left_late_in_its_lease_is_not_looked_up_while_it_may_be_under_way(stage: Stage) -> None:
    """The claim is not the create: a batch that was held up makes its calls long after it was claimed."""
    row = stage.add_message()
    read = Batch.read

    def slow_read(batch: Batch) -> None:
        stage.pass_time(seconds=80)
        read(batch)

    stage.crm.failures = [CRMAmbiguousError("read timed out")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batch, "read", slow_read)
        stage.pass_time(seconds=2)
        stage.writer().write_back("hubspot")
    assert stage.record_of(row).create_sent_at == stage.clock.at
    stage.drain(settle=50)
    assert stage.crm.calls == ["create"]


def test_a_crm_that_answers_503_to_creates_is_asked_once_and_not_per_batch(stage: Stage) -> None:
    for _ in range(250):
        stage.add_message()
    stage.crm.failures = [CRMAmbiguousError("503", status=503)]
    writer = stage.writer()
    stage.pass_time(seconds=2)
    while writer.write_back("hubspot"):
        pass
    assert stage.crm.calls == ["create"]
    for _ in range(3):
        stage.drain(writer, settle=70)
    refs = [written.ref for written in stage.crm.records.values()]
    assert len(refs) == len(set(refs)) == 250


def test_an_update_without_an_answer_is_just_made_again(stage: Stage) -> None:
    row = stage.move(stage.add_message(), MessageState.DISPATCHING)
    stage.drain()
    stage.move(row, MessageState.DELIVERED)
    stage.crm.failures = [CRMAmbiguousError("reset")]
    stage.drain()
    stage.drain(settle=900)
    assert stage.crm.calls == ["create", "update", "update"]
    assert "delivered" in stage.crm.bodies()[0]


_NO_RIGHT = CRMRefusedError(
    "create communication: needs crm.objects.contacts.write", status=403, category=MISSING_SCOPES
)


def test_a_missing_scope_refuses_nothing_for_good(stage: Stage) -> None:
    row = stage.add_message()
    stage.crm.failures = [_NO_RIGHT]
    stage.drain()
    assert stage.refused() == []
    with stage.ledger.begin(write=False) as uow:
        assert uow.accounts.get("account-1").status == "active"
        report = status_report(uow, [], stage.clock.at)
    assert report["write_back_put_off"] == {str(_NO_RIGHT): 1}
    stage.drain(settle=1800)
    assert stage.crm.calls == ["create"]
    stage.drain(settle=1802)
    assert stage.record_of(row).state == "written"
    assert stage.crm.calls == ["create", "create"]


def test_a_refusal_in_part_leaves_the_report_a_week_after_it_was_written(stage: Stage) -> None:
    row = stage.add_message()
    stage.crm.refuses_beside[stage.record_of(row).ref] = CRMRefusedError("no such status here")
    stage.drain()
    written_at = stage.record_of(row).written_back_at
    assert written_at is not None
    with stage.ledger.begin(write=False) as uow:
        told, later = (status_report(uow, [], written_at + timedelta(days=days)) for days in (6, 8))
    assert [one["reason"] for one in told["refused_by_crm"]] == ["no such status here"]
    assert later["refused_by_crm"] == []


def test_a_missing_scope_of_a_lookup_leaves_the_lost_record_to_be_looked_up(stage: Stage) -> None:
    row = stage.add_message()
    stage.crm.answer_lost = True
    stage.crm.failures = [CRMAmbiguousError("read timed out"), _NO_RIGHT]
    stage.drain()
    stage.drain(settle=70)
    assert stage.record_of(row).create_sent_at is not None
    stage.drain(settle=3602)
    assert stage.crm.calls == ["create", "find_written", "find_written", "update"]


def test_a_lookup_the_crm_refuses_is_shown_with_its_reason(stage: Stage) -> None:
    stage.add_message()
    stage.crm.failures = [CRMAmbiguousError("read timed out"), CRMRefusedError("no such association", status=400)]
    stage.drain()
    stage.drain(settle=70)
    assert [refused.error for refused in stage.refused()] == ["no such association"]


def test_a_missing_scope_for_the_flag_waits_too(stage: Stage) -> None:
    stage.receive("Stop")
    stage.crm.refuses["51"] = _NO_RIGHT
    stage.drain()
    assert stage.refused() == []
    stage.crm.refuses = {}
    stage.drain(settle=3602)
    assert stage.crm.flags["51"][0] is True


def test_a_row_that_tells_of_a_disconnection_leaves_a_lost_neighbour_marked(stage: Stage) -> None:
    first, lost = stage.add_message(), stage.add_message()
    stage.crm.refuses = {
        stage.record_of(first).ref: CRMDisconnectedError("scope missing", status=403),
        stage.record_of(lost).ref: CRMAmbiguousError("not mentioned"),
    }
    stage.drain()
    assert stage.record_of(lost).create_sent_at is not None
    assert stage.record_of(first).create_sent_at is None


def test_no_call_leaves_when_the_lease_is_nearly_over(stage: Stage) -> None:
    stage.add_message()
    task = _task(stage)

    original = stage.crm.create

    def slow_create(account: object, rows: object) -> object:
        stage.pass_time(seconds=100)
        return original(account, rows)  # type: ignore[arg-type]

    stage.crm.create = slow_create  # type: ignore[assignment,method-assign]
    stage.pass_time(seconds=2)
    stage.writer().write_back("hubspot")
    assert [written.kind for written in stage.crm.records.values()] == [RecordKind.COMMUNICATION]
    stage.drain()
    assert sorted(written.kind for written in stage.crm.records.values()) == ["communication", "task"]
    assert task.ref in "".join(stage.crm.bodies())


def _task(stage: Stage) -> CRMRecordRow:
    task = CRMRecordRow(
        id=stage.ledger.new_id(), account_id="account-1", crm="hubspot", kind=RecordSubject.TASK,
        subject="task:enrollment-1:steps[2]", ref="SMS-TASK0001", at=START + timedelta(days=1),
        not_before=stage.clock.at, contact_id=stage.lea.id, contact_crm_id="51",
        payload={
            "title": "Call Lea", "body": "She did not reply.", "owner_id": "7", "priority": "high",
            "associations": ["deal:9"],
        },
    )  # fmt: skip
    with stage.ledger.begin() as uow:
        uow.records.want([task])
        uow.commit()
    return task


def test_a_task_is_created_once_with_owner_due_time_and_associations(stage: Stage) -> None:
    _task(stage)
    stage.drain()
    (written,) = stage.crm.records.values()
    assert (written.kind, written.title, written.owner_id, written.priority) == ("task", "Call Lea", "7", "high")
    assert written.at == START + timedelta(days=1)
    assert [str(ref) for ref in written.associations] == ["deal:9"]
    assert written.body == "She did not reply.\n\nRef SMS-TASK0001"


def test_a_task_for_an_owner_who_has_left_is_given_to_nobody_instead_of_being_lost(stage: Stage) -> None:
    task = _task(stage)
    stage.crm.refuses_owners = {"7"}
    stage.drain()
    (written,) = stage.crm.records.values()
    assert (written.ref, written.title, written.owner_id) == (task.ref, "Call Lea", None)
    assert written.body == (
        "She did not reply.\n\nThe CRM did not take the owner this task was meant for, so nobody is assigned.\n\n"
        "Ref SMS-TASK0001"
    )
    assert stage.crm.calls == ["create", "create"]
    assert stage.refused() == []


def test_a_task_that_is_refused_without_an_owner_too_is_shown(stage: Stage) -> None:
    task = _task(stage)
    stage.crm.refuses[task.ref] = CRMRefusedError("contact 51 was deleted", status=400)
    stage.drain()
    assert stage.crm.calls == ["create", "create"]
    assert [refused.error for refused in stage.refused()] == ["contact 51 was deleted"]


def test_a_message_that_is_gone_is_refused_with_that_reason(stage: Stage) -> None:
    row = stage.add_message()
    record = replace(stage.record_of(row), id="other", subject="message:gone", payload={})
    with stage.ledger.begin() as uow:
        uow.records.want([record])
        uow.commit()
    stage.drain()
    assert [refused.error for refused in stage.refused()] == ["the message is no longer in the ledger"]


def test_a_record_without_a_contact_in_the_crm_is_refused_with_that_reason(stage: Stage) -> None:
    row = stage.add_message()
    record = replace(stage.record_of(row), id="other", kind=RecordSubject.REPLY, contact_crm_id="")
    with stage.ledger.begin() as uow:
        uow.records.want([record])
        uow.commit()
    stage.drain()
    assert [refused.error for refused in stage.refused()] == ["there is no contact in the CRM to show it on"]


def _everything(stage: Stage) -> None:
    """Make one of each kind of record: messages, a reply, an opt-out with flag and search, a task."""
    for _ in range(3):
        row = stage.move(stage.add_message(), MessageState.DISPATCHING)
        stage.move(row, MessageState.SENT)
    stage.crm.numbers = {row.msisdn: ["51", "88"]}
    stage.receive("Stop")
    _task(stage)


def _run_to_the_end(stage: Stage) -> None:
    for _ in range(4):
        stage.pass_time(seconds=RECOVERED.total_seconds())
        stage.drain()


def test_a_process_that_dies_at_any_boundary_leaves_one_record_of_each_thing(tmp_path: Path) -> None:
    """Kill it before and after every commit and every call of the CRM, then let another worker go on."""
    boundaries = 0
    while True:
        directory = tmp_path / str(boundaries)
        directory.mkdir()
        stage = Stage(directory)
        _everything(stage)
        killer = Killer(at=boundaries)
        writer = stage.writer(MortalLedger(stage.ledger, killer), MortalCRM(stage.crm, killer))
        try:
            stage.drain(writer)
        except KilledError:
            died = True
        else:
            died = False
        _run_to_the_end(stage)
        _assert_all_shown_once(stage)
        stage.close()
        if not died:
            break
        boundaries += 1
    assert boundaries > 20


def _assert_all_shown_once(stage: Stage) -> None:
    refs = [written.ref for written in stage.crm.records.values()]
    assert len(refs) == len(set(refs))
    bodies = stage.crm.bodies()
    # Three texts and the confirmation of the STOP, the reply, the opt-out, the task.
    assert len(bodies) == 7
    assert sum(body.startswith("SMS to contact") for body in bodies) == 4
    assert sum(body.startswith("SMS from contact") for body in bodies) == 1
    assert sum(body.startswith("Opted out of SMS") for body in bodies) == 1
    assert {contact: flag for contact, (flag, _) in stage.crm.flags.items()} == {"51": True, "88": True}
    with stage.ledger.begin(write=False) as uow:
        assert not uow.records.waiting(stage.clock.at + RECOVERED)


@pytest.fixture(params=["sqlite", "postgresql"])
def busy_stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A stage on either database, at which several workers are busy."""
    stage = Stage(tmp_path, request.getfixturevalue("postgres_url") if request.param == "postgresql" else "")
    yield stage
    stage.close()


def test_several_workers_at_once_neither_block_each_other_nor_write_twice(busy_stage: Stage) -> None:
    stage = busy_stage
    rows = [stage.add_message() for _ in range(120)]
    stage.pass_time(seconds=2)

    def write() -> None:
        writer = stage.writer()
        for _ in range(12):
            writer.write_back("hubspot", limit=10)

    def deliver(some: list[MessageRow]) -> None:
        for row in some:
            stage.move(stage.move(row, MessageState.DISPATCHING), MessageState.DELIVERED)

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(write) for _ in range(3)]
        jobs += [pool.submit(deliver, some) for some in (rows[:40], rows[:79:-1], rows[40:80])]
        for job in jobs:
            job.result()
    stage.drain()
    refs = [written.ref for written in stage.crm.records.values()]
    assert len(refs) == len(set(refs)) == 120
    assert all("delivered" in body for body in stage.crm.bodies())
