"""Are tokens that a slow refresh brings stored only where the account still has the one it was made with?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from connector.adapters.crm.replaced_tokens import put_in_place
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.ledger import AccountRow, Ledger
from tests.adapters.store.factories import NOW, an_account

LATER = NOW + timedelta(minutes=30)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""On SQLite a writer is alone: nothing can happen between its reading and its writing."""


def installed(ledger: Ledger, **tokens: Any) -> AccountRow:
    account = an_account(access_token="access-1", refresh_token="refresh-1", token_expires_at=NOW)
    with ledger.begin() as work:
        work.accounts.add(replace(account, **tokens))
        work.commit()
    return read(ledger, account)


def read(ledger: Ledger, account: AccountRow) -> AccountRow:
    with ledger.begin(write=False) as work:
        return work.accounts.with_tokens(account.id)


def connect_again(ledger: Ledger, account: AccountRow, access_token: str, refresh_token: str) -> None:
    with ledger.begin() as work:
        work.accounts.save_tokens(account.id, access_token, refresh_token, LATER)
        work.commit()


def replace_tokens(ledger: Ledger, used: AccountRow, *tokens: Any) -> bool:
    with ledger.begin() as work:
        were_stored = work.accounts.replace_tokens(used, *tokens)
        work.commit()
    return were_stored


def test_tokens_are_replaced_while_the_account_has_the_one_that_was_used(ledger: Ledger) -> None:
    used = installed(ledger)
    assert replace_tokens(ledger, used, "access-2", "refresh-2", LATER)
    expected = replace(used, access_token="access-2", refresh_token="refresh-2", token_expires_at=LATER)
    assert read(ledger, used) == expected


def test_another_access_token_beside_the_same_refresh_token_is_no_other_connection(ledger: Ledger) -> None:
    used = installed(ledger)
    connect_again(ledger, used, "access-2", "refresh-1")
    assert replace_tokens(ledger, used, "access-3", "refresh-1", LATER)
    assert read(ledger, used).access_token == "access-3"


@pytest.mark.parametrize("tokens", [("late", "late too", LATER), (None, None, None)])
def test_tokens_of_another_connection_are_neither_replaced_nor_forgotten(ledger: Ledger, tokens: Any) -> None:
    used = installed(ledger)
    connect_again(ledger, used, "access-new", "refresh-new")
    reconnected = read(ledger, used)
    assert not replace_tokens(ledger, used, *tokens)
    assert read(ledger, used) == reconnected


def test_forgotten_tokens_are_not_brought_back(ledger: Ledger) -> None:
    used = installed(ledger)
    assert replace_tokens(ledger, used, None, None, None)
    assert not replace_tokens(ledger, used, "late", "late too", LATER)
    gone = read(ledger, used)
    assert (gone.access_token, gone.refresh_token, gone.token_expires_at) == (None, None, None)


def test_an_account_that_has_gone_gets_no_tokens_and_nobody_elses_are_touched(ledger: Ledger) -> None:
    other = installed(ledger)
    assert not replace_tokens(ledger, replace(other, id="0190b000-gone"), "late", "late too", LATER)
    assert not replace_tokens(ledger, replace(other, id="0190b000-gone", refresh_token=None), "late", None, LATER)
    assert read(ledger, other) == other


@contextmanager
def just_before_storing(ledger: SQLLedger, happens: Callable[[], None]) -> Iterator[None]:
    """Let something happen, once, between the last look at the account and the statement that stores tokens."""
    to_come = [happens]

    def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE account ") and to_come:
            to_come.pop()()

    event.listen(ledger.engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(ledger.engine, "before_cursor_execute", before)
    assert not to_come


@ON_POSTGRESQL
@pytest.mark.parametrize("tokens", [("late", "late too", LATER), (None, None, None)])
def test_a_reconnection_between_the_last_look_and_the_storing_stands(sql_ledger: SQLLedger, tokens: Any) -> None:
    used = installed(sql_ledger)
    with (
        just_before_storing(sql_ledger, lambda: connect_again(sql_ledger, used, "access-new", "refresh-new")),
        sql_ledger.begin() as work,
    ):
        assert put_in_place(work, used, *tokens) == "access-new"
        work.commit()
    found = read(sql_ledger, used)
    assert (found.access_token, found.refresh_token) == ("access-new", "refresh-new")


@ON_POSTGRESQL
def test_tokens_are_stored_though_the_same_refresh_token_was_stored_anew_meanwhile(sql_ledger: SQLLedger) -> None:
    used = installed(sql_ledger)
    with (
        just_before_storing(sql_ledger, lambda: connect_again(sql_ledger, used, "access-2", "refresh-1")),
        sql_ledger.begin() as work,
    ):
        assert put_in_place(work, used, "access-3", "refresh-3", LATER) is None
        work.commit()
    found = read(sql_ledger, used)
    assert (found.access_token, found.refresh_token) == ("access-3", "refresh-3")
