"""Is everything that the steps of a journey ask for done, once, and written down so that it can be explained?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.codes import HMACCodes
from connector.adapters.compliance_file import load_compliance
from connector.adapters.public_holidays import PublicHolidays
from connector.adapters.rendering import Renderer
from connector.domain.habits import Habits
from connector.domain.message import MessageState, Purpose
from connector.domain.send_window import ANYTIME
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.consents import ConsentKind, Scope
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.enrollments import PublicationAction
from connector.ports.queue import EFFECTS
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.ports.splits import WinnerRow
from connector.services.consent import ConsentDesk
from connector.services.double_opt_in import DoubleOptIn
from connector.services.enrolling_onwards import CIRCLE
from connector.services.journey_surroundings import SurroundingsReader
from connector.services.message_making import Setting
from connector.services.wishes import Wish
from tests.services.theatre import ACCOUNT, MAPPINGS, NUMBER, OWNER_NUMBER, START, Theatre

Play = Callable[..., Theatre]

HEADER = """
journey: {name}
title: The {name}
purpose: transactional
trigger:
  event: deal.stage_changed
  where: deal.stage_label == "Demo booked"
enroll:
  key: deal.id
  again: {again}
steps:
"""


def journey(steps: str, name: str = "first", again: str = "always") -> str:
    return HEADER.format(name=name, again=again) + steps


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Give what puts journeys on and lets Lea's deal reach their stage."""
    theatres: list[Theatre] = []

    def put_on(steps: str, others: dict[str, str] | None = None, **settings: Any) -> Theatre:
        known = {"time_zone": "America/New_York", **settings}
        url = f"sqlite:///{tmp_path}/ledger.sqlite3"
        theatre = Theatre(tmp_path, url, {"first": journey(steps), **(others or {})}, **known)
        theatres.append(theatre)
        deal = theatre.crm.put(
            "deal",
            [theatre.lea(lastname="Park", city="Leeds")],
            dealname="Roof",
            dealstage="new",
            amount="600",
            deal_currency_code="USD",
            hubspot_owner_id="7",
        )
        theatre.deal_moves(deal, "demo")
        theatre.work()
        return theatre

    yield put_on
    for theatre in theatres:
        theatre.close()


def records(theatre: Theatre, kind: RecordSubject) -> list[CRMRecordRow]:
    """What the CRM is to show of one kind."""
    later = theatre.clock.at + timedelta(days=30)
    with theatre.ledger.begin() as uow:
        rows = uow.records.claim("hubspot", 100, later, later)
    return [row for row in rows if row.kind is kind]


def properties(theatre: Theatre) -> dict[str, str]:
    return {
        row.subject.split(":", 2)[1] + "." + row.subject.rsplit(":", 1)[1]: str(row.payload["value"])
        for row in records(theatre, RecordSubject.PROPERTY)
    }


def effects(theatre: Theatre) -> Sequence[EffectRow]:
    later = theatre.clock.at + timedelta(days=30)
    with theatre.ledger.begin() as uow:
        return uow.effects.claim(100, later, later)


def end_effect(theatre: Theatre, effect: EffectRow, *, answer: Any = None, error: str = "") -> None:
    """Let an effect end as its lane ends it."""
    state = EffectState.FAILED if error else EffectState.DONE
    kind = EntryKind.EFFECT_FAILED if error else EntryKind.EFFECT_DONE
    entry = TimelineEntry(
        account_id=ACCOUNT,
        kind=kind,
        subject=f"effect:{effect.id}",
        discriminator="",
        at=theatre.clock.at,
        summary="it ended",
        contact_id=effect.contact_id,
        enrollment_id=effect.enrollment_id,
        data={"key": effect.key},
    )
    with theatre.ledger.begin() as uow:
        assert uow.effects.end(effect.id, state, theatre.clock.at, error=error, answer=answer)
        uow.timeline.add([entry])
        uow.enrollments.wake(ACCOUNT, enrollment_ids=[effect.enrollment_id or ""], now=theatre.clock.at)
        uow.commit()
    theatre.work()


def wanted(theatre: Theatre) -> list[tuple[str, str, int]]:
    """Summary, path and line of everything that was asked for."""
    kinds = {EntryKind.TASK_WANTED, EntryKind.EFFECT_WANTED}
    return [(entry.summary, entry.path, entry.line) for entry in theatre.entries() if entry.kind in kinds]


