"""Does the ledger keep API keys by their hash only, and callback secrets so that nobody can read them?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from connector.adapters.store.tables import api_key, callback_secret
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.api_keys import APIKeyRow, APIScope, CallbackSecretRow
from connector.ports.ledger import Ledger
from tests.adapters.store.factories import NOW

KEY = APIKeyRow(
    id="key-1",
    account_id="account-1",
    name="shop",
    prefix="smsk_abc123",
    hash="5" * 64,
    scopes=frozenset({APIScope.MESSAGES_SEND, APIScope.MESSAGES_READ}),
    per_minute=60,
    created_at=NOW,
)
SECRET = CallbackSecretRow("secret-1", "account-1", "whsec_s3cret", NOW)
LATER = NOW + timedelta(minutes=5)


def test_a_key_is_found_by_its_hash_and_by_nothing_else(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.api_keys.add(KEY)
        assert work.api_keys.by_hash("5" * 64) == KEY
        assert work.api_keys.by_hash("6" * 64) is None


def test_an_account_sees_its_own_keys_oldest_first(ledger: Ledger) -> None:
    younger = replace(KEY, id="key-0", hash="6" * 64, created_at=LATER, expires_at=LATER)
    with ledger.begin() as work:
        for key in (younger, KEY, replace(KEY, id="key-2", hash="7" * 64, account_id="account-2")):
            work.api_keys.add(key)
        assert work.api_keys.of_account("account-1") == [KEY, younger]


def test_a_key_is_revoked_once_and_by_its_own_account(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.api_keys.add(KEY)
        assert not work.api_keys.revoke("account-2", "key-1", NOW)
        assert work.api_keys.revoke("account-1", "key-1", NOW)
        assert not work.api_keys.revoke("account-1", "key-1", LATER)
        found = work.api_keys.by_hash(KEY.hash)
    assert found == replace(KEY, revoked_at=NOW)
    assert not found.is_valid(NOW)


def test_the_use_of_a_key_is_noted(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.api_keys.add(KEY)
        work.api_keys.used("key-1", LATER)
        work.api_keys.used("key-of-nobody", LATER)
        assert work.api_keys.by_hash(KEY.hash) == replace(KEY, last_used_at=LATER)


def test_no_two_keys_have_one_hash(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.api_keys.add(KEY)
        with pytest.raises((IntegrityError, ValueError)):
            work.api_keys.add(replace(KEY, id="key-2"))


def test_a_scope_of_another_release_opens_nothing(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.api_keys.add(KEY)
        work.commit()
    with sql_ledger.engine.begin() as connection:
        connection.execute(sa.update(api_key).values(scopes=["messages:read", "moon:land"]))
    with sql_ledger.begin(write=False) as work:
        found = work.api_keys.by_hash(KEY.hash)
    assert found is not None
    assert found.scopes == {APIScope.MESSAGES_READ}


def test_a_key_is_valid_until_it_expires() -> None:
    expiring = replace(KEY, expires_at=LATER)
    assert expiring.is_valid(NOW)
    assert not expiring.is_valid(LATER)


def test_valid_secrets_come_newest_first_and_retired_ones_not_at_all(ledger: Ledger) -> None:
    newer = replace(SECRET, id="secret-2", secret="whsec_newer", created_at=LATER)
    with ledger.begin() as work:
        for secret in (SECRET, newer, replace(SECRET, id="secret-3", account_id="account-2")):
            work.callback_secrets.add(secret)
        work.callback_secrets.retire([], NOW)
        work.callback_secrets.retire(["secret-1"], LATER)
        assert work.callback_secrets.valid("account-1", NOW) == [newer, replace(SECRET, retires_at=LATER)]
        assert work.callback_secrets.valid("account-1", LATER) == [newer]


def test_a_callback_secret_is_unreadable_at_rest(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.callback_secrets.add(SECRET)
        work.commit()
    with sql_ledger.engine.connect() as connection:
        sealed = connection.execute(sa.select(callback_secret.c.secret_sealed)).scalar_one()
    assert b"s3cret" not in bytes(sealed)


def test_neither_hash_nor_secret_is_shown_by_accident() -> None:
    assert "5" * 64 not in repr(KEY)
    assert "s3cret" not in repr(SECRET)
