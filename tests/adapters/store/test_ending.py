"""Does the ledger find what an account that ends still has under way?"""

from __future__ import annotations

from dataclasses import replace

from connector.domain.message import Direction, MessageState
from connector.ports.ledger import Ledger
from tests.adapters.store.factories import a_message
from tests.adapters.store.test_enrollments import ROW

STATES = (
    MessageState.HELD,
    MessageState.QUEUED,
    MessageState.DISPATCHING,
    MessageState.ACCEPTED,
    MessageState.CANCELLED,
)


def test_open_texts_of_an_account_are_those_that_can_still_be_cancelled(ledger: Ledger) -> None:
    texts = {state: a_message("account-1", state=state) for state in STATES}
    with ledger.begin() as work:
        for text in (*texts.values(), a_message("account-2")):
            assert work.messages.add(text)
        heard = a_message("account-1", direction=Direction.IN, state=MessageState.RECEIVED)
        assert work.messages.add(heard)
        found = work.messages.open_of("account-1", 10)
        assert {row.id for row in found} == {texts[MessageState.HELD].id, texts[MessageState.QUEUED].id}
        assert [row.id for row in work.messages.open_of("account-1", 1)] == [min(row.id for row in found)]
        assert work.messages.open_of("account-9", 10) == []


def test_open_texts_of_one_contact_are_found_among_those_of_its_account(ledger: Ledger) -> None:
    mine, others = a_message("account-1", contact_id="contact-1"), a_message("account-1", contact_id="contact-2")
    gone = a_message("account-1", contact_id="contact-1", state=MessageState.ACCEPTED)
    with ledger.begin() as work:
        for text in (mine, others, gone, a_message("account-1")):
            assert work.messages.add(text)
        assert [row.id for row in work.messages.open_of("account-1", 10, "contact-1")] == [mine.id]
        assert work.messages.open_of("account-2", 10, "contact-1") == []


def test_live_enrollments_of_an_account_are_found_leased_ones_too(ledger: Ledger) -> None:
    rows = [
        ROW,
        replace(ROW, id="enrollment-2", key="invoice-8"),
        replace(ROW, id="enrollment-3", key="invoice-9", status="ended"),
        replace(ROW, id="enrollment-4", account_id="account-2"),
    ]
    with ledger.begin() as work:
        for row in rows:
            assert work.enrollments.add(row)
        work.enrollments.claim(1, ROW.started_at, ROW.started_at)
        found = work.enrollments.live_of_account("account-1", 10)
        assert {row.id for row in found} == {"enrollment-1", "enrollment-2"}
        assert len(work.enrollments.live_of_account("account-1", 1)) == 1
        assert work.enrollments.live_of_account("account-9", 10) == []