def again_booked(theatre: Theatre) -> None:
    """Let the deal reach the stage once more."""
    (deal,) = theatre.crm.records["deal"]
    theatre.deal_moves(deal, "won")
    theatre.work()
    theatre.deal_moves(deal, "demo")
    theatre.work()


# Tasks


def test_a_task_is_due_on_a_business_day_on_the_clock_of_those_who_work(play: Play) -> None:
    theatre = play(
        """
  - task: {for: owner, title: "Call {{ contact.name }}", due: 4 business days, at: "09:00", priority: high}
"""
    )
    (task,) = records(theatre, RecordSubject.TASK)
    # Friday the 20th; Thanksgiving, Thursday the 26th, is none of the four days.
    assert task.at == datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
    assert (task.payload["title"], task.payload["owner_id"]) == ("Call Lea Park", "7")
    assert wanted(theatre) == [("Asks owner to do a task", "steps[0]", 13)]


def test_a_task_may_wait_in_a_queue(play: Play) -> None:
    theatre = play('  - task: {queue: "41", title: Look}\n')
    (task,) = records(theatre, RecordSubject.TASK)
    assert (task.payload["queue_id"], task.payload["owner_id"]) == ("41", None)
    assert wanted(theatre)[0][0] == "Asks the queue 41 to do a task"


# Notes and properties


def test_a_note_says_what_holds_when_it_is_written(play: Play) -> None:
    theatre = play(
        """
  - set: {vars.tries: "1"}
  - note: "Try {{ vars.tries }} for {{ deal.name }}"
  - set: {vars.tries: vars.tries + 1}
  - note: {text: "Try {{ vars.tries }}"}
"""
    )
    notes = records(theatre, RecordSubject.NOTE)
    assert [note.payload["text"] for note in notes] == ["Try 1 for Roof", "Try 2"]
    assert all(note.payload["associations"] == [theatre.enrollment().subject] for note in notes)


def test_properties_are_written_as_the_event_file_names_them(play: Play) -> None:
    theatre = play(
        """
  - set:
      deal.stage: won
      deal.amount: "{{ deal.amount * 2 }}"
      deal.closes_at: "{{ now }}"
      contact.city: "{{ contact.city }} (told)"
"""
    )
    assert properties(theatre) == {
        "deal.dealstage": "won",
        "deal.amount": "1200",
        "deal.closedate": START.isoformat(),
        "contact.city": "Leeds (told)",
    }
    assert wanted(theatre) == [
        ("Writes deal.stage, deal.amount, deal.closes_at, contact.city in the CRM", "steps[0]", 13)
    ]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ('deal.amount: "a lot"', "the value for deal.amount is no money"),
        ('deal.closes_at: "soon"', "the value for deal.closes_at is no time"),
        ('contact.city: "{{ contact.company }}"', "its text cannot be written"),
    ],
)
def test_a_value_that_cannot_be_written_fails_the_step_with_a_plain_reason(play: Play, value: str, why: str) -> None:
    theatre = play(
        f"""
  - set: {{deal.name: Barn, {value}}}
    on_failure:
      - task: {{for: owner, title: "Write it yourself"}}
      - exit: could not be written
  - exit: written
"""
    )
    assert theatre.enrollment().exit_reason == "could not be written"
    assert properties(theatre) == {}
    (failed,) = theatre.entries(EntryKind.EFFECT_FAILED)
    assert why in failed.summary
    assert theatre.entries(EntryKind.ATTENTION_NEEDED) == []


def test_a_failure_that_no_step_is_there_for_is_shown_to_a_person(play: Play) -> None:
    theatre = play('  - set: {deal.amount: "a lot"}\n  - exit: went on\n')
    assert theatre.enrollment().exit_reason == "went on"
    (entry,) = theatre.entries(EntryKind.ATTENTION_NEEDED)
    assert entry.summary == "first: steps[0] failed: the value for deal.amount is no money"


# Telling others


