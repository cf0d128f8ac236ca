"""Each journey that ships, played: who gets which texts, when, and how does it end?

Simulations by the services of production, on Monday 2026-11-23 at 11:00 in London unless the script says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from connector.adapters.check import check
from connector.adapters.rendering import Renderer
from connector.adapters.script_file import load_script, with_answers
from connector.adapters.world_files import read_world
from connector.domain.journey import Journey
from connector.domain.steps import texts_sent, walk
from connector.domain.timeline import EntryKind
from connector.rehearsing import Files, build_company, with_those_it_enrolls_in
from connector.services.simulation import ACCOUNT_ID, Simulation, Transcript

ROOT = Path(__file__).parents[2]
MAPPINGS, TEMPLATES = ROOT / "mappings", ROOT / "templates"
BEGINS = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)

_BOOKED = "appointment: {starts_at: '2026-11-26T11:00:00+00:00', status: SCHEDULED}"
_SHIPPED_ORDER = "order: {fulfillment: shipped, number: A-1007}"
_DELIVERED_ORDER = "order: {id: '77', fulfillment: delivered, number: A-1007}"


@dataclass(frozen=True)
class Played:
    """One simulation and what is to come of it.

    Attributes:
        texts: (last part of the template, hours after the start, to the hour), in order.
        others: kinds of entries there are to be, beside texts.
    """

    journey: str
    title: str
    outcome: str
    texts: tuple[tuple[str, float], ...]
    script: str = ""
    replies: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    others: tuple[EntryKind, ...] = field(default=())


TASK, NOTE, OPTED_IN = EntryKind.TASK_WANTED, EntryKind.EFFECT_WANTED, EntryKind.OPTED_IN
CLICK = EntryKind.LINK_CLICKED

LIBRARY = (
    Played("lead-welcome", "who follows the link is confirmed", "ended: number confirmed", (("welcome", 0),),
           clicks=("verify",), others=(CLICK, NOTE)),
    Played("lead-welcome", "who is silent for a day is called", "ended: completed", (("welcome", 0),), others=(TASK,)),
    Played("demo-booked", "who wants another time gets a person", "ended: asked for another time",
           (("confirmation", 0), ("rescheduling", 5 / 60)), replies=("reschedule please",), others=(TASK,)),
    Played("demo-booked", "a deal that moves on ends it", "ended: deal.stage_changed happened", (("confirmation", 0),),
           script="then: [{after: 1 day, event: deal.stage_changed, deal: {stage: won}}]"),
    Played("invoice-overdue", "three reminders, then a task", "ended: completed",
           (("first", 0), ("second", 72), ("last", 168)), others=(TASK,)),
    Played("invoice-overdue", "an answer to the last reminder reaches a person", "ended: answered",
           (("first", 0), ("second", 72), ("last", 168)), others=(TASK,),
           script="then: [{after: 170 hours, reply: can I pay in two parts}]"),
    Played("invoice-overdue", "a payment stops it", "ended: invoice.paid happened", (("first", 0),),
           script="then: [{after: 1 day, event: invoice.paid, invoice: {status: paid}}]"),
    Played("urgent-ticket", "silence escalates, and both are warned before the promise runs out", "ended: completed",
           (("owner", 0), ("customer", 0), ("escalation", 0.25), ("sla", 35 / 60), ("sla-customer", 35 / 60)),
           script="ticket: {priority: URGENT, respond_by: '2026-11-23T11:45:00+00:00'}", others=(TASK,)),
    Played("urgent-ticket", "an owner who takes it calms the customer", "ended: acknowledged",
           (("owner", 0), ("customer", 0), ("taken", 2 / 60)), script="then: [{after: 2 minutes, owner_reply: ACK}]"),
    Played("abandoned-cart", "half an hour, then a coupon for who wants offers", "ended: completed",
           (("reminder", 0.5), ("coupon", 24.5)), script='contact: {wants_offers: "true"}'),
    Played("abandoned-cart", "no coupon without a yes to offers", "ended: completed", (("reminder", 0.5),),
           script='contact: {wants_offers: ""}'),
    Played("abandoned-cart", "no text at all without consent", "ended: completed", (),
           script="contact: {marketing: no}"),
    Played("abandoned-cart", "an order ends it", "ended: order.created happened", (("reminder", 0.5),),
           script="then: [{after: 3 hours, event: order.created}]"),
    Played("appointment", "confirmed, remembered a day before, confirmed again", "ended: confirmed",
           (("confirmation", 0), ("reminder", 48)),
           script=f"{_BOOKED}\nthen: [{{after: 49 hours, reply: 'yes'}}]", others=(NOTE,)),
    Played("appointment", "the reminder follows an appointment that moves", "ended: completed",
           (("confirmation", 0), ("reminder", 96)),
           script=f"{_BOOKED}\nthen: [{{after: 1 day, event: appointment.moved, "
                  "appointment: {starts_at: '2026-11-28T11:00:00+00:00'}}]", others=(TASK,)),
    Played("appointment", "one that is cancelled ends it", "ended: appointment.cancelled happened",
           (("confirmation", 0),), script=f"{_BOOKED}\nthen: [{{after: 1 day, event: appointment.cancelled}}]"),
    Played("appointment", "another time, asked for hours later, is found by a person", "ended: asked for another time",
           (("confirmation", 0), ("rescheduling", 3)),
           script=f"{_BOOKED}\nthen: [{{after: 3 hours, reply: verschieben}}]", others=(TASK,)),
    Played("appointment", "who cannot come says so in time", "ended: cannot come",
           (("confirmation", 0), ("reminder", 48), ("cancelling", 50)),
           script=f"{_BOOKED}\nthen: [{{after: 50 hours, reply: cannot come}}]", others=(TASK,)),
    Played("appointment", "one booked at short notice needs no reminder", "ended: completed", (("confirmation", 0),),
           script="appointment: {starts_at: '2026-11-23T13:30:00+00:00', status: SCHEDULED}", others=(TASK,)),
    Played("one-time-code", "the second try is right", "ended: right code", (("code", 0),),
           replies=("111111", "{{ code }}"), others=(NOTE,)),
    Played("one-time-code", "three wrong codes end it", "ended: no right code in time", (("code", 0),),
           replies=("111111", "222222", "333333")),
    Played("double-opt-in", "a yes is a consent", "ended: consent given", (("question", 0), ("welcome", 5 / 60)),
           script="contact: {marketing: no}", replies=("Yes",), others=(OPTED_IN,)),
    Played("double-opt-in", "silence is none", "ended: not confirmed", (("question", 0),),
           script="contact: {marketing: no}"),
    Played("delivery-updates", "shipped, out for delivery, delivered", "ended: completed",
           (("shipped", 0), ("out-for-delivery", 24), ("delivered", 30)),
           script=f"{_SHIPPED_ORDER}\nthen:\n"
                  "  - {after: 24 hours, event: order.fulfillment_changed, order: {fulfillment: out_for_delivery}}\n"
                  "  - {after: 30 hours, event: order.fulfillment_changed, order: {fulfillment: delivered}}"),
    Played("delivery-updates", "who writes after the delivery is answered by a person", "ended: answered",
           (("shipped", 0), ("delivered", 30)), others=(TASK,),
           script=f"{_SHIPPED_ORDER}\nthen:\n"
                  "  - {after: 30 hours, event: order.fulfillment_changed, order: {fulfillment: delivered}}\n"
                  "  - {after: 31 hours, reply: one cup is broken}"),
    Played("delivery-updates", "ten days of silence bring a person", "ended: late",
           (("shipped", 0), ("late", 240)), script=_SHIPPED_ORDER, others=(TASK,)),
    Played("replenishment", "a reminder at a good hour, followed", "ended: looked", (("reminder", 600),),
           script=_DELIVERED_ORDER, clicks=("reorder",), others=(CLICK,)),
    Played("review-request", "who is happy is shown where to tell others", "ended: happy",
           (("favour", 174), ("link", 174)), script=_DELIVERED_ORDER, replies=("5",)),
    Played("review-request", "who is not, too, and a person hears of it", "ended: not happy",
           (("favour", 174), ("link", 174)), script=_DELIVERED_ORDER, replies=("2",), others=(TASK,)),
    Played("review-request", "a number from before the question is no answer", "ended: completed", (("favour", 174),),
           script=f"{_DELIVERED_ORDER}\nthen: [{{after: 100 hours, reply: '5'}}]"),
    Played("trial", "a hand, a word before the end, a win-back", "ended: completed",
           (("start", 0), ("help", 48), ("ending", 286), ("win-back", 670)),
           script="trial: {started_at: x, ends_on: '2026-12-07', activated_at: ''}"),
    Played("trial", "who starts by themselves needs no hand", "ended: contact.subscribed happened", (("start", 0),),
           script="trial: {started_at: x, ends_on: '2026-12-07', activated_at: '2026-11-23'}\n"
                  "then: [{after: 5 days, event: contact.subscribed}]"),
    Played("load-confirmation", "the driver replies with the code", "ended: confirmed", (("assigned", 0),),
           script="deal: {stage_label: Load assigned, name: Leeds to Hull}", replies=("{{ code }}",), others=(NOTE,)),
    Played("load-confirmation", "two texts without an answer bring a person", "ended: completed",
           (("assigned", 0), ("reminder", 0.5)), script="deal: {stage_label: Load assigned, name: Leeds to Hull}",
           others=(TASK,)),
    Played("enrolment-nudge", "nudges on days 2, 7 and 14", "ended: completed",
           (("first", 48), ("second", 168), ("last", 336)),
           script="deal: {stage_label: Documents missing, name: MSc Biology}"),
    Played("enrolment-nudge", "who asks for a call at last gets one", "ended: wants a call",
           (("first", 48), ("second", 168), ("last", 336), ("calling", 337)), others=(TASK,),
           script="deal: {stage_label: Documents missing, name: MSc Biology}\n"
                  "then: [{after: 337 hours, reply: call me}]"),
    Played("enrolment-nudge", "who says no is left alone", "ended: does not want to go on",
           (("first", 48), ("second", 168)), script="deal: {stage_label: Documents missing, name: MSc Biology}\n"
           "then: [{after: 170 hours, reply: 'No'}]", others=(NOTE,)),
    Played("payment-failed", "declined, reminded, handed over", "ended: completed",
           (("declined", 0), ("reminder", 48)), others=(TASK,)),
    Played("payment-failed", "who wants a call gets one", "ended: wants a call", (("declined", 0), ("calling", 5 / 60)),
           replies=("call me please",), others=(TASK,)),
    Played("payment-failed", "a payment that goes through ends it", "ended: payment.succeeded happened",
           (("declined", 0),), clicks=("retry",),
           script="then: [{after: 30 minutes, event: payment.succeeded}]", others=(CLICK,)),
)  # fmt: skip


@cache
def shelf() -> Mapping[str, Journey]:
    return check(MAPPINGS, TEMPLATES).journeys


@cache
def files() -> Files:
    return Files.read(MAPPINGS)


def play(each: Played, directory: Path) -> tuple[Journey, Transcript]:
    journey = shelf()[each.journey]
    path = directory / "script.yaml"
    path.write_text(each.script or "{}", encoding="utf-8")
    script = load_script(path, journey, read_world(MAPPINGS, TEMPLATES)[0], BEGINS)
    script = with_answers(script, each.replies, each.clicks)
    company = build_company(
        files(),
        with_those_it_enrolls_in(journey, shelf()),
        ACCOUNT_ID,
        script.at,
        "twilio",
        Renderer(sample_link=""),
    )
    return journey, Simulation(company, journey, script).run(BEGINS + timedelta(days=60))


@pytest.mark.parametrize("each", LIBRARY, ids=lambda each: f"{each.journey}: {each.title}")
def test_a_journey_that_ships_does_what_it_says(each: Played, tmp_path: Path) -> None:
    journey, transcript = play(each, tmp_path)
    names = {step.path: texts[0].template or "" for step in walk(journey.steps) if (texts := texts_sent(step))}
    sent = [text for text in transcript.texts.values() if text.state == "delivered"]
    assert transcript.outcome == each.outcome
    assert [names[text.step].rpartition("/")[2] for text in sent] == [name for name, _ in each.texts]
    assert [(text.at - BEGINS) / timedelta(hours=1) for text in sent] == [
        pytest.approx(hours, abs=1) for _, hours in each.texts
    ]
    assert set(each.others) <= {entry.kind for entry in transcript.entries}


def test_every_journey_that_ships_is_played() -> None:
    assert {each.journey for each in LIBRARY} == {path.stem for path in (MAPPINGS / "journeys").glob("*.yaml")}
