"""Is a callback posted signed, and does each answer mean what it should?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connector.adapters.channels.callback import CallbackChannel
from connector.adapters.channels.endpoint import signature
from connector.errors import ChannelRefusedError, ChannelUnavailableError
from connector.ports.channels import Delivery
from tests.adapters.channels.listening import Listener, Said, poster

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def deliver(listener: Listener, *secrets: str) -> None:
    told = Delivery("callback-1", data={"type": "message.delivered"}, url=listener.url(), account_id="account-1")
    CallbackChannel(poster(), {"account-1": secrets}.__getitem__, lambda: NOW).deliver(told)


def test_it_is_signed_with_every_valid_secret(listener: Listener) -> None:
    deliver(listener, "new", "old")
    (heard,) = listener.heard
    timestamp = str(int(NOW.timestamp()))
    assert json.loads(heard.body) == {"id": "callback-1", "type": "message.delivered"}
    assert heard.headers["x-sms-connector-timestamp"] == timestamp
    assert heard.headers["x-sms-connector-signature"] == ",".join(
        f"v1={signature(secret, timestamp, heard.body)}" for secret in (b"new", b"old")
    )
    assert heard.headers["x-sms-connector-id"] == heard.headers["idempotency-key"] == "callback-1"


@pytest.mark.parametrize("status", [400, 401, 404, 408, 429, 500, 502, 503])
def test_a_program_that_is_being_mended_is_tried_again(listener: Listener, status: int) -> None:
    listener.say(Said(status))
    with pytest.raises(ChannelUnavailableError) as caught:
        deliver(listener, "secret")
    assert caught.value.status == status


def test_it_is_tried_again_when_the_other_side_says(listener: Listener) -> None:
    listener.say(Said(503, headers={"Retry-After": "120"}))
    with pytest.raises(ChannelUnavailableError) as caught:
        deliver(listener, "secret")
    assert caught.value.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize("status", [301, 307, 410])
def test_one_that_is_gone_or_elsewhere_is_not(listener: Listener, status: int) -> None:
    listener.say(Said(status, headers={"Location": "https://elsewhere.example"}))
    with pytest.raises(ChannelRefusedError):
        deliver(listener, "secret")


def test_without_a_secret_nothing_leaves(listener: Listener) -> None:
    with pytest.raises(ChannelUnavailableError, match="no secret"):
        deliver(listener)
    assert listener.heard == []
