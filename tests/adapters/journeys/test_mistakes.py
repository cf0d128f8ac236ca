"""Each mistake in a journey file is told at its exact line, column and path, with what to write instead.

A case changes one line of a correct journey; ⟦ marks the place where the mistake is expected.
"""

from dataclasses import replace

import pytest

from connector.adapters.journey_files import read_journey
from connector.adapters.journey_world import World
from connector.adapters.yaml_file import read_yaml
from connector.errors import Mistake

HERE = "⟦"

JOURNEY = """\
journey: invoice-overdue
title: Overdue invoice reminders
purpose: transactional
owner: billing
timezone: contact
window: business-hours
cap: 3 per 7 days
enabled: yes

trigger:
  event: invoice.overdue
  where: invoice.balance_due >= 10

enroll:
  key: invoice.id
  again: after 30 days

exit_when:
  - event: invoice.paid
    where: event.invoice.id == invoice.id

variables:
  days_late: 3
  is_large: invoice.balance_due > 500

steps:
  - send: invoice-overdue/first
    expires_after: 12 hours
  - wait: 3 days
  - send: invoice-overdue/second
    when: vars.is_large
  - wait_for:
      within: 24 hours
      cases:
        - reply: [PAID, already paid]
          then:
            - task: {for: owner, title: "{{ contact.name }} has paid", due: 1 day}
            - exit: says paid
        - failed: second
          then:
            - exit: unreachable
      else:
        - if: invoice.balance_due > 500
          then:
            - wait: {until: invoice.due_at + 30 days, if_past: skip}
          elif:
            - if: invoice.balance_due > 100
              then:
                - exit: too small
          else:
            - exit: nothing to do
"""


def _mistakes(text: str, world: World, stem: str = "invoice-overdue") -> list[Mistake]:
    _, mistakes = read_journey(read_yaml(text, "mappings/journeys/invoice-overdue.yaml"), stem, world)
    return mistakes


def test_the_journey_the_cases_start_from_is_correct(world: World) -> None:
    journey, mistakes = read_journey(read_yaml(JOURNEY, "x.yaml"), "invoice-overdue", world)
    assert mistakes == []
    assert journey is not None


