"""A check looks up everything a journey names that stands elsewhere, and says which there are."""

import pytest

from tests.adapters.journeys.checking import check, said, world

CASES = [
    ("- notify: {channel: taem, text: x}", "notify.channel", "no channel is named `taem`", "did you mean `team`?"),
    (
        "- notify: {channel: chat, text: x}",
        "notify.channel",
        "`chat` is of kind whatsapp",
        "there are mail, shop, team",
    ),
    ("- handoff: {to: email, channel: team}", "handoff.channel", "is of kind slack: expected email", "mail"),
    ("- handoff: {to: whatsapp, channel: caht, text: x}", "handoff.channel", "no channel is named", "`chat`?"),
    ("- call: {endpoint: shpo}", "call.endpoint", "no endpoint is named `shpo`", "did you mean `shop`?"),
    ("- enroll: othr", "enroll", "no journey is named `othr`", "did you mean `other`?"),
    ("- {send: , text: x, route: chaep}", "route", "no route is named `chaep`", "did you mean `cheap`?"),
    ("- set: {deal.stage: won}", "set.deal.stage", "has no record `deal`", "there are contact, invoice"),
    (
        "- set: {invoice.statsu: open}",
        "set.invoice.statsu",
        "no event file reads `invoice.statsu`",
        "`invoice.status`?",
    ),
    ("- set: {contact.cty: Rome}", "set.contact.cty", "no event file reads `contact.cty`", "`contact.city`?"),
    ("- set: {contact.name: Bo}", "set.contact.name", "is put together of others", "write first_name, last_name"),
]


@pytest.mark.parametrize(("step", "path", "message", "suggestion"), CASES)
def test_a_name_that_does_not_exist_is_told_at_its_place(step: str, path: str, message: str, suggestion: str) -> None:
    (mistake,) = check(step)
    assert mistake.path == f"steps[0].{path}"
    assert mistake.line == 6
    assert message in mistake.message
    assert suggestion in (mistake.suggestion or "")


def test_a_stage_is_written_by_its_id() -> None:
    (mistake,) = check("- set: {deal.stage_label: Won}", event="deal.stage_changed")
    assert "name as people see it" in mistake.message
    assert mistake.suggestion == "write `deal.stage`, the stage's id in the CRM"


def test_names_that_exist_are_right() -> None:
    steps = """
- notify: {channel: owner, text: x}
- notify: {channel: team, title: x, text: y}
- handoff: {to: email, channel: mail}
- handoff: {to: whatsapp, channel: chat, text: x}
- call: {endpoint: shop}
- enroll: other
- {send: , text: x, route: cheap, window: daytime}
- set: {invoice.status: open, contact.city: Rome, vars.x: 1}
"""
    assert said(steps) == []


CLICK = "- wait_for: {{within: 1 day, cases: [{{click: {}}}]}}"


def test_a_click_on_a_link_that_no_text_makes_is_a_mistake() -> None:
    send = "- {send: , text: \"{{ invoice.link | link('payment') }}\"}\n"
    assert said(send + CLICK.format("payment")) == []
    assert said(send + CLICK.format("any")) == []
    (mistake,) = check(send + CLICK.format("paymnt"))
    assert mistake.path == "steps[1].wait_for.cases[0].click"
    assert mistake.suggestion == "did you mean `payment`?"


def test_a_click_without_any_link_is_a_mistake() -> None:
    (mistake,) = check(CLICK.format("any"))
    assert "no text of this journey has a link" in mistake.message


def test_a_template_in_any_language_can_make_the_link() -> None:
    texts = world(first="Hello", first_de="{{ invoice.link | link('payment') }}")
    assert said("- send: under-test/first\n" + CLICK.format("payment"), texts) == []


WAIT = "- wait_for:\n    within: 1 day\n    cases:\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("event: invoice.paid", "event: invoice.paid\n        where: event.invoice.balance_due < 1"),
        ("delivered:", "delivered:"),
        ("reply: any", "reply: [YES]"),
        ("intent: 'yes'", "reply: [YES]"),
    ],
)
def test_a_case_that_an_earlier_one_covers_is_never_reached(first: str, second: str) -> None:
    found = check(f"- {{send: , text: x}}\n{WAIT}      - {first}\n      - {second}\n")
    assert [mistake.path.partition(".cases")[2][:3] for mistake in found] == ["[1]"]
    assert found[0].line == 11


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("event: invoice.paid\n        where: event.invoice.balance_due < 1", "event: invoice.paid"),
        ("reply: [YES]", "reply: any"),
        ("delivered:", "failed:"),
        ("reply: [YES]", "reply: [NO]"),
    ],
)
def test_cases_that_leave_something_to_each_other_are_right(first: str, second: str) -> None:
    assert said(f"- {{send: , text: x}}\n{WAIT}      - {first}\n      - {second}\n") == []


def test_a_confirm_by_a_word_that_stops_is_a_mistake() -> None:
    (mistake,) = check("- confirm: {text: x, reply: [YES, QUIT], within: 1 day}")
    assert (mistake.path, mistake.column) == ("steps[0].confirm.reply", 37)
    assert "`QUIT` never gets here: it is a STOP word" in mistake.message
