"""Do caps over everything, priorities and fatigue hold at the claim, and does the trace say which of them did?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from connector.adapters.store.ids import new_id
from connector.domain.keyword_answers import HELP_ANSWER, JOURNEY
from connector.domain.message import Direction, MessageState, Purpose
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.gateway import Accepted
from connector.ports.messages import MessageRow, StateChange
from connector.services import limits as limits_module
from connector.services.claiming import Claim
from connector.services.limits import BatchLimits
from connector.services.outcomes import Sent
from connector.services.wakeup import Alarm
from tests.adapters.store.factories import NOW, NUMBER, a_message
from tests.services.sending.conftest import Desk

ANYTIME = {"send_window": "anytime"}
ONCE = "1 per 1 day"
DAY = timedelta(days=1)


def a_text(desk: Desk, journey: str, **changes: Any) -> MessageRow:
    return a_message(desk.account_id, journey=journey, **ANYTIME | changes)


def an_offer(desk: Desk, journey: str = "offers", **changes: Any) -> MessageRow:
    return a_text(desk, journey, purpose=Purpose.MARKETING, **changes)


def sent(desk: Desk, count: int, *, at: datetime, **changes: Any) -> list[MessageRow]:
    """Have that many texts behind us."""
    past: dict[str, Any] = {"journey": "past", "state": MessageState.DELIVERED, "sent_at": at} | changes
    rows = [a_text(desk, **past) for _ in range(count)]
    desk.add(*rows)
    return rows


def consent(desk: Desk) -> None:
    event = ConsentEvent(
        id=new_id(),
        account_id=desk.account_id,
        msisdn=NUMBER,
        kind=ConsentKind.OPT_IN,
        scope=Scope.MARKETING,
        mechanism=Mechanism.KEYWORD,
        source="message:1",
        at=NOW - DAY,
    )
    with desk.ledger.begin() as uow:
        uow.consents.record(event)
        uow.commit()


def drain(desk: Desk, purpose: Purpose = Purpose.TRANSACTIONAL) -> None:
    """Work one lane only; a whole drain would go on to the other send lanes."""
    claimed = desk.path.claimer.claim("twilio", purpose.value, 100)
    desk.path.recorder.record([_taken(claim) for claim in claimed.claims])


def _taken(claim: Claim) -> Sent:
    accepted = Accepted(f"SM-{claim.attempt.id}", MessageState.ACCEPTED, "queued", sender="+12025550100")
    return Sent(claim.message, claim.attempt, claim.reason, accepted=accepted)


def wake(desk: Desk) -> None:
    class Silent:
        def nudge(self, lane: str) -> None:
            """Carry nothing."""

    Alarm(desk.ledger, Silent(), desk.clock).ring()


def reason(desk: Desk, message: MessageRow) -> str:
    return desk.row(message).state_reason


# ---- caps over everything


def test_texts_of_every_journey_and_purpose_fill_the_overall_cap(desk: Desk) -> None:
    consent(desk)
    sent(desk, 18, at=NOW - timedelta(hours=2))
    sent(desk, 2, at=NOW - timedelta(hours=1), purpose=Purpose.MARKETING)
    offer = an_offer(desk)
    desk.add(offer)
    drain(desk, Purpose.MARKETING)
    assert desk.state_of(offer) is MessageState.HELD
    assert reason(desk, offer) == "cap of 20 per 1 day for all texts is used up (20 sent)"
    assert desk.row(offer).not_before == NOW + timedelta(hours=22)


def test_codes_and_answers_to_keywords_neither_fill_the_overall_cap_nor_mind_it(desk: Desk) -> None:
    sent(desk, 15, at=NOW - timedelta(hours=2))
    sent(desk, 10, at=NOW - timedelta(hours=3), purpose=Purpose.OTP)
    help_answers = [
        a_text(desk, JOURNEY, step=HELP_ANSWER, state=MessageState.DELIVERED, sent_at=NOW - timedelta(hours=1))
        for _ in range(4)
    ]
    desk.add(*help_answers)
    text = a_text(desk, "tickets")
    desk.add(text)
    drain(desk)
    assert desk.state_of(text) is MessageState.ACCEPTED
    sent(desk, 40, at=NOW - timedelta(hours=1))
    answer, code = a_text(desk, JOURNEY, step=HELP_ANSWER), a_text(desk, "login", purpose=Purpose.OTP)
    desk.add(answer, code)
    drain(desk)
    drain(desk, Purpose.OTP)
    assert [desk.state_of(answer), desk.state_of(code)] == [MessageState.ACCEPTED] * 2


def test_the_cap_of_a_journey_is_named_with_the_journey(desk: Desk) -> None:
    sent(desk, 1, at=NOW - timedelta(hours=1), journey="tickets")
    text = a_text(desk, "tickets", caps=(ONCE,))
    desk.add(text)
    drain(desk)
    assert reason(desk, text) == "cap of 1 per 1 day for the journey tickets is used up (1 sent)"


def test_the_trace_of_a_text_that_went_says_how_full_every_cap_was(desk: Desk) -> None:
    sent(desk, 3, at=NOW - timedelta(hours=1))
    text = a_text(desk, "tickets")
    desk.add(text)
    drain(desk)
    assert "cap of 20 per 1 day for transactional texts has room (3 sent)" in desk.trace(text)[-1]
    assert "cap of 60 per 1 week for all texts has room (3 sent)" in desk.trace(text)[-1]


# ---- priorities


def test_of_one_batch_the_text_of_the_higher_priority_takes_the_last_place(desk: Desk) -> None:
    sent(desk, 19, at=NOW - timedelta(hours=1))
    low = a_text(desk, "tips", priority=2, not_before=NOW - timedelta(hours=1))
    high = a_text(desk, "outage", priority=8)
    desk.add(low, high)
    drain(desk)
    assert [desk.state_of(high), desk.state_of(low)] == [MessageState.ACCEPTED, MessageState.HELD]
    assert "is used up" in reason(desk, low)


def test_of_equal_priorities_the_older_text_takes_the_last_place(desk: Desk) -> None:
    sent(desk, 19, at=NOW - timedelta(hours=1))
    younger, older = a_text(desk, "a"), a_text(desk, "b", not_before=NOW - timedelta(hours=1))
    desk.add(younger, older)
    drain(desk)
    assert [desk.state_of(older), desk.state_of(younger)] == [MessageState.ACCEPTED, MessageState.HELD]


def test_the_last_place_is_kept_for_a_held_text_of_higher_priority_and_taken_by_it(desk: Desk) -> None:
    sent(desk, 19, at=NOW - timedelta(hours=1))
    high = a_text(desk, "outage", priority=8, state=MessageState.HELD, not_before=NOW + timedelta(hours=1))
    low = a_text(desk, "tips", priority=2)
    desk.add(high, low)
    drain(desk)
    assert desk.state_of(low) is MessageState.HELD
    assert reason(desk, low).startswith("gives way to outage (priority 8) under the cap of 20 per 1 day")
    desk.clock.advance(hours=1, minutes=15)
    wake(desk)
    drain(desk)
    assert desk.state_of(high) is MessageState.ACCEPTED
    assert "is used up (20 sent)" in reason(desk, low)


def test_a_rival_of_another_lane_is_seen_under_a_cap_over_both(desk: Desk) -> None:
    consent(desk)
    sent(desk, 19, at=NOW - timedelta(hours=1))
    reminder, offer = a_text(desk, "reminders", priority=8), an_offer(desk, priority=4)
    desk.add(reminder, offer)
    drain(desk, Purpose.MARKETING)
    assert reason(desk, offer) == "gives way to reminders (priority 8) under the cap of 20 per 1 day for all texts"
    drain(desk)
    assert desk.state_of(reminder) is MessageState.ACCEPTED


def test_a_code_is_nobodys_rival(desk: Desk) -> None:
    sent(desk, 19, at=NOW - timedelta(hours=1))
    desk.add(a_text(desk, "login", priority=9, purpose=Purpose.OTP))
    text = a_text(desk, "tips", priority=2)
    desk.add(text)
    drain(desk)
    assert desk.state_of(text) is MessageState.ACCEPTED


@pytest.mark.parametrize("end", [MessageState.SUPPRESSED, MessageState.EXPIRED, MessageState.CANCELLED])
def test_a_rival_that_is_gone_holds_nobody(desk: Desk, end: MessageState) -> None:
    sent(desk, 19, at=NOW - timedelta(hours=1))
    high = a_text(desk, "outage", priority=8, state=MessageState.HELD, not_before=NOW + timedelta(hours=20))
    low = a_text(desk, "tips", priority=2)
    desk.add(high, low)
    drain(desk)
    with desk.ledger.begin() as uow:
        uow.messages.move([StateChange(high.id, MessageState.HELD, end, "gone")], NOW)
        uow.commit()
    desk.clock.advance(hours=3)
    wake(desk)
    drain(desk)
    assert desk.state_of(low) is MessageState.ACCEPTED


def test_a_rival_refused_in_the_same_batch_holds_nobody(desk: Desk) -> None:
    sent(desk, 19, at=NOW - timedelta(hours=1))
    high = a_text(desk, "outage", priority=8, expires_at=NOW)
    low = a_text(desk, "tips", priority=2)
    desk.add(high, low)
    drain(desk)
    assert [desk.state_of(high), desk.state_of(low)] == [MessageState.EXPIRED, MessageState.ACCEPTED]


def test_a_rival_whose_window_is_closed_for_long_holds_nobody(desk: Desk) -> None:
    sent(desk, 19, at=NOW - timedelta(hours=1))
    later = a_text(desk, "outage", priority=8, state=MessageState.HELD, not_before=NOW + timedelta(hours=30))
    low = a_text(desk, "tips", priority=2, caps=("100 per 3 days",))
    desk.add(later, low)
    drain(desk)
    assert desk.state_of(low) is MessageState.ACCEPTED


def test_a_rival_that_cannot_go_holds_others_for_a_day_at_most(desk: Desk) -> None:
    sent(desk, 59, at=NOW - timedelta(days=5))
    stuck = a_text(desk, "outage", priority=8, purpose=Purpose.MARKETING)
    low = a_text(desk, "tips", priority=2, expires_at=NOW + timedelta(days=4))
    desk.add(stuck, low)
    looks = 0
    while desk.state_of(low) is not MessageState.ACCEPTED and looks < 200:
        drain(desk)
        looks += 1
        if desk.state_of(low) is MessageState.HELD:
            desk.clock.time = desk.row(low).not_before
            wake(desk)
    assert desk.clock.time == NOW + timedelta(days=1)
    assert "has given way to others long enough" in desk.trace(low)[-1]


def test_texts_with_room_to_spare_cost_no_question_about_rivals(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with questions(desk, monkeypatch) as asked:
        desk.add(a_text(desk, "tickets"))
        drain(desk)
    assert asked == []


@contextmanager
def questions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give a list that gets the name of every question about others or about silence."""
    asked: list[str] = []

    class Counting(BatchLimits):
        def __init__(self, uow: Any, *rest: Any) -> None:
            for name in ("rivals", "unanswered"):
                monkeypatch.setattr(uow.messages, name, self._noting(name, getattr(uow.messages, name)))
            super().__init__(uow, *rest)

        def _noting(self, name: str, question: Any) -> Any:
            def ask(*arguments: Any) -> Any:
                asked.append(name)
                return question(*arguments)

            return ask

    monkeypatch.setattr(limits_module, "BatchLimits", Counting)
    monkeypatch.setattr("connector.services.permissions.BatchLimits", Counting)
    yield asked


