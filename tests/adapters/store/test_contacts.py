"""Does the ledger keep snapshots of CRM contacts as promised, on both databases?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connector.ports.contacts import ContactRow
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.links import ShortLinkRow
from connector.ports.records import CRMRecordRow, RecordSubject

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
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


def test_a_contact_is_read_back_as_saved(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert work.contacts.save(LEA) == "contact-1"
        work.commit()
    with ledger.begin(write=False) as work:
        found = work.contacts.get("account-1", "contact-1")
    assert found == replace(LEA, attributes={"name": "Lea", "score": Decimal("1.50"), "odd": "ab"})


def test_a_second_snapshot_replaces_the_first_and_keeps_its_id(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        later = replace(LEA, id="contact-2", msisdn="+12025550144", read_at=NOW + timedelta(hours=1))
        assert work.contacts.save(later) == "contact-1"
        assert work.contacts.by_crm_ids("account-1", ["51", "52"]).keys() == {"51"}
        found = work.contacts.get("account-1", "contact-1")
    assert found is not None
    assert (found.msisdn, found.read_at) == ("+12025550144", NOW + timedelta(hours=1))


def test_an_older_snapshot_saved_late_changes_nothing(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        work.contacts.save(replace(LEA, id="contact-2", msisdn="+12025550144", read_at=NOW - SECOND))
        assert [row.id for row in work.contacts.with_number("account-1", "+12025550143")] == ["contact-1"]


def test_another_account_never_sees_a_contact(ledger: Ledger) -> None:
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


def test_every_live_contact_with_a_number_is_found(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for count in range(3):
            work.contacts.save(replace(LEA, id=f"contact-{count}", crm_id=str(count)))
        work.contacts.mark_deleted("account-1", "1", NOW)
        assert [row.crm_id for row in work.contacts.with_number("account-1", "+12025550143")] == ["0", "2"]


def test_a_purged_contact_keeps_its_row_and_nothing_else(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        work.contacts.purge("account-1", "51", NOW)
        found = work.contacts.get("account-1", "contact-1")
    assert found is not None
    assert (found.msisdn, found.time_zone, found.country, dict(found.attributes)) == (None, None, None, {})
    assert found.deleted_at == NOW


def test_a_contact_that_was_deleted_first_is_still_purged(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        work.contacts.mark_deleted("account-1", "51", NOW)
        work.contacts.purge("account-1", "51", NOW + timedelta(hours=1))
        found = work.contacts.get("account-1", "contact-1")
    assert found is not None
    assert (found.msisdn, found.deleted_at) == (None, NOW)


def test_a_snapshot_read_before_a_privacy_deletion_and_saved_after_it_revives_nobody(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        work.contacts.purge("account-1", "51", NOW + SECOND)
        for read_at in (NOW, NOW + SECOND, NOW + timedelta(days=1)):
            assert work.contacts.save(replace(LEA, id="contact-2", read_at=read_at)) == "contact-1"
        found = work.contacts.get("account-1", "contact-1")
        assert not work.contacts.with_number("account-1", "+12025550143")
    assert found is not None
    assert (found.msisdn, dict(found.attributes), found.deleted_at) == (None, {}, NOW + SECOND)


def test_a_contact_restored_in_the_crm_lives_again_and_not_by_an_older_snapshot(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.contacts.save(LEA)
        work.contacts.mark_deleted("account-1", "51", NOW + SECOND)
        work.contacts.save(replace(LEA, read_at=NOW + SECOND))
        assert not work.contacts.with_number("account-1", "+12025550143")
        work.contacts.save(replace(LEA, read_at=NOW + 2 * SECOND))
        assert [row.crm_id for row in work.contacts.with_number("account-1", "+12025550143")] == ["51"]


def test_what_the_crm_was_to_show_of_a_purged_contact_is_erased_and_never_written(ledger: Ledger) -> None:
    task = CRMRecordRow(
        id="record-1", account_id="account-1", crm="hubspot", kind=RecordSubject.TASK, subject="task:1:steps[0]",
        ref="SMS-1", at=NOW, not_before=NOW, contact_id="contact-1", contact_crm_id="51",
        payload={"title": "Call Lea", "body": "She wrote: please stop"},
    )  # fmt: skip
    flag = replace(
        task, id="record-2", kind=RecordSubject.OPT_OUT_PROPERTY, subject="contact:51", contact_id=None,
        payload={"msisdn": "+12025550143", "at": NOW.isoformat()},
    )  # fmt: skip
    others = [
        replace(task, id="record-3", subject="task:2:steps[0]", contact_id="contact-2"),
        replace(flag, id="record-4", subject="contact:52"),
        replace(task, id="record-5", subject="task:3:steps[0]", account_id="account-2"),
    ]
    with ledger.begin() as work:
        for account_id in ("account-1", "account-2"):
            work.accounts.add(AccountRow(account_id, "hubspot", account_id, "", "active", "", {}, NOW))
        work.contacts.save(LEA)
        work.records.want([task, flag, *others])
        work.contacts.purge("account-1", "51", NOW)
        assert {row.error for row in work.records.refused("account-1", 9)} == {"erased on request of the CRM"}
        assert [dict(row.payload) for row in work.records.refused(None, 9)] == [{}, {}]
        claimed = [row.id for _ in range(2) for row in work.records.claim("hubspot", 9, NOW, NOW + SECOND)]
    assert sorted(claimed) == ["record-3", "record-4", "record-5"]


def test_what_others_were_told_of_a_purged_contact_and_where_its_links_lead_is_erased(ledger: Ledger) -> None:
    told = EffectRow(
        id="effect-1", account_id="account-1", kind=EffectKind.HANDOFF, key="1", channel="mail",
        payload={"text": "Lea: please call me"}, not_before=NOW, expires_at=NOW + timedelta(hours=1), created_at=NOW,
        contact_id="contact-1",
    )  # fmt: skip
    effects = [
        told,
        replace(told, id="effect-2", key="2"),
        replace(told, id="effect-3", key="3", contact_id="contact-2"),
        replace(told, id="effect-4", account_id="account-2"),
    ]
    link = ShortLinkRow("link-1", "account-1", "c1", "pay", "https://a.example/lea", "m", NOW, contact_id="contact-1")
    other = replace(link, id="link-2", code="code2", contact_id="contact-2")
    with ledger.begin() as work:
        work.contacts.save(LEA)
        for each in effects:
            assert work.effects.add(each)
        work.links.add([link, other])
        assert work.effects.end("effect-2", EffectState.DONE, NOW, answer={"name": "Lea"})
        work.contacts.purge("account-1", "51", NOW + SECOND)
        waiting, done = (work.effects.get("account-1", each) for each in ("effect-1", "effect-2"))
        assert waiting is not None
        assert done is not None
        assert (waiting.state, dict(waiting.payload)) == (EffectState.FAILED, {})
        assert (waiting.error, waiting.ended_at) == ("erased on request of the CRM", NOW + SECOND)
        assert (done.state, dict(done.payload), done.answer, done.error) == (EffectState.DONE, {}, None, "")
        assert not work.effects.end("effect-1", EffectState.DONE, NOW, answer={"name": "Lea"})
        assert [row and dict(row.payload) for row in (
            work.effects.get("account-1", "effect-3"), work.effects.get("account-2", "effect-4")
        )] == [told.payload, told.payload]  # fmt: skip
        assert [row and row.url for row in (work.links.by_code("c1"), work.links.by_code("code2"))] == [
            "", "https://a.example/lea",
        ]  # fmt: skip
