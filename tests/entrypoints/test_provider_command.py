"""Do people and programs see how gateways fare, and can they try one out?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.sms.null import NullGateway
from connector.adapters.sms.twilio import TwilioGateway
from connector.domain.circuit import CircuitState, GatewayHealth
from connector.domain.message import MessageState
from connector.domain.scoring import Fallen
from connector.entrypoints.cli.providers import _remarks
from connector.errors import ConfigurationError, PermanentSendError, TransientSendError
from connector.ports.gateway import AttemptQuery
from tests.adapters.store.factories import NUMBER
from tests.entrypoints.operated import Operated, operated, run


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(tmp_path, redis_url, monkeypatch) as found:
        yield found


def open_circuit(desk: Operated, gateway: str) -> None:
    at = desk.now
    health = GatewayHealth(
        gateway, at, at, CircuitState.OPEN, 0.0, "64% of its latest requests came to nothing", at + timedelta(hours=1),
        openings=1, usual_seconds=0.31, error_rate=0.64, weight=40.0,
    )  # fmt: skip
    with desk.connector.ledger.begin() as uow:
        uow.traffic.save_health(health)
        uow.commit()


def test_people_see_each_gateway_with_its_last_hour(desk: Operated) -> None:
    desk.carry("twilio", sent=200, delivered=190, failed=4)
    output = run("provider", "status").output
    (row,) = [line for line in output.splitlines() if line.startswith("│ twilio")]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["twilio", "closed", "-", "0%", "200", "190", "10", "4", "95%", "standard"]
    assert "│ vonage" in output


def test_people_see_why_a_circuit_is_open_and_until_when(desk: Operated) -> None:
    open_circuit(desk, "vonage")
    output = run("provider", "status", "--provider", "vonage").output
    assert "vonage: open since" in output
    assert "because 64% of its latest requests came to nothing, tried again at" in output
    assert "twilio" not in output


def test_programs_get_every_number(desk: Operated) -> None:
    open_circuit(desk, "vonage")
    desk.carry("vonage", sent=50, delivered=40)
    (found,) = json.loads(run("provider", "status", "--provider", "vonage", "--json").output)
    assert (found["state"], found["share"], found["error_rate"]) == ("open", 0.0, 0.64)
    assert (found["sent"], found["delivered"], found["undelivered"], found["failed"]) == (50, 40, 10, 0)
    assert found["until"] == (desk.now + timedelta(hours=1)).isoformat()
    assert found["fallen"] == []


def test_countries_that_are_reached_no_more_are_told(desk: Operated) -> None:
    (status,) = desk.connector.providers.status("twilio")
    fallen = [Fallen("twilio", "DE", "", 0.97, 0.41, 120), Fallen("twilio", "DE", "26201", 0.96, 0.1, 60)]
    assert _remarks(replace(status, fallen=fallen, waiting=True)) == [
        "delivers 41% of 120 texts to DE; before, it was 97%",
        "delivers 10% of 60 texts to DE, carrier 26201; before, it was 96%",
        "texts wait for it",
    ]


@pytest.mark.parametrize("arguments", [["status", "--provider", "telnyx"], ["test", "--provider", "telnyx"]])
def test_a_gateway_that_is_not_in_use_is_named_with_those_that_are(desk: Operated, arguments: list[str]) -> None:
    result = run("provider", *arguments)
    assert isinstance(result.exception, ConfigurationError)
    assert "telnyx is not in use here; in use are twilio, vonage, null" in str(result.exception)


def answers(monkeypatch: pytest.MonkeyPatch, found: Exception | None) -> list[AttemptQuery]:
    """Let Twilio answer so when it is asked about a text; give what it is asked."""
    asked: list[AttemptQuery] = []

    def find(_: Any, query: AttemptQuery) -> None:
        asked.append(query)
        if found is not None:
            raise found

    monkeypatch.setattr(TwilioGateway, "find", find)
    return asked


def test_a_gateway_that_knows_nothing_of_a_made_up_text_works(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    (asked,) = [answers(monkeypatch, None)]
    result = run("provider", "test", "--provider", "twilio")
    assert result.exit_code == 0
    assert "twilio: it answered and let us in" in result.output
    assert [(each.provider_message_id, each.sender) for each in asked] == [(None, None)]


def test_a_gateway_that_refuses_our_credentials_is_told_with_its_code(
    desk: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, PermanentSendError("Twilio refuses our credentials", code="20003"))
    result = run("provider", "test", "--provider", "twilio")
    assert result.exit_code == 1
    assert "twilio: Twilio refuses our credentials (code 20003), within 0.0 s" in result.output


def test_a_gateway_that_cannot_be_asked_is_no_failure(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    mute = replace(TwilioGateway.capabilities, asked_by=frozenset())
    monkeypatch.setattr(TwilioGateway, "capabilities", mute)
    result = run("provider", "test", "--provider", "twilio")
    assert result.exit_code == 0
    assert "only a text tries it out; say --to NUMBER" in result.output


def works_while_waited(desk: Operated, monkeypatch: pytest.MonkeyPatch, lanes: list[str]) -> list[float]:
    """Let a worker drain lanes whenever the command waits; give how long it would have waited each time."""
    waited: list[float] = []
    pause: Callable[[float], None] = time.sleep

    def work(seconds: float) -> None:
        if seconds < 0.5:  # the drain's own
            pause(seconds)
            return
        waited.append(seconds)
        for lane in lanes:
            desk.connector.drain(lane)

    monkeypatch.setattr("connector.entrypoints.cli.providers.time.sleep", work)
    return waited


def test_one_text_goes_through_the_gateway_that_is_tried_and_its_answer_is_told(
    desk: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = works_while_waited(desk, monkeypatch, ["send:null:otp"])
    result = run("provider", "test", "--provider", "null", "--to", NUMBER)
    assert result.exit_code == 0, result.output
    assert "null answered within" in result.output
    assert "accepted, its word is logged" in result.output
    assert waited == [0.5]


def test_a_text_that_tries_a_gateway_takes_no_other_one(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: Any) -> None:
        raise TransientSendError("Twilio is down", code="503", error_class="transient")

    def never(*_: Any) -> None:
        raise AssertionError("it was sent through another gateway")

    monkeypatch.setattr(TwilioGateway, "send", send)
    monkeypatch.setattr(NullGateway, "send", never)
    lanes = ["send:null:otp", "send:twilio:otp"]
    works_while_waited(desk, monkeypatch, lanes)
    output = run("provider", "test", "--provider", "twilio", "--to", NUMBER).output
    assert "its code is 503 (transient)" in output
    assert "twilio answered" in output
    message_id = output.split()[1]
    for _ in range(2):
        for lane in lanes:
            desk.connector.drain(lane)
    found = desk.connector.message_desk.status(desk.account_id, message_id)
    assert found is not None
    assert {each.gateway for each in found.attempts} == {"twilio"}


def test_a_text_that_nobody_sends_is_told_after_the_wait(desk: Operated) -> None:
    result = run("provider", "test", "--provider", "twilio", "--to", NUMBER, "--wait", "0")
    assert result.exit_code == 0
    assert "queued: no worker has looked at it yet" in result.output
    message_id = result.output.split()[1]
    found = desk.connector.message_desk.status(desk.account_id, message_id)
    assert found is not None
    assert found.message.state is MessageState.QUEUED
    assert found.message.expires_at is not None
    assert found.message.expires_at <= desk.connector.clock.now() + timedelta(minutes=10)


def test_programs_read_what_came_of_a_trial(desk: Operated) -> None:
    found = json.loads(run("provider", "test", "--provider", "twilio", "--to", NUMBER, "--wait", "0", "--json").output)
    assert (found["state"], found["attempts"]) == ("queued", [])


def test_programs_read_whether_a_gateway_lets_us_in(desk: Operated) -> None:
    found = json.loads(run("provider", "test", "--provider", "null", "--json").output)
    assert (found["name"], found["is_well"]) == ("null", True)