# ---- fatigue


def silence(desk: Desk, days_ago: Sequence[int]) -> list[MessageRow]:
    offers = [
        an_offer(desk, state=MessageState.DELIVERED, sent_at=NOW - days * DAY, created_at=NOW - days * DAY)
        for days in days_ago
    ]
    desk.add(*offers)
    return offers


def test_who_has_not_answered_five_offers_gets_one_in_two_weeks(desk: Desk) -> None:
    consent(desk)
    silence(desk, [40, 32, 24, 17, 9])
    offer = an_offer(desk, expires_at=NOW + 90 * DAY)
    desk.add(offer)
    drain(desk, Purpose.MARKETING)
    assert desk.state_of(offer) is MessageState.HELD
    assert reason(desk, offer) == "no answer to the last 5 marketing texts: 1 per 2 weeks is used up (1 sent)"
    assert desk.row(offer).not_before == NOW + 5 * DAY
    assert reason(desk, offer) in desk.trace(offer)[-1]
    desk.clock.advance(days=5)
    wake(desk)
    drain(desk, Purpose.MARKETING)
    assert desk.state_of(offer) is MessageState.ACCEPTED


@pytest.mark.parametrize("answer", ["reply", "click"])
def test_an_answer_ends_the_fatigue(desk: Desk, answer: str) -> None:
    consent(desk)
    offers = silence(desk, [40, 32, 24, 17, 9])
    answered_at = NOW - 8 * DAY
    if answer == "reply":
        received = {"direction": Direction.IN, "state": MessageState.RECEIVED, "created_at": answered_at}
        desk.add(a_text(desk, "offers", **received))
    else:
        with desk.ledger.begin() as uow:
            uow.messages.set_engagement(offers[-1].id, clicked_at=answered_at)
            uow.commit()
    offer = an_offer(desk)
    desk.add(offer)
    drain(desk, Purpose.MARKETING)
    assert desk.state_of(offer) is MessageState.ACCEPTED


