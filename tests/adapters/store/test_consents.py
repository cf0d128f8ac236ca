"""Does the ledger keep evidence of consent, and the suppressions that follow, as promised?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from connector.adapters.store.tables import consent_event
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.consents import ConsentEvent, ConsentKind, Scope, Suppression
from connector.ports.ledger import Ledger

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
NUMBER = "+12025550143"
STOP = ConsentEvent(
    id="consent-1",
    account_id="account-1",
    msisdn=NUMBER,
    kind=ConsentKind.OPT_OUT,
    scope=Scope.ALL,
    mechanism="keyword",
    source="message:1",
    at=NOW,
    contact_id="contact-1",
    wording="Stop, bitte ✋",
    jurisdiction="US",
)


def test_evidence_is_read_back_as_recorded_oldest_first(ledger: Ledger) -> None:
    earlier = replace(
        STOP, id="consent-0", kind=ConsentKind.OPT_IN, at=NOW - timedelta(days=1), wording="", contact_id=None
    )
    with ledger.begin() as work:
        assert work.consents.record(STOP)
        assert work.consents.record(earlier)
        work.commit()
    with ledger.begin(write=False) as work:
        assert work.consents.history("account-1", NUMBER) == [earlier, STOP]
        assert not work.consents.history("account-2", NUMBER)


def test_the_same_source_never_counts_twice(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert work.consents.record(STOP)
        assert not work.consents.record(replace(STOP, id="consent-2"))
        assert work.consents.record(replace(STOP, id="consent-3", source="message:2"))
        assert len(work.consents.history("account-1", NUMBER)) == 2


def test_the_words_somebody_used_are_unreadable_at_rest(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.consents.record(STOP)
        work.commit()
    with sql_ledger.engine.connect() as connection:
        sealed = connection.execute(sa.select(consent_event.c.wording_sealed)).scalar_one()
    assert b"bitte" not in bytes(sealed)


def test_a_suppression_is_made_once_and_keeps_who_made_it(ledger: Ledger) -> None:
    later = replace(STOP, id="consent-2", mechanism="crm_property", source="property", at=NOW + timedelta(1))
    with ledger.begin() as work:
        for event in (STOP, later):
            work.consents.record(event)
        assert work.consents.suppress(STOP)
        assert not work.consents.suppress(later)
        found = work.consents.suppressions("account-1", [NUMBER, "+12025550144"])
    assert found == {NUMBER: [Suppression(NUMBER, Scope.ALL, "consent-1", NOW, "keyword")]}


def test_recording_evidence_alone_suppresses_nobody(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.consents.record(STOP)
        assert not work.consents.suppressions("account-1", [NUMBER])


def test_a_suppression_holds_in_its_account_only(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.consents.record(STOP)
        work.consents.suppress(STOP)
        assert not work.consents.suppressions("account-2", [NUMBER])
        assert not work.consents.lift("account-2", NUMBER, Scope.ALL)
        assert work.consents.suppressions("account-1", [NUMBER])


def test_lifting_a_suppression_leaves_the_other_scope(ledger: Ledger) -> None:
    marketing = replace(STOP, id="consent-2", scope=Scope.MARKETING)
    with ledger.begin() as work:
        for event in (STOP, marketing):
            work.consents.record(event)
            work.consents.suppress(event)
        assert work.consents.lift("account-1", NUMBER, Scope.ALL)
        assert not work.consents.lift("account-1", NUMBER, Scope.ALL)
        left = work.consents.suppressions("account-1", [NUMBER])[NUMBER]
    assert [suppression.scope for suppression in left] == [Scope.MARKETING]


def test_a_block_lifted_in_the_crm_is_no_word_about_marketing(ledger: Ledger) -> None:
    block = replace(STOP, id="c-1", mechanism="crm_property", source="flag")
    lifted = replace(block, id="c-2", kind=ConsentKind.OPT_IN, at=NOW + timedelta(1))
    agreed = replace(lifted, id="c-3", scope=Scope.MARKETING, at=NOW + timedelta(2))
    with ledger.begin() as work:
        work.consents.record(block)
        work.consents.record(lifted)
        assert work.consents.marketing_consent("account-1", [NUMBER]) == {NUMBER: ConsentKind.OPT_OUT}
        work.consents.record(agreed)
        assert work.consents.marketing_consent("account-1", [NUMBER]) == {NUMBER: ConsentKind.OPT_IN}


def test_the_latest_word_about_marketing_counts(ledger: Ledger) -> None:
    first = replace(STOP, id="c-1", kind=ConsentKind.OPT_IN, scope=Scope.MARKETING, at=NOW - timedelta(days=9))
    doubt = replace(STOP, id="c-2", kind=ConsentKind.DOUBTFUL, scope=Scope.MARKETING, source="message:3")
    other = replace(STOP, id="c-3", kind=ConsentKind.OPT_IN, msisdn="+12025550144")
    with ledger.begin() as work:
        for event in (doubt, first, other):
            work.consents.record(event)
        said = work.consents.marketing_consent("account-1", [NUMBER, "+12025550144", "+12025550145"])
    assert said == {NUMBER: ConsentKind.DOUBTFUL, "+12025550144": ConsentKind.OPT_IN}


@pytest.mark.parametrize("mechanism", ["crm_property", "api"])
def test_a_block_that_others_lift_is_no_word_about_marketing(ledger: Ledger, mechanism: str) -> None:
    lifted = replace(STOP, id="consent-2", kind=ConsentKind.OPT_IN, mechanism=mechanism, source="x", at=NOW)
    with ledger.begin() as work:
        work.consents.record(lifted)
        assert work.consents.marketing_consent("account-1", [NUMBER]) == {}
        work.consents.record(replace(lifted, id="consent-3", mechanism="keyword", source="message:2"))
        assert work.consents.marketing_consent("account-1", [NUMBER]) == {NUMBER: ConsentKind.OPT_IN}
