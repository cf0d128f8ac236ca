"""Does a reader find the place where it stopped?"""

from __future__ import annotations

from datetime import timedelta

from connector.ports.ledger import Ledger
from tests.adapters.store.factories import NOW


def test_nothing_read_yet_has_no_place(ledger: Ledger) -> None:
    with ledger.begin(write=False) as uow:
        assert uow.cursors.get("acme", "journal") is None


def test_a_place_is_found_again_and_moves_on(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.cursors.set("acme", "journal", "offset-1", NOW)
        uow.cursors.set("acme", "journal", "offset-2", NOW + timedelta(seconds=1))
        uow.commit()
    with ledger.begin(write=False) as uow:
        assert uow.cursors.get("acme", "journal") == "offset-2"


def test_places_of_other_accounts_and_readers_are_kept_apart(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.cursors.set("acme", "journal", "offset-1", NOW)
        uow.cursors.set("acme", "backfill:contact", "2026-11-20T12:00:00+00:00", NOW)
        uow.commit()
    with ledger.begin(write=False) as uow:
        assert uow.cursors.get("acme", "journal") == "offset-1"
        assert uow.cursors.get("bmce", "journal") is None


def test_a_place_not_committed_is_not_moved(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.cursors.set("acme", "journal", "offset-1", NOW)
        uow.commit()
    with ledger.begin() as uow:
        uow.cursors.set("acme", "journal", "offset-2", NOW)
    with ledger.begin(write=False) as uow:
        assert uow.cursors.get("acme", "journal") == "offset-1"
