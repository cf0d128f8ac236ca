"""Does an account that somebody ends do nothing any more, whoever ended it and whatever crashed on the way?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from connector.adapters.store.accounts import SQLAccountRepository
from connector.domain.account_status import CONNECTED_AT, AccountStatus
from connector.domain.message import MessageState
from connector.errors import ConfigurationError, CRMError, CRMUnavailableError
from connector.ports.installing import Asking, Grant
from connector.ports.ledger import AccountRow
from connector.services import leaving
from connector.services.accounts import Accounts, Installation
from connector.services.leaving import LOOKED_AFTER, Departures
from tests.adapters.store.factories import a_message
from tests.services.theatre import ACCOUNT, CONFIRMATION, Theatre


@dataclass
class Door:
    """A way out that is told what to do."""

    by_hand: Sequence[str] = ()
    error: CRMError | None = None
    left: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    slug: str = "hubspot"

    def host(self, named: str) -> str:
        raise NotImplementedError(named)

    def authorize_url(self, asking: Asking) -> str:
        raise NotImplementedError(asking)

    def refusal(self, word: str) -> str:
        raise NotImplementedError(word)

    def exchange(self, code: str, verifier: str, asking: Asking) -> Grant:
        raise NotImplementedError(code)

    def give_back(self, grant: Grant) -> None:
        raise NotImplementedError(grant)

    def leave(self, account_id: str) -> Sequence[str]:
        if self.error is not None:
            raise self.error
        self.left.append(account_id)
        self.meanwhile()
        return self.by_hand


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"confirmation": CONFIRMATION})
    yield theatre
    theatre.ledger.close()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def departures(theatre: Theatre, door: Door) -> Departures:
    return Departures(theatre.ledger, {"hubspot": door}, theatre.clock)


def row(theatre: Theatre) -> AccountRow:
    with theatre.ledger.begin(write=False) as work:
        return work.accounts.with_tokens(ACCOUNT)


def give_tokens(theatre: Theatre) -> None:
    with theatre.ledger.begin() as work:
        work.accounts.save_tokens(ACCOUNT, "access-1", "refresh-1", None)
        work.commit()


def start(theatre: Theatre) -> None:
    """Let somebody be in a journey with a text queued."""
    give_tokens(theatre)
    contact = theatre.lea()
    deal = theatre.crm.put("deal", [contact], dealname="Big deal", dealstage="new")
    theatre.deal_moves(deal, "demo")
    theatre.work()
    assert [each.state for each in theatre.messages()] == [MessageState.QUEUED]


def test_a_removed_account_is_uninstalled_in_the_crm_and_has_nothing_under_way(
    theatre: Theatre, departures: Departures, door: Door
) -> None:
    start(theatre)
    left = departures.remove("hubspot", "12345", "ann")
    assert door.left == [ACCOUNT]
    account = row(theatre)
    assert (account.status, account.status_reason) == ("uninstalled", "uninstalled by ann")
    assert (account.access_token, account.refresh_token) == (None, None)
    assert left.account == account
    [message] = theatre.messages()
    assert (message.state, message.state_reason) == ("cancelled", "its journey ended: the account is being uninstalled")
    assert (theatre.enrollment().status, theatre.enrollment().exit_reason) == (
        "ended",
        "the account is being uninstalled",
    )


def test_texts_that_no_journey_made_are_cancelled_too(theatre: Theatre, departures: Departures) -> None:
    texts = [a_message(ACCOUNT), a_message(ACCOUNT, state=MessageState.HELD), a_message("account-2")]
    with theatre.ledger.begin() as work:
        for text in texts:
            assert work.messages.add(text)
        work.commit()
    departures.remove("hubspot", "12345", "ann")
    with theatre.ledger.begin(write=False) as work:
        states = {text.id: work.messages.many([text.id])[text.id].state for text in texts}
    assert list(states.values()) == ["cancelled", "cancelled", "queued"]


def test_what_a_person_has_to_do_in_the_crm_is_said(departures: Departures, door: Door) -> None:
    door.by_hand = ("delete the private app",)
    assert departures.remove("hubspot", "12345", "ann").by_hand == ("delete the private app",)


def test_a_crm_that_is_away_leaves_an_account_that_does_nothing_and_is_told_again(
    theatre: Theatre, departures: Departures, door: Door
) -> None:
    start(theatre)
    door.error = CRMUnavailableError("no answer from HubSpot")
    left = departures.remove("hubspot", "12345", "ann")
    assert (left.not_told, left.account.status) == ("no answer from HubSpot", "leaving")
    assert row(theatre).refresh_token == "refresh-1"
    assert theatre.enrollment().status == "ended"
    door.error = None
    assert departures.remove("hubspot", "12345", "ann").account.status == "uninstalled"
    assert door.left == [ACCOUNT]


def test_an_account_may_be_ended_without_a_call(theatre: Theatre, departures: Departures, door: Door) -> None:
    give_tokens(theatre)
    assert departures.remove("hubspot", "12345", "ann", tells_crm=False).account.status == "uninstalled"
    assert door.left == []
    assert row(theatre).access_token is None


def test_an_account_nobody_knows_cannot_be_removed(departures: Departures) -> None:
    with pytest.raises(ConfigurationError, match="there is no hubspot account 9"):
        departures.remove("hubspot", "9", "ann")


def test_an_uninstallation_seen_in_the_crm_comes_to_the_same_end_by_maintenance(
    theatre: Theatre, departures: Departures, door: Door
) -> None:
    start(theatre)
    departures.gone(ACCOUNT, None, "uninstalled in HubSpot")
    assert "maintenance" in theatre.nudged
    assert departures.settle() is False
    assert door.left == []
    assert (row(theatre).status, row(theatre).access_token) == ("uninstalled", None)
    assert theatre.enrollment().exit_reason == "the account was uninstalled"
    assert [each.state for each in theatre.messages()] == ["cancelled"]


def test_what_is_too_much_for_one_batch_ends_in_several(
    theatre: Theatre, departures: Departures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "BATCH", 2)
    with theatre.ledger.begin() as work:
        for _ in range(5):
            assert work.messages.add(a_message(ACCOUNT))
        work.commit()
    departures.gone(ACCOUNT, None, "uninstalled in HubSpot")
    assert [departures.settle() for _ in range(3)] == [True, True, False]
    with theatre.ledger.begin(write=False) as work:
        assert dict(work.messages.counts(ACCOUNT)) == {"cancelled": 5}


def test_what_a_worker_wrote_meanwhile_ends_at_the_next_look(theatre: Theatre, departures: Departures) -> None:
    departures.gone(ACCOUNT, None, "uninstalled in HubSpot")
    assert departures.settle() is False
    with theatre.ledger.begin() as work:
        assert work.messages.add(a_message(ACCOUNT))
        work.commit()
    theatre.clock.at += LOOKED_AFTER - timedelta(seconds=1)
    departures.settle()
    with theatre.ledger.begin(write=False) as work:
        assert dict(work.messages.counts(ACCOUNT)) == {"queued": 1}
    theatre.clock.at += timedelta(seconds=1)
    departures.settle()
    with theatre.ledger.begin(write=False) as work:
        assert dict(work.messages.counts(ACCOUNT)) == {"cancelled": 1}


def test_an_account_in_service_is_left_alone(theatre: Theatre, departures: Departures) -> None:
    start(theatre)
    assert departures.settle() is False
    assert theatre.enrollment().status == "live"


def test_an_account_being_erased_stays_so(theatre: Theatre, departures: Departures) -> None:
    with theatre.ledger.begin() as work:
        work.accounts.set_status(ACCOUNT, AccountStatus.ERASING, "")
        work.commit()
    departures.gone(ACCOUNT, None, "uninstalled in HubSpot")
    assert row(theatre).status == "erasing"


def test_an_account_installed_again_is_not_ended_by_what_ended_the_connection_before(
    theatre: Theatre, departures: Departures
) -> None:
    start(theatre)
    again = Installation("hubspot", "12345", token="access-2", refresh_token="refresh-2")
    Accounts(theatre.ledger, {"hubspot": theatre.crm}, theatre.clock).add(again)
    departures.gone(ACCOUNT, None, "uninstalled in HubSpot")  # as it was read before
    departures.settle()
    account = row(theatre)
    assert (account.status, account.access_token, account.refresh_token) == ("active", "access-2", "refresh-2")
    assert theatre.enrollment().status == "live"
    departures.gone(ACCOUNT, account.settings[CONNECTED_AT], "uninstalled in HubSpot")
    assert (row(theatre).status, row(theatre).refresh_token) == ("uninstalled", None)


def test_an_account_that_has_gone_altogether_is_not_ended(theatre: Theatre, departures: Departures) -> None:
    theatre.nudged.clear()
    departures.gone("account-0", None, "uninstalled in HubSpot")
    assert theatre.nudged == []


def test_an_ended_account_is_neither_polled_nor_heard(theatre: Theatre, departures: Departures) -> None:
    departures.gone(ACCOUNT, None, "uninstalled in HubSpot")
    assert theatre.poller.poll_due() == 0
    contact = theatre.lea()
    event = theatre.hear("contact.creation", contact)
    theatre.reader.understand()
    assert theatre.outcome(event) is None
    assert theatre.contacts() == {}


def test_an_account_connected_again_while_the_crm_was_told_stays_connected(
    theatre: Theatre, departures: Departures, door: Door
) -> None:
    give_tokens(theatre)

    def reconnect() -> None:
        with theatre.ledger.begin() as work:
            work.accounts.save_tokens(ACCOUNT, "access-2", "refresh-2", None)
            work.accounts.set_status(ACCOUNT, "active", "")
            work.commit()

    door.meanwhile = reconnect
    left = departures.remove("hubspot", "12345", "ann")
    assert left.account.status == "active"
    assert (row(theatre).access_token, row(theatre).refresh_token) == ("access-2", "refresh-2")


@pytest.mark.parametrize("became", ["active", "gone"])
def test_an_account_that_came_back_or_went_altogether_keeps_no_other_from_its_end(
    theatre: Theatre, departures: Departures, monkeypatch: pytest.MonkeyPatch, became: str
) -> None:
    with theatre.ledger.begin() as work:
        other = replace(work.accounts.get(ACCOUNT), id="account-2", external_id="67890", status="uninstalled")
        work.accounts.add(other)
        work.messages.add(a_message(ACCOUNT))
        work.messages.add(a_message(other.id))
        work.commit()
    first = ACCOUNT if became == "active" else "account-0"
    monkeypatch.setattr(SQLAccountRepository, "with_status", lambda *_: [first, other.id])  # read a moment ago
    assert departures.settle() is False
    with theatre.ledger.begin(write=False) as work:
        assert dict(work.messages.counts(ACCOUNT)) == {"queued": 1}
        assert dict(work.messages.counts(other.id)) == {"cancelled": 1}
