"""Do webhooks of other systems take people of the CRM through journeys, with the values they bring themselves?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.domain.timeline import EntryKind
from connector.errors import CRMUnavailableError
from connector.ports.crm import CRMAccount
from connector.ports.inbox import InboxRow
from connector.ports.records import RecordSubject
from connector.services.events import LEASE, MOST_NUMBERS
from connector.services.happenings import WEBHOOK
from tests.services.theatre import ACCOUNT, NUMBER, REMINDER, Theatre

EMAIL = "lea.hartmann@example.com"
INVOICE = {"id": "2026-7", "number": "INV-7", "balance_due": "600.00", "currency": "USD", "status": "open"}

ANYTHING = """
journey: anything
title: Writes a property back
purpose: transactional
trigger: {event: invoice.overdue}
enroll: {key: invoice.id}
steps:
  - set: {invoice.status: seen}
  - note: "Told about {{ invoice.number }}"
"""


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"reminder": REMINDER})
    yield theatre
    theatre.close()


def tell(theatre: Theatre, type_: str, *, source: str = "app", at: timedelta = timedelta(0), **body: Any) -> str:
    """Let a webhook of ours be stored, as the door stores it; give its inbox row's id."""
    row_id = theatre.ledger.new_id()
    told = {"id": row_id, "type": type_, "occurred_at": (theatre.clock.at + at).isoformat(), **body}
    return keep(theatre, json.dumps(told).encode(), row_id, source=source)


def keep(theatre: Theatre, body: bytes, row_id: str, **context: str) -> str:
    row = InboxRow(row_id, ACCOUNT, WEBHOOK, f"{ACCOUNT}:{row_id}", body, context, theatre.clock.at)
    with theatre.ledger.begin() as uow:
        assert uow.inbox.add([row])
        uow.commit()
    return row_id


def overdue(theatre: Theatre, contact: dict[str, str] | None = None, **invoice: str) -> str:
    return tell(theatre, "invoice.overdue", invoice=INVOICE | invoice, contact=contact or {"email": EMAIL})


def test_a_webhook_enrolls_the_contact_with_this_address_and_texts_what_it_says(theatre: Theatre) -> None:
    theatre.lea(email=EMAIL)
    row = overdue(theatre)
    theatre.work()
    assert theatre.enrollment().subject == "app.invoice:2026-7"
    assert [message.body for message in theatre.messages()] == ["Hi Lea, INV-7: $600.00."]
    assert theatre.outcome(row) == "invoice.overdue: reminder"
    (event,) = theatre.entries(EntryKind.EVENT_RECEIVED)
    assert event.summary.endswith("found by e-mail address")
    assert (EMAIL in event.summary, NUMBER in event.summary) == (False, False)


@pytest.mark.parametrize(
    "named",
    [
        {"crm_id": "{id}"},
        {"email": EMAIL.upper()},
        {"phone": "(202) 555-0143"},
        {"email": "x@example.com", "phone": NUMBER},
    ],
)
def test_the_contact_is_found_by_each_of_its_names(theatre: Theatre, named: dict[str, str]) -> None:
    contact = theatre.lea(email=EMAIL)
    overdue(theatre, {by: text.format(id=contact) for by, text in named.items()})
    theatre.work()
    assert [message.msisdn for message in theatre.messages()] == [NUMBER]


def test_people_named_by_number_alone_are_searched_a_few_at_a_time_and_all_found(theatre: Theatre) -> None:
    theatre.lea()
    rows = [overdue(theatre, {"phone": f"+120255501{last:02}"}, id=f"2026-{last}") for last in range(30, 50)]
    theatre.reader.understand()
    assert theatre.crm.calls["find_contacts_by_number"] == MOST_NUMBERS
    assert sum(theatre.outcome(row) is not None for row in rows) == MOST_NUMBERS
    for _ in range(3):
        theatre.pass_time(seconds=3)
        theatre.reader.understand()
    assert theatre.crm.calls["find_contacts_by_number"] == len(rows)
    assert None not in [theatre.outcome(row) for row in rows]
    assert len(theatre.enrollments()) == 1


