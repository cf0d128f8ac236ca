"""Does a one-time code, or a confirmation, count exactly when it should?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from connector.domain.durations import BusinessDays
from connector.domain.enrollment import Decision, Fact, GrantConsent, RunState, SendSMS
from connector.domain.message import Purpose
from connector.domain.steps import Confirm, Verify
from connector.domain.surroundings import Surroundings
from tests.domain.journey_parts import (
    DAY,
    HERE,
    HOUR,
    MINUTE,
    NOW,
    evaluate,
    held,
    journey,
    leave,
    look,
    moved,
    reply,
    send,
    wait,
    words,
)

CODE = "123456"
OUT = moved("accepted", NOW)
ENDS = {
    "then": (leave("steps[0].then[0]", "right"),),
    "otherwise": (leave("steps[0].else[0]", "wrong"),),
}
FAILS = {"on_failure": (leave("steps[0].on_failure[0]", "unsent"),)}


def code_for(key: str, length: int) -> str:
    assert key == "e1:steps[0]"
    return CODE[:length]


AROUND = Surroundings(evaluate, code_for=code_for)


def verify(**more: Any) -> Verify:
    values: dict[str, Any] = {"id": "code", "path": "steps[0]", "place": HERE, "ask": send(id="code"), **ENDS}
    return Verify(**values | more)


def confirm(**more: Any) -> Confirm:
    values: dict[str, Any] = {
        "id": "opt-in",
        "path": "steps[0]",
        "place": HERE,
        "ask": send(id="opt-in"),
        "within": DAY,
        "keywords": ("YES", "OK"),
        **ENDS,
    }
    return Confirm(**values | more)


def asked(step: Verify | Confirm, at: datetime = NOW) -> RunState:
    """The state after the question was asked and its message made."""
    return look(journey(step), now=at, around=AROUND).state.with_message(step, "m1")


def answer(
    step: Verify | Confirm, *facts: Fact, now: datetime = NOW + MINUTE, state: RunState | None = None
) -> Decision:
    return look(journey(step), state or asked(step), facts, now=now, around=AROUND)


def said(*texts: str) -> Sequence[Fact]:
    """Replies, ten seconds apart, after the text went out."""
    return [
        replace(reply(text, NOW + number * MINUTE / 6, number), message_id=f"in{number}")
        for number, text in enumerate(texts)
    ]


# Asking


def test_a_code_goes_out_as_a_one_time_password_whatever_the_journey_is_for() -> None:
    step = verify()
    decision = look(journey(step), around=AROUND)
    text = replace(step.ask, purpose=Purpose.OTP)
    assert decision.actions == (SendSMS(step, text, "e1:steps[0]", CODE),)
    assert decision.waits_for == "the text of code to go out"


def test_the_code_is_in_no_state_and_no_trace() -> None:
    decisions = [look(journey(verify()), around=AROUND), answer(verify(), OUT, *said("1"), *said(CODE))]
    assert CODE not in repr(decisions)
    assert CODE not in str([decision.state.to_json() for decision in decisions])


def test_a_code_has_the_length_that_is_asked_for() -> None:
    (action,) = look(journey(verify(length=4)), around=AROUND).actions
    assert isinstance(action, SendSMS)
    assert action.code == "1234"


def test_a_confirmation_keeps_the_purpose_of_its_text_and_has_a_code_only_where_it_needs_one() -> None:
    step = confirm()
    assert look(journey(step), around=AROUND).actions == (SendSMS(step, step.ask, "e1:steps[0]"),)
    coded = confirm(keywords=(), code_length=4)
    assert look(journey(coded), around=AROUND).actions == (SendSMS(coded, coded.ask, "e1:steps[0]", "1234"),)


@pytest.mark.parametrize("step", [verify(), confirm()])
def test_a_question_that_is_held_is_looked_at_before_it_is_let_go(step: Verify | Confirm) -> None:
    decision = answer(step, held(NOW + 9 * HOUR))
    assert not decision.ended
    assert decision.due_at is not None
    assert decision.due_at < NOW + 9 * HOUR


@pytest.mark.parametrize("step", [verify(), confirm()])
@pytest.mark.parametrize(("more", "reason"), [(FAILS, "unsent"), ({}, "wrong"), ({"otherwise": ()}, "completed")])
def test_a_question_that_cannot_be_sent_fails_else_counts_as_unanswered(
    step: Verify | Confirm, more: dict[str, Any], reason: str
) -> None:
    step = replace(step, **more)
    assert answer(step, moved("failed", NOW)).exit_reason == reason
    state = asked(step).with_send_error("the contact has no number")
    assert look(journey(step), state, around=AROUND).exit_reason == reason


@pytest.mark.parametrize("step", [verify(tries=1), confirm(keywords=("YES",))])
def test_what_somebody_else_says_is_no_answer_and_no_try(step: Verify | Confirm) -> None:
    others = [replace(fact, is_from_asked=False) for fact in said(CODE, "YES", "999999")]
    decision = answer(step, OUT, *others)
    assert (decision.ended, decision.actions, decision.state.used) == (False, (), ())


# Codes


@pytest.mark.parametrize(
    "text",
    [CODE, " 123 456 ", "123-456", "my code is 123456", "123456!", "\uff11\uff12\uff13\uff14\uff15\uff16", "١٢٣٤٥٦"],
)
def test_a_reply_that_names_the_code_and_no_other_number_is_right(text: str) -> None:
    decision = answer(verify(), OUT, *said(text))
    assert decision.exit_reason == "right"
    assert decision.state.used == ("reply:0",)


@pytest.mark.parametrize("text", ["123457", "12345", "1234567", "123456 or 654321", "0123456"])
def test_a_reply_with_another_number_is_a_wrong_try(text: str) -> None:
    decision = answer(verify(), OUT, *said(text))
    assert not decision.ended
    assert ("steps[0]", "wrong:reply:0") in words(decision)
    assert "Wrong code, try 1 of 3" in [line.summary for line in decision.trace]


@pytest.mark.parametrize("text", ["hello?", "", "what code"])
def test_a_reply_without_a_number_is_no_try_and_stays_for_others(text: str) -> None:
    decision = answer(verify(tries=1), OUT, *said(text))
    assert not decision.ended
    assert decision.state.used == ()
    assert answer(verify(tries=1), OUT, *said(text, "1")).state.used == ("reply:1",)


def test_after_the_last_wrong_try_the_right_code_comes_too_late() -> None:
    decision = answer(verify(), OUT, *said("1", "2", "3", CODE))
    assert decision.exit_reason == "wrong"
    assert decision.state.used == ("reply:0", "reply:1", "reply:2")
    assert "Not answered: 3 wrong codes" in [line.summary for line in decision.trace]


def test_a_right_code_in_the_last_try_counts_and_the_wrong_ones_are_used_up() -> None:
    decision = answer(verify(), OUT, *said("1", "2", CODE))
    assert decision.exit_reason == "right"
    assert decision.state.used == ("reply:0", "reply:1", "reply:2")


def test_tries_are_counted_over_several_looks() -> None:
    first = answer(verify(tries=2), OUT, *said("1"))
    assert (first.ended, first.state.used) == (False, ())
    assert answer(verify(tries=2), OUT, *said("1", "2"), state=first.state).exit_reason == "wrong"


def test_a_code_is_good_for_its_time_from_when_its_text_went_out() -> None:
    out = moved("accepted", NOW + HOUR)
    waiting = answer(verify(), out, now=NOW + HOUR)
    assert waiting.due_at == NOW + HOUR + 10 * MINUTE
    assert waiting.waits_for == "the code of code, until 2026-11-20 11:10 UTC"
    in_time, late = reply(CODE, NOW + HOUR + 10 * MINUTE), reply(CODE, NOW + HOUR + 11 * MINUTE)
    assert answer(verify(), out, in_time, now=NOW + 2 * HOUR).exit_reason == "right"
    over = answer(verify(), out, reply("7", NOW + HOUR, 2), late, now=NOW + 2 * HOUR)
    assert over.exit_reason == "wrong"
    assert over.state.used == ("reply:2",)
    assert over.state.base_at == NOW + HOUR + 10 * MINUTE


def test_what_follows_a_right_code_counts_from_the_reply() -> None:
    step = verify(then=(wait("steps[0].then[0]", HOUR),))
    assert answer(step, OUT, reply(CODE, NOW + MINUTE), now=NOW + 2 * MINUTE).due_at == NOW + MINUTE + HOUR


def test_a_code_that_came_back_before_its_receipt_counts_and_nothing_goes_back_in_time() -> None:
    step = verify(then=(wait("steps[0].then[0]", HOUR),))
    out = moved("delivered", NOW + 5 * MINUTE)
    decision = answer(step, out, reply(CODE, NOW + MINUTE), now=NOW + 5 * MINUTE)
    assert decision.due_at == NOW + 5 * MINUTE + HOUR


def test_a_code_that_came_back_shows_that_its_text_arrived_whatever_the_receipt_says() -> None:
    failed = moved("undelivered", NOW + 5 * MINUTE)
    assert answer(verify(**FAILS), failed, reply(CODE, NOW + MINUTE), now=NOW + HOUR).exit_reason == "right"
    decision = answer(verify(**FAILS), failed, reply("1", NOW + MINUTE), now=NOW + HOUR)
    assert (decision.exit_reason, decision.state.used) == ("unsent", ("reply:1",))


def test_while_nobody_knows_whether_the_text_is_out_nothing_follows() -> None:
    assert not answer(verify(), moved("unknown", NOW), *said(CODE)).ended


# Confirmations


@pytest.mark.parametrize(("text", "is_confirmed"), [("Yes!", True), ("ok", True), ("no", False), ("yes or ok?", False)])
def test_a_word_confirms_and_any_other_reply_is_passed_over(text: str, *, is_confirmed: bool) -> None:
    decision = answer(confirm(), OUT, *said("hello", text))
    assert decision.ended is is_confirmed
    assert decision.state.used == (("reply:1",) if is_confirmed else ())


def test_what_follows_sees_the_word() -> None:
    decision = answer(confirm(), OUT, *said("yes"))
    assert decision.state.keywords == {"reply:0": "YES"}
    assert "Goes on: the reply says YES" in [line.summary for line in decision.trace]


@pytest.mark.parametrize(("text", "is_confirmed"), [("1234", True), ("load 1234 taken", True), ("yes", False)])
def test_a_code_of_its_own_confirms_where_there_are_no_words(text: str, *, is_confirmed: bool) -> None:
    assert answer(confirm(keywords=(), code_length=4), OUT, *said(text)).ended is is_confirmed


def test_a_confirmation_grants_the_consent_it_asked_for_before_anything_follows() -> None:
    step = confirm(grants="marketing", then=(send("steps[0].then[0]"),))
    decision = answer(step, OUT, *said("yes"))
    assert [type(action) for action in decision.actions] == [GrantConsent, SendSMS]
    assert decision.actions[0] == GrantConsent(step, "in0")


@pytest.mark.parametrize("text", ["ok who is this?", "yes or no?", "Yes but stop calling", "yes?"])
def test_a_reply_that_says_more_than_yes_gives_no_consent_and_is_passed_over(text: str) -> None:
    decision = answer(confirm(grants="marketing"), OUT, *said(text))
    assert (decision.actions, decision.ended, decision.state.used) == ((), False, ())
    after = answer(confirm(grants="marketing"), OUT, *said(text, "yes"))
    assert (after.exit_reason, after.state.used) == ("right", ("reply:1",))


@pytest.mark.parametrize(("text", "is_consent"), [("12 34!", True), ("١٢٣٤", True), ("who is 1234?", False)])
def test_a_consent_by_code_is_the_code_and_nothing_else(text: str, *, is_consent: bool) -> None:
    step = confirm(grants="marketing", keywords=(), code_length=4)
    assert bool(answer(step, OUT, *said(text)).actions) is is_consent


def test_a_courtesy_beside_the_yes_takes_nothing_from_it() -> None:
    step, around = confirm(grants="marketing"), replace(AROUND, courtesies=frozenset({"please"}))
    decision = look(journey(step), asked(step), (OUT, *said("Yes, please")), now=NOW + MINUTE, around=around)
    assert decision.exit_reason == "right"


def test_a_confirmation_that_grants_nothing_grants_nothing() -> None:
    assert answer(confirm(), OUT, *said("yes")).actions == ()


def test_a_reply_of_which_there_is_no_record_confirms_but_proves_no_consent() -> None:
    decision = answer(confirm(grants="marketing"), OUT, reply("yes", NOW))
    assert (decision.actions, decision.exit_reason) == ((), "right")


def test_a_yes_to_something_earlier_is_no_confirmation() -> None:
    early = reply("yes", NOW + HOUR)
    step = confirm(grants="marketing")
    state = asked(step, at=NOW + 2 * HOUR)  # the step before was done at NOW, but the worker was late
    out = moved("accepted", NOW + 2 * HOUR)
    decision = answer(step, out, early, state=state, now=NOW + 3 * HOUR)
    assert (decision.ended, decision.actions) == (False, ())


def test_a_reply_that_answered_something_before_does_not_confirm() -> None:
    state = replace(asked(confirm()), used=("reply:0",))
    assert not answer(confirm(), OUT, *said("yes"), state=state).ended


@pytest.mark.parametrize(("within", "due_at"), [(DAY, NOW + DAY), (BusinessDays(1), NOW + 3 * DAY)])
def test_a_confirmation_is_waited_for_so_long(within: Any, due_at: datetime) -> None:
    waiting = answer(confirm(within=within), OUT)
    assert waiting.due_at == due_at
    assert waiting.waits_for.startswith("the confirmation of opt-in (YES, OK), until")
    assert answer(confirm(within=within), OUT, now=due_at).exit_reason == "wrong"
    coded = answer(confirm(within=within, keywords=(), code_length=4), OUT)
    assert coded.waits_for.startswith("the confirmation of opt-in (its code), until")


def test_a_help_or_any_other_word_leaves_the_question_open() -> None:
    assert not answer(confirm(), OUT, replace(reply("help", NOW), name="help")).ended
