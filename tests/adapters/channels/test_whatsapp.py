"""A contact is written to on WhatsApp through Twilio, and Twilio's codes say what can be done about a refusal."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from connector.adapters.channels.whatsapp import WhatsAppChannel
from connector.errors import ChannelAmbiguousError, ChannelError, ChannelRefusedError, ChannelUnavailableError
from connector.ports.channels import Delivery
from tests.adapters.channels.listening import Listener, Said

TOLD = Delivery("id-1", text="Shall we go on here?", number="+12025550143")


def channel(listener: Listener, content_sid: str = "") -> WhatsAppChannel:
    return WhatsAppChannel("AC1", "token", f"http://127.0.0.1:{listener.port}", "+12025550100", content_sid)


def form(listener: Listener) -> dict[str, list[str]]:
    return parse_qs(listener.heard[-1].body.decode())


def test_the_text_goes_to_the_contacts_number(listener: Listener) -> None:
    listener.say(Said(201, b'{"sid": "SM1"}'))
    channel(listener).deliver(TOLD)
    assert listener.heard[0].path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert form(listener) == {
        "To": ["whatsapp:+12025550143"],
        "From": ["whatsapp:+12025550100"],
        "Body": ["Shall we go on here?"],
    }


def test_an_approved_template_gets_the_text_as_its_first_variable(listener: Listener) -> None:
    listener.say(Said(201, b'{"sid": "SM1"}'))
    channel(listener, "HX1").deliver(TOLD)
    assert form(listener)["ContentSid"] == ["HX1"]
    assert json.loads(form(listener)["ContentVariables"][0]) == {"1": "Shall we go on here?"}
    assert "Body" not in form(listener)


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (Said(400, b'{"code": 63016}'), ChannelRefusedError, "approved template"),
        (Said(400, b'{"code": 21211}'), ChannelRefusedError, "code 21211"),
        (Said(429, b'{"code": 20429}'), ChannelUnavailableError, "code 20429"),
        (Said(500), ChannelAmbiguousError, "HTTP 500"),
        (Said(503, b"[]", {"Retry-After": "9"}), ChannelUnavailableError, "HTTP 503"),
    ],
)
def test_a_refusal_is_read_by_twilios_code(
    listener: Listener, said: Said, error: type[ChannelError], words: str
) -> None:
    listener.say(said)
    with pytest.raises(error, match=words) as refused:
        channel(listener).deliver(TOLD)
    assert "0143" not in str(refused.value)


def test_a_contact_without_a_number_cannot_be_written_to(listener: Listener) -> None:
    with pytest.raises(ChannelRefusedError, match="no number"):
        channel(listener).deliver(Delivery("id-2", text="Hello"))
    assert listener.heard == []