def test_four_unanswered_offers_and_old_ones_are_no_fatigue(desk: Desk) -> None:
    consent(desk)
    silence(desk, [120, 100, 32, 24, 17, 9])
    offer = an_offer(desk)
    desk.add(offer)
    drain(desk, Purpose.MARKETING)
    assert desk.state_of(offer) is MessageState.ACCEPTED


def test_fatigue_holds_no_text_that_is_not_marketing(desk: Desk) -> None:
    silence(desk, [40, 32, 24, 17, 9])
    text = a_text(desk, "tickets")
    desk.add(text)
    drain(desk)
    assert desk.state_of(text) is MessageState.ACCEPTED


def test_of_two_offers_in_one_batch_a_silent_number_gets_one(desk: Desk) -> None:
    consent(desk)
    silence(desk, [60, 50, 40, 32, 24])
    offers = [an_offer(desk), an_offer(desk)]
    desk.add(*offers)
    drain(desk, Purpose.MARKETING)
    assert {desk.state_of(offer) for offer in offers} == {MessageState.ACCEPTED, MessageState.HELD}


def test_nobody_is_asked_about_silence_before_it_could_matter(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    consent(desk)
    silence(desk, [40, 32, 24, 17, 15])
    with questions(desk, monkeypatch) as asked:
        desk.add(an_offer(desk))
        drain(desk, Purpose.MARKETING)
    assert "unanswered" not in asked


def test_a_rival_held_in_the_same_batch_keeps_its_place_when_it_may_go_soon(desk: Desk) -> None:
    sent(desk, 19, at=NOW - timedelta(hours=1))
    high = a_text(desk, "outage", priority=8, caps=(ONCE,))
    sent_by_high = a_text(
        desk,
        "outage",
        state=MessageState.DELIVERED,
        sent_at=NOW - timedelta(hours=20),
        msisdn=NUMBER,
        purpose=Purpose.OTP,
    )
    low = a_text(desk, "tips", priority=2)
    desk.add(sent_by_high, high, low)
    drain(desk)
    assert "for the journey outage is used up" in reason(desk, high)
    assert reason(desk, low).startswith("gives way to outage (priority 8)")
    assert desk.row(low).not_before == NOW + timedelta(hours=3)


def test_a_rival_held_in_the_same_batch_for_more_than_a_day_holds_nobody(desk: Desk) -> None:
    sent(desk, 59, at=NOW - timedelta(days=5))
    sent_by_high = a_text(desk, "outage", state=MessageState.DELIVERED, sent_at=NOW, purpose=Purpose.OTP)
    high, low = a_text(desk, "outage", priority=8, caps=("1 per 2 days",)), a_text(desk, "tips", priority=2)
    desk.add(sent_by_high, high, low)
    drain(desk)
    assert [desk.state_of(high), desk.state_of(low)] == [MessageState.HELD, MessageState.ACCEPTED]
