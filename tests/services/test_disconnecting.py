"""Does a call that failed end the connection it was made over, and no other?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.domain.account_status import ENDED, AccountStatus
from connector.domain.timeline import EntryKind
from connector.errors import CRMDisconnectedError
from connector.services.accounts import Accounts, Installation
from tests.services.theatre import ACCOUNT, CONFIRMATION, REMINDER, Theatre

REVOKED = CRMDisconnectedError("the token was revoked", status=401)


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    journeys = {"confirmation": CONFIRMATION, "reminder": REMINDER}
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", journeys)
    yield theatre
    theatre.close()


def status(theatre: Theatre) -> str:
    with theatre.ledger.begin(write=False) as uow:
        return uow.accounts.get(ACCOUNT).status


def told(theatre: Theatre) -> list[str]:
    return [each for each in theatre.summaries(EntryKind.ATTENTION_NEEDED) if "lets us in no more" in each]


def an_event(theatre: Theatre) -> None:
    deal = theatre.crm.put("deal", [theatre.lea()], dealname="Roof", dealstage="demo")
    theatre.hear("deal.propertyChange", deal, propertyName="dealstage", propertyValue="demo")


def a_stale_enrollment(theatre: Theatre) -> None:
    an_event(theatre)
    theatre.work()
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(days=3)


def nothing(_: Theatre) -> None:
    pass


CALLS: Mapping[str, tuple[str, Callable[[Theatre], None], Callable[[Theatre], object]]] = {
    "a poll": ("search", nothing, lambda theatre: theatre.poller.poll_due()),
    "the back-fill": ("changed_since", nothing, lambda theatre: theatre.backfill.fill_due()),
    "an event": ("read_records", an_event, lambda theatre: theatre.reader.understand()),
    "a journey": ("read_records", a_stale_enrollment, lambda theatre: theatre.work()),
}
"""Who calls, by which method, what has to be there first, and how it is made to call."""


def call(theatre: Theatre, monkeypatch: pytest.MonkeyPatch, who: str, meanwhile: Callable[[Theatre], None]) -> None:
    """Let somebody make a call that fails for want of a valid token, while something else happens."""
    method, prepare, make = CALLS[who]
    prepare(theatre)
    calls = 0

    def fail(*_: Any, **__: Any) -> Any:
        nonlocal calls
        calls += 1
        meanwhile(theatre)
        raise REVOKED

    monkeypatch.setattr(theatre.crm, method, fail)
    make(theatre)
    assert calls == 1


def connect_again(theatre: Theatre) -> None:
    Accounts(theatre.ledger, {"hubspot": theatre.crm}, theatre.clock).add(
        Installation("hubspot", "12345", token="another")
    )


@pytest.mark.parametrize("who", CALLS)
def test_a_refused_token_disconnects_the_account_and_a_person_is_told(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    call(theatre, monkeypatch, who, nothing)
    assert status(theatre) == "disconnected"
    why = "The CRM lets us in no more, and everything waits until the account is connected again"
    assert told(theatre) == [f"{why}: the token was revoked"]


@pytest.mark.parametrize("who", CALLS)
def test_an_account_connected_again_during_a_call_that_fails_stays_connected(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    call(theatre, monkeypatch, who, connect_again)
    assert (status(theatre), told(theatre)) == ("active", [])


@pytest.mark.parametrize("ended", sorted(ENDED))
@pytest.mark.parametrize("who", CALLS)
def test_an_account_that_somebody_ended_during_a_call_that_fails_stays_ended(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, who: str, ended: AccountStatus
) -> None:
    def end(theatre: Theatre) -> None:
        with theatre.ledger.begin() as uow:
            uow.accounts.set_status(ACCOUNT, ended, "somebody wanted it")
            uow.commit()

    call(theatre, monkeypatch, who, end)
    assert (status(theatre), told(theatre)) == (ended, [])