def test_a_notification_waits_for_its_lane_with_its_text_written(play: Play) -> None:
    theatre = play('  - notify: {channel: sales, title: "{{ deal.name }}", text: "{{ contact.name }} has booked"}\n')
    (effect,) = effects(theatre)
    assert (effect.kind, effect.channel, effect.is_awaited) == (EffectKind.NOTIFY, "sales", False)
    assert effect.payload == {"title": "Roof", "text": "Lea Park has booked"}
    assert EFFECTS in theatre.nudged
    assert theatre.enrollment().status == "ended"
    assert wanted(theatre) == [("Tells sales", "steps[0]", 12)]


def test_a_notification_that_fails_is_heard_where_the_journey_says_what_then(play: Play) -> None:
    theatre = play(
        """
  - notify: {channel: sales, text: "Look"}
    on_failure:
      - exit: nobody was told
  - exit: told
"""
    )
    assert theatre.enrollment().status == "live"
    (effect,) = effects(theatre)
    assert effect.payload == {"title": "The first", "text": "Look"}
    end_effect(theatre, effect, error="the channel is gone")
    assert theatre.enrollment().exit_reason == "nobody was told"


def test_an_owner_is_told_by_sms_also_when_the_journey_ends_at_once(play: Play) -> None:
    theatre = play('  - notify: {channel: owner, text: "{{ contact.name }} has booked"}\n')
    assert theatre.enrollment().status == "ended"
    (contact,) = theatre.contacts().values()
    with theatre.ledger.begin(write=False) as uow:
        (message,) = uow.messages.of_contact(ACCOUNT, contact.id, 10)
    assert (message.msisdn, message.body) == (OWNER_NUMBER, "Lea Park has booked")
    assert (message.state, message.recipient, message.purpose) == (
        MessageState.QUEUED,
        "owner",
        Purpose.TRANSACTIONAL,
    )


def test_an_owner_without_a_phone_is_a_failure(play: Play) -> None:
    theatre = play("  - notify: {channel: owner, text: Look}\n    on_failure: [{exit: untold}]\n", owner_phones={})
    assert theatre.enrollment().exit_reason == "untold"


def test_a_conversation_is_passed_on_by_mail_newest_last_without_codes(play: Play) -> None:
    theatre = play(
        """
  - send: confirmation/first
  - wait_for:
      within: 1 day
      cases:
        - reply: any
          then:
            - handoff: {to: email, channel: billing, text: "Please answer."}
"""
    )
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=1)
    theatre.reply("Who are you?")
    theatre.work()
    (effect,) = effects(theatre)
    assert (effect.kind, effect.channel) == (EffectKind.HANDOFF, "billing")
    assert effect.payload["title"] == "The first: Lea Park"
    assert effect.payload["text"].splitlines() == [
        "Please answer.",
        "",
        f"Contact Lea Park, {NUMBER}; {theatre.enrollment().subject}",
        "",
        "2026-11-20 14:00 UTC  We: Hi Lea, see you then.",
        "2026-11-20 14:01 UTC  Lea Park: Who are you?",
    ]


def test_a_hand_off_by_call_is_a_call_task_now(play: Play) -> None:
    theatre = play('  - handoff: {to: call, text: "Ask about {{ deal.name }}"}\n')
    (task,) = records(theatre, RecordSubject.TASK)
    assert task.at == START
    assert task.payload == {
        "title": "Call Lea Park: The first",
        "body": "Ask about Roof",
        "owner_id": "7",
        "priority": "high",
        "is_call": True,
        "associations": [theatre.enrollment().subject],
    }


def test_a_hand_off_to_a_workflow_changes_the_contact_s_property_every_time(play: Play) -> None:
    theatre = play("  - handoff: {to: workflow, workflow: Escalate}\n")
    assert properties(theatre) == {"contact.sms_connector_handoff": "Escalate 2026-11-20T14:00:00Z"}
    theatre.pass_time(hours=1)
    again_booked(theatre)
    assert properties(theatre) == {"contact.sms_connector_handoff": "Escalate 2026-11-20T15:00:00Z"}


