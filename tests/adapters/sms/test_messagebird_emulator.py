"""Does the pretend MessageBird refuse what the real one refuses, in its own words?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connector.sandbox.gateways.messagebird import ACCESS_KEY, MessageBirdSkin
from connector.sandbox.gateways.sandbox import GatewaySandbox
from tests.adapters.sms.emulated import Receiver


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(MessageBirdSkin(), post=receiver)
    with box.server:
        yield box


GOOD: dict[str, Any] = {"originator": "ACME", "recipients": [12025550143], "body": "Hi"}


@pytest.mark.parametrize(
    ("message", "code", "parameter"),
    [
        ({"recipients": [12025550143], "body": "Hi"}, 9, "originator"),
        ({**GOOD, "recipients": []}, 10, "recipients"),
        ({**GOOD, "recipients": ["+12025550143"]}, 10, "recipients"),
        ({**GOOD, "recipients": [12025550143] * 51}, 10, "recipients"),
        ({**GOOD, "body": ""}, 10, "body"),
        ({**GOOD, "body": "x" * 1378}, 10, "body"),
        ({**GOOD, "reference": "x" * 61}, 10, "reference"),
        ({**GOOD, "validity": "60"}, 10, "validity"),
        ({**GOOD, "datacoding": "ucs2"}, 10, "datacoding"),
        ({**GOOD, "callbackUrl": "https://sms.example.com"}, 10, "callbackUrl"),
        ([], 9, "body"),
    ],
)
def test_pretend_messagebird_names_what_is_wrong(
    sandbox: GatewaySandbox, message: object, code: int, parameter: str
) -> None:
    headers = {"Authorization": f"AccessKey {ACCESS_KEY}"}
    answer = httpx.post(f"{sandbox.url}/messages", headers=headers, json=message)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["parameter"]) == (422, code, parameter)
    assert sandbox.world.messages() == []


def test_pretend_messagebird_reports_nothing_about_a_text_without_a_reference(
    sandbox: GatewaySandbox, receiver: Receiver
) -> None:
    headers = {"Authorization": f"AccessKey {ACCESS_KEY}"}
    message = {**GOOD, "reportUrl": "https://sms.example.com/callbacks/status/a"}
    assert httpx.post(f"{sandbox.url}/messages", headers=headers, json=message).status_code == 201
    assert receiver.after(sandbox.engine) == []
    assert httpx.get(f"{sandbox.url}/messages", headers=headers, params={"reference": "x"}).status_code == 422
