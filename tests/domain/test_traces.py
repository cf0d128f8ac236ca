"""What does the trace of each decision say: under which path, of which line, in which words, with which values?

The trace is what an admin reads when somebody asks why; a line that names another step, or says another thing than
was decided, sends them looking in the wrong place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.domain.enrollment import Decision, Fact, RunState, SendSMS
from connector.domain.journey import ExitRule
from connector.domain.places import Expression, Place, Text
from connector.domain.split_choice import drawn_arm
from connector.domain.steps import Arm, Branch, CaseKind, If, Split, Verify, Wait, WaitFor
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind
from tests.domain.journey_parts import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    START,
    at_message,
    case,
    evaluate,
    journey,
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
)

Line = tuple[str, int, str, str, Mapping[str, Any]]
FILE = "journeys/test.yaml"
BALANCE = {"invoice.balance_due": Decimal(600)}


def at(line: int) -> Place:
    return Place(FILE, line, 1)


def condition(source: str, line: int) -> Expression:
    return Expression(source, at(line))


def lines(decision: Decision) -> list[Line]:
    return [(each.path, each.place.line, each.word, each.summary, each.values) for each in decision.trace]


def wait_at(line: int, duration: timedelta | None = None, **more: Any) -> Wait:
    return replace(wait("steps[0]", duration, **more), place=at(line))


def standing_at(path: str, **more: Any) -> RunState:
    return replace(START, cursor=path, entered_at=NOW, **more)


def test_a_text_is_queued_under_its_step_with_the_names_as_they_were() -> None:
    decision = look(journey(send(place=at(7))))
    assert lines(decision) == [("steps[0]", 7, "send", "Queues template a/first for contact", {})]
    (action,) = decision.actions
    assert isinstance(action, SendSMS)
    assert action.names["contact"] == {"id": "42", "name": "Lea", "phone": "+12025550143"}
    assert action.names["now"] == NOW


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"template": "", "text": Text("Hello", at(8))}, "Queues its own text for contact"),
        ({"to": "owner"}, "Queues template a/first for owner"),
        ({"to": condition("contact.phone", 8)}, "Queues template a/first for the number in contact.phone"),
    ],
)
def test_the_trace_says_which_text_and_for_whom(more: dict[str, Any], said: str) -> None:
    assert look(journey(send(**more))).trace[0].summary == said


@pytest.mark.parametrize("state", ["accepted", "sent", "delivered"])
def test_a_text_that_is_out_lets_the_journey_go_on(state: str) -> None:
    decision = look(journey(send(place=at(7)), leave("steps[1]", "done")), at_message(), [moved(state, NOW)])
    assert lines(decision)[0] == ("steps[0]", 7, "sent", f"The text is {state}; goes on", {})


def test_a_text_that_is_over_says_why_it_was_not_sent() -> None:
    decision = look(journey(send(place=at(7))), at_message(), [moved("suppressed", NOW)])
    assert lines(decision) == [("steps[0]", 7, "failed", "Not sent: the text is suppressed; goes on", {})]


def test_a_text_that_is_over_goes_into_the_steps_for_it_and_says_why() -> None:
    failing = send(place=at(7), on_failure=(task("steps[0].on_failure[0]"),))
    decision = look(journey(failing), at_message(), [moved("failed", NOW)])
    assert lines(decision)[0] == ("steps[0]", 7, "failed", "Failed for good: the text is failed", {})


def test_a_text_that_cannot_be_made_says_why() -> None:
    decision = look(journey(send(place=at(7))), standing_at("steps[0]", send_error="no usable number"))
    assert lines(decision) == [("steps[0]", 7, "failed", "Not sent: no usable number; goes on", {})]


def test_a_branch_says_of_each_condition_whether_it_holds() -> None:
    branches = (
        Branch(condition("false", 11), (leave("steps[0].then[0]", "never"),)),
        Branch(condition("invoice.balance_due > 500", 12), (leave("steps[0].elif[0].then[0]", "much"),)),
        Branch(condition("true", 13), (leave("steps[0].elif[1].then[0]", "late"),)),
    )
    decision = look(journey(If(id="steps[0]", path="steps[0]", place=at(10), branches=branches)))
    assert lines(decision)[:2] == [
        ("steps[0]", 11, "branch 0", "false does not hold", {}),
        ("steps[0]", 12, "branch 1", "invoice.balance_due > 500 holds", BALANCE),
    ]
    assert decision.exit_reason == "much"


def test_an_empty_branch_goes_on_behind_the_step() -> None:
    for holds in ("true", "false"):
        empty = If(id="steps[0]", path="steps[0]", place=at(10), branches=(Branch(condition(holds, 11), ()),))
        assert look(journey(empty, leave("steps[1]", "behind"))).exit_reason == "behind"


def _split() -> Split:
    arms = tuple(
        Arm(name, 1, f"steps[0].arms.{name}", at(20 + number), (leave(f"steps[0].arms.{name}.then[0]", name),))
        for number, name in enumerate(["friendly", "firm"])
    )
    return Split(id="tone", path="steps[0]", place=at(19), arms=arms)


@pytest.mark.parametrize("contact_id", ["1", "2", "3", "42", "43", "44"])
def test_the_arm_is_the_contacts_own_and_the_trace_names_it(contact_id: str) -> None:
    decision = look(journey(_split()), names={"contact": {"id": contact_id}})
    arm = drawn_arm(_split(), "test", contact_id)
    said = f"Goes into arm {arm.name} of tone: drawn with a chance of 1 in 2"
    assert lines(decision)[0] == (arm.path, arm.place.line, "arm", said, {})
    assert decision.exit_reason == arm.name


@pytest.mark.parametrize("enrollment_id", ["e1", "e2", "e3", "e4", "e5", "e6"])
def test_who_has_no_id_is_known_by_the_enrollment(enrollment_id: str) -> None:
    for names in ({}, {"contact": None}, {"contact": {"name": "Lea"}}):
        decision = look(journey(_split()), replace(START, enrollment_id=enrollment_id), names=names)
        assert decision.exit_reason == drawn_arm(_split(), "test", enrollment_id).name


def test_a_wait_says_until_when_and_that_it_is_over() -> None:
    waiting = journey(wait_at(7, HOUR))
    ends = NOW + HOUR
    assert lines(look(waiting)) == [
        ("steps[0]", 7, f"waits:{ends.isoformat()}", "Waits until 2026-11-20 11:00 UTC", {})
    ]
    later = look(waiting, standing_at("steps[0]", target=ends), now=ends)
    assert lines(later) == [("steps[0]", 7, "waited", "Waited until 2026-11-20 11:00 UTC", {})]


def _due(due_at: datetime) -> Mapping[str, Any]:
    return {"invoice": {"due_at": due_at}}


def test_a_wait_for_a_moment_shows_the_moment_it_saw() -> None:
    waiting = journey(wait_at(7, until=condition("invoice.due_at", 8)))
    seen = {"invoice.due_at": NOW + HOUR}
    ahead = look(waiting, names=_due(NOW + HOUR))
    assert [(each.word, each.values) for each in ahead.trace] == [(f"waits:{(NOW + HOUR).isoformat()}", seen)]
    over = look(waiting, standing_at("steps[0]", target=NOW + HOUR), now=NOW + HOUR, names=_due(NOW + HOUR))
    assert [(each.word, each.values) for each in over.trace] == [("waited", seen)]


def test_a_wait_for_a_moment_that_is_past_says_so() -> None:
    waiting = wait_at(7, until=condition("invoice.due_at", 8), skip_if_past=True)
    decision = look(journey(waiting), names=_due(NOW - HOUR))
    seen = {"invoice.due_at": NOW - HOUR}
    assert lines(decision) == [("steps[0]", 7, "past", "The time to wait until is past; goes on", seen)]


def test_an_appointment_that_moved_into_the_past_counts_from_when_it_was_heard_of() -> None:
    first = wait("steps[0]", until=condition("invoice.due_at", 8), skip_if_past=True)
    heard = NOW + 30 * MINUTE
    decision = look(
        journey(first, wait("steps[1]", HOUR)),
        standing_at("steps[0]", target=NOW + HOUR),
        now=heard,
        names=_due(NOW - HOUR),
    )
    assert decision.due_at == heard + HOUR


def test_a_best_time_says_why_and_then_that_it_has_come() -> None:
    waiting = journey(wait_at(7, best_within=DAY))
    decision = look(waiting)
    assert [(each.path, each.place.line, each.word) for each in decision.trace] == [("steps[0]", 7, "best time")]
    assert decision.trace[0].summary
    assert decision.due_at is not None
    later = look(waiting, standing_at("steps[0]", target=NOW + HOUR), now=NOW + HOUR)
    assert lines(later) == [("steps[0]", 7, "waited", "Waited until 2026-11-20 11:00 UTC", {})]


def _listening(**more: Any) -> Any:
    answer = case(
        "steps[0].wait_for.cases[0]",
        CaseKind.REPLY,
        keywords=("PAID",),
        where=condition("invoice.balance_due > 500", 12),
        then=(leave("steps[0].wait_for.cases[0].then[0]", "says paid"),),
    )
    return replace(wait_for("steps[0]", replace(answer, place=at(11)), **more), place=at(10))


def test_a_wait_for_says_what_it_waits_for() -> None:
    decision = look(journey(_listening()))
    said = f"Waits for {decision.waits_for}"
    assert lines(decision) == [("steps[0]", 10, "waits", said, {})]
    assert decision.waits_for.endswith("until 2026-11-21 10:00 UTC")


def test_a_wait_for_that_is_answered_names_the_case_and_what_it_saw() -> None:
    decision = look(journey(_listening()), standing_at("steps[0]"), [reply("paid", NOW + HOUR)], NOW + HOUR)
    path, line, word, said, values = lines(decision)[0]
    assert (path, line, word, values) == ("steps[0].wait_for.cases[0]", 11, "matched", BALANCE)
    assert said.startswith("Goes on: ")


def test_a_wait_for_that_nothing_answered_says_since_when() -> None:
    decision = look(journey(_listening()), standing_at("steps[0]"), now=NOW + DAY)
    assert lines(decision)[0] == ("steps[0]", 10, "timed out", "Nothing came until 2026-11-21 10:00 UTC", {})


def test_an_event_that_ends_the_journey_is_named_with_what_its_condition_saw() -> None:
    rule = ExitRule("exit_when[0]", at(5), event="invoice.paid", where=condition("event.invoice.id == invoice.id", 6))
    decision = look(journey(send(), exit_when=(rule,)), facts=[paid(NOW)])
    seen = {"event.invoice.id": "7", "invoice.id": "7"}
    assert lines(decision) == [("exit_when[0]", 5, "exit", "Ends: invoice.paid happened", seen)]


def test_an_event_of_another_record_says_that_its_condition_did_not_hold_and_the_next_one_is_looked_at() -> None:
    rule = ExitRule("exit_when[0]", at(5), event="invoice.paid", where=condition("event.invoice.id == invoice.id", 6))
    what = journey(send(), exit_when=(rule,))
    other, ours = paid(NOW, "8"), paid(NOW + MINUTE)
    unmet = ("exit_when[0]", 5, f"unmet:{other.id}", "invoice.paid happened, but its condition did not hold")
    seen = {"event.invoice.id": "8", "invoice.id": "7"}
    decision = look(what, facts=[paid(NOW, "9", "deal.won"), other, ours], now=NOW + MINUTE)
    assert lines(decision)[0] == (*unmet, seen)
    assert decision.exit_reason == "invoice.paid happened"


def test_a_condition_that_ends_the_journey_is_named_with_what_it_saw() -> None:
    rule = ExitRule("exit_when[0]", at(5), where=condition("invoice.balance_due > 500", 6))
    decision = look(journey(send(), exit_when=(rule,)))
    assert lines(decision) == [("exit_when[0]", 5, "exit", "Ends: invoice.balance_due > 500 holds", BALANCE)]


def test_an_exit_rule_that_cannot_be_evaluated_ends_the_journey_under_its_own_path() -> None:
    rule = ExitRule("exit_when[0]", at(5), where=condition("vars.tries > 2", 6))
    decision = look(journey(send(), exit_when=(rule,)))
    assert lines(decision) == [("exit_when[0]", 5, "failed", "Failed for good: tries is undefined", {})]


def test_a_variable_that_cannot_be_computed_ends_the_journey_under_its_own_path() -> None:
    decision = look(journey(send(), variables={"tries": condition("vars.tries + 1", 4)}))
    assert lines(decision) == [("variables.tries", 4, "failed", "Failed for good: tries is undefined", {})]


def test_a_variable_that_is_known_already_keeps_no_other_from_being_computed() -> None:
    variables = {"tries": when("one"), "double": when("invoice.balance_due * 2")}
    decision = look(journey(send(), variables=variables), replace(START, vars={"tries": 3}))
    assert decision.state.vars == {"tries": 3, "double": Decimal(1200)}


class Seen:
    """Looks at the names that conditions see."""

    def __init__(self) -> None:
        self.names: Mapping[str, Any] = {}

    def __call__(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        self.names = names
        return evaluate(expression, names)


def _names_seen(state: RunState, facts: list[Fact], now: datetime) -> Mapping[str, Any]:
    seen = Seen()
    what = journey(send(), leave("steps[1]", "over"), exit_when=(ExitRule("exit_when[0]", at(5), where=when("false")),))
    look(what, state, facts, now, around=Surroundings(seen))
    return seen.names


def test_conditions_see_nothing_of_a_reply_or_a_text_before_there_is_one() -> None:
    names = _names_seen(START, [], NOW)
    assert (names["last_reply"], names["last_message"], names["now"]) == ({}, {}, NOW)


def test_conditions_see_the_latest_reply_and_how_the_latest_text_stands() -> None:
    facts = [
        moved("accepted", NOW),
        reply("first", NOW + MINUTE, 1),
        reply("second", NOW + 2 * MINUTE, 2),
        moved("delivered", NOW + 3 * MINUTE),
    ]
    names = _names_seen(at_message(), facts, NOW + HOUR)
    assert names["last_reply"]["text"] == "second"
    assert names["last_message"] == {"state": "delivered", "at": NOW + 3 * MINUTE, "sent_at": NOW}


def test_conditions_see_what_the_latest_reply_was_taken_for() -> None:
    facts = [moved("accepted", NOW), reply("PAID, thanks", NOW + MINUTE, 1)]
    names = _names_seen(replace(at_message(), keywords={"reply:1": "PAID"}), facts, NOW + HOUR)
    assert names["last_reply"] == facts[1].reply_names("PAID")["last_reply"]
    assert names["last_reply"] != facts[1].reply_names(None)["last_reply"]


def test_an_enrollment_begins_with_its_trigger_no_later_than_now() -> None:
    assert (START.enrollment_id, START.trigger, START.since, START.base_at) == ("e1", "event:trigger", NOW, NOW)


def test_a_journey_that_waits_for_nothing_more_than_a_text_is_asked_again_within_a_day() -> None:
    decision = look(journey(send()), at_message(), now=NOW)
    assert (decision.due_at, decision.waits_for) == (NOW + timedelta(days=1), "the text of steps[0] to go out")


def _answer(kind: CaseKind, **more: Any) -> Any:
    then = (leave("steps[1].wait_for.cases[0].then[0]", "answered"),)
    answer = replace(case("steps[1].wait_for.cases[0]", kind, then=then, **more), place=at(11))
    return replace(wait_for("steps[1]", answer), place=at(10))


CLICK = Fact("click:1", EntryKind.LINK_CLICKED, NOW + MINUTE, "payment")
ANSWERS: list[tuple[WaitFor, Fact, str]] = [
    (_answer(CaseKind.REPLY, keywords=("PAID",)), reply("paid", NOW + MINUTE), "the reply says PAID"),
    (_answer(CaseKind.REPLY), reply("whatever", NOW + MINUTE), "a reply came"),
    (_answer(CaseKind.EVENT, event="invoice.paid"), paid(NOW + MINUTE), "invoice.paid happened"),
    (_answer(CaseKind.CLICK, link="payment"), CLICK, "the link payment was followed"),
    (_answer(CaseKind.CLICK), replace(CLICK, name=""), "a link was followed"),
    (_answer(CaseKind.DELIVERED), moved("delivered", NOW + MINUTE), "the text is delivered"),
    (_answer(CaseKind.FAILED), moved("undelivered", NOW + MINUTE), "the text is undelivered"),
]


@pytest.mark.parametrize(("step", "fact", "said"), ANSWERS)
def test_the_trace_says_what_answered(step: WaitFor, fact: Fact, said: str) -> None:
    decision = look(journey(send(), step), replace(at_message(), cursor="steps[1]"), [fact], NOW + HOUR)
    assert lines(decision)[0] == ("steps[1].wait_for.cases[0]", 11, "matched", f"Goes on: {said}", {})
    assert decision.exit_reason == "answered"


@pytest.mark.parametrize(("step", "fact", "said"), ANSWERS)
def test_the_trace_says_what_would_have_answered_had_its_condition_held(step: WaitFor, fact: Fact, said: str) -> None:
    strict = replace(step, cases=(replace(step.cases[0], where=condition("false", 12)),))
    decision = look(journey(send(), strict), replace(at_message(), cursor="steps[1]"), [fact], NOW + HOUR)
    unmet: Line = ("steps[1].wait_for.cases[0]", 12, f"unmet:{fact.id}", f"{said}, but its condition did not hold", {})
    assert lines(decision)[0] == unmet


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (_answer(CaseKind.REPLY), "a reply"),
        (_answer(CaseKind.REPLY, keywords=("A", "B")), "a reply (A, B)"),
        (_answer(CaseKind.REPLY, keywords=tuple("ABCDEF")), "a reply (A, B, C, D, E, F)"),
        (_answer(CaseKind.REPLY, keywords=tuple("ABCDEFG")), "a reply (A, B, C, D, E, F …)"),
        (_answer(CaseKind.REPLY, keywords=("OK",), intent="yes"), "a reply that means yes"),
        (_answer(CaseKind.EVENT, event="invoice.paid"), "the event invoice.paid"),
        (_answer(CaseKind.CLICK), "a click"),
        (_answer(CaseKind.CLICK, link="payment"), "a click on payment"),
        (_answer(CaseKind.DELIVERED), "the text to be delivered"),
    ],
)
def test_people_read_what_is_waited_for(step: WaitFor, said: str) -> None:
    assert look(journey(send(), step), replace(START, cursor="steps[1]")).waits_for.startswith(f"{said}, until ")


def test_an_answer_counts_up_to_the_very_deadline_and_the_keyword_is_kept() -> None:
    step = _answer(CaseKind.REPLY, keywords=("PAID",))
    state = replace(START, cursor="steps[1]", entered_at=NOW)
    decision = look(journey(send(), step), state, [reply("paid", NOW + DAY)], NOW + DAY)
    assert decision.exit_reason == "answered"
    assert decision.state.keywords == {"reply:1": "PAID"}
    late = look(journey(send(), step), state, [reply("paid", NOW + DAY + MINUTE)], NOW + 2 * DAY)
    assert late.exit_reason == "completed"


def _verify(**more: Any) -> Verify:
    ask = replace(send("steps[0]"), text=Text("{{ code }}", at(8)), template="")
    ends: dict[str, Any] = {
        "then": (leave("steps[0].then[0]", "right"),),
        "otherwise": (leave("steps[0].else[0]", "wrong"),),
    }
    return Verify(id="steps[0]", path="steps[0]", place=at(7), ask=ask, lifetime=HOUR, **ends, **more)


CODES = Surroundings(evaluate, code_for=lambda key, length: "1234567890"[:length] if key == "e1:steps[0]" else "")
OUT = moved("accepted", NOW)


def test_a_code_that_comes_back_is_right_and_the_trace_does_not_say_it() -> None:
    decision = look(journey(_verify()), at_message(), [OUT, reply("123456", NOW + MINUTE)], NOW + MINUTE, around=CODES)
    assert lines(decision)[0] == ("steps[0]", 7, "answered", "Goes on: the reply says the code", {})
    assert decision.exit_reason == "right"


def test_a_wrong_code_is_counted_and_the_last_one_ends_the_asking() -> None:
    what = journey(_verify(tries=2))
    facts = [OUT, reply("111111", NOW + MINUTE, 1), reply("222222", NOW + 2 * MINUTE, 2)]
    first = look(what, at_message(), facts[:2], NOW + MINUTE, around=CODES)
    until = "until 2026-11-20 11:00 UTC"
    assert lines(first) == [
        ("steps[0]", 7, "wrong:reply:1", "Wrong code, try 1 of 2", {}),
        ("steps[0]", 7, "waits", f"Waits for the code of steps[0], {until}", {}),
    ]
    assert lines(look(what, at_message(), facts, NOW + 2 * MINUTE, around=CODES))[1:3] == [
        ("steps[0]", 7, "wrong:reply:2", "Wrong code, try 2 of 2", {}),
        ("steps[0]", 7, "unanswered", "Not answered: 2 wrong codes", {}),
    ]


def test_a_code_nobody_sent_back_says_until_when_it_was_waited_for() -> None:
    decision = look(journey(_verify()), at_message(), [OUT], NOW + HOUR, around=CODES)
    said = "Not answered: no answer until 2026-11-20 11:00 UTC"
    assert lines(decision)[0] == ("steps[0]", 7, "unanswered", said, {})
    assert decision.exit_reason == "wrong"


@pytest.mark.parametrize(
    ("state", "facts", "said"),
    [
        (at_message(), [moved("failed", NOW)], "the text is failed"),
        (standing_at("steps[0]", send_error="no usable number"), [], "no usable number"),
    ],
)
def test_a_question_that_could_not_be_asked_says_why(state: RunState, facts: list[Fact], said: str) -> None:
    decision = look(journey(_verify()), state, facts, NOW, around=CODES)
    assert lines(decision)[0] == ("steps[0]", 7, "not asked", f"Not asked: {said}", {})
    failing = _verify(on_failure=(leave("steps[0].on_failure[0]", "call them"),))
    failed = look(journey(failing), state, facts, NOW, around=CODES)
    assert lines(failed)[0] == ("steps[0]", 7, "failed", f"Failed for good: {said}", {})
    assert failed.exit_reason == "call them"
