"""Does the ledger keep snapshots of CRM contacts as promised, on both databases?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.contacts import ContactRow

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
LEA = ContactRow(
    id="contact-1",
    account_id="account-1",
    crm="hubspot",
    crm_id="51",
    msisdn="+12025550143",
    msisdn_reason="mobilephone",
    time_zone="America/New_York",
    locale="en-US",
    country="US",
    owner_id="7",
    attributes={"name": "Lea", "score": Decimal("1.50"), "odd": "a\x00b"},
    read_at=NOW,
)


def test_a_contact_is_read_back_as_saved(ledger: SQLLedger) -> None:
    with ledger.begin() as work:
        assert work.contacts.save(LEA) == "contact-1"
        work.commit()
    with ledger.begin(write=False) as work:
        found = work.contacts.get("account-1", "contact-1")
    assert found == replace(LEA, attributes={"name": "Lea", "score": Decimal("1.50"), "odd": "ab"})


def test_a_second_snapshot_replaces_the_first_and_keeps_its_id(ledger: SQLLedger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        later = replace(LEA, id="contact-2", msisdn="+12025550144", read_at=NOW + timedelta(hours=1))
        assert work.contacts.save(later) == "contact-1"
        assert work.contacts.by_crm_ids("account-1", ["51", "52"]).keys() == {"51"}
        found = work.contacts.get("account-1", "contact-1")
    assert found is not None
    assert (found.msisdn, found.read_at) == ("+12025550144", NOW + timedelta(hours=1))


def test_another_account_never_sees_a_contact(ledger: SQLLedger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        assert work.contacts.get("account-2", "contact-1") is None
        assert not work.contacts.many("account-2", ["contact-1"])
        assert not work.contacts.by_crm_ids("account-2", ["51"])
        assert not work.contacts.with_number("account-2", "+12025550143")
        work.contacts.mark_deleted("account-2", "51", NOW)
        kept = work.contacts.get("account-1", "contact-1")
    assert kept is not None
    assert kept.deleted_at is None


def test_every_live_contact_with_a_number_is_found(ledger: SQLLedger) -> None:
    with ledger.begin() as work:
        for count in range(3):
            work.contacts.save(replace(LEA, id=f"contact-{count}", crm_id=str(count)))
        work.contacts.mark_deleted("account-1", "1", NOW)
        assert [row.crm_id for row in work.contacts.with_number("account-1", "+12025550143")] == ["0", "2"]


def test_a_purged_contact_keeps_its_row_and_nothing_else(ledger: SQLLedger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        work.contacts.purge("account-1", "51", NOW)
        found = work.contacts.get("account-1", "contact-1")
    assert found is not None
    assert (found.msisdn, found.time_zone, found.country, dict(found.attributes)) == (None, None, None, {})
    assert found.deleted_at == NOW


def test_a_contact_that_was_deleted_first_is_still_purged(ledger: SQLLedger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        work.contacts.mark_deleted("account-1", "51", NOW)
        work.contacts.purge("account-1", "51", NOW + timedelta(hours=1))
        found = work.contacts.get("account-1", "contact-1")
    assert found is not None
    assert (found.msisdn, found.deleted_at) == (None, NOW)
