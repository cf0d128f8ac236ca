"""Do lists, conversations and dead letters hold what was asked for, and nothing of another account's?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from connector.adapters.store.types import UTCDateTime
from connector.domain.message import Direction, MessageState
from connector.ports.attempts import AttemptRow, PartRow
from connector.ports.ledger import Ledger
from connector.ports.message_filters import DeadLetterFilter, MessageFilter
from connector.ports.messages import MessageRow
from tests.adapters.store.factories import NOW, NUMBER, SENDER, a_message, an_attempt

A, B = "account-1", "account-2"
OTHER = "+12025550144"
HOUR = timedelta(hours=1)
DEAD = MessageState.DEAD_LETTER

LAST = datetime.max.replace(tzinfo=UTC)


def put(ledger: Ledger, *rows: MessageRow | AttemptRow) -> None:
    with ledger.begin() as uow:
        for row in rows:
            if isinstance(row, MessageRow):
                assert uow.messages.add(row)
            else:
                uow.attempts.add([row])
        uow.commit()


def listed(ledger: Ledger, which: MessageFilter | None = None, limit: int = 9, account: str = A) -> list[str]:
    with ledger.begin(write=False) as uow:
        return [row.id for row in uow.messages.listed(account, which or MessageFilter(), limit)]


# ---- lists


def test_a_list_is_of_one_account_and_its_outbound_texts_newest_first(ledger: Ledger) -> None:
    rows = [a_message(A), a_message(A), a_message(B), a_message(A, direction=Direction.IN)]
    put(ledger, *rows)
    assert listed(ledger) == [rows[1].id, rows[0].id]
    assert listed(ledger, limit=1) == [rows[1].id]
    assert listed(ledger, account=B) == [rows[2].id]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({"state": MessageState.DELIVERED}, [3, 1]),
        ({"msisdn": OTHER}, [2, 1]),
        ({"journey": "tips"}, [2]),
        ({"since": NOW}, [3, 2]),
        ({"state": MessageState.DELIVERED, "msisdn": OTHER}, [1]),
        ({"state": MessageState.FAILED}, []),
    ],
)
def test_a_list_holds_what_every_side_of_its_filter_asks_for(
    ledger: Ledger, which: dict[str, Any], found: list[int]
) -> None:
    rows = [
        a_message(A, created_at=NOW - HOUR),
        a_message(A, created_at=NOW - HOUR, msisdn=OTHER, state=MessageState.DELIVERED),
        a_message(A, msisdn=OTHER, journey="tips"),
        a_message(A, created_at=NOW + HOUR, state=MessageState.DELIVERED),
    ]
    put(ledger, *rows)
    assert listed(ledger, MessageFilter(**which)) == [rows[n].id for n in found]


def test_pages_of_a_list_hold_every_text_once(ledger: Ledger) -> None:
    rows = [a_message(A) for _ in range(7)]
    put(ledger, *rows)
    seen: list[str] = []
    while page := listed(ledger, MessageFilter(before_id=seen[-1] if seen else None), limit=3):
        seen += page
    assert seen == [row.id for row in reversed(rows)]


# ---- conversations


def test_a_conversation_is_what_went_to_and_came_from_a_number(ledger: Ledger) -> None:
    out, reply = a_message(A), a_message(A, direction=Direction.IN, state=MessageState.RECEIVED)
    put(ledger, out, reply, a_message(A, msisdn=OTHER), a_message(B))
    with ledger.begin(write=False) as uow:
        assert [row.id for row in uow.messages.conversation(A, NUMBER, 9)] == [reply.id, out.id]
        assert [row.id for row in uow.messages.conversation(A, NUMBER, 1)] == [reply.id]
        assert [row.id for row in uow.messages.conversation(A, NUMBER, 9, before_id=reply.id)] == [out.id]


# ---- dead letters


def test_dead_letters_are_the_texts_that_wait_for_a_person_oldest_first(ledger: Ledger) -> None:
    rows = [a_message(A, state=DEAD), a_message(B, state=DEAD), a_message(A, state=MessageState.FAILED)]
    put(ledger, *rows)
    with ledger.begin(write=False) as uow:
        found = uow.messages.dead_letters
        assert [row.id for row in found(DeadLetterFilter(), 9)] == [rows[0].id, rows[1].id]
        assert [row.id for row in found(DeadLetterFilter(), 1)] == [rows[0].id]
        assert [row.id for row in found(DeadLetterFilter(account_id=B), 9)] == [rows[1].id]


def test_dead_letters_are_found_by_their_last_attempt(ledger: Ledger) -> None:
    refused, lost, untried = (a_message(A, state=DEAD) for _ in range(3))
    failed: dict[str, Any] = {"state": MessageState.FAILED}
    put(
        ledger,
        refused,
        lost,
        untried,
        an_attempt(refused, gateway="plivo", error_code="503", **failed),
        an_attempt(refused, gateway="twilio", error_code="20429", **failed),
        an_attempt(lost, gateway="twilio", error_code="20429", **failed),
        an_attempt(lost, gateway="plivo", state=MessageState.UNKNOWN),
    )
    with ledger.begin(write=False) as uow:

        def found(**which: Any) -> list[str]:
            return [row.id for row in uow.messages.dead_letters(DeadLetterFilter(**which), 9)]

        assert found(gateway="twilio") == [refused.id]
        assert found(gateway="plivo") == [lost.id]
        assert found(error_code="20429") == [refused.id]
        assert found(error_code="503") == []
        assert found(error_code="unknown") == [lost.id]
        assert found(gateway="twilio", error_code="unknown") == []


def test_dead_letters_are_found_by_when_they_died(ledger: Ledger) -> None:
    old, new = (a_message(A, state=DEAD, created_at=NOW - 9 * HOUR, updated_at=NOW + n * HOUR) for n in (-2, 0))
    put(ledger, old, new)
    with ledger.begin(write=False) as uow:
        assert [row.id for row in uow.messages.dead_letters(DeadLetterFilter(since=NOW - HOUR), 9)] == [new.id]


# ---- the sender people know us by


def test_the_last_sender_is_that_of_the_last_text_that_may_have_arrived(ledger: Ledger) -> None:
    delivered: dict[str, Any] = {"state": MessageState.DELIVERED}
    put(
        ledger,
        a_message(A, sender="+12025550111", **delivered),
        a_message(A, sender=SENDER, **delivered),
        a_message(A, sender="+12025550112", state=MessageState.FAILED),
        a_message(A, sender="+12025550113", state=MessageState.QUEUED),
        a_message(A, sender=None, **delivered),
        a_message(A, sender="+12025550114", direction=Direction.IN, state=MessageState.RECEIVED),
        a_message(B, sender="+12025550115", **delivered),
        a_message(A, sender="+12025550116", msisdn=OTHER, state=MessageState.UNKNOWN),
    )
    with ledger.begin(write=False) as uow:
        numbers = [NUMBER, OTHER, "+12025550199"]
        assert uow.messages.last_senders(A, numbers) == {NUMBER: SENDER, OTHER: "+12025550116"}
        assert uow.messages.last_senders(A, []) == {}


# ---- attempts and their parts


def test_everything_an_attempt_learns_is_kept(ledger: Ledger) -> None:
    message = a_message(A)
    attempt = an_attempt(message)
    learned = AttemptRow(
        id=attempt.id,
        account_id=A,
        message_id=message.id,
        gateway=attempt.gateway,
        state=MessageState.DELIVERED,
        requested_at=NOW,
        sender=SENDER,
        provider_message_id="SM9",
        raw_status="delivered",
        error_class="transient",
        error_code="30003",
        price=Decimal("0.0075"),
        currency="USD",
        segments=2,
        answered_at=NOW,
        ask_at=NOW + HOUR,
        asked=3,
        carrier="310260",
        estimate=Decimal("0.0079"),
        spent_on="2026-11-20",
        settled_at=NOW + HOUR,
    )
    put(ledger, message, attempt)
    with ledger.begin() as uow:
        uow.attempts.save([learned])
        assert uow.attempts.many([attempt.id]) == {attempt.id: learned}
        uow.commit()


def test_parts_of_a_long_text_are_found_by_their_ids_and_by_their_attempt(ledger: Ledger) -> None:
    parts = [PartRow("t-1", "vonage", f"P{n}", n, MessageState.ACCEPTED) for n in (1, 2, 3)]
    theirs = PartRow("t-2", "plivo", "P1", 1, MessageState.SENT)
    with ledger.begin() as uow:
        uow.attempts.add_parts([*reversed(parts), theirs])
        uow.attempts.add_parts([])
        assert uow.attempts.parts_of("t-1") == parts
        assert uow.attempts.part("vonage", "P1") == parts[0]
        assert uow.attempts.part("plivo", "P1") == theirs
        assert uow.attempts.part("vonage", "P9") is None
        assert uow.attempts.parts_of("t-9") == []
        uow.commit()


def test_a_part_moves_alone_and_is_not_put_back_by_a_late_record_of_the_send(ledger: Ledger) -> None:
    parts = [PartRow("t-1", "vonage", f"P{n}", n, MessageState.ACCEPTED) for n in (1, 2)]
    moved = PartRow("t-1", "vonage", "P2", 2, MessageState.DELIVERED)
    with ledger.begin() as uow:
        uow.attempts.add_parts(parts)
        uow.attempts.move_part(moved)
        uow.attempts.add_parts(parts)
        assert uow.attempts.parts_of("t-1") == [parts[0], moved]
        uow.commit()


def test_pages_follow_when_texts_were_made_also_where_ids_do_not(ledger: Ledger) -> None:
    """Ids of several programs with clocks of their own do not rise quite as times do."""
    rows = [a_message(A, created_at=NOW + HOUR * hours) for hours in (3, 1, 2, 2, 0)]
    put(ledger, *rows)
    expected = listed(ledger)
    seen: list[str] = []
    while page := listed(ledger, MessageFilter(before_id=seen[-1] if seen else None), limit=2):
        seen += page
    assert seen == expected == [rows[n].id for n in (0, 3, 2, 1, 4)]


def test_a_page_behind_a_text_of_another_account_is_empty(ledger: Ledger) -> None:
    put(ledger, a_message(A, created_at=NOW - HOUR), foreign := a_message(B))
    assert listed(ledger, MessageFilter(before_id=foreign.id)) == []


def test_dead_letters_can_be_asked_for_without_those_whose_time_is_over(ledger: Ledger) -> None:
    ends = (NOW - HOUR, NOW, NOW + HOUR, None)
    rows = [a_message(A, state=MessageState.DEAD_LETTER, expires_at=at) for at in ends]
    put(ledger, *rows)
    with ledger.begin(write=False) as uow:
        found = uow.messages.dead_letters(DeadLetterFilter(A, alive_at=NOW), 9)
        assert [row.id for row in found] == [rows[2].id, rows[3].id]
        assert len(uow.messages.dead_letters(DeadLetterFilter(A), 9)) == 4


@pytest.mark.parametrize(("stored", "read"), [(10**18, LAST), (-(10**18), datetime.min.replace(tzinfo=UTC))])
def test_a_time_beyond_the_calendar_is_its_edge(stored: int, read: datetime) -> None:
    assert UTCDateTime().process_result_value(stored, sqlite.dialect()) == read


def test_a_last_day_west_of_greenwich_is_kept_as_the_last_in_utc() -> None:
    last = datetime.fromisoformat("9999-12-31T23:59:59-12:00")
    assert UTCDateTime().process_bind_param(last, postgresql.dialect()) == LAST  # type: ignore[no-untyped-call]
    assert UTCDateTime().process_bind_param(last, sqlite.dialect()) > 0


# ---- texts that are no contact's


def test_the_latest_texts_of_a_number_that_are_no_contacts_are_given_to_one(ledger: Ledger) -> None:
    inbound: dict[str, Any] = {"direction": Direction.IN, "state": MessageState.RECEIVED}
    rows = [a_message(A, **inbound), a_message(A), a_message(A, **inbound), a_message(A, contact_id="contact-1")]
    put(ledger, *rows, a_message(A, msisdn=OTHER), a_message(B, **inbound))
    with ledger.begin() as uow:
        adopted = uow.messages.adopt(A, NUMBER, "contact-2", 2)
        assert [(row.id, row.contact_id) for row in adopted] == [(row.id, "contact-2") for row in rows[1:3]]
        assert [row.id for row in uow.messages.adopt(A, NUMBER, "contact-2", 9)] == [rows[0].id]
        assert not uow.messages.adopt(A, NUMBER, "contact-3", 9)
        uow.commit()
    with ledger.begin(write=False) as uow:
        assert [row.id for row in uow.messages.of_contact(A, "contact-1", 9)] == [rows[3].id]
        assert uow.messages.of_contact(B, "contact-2", 9) == []
