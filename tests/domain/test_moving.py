"""Is a step known again in another version of its journey, and does whoever stands at it lose nothing on the way?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connector.domain.differences import Change, differences
from connector.domain.journey import Journey
from connector.domain.message import Purpose
from connector.domain.moving import move
from connector.domain.run import RunState, Sent
from connector.domain.step_matching import counterparts, told
from connector.domain.steps import Arm, Branch, CaseKind, Confirm, If, Metric, Split, Step, Verify
from tests.domain.journey_parts import DAY, HERE, NOW, case, journey, leave, send, task, wait, wait_for, when


def at(cursor: str, **more: object) -> RunState:
    return replace(RunState("e1", NOW, NOW, cursor, NOW), **more)  # type: ignore[arg-type]


def moved(old: Journey, new: Journey, state: RunState, **mapping: str) -> str | None:
    there = move(old, new, state, mapping)
    return None if there is None else there.cursor


def test_a_step_put_in_before_does_not_make_another_step_of_it() -> None:
    old = journey(send("steps[0]"), wait("steps[1]", DAY), wait("steps[2]", 2 * DAY))
    new = journey(send("steps[0]"), task("steps[1]"), wait("steps[2]", DAY), wait("steps[3]", 2 * DAY))
    assert counterparts(old, new) == {"steps[0]": "steps[0]", "steps[1]": "steps[2]", "steps[2]": "steps[3]"}
    assert moved(old, new, at("steps[2]")) == "steps[3]"


def test_a_changed_step_among_unchanged_ones_is_still_the_same_step() -> None:
    old = journey(send("steps[0]"), wait("steps[1]", DAY), task("steps[2]"))
    new = journey(send("steps[0]"), wait("steps[1]", 3 * DAY), task("steps[2]"))
    assert moved(old, new, at("steps[1]")) == "steps[1]"


def test_an_id_finds_its_step_wherever_it_went() -> None:
    pause = replace(wait("steps[0]", DAY), id="pause")
    old = journey(pause, send("steps[1]"))
    new = journey(send("steps[0]"), replace(pause, path="steps[1]", duration=5 * DAY))
    assert moved(old, new, at("steps[0]")) == "steps[1]"


def test_an_id_that_was_given_only_now_is_no_other_step() -> None:
    old = journey(wait("steps[0]", DAY))
    new = journey(replace(wait("steps[0]", DAY), id="pause"))
    assert moved(old, new, at("steps[0]")) == "steps[0]"


def test_who_stands_at_a_step_that_is_gone_cannot_be_moved() -> None:
    old = journey(send("steps[0]"), wait("steps[1]", DAY))
    assert move(old, journey(send("steps[0]")), at("steps[1]"), {}) is None
    assert move(old, old, at("steps[9]"), {}) is None
    assert move(old, old, at("steps[1]"), {"steps[1]": "nowhere"}) is None


def test_who_has_not_begun_begins_in_the_new_version() -> None:
    there = move(journey(send("steps[0]")), journey(wait("steps[0]", DAY)), at(""), {})
    assert there is not None
    assert (there.cursor, there.revision) == ("", 1)


def test_the_message_of_the_step_goes_along_so_that_it_is_not_made_again() -> None:
    old = journey(send("steps[0]", id="hello"), send("steps[1]", id="again"))
    new = journey(task("steps[0]"), send("steps[1]", id="hello"), send("steps[2]", id="again"))
    state = at("steps[1]", sent=(Sent("hello", "steps[0]", "m1"), Sent("again", "steps[1]", "m2")))
    there = move(old, new, state, {})
    assert there is not None
    assert (there.cursor, there.message_id) == ("steps[2]", "m2")
    assert there.sent[0] == Sent("hello", "", "m1")


def test_what_a_step_does_goes_by_another_key_after_the_move() -> None:
    old, step = journey(task("steps[0]")), task("steps[0]")
    there = move(old, old, at("steps[0]"), {})
    assert there is not None
    assert there.key(step) != at("steps[0]").key(step)


def test_at_a_step_of_another_kind_one_arrives_anew() -> None:
    old, new = journey(wait("steps[0]", DAY)), journey(send("steps[0]"))
    there = move(old, new, at("steps[0]", target=NOW), {"steps[0]": "steps[0]"})
    assert there is not None
    assert (there.entered_at, there.target) == (None, None)


SIX = Verify(id="code", path="steps[0]", place=HERE, ask=send(id="code"))
CODED = Confirm(id="code", path="steps[0]", place=HERE, ask=send(id="code"), within=DAY, code_length=6)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SIX, replace(SIX, length=4)),
        (CODED, replace(CODED, code_length=4)),
        (CODED, replace(CODED, code_length=0, keywords=("YES",))),
    ],
)
def test_a_code_that_was_sent_stays_right_because_who_has_it_stays(old: Verify | Confirm, new: Step) -> None:
    there, elsewhere = journey(new), at("steps[0]", entered_at=None)
    assert move(journey(old), there, at("steps[0]"), {"code": "code"}) is None
    assert moved(journey(old), there, elsewhere) == "steps[0]"
    assert moved(journey(old), journey(replace(old, then=(leave("steps[0].then[0]", "in"),))), at("steps[0]"))


def test_an_earlier_message_is_not_that_of_a_step_which_stands_now_where_its_own_stood() -> None:
    old = journey(send("steps[0]", id="a"), send("steps[1]", id="b"), wait("steps[2]", DAY))
    new = journey(wait("steps[0]", DAY), send("steps[1]", id="c", template="a/third"))
    there = move(old, new, at("steps[2]", sent=(Sent("a", "steps[0]", "m1"), Sent("b", "steps[1]", "m2"))), {})
    assert there is not None
    assert there.cursor == "steps[0]"
    assert replace(there, cursor="steps[1]").message_id is None


def test_a_message_goes_by_the_new_id_of_its_step() -> None:
    old = journey(send("steps[0]", id="hello"), wait("steps[1]", DAY))
    new = journey(send("steps[0]", id="welcome"), wait("steps[1]", DAY))
    there = move(old, new, at("steps[1]", sent=(Sent("hello", "steps[0]", "m1"),)), {"hello": "welcome"})
    assert there is not None
    assert there.sent == (Sent("welcome", "", "m1"),)


def test_a_renamed_split_keeps_the_arm_of_who_is_in_it() -> None:
    def tried(name: str) -> Journey:
        arm = Arm("firm", 1, "steps[0].arms.firm", HERE, ())
        return journey(Split(id=name, path="steps[0]", place=HERE, arms=(arm,)), wait("steps[1]", DAY))

    there = move(tried("tone"), tried("voice"), at("steps[1]", arms={"tone": "firm"}), {"tone": "voice"})
    assert there is not None
    assert there.arms == {"voice": "firm"}


def test_differences_name_the_header_key_the_step_and_what_was_and_is() -> None:
    old = journey(send("steps[0]"), wait("steps[1]", DAY))
    new = replace(
        journey(send("steps[0]"), task("steps[1]"), wait("steps[2]", 2 * DAY)),
        purpose=Purpose.MARKETING,
        trigger=replace(old.trigger, where=when("true")),
    )
    found = differences(old, new)
    assert found.header == (
        Change("changed", "purpose", "", "transactional", "marketing"),
        Change("changed", "trigger.where", "", "", "true"),
    )
    assert Change("added", "steps[1]", new="Task: owner") in found.steps


def test_a_changed_option_of_a_step_is_told_as_an_admin_writes_it() -> None:
    old = journey(send("steps[0]", expires_after=timedelta(hours=12)), leave("steps[1]", "paid"))
    new = journey(send("steps[0]", expires_after=DAY))
    assert differences(old, new).steps == (
        Change("changed", "steps[0]", "expires_after", "12 hours", "1 day"),
        Change("removed", "steps[1]", old="Exit: paid"),
    )


def test_a_step_that_only_changed_its_place_has_moved() -> None:
    first, second = send("steps[0]", id="a"), send("steps[1]", id="b")
    new = journey(replace(second, path="steps[0]"), replace(first, path="steps[1]"))
    assert differences(journey(first, second), new).steps == (
        Change("moved", "a", "", "steps[0]", "steps[1]"),
        Change("moved", "b", "", "steps[1]", "steps[0]"),
    )


def test_a_step_that_became_one_of_another_kind_under_its_id_has_changed() -> None:
    old, new = journey(send("steps[0]", id="a")), journey(replace(wait("steps[0]", DAY), id="a"))
    assert differences(old, new).steps == (Change("changed", "a", "kind", "Send: a/first", "Wait: 1 day"),)


def test_the_same_journey_further_down_in_its_file_is_no_difference() -> None:
    lower = replace(HERE, line=40)
    assert not differences(journey(send()), journey(replace(send(), place=lower)))


def test_texts_differ_line_by_line_and_by_language() -> None:
    old = replace(journey(), source={"templates": {"a/b.txt.j2": "Hi\nthere", "a/b.de.txt.j2": "Hallo"}})
    new = replace(journey(), source={"templates": {"a/b.txt.j2": "Hi\nyou", "a/b.de.txt.j2": "Hallo"}})
    assert {path: lines[3:] for path, lines in differences(old, new).texts.items()} == {
        "a/b.txt.j2": (" Hi", "-there", "+you")
    }


def test_steps_below_a_step_are_told_by_themselves() -> None:
    def nested(*then: Step) -> Journey:
        branch = If(id="steps[0]", path="steps[0]", place=HERE, branches=(Branch(when("true"), then),))
        return journey(branch, wait_for("steps[1]", case("steps[1].wait_for.cases[0]", CaseKind.REPLY)))

    found = differences(nested(), nested(leave("steps[0].then[0]", "done")))
    assert found.steps == (Change("added", "steps[0].then[0]", new="Exit: done"),)
    assert differences(nested(), journey()).steps[0] == Change("removed", "steps[0]", old="If: condition: true")


def test_values_are_told_in_words() -> None:
    assert told(HERE) == ""
    assert told(True) == "yes"
    assert told(Metric.REPLY_RATE) == "reply rate"
    assert told({"a": when("1 + 1")}) == "a: 1 + 1"
    assert told(7) == "7"
    assert told(NOW.time()) == "10:00"
