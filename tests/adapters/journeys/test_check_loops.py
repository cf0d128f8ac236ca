"""A check finds journeys that start each other for ever, and leaves alone those that end by themselves."""

from dataclasses import replace

from connector.adapters.loop_checks import loop_mistakes
from connector.adapters.mention_checks import enroll_mistakes
from connector.domain.journey import Journey
from connector.errors import Mistake
from tests.adapters.journeys.checking import journey_of, world

ALWAYS = "enroll: {key: invoice.id, again: always}\n"


def _journey(name: str, steps: str, head: str = ALWAYS, event: str = "invoice.overdue") -> Journey:
    return replace(journey_of(steps, head=head, event=event), id=name)


def _loops(*journeys: Journey) -> dict[str, list[Mistake]]:
    return loop_mistakes({journey.id: journey for journey in journeys}, world().catalogue)


def test_a_journey_that_starts_itself_without_a_wait_is_a_loop() -> None:
    found = _loops(_journey("under-test", "- enroll: under-test"))
    (mistake,) = found["under-test"]
    assert mistake.severity == "error"
    assert "starts this journey again" in mistake.message


def test_two_journeys_that_start_each_other_are_both_in_the_loop() -> None:
    found = _loops(_journey("under-test", "- enroll: other"), _journey("other", "- enroll: under-test"))
    assert found.keys() == {"under-test", "other"}
    assert "under-test → other → under-test" in found["under-test"][0].message


def test_a_loop_through_a_third_journey_is_found() -> None:
    found = _loops(
        _journey("a", "- enroll: other"),
        _journey("other", "- enroll: under-test"),
        _journey("under-test", "- enroll: a"),
    )
    assert "a → other → under-test → a" in found["a"][0].message
    assert found.keys() == {"a", "other", "under-test"}


def test_a_journey_that_only_leads_to_a_loop_is_not_in_it() -> None:
    found = _loops(_journey("a", "- enroll: under-test"), _journey("under-test", "- enroll: under-test"))
    assert found.keys() == {"under-test"}


def test_a_wait_between_two_rounds_is_no_loop() -> None:
    for wait in ("- wait: 1 day", "- note: a\n  at: +1 day", "- confirm: {text: Yours?, reply: [YES], within: 1 hour}"):
        assert _loops(_journey("under-test", f"{wait}\n- enroll: under-test")) == {}


def test_a_wait_that_is_left_out_on_some_way_is_still_a_loop() -> None:
    for wait in (
        "- wait: 1 day\n  when: invoice.balance_due > 5",
        "- if: invoice.balance_due > 5\n  then: [{wait: 1 day}]",
    ):
        assert _loops(_journey("under-test", f"{wait}\n- enroll: under-test"))


def test_a_wait_on_every_way_is_no_loop() -> None:
    waits = "- if: invoice.balance_due > 5\n  then: [{wait: 1 day}]\n  else: [{exit: small}]"
    assert _loops(_journey("under-test", f"{waits}\n- enroll: under-test")) == {}


def test_a_rule_that_lets_nobody_in_twice_ends_a_loop() -> None:
    for again in ("never", "after 30 days"):
        head = f"enroll: {{key: invoice.id, again: {again}}}\n"
        assert _loops(_journey("under-test", "- enroll: under-test", head)) == {}


def test_writing_the_property_that_starts_the_journey_is_a_warning() -> None:
    head = "enroll: {key: deal.id, again: after exit}\n"
    steps = "- set: {deal.stage: contacted}"
    (mistake,) = _loops(_journey("under-test", steps, head, "deal.stage_changed"))["under-test"]
    assert mistake.severity == "warning"


def test_writing_another_property_starts_nothing() -> None:
    head = "enroll: {key: deal.id, again: after exit}\n"
    assert _loops(_journey("under-test", "- set: {deal.name: x}", head, "deal.stage_changed")) == {}


def test_a_journey_that_reads_records_which_its_starter_lacks_is_a_warning() -> None:
    deals = _journey("other", "- note: x", "", "deal.stage_changed")
    found = enroll_mistakes({"a": _journey("a", "- enroll: other"), "other": deals}, world().catalogue)
    (mistake,) = found["a"]
    assert (mistake.severity, "reads deal" in mistake.message) == ("warning", True)
