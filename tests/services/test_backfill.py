"""Is what webhooks missed found, told once, and not acted on when it is old?"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from structlog.testing import capture_logs

from connector.domain.timeline import EntryKind
from connector.errors import CRMDisconnectedError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import ContactFields, CRMAccount
from connector.services.backfill import AT_ONCE, EVERY, KIND, LAG, BackFill
from connector.services.contact_snapshots import contact_row
from connector.services.missed_changes import Walk
from connector.services.search_turns import Turn
from tests.services.fake_crm import PAGE
from tests.services.theatre import ACCOUNT, CONFIRMATION, NUMBER, START, Theatre

WELCOME = """
journey: welcome
title: Welcome
purpose: transactional
trigger:
  event: contact.created
enroll:
  key: contact.id
steps:
  - send: confirmation/first
"""
FOUND = "; found by a poll, no webhook told us"


class Rig(Theatre):
    """A theatre whose clock rings the back-fill."""

    def fill(self) -> int:
        """Let all that is due be looked at, and understood."""
        pages = 0
        while looked := self.backfill.fill_due():
            pages += looked
        self.work()
        return pages

    def later(self, **lapse: float) -> int:
        self.pass_time(**(lapse or {"minutes": 16}))
        return self.fill()

    def deal(self, contact: str) -> str:
        return self.crm.put("deal", [contact], dealname="Roof", dealstage="contractsent")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"confirmation": CONFIRMATION, "welcome": WELCOME})
    rig.fill()
    yield rig
    rig.close()


def journeys(rig: Rig) -> list[str]:
    return [row.journey for row in rig.enrollments()]


def with_many_accounts(rig: Rig, many: int = 6) -> None:
    with rig.ledger.begin() as uow:
        mine = uow.accounts.get(ACCOUNT)
        for number in range(many):
            uow.accounts.add(replace(mine, id=f"{number:032x}", external_id=f"77{number}"))
        uow.commit()


# What is found


def test_a_change_whose_webhook_was_lost_starts_its_journey_within_a_quarter_of_an_hour(rig: Rig) -> None:
    lea = rig.lea()
    rig.hear("contact.creation", lea)
    deal = rig.deal(lea)
    rig.work()
    rig.later()
    rig.crm.change("deal", deal, dealstage="demo")
    rig.later()
    assert journeys(rig).count("confirmation") == 1
    (event,) = [entry for entry in rig.entries(EntryKind.EVENT_RECEIVED) if "stage_changed" in entry.summary][-1:]
    assert event.summary.endswith(FOUND)
    assert event.data["found_by"] == "poll"


def test_a_contact_whose_creation_nobody_told_is_welcomed(rig: Rig) -> None:
    rig.lea()
    rig.later()
    assert journeys(rig) == ["welcome"]


def test_what_was_there_before_us_starts_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"confirmation": CONFIRMATION, "welcome": WELCOME})
    lea = rig.lea()
    rig.crm.put("deal", [lea], dealname="Roof", dealstage="demo")
    rig.pass_time(days=1)
    rig.fill()
    rig.later()
    rig.later()
    assert journeys(rig) == []
    rig.close()


def test_a_record_that_changed_in_another_way_made_no_event(rig: Rig) -> None:
    lea = rig.lea()
    deal = rig.crm.put("deal", [lea], dealname="Roof", dealstage="demo")
    rig.hear("contact.creation", lea)
    rig.hear("deal.propertyChange", deal, propertyName="dealstage", propertyValue="demo")
    rig.work()
    started = len(rig.enrollments())
    rig.later(days=2)
    rig.crm.change("deal", deal, amount="900")
    rig.later()
    assert len(rig.enrollments()) == started


def test_many_changes_are_found_page_by_page_and_one_page_at_a_time(rig: Rig) -> None:
    for _ in range(PAGE * 2 + 1):
        rig.lea()
    rig.pass_time(minutes=16)
    before = rig.crm.calls["changed_since"]
    rig.backfill.fill_due()
    assert rig.crm.calls["changed_since"] == before + 1
    rig.fill()
    assert len(rig.enrollments()) == PAGE * 2 + 1


def test_after_an_outage_of_our_own_everything_is_due_at_once(rig: Rig) -> None:
    rig.pass_time(hours=20)
    rig.lea()
    rig.pass_time(hours=3)
    rig.fill()
    assert journeys(rig) == ["welcome"]


def test_a_change_that_the_search_showed_late_is_found_by_the_next_walk(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = rig.crm.changed_since
    rig.pass_time(minutes=16)
    lea = rig.lea()

    def lagging(*question: object, **more: object) -> object:
        del rig.crm.modified["contact", lea]
        rig.crm.modified["contact", lea] = rig.clock.at - timedelta(days=9)
        answer = original(*question, **more)  # type: ignore[arg-type]
        rig.crm.modified["contact", lea] = created
        return answer

    created = rig.clock.at
    monkeypatch.setattr(rig.crm, "changed_since", lagging)
    rig.pass_time(seconds=int(LAG.total_seconds()) - 5)
    rig.fill()
    monkeypatch.undo()
    assert journeys(rig) == []
    rig.later()
    assert journeys(rig) == ["welcome"]


def test_events_that_no_journey_needs_are_not_searched_for(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"confirmation": CONFIRMATION})
    rig.fill()
    with rig.ledger.begin(write=False) as uow:
        assert uow.cursors.get(ACCOUNT, f"{KIND}:deal") is not None
        assert uow.cursors.get(ACCOUNT, f"{KIND}:contact") is None
    rig.close()


# Told twice


def test_what_a_webhook_told_is_not_found_again(rig: Rig) -> None:
    lea = rig.lea()
    deal = rig.deal(lea)
    rig.hear("contact.creation", lea)
    rig.deal_moves(deal, "demo")
    rig.work()
    events = len(rig.entries(EntryKind.EVENT_RECEIVED))
    rig.later()
    rig.later()
    assert journeys(rig).count("confirmation") == 1
    assert [row for row in rig.entries(EntryKind.EVENT_RECEIVED) if row.summary.endswith(FOUND)] == []
    assert len(rig.entries(EntryKind.EVENT_RECEIVED)) == events


def test_a_webhook_that_comes_after_the_poll_tells_nothing_new(rig: Rig) -> None:
    lea = rig.lea()
    deal = rig.deal(lea)
    rig.crm.change("deal", deal, dealstage="demo")
    when = int(rig.clock.at.timestamp() * 1000)
    rig.later()
    assert sorted(journeys(rig)) == ["confirmation", "welcome"]
    late = [
        rig.hear("contact.creation", lea, occurredAt=when),
        rig.hear("deal.propertyChange", deal, propertyName="dealstage", propertyValue="demo", occurredAt=when),
    ]
    rig.work()
    assert sorted(journeys(rig)) == ["confirmation", "welcome"]
    assert [rig.outcome(row) for row in late] == ["contact.created: known already", "deal.stage_changed: known already"]


def test_a_webhook_still_waiting_in_the_inbox_and_a_poll_start_one_journey(rig: Rig) -> None:
    lea = rig.lea()
    deal = rig.deal(lea)
    rig.deal_moves(deal, "demo")
    rig.pass_time(minutes=16)
    while rig.backfill.fill_due():
        pass
    rig.work()
    assert journeys(rig).count("confirmation") == 1


def test_a_value_that_comes_back_later_is_a_new_event(rig: Rig) -> None:
    lea = rig.lea()
    deal = rig.deal(lea)
    rig.crm.change("deal", deal, dealstage="demo")
    rig.later()
    rig.deal_moves(deal, "contractsent")
    rig.work()
    rig.pass_time(minutes=5)
    rig.deal_moves(deal, "demo")
    rig.work()
    assert journeys(rig).count("confirmation") == 2


# CRMs without a history


def test_without_a_history_a_value_other_than_the_one_we_heard_of_is_a_change(rig: Rig) -> None:
    rig.crm.keeps_history = False
    lea = rig.lea()
    deal = rig.deal(lea)
    rig.deal_moves(deal, "contractsent")
    rig.work()
    rig.later(minutes=30)
    rig.crm.change("deal", deal, dealstage="demo")
    rig.later()
    rig.crm.change("deal", deal, amount="900")
    rig.later()
    assert journeys(rig).count("confirmation") == 1


def test_without_a_history_a_record_we_never_heard_of_changed_in_nothing_we_know(rig: Rig) -> None:
    lea = rig.lea()
    deal = rig.crm.put("deal", [lea], dealname="Roof", dealstage="demo")
    rig.crm.keeps_history = False
    rig.crm.created["deal", deal] = type(rig.crm.created["deal", deal])(START - timedelta(days=90))
    rig.later()
    assert "confirmation" not in journeys(rig)


# Imports, and what is old


def test_what_an_import_made_is_told_as_such(rig: Rig) -> None:
    rig.crm.imports = True
    rig.lea()
    rig.later()
    assert journeys(rig) == []
    assert any("import" in summary for summary in rig.summaries(EntryKind.NOT_ENROLLED))


def test_what_happened_too_long_ago_is_noted_and_starts_nothing(rig: Rig) -> None:
    rig.lea()
    rig.later(hours=30)
    assert journeys(rig) == []
    assert len(rig.entries(EntryKind.EVENT_RECEIVED)) == 1
    (why,) = rig.summaries(EntryKind.EVENT_IGNORED)
    assert why.endswith("a poll found it too late; only what happened in the last 24 hours starts something")


def test_how_old_is_too_old_is_a_setting_of_the_account(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"welcome": WELCOME}, backfill_hours=48)
    rig.fill()
    rig.lea()
    rig.later(hours=30)
    assert journeys(rig) == ["welcome"]
    rig.close()


def test_what_happened_long_ago_still_ends_a_journey_it_should_have_ended(rig: Rig) -> None:
    lea = rig.lea()
    deal = rig.deal(lea)
    rig.hear("contact.creation", lea)
    rig.deal_moves(deal, "demo")
    rig.work()
    rig.pass_time(minutes=1)
    rig.crm.change("deal", deal, dealstage="won")
    rig.later(hours=30)
    (row,) = [row for row in rig.enrollments() if row.journey == "confirmation"]
    assert row.status == "ended"


# Opt-outs


def suppressed(rig: Rig) -> bool:
    with rig.ledger.begin(write=False) as uow:
        return bool(uow.consents.suppressions(ACCOUNT, [NUMBER]))


def test_an_opt_out_that_no_webhook_told_is_found_on_known_contacts_and_on_strangers(rig: Rig) -> None:
    stranger = rig.lea()
    rig.pass_time(days=8)
    rig.fill()
    assert stranger not in rig.contacts()
    rig.crm.change("contact", stranger, city="Bern")
    rig.crm.opted_out[stranger] = True
    rig.later()
    assert suppressed(rig)


def test_opt_outs_are_looked_for_before_events(rig: Rig) -> None:
    lea = rig.lea()
    rig.crm.opted_out[lea] = True
    rig.pass_time(minutes=16)
    rig.backfill.fill_due()
    rig.reader.understand()
    assert suppressed(rig)


def test_an_opt_out_in_a_field_of_the_accounts_own_is_found(tmp_path: Path) -> None:
    rig = Rig(
        tmp_path,
        f"sqlite:///{tmp_path}/ledger.sqlite3",
        {"confirmation": CONFIRMATION},
        opt_out_fields={"contact": {"field": "sms_wish", "value": "Never"}},
    )
    lea = rig.lea()
    rig.hear("contact.creation", lea)
    rig.fill()
    rig.pass_time(minutes=1)
    rig.crm.change("contact", lea, sms_wish="Never")
    rig.later()
    assert suppressed(rig)
    rig.close()


def test_a_flag_that_we_read_before_and_that_blocks_nobody_is_found(rig: Rig) -> None:
    lea = rig.lea()
    rig.crm.opted_out[lea] = True
    with rig.ledger.begin() as uow:
        account = uow.accounts.get(ACCOUNT)
        acting = CRMAccount(account.id, account.external_id, account.settings)
        read = rig.crm.read_contacts(acting, [lea], {})[lea]
        uow.contacts.save(contact_row(rig.ledger.new_id(), account, lea, read, rig.clock.at))
        uow.commit()
    assert not suppressed(rig)
    rig.later()
    assert suppressed(rig)


def own_field(tmp_path: Path, setting: object) -> Rig:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    return Rig(tmp_path, url, {"confirmation": CONFIRMATION}, opt_out_fields={"contact": setting})


def test_an_opt_out_set_before_our_first_look_is_found(tmp_path: Path) -> None:
    rig = own_field(tmp_path, {"field": "sms_wish", "value": "Never"})
    rig.lea(sms_wish="Never")
    rig.pass_time(days=30)
    rig.fill()
    assert suppressed(rig)
    rig.close()


def test_two_entries_of_one_field_are_both_searched_for_and_a_new_value_from_the_beginning(tmp_path: Path) -> None:
    setting: list[object] = [{"field": "sms_wish", "value": "Stop"}, {"field": "sms_wish", "value": "Never"}]
    rig = own_field(tmp_path, setting[:1])
    rig.lea(sms_wish="Never")
    rig.pass_time(days=1)
    rig.fill()
    assert not suppressed(rig)
    with rig.ledger.begin() as uow:
        account = uow.accounts.get(ACCOUNT)
        uow.accounts.save_settings(ACCOUNT, {**account.settings, "opt_out_fields": {"contact": setting}}, account.name)
        uow.commit()
    rig.later()
    assert suppressed(rig)
    rig.close()


def test_an_opt_out_is_found_after_an_outage_of_a_month(rig: Rig) -> None:
    lea = rig.lea()
    rig.crm.opted_out[lea] = True
    rig.pass_time(days=30)
    rig.fill()
    assert suppressed(rig)


# Trouble


def test_an_account_whose_walk_breaks_keeps_no_other_walk_from_its_turn(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.lea()
    looked, original = [], rig.backfill._look

    def breaking(turn: Turn[Walk]) -> int:
        looked.append(turn.search.name)
        if turn.search.opt_out is not None:
            raise KeyError(turn.search.name)
        return original(turn)

    monkeypatch.setattr(rig.backfill, "_look", breaking)
    rig.later()
    assert len(looked) == len(set(looked)), "what broke is put off"
    assert journeys(rig) == ["welcome"]


def test_only_so_many_accounts_are_looked_at_together_and_more_is_told(rig: Rig) -> None:
    with_many_accounts(rig, AT_ONCE + 2)
    rig.pass_time(minutes=16)
    before = rig.crm.calls["changed_since"]
    assert rig.backfill.fill_due() is True
    assert rig.crm.calls["changed_since"] == before + AT_ONCE
    rounds = 0
    while rig.backfill.fill_due():
        rounds += 1
    assert rounds > 1
    assert rig.crm.calls["changed_since"] == before + AT_ONCE + 2 + 3, "ours needs events of two kinds as well"


def test_an_account_whose_settings_name_no_field_keeps_no_other_from_its_turn(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = rig.crm.contact_fields

    def read(account: CRMAccount) -> ContactFields:
        if account.account_id != ACCOUNT:
            raise CRMRefusedError("that can be no field")
        return fields(account)

    with_many_accounts(rig)
    monkeypatch.setattr(rig.crm, "contact_fields", read)
    rig.lea()
    rig.later()
    assert journeys(rig) == ["welcome"]


def test_settings_that_name_no_field_are_told_to_a_person_and_logged_once_a_day(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields, broken = rig.crm.contact_fields, CRMRefusedError("that can be no field")

    def refuse(_: CRMAccount) -> ContactFields:
        raise broken

    def told() -> int:
        return len([each for each in rig.summaries(EntryKind.ATTENTION_NEEDED) if "that can be no field" in each])

    with capture_logs() as logged:
        monkeypatch.setattr(rig.crm, "contact_fields", refuse)
        for _ in range(3):
            rig.later()
        assert told() == 1
        rig.pass_time(hours=24)
        rig.later()
        rig.later()
        assert told() == 2
    assert [each["account_id"] for each in logged if each["event"] == "search.unknown"] == [ACCOUNT] * 2
    monkeypatch.setattr(rig.crm, "contact_fields", fields)
    rig.lea()
    rig.later()
    assert journeys(rig) == ["welcome"]


def test_settings_another_process_told_of_are_not_told_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: CRMAccount) -> ContactFields:
        raise CRMRefusedError("that can be no field")

    monkeypatch.setattr(rig.crm, "contact_fields", refuse)
    rig.backfill.fill_due()
    another = BackFill(rig.ledger, {"hubspot": rig.crm}, rig.catalogue, rig.needed, rig.clock, random.Random(2))
    with capture_logs() as logged:
        another.fill_due()
    assert [each for each in logged if each["event"] == "search.unknown"] == []


def test_an_account_of_a_crm_nothing_is_known_of_is_not_searched(rig: Rig) -> None:
    with rig.ledger.begin() as uow:
        uow.accounts.add(replace(uow.accounts.get(ACCOUNT), id="account-0", crm="another"))
        uow.commit()
    rig.later()
    rig.poller.poll_due()
    with rig.ledger.begin(write=False) as uow:
        assert "account-0" not in {account_id for kind in ("", KIND) for account_id, _ in uow.polls.planned(kind)}


def test_a_refused_search_is_shown_to_a_person_once_a_day(rig: Rig) -> None:
    for _ in range(2):
        rig.crm.fail("changed_since", *[CRMRefusedError("no scope", status=403)] * 3)
        rig.later()
    shown = [summary for summary in rig.summaries(EntryKind.ATTENTION_NEEDED) if "webhooks missed" in summary]
    assert len(shown) == 3
    rig.lea()
    rig.later()
    assert journeys(rig) == ["welcome"]


def test_a_crm_that_is_away_is_asked_again_when_it_says(rig: Rig) -> None:
    rig.lea()
    rig.crm.fail("changed_since", *[CRMUnavailableError("away", retry_after=timedelta(minutes=2))] * 3)
    rig.later()
    assert journeys(rig) == []
    rig.later(minutes=3)
    assert journeys(rig) == ["welcome"]


def test_a_disconnected_account_is_searched_no_more(rig: Rig) -> None:
    rig.crm.fail("changed_since", CRMDisconnectedError("gone", status=401))
    rig.later()
    before = rig.crm.calls["changed_since"]
    rig.later(hours=5)
    assert rig.crm.calls["changed_since"] == before
    with rig.ledger.begin(write=False) as uow:
        assert uow.accounts.get(ACCOUNT).status == "disconnected"


def test_walks_are_spread_so_that_accounts_do_not_search_together(rig: Rig) -> None:
    rig.pass_time(seconds=EVERY.total_seconds() * 0.85)
    assert not rig.backfill.fill_due()
    rig.pass_time(seconds=EVERY.total_seconds() * 0.2)
    assert rig.backfill.fill_due()


def test_an_account_of_which_something_is_known_to_be_missing_is_looked_at_at_once(rig: Rig) -> None:
    lea = rig.lea()
    rig.hear("contact.creation", lea)
    deal = rig.deal(lea)
    rig.work()
    rig.later()
    rig.crm.change("deal", deal, dealstage="demo")
    assert rig.fill() == 0
    with rig.ledger.begin() as uow:
        rig.backfill.hasten(uow, uow.accounts.get(ACCOUNT))
        uow.commit()
    assert rig.fill() > 0
    assert journeys(rig).count("confirmation") == 1


# Rounds


def writes(rig: Rig) -> list[str]:
    """Collect what is written from now on."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SELECT", "BEGIN", "PRAGMA")):
            found.append(statement)

    event.listen(rig.ledger.engine, "before_cursor_execute", note)
    return found


