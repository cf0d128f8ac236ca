"""Do due enrollments move on: fresh, in order, each message and task once, whatever dies on the way?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from connector.domain.message import MessageState, Purpose, SendPolicy
from connector.domain.stepping import BEFORE_RELEASE
from connector.domain.timeline import EntryKind
from connector.errors import CRMDisconnectedError, CRMRefusedError, CRMUnavailableError, MappingError, Mistake
from connector.ports.crm import CRMAccount
from connector.ports.enrollments import EnrollmentRow
from connector.services.events import PATIENCE
from tests.services.stage import KilledError, Killer, MortalLedger
from tests.services.theatre import (
    ACCOUNT,
    CONFIRMATION,
    NUMBER,
    OWNER_NUMBER,
    REMINDER,
    START,
    TEXTS,
    Theatre,
)

ROOT = Path(__file__).parents[2]

ALERT = """
journey: alert
title: Alert
purpose: transactional
window: anytime
cap: 3 per 7 days
trigger:
  event: ticket.priority_changed
enroll:
  key: ticket.id
steps:
  - send: reminder/owner
    to: owner
    expires_after: 30 minutes
    on_failure:
      - task: {for: sam@example.com, title: "Look at {{ ticket.subject }}"}
  - send: reminder/customer
  - wait_for:
      within: 15 minutes
      cases:
        - reply: [ON IT]
          then:
            - exit: taken
"""
ALERT_TEXTS = {
    "reminder/owner.txt.j2": "{{ owner.first_name }}: {{ ticket.subject }}",
    "reminder/customer.txt.j2": "We\u2019re on it\u2026",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def theatre(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Theatre]:
    for name, text in ALERT_TEXTS.items():
        monkeypatch.setitem(TEXTS, name, text)
    journeys = {"reminder": REMINDER, "confirmation": CONFIRMATION, "alert": ALERT}
    theatre = Theatre(tmp_path, database_url, journeys)
    yield theatre
    theatre.close()


def overdue(theatre: Theatre, **properties: str) -> str:
    """Let an invoice of Lea's fall overdue and be found; give its id."""
    invoice = theatre.invoice(theatre.lea(), **properties)
    theatre.poller.poll_due()
    theatre.work()
    return invoice


def booked(theatre: Theatre, **properties: str) -> str:
    """Let a deal of Lea's reach the stage that is confirmed; give its id."""
    deal = theatre.crm.put("deal", [theatre.lea(**properties)], dealname="Roof", dealstage="new")
    theatre.deal_moves(deal, "demo")
    theatre.work()
    return deal


def urgent(theatre: Theatre, **properties: str) -> str:
    """Let a ticket of Lea's turn urgent; give its id."""
    ticket = theatre.crm.put("ticket", [theatre.lea(**properties)], subject="Leak", hs_ticket_priority="HIGH")
    theatre.hear("ticket.propertyChange", ticket, propertyName="hs_ticket_priority", propertyValue="HIGH")
    theatre.work()
    return ticket


def pay(theatre: Theatre, invoice: str) -> None:
    """Let an invoice be paid, and its webhook arrive."""
    theatre.crm.change("invoice", invoice, hs_invoice_status="paid")
    theatre.hear("invoice.propertyChange", invoice, propertyName="hs_invoice_status", propertyValue="paid")


# From event to message


def test_an_overdue_invoice_becomes_one_queued_text(theatre: Theatre) -> None:
    invoice = overdue(theatre)
    (message,) = theatre.messages()
    assert message.body == "Hi Lea, INV-7: $600.00."
    assert (message.msisdn, message.recipient, message.purpose) == (NUMBER, "contact", Purpose.TRANSACTIONAL)
    assert (message.state, message.policy) == (MessageState.QUEUED, SendPolicy.AT_MOST_ONCE)
    assert message.idempotency_key == f"{theatre.enrollment().id}:steps[0]"
    assert message.expires_at == START + timedelta(hours=48)
    assert (message.gateway, message.country, message.segments) == ("null", "US", 1)
    assert theatre.enrollment().subject == f"invoice:{invoice}"
    assert {"send:null:transactional", "writeback:hubspot"} <= set(theatre.nudged)


