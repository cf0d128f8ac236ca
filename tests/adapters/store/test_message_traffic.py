"""Does the ledger know what wants to go to a number, what went there unanswered and which answer was the first?"""

from __future__ import annotations

from datetime import timedelta

from connector.domain.message import Direction, MessageState, Purpose
from connector.ports.ledger import Ledger
from connector.ports.messages import Rival
from tests.adapters.store.factories import NOW, NUMBER, a_message

DAY = timedelta(days=1)
OTHER = "+12025550144"
A = "account-1"


def test_a_text_keeps_its_priority_and_its_route(ledger: Ledger) -> None:
    message = a_message(A, priority=9, route="cheap", clicked_at=NOW, updated_at=NOW)
    with ledger.begin() as work:
        work.messages.add(message)
        assert work.messages.get(A, message.id) == message


def test_rivals_are_the_texts_still_with_us_that_may_go_before_a_time(ledger: Ledger) -> None:
    held = a_message(A, state=MessageState.HELD, priority=9, purpose=Purpose.MARKETING, journey="welcome")
    queued, theirs = a_message(A), a_message(A, msisdn=OTHER)
    with ledger.begin() as work:
        for row in (
            held,
            queued,
            theirs,
            a_message(A, not_before=NOW + DAY),
            a_message(A, state=MessageState.DISPATCHING),
            a_message("account-2"),
            a_message(A, msisdn="+12025550145"),
            a_message(A, direction=Direction.IN, state=MessageState.RECEIVED),
        ):
            work.messages.add(row)
        assert work.messages.rivals(A, [NUMBER, OTHER, "+12025550146"], NOW + DAY) == {
            NUMBER: [
                Rival(held.id, 9, Purpose.MARKETING, "welcome", NOW),
                Rival(queued.id, 5, Purpose.TRANSACTIONAL, "", NOW),
            ],
            OTHER: [Rival(theirs.id, 5, Purpose.TRANSACTIONAL, "", NOW)],
        }


def test_unanswered_are_the_texts_since_the_last_reply_or_click(ledger: Ledger) -> None:
    sent = [
        a_message(A, purpose=Purpose.MARKETING, state=MessageState.DELIVERED, sent_at=NOW + days * DAY)
        for days in range(6)
    ]
    reply = a_message(
        A, direction=Direction.IN, state=MessageState.RECEIVED, created_at=NOW + 2 * DAY, recipient="contact"
    )
    with ledger.begin() as work:
        for row in sent:
            work.messages.add(row)
        assert work.messages.unanswered(A, [NUMBER, OTHER], Purpose.MARKETING, NOW + DAY) == {NUMBER: 5}
        work.messages.add(reply)
        assert work.messages.unanswered(A, [NUMBER], Purpose.MARKETING, NOW) == {NUMBER: 3}
        work.messages.set_engagement(sent[0].id, clicked_at=NOW + 4 * DAY)
        assert work.messages.unanswered(A, [NUMBER], Purpose.MARKETING, NOW) == {NUMBER: 1}
        work.messages.set_engagement(sent[5].id, clicked_at=NOW + 5 * DAY)
        assert work.messages.unanswered(A, [NUMBER], Purpose.MARKETING, NOW) == {}


def test_only_texts_of_the_purpose_that_may_have_reached_the_number_go_unanswered(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for changes in (
            {"state": MessageState.UNKNOWN, "updated_at": NOW},
            {"state": MessageState.FAILED, "sent_at": NOW},
            {"state": MessageState.HELD},
            {"state": MessageState.DELIVERED, "sent_at": NOW, "purpose": Purpose.OTP},
            {"state": MessageState.DELIVERED, "sent_at": NOW, "account_id": "account-2"},
        ):
            work.messages.add(a_message(**{"account_id": A, "purpose": Purpose.MARKETING} | changes))
        assert work.messages.unanswered(A, [NUMBER], Purpose.MARKETING, NOW) == {NUMBER: 1}


def test_the_first_reply_click_and_opt_out_of_a_text_are_kept(ledger: Ledger) -> None:
    message = a_message(A)
    with ledger.begin() as work:
        work.messages.add(message)
        work.messages.set_engagement(message.id)
        work.messages.set_engagement(message.id, replied_at=NOW)
        work.messages.set_engagement(message.id, replied_at=NOW + DAY, clicked_at=NOW, opted_out_at=NOW)
        work.messages.set_engagement(message.id, clicked_at=NOW + DAY, opted_out_at=NOW + DAY)
        found = work.messages.get(A, message.id)
    assert found is not None
    assert (found.replied_at, found.clicked_at, found.opted_out_at) == (NOW, NOW, NOW)