def test_a_round_in_which_nothing_is_due_writes_nothing(rig: Rig) -> None:
    with_many_accounts(rig)
    rig.fill()
    rig.poller.poll_due()
    found = writes(rig)
    rig.pass_time(minutes=2)
    assert (rig.backfill.fill_due(), rig.poller.poll_due(), found) == (False, 0, [])


def test_a_round_writes_for_who_is_due_and_for_nobody_else(rig: Rig) -> None:
    with_many_accounts(rig)
    rig.fill()
    with rig.ledger.begin() as uow:
        rig.backfill.hasten(uow, uow.accounts.get(f"{3:032x}"))
        uow.commit()
    found = writes(rig)
    assert rig.backfill.fill_due()
    assert [each.split()[1] for each in found if each.startswith("UPDATE")] == ["poll", "poll"], "leased, and planned"
    assert len(found) == 3, "and how far it looked"


def test_no_token_is_opened_to_find_out_what_is_due(rig: Rig) -> None:
    with_many_accounts(rig)
    with rig.ledger.begin() as uow:
        uow._connection.execute(text("UPDATE account SET refresh_token_sealed = :junk"), {"junk": b"junk"})
        uow.commit()
    rig.pass_time(minutes=16)
    assert rig.backfill.fill_due()


def test_what_nobody_needs_any_more_is_forgotten_and_an_account_that_is_back_is_looked_at_at_once(rig: Rig) -> None:
    def planned() -> int:
        with rig.ledger.begin(write=False) as uow:
            return len(uow.polls.planned(KIND))

    def become(status: str) -> None:
        with rig.ledger.begin() as uow:
            uow.accounts.set_status(ACCOUNT, status, "")
            uow.commit()

    assert planned() == 3
    become("disconnected")
    rig.later()
    assert planned() == 0
    become("active")
    rig.lea()
    rig.later(minutes=1)
    assert (planned(), journeys(rig)) == (3, ["welcome"])
