"""Does the ledger tell accounts that somebody ended from those that only lost their connection?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.account_status import CONNECTED_AT, ENDED, AccountStatus
from connector.ports.ledger import AccountRow, Ledger
from tests.adapters.store.factories import NOW


def account(number: int, status: AccountStatus = AccountStatus.ACTIVE) -> AccountRow:
    return AccountRow(f"account-{number}", "hubspot", str(number), "", status, "", {}, NOW, "access", "refresh", NOW)


def test_an_account_that_somebody_ended_is_no_longer_installed(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for number, status in enumerate(AccountStatus):
            work.accounts.add(account(number, status))
        names = [str(number) for number, _ in enumerate(AccountStatus)]
        installed = work.accounts.installed("hubspot", names)
        assert {work.accounts.get(each).status for each in installed.values()} == {"active", "disconnected"}
        assert work.accounts.installed("salesforce", names) == {}
        assert len(work.accounts.by_external_ids("hubspot", names)) == len(AccountStatus)


def test_accounts_are_found_by_their_status_oldest_first(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for number, status in ((2, AccountStatus.LEAVING), (1, AccountStatus.UNINSTALLED), (3, AccountStatus.ACTIVE)):
            work.accounts.add(account(number, status))
        assert list(work.accounts.with_status(ENDED)) == ["account-1", "account-2"]
        assert list(work.accounts.with_status(())) == []


def test_all_accounts_are_read_with_their_settings_and_without_their_tokens(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.accounts.add(replace(account(1), settings={"senders": ["+12025550100"]}, access_token="at-1"))
        work.accounts.add(account(2))
        found = work.accounts.all()
        assert {each.id: each.settings for each in found} == {
            "account-1": {"senders": ["+12025550100"]},
            "account-2": {},
        }
        assert [each.access_token for each in found] == [None, None]


@pytest.mark.parametrize("status", sorted(ENDED))
def test_a_failing_call_does_not_turn_an_ended_account_into_a_disconnected_one(
    ledger: Ledger, status: AccountStatus
) -> None:
    with ledger.begin() as work:
        work.accounts.add(account(1))
        work.accounts.set_status("account-1", AccountStatus.DISCONNECTED, "the token is refused")
        work.accounts.set_status("account-1", status, "somebody wanted it")
        work.accounts.set_status("account-1", AccountStatus.DISCONNECTED, "the token is refused")
        assert (work.accounts.get("account-1").status, work.accounts.get("account-1").status_reason) == (
            status,
            "somebody wanted it",
        )
        work.accounts.set_status("account-1", AccountStatus.ACTIVE, "")
        assert work.accounts.get("account-1").status == "active"


def test_those_that_are_active_are_read_without_their_tokens(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.accounts.add(replace(account(2), settings={"senders": ["+12025550100"]}))
        work.accounts.add(account(1))
        work.accounts.add(account(3, AccountStatus.DISCONNECTED))
        first, second = work.accounts.connected()
        assert (first, second.id, second.settings) == (
            replace(account(1), access_token=None, refresh_token=None, token_expires_at=None),
            "account-2",
            {"senders": ["+12025550100"]},
        )
        assert [each.id for each in work.accounts.connected({"account-2", "account-3"})] == ["account-2"]
        assert list(work.accounts.connected(())) == []


def test_tokens_that_do_not_open_stop_no_round_over_the_active_accounts(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.accounts.add(account(1))
        work._connection.execute(text("UPDATE account SET access_token_sealed = :junk"), {"junk": b"junk"})
        assert [each.id for each in work.accounts.connected()] == ["account-1"]


@pytest.mark.parametrize("status", sorted(set(AccountStatus) - {AccountStatus.ACTIVE}))
def test_only_an_active_account_is_disconnected_by_a_failing_call(ledger: Ledger, status: AccountStatus) -> None:
    with ledger.begin() as work:
        work.accounts.add(account(1, status))
        work.accounts.add(account(2))
        assert not work.accounts.disconnect("account-1", None, "the token is refused")
        assert not work.accounts.disconnect("account-3", None, "the token is refused")
        assert work.accounts.get("account-1").status == status
        assert work.accounts.get("account-2").status == "active"


def test_a_call_that_fails_disconnects_the_account_once(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.accounts.add(account(1))
        assert work.accounts.disconnect("account-1", None, "the token is refused")
        assert not work.accounts.disconnect("account-1", None, "and again")
        found = work.accounts.get("account-1")
        assert (found.status, found.status_reason) == ("disconnected", "the token is refused")


def test_a_call_that_failed_before_an_account_was_connected_again_does_not_disconnect_it(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.accounts.add(replace(account(1), settings={CONNECTED_AT: "2026-11-21T12:00:00+00:00"}))
        assert not work.accounts.disconnect("account-1", None, "the first token is refused")
        assert not work.accounts.disconnect("account-1", "2026-11-20T12:00:00+00:00", "the second token is refused")
        assert work.accounts.get("account-1").status == "active"
        assert work.accounts.disconnect("account-1", "2026-11-21T12:00:00+00:00", "the third token is refused")


def test_an_account_that_its_crm_tells_the_end_of_loses_its_tokens_and_others_keep_theirs(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.accounts.add(account(1))
        work.accounts.add(account(2))
        assert work.accounts.uninstall("account-1", None, "the CRM says so")
        assert not work.accounts.uninstall("account-3", None, "the CRM says so")
        found = work.accounts.with_tokens("account-1")
        assert (found.status, found.status_reason) == ("uninstalled", "the CRM says so")
        assert (found.access_token, found.refresh_token, found.token_expires_at) == (None, None, None)
        assert work.accounts.with_tokens("account-2") == account(2)


def test_an_end_told_of_the_connection_before_leaves_the_account_its_tokens(ledger: Ledger) -> None:
    connected = replace(account(1), settings={CONNECTED_AT: "2026-11-21T12:00:00+00:00"})
    erased = account(2, AccountStatus.ERASING)
    with ledger.begin() as work:
        work.accounts.add(connected)
        work.accounts.add(erased)
        for before in (None, "2026-11-20T12:00:00+00:00"):
            assert not work.accounts.uninstall("account-1", before, "the CRM says so")
        assert not work.accounts.uninstall("account-2", None, "the CRM says so")
        assert [work.accounts.with_tokens(each.id) for each in (connected, erased)] == [connected, erased]
        assert work.accounts.uninstall("account-1", "2026-11-21T12:00:00+00:00", "the CRM says so")


def test_an_account_is_read_without_its_tokens_by_all_but_those_who_ask_for_them(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.accounts.add(account(1))
        assert work.accounts.with_tokens("account-1") == account(1)
        without = replace(account(1), access_token=None, refresh_token=None, token_expires_at=None)
        assert work.accounts.get("account-1") == without
        for read in (work.accounts.get, work.accounts.with_tokens):
            with pytest.raises(KeyError):
                read("account-3")


def test_dropped_tokens_are_gone_and_those_of_others_stay(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.accounts.add(account(1))
        work.accounts.add(account(2))
        work.accounts.drop_tokens("account-1")
        row = work.accounts.with_tokens("account-1")
        assert (row.access_token, row.refresh_token, row.token_expires_at) == (None, None, None)
        assert work.accounts.with_tokens("account-2").refresh_token == "refresh"
