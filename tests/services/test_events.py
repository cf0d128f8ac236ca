"""Do stored CRM events become events, enrollments and wakes, and does every refusal say why?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.store.enrollments import SQLEnrollmentRepository
from connector.domain.timeline import EntryKind
from connector.errors import CRMDisconnectedError, CRMRefusedError, CRMUnavailableError
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.crm import MISSING_SCOPES, CRMAccount, Link
from connector.services.events import PATIENCE
from connector.services.merged_contacts import MERGED_INTO
from connector.services.publications import Hand, JourneyFiles
from tests.services.theatre import ACCOUNT, CONFIRMATION, NUMBER, REMINDER, TEXTS, Theatre, due


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.sqlite3"


@pytest.fixture
def theatre(tmp_path: Path, database_url: str) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path, database_url, {"reminder": REMINDER, "confirmation": CONFIRMATION})
    yield theatre
    theatre.close()


def booked(theatre: Theatre, contact: str) -> str:
    """Let a contact's deal reach the stage that starts a journey; give the deal's id."""
    deal = theatre.crm.put("deal", [contact], dealname="Roof", dealstage="new", hubspot_owner_id="7")
    theatre.deal_moves(deal, "demo")
    return deal


def test_an_event_enrolls_the_contact_and_says_from_which_property_the_number_came(theatre: Theatre) -> None:
    deal = booked(theatre, theatre.lea())
    assert theatre.reader.understand() == 1
    row = theatre.enrollment()
    assert (row.journey, row.key, row.subject, row.status) == ("confirmation", deal, f"deal:{deal}", "live")
    (started,) = theatre.entries(EntryKind.ENROLLED)
    assert started.data["number_from"] == "mobilephone"
    assert started.file.endswith("confirmation.yaml")
    assert "journeys" in theatre.nudged


def test_the_event_is_on_the_timeline_with_its_values(theatre: Theatre) -> None:
    deal = booked(theatre, theatre.lea())
    theatre.reader.understand()
    (event,) = theatre.entries(EntryKind.EVENT_RECEIVED)
    assert event.ref == f"deal:{deal}"
    assert event.data["values"]["deal"]["stage_label"] == "Demo booked"


def test_a_batch_costs_one_call_per_kind_of_question_however_many_events(theatre: Theatre) -> None:
    for _ in range(20):
        booked(theatre, theatre.lea())
    theatre.reader.understand()
    assert len(theatre.enrollments()) == 20
    assert dict(theatre.crm.calls) == {
        "read_records": 1,
        "associated_contacts": 1,
        "read_contacts": 1,
        "stage_labels": 1,
        "owners": 1,
    }


def test_the_same_event_understood_twice_enrolls_once(theatre: Theatre) -> None:
    deal = booked(theatre, theatre.lea())
    theatre.reader.understand()
    theatre.deal_moves(deal, "demo")
    theatre.reader.understand()
    assert len(theatre.enrollments()) == 1
    assert theatre.summaries(EntryKind.NOT_ENROLLED) == [
        "Not enrolled in confirmation: the contact is in this journey for the same key already"
    ]


def test_a_key_that_is_a_phone_number_is_in_no_trace(tmp_path: Path, database_url: str) -> None:
    theatre = play(tmp_path, database_url, "welcome", key="contact.phone")
    contact = theatre.lea(phone=NUMBER)
    appear(theatre, contact)
    appear(theatre, contact)
    (refused,) = theatre.entries(EntryKind.NOT_ENROLLED)
    assert refused.data["values"] == {"contact.phone": "(not shown)"}
    assert NUMBER not in repr(theatre.entries())
    theatre.close()


def test_an_event_that_comes_second_in_a_race_for_a_key_leaves_a_trace(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = booked(theatre, theatre.lea())
    theatre.reader.understand()
    # What the second worker reads just before the first one commits.
    monkeypatch.setattr(SQLEnrollmentRepository, "latest", lambda *_: None)
    theatre.deal_moves(deal, "demo")
    theatre.reader.understand()
    assert len(theatre.enrollments()) == 1
    assert theatre.summaries(EntryKind.NOT_ENROLLED) == [
        "Not enrolled in confirmation: another event let the contact in for the same key at the same moment"
    ]


def test_a_condition_that_does_not_hold_is_traced_with_what_it_saw(theatre: Theatre) -> None:
    deal = theatre.crm.put("deal", [theatre.lea()], dealstage="new")
    theatre.deal_moves(deal, "won")
    theatre.reader.understand()
    (refused,) = theatre.entries(EntryKind.NOT_ENROLLED)
    assert (refused.path, refused.data["values"]) == ("trigger.where", {"deal.stage_label": "Closed won"})
    assert refused.line > 0


def test_the_primary_contact_is_chosen_and_the_choice_is_told(theatre: Theatre) -> None:
    other, primary = theatre.lea(firstname="Kim", mobilephone="+12025550144"), theatre.lea()
    deal = theatre.crm.put("deal", [Link(other), Link(primary, ("Primary",))], dealstage="new")
    theatre.deal_moves(deal, "demo")
    theatre.reader.understand()
    assert theatre.enrollment().contact_id == theatre.contacts()[primary].id
    (summary,) = theatre.summaries(EntryKind.EVENT_RECEIVED)
    assert f"contact {primary}, associated with deal:{deal}, as primary" in summary


def test_a_record_without_a_contact_is_not_skipped_in_silence(theatre: Theatre) -> None:
    deal = theatre.crm.put("deal", [], dealstage="new")
    row = theatre.deal_moves(deal, "demo")
    theatre.reader.understand()
    (why,) = theatre.summaries(EntryKind.EVENT_IGNORED)
    assert f"no contact is associated with deal:{deal}" in why
    assert "no contact" in (theatre.outcome(row) or "")


@pytest.mark.parametrize(
    ("phones", "why"),
    [
        ({"mobilephone": ""}, "the contact has no phone number"),
        ({"mobilephone": "555"}, "mobilephone: the number"),
        ({"mobilephone": "ask Sam", "phone": "none"}, "phone: the number"),
    ],
)
def test_a_contact_without_a_usable_number_is_refused_with_the_reason(
    theatre: Theatre, phones: dict[str, str], why: str
) -> None:
    booked(theatre, theatre.lea(**phones))
    theatre.reader.understand()
    (summary,) = theatre.summaries(EntryKind.NOT_ENROLLED)
    assert why in summary
    assert not theatre.enrollments()


def test_the_account_s_region_reads_a_number_typed_without_a_country(theatre: Theatre) -> None:
    contact = theatre.lea(mobilephone="(202) 555-0143", country="")
    booked(theatre, contact)
    theatre.reader.understand()
    assert theatre.contacts()[contact].msisdn == NUMBER


def test_a_bulk_import_starts_nothing_unless_the_journey_takes_imports(theatre: Theatre) -> None:
    deal = theatre.crm.put("deal", [theatre.lea()], dealstage="demo")
    theatre.hear("deal.propertyChange", deal, propertyName="dealstage", propertyValue="demo", changeSource="IMPORT")
    theatre.reader.understand()
    (summary,) = theatre.summaries(EntryKind.NOT_ENROLLED)
    assert "bulk import" in summary


def test_a_number_that_opted_out_is_not_enrolled(theatre: Theatre) -> None:
    contact = theatre.lea()
    theatre.crm.opted_out[contact] = True
    booked(theatre, contact)
    theatre.reader.understand()
    (summary,) = theatre.summaries(EntryKind.NOT_ENROLLED)
    assert "opted out" in summary
    with theatre.ledger.begin(write=False) as uow:
        (standing,) = uow.consents.suppressions(ACCOUNT, [NUMBER])[NUMBER]
    assert (standing.scope, standing.mechanism) == (Scope.ALL, Mechanism.CRM_PROPERTY.value)


def test_a_contact_may_enter_again_after_its_exit_and_under_another_epoch(theatre: Theatre) -> None:
    deal = booked(theatre, theatre.lea())
    theatre.work()
    theatre.pass_time(hours=1)
    theatre.deal_moves(deal, "won")
    theatre.work()
    theatre.pass_time(hours=1)
    theatre.deal_moves(deal, "demo")
    theatre.work()
    assert [(row.epoch, row.status) for row in theatre.enrollments()] == [(0, "ended"), (1, "live")]


def test_never_again_means_never_for_the_same_key(theatre: Theatre) -> None:
    contact = theatre.lea()
    invoice = theatre.invoice(contact)
    theatre.poller.poll_due()
    theatre.work()
    theatre.hear("invoice.propertyChange", invoice, propertyName="hs_invoice_status", propertyValue="paid")
    theatre.work()
    theatre.crm.change("invoice", invoice, hs_due_date=due(days_ago=1))
    theatre.pass_time(hours=1)
    theatre.poller.poll_due()
    theatre.work()
    assert [row.status for row in theatre.enrollments()] == ["ended"]
    assert theatre.summaries(EntryKind.NOT_ENROLLED) == [
        "Not enrolled in reminder: the contact was in this journey for the same key before"
    ]


def test_an_overdue_invoice_makes_one_event_however_often_it_is_found(theatre: Theatre) -> None:
    theatre.invoice(theatre.lea())
    assert theatre.poller.poll_due() == 1
    for _ in range(3):
        theatre.pass_time(minutes=20)
        assert theatre.poller.poll_due() == 0
    assert theatre.crm.calls["search"] == 4
    theatre.reader.understand()
    assert [row.journey for row in theatre.enrollments()] == ["reminder"]


def test_a_poll_waits_its_time_and_skips_invoices_that_are_not_due(theatre: Theatre) -> None:
    theatre.invoice(theatre.lea(), hs_due_date="9999999999999")
    assert theatre.poller.poll_due() == 0
    theatre.pass_time(minutes=5)
    theatre.poller.poll_due()
    assert theatre.crm.calls["search"] == 1


def test_a_newly_connected_portal_does_not_text_everybody_who_ever_owed_something(theatre: Theatre) -> None:
    contact = theatre.lea()
    for days_ago in (4_000, 31, 29):
        theatre.invoice(contact, hs_due_date=due(days_ago=days_ago), hs_number=str(days_ago))
    assert theatre.poller.poll_due() == 1
    theatre.work()
    assert [message.body for message in theatre.messages()] == ["Hi Lea, 29: $600.00."]


def test_a_slow_poll_does_not_stretch_the_interval(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    search = theatre.crm.search

    def slow(*args: Any) -> Any:
        theatre.pass_time(minutes=14)
        return search(*args)

    monkeypatch.setattr(theatre.crm, "search", slow)
    theatre.poller.poll_due()
    theatre.pass_time(minutes=1)
    theatre.poller.poll_due()
    assert theatre.crm.calls["search"] == 2


def test_a_poll_comes_back_no_earlier_than_the_crm_says(theatre: Theatre) -> None:
    theatre.crm.fail("search", CRMUnavailableError("slow down", retry_after=timedelta(hours=3)))
    theatre.poller.poll_due()
    asked = theatre.crm.calls["search"]
    theatre.pass_time(minutes=179)
    theatre.poller.poll_due()
    assert theatre.crm.calls["search"] == asked
    theatre.pass_time(minutes=22)
    theatre.poller.poll_due()
    assert theatre.crm.calls["search"] == asked + 1


def test_a_poll_that_fails_is_tried_again_and_a_disconnected_account_is_not(theatre: Theatre) -> None:
    theatre.invoice(theatre.lea())
    theatre.crm.fail("search", CRMUnavailableError("slow down", retry_after=timedelta(seconds=10)))
    assert theatre.poller.poll_due() == 0
    theatre.pass_time(seconds=11)
    assert theatre.poller.poll_due() == 1
    theatre.crm.fail("search", CRMDisconnectedError("revoked", status=401))
    theatre.pass_time(minutes=20)
    theatre.poller.poll_due()
    theatre.pass_time(minutes=20)
    theatre.poller.poll_due()
    assert theatre.crm.calls["search"] == 3


def test_an_account_whose_poll_breaks_keeps_no_other_from_its_turn(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    with theatre.ledger.begin() as uow:
        uow.accounts.add(replace(uow.accounts.get(ACCOUNT), id="account-0", external_id="770"))
        uow.commit()
    files = JourneyFiles({each.id: each for each in theatre.journeys})
    theatre.publisher.publish("account-0", files, (), Hand("the author"))
    searched, search = [], theatre.crm.search

    def breaking(account: CRMAccount, *question: Any) -> Any:
        searched.append(account.account_id)
        if account.account_id == "account-0":
            raise KeyError(account.account_id)
        return search(account, *question)

    monkeypatch.setattr(theatre.crm, "search", breaking)
    theatre.invoice(theatre.lea())
    assert theatre.poller.poll_due() == 1
    assert searched == ["account-0", ACCOUNT], "and what broke is put off"


def test_a_missing_scope_disconnects_nobody_and_is_shown_once_a_day(theatre: Theatre) -> None:
    refused = CRMRefusedError("this app has not the scopes", status=403, category="MISSING_SCOPES")
    theatre.crm.fail("search", *[refused] * 3)
    for _ in range(3):
        assert theatre.poller.poll_due() == 0
        theatre.pass_time(minutes=16)
    (summary,) = theatre.summaries(EntryKind.ATTENTION_NEEDED)
    assert "refuses the search for invoice.overdue" in summary
    with theatre.ledger.begin(write=False) as uow:
        assert uow.accounts.get(ACCOUNT).status == "active"
    theatre.invoice(theatre.lea())
    assert theatre.poller.poll_due() == 1


EXIT_ON_OVERDUE = """
journey: welcome
title: Welcome
purpose: transactional
trigger: {event: contact.created}
exit_when:
  - event: invoice.overdue
