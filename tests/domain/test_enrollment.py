"""Does a journey do what its file says: in order, once, explained, and never after its end?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.domain.durations import BusinessDays
from connector.domain.enrollment import Fact, Perform, RunState, SendSMS, begin
from connector.domain.journey import ExitRule
from connector.domain.places import Expression
from connector.domain.stepping import BEFORE_RELEASE, LOOK_AGAIN
from connector.domain.steps import Branch, CaseKind, If, WaitFor
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind
from tests.domain.journey_parts import (
    DAY,
    HERE,
    HOUR,
    MINUTE,
    NOW,
    START,
    at_message,
    case,
    click,
    evaluate,
    held,
    journey,
    keys,
    leave,
    look,
    moved,
    paid,
    reply,
    send,
    task,
    wait,
    wait_for,
    when,
    words,
)

# Sending


def test_a_send_step_asks_for_one_message_and_stands_there() -> None:
    decision = look(journey(send(), task("steps[1]")))
    assert decision.actions == (SendSMS(send(), send(), "e1:steps[0]"),)
    assert (decision.ended, decision.due_at) == (False, NOW + LOOK_AGAIN)
    assert decision.waits_for == "the text of steps[0] to go out"


def test_the_key_of_a_send_names_the_enrollment_and_the_step_only() -> None:
    first, again = look(journey(send())), look(journey(send()), now=NOW + DAY)
    assert first.actions == again.actions


def test_a_text_nobody_can_tell_the_fate_of_keeps_the_journey_at_its_step() -> None:
    decision = look(journey(send(), leave("steps[1]", "done")), at_message(), [moved("unknown", NOW + HOUR)])
    assert not decision.ended


@pytest.mark.parametrize("state", ["accepted", "sent", "delivered"])
def test_a_text_that_is_out_lets_the_journey_go_on(state: str) -> None:
    decision = look(journey(send(), leave("steps[1]", "done")), at_message(), [moved(state, NOW + HOUR)])
    assert (decision.ended, decision.exit_reason) == (True, "done")


@pytest.mark.parametrize("state", ["held", "queued", "dispatching"])
def test_a_text_still_with_us_is_waited_for(state: str) -> None:
    decision = look(journey(send()), at_message(), [moved(state, NOW)])
    assert not decision.ended
    assert not decision.actions


@pytest.mark.parametrize("state", ["failed", "expired", "dead_letter", "undelivered", "suppressed", "cancelled"])
def test_a_text_that_is_over_runs_on_failure(state: str) -> None:
    step = send(on_failure=(task("steps[0].on_failure[0]"),))
    decision = look(journey(step, leave("steps[1]", "went on")), at_message(), [moved(state, NOW)])
    assert [type(action) for action in decision.actions] == [Perform]
    assert decision.exit_reason == "went on"


def test_a_failed_text_without_on_failure_goes_on() -> None:
    decision = look(journey(send(), leave("steps[1]", "went on")), at_message(), [moved("failed", NOW)])
    assert decision.exit_reason == "went on"


def test_a_held_text_shifts_what_follows() -> None:
    what = journey(send(), wait("steps[1]", 3 * DAY), leave("steps[2]", "done"))
    out_at = NOW + 14 * HOUR
    decision = look(what, at_message(), [moved("held", NOW), moved("accepted", out_at)], now=out_at + MINUTE)
    assert decision.due_at == out_at + 3 * DAY


@pytest.mark.parametrize(
    ("fact", "due_at"),
    [
        (held(NOW + 9 * HOUR), NOW + 9 * HOUR - BEFORE_RELEASE),
        (held(NOW + MINUTE), NOW + LOOK_AGAIN),
        (held(NOW + 3 * DAY), NOW + LOOK_AGAIN),
        (held(NOW + 9 * HOUR, "m0"), NOW + LOOK_AGAIN),
    ],
)
def test_a_held_text_is_looked_at_again_before_it_is_let_go(fact: Fact, due_at: datetime) -> None:
    assert look(journey(send()), at_message(), [fact]).due_at == due_at


def test_the_first_fact_about_a_text_decides_however_late_it_is_looked_at() -> None:
    step = send(on_failure=(leave("steps[0].on_failure[0]", "failed"),))
    facts = [moved("undelivered", NOW + HOUR), moved("accepted", NOW + MINUTE)]
    assert look(journey(step), at_message(), facts, now=NOW + DAY).exit_reason == "completed"


def test_a_text_of_another_step_is_not_taken_for_this_one() -> None:
    assert not look(journey(send()), at_message(), [moved("accepted", NOW, message_id="m0")]).ended


def test_a_message_that_cannot_be_made_runs_on_failure_and_is_not_asked_for_again() -> None:
    step = send(on_failure=(leave("steps[0].on_failure[0]", "no number"),))
    state = look(journey(step)).state.with_send_error("the owner has no number")
    decision = look(journey(step), state)
    assert (decision.actions, decision.exit_reason) == ((), "no number")
    assert any("the owner has no number" in line.summary for line in decision.trace)


def test_two_sends_in_a_row_wait_for_each_other() -> None:
    what = journey(send(), send("steps[1]"))
    first = look(what)
    second = look(what, first.state.with_message(send(), "m1"), [moved("accepted", NOW)])
    assert keys(second) == ["e1:steps[1]"]


# Waiting


def test_waits_count_from_when_the_step_before_was_done_not_from_when_somebody_looked() -> None:
    what = journey(wait("steps[0]", DAY), wait("steps[1]", DAY))
    first = look(what)
    assert (first.due_at, first.waits_for) == (NOW + DAY, "2026-11-21 10:00 UTC")
    assert look(what, first.state, now=NOW + DAY + HOUR).due_at == NOW + 2 * DAY


def test_a_wait_for_that_ends_at_an_appointment_follows_it() -> None:
    ends = WaitFor(
        id="w", path="steps[0]", place=HERE, cases=(case("c", CaseKind.REPLY),), until=when("invoice.due_at")
    )
    due = {"invoice": {"due_at": NOW + 2 * DAY}}
    first = look(journey(ends), names=due)
    assert first.due_at == NOW + 2 * DAY
    later = {"invoice": {"due_at": NOW + 3 * DAY}}
    assert look(journey(ends), first.state, now=NOW + 2 * DAY, names=later).due_at == NOW + 3 * DAY
    sooner = {"invoice": {"due_at": NOW - DAY}}
    assert look(journey(ends), first.state, now=NOW + HOUR, names=sooner).ended


def test_a_wait_until_follows_an_appointment_that_moves() -> None:
    what = journey(wait("steps[0]", until=when("invoice.due_at")))
    first = look(what, names={"invoice": {"due_at": NOW + DAY}})
    assert first.due_at == NOW + DAY
    moved_to = {"invoice": {"due_at": (NOW + 2 * DAY).isoformat()}}
    assert look(what, first.state, now=NOW + DAY, names=moved_to).due_at == NOW + 2 * DAY


def test_now_in_a_wait_until_is_when_the_wait_began() -> None:
    what = journey(wait("steps[0]", until=when("now + 1 hour")))
    first = look(what)
    assert first.due_at == NOW + HOUR
    assert look(what, first.state, now=NOW + HOUR).ended


def test_a_wait_until_a_time_that_is_past_is_skipped() -> None:
    names = {"invoice": {"due_at": NOW - DAY}}
    decision = look(journey(wait("steps[0]", until=when("invoice.due_at"))), names=names)
    assert (decision.exit_reason, words(decision)) == ("completed", [("steps[0]", "past")])


def test_a_past_time_fails_the_wait_when_it_may_not_be_skipped() -> None:
    step = wait("steps[0]", until=when("invoice.due_at"), skip_if_past=False)
    decision = look(journey(step), names={"invoice": {"due_at": NOW - DAY}})
    assert decision.exit_reason == "steps[0] failed: the time to wait until is past"


@pytest.mark.parametrize("value", ["soon", 7, None, datetime(2026, 11, 21)])  # noqa: DTZ001 - that it is naive is the case
def test_a_wait_until_something_that_is_no_time_ends_the_enrollment(value: object) -> None:
    decision = look(journey(wait("steps[0]", until=when("invoice.due_at"))), names={"invoice": {"due_at": value}})
    assert decision.ended
    assert "no time" in decision.exit_reason


def test_a_wait_beyond_the_calendar_ends_the_enrollment() -> None:
    decision = look(journey(wait("steps[0]", timedelta(days=3_000_000))))
    assert decision.exit_reason == "steps[0] failed: the wait is longer than the calendar"


# wait_for

PAID_REPLY = case(
    "steps[0].wait_for.cases[0]",
    CaseKind.REPLY,
    keywords=("PAID", "already paid"),
    then=(leave("steps[0].wait_for.cases[0].then[0]", "says paid"),),
)
ANY_REPLY = case(
    "steps[0].wait_for.cases[1]",
    CaseKind.REPLY,
    then=(leave("steps[0].wait_for.cases[1].then[0]", "any reply"),),
)


def test_wait_for_names_what_it_waits_for_and_until_when() -> None:
    event = case("steps[0].wait_for.cases[1]", CaseKind.EVENT, event="invoice.paid")
    delivered = case("steps[0].wait_for.cases[2]", CaseKind.DELIVERED)
    decision = look(journey(wait_for("steps[0]", PAID_REPLY, event, delivered)))
    assert decision.due_at == NOW + DAY
    assert decision.waits_for == (
        "a reply (PAID, already paid) or the event invoice.paid or the text to be delivered, until 2026-11-21 10:00 UTC"
    )


def test_a_keyword_matches_the_whole_message_only() -> None:
    what = journey(wait_for("steps[0]", PAID_REPLY))
    assert look(what, facts=[reply("Paid!", NOW)]).exit_reason == "says paid"
    assert not look(what, facts=[reply("it was paid by someone else, I think", NOW)]).ended


def test_of_several_cases_the_first_in_the_file_answers() -> None:
    what = journey(wait_for("steps[0]", PAID_REPLY, ANY_REPLY))
    assert look(what, facts=[reply("paid", NOW)]).exit_reason == "says paid"
    assert look(what, facts=[reply("hello", NOW)]).exit_reason == "any reply"


def test_of_several_facts_the_first_in_time_answers() -> None:
    what = journey(wait_for("steps[0]", PAID_REPLY, ANY_REPLY))
    facts = [reply("paid", NOW + HOUR, 2), reply("hello", NOW + MINUTE, 1)]
    assert look(what, facts=facts, now=NOW + 2 * HOUR).exit_reason == "any reply"


def test_wait_for_sees_what_happened_since_the_enrollment_began() -> None:
    what = journey(wait("steps[0]", DAY), wait_for("steps[1]", ANY_REPLY))
    decision = look(what, look(what).state, [reply("hello", NOW + HOUR)], now=NOW + DAY)
    assert decision.exit_reason == "any reply"


def test_what_happened_before_the_enrollment_is_no_answer() -> None:
    assert not look(journey(wait_for("steps[0]", ANY_REPLY)), facts=[reply("hello", NOW - MINUTE)]).ended


def test_a_reply_answers_one_wait_for_only() -> None:
    plain = replace(ANY_REPLY, then=())
    what = journey(wait_for("steps[0]", plain), wait_for("steps[1]", replace(plain, path="second")))
    decision = look(what, facts=[reply("hello", NOW + MINUTE)], now=NOW + HOUR)
    assert (decision.ended, decision.state.cursor) == (False, "steps[1]")
    second = look(
        what,
        decision.state,
        [reply("hello", NOW + MINUTE), reply("again", NOW + 2 * HOUR, 2)],
        now=NOW + 2 * HOUR,
    )
    assert second.exit_reason == "completed"


@pytest.mark.parametrize(("answers", "is_taken"), [(None, True), ("e1", True), ("e2", False)])
def test_a_reply_to_another_enrollment_s_text_is_not_taken(answers: str | None, *, is_taken: bool) -> None:
    what = journey(wait_for("steps[0]", ANY_REPLY))
    assert look(what, facts=[reply("paid", NOW, enrollment_id=answers)]).ended is is_taken


def test_what_another_enrollment_was_told_is_not_the_last_reply_here() -> None:
    rule = ExitRule("exit_when[0]", HERE, where=when("last_reply.text == 'later'"))
    what = journey(wait("steps[0]", DAY), exit_when=(rule,))
    ours, theirs = reply("later", NOW, 1, "e1"), reply("sooner", NOW + MINUTE, 2, "e2")
    assert look(what, facts=[ours, theirs], now=NOW + HOUR).ended


def test_the_time_out_wins_over_a_later_reply_however_late_it_is_looked_at() -> None:
    what = journey(wait_for("steps[0]", ANY_REPLY, otherwise=(leave("steps[0].else[0]", "silent"),)))
    late = [reply("hello", NOW + DAY + MINUTE)]
    assert look(what, look(what).state, late, now=NOW + 5 * DAY).exit_reason == "silent"


def test_the_time_out_counts_from_when_the_step_before_was_done() -> None:
    what = journey(send(), wait_for("steps[1]", ANY_REPLY, within=HOUR))
    decision = look(what, at_message(), [moved("accepted", NOW + DAY)], now=NOW + DAY + MINUTE)
    assert decision.due_at == NOW + DAY + HOUR


def test_after_a_time_out_without_else_the_next_step_counts_from_it() -> None:
    what = journey(wait_for("steps[0]", ANY_REPLY, within=HOUR), wait("steps[1]", DAY))
    assert look(what, now=NOW + 2 * HOUR).due_at == NOW + HOUR + DAY


def test_an_event_is_matched_by_name_and_condition() -> None:
    cases = case(
        "steps[0].wait_for.cases[0]",
        CaseKind.EVENT,
        event="invoice.paid",
        where=when("event.invoice.id == invoice.id"),
    )
    what = journey(wait_for("steps[0]", cases))
    assert look(what, facts=[paid(NOW)]).exit_reason == "completed"
    other = look(what, facts=[paid(NOW, invoice_id="8")])
    assert not other.ended
    assert ("steps[0].wait_for.cases[0]", "unmet:event:invoice.paid:8") in words(other)
    assert not look(what, facts=[paid(NOW, name="invoice.voided")]).ended


def test_the_trigger_itself_answers_nothing() -> None:
    again = Fact("event:trigger", EntryKind.EVENT_RECEIVED, NOW, "invoice.overdue")
    cases = case("steps[0].wait_for.cases[0]", CaseKind.EVENT, event="invoice.overdue")
    rule = ExitRule("exit_when[0]", HERE, event="invoice.overdue")
    assert not look(journey(wait_for("steps[0]", cases), exit_when=(rule,)), facts=[again]).ended


def test_a_reply_is_matched_by_its_condition() -> None:
    cases = replace(ANY_REPLY, where=when("last_reply.text == 'later'"))
    what = journey(wait_for("steps[0]", cases))
    assert look(what, facts=[reply("later", NOW)]).ended
    assert not look(what, facts=[reply("sooner", NOW)]).ended


@pytest.mark.parametrize("condition", ["last_reply.at > last_message.at", "last_reply.at > last_message.sent_at"])
def test_a_case_can_ask_for_a_reply_to_the_journeys_latest_text(condition: str) -> None:
    cases = replace(ANY_REPLY, where=when(condition))
    what = journey(send(), send("steps[1]"), wait_for("steps[2]", cases))
    state = replace(at_message(), cursor="steps[1]").with_message(send("steps[1]"), "m2")
    out = [moved("accepted", NOW), moved("accepted", NOW + HOUR, "m2")]
    early, late = reply("hello", NOW + MINUTE), reply("yes", NOW + 2 * HOUR, 2)
    waiting = look(what, state, [*out, early], now=NOW + HOUR)
    assert (waiting.ended, waiting.state.used) == (False, ())
    assert look(what, waiting.state, [*out, early, late], now=NOW + 2 * HOUR).state.used == ("reply:2",)


def test_a_receipt_that_comes_after_the_reply_does_not_make_it_one_to_an_earlier_text() -> None:
    cases = replace(ANY_REPLY, where=when("last_reply.at > last_message.sent_at"))
    facts = [moved("accepted", NOW), reply("yes", NOW + MINUTE), moved("delivered", NOW + HOUR)]
    what = journey(send(), wait_for("steps[1]", cases))
    assert look(what, at_message(), facts, now=NOW + 2 * HOUR).ended


def test_the_last_message_is_this_enrollments_latest_text_whatever_else_moved_since() -> None:
    seen: list[Any] = []

    def noting(expression: Expression, names: Mapping[str, Any]) -> Any:
        seen.append(names["last_message"])
        return evaluate(expression, names)

    what = journey(send(), exit_when=(ExitRule("exit_when[0]", HERE, where=when("false")),))
    theirs, ours = moved("delivered", NOW + HOUR, "theirs"), moved("failed", NOW)
    look(what, at_message(), [theirs, ours], now=NOW + 2 * HOUR, around=Surroundings(noting))
    assert seen[0] == {"state": "failed", "at": NOW, "sent_at": NOW}
    seen.clear()
    look(what, facts=[theirs], now=NOW + 2 * HOUR, around=Surroundings(noting))
    assert seen[0] == {}


@pytest.mark.parametrize(
    ("kind", "state", "other"),
    [(CaseKind.DELIVERED, "delivered", "undelivered"), (CaseKind.FAILED, "undelivered", "delivered")],
)
def test_what_became_of_a_text_can_be_waited_for(kind: CaseKind, state: str, other: str) -> None:
    cases = case("steps[1].wait_for.cases[0]", kind)
    what = journey(send(), wait_for("steps[1]", cases))
    out = moved("accepted", NOW)
    assert look(what, at_message(), [out, moved(state, NOW + MINUTE)], now=NOW + HOUR).ended
    assert not look(what, at_message(), [out, moved(other, NOW + MINUTE)], now=NOW + HOUR).ended


def test_the_text_meant_is_the_latest_or_the_one_named() -> None:
    state = replace(at_message(), cursor="").with_message(send("steps[9]"), "m2")
    latest = case("steps[0].wait_for.cases[0]", CaseKind.DELIVERED)
    facts = [moved("delivered", NOW, "m1")]
    assert not look(journey(wait_for("steps[0]", latest)), state, facts).ended
    assert look(journey(wait_for("steps[0]", replace(latest, send_id="steps[0]"))), state, facts).ended
    assert not look(journey(wait_for("steps[0]", replace(latest, send_id="steps[8]"))), state, facts).ended


def test_a_delivery_may_be_asked_for_twice() -> None:
    cases = case("steps[1].wait_for.cases[0]", CaseKind.DELIVERED)
    what = journey(send(), wait_for("steps[1]", cases), wait_for("steps[2]", replace(cases, path="second")))
    facts = [moved("accepted", NOW), moved("delivered", NOW + MINUTE)]
    assert look(what, at_message(), facts, now=NOW + HOUR).exit_reason == "completed"


def test_a_case_whose_condition_breaks_ends_the_enrollment() -> None:
    cases = replace(ANY_REPLY, where=when("nonsense"))
    decision = look(journey(wait_for("steps[0]", cases)), facts=[reply("hello", NOW)])
    assert decision.exit_reason == "steps[0] failed: nonsense is undefined"


def test_a_click_on_the_link_named_answers_and_any_click_where_none_is_named() -> None:
    named = case("steps[0].wait_for.cases[0]", CaseKind.CLICK, link="payment")
    what = journey(wait_for("steps[0]", named))
    decision = look(what, facts=[click(NOW)])
    assert decision.ended
    assert [line.summary for line in decision.trace] == ["Goes on: the link payment was followed"]
    assert not look(what, facts=[click(NOW, "tracking")]).ended
    assert look(journey(wait_for("steps[0]", replace(named, link=None))), facts=[click(NOW, "tracking")]).ended


@pytest.mark.parametrize(("enrollment_id", "is_taken"), [(None, True), ("e1", True), ("e2", False)])
def test_a_click_on_another_enrollment_s_link_is_not_taken(enrollment_id: str | None, *, is_taken: bool) -> None:
    what = journey(wait_for("steps[0]", case("steps[0].wait_for.cases[0]", CaseKind.CLICK)))
    assert look(what, facts=[click(NOW, enrollment_id=enrollment_id)]).ended is is_taken


def test_a_click_answers_one_wait_for_only() -> None:
    any_click = case("first", CaseKind.CLICK)
    what = journey(wait_for("steps[0]", any_click), wait_for("steps[1]", replace(any_click, path="second")))
    decision = look(what, facts=[click(NOW)])
    assert (decision.ended, decision.state.cursor) == (False, "steps[1]")


def test_wait_for_says_which_click_it_waits_for() -> None:
    cases = [case("first", CaseKind.CLICK, link="payment"), case("second", CaseKind.CLICK)]
    assert look(journey(wait_for("steps[0]", *cases))).waits_for.startswith("a click on payment or a click, until")


def test_a_time_out_may_be_counted_in_business_days() -> None:
    what = journey(wait_for("steps[0]", ANY_REPLY, within=BusinessDays(2)))  # NOW is a Friday
    assert look(what).due_at == NOW + 4 * DAY


# Branching, tasks, ends


def test_if_takes_the_first_branch_that_holds_and_says_what_it_saw() -> None:
    step = If(
        id="steps[0]",
        path="steps[0]",
        place=HERE,
        branches=(
            Branch(when("false"), (leave("steps[0].then[0]", "first"),)),
            Branch(when("invoice.balance_due > 500"), (leave("steps[0].elif[0].then[0]", "second"),)),
        ),
        otherwise=(leave("steps[0].else[0]", "else"),),
    )
    decision = look(journey(step))
    assert decision.exit_reason == "second"
    assert {"invoice.balance_due": Decimal(600)} in [dict(line.values) for line in decision.trace]
    little = {"invoice": {"balance_due": Decimal(1)}}
    assert look(journey(step), names=little).exit_reason == "else"


def test_after_nested_steps_the_run_goes_on_after_the_step_they_are_in() -> None:
    step = If(
        id="steps[0]",
        path="steps[0]",
        place=HERE,
        branches=(Branch(when("true"), (task("steps[0].then[0]"),)),),
    )
    decision = look(journey(step, task("steps[1]")))
    assert keys(decision) == ["e1:steps[0].then[0]", "e1:steps[1]"]
    assert decision.exit_reason == "completed"


def test_a_step_whose_when_does_not_hold_is_skipped_and_traced() -> None:
    decision = look(journey(send(when=when("false"))))
    assert (decision.actions, decision.exit_reason) == ((), "completed")
    assert words(decision) == [("steps[0]", "skipped")]


def test_when_is_asked_at_entry_only() -> None:
    step = send(when=when("invoice.balance_due > 500"))
    little = {"invoice": {"balance_due": Decimal(1)}}
    assert not look(journey(step), at_message(), names=little).ended


def test_a_broken_condition_runs_on_failure_or_ends() -> None:
    assert look(journey(send(when=when("nonsense")))).exit_reason == "steps[0] failed: nonsense is undefined"
    step = send(when=when("nonsense"), on_failure=(leave("steps[0].on_failure[0]", "handled"),))
    assert look(journey(step)).exit_reason == "handled"


def test_a_journey_without_steps_is_completed() -> None:
    assert look(journey()).exit_reason == "completed"


def test_a_step_that_its_version_does_not_have_ends_the_enrollment() -> None:
    decision = look(journey(send()), replace(START, cursor="steps[7]"))
    assert decision.exit_reason == "this version of the journey has no step steps[7]"


# What ends it from outside


def test_a_paid_invoice_stops_the_reminders_before_the_next_one() -> None:
    rule = ExitRule("exit_when[0]", HERE, event="invoice.paid", where=when("event.invoice.id == invoice.id"))
    what = journey(wait("steps[0]", DAY), send("steps[1]"), exit_when=(rule,))
    waiting = look(what)
    ended = look(what, waiting.state, [paid(NOW + HOUR)], now=NOW + 2 * DAY)
    assert (ended.ended, ended.actions, ended.exit_reason) == (True, (), "invoice.paid happened")
    assert not look(what, waiting.state, [paid(NOW + HOUR, invoice_id="8")], now=NOW + HOUR).ended


def test_an_event_that_was_read_before_the_trigger_still_ends_it() -> None:
    rule = ExitRule("exit_when[0]", HERE, event="invoice.paid")
    state = begin("e1", trigger="event:trigger", occurred_at=NOW - HOUR, now=NOW)
    assert look(journey(send(), exit_when=(rule,)), state, [paid(NOW - MINUTE)]).ended


def test_a_condition_ends_it_while_it_waits() -> None:
    rule = ExitRule("exit_when[0]", HERE, where=when("invoice.balance_due > 500"))
    decision = look(journey(send(), exit_when=(rule,)))
    assert decision.exit_reason == "invoice.balance_due > 500 holds"
    little = {"invoice": {"balance_due": Decimal(1)}}
    assert look(journey(send(), exit_when=(rule,)), names=little).actions


def test_a_broken_exit_rule_ends_it_rather_than_texting_on() -> None:
    rule = ExitRule("exit_when[0]", HERE, where=when("nonsense"))
    decision = look(journey(send(), exit_when=(rule,)))
    assert (decision.actions, decision.exit_reason) == ((), "exit_when[0] failed: nonsense is undefined")


def test_an_opt_out_ends_it() -> None:
    said_stop = Fact("optout", EntryKind.OPTED_OUT, NOW)
    assert look(journey(send()), facts=[said_stop]).exit_reason == "the contact opted out"


def test_who_opted_in_again_before_anybody_looked_is_texted_on() -> None:
    stop, start = Fact("stop", EntryKind.OPTED_OUT, NOW), Fact("start", EntryKind.OPTED_IN, NOW + MINUTE)
    assert look(journey(send()), facts=[start, stop], now=NOW + HOUR).actions
    again = Fact("stop again", EntryKind.OPTED_OUT, NOW + 2 * MINUTE)
    assert look(journey(send()), facts=[again, start, stop], now=NOW + HOUR).exit_reason == "the contact opted out"


def test_what_became_of_its_own_text_counts_when_the_clock_that_wrote_it_was_behind() -> None:
    what = journey(send(), leave("steps[1]", "out"))
    assert look(what, at_message(), [moved("accepted", NOW - MINUTE)]).exit_reason == "out"
    assert not look(what, at_message(), [moved("accepted", NOW - MINUTE, "another")]).ended


def test_a_reason_from_outside_ends_it_at_once() -> None:
    decision = look(journey(send()), stop_reason="the contact was deleted in the CRM")
    assert (decision.actions, decision.exit_reason) == ((), "the contact was deleted in the CRM")


# Variables, traces, state


def test_variables_are_computed_at_entry_and_kept() -> None:
    what = journey(
        wait("steps[0]", DAY),
        send("steps[1]", when=when("vars.double > 1000")),
        variables={"double": when("invoice.balance_due * 2")},
    )
    first = look(what)
    assert first.state.vars == {"double": Decimal(1200)}
    little = {"invoice": {"balance_due": Decimal(1)}}
    assert look(what, first.state, now=NOW + DAY, names=little).actions


def test_a_variable_that_cannot_be_computed_ends_the_enrollment() -> None:
    decision = look(journey(send(), variables={"broken": when("nonsense")}))
    assert decision.exit_reason == "variables.broken failed: nonsense is undefined"


def test_a_task_is_not_told_twice() -> None:
    decision = look(journey(task("steps[0]"), wait("steps[1]", HOUR)))
    assert [type(action) for action in decision.actions] == [Perform]
    assert [path for path, _ in words(decision)] == ["steps[1]"]


def test_a_trace_shows_no_number_and_no_text() -> None:
    decision = look(journey(send(when=when("contact.phone")), exit_when=()), facts=[reply("secret words", NOW)])
    assert "+12025550143" not in repr(decision)
    skipped = look(journey(send(when=when("false"))), facts=[reply("secret words", NOW)])
    assert "secret words" not in repr(skipped)


def test_a_state_survives_being_kept_as_json() -> None:
    what = journey(wait("steps[0]", DAY), variables={"double": when("invoice.balance_due * 2")})
    state = look(what).state.with_message(send("steps[0]"), "m1").with_send_error("why")
    assert RunState.from_json(json.loads(json.dumps(state.to_json()))) == state
    assert RunState.from_json(json.loads(json.dumps(START.to_json()))) == START


def test_deciding_twice_gives_the_same() -> None:
    what = journey(send(), wait_for("steps[1]", ANY_REPLY))
    facts = [moved("accepted", NOW), reply("hello", NOW + MINUTE)]
    assert look(what, at_message(), facts) == look(what, at_message(), list(reversed(facts)))
