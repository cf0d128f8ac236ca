"""Does an opt-out hold everywhere at once, and who may take it back?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.domain.message import MessageState, Purpose
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMAmbiguousError, CRMRefusedError, CRMUnavailableError
from connector.ports.consents import ConsentKind, Mechanism, Scope
from connector.ports.enrollments import EnrollmentRow
from connector.services.consent import OptIn, Saying
from tests.services.stage import NUMBER, START, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def _said(stage: Stage, mechanism: Mechanism = Mechanism.KEYWORD, source: str = "message:1") -> Saying:
    wording = "Stop" if mechanism is Mechanism.KEYWORD else ""
    return Saying("account-1", NUMBER, mechanism, source, stage.clock.at, stage.lea.id, wording, "US")


def _opt_out(stage: Stage, said: Saying | None = None) -> bool:
    with stage.ledger.begin() as uow:
        event = stage.consent.opt_out(uow, said or _said(stage), stage.clock.at)
        uow.commit()
    return event is not None


def _opt_in(stage: Stage, mechanism: Mechanism, source: str = "message:9") -> OptIn:
    with stage.ledger.begin() as uow:
        outcome = stage.consent.opt_in(uow, _said(stage, mechanism, source), stage.clock.at)
        uow.commit()
    return outcome


def _entries(stage: Stage, contact_id: str | None = None) -> list[TimelineEntry]:
    with stage.ledger.begin(write=False) as uow:
        return list(uow.timeline.of_contact("account-1", contact_id or stage.lea.id, 100))


def _kinds(stage: Stage, contact_id: str | None = None) -> list[EntryKind]:
    return [entry.kind for entry in _entries(stage, contact_id)]


def test_an_opt_out_stops_everything_that_waits_for_the_number(stage: Stage) -> None:
    held = stage.add_message(MessageState.HELD)
    queued = stage.add_message(purpose=Purpose.OTP, contact_id=None)
    sent = stage.add_message(MessageState.SENT)
    elsewhere = stage.add_message(msisdn="+12025550144")
    assert _opt_out(stage)
    states = [stage.message(row.id).state for row in (held, queued, sent, elsewhere)]
    assert states == [MessageState.SUPPRESSED, MessageState.SUPPRESSED, MessageState.SENT, MessageState.QUEUED]
    assert stage.message(held.id).state_reason == "the number opted out by a keyword"
    assert stage.is_suppressed()


def test_a_stopped_message_is_told_to_its_timeline_and_its_record(stage: Stage) -> None:
    row = stage.add_message()
    _opt_out(stage)
    stage.drain()
    moved = [entry for entry in _entries(stage) if entry.kind is EntryKind.MESSAGE_MOVED]
    assert [(entry.message_id, entry.data["state"]) for entry in moved] == [(row.id, "suppressed")]
    body = next(body for body in stage.crm.bodies() if "Hello" in body)
    assert body.startswith("SMS to contact · not sent 14:00 UTC\nWhy: the number opted out by a keyword\n")


def test_every_contact_with_the_number_is_told(stage: Stage) -> None:
    other = stage.add_contact("52")
    stranger = stage.add_contact("53", msisdn="+12025550144")
    stage.crm.numbers = {NUMBER: ["51", "52", "88"]}
    _opt_out(stage)
    stage.drain()
    stage.drain()
    assert _kinds(stage) == _kinds(stage, other.id) == [EntryKind.OPTED_OUT]
    assert _kinds(stage, stranger.id) == []
    opt_outs = [each.contact_crm_id for each in stage.crm.records.values() if each.body.startswith("Opted out")]
    assert sorted(opt_outs) == ["51", "52"]
    assert stage.crm.flags == dict.fromkeys(["51", "52", "88"], (True, START))
    assert stage.crm.sources == dict.fromkeys(["51", "52", "88"], "a reply by SMS")


@pytest.mark.parametrize("knows_survivor", [True, False])
def test_a_stop_after_a_merge_makes_one_record_and_one_flag_on_the_survivor(stage: Stage, knows_survivor: bool) -> None:
    stage.change_contact(stage.lea, merged_into="52")
    if knows_survivor:
        stage.add_contact("52")
    stage.crm.numbers = {NUMBER: ["52"]}
    stage.add_message(MessageState.SENT)
    stage.receive("Stop")
    stage.drain()
    stage.drain()
    opt_outs = [each for each in stage.crm.records.values() if each.body.startswith("Opted out")]
    assert [each.contact_crm_id for each in opt_outs] == ["52"]
    assert stage.crm.flags.keys() == {"52"}
    shown = [each for each in stage.crm.records.values() if not each.body.startswith("SMS to contact · sent")]
    assert {each.contact_crm_id for each in shown} == {"52"}, "the reply and the confirmation too"


def test_the_record_of_an_opt_out_says_how_and_what_follows(stage: Stage) -> None:
    stage.add_message()
    _opt_out(stage)
    stage.drain()
    body = next(body for body in stage.crm.bodies() if body.startswith("Opted out"))
    assert body.startswith(
        "Opted out of SMS · 2026-11-20 14:00 UTC\n\nThe contact wrote: Stop\n"
        "No more SMS go to this number, from any journey. 1 waiting SMS was stopped.\n\nRef SMS-"
    )


def test_flags_of_one_opt_out_go_out_in_one_call(stage: Stage) -> None:
    for crm_id in ("52", "53", "54"):
        stage.add_contact(crm_id)
    _opt_out(stage)
    stage.drain()
    assert stage.crm.calls.count("set_opt_out") == 1


def test_the_same_source_never_opts_out_twice(stage: Stage) -> None:
    assert _opt_out(stage)
    assert _opt_in(stage, Mechanism.KEYWORD) is OptIn.LIFTED
    assert not _opt_out(stage), "an old webhook delivered again must not undo a START"
    assert not stage.is_suppressed()


def test_a_second_opt_out_adds_evidence_and_nothing_else(stage: Stage) -> None:
    _opt_out(stage)
    stage.drain()
    written = len(stage.crm.records)
    assert not _opt_out(stage, _said(stage, Mechanism.GATEWAY, "attempt:1"))
    stage.drain()
    assert len(stage.crm.records) == written
    with stage.ledger.begin(write=False) as uow:
        history = uow.consents.history("account-1", NUMBER)
    assert [event.mechanism for event in history] == ["keyword", "gateway"]


def test_our_own_flag_coming_back_as_a_webhook_is_no_evidence(stage: Stage) -> None:
    _opt_out(stage)
    assert not _opt_out(stage, _said(stage, Mechanism.CRM_PROPERTY, "event:1"))
    with stage.ledger.begin(write=False) as uow:
        assert len(uow.consents.history("account-1", NUMBER)) == 1
    assert _opt_in(stage, Mechanism.KEYWORD) is OptIn.LIFTED


def test_start_lifts_what_stop_made_and_resets_the_flag(stage: Stage) -> None:
    _opt_out(stage)
    stage.drain()
    stage.pass_time(hours=1)
    assert _opt_in(stage, Mechanism.KEYWORD) is OptIn.LIFTED
    assert not stage.is_suppressed()
    stage.drain()
    assert stage.crm.flags["51"][0] is False
    assert any(body.startswith("Opted in to SMS again") for body in stage.crm.bodies())
    assert _kinds(stage) == [EntryKind.OPTED_OUT, EntryKind.OPTED_IN]


def test_an_old_opt_in_delivered_again_does_not_undo_a_later_opt_out(stage: Stage) -> None:
    _opt_out(stage)
    assert _opt_in(stage, Mechanism.KEYWORD, "message:2") is OptIn.LIFTED
    _opt_out(stage, _said(stage, source="message:3"))
    assert _opt_in(stage, Mechanism.KEYWORD, "message:2") is OptIn.SEEN_BEFORE
    assert stage.is_suppressed()


def test_start_from_someone_who_never_opted_out_changes_nothing(stage: Stage) -> None:
    assert _opt_in(stage, Mechanism.KEYWORD) is OptIn.NEVER_OPTED_OUT
    assert stage.drain() == 0
    with stage.ledger.begin(write=False) as uow:
        assert not uow.consents.history("account-1", NUMBER)
        assert not uow.consents.marketing_consent("account-1", [NUMBER])


def test_start_never_overrides_a_block_made_by_the_staff(stage: Stage) -> None:
    _opt_out(stage, _said(stage, Mechanism.CRM_PROPERTY, "event:1"))
    assert _opt_in(stage, Mechanism.KEYWORD) is OptIn.BLOCK_STANDS
    assert stage.is_suppressed()
    assert EntryKind.ATTENTION_NEEDED in _kinds(stage)


def test_the_staff_never_take_back_what_the_person_said(stage: Stage) -> None:
    _opt_out(stage)
    assert _opt_in(stage, Mechanism.CRM_PROPERTY) is OptIn.BLOCK_STANDS
    assert stage.is_suppressed()


def test_a_flag_taken_off_in_the_crm_lifts_a_block_made_there(stage: Stage) -> None:
    _opt_out(stage, _said(stage, Mechanism.CRM_PROPERTY, "event:1"))
    assert _opt_in(stage, Mechanism.CRM_PROPERTY, "event:2") is OptIn.LIFTED
    assert not stage.is_suppressed()


def test_the_gateways_opt_out_is_taken_over(stage: Stage) -> None:
    row = stage.add_message(MessageState.FAILED)
    with stage.ledger.begin() as uow:
        stage.consent.note_gateway_opt_out(uow, row, "attempt-1", stage.clock.at)
        uow.commit()
    assert stage.is_suppressed()
    assert stage.message(row.id).opted_out_at == START
    stage.drain()
    assert any("The SMS gateway reports" in body for body in stage.crm.bodies())
    assert _opt_in(stage, Mechanism.KEYWORD) is OptIn.LIFTED


def test_the_gateways_opt_out_of_a_number_that_opted_out_before_is_no_news(stage: Stage) -> None:
    row = stage.add_message(MessageState.FAILED)
    _opt_out(stage)
    with stage.ledger.begin() as uow:
        stage.consent.note_gateway_opt_out(uow, row, "attempt-1", stage.clock.at)
        uow.commit()
    assert stage.message(row.id).opted_out_at is None


def test_the_gateways_word_about_an_owner_is_not_the_contacts(stage: Stage) -> None:
    row = stage.add_message(MessageState.FAILED, recipient="owner", msisdn="+12025550199")
    with stage.ledger.begin() as uow:
        stage.consent.note_gateway_opt_out(uow, row, "attempt-1", stage.clock.at)
        uow.commit()
    assert stage.is_suppressed("+12025550199")
    assert _kinds(stage) == []
    stage.drain()
    assert not stage.crm.flags


def test_an_opt_out_wakes_the_journeys_of_every_contact_concerned(stage: Stage) -> None:
    other = stage.add_contact("52")
    with stage.ledger.begin() as uow:
        uow.enrollments.add(_enrollment(other.id))
        uow.commit()
    stage.nudged.clear()
    _opt_out(stage)
    with stage.ledger.begin(write=False) as uow:
        (woken,) = uow.enrollments.of_contact("account-1", other.id)
    assert woken.due_at == stage.clock.at
    assert stage.nudged == ["journeys", "writeback:hubspot"]


def _enrollment(contact_id: str) -> EnrollmentRow:
    return EnrollmentRow(
        id="enrollment-1",
        account_id="account-1",
        contact_id=contact_id,
        journey="deal-won",
        journey_version_id="v",
        key="9",
        epoch=0,
        subject="deal:9",
        status="live",
        state={},
        started_at=START,
    )


def test_an_opt_out_without_any_contact_is_still_explained(stage: Stage) -> None:
    said = replace(_said(stage), msisdn="+12025550198", contact_id=None)
    assert _opt_out(stage, said)
    assert stage.is_suppressed("+12025550198")
    stage.crm.numbers = {"+12025550198": ["99"]}
    stage.drain()
    stage.drain()
    assert stage.crm.flags == {"99": (True, START)}


def test_a_contact_whose_number_has_changed_is_told_as_well(stage: Stage) -> None:
    said = replace(_said(stage), msisdn="+12025550198")
    assert _opt_out(stage, said)
    assert _kinds(stage) == [EntryKind.OPTED_OUT]


def test_a_doubt_holds_marketing_and_asks_the_owner_once(stage: Stage) -> None:
    said = replace(_said(stage), wording="please take me off")
    with stage.ledger.begin() as uow:
        assert stage.consent.doubt(uow, said, stage.clock.at)
        assert not stage.consent.doubt(uow, said, stage.clock.at)
        uow.commit()
    assert not stage.is_suppressed()
    with stage.ledger.begin(write=False) as uow:
        assert uow.consents.marketing_consent("account-1", [NUMBER]) == {NUMBER: ConsentKind.DOUBTFUL}
    assert _kinds(stage) == [EntryKind.REVOCATION_DOUBTED, EntryKind.ATTENTION_NEEDED]
    stage.drain()
    (task,) = stage.crm.records.values()
    assert (task.title, task.owner_id) == ("Does Lea want no more SMS?", "7")
    assert "please take me off" in task.body
    assert "No marketing SMS goes to this number until somebody decides." in task.body


def test_a_doubt_about_a_merged_contact_asks_on_the_survivor(stage: Stage) -> None:
    stage.change_contact(stage.lea, merged_into="52")
    with stage.ledger.begin() as uow:
        assert stage.consent.doubt(uow, _said(stage), stage.clock.at)
        uow.commit()
    stage.drain()
    (task,) = stage.crm.records.values()
    assert task.contact_crm_id == "52"


def test_a_doubt_about_someone_who_opted_out_asks_nobody(stage: Stage) -> None:
    _opt_out(stage)
    with stage.ledger.begin() as uow:
        assert not stage.consent.doubt(uow, _said(stage, source="message:2"), stage.clock.at)


def test_a_doubt_about_a_number_without_a_contact_makes_no_task(stage: Stage) -> None:
    said = replace(_said(stage), msisdn="+12025550198", contact_id=None)
    with stage.ledger.begin() as uow:
        assert stage.consent.doubt(uow, said, stage.clock.at)
        uow.commit()
    assert stage.drain() == 0


def test_a_refused_flag_never_undoes_an_opt_out(stage: Stage) -> None:
    stage.crm.refuses["51"] = CRMRefusedError("no such property", status=400)
    _opt_out(stage)
    stage.drain()
    assert [row.error for row in stage.refused()] == ["no such property"]
    assert stage.is_suppressed()
    stage.crm.refuses = {}
    stage.pass_time(hours=1)
    _opt_in(stage, Mechanism.KEYWORD)
    stage.drain()
    assert stage.crm.flags["51"][0] is False


def test_a_flag_call_refused_as_a_whole_is_shown_for_each_contact(stage: Stage) -> None:
    stage.add_contact("52")
    _opt_out(stage)
    stage.crm.failures = [None, CRMRefusedError("scope", status=400)]
    stage.drain()
    assert [row.error for row in stage.refused()] == ["scope", "scope"]


@pytest.mark.parametrize("error", [CRMAmbiguousError("timeout"), CRMUnavailableError("503")])
@pytest.mark.parametrize("calls_before", [1, 2])
def test_flags_and_searches_are_repeated_until_they_are_done(
    stage: Stage, error: CRMAmbiguousError, calls_before: int
) -> None:
    stage.crm.numbers = {NUMBER: ["51", "88"]}
    _opt_out(stage)
    stage.crm.failures = [*[None] * calls_before, error]
    for _ in range(4):
        stage.drain(settle=900)
    assert stage.crm.flags == {"51": (True, START), "88": (True, START)}
    assert len(stage.crm.records) == 1


def test_a_refused_search_is_kept_with_its_reason(stage: Stage) -> None:
    _opt_out(stage)
    stage.crm.failures = [None, None, CRMRefusedError("search is off", status=400)]
    stage.drain()
    assert [row.error for row in stage.refused()] == ["search is off"]


def test_a_flag_written_late_says_what_holds_then(stage: Stage) -> None:
    """STOP and START while the CRM was away: whichever record is written last, the flag is right."""
    _opt_out(stage)
    stage.crm.failures = [CRMUnavailableError("503")]
    stage.drain()
    _opt_in(stage, Mechanism.KEYWORD)
    stage.drain(settle=900)
    assert stage.crm.flags["51"][0] is False
    assert stage.crm.calls.count("set_opt_out") == 1


@pytest.mark.parametrize("mechanism", [Mechanism.KEYWORD, Mechanism.GATEWAY])
def test_what_the_person_said_under_a_programs_block_outlives_it(stage: Stage, mechanism: Mechanism) -> None:
    _opt_out(stage, _said(stage, Mechanism.API, "api:1"))
    _opt_out(stage, _said(stage, mechanism, "message:1"))
    stage.pass_time(hours=1)
    assert _opt_in(stage, Mechanism.API, "api:2") is OptIn.BLOCK_STANDS
    assert stage.is_suppressed()
    attention = next(entry for entry in _entries(stage) if entry.kind is EntryKind.ATTENTION_NEEDED)
    assert attention.summary.startswith("a program asks for texts again, but the opt-out")
    assert _opt_in(stage, Mechanism.KEYWORD, "message:2") is OptIn.LIFTED, "the person takes back their own word"


@pytest.mark.parametrize("mechanism", [Mechanism.API, Mechanism.KEYWORD])
def test_a_spoken_opt_out_outlives_the_block_it_was_recorded_under(stage: Stage, mechanism: Mechanism) -> None:
    _opt_out(stage, _said(stage, mechanism, "first:1"))
    _opt_out(stage, _said(stage, Mechanism.STAFF, "card:1"))
    stage.pass_time(hours=1)
    assert _opt_in(stage, mechanism, "first:2") is OptIn.BLOCK_STANDS
    assert stage.is_suppressed()
    assert _opt_in(stage, Mechanism.STAFF, "card:2") is OptIn.LIFTED


@pytest.mark.parametrize("lifted_by", [Mechanism.STAFF, Mechanism.CRM_PROPERTY])
def test_a_spoken_opt_out_that_was_taken_back_holds_nobody_back_later(stage: Stage, lifted_by: Mechanism) -> None:
    _opt_out(stage, _said(stage, Mechanism.STAFF, "card:1"))
    assert _opt_in(stage, lifted_by, "staff:2") is OptIn.LIFTED
    stage.pass_time(hours=1)
    _opt_out(stage, _said(stage, Mechanism.KEYWORD, "message:1"))
    stage.pass_time(hours=1)
    assert _opt_in(stage, Mechanism.KEYWORD, "message:2") is OptIn.LIFTED


def test_a_program_that_blocks_again_under_a_source_it_used_before_blocks(stage: Stage) -> None:
    for turn in range(3):
        assert _opt_out(stage, _said(stage, Mechanism.API, "api:web")), turn
        assert stage.is_suppressed()
        assert not _opt_out(stage, _said(stage, Mechanism.API, "api:web")), "it stands already"
        assert _opt_in(stage, Mechanism.API, f"api:again-{turn}") is OptIn.LIFTED


def test_a_refusal_of_marketing_alone_is_told_and_stops_marketing_alone(stage: Stage) -> None:
    offer = stage.add_message(MessageState.HELD, purpose=Purpose.MARKETING)
    service = stage.add_message(MessageState.HELD)
    with stage.ledger.begin() as uow:
        said = _said(stage, Mechanism.API, "api:1")
        assert stage.consent.opt_out(uow, said, stage.clock.at, Scope.MARKETING) is not None
        uow.commit()
    assert [stage.message(row.id).state for row in (offer, service)] == [MessageState.SUPPRESSED, MessageState.HELD]
    assert EntryKind.MARKETING_REFUSED in _kinds(stage)
    assert EntryKind.OPTED_OUT not in _kinds(stage), "journeys would end of it"
    stage.drain()
    body = next(body for body in stage.crm.bodies() if body.startswith("Opted out of marketing SMS"))
    assert "others still do. 1 waiting SMS was stopped." in body
    assert stage.crm.flags == {}, "the flag says that no text goes to the number at all"
