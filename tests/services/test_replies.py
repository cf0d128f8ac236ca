"""Is every reply kept, given to the right contact, and acted on once?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector.adapters.store.tables import message
from connector.domain.keyword_answers import is_keyword_answer
from connector.domain.message import Direction, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.consents import ConsentKind, Mechanism
from connector.ports.enrollments import EnrollmentRow
from connector.ports.messages import MessageRow
from connector.services.consent import Saying
from connector.services.reply_keywords import ANOTHERS_WORDS
from tests.services.stage import NUMBER, SENDER, START, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def _messages(stage: Stage, direction: Direction, contact_id: str | None = None) -> list[MessageRow]:
    with stage.ledger.begin(write=False) as uow:
        found = uow.messages.of_contact("account-1", contact_id or stage.lea.id, 100)
    return [row for row in reversed(found) if row.direction is direction]


def _answers(stage: Stage) -> list[MessageRow]:
    return [row for row in _messages(stage, Direction.OUT) if is_keyword_answer(row.journey, row.step)]


def _entries(stage: Stage, kind: EntryKind) -> list[TimelineEntry]:
    with stage.ledger.begin(write=False) as uow:
        return [each for each in uow.timeline.of_contact("account-1", stage.lea.id, 100) if each.kind is kind]


def _enroll(stage: Stage) -> None:
    enrollment = EnrollmentRow(
        id="enrollment-1",
        account_id="account-1",
        contact_id=stage.lea.id,
        journey="urgent-ticket",
        journey_version_id="v",
        key="9",
        epoch=0,
        subject="ticket:9",
        status="live",
        state={},
        started_at=START,
    )
    with stage.ledger.begin() as uow:
        uow.enrollments.add(enrollment)
        uow.commit()


def _due_at(stage: Stage) -> object:
    with stage.ledger.begin(write=False) as uow:
        found = uow.enrollments.find("account-1", "enrollment-1")
    assert found is not None
    return found.due_at


def test_a_reply_is_kept_and_given_to_the_contact_of_the_last_text(stage: Stage) -> None:
    mia = stage.add_contact("52")
    stage.add_message(MessageState.SENT)
    stage.pass_time(minutes=1)
    stage.add_message(MessageState.SENT, contact_id=mia.id)
    assert stage.receive("Yes, tomorrow is fine 👍") == "reply"
    (reply,) = _messages(stage, Direction.IN, mia.id)
    assert (reply.body, reply.state, reply.encoding) == ("Yes, tomorrow is fine 👍", MessageState.RECEIVED, "ucs2")
    assert not _messages(stage, Direction.IN)


def test_a_reply_delivered_twice_is_one_reply(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    assert stage.receive("Yes", id_="SM9") == "reply"
    assert stage.receive("Yes", id_="SM9") == "seen before"
    stage.drain()
    assert len(_messages(stage, Direction.IN)) == 1
    assert sum("SMS from contact" in body for body in stage.crm.bodies()) == 1


def test_the_text_that_was_answered_says_so(stage: Stage) -> None:
    row = stage.add_message(MessageState.DELIVERED)
    stage.drain()
    stage.pass_time(minutes=5)
    stage.receive("Yes")
    stage.drain()
    assert stage.message(row.id).replied_at == START.replace(minute=5, second=2)
    assert any("· replied 14:05 UTC" in body for body in stage.crm.bodies())


def test_a_reply_is_told_to_timeline_journeys_and_crm(stage: Stage) -> None:
    _enroll(stage)
    row = stage.add_message(MessageState.SENT, enrollment_id="enrollment-1")
    stage.nudged.clear()
    stage.receive("Yes")
    (entry,) = _entries(stage, EntryKind.REPLY_RECEIVED)
    (reply,) = _messages(stage, Direction.IN)
    assert (entry.message_id, entry.enrollment_id, entry.data["answers"]) == (reply.id, "enrollment-1", row.id)
    assert "Yes" not in entry.summary, "a timeline entry never holds a body"
    assert _due_at(stage) == stage.clock.at
    assert set(stage.nudged) == {"journeys", "writeback:hubspot"}


def test_a_text_from_another_sender_is_not_what_was_answered(stage: Stage) -> None:
    mia = stage.add_contact("52")
    stage.add_message(MessageState.SENT)
    stage.pass_time(minutes=1)
    stage.add_message(MessageState.SENT, contact_id=mia.id, sender="+12025550111")
    stage.receive("Yes")
    assert len(_messages(stage, Direction.IN)) == 1


def test_a_reply_to_an_unknown_sender_goes_to_whom_we_texted_last(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    stage.receive("Yes", to="+12025550112")
    assert len(_messages(stage, Direction.IN)) == 1


def test_someone_we_never_texted_is_known_by_their_number(stage: Stage) -> None:
    assert stage.receive("Who is this?") == "reply"
    assert [row.body for row in _messages(stage, Direction.IN)] == ["Who is this?"]


def test_an_unknown_number_is_kept_where_there_is_only_one_account(stage: Stage) -> None:
    assert stage.receive("Hello?", from_="+12025550177") == "reply"
    with stage.ledger.begin(write=False) as uow:
        kept = uow.messages.counts("account-1")
    assert kept == {"received": 1}
    assert stage.drain() == 0, "there is no contact to show it on"


def test_a_stop_from_an_unknown_number_is_confirmed_where_there_is_only_one_account(stage: Stage) -> None:
    assert stage.receive("STOP", from_="+12025550177") == "stop"
    with stage.ledger.begin(write=False) as uow:
        assert uow.messages.counts("account-1") == {"received": 1, "queued": 1}


def test_an_unknown_number_among_several_accounts_stays_in_the_inbox(stage: Stage) -> None:
    stage.add_account("account-2")
    assert stage.receive("Hello?", from_="+12025550177") == "no account"
    with stage.ledger.begin(write=False) as uow:
        assert not uow.messages.counts()


def test_a_stop_from_an_unknown_number_counts_in_every_account(stage: Stage) -> None:
    stage.add_account("account-2")
    stage.receive("STOP", from_="+12025550177")
    assert stage.is_suppressed("+12025550177", "account-1")
    assert stage.is_suppressed("+12025550177", "account-2")


def test_stop_suppresses_and_is_confirmed_once(stage: Stage) -> None:
    row = stage.add_message(MessageState.SENT)
    assert stage.receive("Stop.") == "stop"
    assert stage.receive("STOP") == "stop"
    assert stage.is_suppressed()
    (answer,) = _answers(stage)
    assert (answer.state, answer.sender, answer.step) == (MessageState.QUEUED, SENDER, "stop-confirmation")
    assert answer.body.startswith("You will get no more texts from us.")
    assert answer.enrollment_id is None
    assert stage.message(row.id).opted_out_at == START
    assert "send:twilio:transactional" in stage.nudged


def test_a_stop_after_a_start_is_confirmed_again(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    for body in ("STOP", "START", "STOP"):
        stage.receive(body)
        stage.pass_time(minutes=1)
    steps = [answer.step for answer in _answers(stage)]
    assert steps == ["stop-confirmation", "start-confirmation", "stop-confirmation"]


def test_the_timeline_in_the_crm_shows_the_whole_conversation(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    stage.receive("Stop please")
    stage.drain()
    heads = sorted(body.splitlines()[0] for body in stage.crm.bodies())
    assert heads == [
        "Opted out of SMS · 2026-11-20 14:00 UTC",
        "SMS from contact · received 14:00 UTC",
        "SMS to contact · sent, not yet confirmed 14:00 UTC",
        "SMS to contact · waiting to be sent 14:00 UTC",
    ]
    reply = next(body for body in stage.crm.bodies() if body.startswith("SMS from"))
    assert "Stop please\n\nUnderstood as STOP: no more SMS go to this number" in reply


def test_what_the_gateway_has_answered_is_not_answered_again(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    stage.receive("STOP", opt_out_handled="STOP")
    assert stage.is_suppressed()
    stage.receive("HELP", opt_out_handled="HELP")
    stage.receive("START", opt_out_handled="START")
    assert not stage.is_suppressed()
    assert not _answers(stage)


def test_a_stop_word_only_the_gateway_knows_counts_all_the_same(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    assert stage.receive("xyzzy", opt_out_handled="stop") == "stop"
    assert stage.is_suppressed()


def test_our_stop_counts_whatever_else_the_gateway_heard(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    assert stage.receive("STOP", opt_out_handled="HELP") == "stop"
    assert stage.is_suppressed()


def test_stop_counts_in_every_account_that_texted_from_there_and_one_confirms(stage: Stage) -> None:
    stage.add_account("account-2")
    other = stage.add_contact("77", "account-2")
    stage.add_message(MessageState.SENT)
    stage.pass_time(minutes=1)
    theirs = stage.add_message(MessageState.SENT, account_id="account-2", contact_id=other.id)
    stage.receive("STOP")
    assert stage.is_suppressed(account_id="account-1")
    assert stage.is_suppressed(account_id="account-2")
    assert not _answers(stage), "the account that texted last confirms"
    with stage.ledger.begin(write=False) as uow:
        steps = [row.step for row in uow.messages.of_contact("account-2", other.id, 10)]
    assert steps.count("stop-confirmation") == 1
    assert stage.message(theirs.id).opted_out_at is not None


def test_help_is_answered_even_after_a_stop(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    stage.receive("STOP")
    assert stage.receive("help") == "help"
    assert [answer.step for answer in _answers(stage)] == ["stop-confirmation", "help-answer"]
    assert stage.is_suppressed()


def test_start_from_someone_who_never_opted_out_is_kept_as_a_reply(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    assert stage.receive("Start") == "start"
    assert not _answers(stage)
    stage.drain()
    assert any("had not opted out, so nothing changes" in body for body in stage.crm.bodies())


def test_start_against_a_block_in_the_crm_says_that_it_stands(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    said = Saying("account-1", NUMBER, Mechanism.CRM_PROPERTY, "event:1", START)
    with stage.ledger.begin() as uow:
        stage.consent.opt_out(uow, said, START)
        uow.commit()
    stage.receive("START")
    assert stage.is_suppressed()
    assert not _answers(stage)
    stage.drain()
    assert any("set in the CRM by a colleague and stands" in body for body in stage.crm.bodies())


def test_words_that_may_be_an_opt_out_hold_marketing_and_ask_a_person(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    assert stage.receive("Lose my number, will you") == "maybe_stop"
    assert not stage.is_suppressed()
    with stage.ledger.begin(write=False) as uow:
        assert uow.consents.marketing_consent("account-1", [NUMBER]) == {NUMBER: ConsentKind.DOUBTFUL}
    assert len(_entries(stage, EntryKind.ATTENTION_NEEDED)) == 1
    stage.drain()
    assert any(record.title == "Does Lea want no more SMS?" for record in stage.crm.records.values())


def test_doubtful_words_after_a_stop_ask_nobody(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    stage.receive("STOP")
    stage.receive("Lose my number, will you")
    assert not _entries(stage, EntryKind.ATTENTION_NEEDED)


def test_please_dont_stop_is_no_stop(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    assert stage.receive("please don't stop") == "reply"
    assert not stage.is_suppressed()


def test_an_owners_reply_is_the_owners(stage: Stage) -> None:
    _enroll(stage)
    stage.add_message(
        MessageState.SENT,
        recipient="owner",
        msisdn="+12025550199",
        enrollment_id="enrollment-1",
        journey="urgent-ticket",
    )
    stage.receive("On it", from_="+12025550199")
    assert not _entries(stage, EntryKind.REPLY_RECEIVED), "the contact did not reply"
    with stage.ledger.begin(write=False) as uow:
        heard = uow.timeline.of_enrollment("account-1", "enrollment-1")
    assert [entry.data["from"] for entry in heard if entry.kind is EntryKind.REPLY_RECEIVED] == ["owner"]
    assert _due_at(stage) == stage.clock.at
    stage.drain()
    assert any(body.startswith("SMS from owner") for body in stage.crm.bodies())


def test_an_owners_stop_is_not_the_contacts(stage: Stage) -> None:
    stage.add_message(MessageState.SENT, recipient="owner", msisdn="+12025550199")
    stage.receive("STOP", from_="+12025550199")
    assert stage.is_suppressed("+12025550199")
    assert not stage.is_suppressed()
    assert not _entries(stage, EntryKind.OPTED_OUT)


def test_an_answer_comes_in_the_contacts_language(stage: Stage) -> None:
    with stage.ledger.begin() as uow:
        uow.contacts.save(replace(stage.lea, locale="de-AT"))
        uow.commit()
    stage.add_message(MessageState.SENT)
    stage.receive("Hilfe bitte")
    assert _answers(stage)[0].body.startswith("Automatische SMS")


def test_an_answer_is_priced_by_the_country_of_the_number_it_goes_to(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    stage.receive("HELP")
    (answer,) = _answers(stage)
    assert (answer.msisdn, answer.country) == (NUMBER, "US")


@pytest.mark.parametrize("number", ["72345", "+883510012345"])
def test_an_answer_to_a_number_of_no_country_has_none(stage: Stage, number: str) -> None:
    stage.receive("HELP", from_=number)
    with stage.ledger.engine.connect() as connection:
        found = connection.execute(select(message.c.country).where(message.c.direction == Direction.OUT.value))
        assert found.scalars().all() == [None]


def test_an_answer_loses_its_point_with_time(stage: Stage) -> None:
    stage.add_message(MessageState.SENT)
    stage.receive("STOP")
    stage.receive("HELP")
    minutes = [(answer.expires_at - START).total_seconds() / 60 for answer in _answers(stage) if answer.expires_at]
    assert minutes == [5, 60]


@pytest.mark.parametrize("body", ["STOP", "take me off your list, Lea Brandt, order 4711"])
def test_what_is_said_to_one_account_is_no_other_accounts_business(stage: Stage, body: str) -> None:
    """Two accounts text from the same number: what a STOP means holds in both, what it says is for one to read."""
    stage.add_account("account-2")
    other = stage.add_contact("77", "account-2")
    stage.add_message(MessageState.SENT, account_id="account-2", contact_id=other.id, created_at=START)
    stage.add_message(MessageState.SENT, sent_at=START + timedelta(minutes=1))
    stage.receive(body)
    later = stage.clock.at + timedelta(hours=1)
    with stage.ledger.begin() as uow:
        (mine,) = uow.consents.history("account-1", NUMBER)
        (theirs,) = uow.consents.history("account-2", NUMBER)
        # Each claim is of one account.
        shown = [row for _ in "12" for row in uow.records.claim("hubspot", 100, later, later + timedelta(hours=1))]
    assert (mine.wording, theirs.wording) == (body, ANOTHERS_WORDS)
    assert mine.kind is theirs.kind
    elsewhere = [row.payload for row in shown if row.account_id == "account-2"]
    assert elsewhere
    assert body not in str(elsewhere)