def test_a_call_s_answer_is_there_for_what_follows(play: Play) -> None:
    theatre = play(
        """
  - call: {endpoint: shop, send: {deal: deal.id, amount: deal.amount, at: now}, as: stock}
  - if: vars.stock.left > 3
    then:
      - send: {text: "{{ vars.stock.left }} left, {{ contact.first_name }}."}
"""
    )
    (effect,) = effects(theatre)
    assert (effect.kind, effect.channel, effect.is_awaited) == (EffectKind.CALL, "shop", True)
    assert effect.payload["data"] == {
        "deal": theatre.enrollment().subject.partition(":")[2],
        "amount": "600",
        "at": START.isoformat(),
    }
    assert effect.expires_at == START + timedelta(minutes=5)
    end_effect(theatre, effect, answer={"left": 4})
    assert [message.body for message in theatre.messages()] == ["4 left, Lea."]
    assert "left" not in str([entry.data for entry in theatre.entries(EntryKind.EFFECT_DONE)])


def test_a_value_a_call_cannot_send_fails_it_at_once(play: Play) -> None:
    theatre = play(
        """
  - call: {endpoint: shop, send: {share: 1 / (deal.amount - 600)}, as: stock}
    on_failure: [{exit: not asked}]
"""
    )
    assert effects(theatre) == []
    assert theatre.enrollment().exit_reason == "not asked"


def test_whatever_a_worker_repeats_is_asked_for_once(play: Play) -> None:
    theatre = play(
        """
  - task: {for: owner, title: Look}
  - note: Look
  - set: {deal.stage: won}
  - notify: {channel: sales, text: Look}
  - notify: {channel: owner, text: Look}
  - handoff: {to: workflow, workflow: Escalate}
  - enroll: other
  - wait: 1 day
""",
        {"other": journey("  - wait: 1 day\n", "other").replace("Demo booked", "Nowhere")},
    )
    before = theatre.entries()
    first = next(each for each in theatre.enrollments() if each.journey == "first")
    run = {**first.state["run"], "cursor": "", "entered_at": None, "asked": ""}
    with theatre.ledger.begin() as uow:
        uow.enrollments.save(replace(first, state={**first.state, "run": run}, due_at=theatre.clock.at))
        uow.commit()
    theatre.work()
    assert theatre.entries() == before
    assert len(theatre.enrollments()) == 2
    assert len(effects(theatre)) == 1
    kinds = {RecordSubject.TASK: 1, RecordSubject.NOTE: 1, RecordSubject.PROPERTY: 2, RecordSubject.MESSAGE: 1}
    assert {kind: len(records(theatre, kind)) for kind in kinds} == kinds
    assert all(row.wanted == 1 for row in records(theatre, RecordSubject.PROPERTY))


# Codes that are asked for, and confirmations


VERIFY = """
  - verify:
      text: "Your code is {{ code }}"
      length: 6
      lifetime: 10 minutes
      then: [{exit: right}]
      else: [{exit: wrong}]
"""


def sent_code(theatre: Theatre) -> str:
    (message,) = theatre.messages()
    return message.body.rpartition(" ")[2]


def test_a_code_goes_out_as_a_one_time_code_and_comes_back(play: Play) -> None:
    theatre = play(VERIFY)
    (message,) = theatre.messages()
    assert (message.purpose, message.expires_at) == (Purpose.OTP, START + timedelta(minutes=10))
    code = sent_code(theatre)
    assert len(code) == 6
    assert code not in str([(entry.summary, entry.data) for entry in theatre.entries()])
    assert code not in str(theatre.enrollment().state)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=1)
    theatre.reply(f"it is {code}")
    theatre.work()
    assert theatre.enrollment().exit_reason == "right"


def test_a_code_in_flight_survives_a_new_secret(play: Play) -> None:
    theatre = play(VERIFY)
    theatre.accept_all()
    theatre.work()
    theatre.secrets = ["n" * 32, *theatre.secrets]
    theatre.compose(theatre.ledger)
    theatre.pass_time(minutes=1)
    theatre.reply(sent_code(theatre))
    theatre.work()
    assert theatre.enrollment().exit_reason == "right"
    again_booked(theatre)
    assert len({message.body for message in theatre.messages()}) == 2


