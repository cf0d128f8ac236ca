"""Does the pretend Infobip refuse what the real one refuses, in its own words?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connector.sandbox.gateways.infobip import API_KEY, InfobipSkin
from connector.sandbox.gateways.sandbox import GatewaySandbox
from tests.adapters.sms.contract import NUMBER, SENDER


@pytest.fixture
def sandbox() -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(InfobipSkin())
    with box.server:
        yield box


GOOD: dict[str, Any] = {"destinations": [{"to": NUMBER[1:]}], "content": {"text": "Hi"}}
DLT = "messages[0].options.regional.indiaDlt.principalEntityId"


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        ({"content": {"text": "Hi"}}, "messages[0].destinations"),
        ({**GOOD, "from": "ACME"}, "messages[0].from"),
        ({**GOOD, "destinations": []}, "messages[0].destinations"),
        ({**GOOD, "destinations": [{"to": 12025550143}]}, "messages[0].destinations[0].to"),
        ({**GOOD, "content": {"text": ""}}, "messages[0].content.text"),
        ({**GOOD, "options": {"validityPeriod": {"amount": "5"}}}, "messages[0].options.validityPeriod"),
        ({**GOOD, "options": {"regional": {"indiaDlt": {}}}}, DLT),
        ({**GOOD, "webhooks": {"notifyUrl": "x"}}, "messages[0].webhooks.notifyUrl"),
        ({**GOOD, "webhooks": {"contentType": "text/plain"}}, "messages[0].webhooks.contentType"),
        ({**GOOD, "webhooks": {"callbackData": "x" * 4001}}, "messages[0].webhooks.callbackData"),
        ([], "messages[0]"),
    ],
)
def test_pretend_infobip_names_what_is_wrong(sandbox: GatewaySandbox, message: object, wrong: str) -> None:
    answer = httpx.post(
        f"{sandbox.url}/sms/3/messages", headers={"Authorization": f"App {API_KEY}"}, json={"messages": [message]}
    )
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "E400")
    assert answer.json()["violations"][0]["property"] == wrong
    assert sandbox.world.messages() == []


def test_pretend_infobip_makes_ids_senders_and_minutes_where_none_are_given(sandbox: GatewaySandbox) -> None:
    message = {**GOOD, "options": {"validityPeriod": {"amount": 90}}}
    url, headers = f"{sandbox.url}/sms/3/messages", {"Authorization": f"App {API_KEY}"}
    (answer,) = httpx.post(url, headers=headers, json={"messages": [message]}).json()["messages"]
    (taken,) = sandbox.world.messages()
    assert (answer["messageId"], taken.sender, taken.valid_for) == (taken.id, "InfoSMS", timedelta(minutes=90))
    too_long = {**GOOD, "content": {"text": "✓" * 1676}}
    (answer,) = httpx.post(url, headers=headers, json={"messages": [too_long]}).json()["messages"]
    assert answer["status"]["name"] == "REJECTED_MESSAGE_TOO_LONG"


def test_pretend_infobip_has_logs_of_two_days_and_no_filters_it_does_not_know(sandbox: GatewaySandbox) -> None:
    url, headers = f"{sandbox.url}/sms/3/logs", {"Authorization": f"App {API_KEY}"}
    sandbox.world.take(to=NUMBER, sender=SENDER, body="Hi", message_id="m")
    assert [each["messageId"] for each in httpx.get(url, headers=headers).json()["results"]] == ["m"]
    sandbox.world.clock.advance(timedelta(hours=49))
    assert httpx.get(url, headers=headers, params={"messageId": "m"}).json() == {"results": []}
    assert httpx.get(url, headers=headers, params={"id": "m"}).status_code == 400