steps:
  - send: confirmation/first
"""
WAIT_FOR_OVERDUE = """
journey: welcome
title: Welcome
purpose: transactional
trigger: {event: contact.created}
steps:
  - wait_for:
      within: 1 day
      cases:
        - event: invoice.overdue
          then: [{exit: overdue}]
"""


@pytest.mark.parametrize(
    ("journeys", "searches"),
    [
        ({"reminder": REMINDER}, 1),
        ({"welcome": EXIT_ON_OVERDUE}, 1),
        ({"welcome": WAIT_FOR_OVERDUE}, 1),
        ({"reminder": REMINDER.replace("title:", "enabled: false\ntitle:")}, 0),
        ({"confirmation": CONFIRMATION}, 0),
    ],
)
def test_no_account_is_searched_for_events_that_no_journey_names(
    tmp_path: Path, database_url: str, journeys: dict[str, str], searches: int
) -> None:
    theatre = Theatre(tmp_path, database_url, journeys)
    theatre.invoice(theatre.lea())
    theatre.poller.poll_due()
    assert theatre.crm.calls["search"] == searches
    theatre.close()


def test_while_the_crm_is_down_events_wait_and_none_is_lost(theatre: Theatre) -> None:
    row = theatre.hear("deal.propertyChange", booked(theatre, theatre.lea()), propertyName="dealstage")
    theatre.crm.fail("read_records", CRMUnavailableError("down", status=503))
    assert theatre.reader.understand() == 2
    assert theatre.reader.understand() == 0
    assert theatre.outcome(row) is None
    theatre.pass_time(minutes=1)
    theatre.reader.understand()
    assert len(theatre.enrollments()) == 1


def test_an_event_that_waited_a_day_for_the_crm_is_given_up_where_a_person_sees_it(theatre: Theatre) -> None:
    booked(theatre, theatre.lea())
    theatre.pass_time(seconds=PATIENCE.total_seconds() + 1)
    theatre.crm.fail("read_records", CRMUnavailableError("down", status=503))
    theatre.reader.understand()
    (summary,) = theatre.summaries(EntryKind.ATTENTION_NEEDED)
    assert "could not be read for a day" in summary


def test_an_event_of_an_account_that_is_gone_holds_up_nobody(theatre: Theatre) -> None:
    strange = theatre.receive(b"{}", "1", account="nobody")
    row = theatre.hear("deal.propertyChange", booked(theatre, theatre.lea()), propertyName="dealstage")
    theatre.reader.understand()
    assert theatre.outcome(strange) is None
    assert theatre.outcome(row) is not None


def test_a_revoked_token_disconnects_the_account(theatre: Theatre) -> None:
    row = theatre.hear("deal.propertyChange", booked(theatre, theatre.lea()), propertyName="dealstage")
    theatre.crm.fail("read_records", CRMDisconnectedError("revoked", status=401))
    theatre.reader.understand()
    with theatre.ledger.begin(write=False) as uow:
        assert uow.accounts.get(ACCOUNT).status == "disconnected"
    theatre.pass_time(hours=1)
    theatre.reader.understand()
    assert theatre.crm.calls["read_records"] == 1
    assert theatre.outcome(row) is None


def test_one_refused_record_does_not_take_the_batch_with_it(theatre: Theatre) -> None:
    booked(theatre, theatre.lea())
    second = theatre.hear("deal.propertyChange", "1", propertyName="dealstage")
    theatre.crm.fail("read_records", CRMRefusedError("bad id", status=400), CRMRefusedError("bad id", status=400))
    theatre.reader.understand()
    assert theatre.outcome(second) == "deal.stage_changed: the record no longer exists"
    (summary,) = theatre.summaries(EntryKind.ATTENTION_NEEDED)
    assert "refused by the CRM" in summary


def test_a_missing_scope_loses_no_event_but_waits_for_the_scope(theatre: Theatre) -> None:
    booked(theatre, theatre.lea())
    refusal = CRMRefusedError("needs a scope", status=403, category=MISSING_SCOPES)
    theatre.crm.fail("read_records", refusal)
    theatre.reader.understand()
    assert not theatre.enrollments()
    theatre.pass_time(minutes=15)
    theatre.reader.understand()
    assert len(theatre.enrollments()) == 1


def test_a_poisoned_row_blocks_no_other_and_ends_visibly(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned = theatre.hear(
        "deal.propertyChange", booked(theatre, theatre.lea()), propertyName="dealstage", eventId=666
    )
    read = theatre.crm.read_notice

    def choke(body: dict[str, object]) -> object:
        if body["eventId"] == 666:
            raise RecursionError
        return read(body)

    monkeypatch.setattr(theatre.crm, "read_notice", choke)
    theatre.reader.understand()
    assert len(theatre.enrollments()) == 1
    for _ in range(6):
        theatre.pass_time(minutes=15)
        theatre.reader.understand()
    assert theatre.outcome(poisoned) == "gave up: could not be worked (RecursionError)"
    assert theatre.summaries(EntryKind.ATTENTION_NEEDED)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"\xff", "unreadable: no JSON"),
        (b"[1]", "unreadable: no JSON object"),
        (b"{}", "ignored: a kind of event nothing here uses"),
    ],
)
def test_a_row_that_says_nothing_is_finished_with_a_word(theatre: Theatre, body: bytes, outcome: str) -> None:
    row = theatre.receive(body, "odd")
    theatre.reader.understand()
    assert theatre.outcome(row) == outcome


def test_rows_of_no_account_and_of_polls_no_longer_made_are_finished(theatre: Theatre) -> None:
    stray = theatre.receive(b"{}", "stray", account=None)
    old = theatre.receive(b'{"event": "gone", "id": "1"}', "old", source="poll")
    theatre.reader.understand()
    assert theatre.outcome(stray) == "ignored: belongs to no account"
    assert theatre.outcome(old) == "ignored: no such event is polled any more"


def test_a_deleted_contact_ends_its_journeys(theatre: Theatre) -> None:
    contact = theatre.lea()
    booked(theatre, contact)
    theatre.work()
    theatre.hear("contact.deletion", contact)
    theatre.work()
    row = theatre.enrollment()
    assert (row.status, row.exit_reason) == ("ended", "the contact was deleted in the CRM")
    assert [message.state for message in theatre.messages()] == ["cancelled"]


def test_a_privacy_deletion_erases_number_and_attributes(theatre: Theatre) -> None:
    contact = theatre.lea()
    booked(theatre, contact)
    theatre.work()
    theatre.hear("contact.privacyDeletion", contact)
    theatre.work()
    row = theatre.contacts()[contact]
    assert (row.msisdn, dict(row.attributes)) == (None, {})
    assert theatre.enrollment().status == "ended"


@pytest.mark.parametrize("kind", ["privacyDeletion", "deletion"])
def test_that_a_contact_is_gone_is_heard_while_the_account_is_disconnected(theatre: Theatre, kind: str) -> None:
    contact = theatre.lea()
    booked(theatre, contact)
    theatre.work()
    with theatre.ledger.begin() as uow:
        uow.accounts.set_status(ACCOUNT, "disconnected", "its token is refused")
        uow.commit()
    theatre.hear(f"contact.{kind}", contact)
    theatre.hear("contact.creation", theatre.lea())
    theatre.pass_time(days=2)
    theatre.work()
    assert theatre.contacts()[contact].deleted_at is not None
    assert len([each for each in theatre.summaries(EntryKind.ATTENTION_NEEDED) if "came to nothing" in each]) == 1


def test_a_deleted_record_ends_what_it_started(theatre: Theatre) -> None:
    deal = booked(theatre, theatre.lea())
    theatre.work()
    theatre.crm.take_away("deal", deal)
    theatre.hear("deal.deletion", deal)
    theatre.work()
    assert theatre.enrollment().exit_reason == f"deal:{deal} was deleted in the CRM"


def test_a_merged_contact_goes_on_in_its_journey_with_the_data_of_the_surviving_one(theatre: Theatre) -> None:
    old = theatre.lea()
    deal = booked(theatre, old)
    theatre.work()
    new = theatre.lea(firstname="Leah", mobilephone="+12025550155")
    theatre.crm.merge(old, new)
    theatre.crm.links["deal", deal] = [Link(new)]
    merge = {"primaryObjectId": int(new), "mergedObjectIds": [int(old)], "newObjectId": int(new)}
    theatre.hear("contact.merge", new, **merge)
    theatre.work()
    row = theatre.contacts()[old]
    assert (row.msisdn, row.attributes[MERGED_INTO], row.deleted_at) == ("+12025550155", new, None)
    assert theatre.enrollment().status == "live"


def test_what_was_to_be_shown_on_a_contact_that_was_merged_away_is_shown_on_the_one_that_is_left(
    theatre: Theatre,
) -> None:
    old, new = theatre.lea(), theatre.lea(mobilephone="+12025550155")
    booked(theatre, old)
    theatre.work()
    theatre.crm.merge(old, new)
    theatre.hear("contact.merge", new, primaryObjectId=int(new), mergedObjectIds=[int(old)])
    theatre.work()
    theatre.write_back()
    assert len(theatre.crm.shown(new)) == 1
    assert not theatre.crm.shown(old)


def test_an_opt_out_stays_with_its_number_whatever_becomes_of_the_contact(theatre: Theatre) -> None:
    old, new = theatre.lea(), theatre.lea(mobilephone="+12025550155")
    booked(theatre, old)
    theatre.work()
    theatre.reply("STOP")
    theatre.crm.merge(old, new)
    theatre.hear("contact.merge", new, primaryObjectId=int(new), mergedObjectIds=[int(old)])
    theatre.work()
    theatre.crm.take_away("contact", new)
    theatre.hear("contact.deletion", new)
    theatre.work()
    with theatre.ledger.begin(write=False) as uow:
        assert uow.consents.suppressions(ACCOUNT, [NUMBER])[NUMBER]


def test_a_restored_contact_is_live_again(theatre: Theatre) -> None:
    contact = theatre.lea()
    booked(theatre, contact)
    theatre.work()
    held = theatre.crm.records["contact"].pop(contact)
    theatre.hear("contact.deletion", contact)
    theatre.work()
    theatre.pass_time(hours=1)
    theatre.crm.records["contact"][contact] = held
    theatre.hear("contact.restore", contact)
    theatre.work()
    assert theatre.contacts()[contact].deleted_at is None
    booked(theatre, contact)
    theatre.work()
    assert theatre.enrollments()[-1].status == "live"


def test_a_contact_that_is_gone_though_nobody_told_us_ends_its_journeys(theatre: Theatre) -> None:
    contact = theatre.lea()
    booked(theatre, contact)
    theatre.work()
    theatre.accept_all()
    theatre.crm.take_away("contact", contact)
    theatre.pass_time(days=4)
    theatre.work()
    (ended,) = theatre.summaries(EntryKind.ENROLLMENT_ENDED)
    assert "the contact was deleted in the CRM" in ended


def test_a_journey_under_the_old_contact_counts_for_the_one_it_was_merged_into(theatre: Theatre) -> None:
    old = theatre.lea()
    deal = booked(theatre, old)
    theatre.work()
    new = theatre.lea()
    theatre.crm.merge(old, new)
    theatre.crm.links["deal", deal] = [Link(new)]
    theatre.hear("contact.merge", new, primaryObjectId=int(new), mergedObjectIds=[int(old)])
    theatre.deal_moves(deal, "demo")
    theatre.work()
    assert len(theatre.enrollments()) == 1


def test_a_change_of_a_known_contact_is_taken_over_and_strangers_are_not_kept(theatre: Theatre) -> None:
    contact, stranger = theatre.lea(), theatre.lea()
    booked(theatre, contact)
    theatre.work()
    theatre.crm.change("contact", contact, mobilephone="+12025550166")
    for each in (contact, stranger):
        theatre.hear("contact.propertyChange", each, propertyName="mobilephone", propertyValue="x")
    theatre.work()
    assert theatre.contacts()[contact].msisdn == "+12025550166"
    assert stranger not in theatre.contacts()


def test_a_worker_slower_than_its_lease_records_nothing(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre = play(tmp_path, database_url, "welcome", again="always")
    contact = theatre.lea()
    theatre.hear("contact.creation", contact)
    read = theatre.crm.read_contacts

    def slow(*args: Any) -> Any:
        monkeypatch.setattr(theatre.crm, "read_contacts", read)
        theatre.pass_time(minutes=6)
        assert theatre.reader.understand() == 1  # another worker, who may claim the row by now
        return read(*args)

    monkeypatch.setattr(theatre.crm, "read_contacts", slow)
    theatre.work()
    assert len(theatre.enrollments()) == 1
    theatre.close()


def test_a_row_that_another_worker_has_finished_is_not_recorded_a_second_time(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre = play(tmp_path, database_url, "welcome", again="always")
    first = theatre.hear("contact.creation", theatre.lea())
    second = theatre.hear("contact.creation", theatre.lea(mobilephone="+12025550144"))
    read = theatre.crm.read_contacts

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(theatre.crm, "read_contacts", read)
        with theatre.ledger.begin() as uow:
            assert uow.inbox.finish([first], "done by another", theatre.clock.at) == 1
            uow.commit()
        return read(*args)

    monkeypatch.setattr(theatre.crm, "read_contacts", overtaken)
    theatre.work()
    assert theatre.outcome(first) == "done by another"
    assert theatre.outcome(second) == "contact.created: welcome"
    assert len(theatre.enrollments()) == 1
    theatre.close()


PURPOSED = """
journey: {name}
title: Purposed
purpose: {purpose}
enabled: {enabled}
trigger:
  event: contact.created
