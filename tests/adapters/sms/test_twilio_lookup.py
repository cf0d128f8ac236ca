from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.adapters.sms import twilio
from connector.adapters.sms.twilio import TwilioGateway
from connector.adapters.sms.twilio_codes import NOTHING_KNOWN
from connector.errors import AmbiguousSendError, PermanentSendError, TransientSendError
from connector.ports.number_lookup import LineType, LookupAnswer
from connector.sandbox.clock import SandboxClock
from connector.sandbox.twilio.lookup import Line
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld
from tests.adapters.sms.texts import NUMBER, SENDER

VALUES = {setting.name: setting.default for setting in twilio.PLUGIN.settings} | {
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TWILIO_AUTH_TOKENS": "new, old",
    "TWILIO_FROM": SENDER,
}


@pytest.fixture
def sandbox() -> Iterator[TwilioSandbox]:
    world = TwilioWorld(SandboxClock(), ACCOUNT_SID, AUTH_TOKEN)
    world.add_sender(SENDER)
    box = TwilioSandbox(world)
    with box.server:
        yield box


@pytest.fixture
def gateway(sandbox: TwilioSandbox) -> Iterator[TwilioGateway]:
    one = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], sandbox.url, sender=SENDER, lookup_url=sandbox.url)
    yield one
    one.close()


@pytest.mark.parametrize(
    ("line", "line_type", "carrier"),
    [
        (Line(), LineType.MOBILE, "Sandbox Mobile"),
        (Line("mobile", carrier_name=""), LineType.MOBILE, "310260"),
        (Line("landline"), LineType.LANDLINE, "Sandbox Mobile"),
        (Line("fixedVoip"), LineType.VOIP, "Sandbox Mobile"),
        (Line("nonFixedVoip"), LineType.VOIP, "Sandbox Mobile"),
        (Line("tollFree"), LineType.TOLL_FREE, None),
        *((Line(each), LineType.UNKNOWN, None) for each in ("personal", "premium", "sharedCost", "uan", "voicemail")),
        *((Line(each), LineType.UNKNOWN, None) for each in ("pager", "unknown")),
        (Line(is_valid=False), LineType.INVALID, None),
        (Line(error_code=60600), LineType.UNKNOWN, None),
    ],
)
def test_lookup_tells_what_kind_of_number_it_is(
    gateway: TwilioGateway, sandbox: TwilioSandbox, line: Line, line_type: LineType, carrier: str | None
) -> None:
    sandbox.world.lines[NUMBER] = line
    answer = gateway.look_up(NUMBER)
    assert (answer.line_type, answer.country, answer.carrier) == (line_type, "US", carrier)
    assert (answer.is_reachable, answer.price) == (None, None)
    assert sandbox.world.calls["lookup"] == 1
    assert not sandbox.world.unknown_fields


@pytest.mark.parametrize("number", ["+1202", "+999123456789", "+120255501431234"])
def test_number_that_cannot_be_is_an_answer(gateway: TwilioGateway, number: str) -> None:
    assert gateway.look_up(number).line_type is LineType.INVALID


@pytest.mark.parametrize("code", sorted(NOTHING_KNOWN))
def test_refusal_for_lack_of_data_is_an_answer_too(gateway: TwilioGateway, sandbox: TwilioSandbox, code: str) -> None:
    sandbox.faults.arm("twilio.lookup", "status", status=400, body=f'{{"code": {code}}}')
    assert gateway.look_up(NUMBER) == LookupAnswer(LineType.UNKNOWN)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "reset"}, AmbiguousSendError),
        ({"kind": "status", "status": 401}, TransientSendError),
        ({"kind": "status", "status": 404}, TransientSendError),
        ({"kind": "status", "status": 429}, TransientSendError),
        ({"kind": "status", "status": 500, "body": '{"code": 60600}'}, AmbiguousSendError),
        ({"kind": "status", "status": 400, "body": '{"code": 60614}'}, PermanentSendError),
        ({"kind": "status", "status": 200, "body": "<html>"}, TransientSendError),
    ],
)
def test_lookup_that_could_not_be_asked_says_so_without_the_number(
    gateway: TwilioGateway, sandbox: TwilioSandbox, fault: dict[str, Any], kind: type[Exception]
) -> None:
    sandbox.faults.arm("twilio.lookup", **fault)
    with pytest.raises(kind) as caught:
        gateway.look_up(NUMBER)
    assert NUMBER[1:] not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_lookups_are_asked_of_the_host_that_is_set(sandbox: TwilioSandbox) -> None:
    gateway = twilio.PLUGIN.build(VALUES | {"TWILIO_AUTH_TOKENS": AUTH_TOKEN, "TWILIO_LOOKUP_URL": sandbox.url})
    assert isinstance(gateway, TwilioGateway)
    assert gateway.look_up(NUMBER).line_type is LineType.MOBILE
    gateway.close()