def test_a_double_opt_in_is_evidence_of_who_said_what_to_which_question(play: Play) -> None:
    theatre = play(
        """
  - confirm:
      text: "Acme: reply YES for offers by SMS, STOP to end."
      reply: [YES]
      within: 1 day
      grants: marketing
      then: [{exit: confirmed}]
"""
    )
    (message,) = theatre.messages()
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=1)
    theatre.reply("Yes!")
    theatre.work()
    assert theatre.enrollment().exit_reason == "confirmed"
    with theatre.ledger.begin(write=False) as uow:
        (event,) = uow.consents.history(ACCOUNT, NUMBER)
        assert uow.consents.marketing_consent(ACCOUNT, [NUMBER]) == {NUMBER: ConsentKind.OPT_IN}
    assert (event.kind, event.scope, event.mechanism) == (ConsentKind.OPT_IN, Scope.MARKETING, "double_opt_in")
    assert (event.wording, event.asked, event.jurisdiction) == ("Yes!", message.body, "US")
    (entry,) = theatre.entries(EntryKind.OPTED_IN)
    assert (entry.path, entry.data["asked_by"]) == ("steps[0]", message.id)
    (shown,) = records(theatre, RecordSubject.OPT_OUT)
    assert shown.payload["how"] == f"The contact wrote: Yes!\n\nThey were asked: {message.body}"
    assert properties(theatre) == {"contact.sms_connector_opted_in_at": (START + timedelta(minutes=1)).isoformat()}


def test_the_question_of_a_double_opt_in_is_no_marketing_itself(play: Play) -> None:
    steps = """
  - confirm:
      text: "Acme: reply YES for offers by SMS, STOP to end."
      reply: [YES]
      within: 1 day
      grants: marketing
"""
    theatre = play("  - exit: nothing\n", {"offers": journey(steps, "offers").replace("transactional", "marketing")})
    (message,) = theatre.messages()
    assert (message.journey, message.purpose) == ("offers", Purpose.TRANSACTIONAL)


def test_an_owner_s_reply_neither_confirms_nor_guesses_for_the_contact(play: Play) -> None:
    theatre = play(
        """
  - send: {text: "Sam: a new deal, reply YES to take it", to: owner}
  - confirm:
      text: "Acme: reply YES for offers by SMS, STOP to end."
      reply: [YES]
      within: 1 day
      grants: marketing
  - verify: {text: "Acme: your code is {{ code }}", tries: 1, then: [{exit: right}], else: [{exit: wrong}]}
"""
    )
    for _ in range(2):
        theatre.accept_all()
        theatre.work()
    theatre.pass_time(minutes=1)
    theatre.reply("YES", from_=OWNER_NUMBER)
    theatre.work()
    assert "the confirmation of" in theatre.enrollment().waits_for
    assert theatre.entries(EntryKind.OPTED_IN) == []
    theatre.reply("Yes")
    theatre.work()
    assert len(theatre.entries(EntryKind.OPTED_IN)) == 1
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=1)
    theatre.reply("000000", from_=OWNER_NUMBER)
    theatre.work()
    assert "the code of" in theatre.enrollment().waits_for
    theatre.reply(theatre.messages()[-1].body.rpartition(" ")[2])
    theatre.work()
    assert theatre.enrollment().exit_reason == "right"


@pytest.mark.parametrize("asked_number", [OWNER_NUMBER, None])
def test_a_yes_from_a_number_that_was_not_asked_is_no_consent(play: Play, asked_number: str | None) -> None:
    theatre = play('  - send: {text: "Acme: hello"}\n')
    theatre.accept_all()
    theatre.reply("YES")
    (sent,) = theatre.messages()
    (said,) = theatre.entries(EntryKind.REPLY_RECEIVED)
    asked = None if asked_number is None else replace(sent, msisdn=asked_number)
    ids = map(str, count(1))
    opt_ins = DoubleOptIn(ConsentDesk(ids.__next__), ids.__next__)
    with theatre.ledger.begin() as uow:
        account, contact = uow.accounts.get(ACCOUNT), uow.contacts.with_number(ACCOUNT, NUMBER)[0]
        setting = Setting(account, theatre.journeys[0], "enrollment-1", contact, None, {})
        reply = uow.messages.many([said.message_id or ""])[said.message_id or ""]
        wish = Wish(setting, theatre.journeys[0].steps[0], "key", theatre.clock.at)
        assert not opt_ins.grant(uow, wish, reply, asked)
        assert uow.consents.marketing_consent(ACCOUNT, [NUMBER]) == {}
        assert opt_ins.grant(uow, wish, reply, sent)
        uow.commit()


