"""Does the ledger lease erasures to one worker at a time, and add up what went?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from connector.ports.erasing import ErasureRow, ErasureScope
from connector.ports.ledger import Ledger
from tests.adapters.store.factories import NOW

LATER = NOW + timedelta(minutes=5)
ERASURE = ErasureRow("erasure-1", "account-1", "hubspot", "12345", ErasureScope.ACCOUNT, "ann", NOW, reason="asked")


def test_an_erasure_is_leased_to_one_worker_at_a_time(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.erasures.add(ERASURE)
        assert work.erasures.claim(NOW, LATER) == ERASURE
        assert work.erasures.claim(NOW, LATER) is None
        assert not work.erasures.any_due(NOW)
        assert work.erasures.any_due(LATER)
        assert work.erasures.claim(LATER, LATER + timedelta(minutes=5)) == ERASURE  # the first worker died


def test_the_oldest_or_the_named_one_is_leased(ledger: Ledger) -> None:
    younger = replace(ERASURE, id="erasure-0", requested_at=LATER)
    with ledger.begin() as work:
        work.erasures.add(younger)
        work.erasures.add(ERASURE)
        assert work.erasures.claim(NOW, LATER, "erasure-9") is None
        assert work.erasures.claim(NOW, LATER, "erasure-0") == younger
        assert work.erasures.claim(NOW, LATER) == ERASURE


def test_what_went_is_added_up_by_table_and_the_lease_is_kept(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.erasures.add(ERASURE)
        work.erasures.claim(NOW, LATER)
        work.erasures.count(ERASURE.id, {"message": 2, "attempt": 1, "click": 0}, LATER)
        work.erasures.count(ERASURE.id, {"message": 3}, LATER + timedelta(minutes=5))
        found = work.erasures.get(ERASURE.id)
        assert found is not None
        assert dict(found.counts) == {"attempt": 1, "message": 5}
        assert work.erasures.claim(LATER, LATER) is None


def test_an_ended_erasure_is_leased_to_nobody_and_read_as_it_ended(ledger: Ledger) -> None:
    ended = replace(ERASURE, subject="f1ng3r", completed_at=LATER, seal="5" * 64)
    with ledger.begin() as work:
        work.erasures.add(ERASURE)
        work.erasures.complete(ended)
        assert not work.erasures.any_due(LATER)
        assert work.erasures.claim(LATER, LATER) is None
        assert work.erasures.get(ERASURE.id) == ended


def test_an_account_sees_its_own_erasures_oldest_first(ledger: Ledger) -> None:
    younger = replace(ERASURE, id="erasure-0", scope=ErasureScope.CONTACT, requested_at=LATER)
    with ledger.begin() as work:
        for erasure in (younger, ERASURE, replace(ERASURE, id="erasure-2", account_id="account-2")):
            work.erasures.add(erasure)
        assert list(work.erasures.of_account("account-1")) == [ERASURE, younger]
        assert work.erasures.get("erasure-9") is None
