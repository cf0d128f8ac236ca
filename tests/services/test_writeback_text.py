"""Does a rep read at a glance what was said, how it stands and why?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.domain.keyword_answers import JOURNEY, STOP_CONFIRMATION
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.ports.messages import MessageRow
from connector.services.writeback_text import consent_text, message_text, reply_text, task_text

AT = datetime(2026, 11, 20, 14, 3, tzinfo=UTC)
MESSAGE = MessageRow(
    id="m-1",
    account_id="account-1",
    direction=Direction.OUT,
    idempotency_key="k",
    purpose=Purpose.TRANSACTIONAL,
    msisdn="+12025550143",
    body="Hi Lea, your order is on its way.",
    gateway="twilio",
    encoding="gsm7",
    segments=1,
    state=MessageState.DELIVERED,
    policy=SendPolicy.AT_MOST_ONCE,
    not_before=AT,
    created_at=AT,
    updated_at=AT,
    sent_at=AT,
    journey="deal-won",
    step="steps[0]",
)


def test_a_delivered_message_reads_as_a_whole() -> None:
    answered = replace(MESSAGE, replied_at=AT + timedelta(minutes=4), opted_out_at=AT + timedelta(days=1))
    assert message_text(answered, "SMS-1") == (
        "SMS to contact · delivered 14:03 UTC\n"
        "\n"
        "Hi Lea, your order is on its way.\n"
        "\n"
        "Journey deal-won, steps[0]\n"
        "1 segment · replied 14:07 UTC · opted out 2026-11-21 14:03 UTC\n"
        "Ref SMS-1"
    )


def test_a_text_that_did_not_arrive_says_why() -> None:
    failed = replace(MESSAGE, state=MessageState.UNDELIVERED, state_reason="the handset was off", segments=2)
    text = message_text(failed, "SMS-1")
    assert text.startswith("SMS to contact · not delivered 14:03 UTC\nWhy: the handset was off\n\nHi Lea")
    assert "2 segments" in text


def test_a_held_text_says_until_when() -> None:
    held = replace(
        MESSAGE, state=MessageState.HELD, state_reason="window is closed", not_before=AT + timedelta(hours=18)
    )
    assert message_text(held, "SMS-1").splitlines()[:2] == [
        "SMS to contact · held until 2026-11-21 08:03 UTC",
        "Why: window is closed",
    ]


def test_why_a_text_was_allowed_is_no_news_to_a_rep() -> None:
    allowed = replace(MESSAGE, state_reason="not suppressed, window daytime is open")
    assert "Why" not in message_text(allowed, "SMS-1")


def test_a_text_to_the_owner_says_so() -> None:
    assert message_text(replace(MESSAGE, recipient="owner"), "SMS-1").startswith("SMS to owner · delivered")


def test_a_text_without_a_journey_names_none() -> None:
    assert "Journey" not in message_text(replace(MESSAGE, journey="", step=""), "SMS-1")


def test_an_automatic_answer_is_told_from_a_journeys_text() -> None:
    answer = replace(MESSAGE, journey=JOURNEY, step=STOP_CONFIRMATION)
    assert "Automatic confirmation of the opt-out" in message_text(answer, "SMS-1")


@pytest.mark.parametrize("state", list(MessageState))
def test_every_state_has_words(state: MessageState) -> None:
    first = message_text(replace(MESSAGE, state=state), "SMS-1").splitlines()[0]
    assert len(first) > len("SMS to contact · ")


def test_a_one_time_code_is_for_nobody_but_who_got_it() -> None:
    code = replace(MESSAGE, purpose=Purpose.OTP, body="Your code is 493 021")
    assert message_text(code, "SMS-1").splitlines()[2] == "(a one-time code)"
    assert not re.search(r"\d{2}", message_text(code, "SMS").replace("14:03", ""))


def test_a_reply_to_a_one_time_code_shows_its_words_and_no_digits() -> None:
    reply = replace(MESSAGE, direction=Direction.IN, state=MessageState.RECEIVED, purpose=Purpose.OTP)
    shown = reply_text(replace(reply, body="it is 493 021, or \u0664\u0669?"), "", "SMS-2")
    assert "\nit is \u2022\u2022\u2022 \u2022\u2022\u2022, or \u2022\u2022?\n" in shown


def test_a_reply_is_shown_with_what_we_made_of_it() -> None:
    reply = replace(MESSAGE, direction=Direction.IN, state=MessageState.RECEIVED, body="Stop please")
    assert reply_text(reply, "Understood as STOP.", "SMS-2") == (
        "SMS from contact · received 14:03 UTC\n\nStop please\n\nUnderstood as STOP.\nRef SMS-2"
    )
    assert reply_text(reply, "", "SMS-2").endswith("Stop please\n\nRef SMS-2")


def test_an_opt_out_says_how_and_what_follows() -> None:
    payload = {"headline": "Opted out of SMS", "how": "The contact wrote: Stop", "effect": "No more SMS."}
    assert consent_text(payload, "SMS-3") == ("Opted out of SMS\n\nThe contact wrote: Stop\nNo more SMS.\n\nRef SMS-3")


def test_a_task_without_a_body_still_carries_its_reference() -> None:
    assert task_text({"title": "Call"}, "SMS-4") == "Ref SMS-4"
