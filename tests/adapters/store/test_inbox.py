"""Does the store keep the promises of the inbox, the accounts and the polls?"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from connector.adapters.secrets import Vault
from connector.adapters.store.group_commit import GroupCommit
from connector.adapters.store.ids import new_id
from connector.adapters.store.unit_of_work import SQLLedger
from connector.errors import DecryptionError
from connector.ports.inbox import InboxRow
from connector.ports.ledger import Ledger, UnitOfWork
from tests.adapters.store.factories import NOW, an_account, an_event

LATER = NOW + timedelta(minutes=1)


def test_an_event_is_kept_once_however_often_it_is_delivered(ledger: Ledger) -> None:
    event = an_event("a")
    with ledger.begin() as uow:
        assert uow.inbox.add([event, an_event("a", external_id=event.external_id), an_event("a")]) == 2
        assert uow.inbox.add([event]) == 0


def test_a_leased_event_is_claimed_again_only_when_the_lease_ran_out(ledger: Ledger) -> None:
    event = an_event("a")
    with ledger.begin() as uow:
        uow.inbox.add([event])
        assert uow.inbox.claim(["hubspot"], 10, NOW, LATER) == [event]
        assert uow.inbox.claim(["hubspot"], 10, NOW, LATER) == []
        assert uow.inbox.waiting(NOW) == {}
        assert [row.id for row in uow.inbox.claim(["hubspot"], 10, LATER, LATER)] == [event.id]


def test_a_handled_event_is_not_claimed_again(ledger: Ledger) -> None:
    event = an_event("a")
    with ledger.begin() as uow:
        uow.inbox.add([event])
        uow.inbox.finish([event.id], "enrolled", NOW)
        assert uow.inbox.claim(["hubspot"], 10, LATER, LATER) == []


def test_a_postponed_event_comes_back_at_its_time_and_counts_the_attempt(ledger: Ledger) -> None:
    event = an_event("a")
    with ledger.begin() as uow:
        uow.inbox.add([event])
        uow.inbox.claim(["hubspot"], 10, NOW, LATER)
        uow.inbox.postpone(event.id, "CRM down", LATER)
        assert uow.inbox.claim(["hubspot"], 10, NOW, LATER) == []
        assert uow.inbox.claim(["hubspot"], 10, LATER, LATER)[0].attempts == 1


def test_only_what_a_source_sent_before_a_time_is_given_up(ledger: Ledger) -> None:
    old, new, other = (an_event("a", source=source) for source in ("x.status", "x.status", "y.status"))
    with ledger.begin() as uow:
        uow.inbox.add([old, replace(new, received_at=LATER), other])
        assert uow.inbox.give_up("x.status", LATER, "unread", LATER) == 1
        assert uow.inbox.give_up("x.status", LATER, "unread", LATER) == 0
        assert uow.inbox.waiting(LATER) == {"x.status": 1, "y.status": 1}


def test_tokens_are_sealed_and_bound_to_their_account(sql_ledger: SQLLedger) -> None:
    first, second = an_account(access_token="pat-secret"), an_account()
    with sql_ledger.begin() as uow:
        uow.accounts.add(first)
        uow.accounts.add(second)
        assert uow.accounts.with_tokens(first.id).access_token == "pat-secret"
        assert "pat-secret" not in repr(uow.accounts.with_tokens(first.id))
        move = "UPDATE account SET access_token_sealed = (SELECT access_token_sealed FROM account WHERE id = :a)"
        uow._connection.execute(text(f"{move} WHERE id = :b"), {"a": first.id, "b": second.id})
        with pytest.raises(DecryptionError):
            uow.accounts.with_tokens(second.id)


def test_a_rotated_key_still_opens_what_the_old_one_sealed() -> None:
    sealed = Vault(["o" * 32]).seal("hello", account="a", column="c")
    assert Vault(["n" * 32, "o" * 32]).open_text(sealed, account="a", column="c") == "hello"
    with pytest.raises(DecryptionError):
        Vault(["n" * 32]).open(sealed, account="a", column="c")


def test_accounts_are_found_by_the_crms_ids(ledger: Ledger) -> None:
    account = an_account(external_id="12345")
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.accounts.save_settings(account.id, {"default_region": "GB"}, "Acme Ltd")
        uow.accounts.set_status(account.id, "disconnected", "uninstalled")
        assert uow.accounts.by_external_ids("hubspot", ["12345", "9"]) == {"12345": account.id}
        found = uow.accounts.get(account.id)
        assert (found.name, found.settings, found.status) == ("Acme Ltd", {"default_region": "GB"}, "disconnected")
        with pytest.raises(KeyError):
            uow.accounts.get("nobody")


def test_a_poll_is_given_to_one_poller_and_comes_back(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.polls.ensure("a", "invoice.overdue", NOW)
        uow.polls.ensure("a", "invoice.overdue", LATER)
        assert uow.polls.claim(NOW, LATER, 1) == [("a", "invoice.overdue")]
        assert not uow.polls.any_due(NOW)
        uow.polls.next("a", "invoice.overdue", NOW)
        assert uow.polls.any_due(NOW)


def test_a_timer_is_given_only_to_whoever_claims_its_kind(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        for name in ("invoice.overdue", "split:welcome:tone", "splits:other:timer"):
            uow.polls.ensure("a", name, NOW)
        assert uow.polls.claim(NOW, LATER, 1, "split") == [("a", "split:welcome:tone")]
        assert uow.polls.claim(NOW, LATER, 1) == [("a", "invoice.overdue")]
        assert uow.polls.any_due(NOW)


def test_polls_of_only_so_many_accounts_are_given_and_whoever_waits_longest_comes_first(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        for account_id, minutes in (("c", 0), ("a", 2), ("b", 1)):
            uow.polls.ensure(account_id, "invoice.overdue", NOW + timedelta(minutes=minutes))
        uow.polls.ensure("c", "form.submitted", NOW + timedelta(minutes=3))
        uow.polls.ensure("d", "split:welcome:tone", NOW)
        late, of_c = NOW + timedelta(hours=1), [("c", "invoice.overdue"), ("c", "form.submitted")]
        assert uow.polls.claim(late, NOW + timedelta(hours=2), 2) == [of_c[0], ("b", "invoice.overdue"), of_c[1]]
        assert uow.polls.claim(late, NOW + timedelta(hours=2), 2) == [("a", "invoice.overdue")]
        assert uow.polls.claim(late, NOW + timedelta(hours=2), 2) == []


def test_what_is_planned_is_known_by_its_kind_and_forgotten_when_nobody_needs_it(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        for account_id in "ab":
            for name in ("invoice.overdue", "split:welcome:tone"):
                uow.polls.ensure(account_id, name, NOW)
        assert set(uow.polls.planned("split")) == {("a", "split:welcome:tone"), ("b", "split:welcome:tone")}
        uow.polls.drop("a", "invoice.overdue")
        uow.polls.drop("a", "never.planned")
        assert set(uow.polls.planned()) == {("b", "invoice.overdue")}


def test_group_commit_returns_after_the_commit_and_blames_only_the_culprit(sql_ledger: SQLLedger) -> None:
    commit = GroupCommit(sql_ledger)

    def fail(_uow: UnitOfWork) -> None:
        raise ValueError("mine")

    assert commit.run(lambda uow: uow.inbox.add([an_event("a")])) == 1
    with pytest.raises(ValueError, match="mine"):
        commit.run(fail)
    assert commit.run(lambda uow: uow.inbox.add([an_event("a")])) == 1
    commit.close()
    with sql_ledger.begin(write=False) as uow:
        assert uow.inbox.waiting(LATER) == {"hubspot": 2}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_ledger_somebody_holds_is_an_error_of_the_database(sql_ledger: SQLLedger) -> None:
    with sql_ledger.engine.connect() as other:
        other.exec_driver_sql("PRAGMA busy_timeout=0")  # the pool hands this connection out again
    held = sqlite3.connect(str(sql_ledger.engine.url.database), isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), sql_ledger.begin():
        raise AssertionError("the transaction began")
    held.close()


def test_items_of_many_callers_share_a_call_and_a_bad_one_fails_alone(sql_ledger: SQLLedger) -> None:
    commit = GroupCommit(sql_ledger)
    seen = an_event("a")
    sizes: list[int] = []

    def add(uow: UnitOfWork, rows: Sequence[InboxRow]) -> Sequence[bool]:
        sizes.append(len(rows))
        if any(row.source == "bad" for row in rows):
            raise ValueError("bad")
        new = uow.inbox.add_new(rows)
        return [row.id in new for row in rows]

    begun, go_on = threading.Event(), threading.Event()

    def hold(_uow: UnitOfWork) -> None:
        begun.set()
        go_on.wait()

    again = replace(seen, id=new_id())
    rows = [an_event("a"), again, an_event("a", source="bad"), an_event("a")]
    assert commit.join(add, seen)
    with ThreadPoolExecutor(5) as pool:
        held = pool.submit(commit.run, hold)
        begun.wait()  # the next group gathers while this one is under way
        results = [pool.submit(commit.join, add, row) for row in rows]
        while commit._wishes.qsize() < len(rows):
            pass
        go_on.set()
        held.result()
    assert isinstance(results[2].exception(), ValueError)
    assert [results[n].result() for n in (0, 1, 3)] == [True, False, True]
    assert sizes == [1, 4, 1, 1, 1, 1]
    commit.close()