def test_rows_held_longer_than_their_lease_are_worked_under_a_fresh_one(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre.lea()
    rows = [overdue(theatre, {"phone": NUMBER}, id=f"2026-{last}") for last in range(3)]
    find = theatre.crm.find_contacts_by_number

    def slowly(account: CRMAccount, e164: str) -> Sequence[str]:
        theatre.clock.at += LEASE
        return find(account, e164)

    with monkeypatch.context() as slow:
        slow.setattr(theatre.crm, "find_contacts_by_number", slowly)
        theatre.reader.understand()
    assert theatre.crm.calls["find_contacts_by_number"] == 1
    theatre.pass_time(seconds=3)
    theatre.reader.understand()
    assert None not in [theatre.outcome(row) for row in rows]
    assert len(theatre.enrollments()) == len(rows)


def test_the_first_name_that_means_somebody_decides(theatre: Theatre) -> None:
    theatre.lea(email=EMAIL)
    other = theatre.lea(firstname="Noor", mobilephone="+12025550177")
    overdue(theatre, {"crm_id": other, "email": EMAIL})
    theatre.work()
    assert [message.body[:7] for message in theatre.messages()] == ["Hi Noor"]


def test_a_contact_that_the_crm_no_longer_has_is_looked_for_by_the_next_name(theatre: Theatre) -> None:
    theatre.lea(email=EMAIL)
    overdue(theatre, {"crm_id": "4711", "email": EMAIL})
    theatre.work()
    assert len(theatre.messages()) == 1


def test_nobody_found_starts_nothing_and_the_inbox_says_why(theatre: Theatre) -> None:
    row = overdue(theatre, {"email": "nobody@example.com", "phone": "+12025550199"})
    theatre.work()
    assert theatre.outcome(row) == (
        "invoice.overdue: no contact has the e-mail address or phone number that the webhook names"
    )
    (ignored,) = theatre.entries(EntryKind.EVENT_IGNORED)
    assert ignored.file.endswith("generic.yaml")
    assert ignored.line > 0
    assert "nobody@example.com" not in repr(theatre.entries())


def test_a_webhook_that_names_nobody_says_so(theatre: Theatre) -> None:
    row = overdue(theatre, {"name": "Lea"})
    theatre.work()
    assert theatre.outcome(row) == "invoice.overdue: the webhook names nobody"


def test_an_account_can_want_a_person_to_look_when_nobody_is_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    theatre = Theatre(tmp_path, url, {"reminder": REMINDER}, unknown_webhook_people="attention")
    overdue(theatre, {"email": "nobody@example.com"})
    theatre.work()
    (asked,) = theatre.summaries(EntryKind.ATTENTION_NEEDED)
    assert asked.startswith("invoice.overdue of app.invoice:2026-7 concerns nobody: no contact has the e-mail address")
    theatre.close()


def test_a_batch_asks_the_crm_once_for_all_addresses(theatre: Theatre) -> None:
    for number in range(20):
        theatre.lea(email=f"lea{number}@example.com", mobilephone=f"+120255501{number:02}")
        overdue(theatre, {"email": f"lea{number}@example.com"}, id=f"2026-{number}")
    theatre.reader.understand()
    assert theatre.crm.calls["find_contacts_by_email"] == 1
    assert theatre.crm.calls["read_contacts"] == 1
    assert len(theatre.enrollments()) == 20


def test_two_webhooks_about_one_record_in_one_batch_keep_their_own_values(theatre: Theatre) -> None:
    theatre.lea(email=EMAIL)
    overdue(theatre)
    tell(theatre, "invoice.paid", invoice=INVOICE | {"status": "paid"}, contact={"email": EMAIL})
    theatre.reader.understand()
    told = {entry.data["event"]: entry.data["values"]["invoice"] for entry in theatre.entries(EntryKind.EVENT_RECEIVED)}
    assert {event: invoice["status"] for event, invoice in told.items()} == {
        "invoice.overdue": "open",
        "invoice.paid": "paid",
    }


def test_a_later_webhook_about_the_same_record_ends_the_journey(theatre: Theatre) -> None:
    theatre.lea(email=EMAIL)
    overdue(theatre)
    theatre.work()
    theatre.pass_time(days=1)
    tell(theatre, "invoice.paid", invoice=INVOICE | {"status": "paid"}, contact={"email": EMAIL})
    theatre.work()
    assert theatre.enrollment().status == "ended"
    assert len(theatre.messages()) == 1


def test_the_crm_is_never_asked_for_a_record_that_only_a_webhook_has_told_of(theatre: Theatre) -> None:
    theatre.lea(email=EMAIL)
    overdue(theatre)
    theatre.work()
    theatre.accept_all()
    theatre.pass_time(days=3, hours=1)
    theatre.work()
    assert [message.body for message in theatre.messages()] == ["Hi Lea, INV-7: $600.00."] * 2
    assert theatre.crm.calls["read_records"] == 0


def test_a_crm_that_is_away_puts_a_webhook_off_and_loses_nothing(theatre: Theatre) -> None:
    theatre.lea(email=EMAIL)
    row = overdue(theatre)
    theatre.crm.fail("find_contacts_by_email", CRMUnavailableError("down", status=503))
    theatre.work()
    assert theatre.outcome(row) is None
    theatre.pass_time(minutes=1)
    theatre.work()
    assert len(theatre.messages()) == 1


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"{not json", "unreadable: no JSON object"),
        (b"[1]", "unreadable: no JSON object"),
        (b'{"type": "invoice.sent"}', "ignored: a kind of event nothing here uses"),
        (b'{"type": "invoice.paid", "invoice": {}}', "unreadable: no id of the record that invoice.paid is about"),
    ],
)
def test_what_cannot_be_used_is_finished_with_its_reason(theatre: Theatre, body: bytes, outcome: str) -> None:
    row = keep(theatre, body, theatre.ledger.new_id(), source="app")
    theatre.work()
    assert theatre.outcome(row) == outcome


def test_a_system_that_is_described_no_more_is_told_so(theatre: Theatre) -> None:
    row = tell(theatre, "invoice.overdue", source="old-shop", invoice=INVOICE)
    theatre.work()
    assert theatre.outcome(row) == "ignored: no such source is described any more"


def test_an_id_too_long_for_the_ledger_goes_by_its_hash(theatre: Theatre) -> None:
    theatre.lea(email=EMAIL)
    overdue(theatre, id="x" * 5000)
    theatre.work()
    assert len(theatre.enrollment().subject) < 100


def test_a_record_of_a_webhook_cannot_be_written_and_is_not_put_beside_a_note(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"anything": ANYTHING})
    theatre.lea(email=EMAIL)
    overdue(theatre)
    theatre.work()
    with theatre.ledger.begin() as uow:
        rows = uow.records.claim("hubspot", 10, theatre.clock.at + timedelta(days=1), theatre.clock.at)
    assert RecordSubject.PROPERTY not in {row.kind for row in rows}
    assert any("came with a webhook" in entry.summary for entry in theatre.entries())
    theatre.close()