def test_what_a_reply_said_is_in_no_trace_also_by_way_of_a_variable(play: Play) -> None:
    theatre = play(
        """
  - wait_for:
      within: 1 day
      cases:
        - reply: any
          then:
            - set: {vars.said: last_reply.text}
            - if: vars.said == "x"
              then: [{note: "n"}]
            - exit: heard
"""
    )
    theatre.pass_time(minutes=1)
    theatre.reply("my secret")
    theatre.work()
    assert theatre.enrollment().exit_reason == "heard"
    assert "my secret" not in repr(theatre.entries())
    assert any(entry.data.get("values") == {"vars.said": "(not shown)"} for entry in theatre.entries())


# Other journeys


def ended(theatre: Theatre) -> list[tuple[str, str]]:
    return [(each.journey, each.exit_reason) for each in theatre.enrollments()]


OTHER = HEADER.replace("Demo booked", "Nowhere")


def test_another_journey_takes_the_contact_with_the_record_that_is_there(play: Play) -> None:
    other = OTHER.format(name="other", again="never") + '  - note: "{{ deal.name }}"\n  - exit: done\n'
    theatre = play('  - set: {vars.x: "1"}\n  - enroll: other\n  - exit: sent on\n', {"other": other})
    assert ended(theatre) == [("first", "sent on"), ("other", "done")]
    assert [note.payload["text"] for note in records(theatre, RecordSubject.NOTE)] == ["Roof"]
    assert "Enrolled in other (version 1) because of the journey first" in theatre.summaries(EntryKind.ENROLLED)
    again_booked(theatre)
    assert theatre.summaries(EntryKind.NOT_ENROLLED)[-1] == (
        "Not enrolled in other: the contact was in this journey for the same key before"
    )
    assert wanted(theatre)[-1][0] == "Offers the contact to the journey other"


def test_what_was_said_before_is_no_answer_in_the_journey_entered(play: Play) -> None:
    other = OTHER.format(name="other", again="never") + (
        "  - wait_for: {within: 1 hour, cases: [{reply: any, then: [{exit: heard}]}], else: [{exit: silence}]}\n"
    )
    theatre = play("  - wait: 1 hour\n  - enroll: other\n", {"other": other})
    theatre.pass_time(minutes=30)
    theatre.reply("Hello?")
    theatre.work()
    theatre.pass_time(minutes=31)
    theatre.work()
    theatre.pass_time(minutes=61)
    theatre.work()
    assert ended(theatre)[-1] == ("other", "silence")


def test_a_journey_that_is_not_in_service_is_a_failure(play: Play) -> None:
    other = OTHER.format(name="other", again="never") + "  - exit: done\n"
    theatre = play("  - wait: 1 hour\n  - enroll: other\n    on_failure: [{exit: not there}]\n", {"other": other})
    with theatre.ledger.begin() as uow:
        current = uow.publications.current(ACCOUNT)["other"]
        uow.publications.add(replace(current, id="z" * 36, journey_version_id=None, action=PublicationAction.RETIRE))
        uow.commit()
    theatre.pass_time(hours=1)
    theatre.work()
    assert ended(theatre) == [("first", "not there")]


def test_journeys_never_send_a_contact_round_in_circles(play: Play, tmp_path: Path) -> None:
    wait = f"  - wait: {int(CIRCLE.total_seconds())} seconds\n"
    other = OTHER.format(name="other", again="always") + wait + "  - enroll: first\n"
    theatre = play("  - enroll: other\n", {"other": other})
    for _ in range(3):
        theatre.pass_time(hours=1)
        theatre.work()
    assert [journey for journey, _ in ended(theatre)].count("first") == 4  # with an hour in between it is a cycle

    swift = OTHER.format(name="swift", again="always") + "  - wait: 10 minutes\n  - enroll: swift\n"
    url = f"sqlite:///{tmp_path}/swift.sqlite3"
    circling = Theatre(tmp_path / "swift", url, {"swift": swift.replace("Nowhere", "Demo booked")})
    try:
        circling.deal_moves(circling.crm.put("deal", [circling.lea()], dealname="Roof", dealstage="new"), "demo")
        circling.work()
        circling.pass_time(minutes=10)
        circling.work()
        assert len(circling.enrollments()) == 1
        assert (
            "it sent the contact here itself, less than an hour ago (swift)"
            in circling.summaries(EntryKind.NOT_ENROLLED)[-1]
        )
    finally:
        circling.close()


