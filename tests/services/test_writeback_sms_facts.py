"""Does a CRM that keeps texts as records of their own get told what each text is?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.domain.message import MessageState, Purpose
from connector.ports.crm_writing import SMSFacts
from connector.services.shown_texts import ONE_TIME_CODE
from tests.services.stage import NUMBER, SENDER, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def facts(stage: Stage) -> SMSFacts:
    stage.drain()
    (written,) = stage.crm.records.values()
    assert written.sms is not None
    return written.sms


def test_a_text_that_arrived_says_when_and_from_where(stage: Stage) -> None:
    row = stage.move(stage.add_message(sender=SENDER), MessageState.DISPATCHING)
    stage.move(stage.move(row, MessageState.SENT), MessageState.DELIVERED)
    arrived_at = stage.clock.at
    told = facts(stage)
    assert (told.is_inbound, told.state, told.body) == (False, "delivered", "Hello 1")
    assert (told.sender, told.recipient, told.segments) == (SENDER, NUMBER, 1)
    assert (told.delivered_at, told.error) == (arrived_at, "")


def test_a_text_that_failed_says_why_and_never_arrived(stage: Stage) -> None:
    row = stage.move(stage.add_message(), MessageState.DISPATCHING)
    stage.move(row, MessageState.FAILED, "the number is not in service")
    told = facts(stage)
    assert (told.state, told.error) == ("failed", "the number is not in service")
    assert told.delivered_at is None


def test_a_reply_goes_the_other_way(stage: Stage) -> None:
    stage.add_contact("51")
    stage.receive("See you then")
    told = facts(stage)
    assert (told.is_inbound, told.state, told.body) == (True, "received", "See you then")
    assert (told.sender, told.recipient) == (NUMBER, SENDER)
    assert told.sent_at is not None


def test_a_one_time_code_is_not_shown_here_either(stage: Stage) -> None:
    stage.add_message(purpose=Purpose.OTP, body="Your code is 123456")
    assert facts(stage).body == ONE_TIME_CODE


def test_what_is_written_is_not_printed(stage: Stage) -> None:
    stage.add_message()
    printed = repr(facts(stage))
    assert NUMBER not in printed
    assert "Hello" not in printed
