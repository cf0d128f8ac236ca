"""An endpoint can check who calls, knows a repeated call, and its JSON comes back."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.adapters.channels.endpoint import EndpointChannel
from connector.adapters.channels.posting import MOST_BYTES
from connector.errors import ChannelUnavailableError
from connector.ports.channels import Delivery
from tests.adapters.channels.listening import Listener, Said, poster

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
CALL = Delivery("id-1", data={"invoice": "INV-7", "amount": "12.50", "name": "Zoë"})
JSON = {"Content-Type": "application/json"}


def channel(listener: Listener) -> EndpointChannel:
    return EndpointChannel(poster(), listener.url(), "shared secret", lambda: NOW)


def test_a_call_is_signed_over_its_time_and_body_and_carries_its_id(listener: Listener) -> None:
    channel(listener).deliver(CALL)
    (heard,) = listener.heard
    stamp = heard.headers["x-sms-connector-timestamp"]
    signed = hmac.new(b"shared secret", stamp.encode() + b"." + heard.body, hashlib.sha256).hexdigest()
    assert heard.headers["x-sms-connector-signature"] == f"v1={signed}"
    assert stamp == str(int(NOW.timestamp()))
    assert heard.headers["idempotency-key"] == heard.headers["x-sms-connector-id"] == "id-1"
    assert json.loads(heard.body) == CALL.data


def test_a_notification_brings_title_and_text(listener: Listener) -> None:
    channel(listener).deliver(Delivery("id-2", "Overdue", "INV-7 is open"))
    assert json.loads(listener.heard[0].body) == {"title": "Overdue", "text": "INV-7 is open"}


def test_a_call_without_values_sends_an_empty_object(listener: Listener) -> None:
    channel(listener).deliver(Delivery("id-3"))
    assert listener.heard[0].body == b"{}"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (Said(200, b'{"slot": "09:00", "n": 1.5}', JSON), {"slot": "09:00", "n": 1.5}),
        (Said(201, b"[1, 2]", {"Content-Type": "application/vnd.x+json; charset=utf-8"}), [1, 2]),
        (Said(204), None),
        (Said(200, b"", JSON), None),
        (Said(200, b"Accepted", {"Content-Type": "text/plain"}), None),
    ],
)
def test_a_json_answer_comes_back_and_any_other_says_that_it_was_done(
    listener: Listener, said: Said, answer: Any
) -> None:
    listener.say(said)
    assert channel(listener).deliver(CALL) == answer


def test_an_answer_is_kept_to_a_depth_that_can_be_kept(listener: Listener) -> None:
    def nested(levels: int) -> Said:
        return Said(200, b"[" * levels + b"1" + b"]" * levels, JSON)

    listener.say(nested(50))
    assert isinstance(channel(listener).deliver(CALL), list)
    listener.say(nested(51))
    assert channel(listener).deliver(CALL) is None


@pytest.mark.parametrize(
    "body", [b"{not", b"NaN", b'{"a": Infinity}', b"\xff\xfe", b"[" * 60_000, b'"' + b"x" * MOST_BYTES + b'"']
)
def test_a_success_whose_answer_cannot_be_read_was_done_and_has_no_value(listener: Listener, body: bytes) -> None:
    listener.say(Said(200, body, JSON))
    assert channel(listener).deliver(CALL) is None
    assert len(listener.heard) == 1


def test_a_server_error_is_tried_again_because_the_other_side_knows_the_id(listener: Listener) -> None:
    listener.say(Said(500))
    with pytest.raises(ChannelUnavailableError):
        channel(listener).deliver(CALL)
    assert channel(listener).is_repeatable
