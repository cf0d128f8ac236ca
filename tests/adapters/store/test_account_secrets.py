"""Does the ledger find an account by a secret's hash, and keep the secret itself so that nobody can read it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from connector.adapters.store.tables import account_secret
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.account_secrets import AccountSecretRow
from connector.ports.ledger import Ledger
from tests.adapters.store.factories import NOW

SECRET = AccountSecretRow("secret-1", "account-1", "salesforce.intake", "5" * 64, "wordy-s3cret", NOW)
LATER = NOW + timedelta(minutes=5)


def test_a_secret_is_found_by_its_hash_whosever_it_is(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.secrets.add(SECRET)
        assert work.secrets.by_hash("5" * 64) == SECRET
        assert work.secrets.by_hash("6" * 64) is None


def test_valid_secrets_are_those_of_one_account_and_name_newest_first(ledger: Ledger) -> None:
    newer = replace(SECRET, id="secret-2", hash="6" * 64, secret="another", created_at=LATER)
    with ledger.begin() as work:
        for secret in (
            SECRET,
            newer,
            replace(SECRET, id="secret-3", hash="7" * 64, account_id="account-2"),
            replace(SECRET, id="secret-4", hash="8" * 64, name="generic.shop"),
        ):
            work.secrets.add(secret)
        assert work.secrets.valid("account-1", "salesforce.intake", NOW) == [newer, SECRET]


def test_a_retired_secret_opens_until_its_time_and_is_still_found_by_its_hash(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.secrets.add(SECRET)
        assert work.secrets.retire("account-1", ["secret-1", "secret-9"], LATER) == 1
        assert work.secrets.valid("account-1", SECRET.name, NOW) == [replace(SECRET, retires_at=LATER)]
        assert work.secrets.valid("account-1", SECRET.name, LATER) == []
        assert work.secrets.by_hash(SECRET.hash) == replace(SECRET, retires_at=LATER)


def test_another_account_retires_nothing(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.secrets.add(SECRET)
        assert work.secrets.retire("account-2", ["secret-1"], NOW) == 0
        assert work.secrets.valid("account-1", SECRET.name, NOW) == [SECRET]


def test_no_two_accounts_share_a_secret(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.secrets.add(SECRET)
        with pytest.raises((IntegrityError, ValueError)):
            work.secrets.add(replace(SECRET, id="secret-2", account_id="account-2"))


def test_a_secret_is_unreadable_at_rest_and_in_its_repr(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.secrets.add(SECRET)
        work.commit()
    with sql_ledger.engine.connect() as connection:
        sealed = connection.execute(sa.select(account_secret.c.secret_sealed)).scalar_one()
    assert b"s3cret" not in bytes(sealed)
    assert "s3cret" not in repr(SECRET)
    assert "5" * 64 not in repr(SECRET)


def test_a_secret_is_valid_until_it_retires() -> None:
    retiring = replace(SECRET, retires_at=LATER)
    assert retiring.is_valid(NOW)
    assert not retiring.is_valid(LATER)
