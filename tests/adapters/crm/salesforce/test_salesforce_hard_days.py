"""Is everything on the timeline once after days of lost answers, locks, outages and a quota that was gone?"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from connector.domain.event_mapping import EventCatalogue
from connector.ports.ledger import Ledger
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.consent import ConsentDesk
from connector.services.contact_snapshots import ContactKeeper
from connector.services.unknown_senders import UnknownSenders
from connector.services.writeback import WriteBack
from tests.adapters.crm.salesforce.conftest import ACCOUNT_ID, ORG, Salesforce

NOTES = 120
GONE = 4  # the hour in which other apps have used up the day's calls


def want_notes(salesforce: Salesforce, contacts: list[str]) -> list[str]:
    """Let the ledger want a note every four minutes, on each contact in turn; their texts."""
    now = salesforce.clock.now()
    texts = [f"Note number {number}" for number in range(NOTES)]
    rows = [
        CRMRecordRow(
            id=salesforce.ledger.new_id(),
            account_id=ACCOUNT_ID,
            crm="salesforce",
            kind=RecordSubject.NOTE,
            subject=f"note:{number}",
            ref=f"N-{number}",
            at=now,
            not_before=now + timedelta(minutes=4 * number),
            contact_crm_id=contacts[number % len(contacts)],
            payload={"text": text},
        )
        for number, text in enumerate(texts)
    ]
    with salesforce.ledger.begin() as uow:
        uow.records.want(rows)
        uow.commit()
    return texts


def writer(salesforce: Salesforce) -> WriteBack:
    ledger: Ledger = salesforce.ledger
    senders = UnknownSenders(EventCatalogue(), ContactKeeper(ledger.new_id, ConsentDesk(ledger.new_id)))
    return WriteBack(ledger, {"salesforce": salesforce.crm}, salesforce.clock, random.Random(7), senders)


def shown(salesforce: Salesforce) -> list[str]:
    return sorted(str(task["Description"]).splitlines()[0] for task in salesforce.world.list(ORG, "Task"))


def test_after_hard_days_every_note_stands_there_once(salesforce: Salesforce) -> None:
    contacts = [salesforce.contact() for _ in range(3)]
    texts, writing, usage = want_notes(salesforce, contacts), writer(salesforce), salesforce.world.org(ORG).usage
    salesforce.world.lock_row(ORG, contacts[0], times=40)
    written: list[int] = []
    troubles: list[Callable[[], object]] = [
        lambda: salesforce.faults.arm("salesforce.collections.create", "accept_then_timeout", then="reset"),
        lambda: salesforce.faults.arm("salesforce.collections.create", "status", status=503),
        lambda: salesforce.world.tokens.expire_sessions(ORG),
        lambda: salesforce.faults.arm("salesforce.query", "status", times=2, status=500),
        usage.exhaust,
        lambda: setattr(usage, "used_elsewhere", 0),
    ]
    for hour in range(48):
        if hour < len(troubles):
            troubles[hour]()
        for _ in range(20):
            writing.write_back("salesforce", limit=30)
            salesforce.clock.advance(timedelta(minutes=3))
        written.append(len(shown(salesforce)))
    assert shown(salesforce) == sorted(texts)
    assert written[GONE] == written[GONE - 1] < written[GONE + 1]  # the hour without a quota
    assert not salesforce.world.org(ORG).locks
    assert not salesforce.faults.armed()
    assert salesforce.calls("oauth.token.refresh_token") == 1
    with salesforce.ledger.begin(write=False) as uow:
        assert uow.records.claim("salesforce", 10, salesforce.clock.now(), salesforce.clock.now(), timedelta()) == []
    assert salesforce.row().status == "active"
