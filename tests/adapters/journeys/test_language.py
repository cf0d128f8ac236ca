"""Every key of the header and every kind of step is read as it is written, and refused where it means nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import time, timedelta
from textwrap import indent
from typing import Any

import pytest

from connector.adapters.journey_builder import JourneyBuilder, hash_of
from connector.adapters.journey_files import journey_from_source
from connector.adapters.journey_meanings import Meanings
from connector.adapters.poll_conditions import format_condition, parse_condition
from connector.adapters.yaml_file import read_yaml
from connector.domain.durations import BusinessDays
from connector.domain.errands import Call, Handoff, HandoffTo, Notify, SetValues, Task
from connector.domain.journey import Audience, Journey
from connector.domain.message import Purpose
from connector.domain.places import Expression, Place
from connector.domain.steps import CaseKind, Confirm, Metric, Send, Split, Step, Verify, Wait, WaitFor, Winner, walk
from connector.errors import MappingError
from connector.ports.channels import ChannelKind

HERE = "⟦"
AUDIENCES = Place("mappings/audiences.yaml", 4, 3)
MEANINGS = Meanings(
    {"yes": ("YES", "JA"), "call me": ("CALL ME",)},
    {
        "customers": Audience(
            "customers",
            AUDIENCES,
            Expression("contact.city is not none", AUDIENCES),
            {"hubspot": (parse_condition("lifecyclestage = customer"), parse_condition("createdate < now - 30 days"))},
        ),
        "unlisted": Audience("unlisted", AUDIENCES, Expression("true", AUDIENCES)),
    },
)

EVERY_STEP = """\
journey: every-step
title: Every step
purpose: marketing
owner: sales
enabled: yes
labels: [a, 2]
window: anytime
cap: [3 per 7 days, 1 per day]
timezone: Europe/Berlin
priority: 8
locales: [de, pt-BR]
variables:
  is_big: contact.city == "Leeds"
trigger:
  schedule: "0 10 * * tue"
  audience: customers
  where: contact.email is not none
enroll:
  again: after 30 days
exit_when:
  - event: invoice.paid
steps:
  - send: every-step/first
    at: +3 days
    route: cheap
    on_failure:
      - exit: unreachable
  - wait: 5 business days
    at: now + 2 days
  - wait: {until: next business day, at: "09:30"}
  - wait: {until: best time, within: 24 hours}
  - wait: {until: now + 3 days, at: 18:30, if_past: fail}
  - wait_for:
      within: 2 business days
      cases:
        - intent: yes
          then:
            - note: "hello {{ contact.name }}"
        - click: payment
        - event: invoice.paid
        - delivered:
  - id: tone
    split:
      arms:
        friendly: {weight: 50, then: [{note: a}]}
        firm: {then: [{note: b}]}
      winner: {by: reply rate, after: 500, within: 2 days}
    when: false
  - verify: {send: every-step/code, length: 8, lifetime: 5 minutes, tries: 2, to: owner, then: [{note: x}]}
  - confirm:
      text: "Reply {{ code }}"
      code: 4
      within: 24 hours
      expires_after: 2 hours
      grants: marketing
      else: [{note: {text: no}}]
  - task: {queue: 123, title: x, due: next business day, at: "10:00", priority: low}
  - set: {contact.city: "{{ contact.name }}", vars.tries: 1, vars.more: vars.tries + 1}
  - notify: {channel: owner, text: hi}
  - notify: {channel: team, title: t, text: hi}
  - handoff: {to: whatsapp, channel: chat, text: hi}
  - handoff: {to: workflow, workflow: Win back}
  - call: {endpoint: shop, send: {id: contact.id}, as: answer, within: 2 minutes}
  - enroll: other
  - exit: done
