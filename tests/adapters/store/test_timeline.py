"""Is what happened written down once and read back in order, on both databases?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.ledger import Ledger

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ENTRY = TimelineEntry(
    account_id="account-1",
    kind=EntryKind.EVENT_RECEIVED,
    subject="invoice:7",
    discriminator="invoice.overdue:1",
    at=NOW,
    summary="Invoice overdue",
    contact_id="contact-1",
    ref="invoice:7",
    data={"values": {"invoice": {"balance_due": Decimal("12.50"), "due_at": NOW}}},
)


def test_an_entry_is_read_back_with_its_decimals_and_times(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert work.timeline.add([ENTRY]) == 1
        assert work.timeline.of_contact("account-1", "contact-1", 10) == [ENTRY]


def test_writing_the_same_entry_twice_is_a_no_op(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert work.timeline.add([ENTRY, ENTRY]) == 1
        assert work.timeline.add([replace(ENTRY, summary="other words")]) == 0
        assert work.timeline.add([]) == 0
        assert work.timeline.add([ENTRY, replace(ENTRY, account_id="account-2")]) == 1


def test_facts_are_those_of_the_contact_and_of_the_record_oldest_first(ledger: Ledger) -> None:
    reply = replace(ENTRY, kind=EntryKind.REPLY_RECEIVED, subject="message:2", ref="", at=NOW - MINUTE)
    paid = replace(ENTRY, discriminator="invoice.paid:2", contact_id=None, at=NOW + MINUTE)
    other = replace(ENTRY, subject="invoice:8", contact_id="contact-2", ref="invoice:8")
    early = replace(ENTRY, discriminator="invoice.overdue:0", at=NOW - timedelta(days=1))
    unwanted = replace(ENTRY, kind=EntryKind.STEP_TAKEN, subject="enrollment:1")
    elsewhere = replace(ENTRY, account_id="account-2")
    kinds = [EntryKind.EVENT_RECEIVED, EntryKind.REPLY_RECEIVED]
    with ledger.begin() as work:
        work.timeline.add([ENTRY, paid, reply, other, early, unwanted, elsewhere])
        found = work.timeline.facts("account-1", "contact-1", "invoice:7", NOW - MINUTE, kinds)
        without_record = work.timeline.facts("account-1", "contact-1", "", NOW - MINUTE, kinds)
    assert found == [reply, ENTRY, paid]
    assert without_record == [reply, ENTRY]


def test_entries_are_found_by_message_and_by_enrollment(ledger: Ledger) -> None:
    moved = replace(ENTRY, kind=EntryKind.MESSAGE_MOVED, message_id="message-1", enrollment_id="enrollment-1")
    sent = replace(moved, discriminator="sent", at=NOW + MINUTE)
    with ledger.begin() as work:
        work.timeline.add([sent, moved, ENTRY])
        assert work.timeline.of_message("account-1", "message-1") == [moved, sent]
        assert work.timeline.of_enrollment("account-1", "enrollment-1") == [moved, sent]
        assert not work.timeline.of_message("account-2", "message-1")
        assert not work.timeline.of_enrollment("account-2", "enrollment-1")


def test_of_contact_gives_the_latest_entries_in_order(ledger: Ledger) -> None:
    entries = [replace(ENTRY, discriminator=str(count), at=NOW + count * MINUTE) for count in range(4)]
    with ledger.begin() as work:
        work.timeline.add(entries)
        assert work.timeline.of_contact("account-1", "contact-1", 2) == entries[2:]


def test_what_was_heard_of_records_is_read_by_record_and_in_order(ledger: Ledger) -> None:
    first = replace(ENTRY, subject="deal:1", discriminator="first")
    later = replace(first, discriminator="later", at=NOW + MINUTE)
    other = replace(first, subject="deal:2")
    ignored = replace(first, kind=EntryKind.EVENT_IGNORED)
    with ledger.begin() as work:
        work.timeline.add([later, first, other, ignored, replace(first, account_id="account-2")])
        assert work.timeline.events_of("account-1", ["deal:1", "deal:2", "deal:3"]) == {
            "deal:1": [first, later],
            "deal:2": [other],
        }
        assert not work.timeline.events_of("account-1", [])
        many = work.timeline.events_of("account-1", [f"deal:{number}" for number in range(1000)])
        assert set(many) == {"deal:1", "deal:2"}