def test_a_message_says_which_step_of_which_file_made_it(theatre: Theatre) -> None:
    overdue(theatre)
    (created,) = theatre.entries(EntryKind.MESSAGE_CREATED)
    assert (created.path, created.line > 0) == ("steps[0]", True)
    assert created.file.endswith("reminder.yaml")
    assert created.data["number_from"] == "mobilephone"


def test_a_message_is_to_be_shown_in_the_crm(theatre: Theatre) -> None:
    overdue(theatre)
    (message,) = theatre.messages()
    with theatre.ledger.begin(write=False) as uow:
        assert message.id in uow.records.of_messages(ACCOUNT, [message.id])


def test_the_contact_s_own_zone_counts_before_that_of_the_number(theatre: Theatre) -> None:
    booked(theatre, hs_timezone="Europe/Berlin")
    booked(theatre, mobilephone="+447700900123")
    assert [message.time_zones for message in theatre.messages()] == [("Europe/Berlin",), ("Europe/London",)]


def test_typographic_characters_are_replaced_so_that_the_text_stays_cheap(theatre: Theatre) -> None:
    urgent(theatre)
    theatre.accept_all()
    theatre.work()
    message = theatre.messages()[-1]
    assert (message.body, message.encoding) == ("We're on it...", "gsm7")


def test_an_owner_s_text_goes_to_the_phone_in_the_account_s_settings(theatre: Theatre) -> None:
    urgent(theatre)
    (message,) = theatre.messages()
    assert (message.msisdn, message.recipient, message.body) == (OWNER_NUMBER, "owner", "Sam: Leak")
    assert (message.send_window, message.caps) == ("anytime", ())
    assert message.expires_at == START + timedelta(minutes=30)


def test_a_text_to_the_contact_carries_the_journey_s_caps(theatre: Theatre) -> None:
    urgent(theatre)
    theatre.accept_all()
    theatre.work()
    assert theatre.messages()[-1].caps == ("3 per 1 week",)


def test_an_owner_without_a_phone_fails_the_step_and_on_failure_takes_over(theatre: Theatre) -> None:
    theatre.crm.people["7"] = replace(theatre.crm.people["7"], email="else@example.com")
    urgent(theatre)
    (task,) = theatre.tasks()
    assert task["title"] == "Look at Leak"
    assert "The CRM has no owner sam@example.com." in task["body"]
    assert any("no phone is set for the owner" in each for each in theatre.summaries(EntryKind.STEP_TAKEN))
    assert [message.recipient for message in theatre.messages()] == ["contact"]


def test_a_text_that_cannot_be_written_fails_its_step_and_makes_no_message(theatre: Theatre) -> None:
    overdue(theatre, hs_currency="")
    assert not theatre.messages()
    assert any("the text cannot be written" in each for each in theatre.summaries(EntryKind.STEP_TAKEN))
    assert theatre.enrollment().waits_for == "2026-11-23 14:00 UTC"


# Waiting, replies, exits


def test_the_second_reminder_comes_three_days_after_the_first_was_out(theatre: Theatre) -> None:
    overdue(theatre)
    theatre.pass_time(hours=14)
    theatre.accept_all()
    theatre.work()
    due_at = START + timedelta(hours=14, days=3)
    assert theatre.enrollment().due_at == due_at
    theatre.clock.at = due_at - timedelta(seconds=1)
    theatre.work()
    assert len(theatre.messages()) == 1
    theatre.clock.at = due_at
    theatre.work()
    assert [message.step for message in theatre.messages()] == ["steps[0]", "steps[2]"]


def test_a_paid_invoice_gets_no_further_reminder(theatre: Theatre) -> None:
    invoice = overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(days=1)
    pay(theatre, invoice)
    theatre.work()
    assert theatre.enrollment().exit_reason == "invoice.paid happened"
    theatre.pass_time(days=5)
    theatre.work()
    assert len(theatre.messages()) == 1


