"""Does an account whose tokens do not open keep nobody else waiting, and can it be connected again or ended?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.account_status import AccountStatus
from connector.errors import DecryptionError
from connector.ports.consents import Mechanism
from connector.services.accounts import Accounts, Installation
from connector.services.consent import Saying
from connector.services.leaving import Departures
from connector.services.publications import Hand, JourneyFiles
from connector.services.schedules import Schedules
from tests.adapters.store.factories import damage_tokens
from tests.services.stage import NUMBER, Stage
from tests.services.test_schedules import AT_THREE, WEEKLY
from tests.services.theatre import ACCOUNT, Theatre

GOOD = "account-2"


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    """Two accounts with the same journey; the tokens of the first are damaged."""
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"weekly": WEEKLY}, time_zone="Europe/London")
    with theatre.ledger.begin() as uow:
        uow.accounts.add(replace(uow.accounts.get(ACCOUNT), id=GOOD, external_id="67890"))
        uow.commit()
    files = JourneyFiles({each.id: each for each in theatre.journeys})
    theatre.publisher.publish(GOOD, files, (), Hand("the author"))
    damage_tokens(theatre.ledger, ACCOUNT)
    yield theatre
    theatre.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Two accounts with a contact each; the tokens of the first are damaged."""
    stage = Stage(tmp_path)
    stage.add_account(GOOD)
    damage_tokens(stage.ledger, "account-1")
    yield stage
    stage.close()


def status(ledger: SQLLedger, account_id: str = ACCOUNT) -> str:
    with ledger.begin(write=False) as uow:
        return uow.accounts.get(account_id).status


def test_events_of_the_others_are_understood(theatre: Theatre) -> None:
    contact = theatre.lea()
    body = b'{"eventId": %d, "portalId": 1, "subscriptionType": "contact.creation", "objectId": %d, "occurredAt": 0}'
    events = [
        theatre.receive(body % (number, int(contact)), f"event-{number}", account=account_id)
        for number, account_id in enumerate((ACCOUNT, GOOD))
    ]
    theatre.reader.understand()
    assert theatre.outcome(events[1]) is not None


def test_schedules_of_the_others_start(theatre: Theatre) -> None:
    schedules = Schedules(theatre.ledger, theatre.versions, theatre.clock)
    schedules.start_due()
    theatre.clock.at = AT_THREE
    assert schedules.start_due() == 2


def test_texts_of_the_others_are_written_back(stage: Stage) -> None:
    stage.add_message()
    other = stage.add_contact("77", GOOD)
    stage.add_message(account_id=GOOD, contact_id=other.id)
    stage.drain()
    assert "77" in {written.contact_crm_id for written in stage.crm.records.values()}


def test_a_stop_counts_for_the_account_itself_and_for_the_others(stage: Stage) -> None:
    for account_id, contact_id in ((GOOD, stage.add_contact("77", GOOD).id), ("account-1", stage.lea.id)):
        said = Saying(account_id, NUMBER, Mechanism.KEYWORD, "message:1", stage.clock.at, contact_id, "Stop", "US")
        with stage.ledger.begin() as uow:
            stage.consent.opt_out(uow, said, stage.clock.at)
            uow.commit()
        assert stage.is_suppressed(account_id=account_id)


def test_such_an_account_is_healed_by_connecting_it_again(theatre: Theatre) -> None:
    with theatre.ledger.begin() as uow:
        uow.accounts.disconnect(ACCOUNT, None, "the account's tokens are damaged here")
        uow.commit()
    again = Installation("hubspot", "12345", token="access-2", refresh_token="refresh-2")
    Accounts(theatre.ledger, {"hubspot": theatre.crm}, theatre.clock).add(again)
    with theatre.ledger.begin(write=False) as uow:
        healed = uow.accounts.with_tokens(ACCOUNT)
    assert (healed.status, healed.access_token, healed.refresh_token) == ("active", "access-2", "refresh-2")


def test_such_an_account_can_be_ended_without_its_crm(theatre: Theatre) -> None:
    departures = Departures(theatre.ledger, {}, theatre.clock)
    assert departures.remove("hubspot", "12345", "ann", tells_crm=False).account.status == AccountStatus.UNINSTALLED
    assert not departures.settle()
    assert status(theatre.ledger) == "uninstalled"


def test_only_who_needs_the_tokens_hears_that_they_do_not_open(theatre: Theatre) -> None:
    with theatre.ledger.begin(write=False) as uow:
        assert uow.accounts.get(ACCOUNT).name == "Acme"
        with pytest.raises(DecryptionError):
            uow.accounts.with_tokens(ACCOUNT)
