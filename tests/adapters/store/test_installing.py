"""Does the ledger let an attempt to install be used once, in time, and keep its verifier unreadable?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from connector.adapters.store.tables import install_attempt
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.installing import InstallAttemptRow
from connector.ports.ledger import Ledger
from tests.adapters.store.factories import NOW

ENDS = NOW + timedelta(minutes=10)
ATTEMPT = InstallAttemptRow("attempt-1", "hubspot", "5" * 64, "v3rifier", None, {"may_be_new": True}, NOW, ENDS)


def test_an_attempt_is_used_once(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.installs.add(ATTEMPT)
        assert work.installs.use("hubspot", ATTEMPT.state_hash, NOW) == replace(ATTEMPT, used_at=NOW)
        assert work.installs.use("hubspot", ATTEMPT.state_hash, NOW) is None


def test_an_attempt_is_not_used_too_late_by_another_crm_or_with_another_state(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.installs.add(ATTEMPT)
        assert work.installs.use("hubspot", ATTEMPT.state_hash, ENDS) is None
        assert work.installs.use("salesforce", ATTEMPT.state_hash, NOW) is None
        assert work.installs.use("hubspot", "6" * 64, NOW) is None
        assert work.installs.use("hubspot", ATTEMPT.state_hash, ENDS - timedelta(seconds=1)) is not None


def test_no_two_attempts_have_one_state(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.installs.add(ATTEMPT)
        with pytest.raises((IntegrityError, ValueError)):
            work.installs.add(replace(ATTEMPT, id="attempt-2"))


def test_attempts_whose_time_is_long_over_are_forgotten(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.installs.add(ATTEMPT)
        assert work.installs.forget(ENDS) == 0
        assert work.installs.forget(ENDS + timedelta(seconds=1)) == 1
        assert work.installs.use("hubspot", ATTEMPT.state_hash, NOW) is None


def test_a_verifier_is_unreadable_at_rest_and_in_its_repr(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.installs.add(ATTEMPT)
        work.commit()
    with sql_ledger.engine.connect() as connection:
        sealed = connection.execute(sa.select(install_attempt.c.verifier_sealed)).scalar_one()
    assert b"v3rifier" not in bytes(sealed)
    assert "v3rifier" not in repr(ATTEMPT)
    assert "5" * 64 not in repr(ATTEMPT)
