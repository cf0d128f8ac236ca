"""Is what other systems are to be told written with what holds when it is asked for, or refused with a reason?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connector.adapters.rendering import Renderer
from connector.domain.errands import Call, Handoff, HandoffTo, Notify
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.domain.places import Expression, Text
from connector.domain.steps import Step
from connector.ports.effects import EffectKind
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.services.effect_making import MOST_MESSAGES, WORTH_TELLING, EffectMaker, plain
from connector.services.wishes import ImpossibleError, Wish
from tests.services.test_message_making import HERE, JOURNEY, LEA, NOW, setting

COMMON: dict[str, Any] = {"id": "s", "path": "steps[0]", "place": HERE}
MAKER = EffectMaker(Renderer(), lambda: "effect-1")


def wish(step: Step, *, is_awaited: bool = False, **where: Any) -> Wish:
    return Wish(setting(subject="deal:1", **where), step, "enrollment-1:steps[0]", NOW, is_awaited)


def whatsapp(**more: Any) -> Handoff:
    return Handoff(**COMMON, to=HandoffTo.WHATSAPP, channel="chat", text=Text("Hi {{ contact.name }}", HERE), **more)


def message(body: str, **changes: Any) -> MessageRow:
    row = MessageRow(
        id="m", account_id="account-1", direction=Direction.OUT, idempotency_key="k", purpose=Purpose.TRANSACTIONAL,
        msisdn="+12025550143", body=body, gateway="null", encoding="gsm7", segments=1, state=MessageState.SENT,
        policy=SendPolicy.AT_MOST_ONCE, not_before=NOW, created_at=NOW,
    )  # fmt: skip
    return replace(row, **changes)


def ledger_with(messages: Sequence[MessageRow]) -> UnitOfWork:
    """A ledger in which a contact has these messages, newest first."""

    def of_contact(_account_id: str, _contact_id: str, limit: int) -> Sequence[MessageRow]:
        return messages[:limit]

    return cast("UnitOfWork", SimpleNamespace(messages=SimpleNamespace(of_contact=of_contact)))


def test_a_whatsapp_message_goes_to_the_contact_s_number() -> None:
    step = whatsapp()
    effect = MAKER.handoff(ledger_with([]), wish(step, is_awaited=True), step)
    assert (effect.kind, effect.channel, effect.is_awaited) == (EffectKind.HANDOFF, "chat", True)
    assert effect.payload == {
        "number": LEA.msisdn, "text": "Hi Lea", "purpose": JOURNEY.purpose.value, "window": JOURNEY.window or "",
        "time_zones": [LEA.time_zone], "country": "US",
    }  # fmt: skip
    assert (effect.key, effect.path) == ("enrollment-1:steps[0]", "steps[0]")
    assert (effect.created_at, effect.not_before, effect.expires_at) == (NOW, NOW, NOW + WORTH_TELLING)


def test_a_contact_without_a_number_cannot_be_written_to() -> None:
    gone = replace(LEA, msisdn=None, msisdn_reason="the contact has no phone number")
    with pytest.raises(ImpossibleError, match="no usable number: the contact has no phone number"):
        MAKER.handoff(ledger_with([]), wish(whatsapp(), contact=gone), whatsapp())


def test_a_hand_off_without_a_text_has_nothing_to_go_on_with() -> None:
    step = replace(whatsapp(), text=None)
    with pytest.raises(ImpossibleError, match="no text to go on with"):
        MAKER.handoff(ledger_with([]), wish(step), step)


def test_a_conversation_leaves_out_codes_and_what_the_owner_was_sent_and_is_cut_at_its_oldest_end() -> None:
    talk = [
        message("you are told", recipient="owner"),
        message("code 123456", purpose=Purpose.OTP),
        message("hello", direction=Direction.IN),
        *(message(f"older {number}") for number in range(MOST_MESSAGES)),
    ]
    step = Handoff(**COMMON, to=HandoffTo.EMAIL, channel="mail")
    effect = MAKER.handoff(ledger_with(talk), wish(step, names={}, contact=replace(LEA, msisdn=None)), step)
    lines = str(effect.payload["text"]).splitlines()
    assert lines[0] == "Contact a contact, no number; deal:1"
    assert lines[-1].endswith("a contact: hello")
    assert "123456" not in str(effect.payload)
    assert "told" not in str(effect.payload)
    assert [line.rpartition(" ")[2] for line in lines[2:-1]] == [str(n) for n in reversed(range(MOST_MESSAGES - 3))]


def test_a_notification_without_a_title_has_the_journey_s() -> None:
    step = Notify(**COMMON, channel="sales", text=Text("Look", HERE))
    assert MAKER.notification(wish(step), step).payload["title"] == "The journey"
    untitled = wish(step, journey=replace(JOURNEY, title=""))
    assert MAKER.notification(untitled, step).payload["title"] == "j"


def test_a_text_that_cannot_be_written_says_where() -> None:
    step = Notify(**COMMON, channel="sales", text=Text("{{ contact.nobody }}", HERE))
    with pytest.raises(ImpossibleError, match=r"its text cannot be written: .*journeys/j.yaml:1"):
        MAKER.notification(wish(step), step)


def test_a_call_is_tried_as_long_as_its_step_says() -> None:
    step = Call(**COMMON, endpoint="shop", payload={"who": Expression("contact.name", HERE)}, within=timedelta(hours=1))
    effect = MAKER.call(wish(step, is_awaited=True), step)
    assert (effect.kind, effect.payload, effect.expires_at) == (
        EffectKind.CALL,
        {"data": {"who": "Lea"}},
        NOW + timedelta(hours=1),
    )


def test_values_are_sent_as_json_has_them_amounts_as_texts() -> None:
    value = {"amount": Decimal("12.50"), "when": [NOW, date(2026, 12, 1)], "is_new": True, "none": None, 3: 4}
    assert plain(value) == {
        "amount": "12.50",
        "when": ["2026-11-20T14:00:00+00:00", "2026-12-01"],
        "is_new": True,
        "none": None,
        "3": 4,
    }