CASES = [
    # header
    ("title: Over", "⟦titel: Over", "titel", "`titel` is not a key of a journey", "did you mean `title`?"),
    ("journey: inv", "journey: ⟦Inv", "journey", "is not an id of lower-case letters", None),
    ("journey: invoice-overdue", "journey: ⟦overdue", "journey", "the file is named `invoice-overdue`", "overdue.yaml"),
    ("purpose: transactional", "purpose: ⟦transaction", "purpose", "is not one of otp,",
     "did you mean `transactional`?"),
    ("enabled: yes", "enabled: ⟦maybe", "enabled", "expected yes or no, found `maybe`", None),
    ("timezone: contact", "timezone: ⟦Europe/Berlim", "timezone", "IANA", "did you mean `Europe/Berlin`?"),
    ("window: business-hours", "window: ⟦busines-hours", "window", "no send window", "did you mean `business-hours`?"),
    ("cap: 3 per 7 days", "cap: ⟦3 a week", "cap", "is not a cap", None),
    ("cap: 3 per 7 days", "crm: ⟦hubspt", "crm", "there is no CRM `hubspt`", "did you mean `hubspot`?"),
    ("owner: billing", "owner: ⟦[billing]", "owner", "expected a text, found a list", None),
    # trigger and enroll
    ("event: invoice.overdue", "event: ⟦invoice.overdu", "trigger.event", "no event is named", "`invoice.overdue`?"),
    ("invoice.balance_due >= 10", "⟦invoice.balence_due >= 10", "trigger.where", "`invoice` has no `balence_due`",
     "did you mean `invoice.balance_due`?"),
    ("invoice.balance_due >= 10", "invoice.balance_due ⟦= 10", "trigger.where", "did not expect `=`", "write =="),
    ("invoice.balance_due >= 10", "⟦deal.amount > 3", "trigger.where", "there is no `deal`", None),
    ("invoice.balance_due >= 10", "⟦invoice.number > 10", "trigger.where", "two values do not go together", None),
    ("invoice.balance_due >= 10", "⟦(invoice.balance_due >= 10", "trigger.where", "ends too early", None),
    ("invoice.balance_due >= 10", '"⟦{{ invoice.balance_due }} > 1"', "trigger.where", "braces are for texts", None),
    ("  where: invoice.balance_due >= 10", "  ⟦audiense: vip", "trigger.audiense",
     "is not a key of a trigger", "did you mean `audience`?"),
    ("key: invoice.id", "key: ⟦invoice.ids", "enroll.key", "`invoice` has no `ids`", "did you mean `invoice.id`?"),
    ("again: after 30 days", "again: ⟦after lunch", "enroll.again", "is not one of never, after exit", None),
    # exit rules and variables
    ("event: invoice.paid", "event: ⟦invoice.payd", "exit_when[0].event", "no event is named", "`invoice.paid`?"),
    ("where: event.invoice.id", "where: ⟦event.deal.id", "exit_when[0].where", "`event` has no `deal`", None),
    ("is_large: invoice", "is_large: ⟦vars.days_lat + invoice", "variables.is_large",
     "`vars` has no `days_lat`", "late"),
    ("  days_late: 3", "  ⟦Days-Late: 3", "variables.Days-Late", "is no name", None),
    # send
    ("send: invoice-overdue/second", "send: ⟦invoice-overdue/secnd", "steps[2].send",
     "there is no template", "/second`?"),
    ("send: invoice-overdue/second", "send: ⟦second", "steps[2].send", "is not a template such as", None),
    ("expires_after: 12 hours", "expires_after: ⟦12hrs", "steps[0].expires_after",
     "is not a duration", "write 12 hours"),
    ("expires_after: 12 hours", "⟦expires: 12 hours", "steps[0].expires",
     "is not a key of a send step", "expires_after"),
    ("expires_after: 12 hours", "route: ⟦Cheap!", "steps[0].route", "is not a route of", None),
    ("expires_after: 12 hours", "window: ⟦nightly", "steps[0].window", "no send window", "there are anytime"),
    ("expires_after: 12 hours", "policy: ⟦twice", "steps[0].policy", "is not one of at_most_once", None),
    ("expires_after: 12 hours", "to: ⟦ownr", "steps[0].to", "there is no `ownr`", "did you mean `owner`?"),
    ("expires_after: 12 hours", "text: hi", "steps[0].send", "a template or a `text`, and not both", None),
    ("when: vars.is_large", "when: ⟦vars.is_lage", "steps[2].when", "`vars` has no `is_lage`", "`vars.is_large`?"),
    ("when: vars.is_large", "at: ⟦3 days", "steps[2].at", "is no time", "write +3 days"),
    # wait
    ("wait: 3 days", "wait: ⟦3 dayz", "steps[1].wait", "has no known unit", "write 3 days"),
    ("wait: 3 days", "wait: ⟦0 days", "steps[1].wait", "is no time at all", None),
    ("wait: 3 days", "wait: ⟦900 business days", "steps[1].wait", "is out of range", None),
    ("wait: 3 days", "wait:⟦", "steps[1].wait", "has no value", None),
    ("until: invoice.due_at + 30 days", "until: ⟦invoice.number", "steps[3].wait_for.else[0].then[0].wait.until",
     "gives no time to wait until", None),
    ("until: invoice.due_at + 30 days", "until: ⟦best time", "steps[3].wait_for.else[0].then[0].wait.until",
     "needs a limit", "add within: 24 hours"),
    # wait_for
    ("within: 24 hours", "within: ⟦soon", "steps[3].wait_for.within", "is not a duration", None),
    ("reply: [PAID, already paid]", "reply: [PAID, ⟦STOP]", "steps[3].wait_for.cases[0].reply",
     "it is a STOP word", None),
    ("reply: [PAID, already paid]", "⟦clikc: payment", "steps[3].wait_for.cases[0].clikc", "is not a key", "`click`?"),
    ("reply: [PAID, already paid]", "⟦replay: PAID", "steps[3].wait_for.cases[0].replay", "is not a key", "`reply`?"),
    ("failed: second", "reply: [YES, ⟦Paid!]", "steps[3].wait_for.cases[1].reply",
     "is taken by `PAID` in line 35", None),
    ("failed: second", "failed: ⟦secnd", "steps[3].wait_for.cases[1].failed", "no send step has the id", "`second`?"),
    # if, task, exit, unknown
    ("if: invoice.balance_due > 100", "if: ⟦invoice.balance > 1",
     "steps[3].wait_for.else[0].elif[0].if", "has no", None),
    ("for: owner", "for: ⟦bob", "steps[3].wait_for.cases[0].then[0].task.for", "is not owner, or", None),
    ("{{ contact.name }}", "{{ ⟦contact.nme }}", "steps[3].wait_for.cases[0].then[0].task.title", "`contact` has no",
     "did you mean `contact.name`?"),
    ("due: 1 day", "due: ⟦next busines day", "steps[3].wait_for.cases[0].then[0].task.due", "is no time",
     "did you mean `next business day`?"),
    ("wait: 3 days", "split: {⟦a: 1}", "steps[1].split.a", "is not a key of a split", None),
    ("wait: 3 days", "⟦wiat: 3 days", "steps[1].wiat", "there is no step `wiat`", "did you mean `wait`?"),
    ("wait: 3 days", "⟦exit", "steps[1]", "expected a step, found `exit`", "write - exit: …"),
    ("- wait: 3 days", "- ⟦[exit]", "steps[1]", "expected a step, found a list", None),
    ("wait: 3 days", "⟦{wait: 3 days, exit: x}", "steps[1]", "has wait and exit at once", "its own -"),
    ("- send: invoice-overdue/second", "- id: first\n    send: invoice-overdue/second\n  - id: ⟦first\n    wait: 1 day",
     "steps[3].id", "the id `first` is taken", None),
]  # fmt: skip