"""
TEMPLATES = {"every-step/first.txt.j2": "Hi", "every-step/code.txt.j2": "{{ code }}", "other/first.txt.j2": "No"}


def _read(text: str, meanings: Meanings = MEANINGS) -> tuple[Journey | None, JourneyBuilder]:
    builder = JourneyBuilder(read_yaml(text, "mappings/journeys/every-step.yaml"), meanings)
    return builder.build(TEMPLATES), builder


def _journey(text: str = EVERY_STEP, meanings: Meanings = MEANINGS) -> Journey:
    journey, builder = _read(text, meanings)
    assert [str(mistake) for mistake in builder.mistakes] == []
    assert journey is not None
    return journey


def _source(steps: str, head: str = "") -> str:
    top = f"journey: every-step\npurpose: transactional\n{head}trigger:\n  event: contact.created\nsteps:\n"
    return top + indent(steps.strip("\n"), "  ") + "\n"


def _step(steps: str) -> Any:
    return _journey(_source(steps)).steps[0]


def test_every_key_of_the_header_is_read() -> None:
    journey = _journey()
    assert (journey.priority, journey.locales) == (8, ("de", "pt-BR"))
    assert (journey.trigger.schedule, journey.trigger.event) == ("0 10 * * tue", "schedule:every-step")
    assert journey.trigger.audience == (MEANINGS.audiences or {})["customers"]
    assert journey.trigger.where is not None
    assert (journey.enroll.again_after, journey.labels) == (timedelta(days=30), ("a", "2"))
    assert [str(cap) for cap in journey.caps] == ["3 per 1 week", "1 per 1 day"]


def test_an_audience_stands_beside_an_event_too() -> None:
    text = EVERY_STEP.replace('schedule: "0 10 * * tue"\n  audience: customers', "event: x.y\n  audience: unlisted")
    journey = _journey(text)
    assert (journey.trigger.event, journey.trigger.schedule) == ("x.y", "")
    assert journey.trigger.audience is not None
    assert journey.trigger.audience.name == "unlisted"


def test_every_kind_of_step_is_read() -> None:
    kinds = {type(step).__name__ for step in walk(_journey().steps)}
    assert {"Send", "Wait", "WaitFor", "Split", "Verify", "Confirm", "Task", "SetValues"} <= kinds
    assert {"Note", "Notify", "Handoff", "Call", "EnrollIn", "Exit"} <= kinds


def test_paths_and_ids_are_unique_and_an_asking_step_is_named_after_its_template() -> None:
    steps = list(walk(_journey().steps))
    assert len({step.path for step in steps}) == len({step.id for step in steps}) == len(steps)
    assert {"first", "tone", "code"} <= {step.id for step in steps}


@pytest.mark.parametrize(
    ("at", "offset", "moment"),
    [
        ("+3 days", timedelta(days=3), None),
        ("+ 2 business days", BusinessDays(2), None),
        ("invoice.due_on + 7 days", None, "invoice.due_on + 7 days"),
    ],
)
def test_an_anchor_is_a_delay_from_the_trigger_or_a_time(at: str, offset: object, moment: str | None) -> None:
    step: Step = _step(f"- wait: 1 hour\n  at: {at}")
    assert step.at is not None
    assert (step.at.offset, step.at.moment and step.at.moment.source) == (offset, moment)
    assert (step.at.place.line, step.at.place.column) == (7, 9)


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        ("3 days", {"duration": timedelta(days=3)}),
        ("5 business days", {"duration": BusinessDays(5)}),
        ("{until: next business day}", {"next_business_day": True, "clock": None}),
        ('{until: next business day, at: "08:15"}', {"next_business_day": True, "clock": time(8, 15)}),
        ("{until: best time, within: 24 hours}", {"best_within": timedelta(days=1), "duration": None}),
        ("{until: now, at: 18:30}", {"clock": time(18, 30), "skip_if_past": True}),
        ("{until: now, if_past: fail}", {"skip_if_past": False}),
    ],
)
def test_a_wait_has_four_forms(wait: str, expected: Mapping[str, object]) -> None:
    step = _step(f"- wait: {wait}")
    assert isinstance(step, Wait)
    assert {name: getattr(step, name) for name in expected} == expected


def test_a_wait_for_may_end_at_a_time_that_an_expression_gives() -> None:
    step = _step("- wait_for: {until: now + 2 days, cases: [{reply: any}]}")
    assert isinstance(step, WaitFor)
    assert step.within is None
    assert step.until is not None
    assert step.until.source == "now + 2 days"


def test_cases_wait_for_words_intents_events_clicks_and_receipts() -> None:
    step = next(step for step in _journey().steps if isinstance(step, WaitFor))
    assert step.within == BusinessDays(2)
    yes, click, event, delivered = step.cases
    assert (yes.kind, yes.intent, yes.keywords) == (CaseKind.REPLY, "yes", ("YES", "JA"))
    assert (click.kind, click.link) == (CaseKind.CLICK, "payment")
    assert (event.kind, event.event) == (CaseKind.EVENT, "invoice.paid")
    assert (delivered.kind, delivered.send_id) == (CaseKind.DELIVERED, None)


def test_any_reply_and_any_click_name_nothing() -> None:
    step = _step("- wait_for:\n    within: 1 day\n    cases:\n      - reply: any\n      - click: Any")
    assert [(case.keywords, case.link) for case in step.cases] == [((), None), ((), None)]


def test_a_split_has_arms_with_weights_and_a_winner() -> None:
    split = next(step for step in _journey().steps if isinstance(step, Split))
    assert [(arm.name, arm.weight, arm.path) for arm in split.arms] == [
        ("friendly", 50, "steps[6].split.arms.friendly"),
        ("firm", 1, "steps[6].split.arms.firm"),
    ]
    assert split.winner == Winner(Metric.REPLY_RATE, 500, timedelta(days=2))
    assert split.arms[0].then[0].path == "steps[6].split.arms.friendly.then[0]"


def test_a_verify_asks_with_a_code_as_long_as_it_is_good() -> None:
    verify = next(step for step in _journey().steps if isinstance(step, Verify))
    assert (verify.length, verify.lifetime, verify.tries) == (8, timedelta(minutes=5), 2)
    assert (verify.ask.template, verify.ask.to, verify.ask.purpose) == ("every-step/code", "owner", Purpose.OTP)
    assert verify.ask.expires_after == timedelta(minutes=5)
    assert (verify.ask.id, verify.ask.path) == (verify.id, verify.path)


def test_a_verify_has_six_digits_ten_minutes_and_three_tries_when_nothing_is_said() -> None:
    verify = _step('- verify: {text: "{{ code }}"}')
    assert (verify.length, verify.lifetime, verify.tries) == (6, timedelta(minutes=10), 3)


def test_a_confirm_waits_for_a_code_words_or_an_intent() -> None:
    coded = next(step for step in _journey().steps if isinstance(step, Confirm))
    assert (coded.code_length, coded.keywords, coded.grants) == (4, (), "marketing")
    assert (coded.within, coded.ask.expires_after) == (timedelta(days=1), timedelta(hours=2))
    worded = _step("- confirm: {text: hi, reply: [YES, OK], within: 1 day}")
    assert (worded.keywords, worded.code_length, worded.grants) == (("YES", "OK"), 0, "")
    assert _step("- confirm: {text: hi, intent: yes, within: 2 business days}").keywords == ("YES", "JA")


def test_what_an_asking_step_may_have_is_its_own_and_not_its_texts() -> None:
    step = _step(
        "- confirm: {text: hi, reply: OK, within: 1 day}\n  when: true\n  on_failure: [{exit: a}]\n  at: +1 day"
    )
    assert (step.when is not None, len(step.on_failure), step.at is not None) == (True, 1, True)
    assert (step.ask.when, step.ask.on_failure, step.ask.at) == (None, (), None)


@pytest.mark.parametrize(
    ("due", "after", "clock"),
    [
        ("", timedelta(0), None),
        ("due: 2 hours", timedelta(hours=2), None),
        ("due: 2 business days", BusinessDays(2), None),
        ("due: today", timedelta(0), time(17)),
        ("due: tomorrow", timedelta(days=1), time(9)),
        ('due: next business day, at: "11:00"', BusinessDays(1), time(11)),
        ('due: 2 days, at: "08:00"', timedelta(days=2), time(8)),
        ('at: "16:00"', timedelta(0), time(16)),
    ],
)
def test_a_task_is_due_after_a_time_or_on_a_day(due: str, after: object, clock: time | None) -> None:
    task = _step(f"- task: {{for: owner, title: x, {due}}}")
    assert isinstance(task, Task)
    assert (task.due_after, task.due_clock) == (after, clock)


def test_a_task_is_for_a_person_or_a_queue() -> None:
    assert (
        _step("- task: {for: a@example.com, title: x}").assignee,
        _step("- task: {for: owner, title: x}").queue,
    ) == (
        "a@example.com",
        "",
    )
    task = _step("- task: {queue: 123, title: x}")
    assert (task.assignee, task.queue) == ("", "123")


def test_set_writes_texts_to_records_and_expressions_to_variables() -> None:
    step = next(step for step in _journey().steps if isinstance(step, SetValues))
    assert [(each.record, each.name, each.value.source) for each in step.properties] == [
        ("contact", "city", "{{ contact.name }}")
    ]
    assert {name: each.source for name, each in step.variables.items()} == {"tries": "1", "more": "vars.tries + 1"}


def test_a_note_is_a_text_with_or_without_its_key() -> None:
    assert [_step(f"- note: {each}").text.source for each in ("said so", "{text: said so}")] == ["said so", "said so"]


def test_staff_are_told_through_channels_and_the_owner_by_sms() -> None:
    owner, team = [step for step in _journey().steps if isinstance(step, Notify)]
    assert (owner.channel, owner.title) == ("owner", None)
    assert team.title is not None
    assert (team.channel, team.title.source, team.text.source) == ("team", "t", "hi")


def test_a_handoff_says_where_to() -> None:
    chat, workflow = [step for step in _journey().steps if isinstance(step, Handoff)]
    assert (chat.to, chat.channel) == (HandoffTo.WHATSAPP, "chat")
    assert (workflow.to, workflow.workflow) == (HandoffTo.WORKFLOW, "Win back")
    assert _step("- handoff: {to: call, for: a@example.com}").assignee == "a@example.com"


def test_a_call_sends_expressions_and_keeps_its_answer() -> None:
    call = next(step for step in _journey().steps if isinstance(step, Call))
    assert {name: each.source for name, each in call.payload.items()} == {"id": "contact.id"}
    assert (call.endpoint, call.into, call.within) == ("shop", "answer", timedelta(minutes=2))
    assert _step("- call: {endpoint: shop}") == _as(
        Call, _step("- call: {endpoint: shop}"), within=timedelta(minutes=5)
    )


def _as(kind: type[Step], step: Step, **changed: Any) -> Step:
    return kind(**{each.name: getattr(step, each.name) for each in fields(step)} | changed)


def test_what_stands_elsewhere_is_kept_to_be_checked() -> None:
    _, builder = _read(EVERY_STEP)
    uses = builder.uses
    assert uses.routes == [("cheap", ("steps", 0, "route"))]
    assert uses.journeys == [("other", ("steps", 16, "enroll"))]
    assert uses.answers == [("answer", ("steps", 15, "call", "as"))]
    assert [(each.record, each.name) for each in uses.properties] == [("contact", "city")]
    assert {each.name: each.kinds for each in uses.channels}["shop"] == (ChannelKind.ENDPOINT,)
    assert {each.name: each.kinds for each in uses.channels}["chat"] == (ChannelKind.WHATSAPP,)
    assert ChannelKind.WHATSAPP not in {each.name: each.kinds for each in uses.channels}["team"]


def test_only_texts_that_bring_a_code_know_it() -> None:
    _, builder = _read(EVERY_STEP)
    assert {use.name: use.knows for use in builder.uses.templates} == {
        "every-step/first": (),
        "every-step/code": ("code",),
    }
    assert {use.text.source: use.knows for use in builder.uses.texts}["Reply {{ code }}"] == ("code",)
    _, words = _read(_source("- confirm: {text: hi, reply: OK, within: 1 day}"))
    assert [use.knows for use in words.uses.texts] == [()]


# --- what a version keeps ---------------------------------------------------------------------------------------


def test_a_version_keeps_what_its_names_meant() -> None:
    journey = _journey()
    stored = json.loads(json.dumps(journey.source))
    assert stored["intents"] == {"yes": ["YES", "JA"]}
    assert stored["audiences"]["customers"]["find"] == {
        "hubspot": ["lifecyclestage = customer", "createdate < now - 30 days"]
    }
    assert journey_from_source(stored) == journey
    assert hash_of(stored) == journey.hash


@pytest.mark.parametrize(
    "changed",
    [
        Meanings({"yes": ("YES", "JA", "OUI")}, MEANINGS.audiences),
        Meanings(
            MEANINGS.intents,
            {"customers": Audience("customers", AUDIENCES, None, {"hubspot": (parse_condition("a = b"),)})},
        ),
    ],
)
def test_another_meaning_is_another_version(changed: Meanings) -> None:
    assert _journey(meanings=changed).hash != _journey().hash


def test_the_line_of_an_audience_is_no_part_of_its_meaning() -> None:
    customers = (MEANINGS.audiences or {})["customers"]
    moved = Audience("customers", Place("elsewhere.yaml", 9, 3), customers.where, customers.find)
    assert _journey(meanings=Meanings(MEANINGS.intents, {"customers": moved})).hash == _journey().hash


def test_a_journey_without_borrowed_names_is_stored_and_named_as_it_always_was() -> None:
    journey = _journey(_source("- send: every-step/first"))
    assert set(journey.source) == {"journey", "templates", "file"}
    assert hash_of({**journey.source, "file": "x"}) == journey.hash
    assert journey_from_source(journey.source) == journey


def test_an_old_version_without_the_words_of_its_intent_is_not_read_as_any_reply() -> None:
    stored = {**_journey().source}
    del stored["intents"]
    with pytest.raises(MappingError, match="no intent is named `yes`"):
        journey_from_source(stored)


@pytest.mark.parametrize(
    "text", ["a = b", "a != b", "a <= now", "a < now - 30 days", "a in (b, c)", "a exists", "a >= 2026-01-01"]
)
def test_a_search_condition_is_written_back_as_it_was(text: str) -> None:
    assert format_condition(parse_condition(text)) == text


# --- mistakes ---------------------------------------------------------------------------------------------------

NO_LIST = "[{exit: x}]"
WRONG = [
    # at
    ("- wait: 1 day\n  at: ⟦3 days", "steps[0].at", "is no time", "write +3 days"),
    ("- wait: 1 day\n  at: ⟦+3 dayz", "steps[0].at", "has no known unit", None),
    # wait
    ("- wait: ⟦next business day", "steps[0].wait", "is no length of time", "{until: next business day}"),
    ("- wait: ⟦Best time", "steps[0].wait", "is no length of time", "within: 24 hours"),
    ("- wait: ⟦0 business days", "steps[0].wait", "out of range", None),
    ("- wait: {until: ⟦best time}", "steps[0].wait.until", "needs a limit", "add within"),
    ("- wait: {until: best time, within: ⟦30 days}", "steps[0].wait.within", "is longer than 1 week", None),
    ("- wait: {until: best time, within: ⟦2 business days}", "steps[0].wait.within", "depends on the country", None),
    ('- wait: {until: best time, within: 1 day, ⟦at: "09:00"}', "steps[0].wait.at", "goes with waiting for", None),
    ("- wait: {until: now, ⟦within: 1 day}", "steps[0].wait.within", "goes with waiting for `until: best time`", None),
    ("- wait: {until: next business day, at: ⟦9:00}", "steps[0].wait.at", "expected a time of day", 'write "09:00"'),
    ("- wait: {until: next business day, at: ⟦25:00}", "steps[0].wait.at", "expected a time of day", None),
    ("- wait: {until: next business day, ⟦if_past: skip}", "steps[0].wait.if_past", "goes with waiting", None),
    # cases
    ("- wait_for: {within: 1 day, cases: [⟦{then: [{exit: x}]}]}", "steps[0].wait_for.cases[0]", "says not what", None),
    ("- wait_for: ⟦{cases: [{reply: A}]}", "steps[0].wait_for", "says not how long", "write within"),
    ("- wait_for: ⟦{within: 1 day, until: now, cases: [{reply: A}]}", "steps[0].wait_for", "at once", "write within"),
    ("- wait_for: {within: 1 day, cases: [⟦{reply: A, click: b}]}", "steps[0].wait_for.cases[0]",
     "reply, click at once", None),
    ("- wait_for: {within: 1 day, cases: [{intent: ⟦yess}]}", "steps[0].wait_for.cases[0].intent",
     "no intent is named", "did you mean `yes`?"),
    ("- wait_for: {within: 1 day, cases: [{intent: ⟦[yes]}]}", "steps[0].wait_for.cases[0].intent", "expected", None),
    # split
    ("- split: {arms: ⟦{a: {then: [{exit: x}]}}}", "steps[0].split.arms", "has one arm only", "add another"),
    ("- split: {arms: ⟦[a, b]}", "steps[0].split.arms", "expected arms by name", None),
    ("- split:⟦", "steps[0].split", "has no value", None),
    ("- ⟦split: {winner: {by: reply rate, after: 5}}", "steps[0].split.arms", "is missing", None),
    ("- split: {arms: {a: {weight: ⟦0, then: [{note: x}]}, b: {then: [{note: x}]}}}", "steps[0].split.arms.a.weight",
     "from 1 to 1000", None),
    ("- split: {arms: {⟦a b: {then: [{note: x}]}, b: {then: [{note: x}]}}}", "steps[0].split.arms.a b",
     "is no name", None),
    ("- split: {arms: {⟦a: {weight: 1}, b: {then: [{note: x}]}}}", "steps[0].split.arms.a.then", "is missing", None),
    ("- split: {arms: {a: {then: [{note: x}]}, b: {then: [{note: x}]}}, winner: {by: ⟦replies, after: 5}}",
     "steps[0].split.winner.by", "is not one of reply rate", None),
    # verify
    ("- verify: ⟦{tries: 2}", "steps[0].verify", "a template or a `text`", None),
    ("- verify: {text: a, length: ⟦3}", "steps[0].verify.length", "from 4 to 10", None),
    ("- verify: {text: a, lifetime: ⟦2 days}", "steps[0].verify.lifetime", "is longer than 1 day", None),
    ("- verify: {text: a, ⟦purpose: marketing}", "steps[0].verify.purpose", "is not a key of a verify", None),
    ("- verify: ⟦now", "steps[0].verify", "expected a verify", None),
    # confirm
    ("- confirm: ⟦{text: a, within: 1 day}", "steps[0].confirm", "says not which reply confirms", None),
    ("- confirm: ⟦{text: a, within: 1 day, reply: A, code: 4}", "steps[0].confirm", "reply, code at once", None),
    ("- confirm: {text: a, within: 1 day, reply: ⟦any}", "steps[0].confirm.reply", "any reply confirms nothing", None),
    ("- confirm: {text: a, within: 1 day, intent: ⟦ja}", "steps[0].confirm.intent", "no intent is named", None),
    ("- confirm: {text: a, within: 1 day, reply: A, grants: ⟦all}", "steps[0].confirm.grants", "is not one of", None),
    ("- ⟦confirm: {text: a, reply: A}", "steps[0].confirm.within", "is missing", None),
    # task
    ("- task: ⟦{title: x}", "steps[0].task", "expected `for` or `queue`", None),
    ("- task: ⟦{for: owner, queue: 1, title: x}", "steps[0].task", "expected `for` or `queue`", None),
    ("- task: {for: owner, title: x, due: ⟦next busy day}", "steps[0].task.due", "is no time", "`next business day`?"),
    ("- task: {for: owner, title: x, due: ⟦soonish}", "steps[0].task.due", "is not a duration", None),
    ('- task: {for: owner, title: x, due: 2 hours, ⟦at: "09:00"}', "steps[0].task.at", "whole days only", None),
    # set
    ("- set: ⟦{}", "steps[0].set", "sets nothing", None),
    ("- set: ⟦[a]", "steps[0].set", "expected names with values", None),
    ("- set: {⟦stage: x}", "steps[0].set.stage", "is no name", None),
    ("- set: {⟦owner.name: x}", "steps[0].set.owner.name", "cannot be written", None),
    ("- set: {deal.stage: ⟦[x]}", "steps[0].set.deal.stage", "expected a text, found a list", None),
    # note, notify
    ("- note: ⟦[x]", "steps[0].note", "expected a text, found a list", None),
    ("- ⟦note: {txt: x}", "steps[0].note.text", "is missing", None),
    ("- notify: {channel: owner, text: x, ⟦title: y}", "steps[0].notify.title", "an SMS has no title", None),
    ("- ⟦notify: {channel: team}", "steps[0].notify.text", "is missing", None),
    ("- notify: {channel: ⟦Team A, text: x}", "steps[0].notify.channel", "is not owner, or a channel", None),
    # handoff
    ("- handoff: {to: ⟦email}", "steps[0].handoff.to", "needs channel", None),
    ("- handoff: {to: ⟦whatsapp}", "steps[0].handoff.to", "needs channel, text", None),
    ("- handoff: {to: call, ⟦workflow: x}", "steps[0].handoff.workflow", "a handoff to call has no `workflow`", None),
    ("- handoff: {to: ⟦fax}", "steps[0].handoff.to", "is not one of email", None),
    # call
    ("- call: {endpoint: shop, send: ⟦[a]}", "steps[0].call.send", "expected names with expressions", None),
    ("- call: {endpoint: shop, send: {⟦A-b: contact.id}}", "steps[0].call.send.A-b", "is no name", None),
    ("- call: {endpoint: shop, send: {a: ⟦[x]}}", "steps[0].call.send.a", "expected an expression", None),
    ("- call: {endpoint: shop, as: ⟦My Answer}", "steps[0].call.as", "is not a name", None),
    ("- call: {endpoint: shop, within: ⟦2 days}", "steps[0].call.within", "is longer than 1 day", None),
    # enroll
    ("- enroll: ⟦Other One", "steps[0].enroll", "is not the id of a journey", None),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "path", "message", "suggestion"), WRONG)
def test_a_mistake_in_a_step_is_told_where_it_is(marked: str, path: str, message: str, suggestion: str | None) -> None:
    text = _source(marked)
    _, builder = _read(text.replace(HERE, ""))
    found = [mistake for mistake in builder.mistakes if mistake.path == path]
    assert found, [str(mistake) for mistake in builder.mistakes]
    before = text[: text.index(HERE)]
    assert (found[0].line, found[0].column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert message in found[0].message
    assert (suggestion or "") in (found[0].suggestion or "")


@pytest.mark.parametrize(
    ("trigger", "path", "message"),
    [
        ('{schedule: "0 10 * * tue"}', "trigger.schedule", "needs somebody to write to"),
        ('{schedule: "0 10 * * tue", audience: unlisted}', "trigger.audience", "cannot be listed"),
        ('{schedule: "0 10 * * tue", audience: customers, event: a.b}', "trigger", "an `event` or a `schedule`"),
        ('{schedule: "0 10 * * tue", audience: customers, imports: yes}', "trigger.imports", "from an audience"),
        ('{schedule: "0 10 * tue", audience: customers}', "trigger.schedule", "expected minute, hour, day"),
        ('{schedule: "0 10 * * xyz", audience: customers}', "trigger.schedule", "is no cron line"),
        ('{schedule: "0 10 30 2 *", audience: customers}', "trigger.schedule", "bad day-of-month"),
        ("{audience: customers}", "trigger", "an `event` or a `schedule`"),
        ("{event: a.b, audience: custmers}", "trigger.audience", "no audience is named `custmers`"),
        ("{event: overdue}", "trigger.event", "is not an event"),
    ],
)
def test_a_mistake_in_the_trigger_is_told(trigger: str, path: str, message: str) -> None:
    text = _source("- exit: x").replace("trigger:\n  event: contact.created", f"trigger: {trigger}")
    journey, builder = _read(text)
    assert journey is None
    assert [mistake.path for mistake in builder.mistakes] == [path]
    assert message in builder.mistakes[0].message


@pytest.mark.parametrize(
    ("head", "path", "message"),
    [
        ("priority: 0\n", "priority", "from 1 to 9"),
        ("priority: high\n", "priority", "found `high`"),
        ("locales: [de, DE]\n", "locales", "`DE` is no language"),
        ("locales: deutsch\n", "locales", "`deutsch` is no language"),
    ],
)
def test_a_mistake_in_the_header_is_told(head: str, path: str, message: str) -> None:
    _, builder = _read(_source("- exit: x", head))
    assert [mistake.path for mistake in builder.mistakes] == [path]
    assert message in builder.mistakes[0].message


@pytest.mark.parametrize(("crm", "expected"), [("hubspot", []), ("salesforce", ["trigger.audience"])])
def test_a_schedule_needs_an_audience_that_its_own_crm_can_list(crm: str, expected: list[str]) -> None:
    _, builder = _read(EVERY_STEP.replace("title: Every step", f"crm: {crm}"))
    assert [mistake.path for mistake in builder.mistakes] == expected


def test_names_of_a_file_with_mistakes_keep_out_only_the_journeys_that_use_them() -> None:
    unknown = Meanings(None, None)
    assert _journey(_source("- exit: x"), unknown).steps
    _, builder = _read(EVERY_STEP, unknown)
    assert {mistake.path: mistake.message for mistake in builder.mistakes} == {
        "trigger.audience": "cannot be looked up: mappings/audiences.yaml has mistakes",
        "steps[5].wait_for.cases[0].intent": "cannot be looked up: mappings/keywords.yaml has mistakes",
    }


def test_a_mistake_in_one_step_hides_none_in_another() -> None:
    text = EVERY_STEP
    for old, new in [
        ("tries: 2", "tries: no"), ("weight: 50", "weight: x"), ("endpoint: shop", "endpoint: A B"),
        ("note: a", "nota: a"), ("to: whatsapp", "to: fax"), ("within: 24 hours\n", "within: 1\n"),
    ]:  # fmt: skip
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    _, builder = _read(text)
    assert [mistake.path for mistake in builder.mistakes] == [
        "steps[6].split.arms.friendly.weight",
        "steps[6].split.arms.friendly.then[0].nota",
        "steps[7].verify.tries",
        "steps[8].confirm.within",
        "steps[13].handoff.to",
        "steps[15].call.endpoint",
    ]


def test_steps_below_a_broken_step_are_read_all_the_same() -> None:
    _, builder = _read(_source('- verify: {text: "{{ code }}", length: x, then: [{wait: soon}], else: [{exitt: x}]}'))
    assert {mistake.path for mistake in builder.mistakes} == {
        "steps[0].verify.length", "steps[0].verify.then[0].wait", "steps[0].verify.else[0].exitt",
    }  # fmt: skip


def test_options_of_a_send_may_stand_below_it_but_not_on_both_levels() -> None:
    step = _step("- send: {template: every-step/first, route: cheap, to: owner}")
    assert isinstance(step, Send)
    assert (step.route, step.to, step.id) == ("cheap", "owner", "first")
    _, builder = _read(_source("- send: {template: every-step/first}\n  route: cheap"))
    assert [mistake.path for mistake in builder.mistakes] == ["steps[0].route"]


def test_note_enroll_and_exit_say_what_they_lack() -> None:
    _, builder = _read(_source("- note:\n- enroll:\n- exit:\n- wait_for:\n- confirm:\n- set:\n- call:\n- task:"))
    assert {mistake.path: mistake.message for mistake in builder.mistakes} == {
        f"steps[{number}].{key}": "has no value"
        for number, key in enumerate(("note", "enroll", "exit", "wait_for", "confirm", "set", "call", "task"))
    }


def test_a_step_nested_too_deep_to_be_named_in_a_trace_is_refused_and_those_above_it_are_read() -> None:
    deep = "- exit: done"
    for _ in range(8):
        deep = (
            f"- wait_for:\n    within: 1 day\n    cases:\n      - reply: any\n        then:\n{indent(deep, ' ' * 10)}"
        )
    _, builder = _read(_source(deep))
    (mistake,) = builder.mistakes
    assert (mistake.message, mistake.path.count("wait_for")) == ("nested too deep to be named in a trace", 8)