# Splits, clocks, clicks


SPLIT = """
  - id: tone
    split:
      arms:
        friendly: {then: [{exit: friendly}]}
        firm: {then: [{exit: firm}]}
"""


def test_a_contact_stays_in_its_arm_in_every_enrollment(play: Play) -> None:
    theatre = play(SPLIT)
    again_booked(theatre)
    reasons = {reason for _, reason in ended(theatre)}
    assert len(ended(theatre)) == 2
    assert len(reasons) == 1
    (entry,) = theatre.entries(EntryKind.ARM_ASSIGNED)
    assert (entry.data["split"], {entry.data["arm"]}) == ("tone", reasons)


def test_an_arm_that_has_won_gets_those_who_are_new(play: Play) -> None:
    theatre = play("  - wait: 1 hour\n" + SPLIT)
    for arm in ("friendly", "firm"):
        with theatre.ledger.begin() as uow:
            uow.splits.win(ACCOUNT, "first", "tone", WinnerRow(arm, START))
            uow.commit()
    theatre.pass_time(hours=1)
    theatre.work()
    assert ended(theatre) == [("first", "friendly")]


@pytest.mark.parametrize(
    ("country", "opens_on"),
    [("US", datetime(2026, 11, 27, 14, 0, tzinfo=UTC)), ("CA", datetime(2026, 11, 26, 14, 0, tzinfo=UTC))],
)
def test_business_days_are_those_of_the_contact_s_country(tmp_path: Path, country: str, opens_on: datetime) -> None:
    steps = "  - wait: 4 business days\n"
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"first": journey(steps)})
    try:
        contact = theatre.lea(country=country, hs_timezone="America/Toronto")
        theatre.deal_moves(theatre.crm.put("deal", [contact], dealname="Roof", dealstage="new"), "demo")
        theatre.work()
        assert theatre.enrollment().due_at == opens_on
    finally:
        theatre.close()


def test_a_journey_with_a_best_time_sees_when_people_answered_and_which_hours_are_open(play: Play) -> None:
    theatre = play("  - wait: {until: best time, within: 3 days}\n")
    (contact,) = theatre.contacts().values()
    with theatre.ledger.begin(write=False) as uow:
        account = uow.accounts.get(ACCOUNT)
    setting = Setting(account, theatre.journeys[0], "enrollment-1", contact, None, {})
    without = replace(setting, journey=replace(theatre.journeys[0], steps=()))
    reader = SurroundingsReader(
        Renderer(), PublicHolidays(), HMACCodes(theatre.secrets), load_compliance(MAPPINGS / "compliance.yaml")
    )
    with theatre.ledger.begin() as uow:
        uow.habits.add(ACCOUNT, contact.id, contact.country, (6, 13))
        around, idle = reader.of(uow, setting, {}), reader.of(uow, without, {})
    assert (around.habits.own, around.habits.alike) == ({(6, 13): 1}, {(6, 13): 1})
    assert (around.zones, around.country) == (("America/New_York",), "US")
    assert around.window != ANYTIME
    assert (idle.habits, idle.window) == (Habits(), ANYTIME)


def test_a_link_that_was_followed_is_heard_by_the_enrollment_whose_text_it_was_in(play: Play) -> None:
    waits = """
  - send: {text: "Pay here: {{ 'https://shop.example/pay' | link('payment') }}"}
  - wait_for:
      within: 1 day
      cases:
        - click: payment
          then: [{exit: followed}]
"""
    theatre = play(waits, {"other": journey(waits, "other")})
    one, other = theatre.enrollments()
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=1)
    with theatre.ledger.begin() as uow:
        uow.timeline.add(
            [
                TimelineEntry(
                    account_id=ACCOUNT,
                    kind=EntryKind.LINK_CLICKED,
                    subject="link:1",
                    discriminator="",
                    at=theatre.clock.at,
                    summary="followed",
                    contact_id=one.contact_id,
                    enrollment_id=one.id,
                    data={"link": "payment"},
                )
            ]
        )
        uow.enrollments.wake(ACCOUNT, contact_ids=[one.contact_id], now=theatre.clock.at)
        uow.commit()
    theatre.work()
    found = {each.id: each.exit_reason for each in theatre.enrollments()}
    assert (found[one.id], found[other.id]) == ("followed", "")