enroll:
  key: {key}
  again: {again}
steps:
  - send: confirmation/first
"""


def play(tmp_path: Path, database_url: str, name: str, **changes: str) -> Theatre:
    """Set a theatre up with one journey that a new contact starts."""
    usual = {"purpose": "transactional", "enabled": "true", "key": "contact.id", "again": "never"}
    return Theatre(tmp_path, database_url, {name: PURPOSED.format(name=name, **(usual | changes))})


def appear(theatre: Theatre, contact: str) -> None:
    """Let a contact's creation be heard."""
    theatre.hear("contact.creation", contact)
    theatre.work()


def test_a_new_contact_starts_a_journey_itself(tmp_path: Path, database_url: str) -> None:
    theatre = play(tmp_path, database_url, "welcome")
    contact = theatre.lea()
    appear(theatre, contact)
    assert theatre.enrollment().subject == f"contact:{contact}"
    theatre.close()


@pytest.mark.parametrize(
    ("again", "days_later", "epochs"),
    [("after 30 days", 29, [0]), ("after 30 days", 30, [0, 1]), ("always", 0, [0, 1]), ("after exit", 5, [0, 1])],
)
def test_when_the_same_key_may_enter_again(
    tmp_path: Path, database_url: str, again: str, days_later: int, epochs: list[int]
) -> None:
    theatre = play(tmp_path, database_url, "welcome", again=again)
    contact = theatre.lea()
    appear(theatre, contact)
    if again != "always":
        theatre.accept_all()
        theatre.work()
    theatre.pass_time(days=days_later)
    appear(theatre, contact)
    assert [row.epoch for row in theatre.enrollments()] == epochs
    theatre.close()