def test_a_text_held_overnight_is_cancelled_when_the_invoice_is_paid_meanwhile(theatre: Theatre) -> None:
    invoice = overdue(theatre)
    theatre.move(theatre.messages()[0], "held")
    theatre.pass_time(hours=2)
    pay(theatre, invoice)
    theatre.work()
    (message,) = theatre.messages()
    assert (message.state, message.state_reason) == (
        MessageState.CANCELLED,
        "its journey ended: invoice.paid happened",
    )


def test_a_text_held_overnight_does_not_go_out_for_a_record_that_changed_without_a_webhook(theatre: Theatre) -> None:
    invoice = overdue(theatre)
    opens = theatre.clock.at + timedelta(hours=10)
    theatre.hold(theatre.messages()[0], opens)
    theatre.work()
    assert theatre.enrollment().due_at == opens - BEFORE_RELEASE
    theatre.crm.take_away("invoice", invoice)
    theatre.clock.at = opens - BEFORE_RELEASE
    theatre.work()
    (message,) = theatre.messages()
    assert message.state is MessageState.CANCELLED
    assert "no longer exists in the CRM" in message.state_reason


@pytest.mark.parametrize("status", ["paid", "voided"])
def test_a_missed_webhook_brings_no_reminder_that_nothing_is_still_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    for path in (ROOT / "templates" / "invoice-overdue").iterdir():
        monkeypatch.setitem(TEXTS, f"invoice-overdue/{path.name}", path.read_text())
    shipped = (ROOT / "mappings" / "journeys" / "invoice-overdue.yaml").read_text()
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger", {"invoice-overdue": shipped})
    invoice = overdue(theatre, hs_invoice_status="open")
    theatre.accept_all()
    theatre.work()
    theatre.crm.change("invoice", invoice, hs_invoice_status=status, hs_balance_due="0")
    theatre.pass_time(days=4)
    theatre.work()
    assert (theatre.enrollment().status, len(theatre.messages())) == ("ended", 1)
    theatre.close()


def test_another_invoice_s_payment_stops_nothing(theatre: Theatre) -> None:
    overdue(theatre)
    other = theatre.invoice(next(iter(theatre.contacts())))
    pay(theatre, other)
    theatre.work()
    assert theatre.enrollments()[0].status == "live"