@pytest.mark.parametrize(("old", "marked", "path", "message", "suggestion"), CASES)
def test_a_mistake_is_told_where_it_is(
    old: str, marked: str, path: str, message: str, suggestion: str | None, world: World
) -> None:
    assert JOURNEY.count(old) >= 1
    text = JOURNEY.replace(old, marked, 1)
    found = [mistake for mistake in _mistakes(text.replace(HERE, ""), world) if mistake.path == path]
    assert found, [str(mistake) for mistake in _mistakes(text.replace(HERE, ""), world)]
    mistake = found[0]
    if HERE in text:
        before = text[: text.index(HERE)]
        assert (mistake.line, mistake.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert message in mistake.message
    assert (suggestion or "") in (mistake.suggestion or "")


@pytest.mark.parametrize(("key", "line"), [("journey", 1), ("purpose", 1), ("trigger", 1), ("steps", 1)])
def test_a_missing_part_of_the_header_is_named(key: str, line: int, world: World) -> None:
    value = read_yaml(JOURNEY, "x").value
    assert key in value
    kept = [part for part in JOURNEY.split("\n\n") if not part.startswith(f"{key}:")]
    text = "\n\n".join(kept) if len(kept) < len(JOURNEY.split("\n\n")) else JOURNEY
    text = "\n".join(row for row in text.split("\n") if not row.startswith(f"{key}:"))
    assert (key, "is missing", line) in [(each.path, each.message, each.line) for each in _mistakes(text, world)]


def test_one_mistake_hides_no_other(world: World) -> None:
    text = JOURNEY.replace("purpose: transactional", "purpose: x").replace("wait: 3 days", "wait: soon")
    text = (
        text.replace("contact.name", "contact.nme").replace("for: owner", "for: bob").replace("is_large\n", "is_lrge\n")
    )
    lines = [mistake.line for mistake in _mistakes(text, world)]
    assert lines == [3, 29, 31, 37, 37]


def test_a_step_behind_an_exit_is_never_reached(world: World) -> None:
    text = JOURNEY.replace(
        "            - exit: says paid\n", "            - exit: says paid\n            - wait: 1 day\n"
    )
    (mistake,) = _mistakes(text, world)
    assert (mistake.path, mistake.line) == ("steps[3].wait_for.cases[0].then[2]", 39)
    assert "never reached" in mistake.message


def test_a_step_behind_branches_that_all_exit_is_never_reached(world: World) -> None:
    text = JOURNEY.replace(
        "            - wait: {until: invoice.due_at + 30 days, if_past: skip}\n", "            - exit: x\n"
    )
    (mistake,) = _mistakes(text + "        - wait: 1 day\n", world)
    assert mistake.path == "steps[3].wait_for.else[1]"


def test_an_exit_with_a_condition_does_not_end_the_list(world: World) -> None:
    text = JOURNEY.replace("- wait: 3 days", "- exit: too small\n    when: invoice.balance_due < 1\n  - wait: 3 days")
    assert _mistakes(text, world) == []


def test_a_reply_case_behind_any_is_never_reached(world: World) -> None:
    text = JOURNEY.replace("reply: [PAID, already paid]", "reply: any").replace("failed: second", "reply: [YES]")
    (mistake,) = _mistakes(text, world)
    assert "the case in line 35 takes any reply" in mistake.message


def test_names_are_unknown_only_where_the_event_is_known(world: World) -> None:
    text = JOURNEY.replace("event: invoice.overdue", "event: cart.left")
    assert [mistake.path for mistake in _mistakes(text, world)] == ["trigger.event"]


def test_event_names_need_an_event(world: World) -> None:
    text = JOURNEY.replace("when: vars.is_large", "when: event.invoice.id == invoice.id")
    (mistake,) = _mistakes(text, world)
    assert "`event` is known only where an event is looked at" in mistake.message


def test_a_template_is_held_against_the_journeys_names_at_its_own_line(world: World) -> None:
    broken = replace(world, templates={**world.templates, "invoice-overdue/first.txt.j2": "Hi\n\n{{ invoice.nmber }}!"})
    (mistake,) = _mistakes(JOURNEY, broken)
    assert (mistake.file, mistake.line, mistake.column) == ("templates/invoice-overdue/first.txt.j2", 3, 4)
    assert mistake.suggestion == "did you mean `invoice.number`?"


def test_a_template_with_a_syntax_error_is_told_with_its_line(world: World) -> None:
    source = "Hi\n{% if invoice.number %}\nx"
    broken = replace(world, templates={**world.templates, "invoice-overdue/first.txt.j2": source})
    (mistake,) = _mistakes(JOURNEY, broken)
    assert (mistake.line, "ends too early" in mistake.message) == (3, True)


def test_a_filter_that_does_not_fit_its_value_is_found_by_rendering_once(world: World) -> None:
    broken = replace(
        world, templates={**world.templates, "invoice-overdue/first.txt.j2": "{{ invoice.number | money }}"}
    )
    (mistake,) = _mistakes(JOURNEY, broken)
    assert "money needs a number" in mistake.message


def test_a_missing_locale_is_a_warning_that_names_the_file(world: World) -> None:
    templates = {path: text for path, text in world.templates.items() if path != "invoice-overdue/second.de.txt.j2"}
    journey, (mistake,) = read_journey(
        read_yaml(JOURNEY, "x.yaml"), "invoice-overdue", replace(world, templates=templates)
    )
    assert (mistake.severity, mistake.path) == ("warning", "steps[2].send")
    assert mistake.suggestion == "add templates/invoice-overdue/second.de.txt.j2"
    assert journey is not None


def test_a_template_in_one_language_only_needs_the_one_for_everybody(world: World) -> None:
    templates = {path: text for path, text in world.templates.items() if path != "invoice-overdue/second.txt.j2"}
    (mistake,) = _mistakes(JOURNEY, replace(world, templates=templates))
    assert "invoice-overdue/second.txt.j2 is missing" in mistake.message


def test_a_character_that_makes_the_text_dear_is_a_warning_at_its_place(world: World) -> None:
    text = "{{ invoice.number }}\nça va"
    dear = replace(world, templates={**world.templates, "invoice-overdue/first.txt.j2": text})
    (mistake,) = _mistakes(JOURNEY, dear)
    assert (mistake.severity, mistake.line, mistake.column) == ("warning", 2, 1)


def test_a_curly_quote_is_no_warning_for_it_is_replaced_on_sending(world: World) -> None:
    curly = replace(
        world, templates={**world.templates, "invoice-overdue/first.txt.j2": "It\u2019s {{ invoice.number }}"}
    )
    assert _mistakes(JOURNEY, curly) == []


def test_a_text_of_seven_parts_is_a_warning(world: World) -> None:
    long = replace(world, templates={**world.templates, "invoice-overdue/first.txt.j2": "a" * 919})
    (mistake,) = _mistakes(JOURNEY, long)
    assert (mistake.severity, "takes 7 SMS" in mistake.message) == ("warning", True)


def test_a_text_longer_than_a_gateway_takes_is_a_mistake(world: World) -> None:
    long = replace(world, templates={**world.templates, "invoice-overdue/first.txt.j2": "a" * 1_601})
    (mistake,) = _mistakes(JOURNEY, long)
    assert (mistake.severity, "longer than 1600" in mistake.message) == ("error", True)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "just words\n"])
def test_a_file_that_is_no_journey_says_so(text: str, world: World) -> None:
    (mistake,) = _mistakes(text, world)
    assert "the file is empty" in mistake.message or "expected a journey" in mistake.message