def test_a_journey_that_is_switched_off_takes_nobody_and_says_so(tmp_path: Path, database_url: str) -> None:
    theatre = play(tmp_path, database_url, "welcome", enabled="false")
    appear(theatre, theatre.lea())
    assert theatre.summaries(EntryKind.NOT_ENROLLED) == ["Not enrolled in welcome: the journey is switched off"]
    theatre.close()


def test_a_key_without_a_value_refuses_the_contact(tmp_path: Path, database_url: str) -> None:
    theatre = play(tmp_path, database_url, "welcome", key="contact.company")
    appear(theatre, theatre.lea())
    (summary,) = theatre.summaries(EntryKind.NOT_ENROLLED)
    assert "enroll.key failed" in summary
    theatre.close()


@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_an_opt_out_of_marketing_keeps_out_of_marketing_only(
    tmp_path: Path, database_url: str, purpose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TEXTS, "confirmation/first.txt.j2", "Hi {{ contact.first_name }}. STOP to opt out.")
    theatre = play(tmp_path, database_url, "welcome", purpose=purpose)
    said = ConsentEvent(
        id="consent-1",
        account_id=ACCOUNT,
        msisdn=NUMBER,
        kind=ConsentKind.OPT_OUT,
        scope=Scope.MARKETING,
        mechanism=Mechanism.CRM_PROPERTY.value,
        source="crm_property:1",
        at=theatre.clock.at,
    )
    with theatre.ledger.begin() as uow:
        uow.consents.record(said)
        uow.consents.suppress(said)
        uow.commit()
    appear(theatre, theatre.lea())
    assert len(theatre.enrollments()) == (purpose == "transactional")
    theatre.close()


def test_a_long_key_is_shortened_to_something_as_unique(tmp_path: Path, database_url: str) -> None:
    theatre = play(tmp_path, database_url, "welcome", key="contact.company")
    appear(theatre, theatre.lea(company="x" * 300))
    appear(theatre, theatre.lea(company="x" * 299 + "y"))
    assert [len(row.key) for row in theatre.enrollments()] == [64, 64]
    theatre.close()


def test_a_contact_that_vanished_before_it_was_read_starts_nothing(theatre: Theatre) -> None:
    contact = theatre.lea()
    deal = theatre.crm.put("deal", [contact], dealstage="new")
    theatre.deal_moves(deal, "demo")
    theatre.crm.take_away("contact", contact)
    theatre.reader.understand()
    (why,) = theatre.summaries(EntryKind.EVENT_IGNORED)
    assert f"contact {contact}" in why
    assert "no longer exists" in why