def test_a_deal_that_moves_on_ends_its_confirmation_however_late_it_is_read_again(theatre: Theatre) -> None:
    deal = booked(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(days=1)
    theatre.deal_moves(deal, "won")
    theatre.work()
    assert theatre.enrollment().exit_reason == "deal.stage_changed happened"


def test_a_reply_resumes_the_journey_and_asks_the_owner_to_act(theatre: Theatre) -> None:
    deal = booked(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=10)
    theatre.reply("Reschedule please")
    theatre.work()
    assert theatre.enrollment().exit_reason == "asked for another time"
    (task,) = theatre.tasks()
    assert (task["title"], task["owner_id"], task["associations"]) == ("Lea wants another time", "7", [f"deal:{deal}"])
    told = [entry for entry in theatre.entries() if entry.path == "steps[1].wait_for.cases[0].then[0]"]
    assert [(entry.kind, entry.ref) for entry in told] == [("task.wanted", f"deal:{deal}")]


def test_one_reply_does_not_resume_every_journey_of_the_contact(theatre: Theatre) -> None:
    contact = theatre.lea()
    for name in ("Roof", "Cellar"):
        theatre.pass_time(minutes=1)
        deal = theatre.crm.put("deal", [contact], dealname=name, dealstage="new")
        theatre.deal_moves(deal, "demo")
        theatre.work()
        theatre.accept_all()
        theatre.work()
    theatre.pass_time(minutes=10)
    theatre.reply("Reschedule please")
    theatre.work()
    assert [row.exit_reason for row in theatre.enrollments()] == ["", "asked for another time"]
    assert [task["body"] for task in theatre.tasks()] == ["Deal Cellar"]


def test_an_owner_s_reply_answers_the_journey_that_texted_the_owner(theatre: Theatre) -> None:
    urgent(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.accept_all()
    theatre.work()
    theatre.reply("ON IT", from_=OWNER_NUMBER)
    theatre.work()
    assert theatre.enrollment().exit_reason == "taken"


def test_a_reply_s_words_are_in_no_trace_and_no_state(theatre: Theatre) -> None:
    booked(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.reply("Reschedule, my secret appointment")
    theatre.work()
    assert "secret" not in repr(theatre.entries())
    assert "secret" not in repr(theatre.enrollment())


def test_stop_ends_every_journey_of_the_number(theatre: Theatre) -> None:
    booked(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.reply("STOP")
    theatre.work()
    assert [row.status for row in theatre.enrollments()] == ["ended"]
    assert "opted out" in theatre.enrollment().exit_reason


def test_a_stop_that_was_taken_back_before_anybody_looked_ends_nothing(theatre: Theatre) -> None:
    booked(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.reply("STOP")
    theatre.pass_time(minutes=1)
    theatre.reply("START")
    theatre.work()
    assert [row.status for row in theatre.enrollments()] == ["live"]


def test_a_failed_text_asks_a_person_instead(theatre: Theatre) -> None:
    booked(theatre)
    theatre.move(theatre.messages()[0], "dispatching", "failed")
    theatre.work()
    (task,) = theatre.tasks()
    assert task["title"] == "Call Lea"
    assert theatre.enrollment().status == "live"


# What the CRM says meanwhile


def test_a_reminder_speaks_of_the_invoice_as_it_is_now(theatre: Theatre) -> None:
    invoice = overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.crm.change("invoice", invoice, hs_balance_due="250")
    theatre.crm.change("contact", next(iter(theatre.contacts())), firstname="Leah")
    theatre.pass_time(days=3)
    theatre.work()
    assert theatre.messages()[-1].body == "Hi Leah, INV-7: $250.00."


def test_what_was_read_minutes_ago_is_not_read_again(theatre: Theatre) -> None:
    overdue(theatre)
    calls = theatre.crm.calls.copy()
    theatre.pass_time(minutes=4)
    theatre.accept_all()
    theatre.work()
    assert theatre.crm.calls == calls


def test_an_invoice_that_is_no_more_ends_its_reminders(theatre: Theatre) -> None:
    invoice = overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.crm.take_away("invoice", invoice)
    theatre.pass_time(days=3)
    theatre.work()
    assert theatre.enrollment().exit_reason == f"invoice:{invoice} no longer exists in the CRM"


def test_while_the_crm_is_down_a_reminder_waits_and_says_so(theatre: Theatre) -> None:
    overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(days=3)
    theatre.crm.fail("read_records", CRMUnavailableError("down", status=503))
    theatre.work()
    assert theatre.enrollment().waits_for == "the CRM, which cannot be read now"
    assert any("Waits, since the CRM cannot be read" in each for each in theatre.summaries(EntryKind.STEP_TAKEN))
    theatre.pass_time(minutes=11)
    theatre.work()
    assert len(theatre.messages()) == 2


def test_a_reminder_that_waited_a_day_for_the_crm_ends_where_a_person_sees_it(theatre: Theatre) -> None:
    overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(days=3)
    outage = [CRMUnavailableError("down", status=503)] * 2
    theatre.crm.fail("read_records", *outage)
    theatre.work()
    theatre.pass_time(seconds=PATIENCE.total_seconds() + 1)
    theatre.work()
    assert "could not be read for a day" in theatre.enrollment().exit_reason
    assert theatre.summaries(EntryKind.ATTENTION_NEEDED)


def disconnected(theatre: Theatre) -> None:
    """Let the account turn out to be disconnected when the second reminder is due."""
    overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(days=3)
    theatre.crm.fail("read_records", CRMDisconnectedError("revoked", status=401))
    theatre.work()


def test_a_disconnected_account_s_journeys_wait_until_it_is_connected_again(theatre: Theatre) -> None:
    disconnected(theatre)
    assert (theatre.enrollment().status, theatre.enrollment().waits_for) == ("live", "the account is disconnected")
    theatre.pass_time(hours=20)
    theatre.work()
    with theatre.ledger.begin() as uow:
        assert uow.accounts.get(ACCOUNT).status == "disconnected"
        uow.accounts.set_status(ACCOUNT, "active", "")
        uow.commit()
    theatre.pass_time(minutes=11)
    theatre.work()
    assert len(theatre.messages()) == 2


def test_an_account_disconnected_for_a_day_ends_its_journeys(theatre: Theatre) -> None:
    disconnected(theatre)
    theatre.pass_time(seconds=PATIENCE.total_seconds() + 1)
    theatre.work()
    assert theatre.enrollment().exit_reason == "the account was disconnected for a day: revoked"


def test_one_refused_record_does_not_hold_up_the_others_or_disconnect_the_account(theatre: Theatre) -> None:
    booked(theatre)
    booked(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=10)
    bad, good = theatre.enrollments()
    woken(theatre, bad, good)
    read = theatre.crm.read_records

    def refuse(account: CRMAccount, object_type: str, ids: Sequence[str], properties: Sequence[str]) -> Any:
        if bad.key in ids:
            raise CRMRefusedError("this app has not the scopes", status=403, category="MISSING_SCOPES")
        return read(account, object_type, ids, properties)

    theatre.crm.read_records = refuse  # type: ignore[method-assign]
    theatre.work()
    put_off, worked = theatre.enrollments()
    assert put_off.waits_for == "the CRM, which cannot be read now"
    assert "RESCHEDULE" in worked.waits_for
    assert worked.state["read_at"] == theatre.clock.at
    with theatre.ledger.begin(write=False) as uow:
        assert uow.accounts.get(ACCOUNT).status == "active"


def woken(theatre: Theatre, *rows: EnrollmentRow) -> None:
    """Make enrollments due now."""
    with theatre.ledger.begin() as uow:
        for row in rows:
            uow.enrollments.save(replace(row, due_at=theatre.clock.at))
        uow.commit()


def test_an_enrollment_that_cannot_be_read_does_not_keep_its_batch_leased(theatre: Theatre) -> None:
    booked(theatre)
    booked(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=10)
    bad, good = theatre.enrollments()
    woken(theatre, replace(bad, state={**bad.state, "read_at": "no time"}), good)
    theatre.runner.advance()
    broken, worked = theatre.enrollments()
    assert broken.waits_for == "another try after an error (TypeError)"
    assert worked.state["read_at"] == theatre.clock.at


# Versions, failures, crashes


def test_a_run_finishes_on_the_version_it_started_on(theatre: Theatre) -> None:
    overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.journeys.clear()
    theatre.compose(theatre.ledger)
    theatre.pass_time(days=3)
    theatre.work()
    assert len(theatre.messages()) == 2


def test_a_version_that_stays_unreadable_ends_visibly(theatre: Theatre) -> None:
    overdue(theatre)
    theatre.accept_all()
    with theatre.ledger.engine.begin() as connection:
        connection.exec_driver_sql("""UPDATE journey_version SET source = '{"journey": "steps: 7", "templates": {}}'""")
    theatre.compose(theatre.ledger)
    for _ in range(6):
        theatre.work()
        theatre.pass_time(minutes=10)
    assert theatre.enrollment().exit_reason == "could not be worked (this program does not read the journey's version)"
    assert theatre.summaries(EntryKind.ATTENTION_NEEDED)


def test_a_worker_of_an_older_release_leaves_people_to_the_newer_one(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked(theatre)
    theatre.accept_all()
    theatre.compose(theatre.ledger)
    with monkeypatch.context() as older:
        mistake = Mistake("mappings/journeys/confirmation.yaml", 12, 5, "steps[0]", "this release knows no such step")
        older.setattr("tests.services.theatre.journey_from_source", Mock(side_effect=MappingError([mistake])))
        theatre.work()
    waits_for = theatre.enrollment().waits_for
    assert waits_for == "another try after an error (this program does not read the journey's version)"
    theatre.pass_time(minutes=10)
    theatre.compose(theatre.ledger)
    theatre.work()
    assert "RESCHEDULE" in theatre.enrollment().waits_for


def test_one_enrollment_that_cannot_be_worked_blocks_no_other_and_ends_visibly(theatre: Theatre) -> None:
    booked(theatre)
    booked(theatre)
    bad, good = theatre.enrollments()
    with theatre.ledger.begin() as uow:
        uow.enrollments.save(replace(bad, state={**bad.state, "run": {}}, due_at=theatre.clock.at))
        uow.enrollments.save(replace(good, due_at=theatre.clock.at))
        uow.commit()
    for message in theatre.messages():
        theatre.move(message, "dispatching", "accepted")
    theatre.work()
    assert "RESCHEDULE" in theatre.enrollments()[1].waits_for
    for _ in range(6):
        theatre.pass_time(minutes=10)
        theatre.work()
    assert theatre.enrollments()[0].exit_reason == "could not be worked (KeyError)"
    assert theatre.summaries(EntryKind.ATTENTION_NEEDED)


def test_a_bad_release_of_a_few_minutes_ends_no_enrollment(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(theatre)
    theatre.accept_all()
    with monkeypatch.context() as broken:
        broken.setattr("connector.services.enrollment_stepping.decide", lambda: None)
        for _ in range(9):
            theatre.work()
            theatre.pass_time(minutes=1)
    assert theatre.enrollment().waits_for == "another try after an error (TypeError)"
    theatre.pass_time(minutes=10)
    theatre.work()
    assert "RESCHEDULE" in theatre.enrollment().waits_for
    assert "failing_since" not in theatre.enrollment().state


def test_a_worker_slower_than_its_lease_leaves_the_rows_to_the_next(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(days=3)
    read = theatre.crm.read_records

    def slow(*args: object) -> object:
        theatre.pass_time(minutes=6)
        monkeypatch.setattr(theatre.crm, "read_records", read)
        return read(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(theatre.crm, "read_records", slow)
    theatre.runner.advance()
    assert len(theatre.messages()) == 1
    theatre.work()
    assert len(theatre.messages()) == 2


def test_a_process_that_dies_around_any_commit_repeats_harmlessly(theatre: Theatre) -> None:
    contact = theatre.lea()
    for at in count():
        deal = theatre.crm.put("deal", [contact], dealname="Roof", dealstage="new")
        theatre.deal_moves(deal, "demo")
        killer = Killer(at)
        theatre.compose(MortalLedger(theatre.ledger, killer))
        died = False
        try:
            theatre.work()
        except KilledError:
            died = True
        theatre.compose(theatre.ledger)
        theatre.pass_time(minutes=6)  # the dead worker's leases run out
        theatre.work()
        of_deal = [row for row in theatre.enrollments() if row.key == deal]
        assert [row.waits_for for row in of_deal] == ["the text of first to go out"], f"died at {at}"
        assert sum(message.enrollment_id == of_deal[0].id for message in theatre.messages()) == 1, f"died at {at}"
        if not died:
            return


# Why?


def test_explain_tells_the_way_from_event_to_text(theatre: Theatre) -> None:
    overdue(theatre)
    (message,) = theatre.messages()
    theatre.accept_all()
    kinds = [line.kind for line in theatre.traces.explain(message.id)]
    assert kinds == ["enrollment.started", "step.taken", "message.created", "message.moved", "message.moved"]
    by_enrollment = theatre.traces.explain(theatre.enrollment().id)
    assert by_enrollment[-1].kind == "enrollment.now"
    contact = next(iter(theatre.contacts()))
    assert {"event.received", "enrollment.now"} <= {line.kind for line in theatre.traces.explain(contact)}
    assert not theatre.traces.explain("nothing")
    assert all(str(line) and line.to_json() for line in theatre.traces.explain(contact))


def test_a_card_shows_the_conversation_and_every_decision(theatre: Theatre) -> None:
    overdue(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.reply("Paid")
    contact = next(iter(theatre.contacts()))
    card = theatre.traces.contact_card(ACCOUNT, contact)
    assert card["contact"] == {"crm_id": contact, "msisdn": NUMBER, "opted_out": False}
    answer, text = card["messages"]
    assert (answer["direction"], answer["from"], answer["body"]) == ("in", NUMBER, "Paid")
    assert (text["direction"], text["to"], text["state"]) == ("out", NUMBER, "accepted")
    assert text["engagement"] == ["replied"]
    assert {"message.created", "message.moved"} <= {line["kind"] for line in text["trace"]}
    assert "event.received" in {line["kind"] for line in card["trace"]}
    assert theatre.traces.contact_card(ACCOUNT, "nobody")["messages"] == []
