from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.adapters.sms import twilio
from connector.adapters.sms.twilio import TwilioGateway
from connector.domain.message import ErrorClass
from connector.errors import AmbiguousSendError, ConfigurationError, PermanentSendError, TransientSendError
from connector.ports.gateway import Redactor
from connector.sandbox.clock import SandboxClock
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld
from tests.adapters.sms.emulated import Receiver
from tests.adapters.sms.texts import SENDER, sms

VALUES = {setting.name: setting.default for setting in twilio.PLUGIN.settings} | {
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TWILIO_AUTH_TOKENS": "new, old",
    "TWILIO_FROM": SENDER,
}


@pytest.fixture
def sandbox() -> Iterator[TwilioSandbox]:
    world = TwilioWorld(SandboxClock(), ACCOUNT_SID, AUTH_TOKEN)
    world.add_sender(SENDER)
    box = TwilioSandbox(world, post=Receiver())
    with box.server:
        yield box


@pytest.fixture
def gateway(sandbox: TwilioSandbox) -> Iterator[TwilioGateway]:
    one = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], sandbox.url, sender=SENDER, lookup_url=sandbox.url)
    yield one
    one.close()


def test_redacted_text_is_empty_at_twilio_and_its_record_stays(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    sid = gateway.send(sms()).provider_message_id
    sandbox.engine.flush()
    for _ in range(2):
        gateway.redact(sid)
    (message,) = sandbox.world.messages()
    assert (message.body, message.status) == ("", "delivered")


def test_text_that_is_still_under_way_is_redacted_later(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    sid = gateway.send(sms()).provider_message_id
    with pytest.raises(TransientSendError) as caught:
        gateway.redact(sid)
    assert (caught.value.code, caught.value.error_class) == ("20009", ErrorClass.TRANSIENT)
    assert sandbox.world.messages()[0].body == sms().body


def test_text_that_twilio_no_longer_has_is_forgotten_already(gateway: TwilioGateway, sandbox: TwilioSandbox) -> None:
    gateway.redact("SM" + "0" * 32)
    assert sandbox.world.calls["messages.update"] == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "reset"}, AmbiguousSendError),
        ({"kind": "status", "status": 429}, TransientSendError),
        ({"kind": "status", "status": 500}, AmbiguousSendError),
        ({"kind": "status", "status": 400, "body": '{"code": 20001}'}, PermanentSendError),
    ],
)
def test_redaction_that_did_not_happen_says_so(
    gateway: TwilioGateway, sandbox: TwilioSandbox, fault: dict[str, Any], kind: type[Exception]
) -> None:
    sandbox.faults.arm("twilio.messages.update", **fault)
    with pytest.raises(kind):
        gateway.redact(gateway.send(sms()).provider_message_id)


def test_gateway_forgets_only_when_it_is_told_to(sandbox: TwilioSandbox, gateway: TwilioGateway) -> None:
    forgetting = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], sandbox.url, sender=SENDER, redacts=True)
    assert isinstance(gateway, Redactor)
    assert (gateway.redacts, forgetting.redacts) == (False, True)
    forgetting.close()


@pytest.mark.parametrize(("word", "redacts"), [("never", False), ("after receipts", True)])
def test_settings_say_whether_twilio_is_to_forget(word: str, redacts: bool) -> None:
    gateway = twilio.PLUGIN.build(VALUES | {"TWILIO_REDACT": word})
    assert isinstance(gateway, Redactor)
    assert gateway.redacts is redacts
    gateway.close()


def test_nothing_is_forgotten_unless_a_setting_says_so() -> None:
    assert VALUES["TWILIO_REDACT"] == "never"
    with pytest.raises(ConfigurationError, match="never, after receipts"):
        twilio.PLUGIN.build(VALUES | {"TWILIO_REDACT": "always"})
