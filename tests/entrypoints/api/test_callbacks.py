"""Does a customer's program hear, signed and over the wire, what became of the text it ordered?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.bootstrap import Connector
from connector.domain.message import MessageState
from connector.ports.messages import StateChange
from connector.ports.queue import EFFECTS
from connector.services.announcing import Moved, announce
from connector_client import SignatureMismatchError, webhooks
from tests.adapters.channels.listening import Listener, Said
from tests.entrypoints.api.conftest import Program


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def deliver(connector: Connector, message_id: str, state: MessageState) -> None:
    """Let a text move as a receipt would move it, and drain the lane."""
    now = connector.clock.now()
    with connector.ledger.begin() as uow:
        row = uow.messages.many([message_id])[message_id]
        uow.messages.move([StateChange(row.id, row.state, state, "the gateway says so")], now)
        announce(uow, [Moved(row, state, "the gateway says so")], now)
        uow.commit()
    connector.drain(EFFECTS)


def test_the_client_reads_what_the_connector_sends(connector: Connector, program: Program, listener: Listener) -> None:
    url = f"http://127.0.0.1:{listener.port}/hook"
    sent = program.send(callback_url=url, idempotency_key="table-7")
    deliver(connector, sent["id"], MessageState.DELIVERED)
    (heard,) = listener.heard
    secrets = connector.callback_secrets.valid("account-1")
    callback = webhooks.read(heard.body, heard.headers, secrets=secrets)
    assert (callback.type, callback.message.id) == ("message.delivered", sent["id"])
    assert (callback.message.idempotency_key, callback.reply) == ("table-7", None)
    assert heard.headers["x-sms-connector-id"] == heard.headers["idempotency-key"] == callback.id


def test_while_a_secret_is_changed_either_one_holds(connector: Connector, program: Program, listener: Listener) -> None:
    sent = program.send(callback_url=f"http://127.0.0.1:{listener.port}/hook")
    (old,) = connector.callback_secrets.valid("account-1")
    new = connector.callback_secrets.rotate("account-1")[0].secret
    deliver(connector, sent["id"], MessageState.DELIVERED)
    (heard,) = listener.heard
    for secret in (old, new):
        webhooks.check(heard.body, heard.headers, secrets=[secret])
    with pytest.raises(SignatureMismatchError):
        webhooks.check(heard.body, heard.headers, secrets=["whsec_another"])


def test_what_was_given_up_is_listed_and_replayed(connector: Connector, program: Program, listener: Listener) -> None:
    listener.say(Said(410), Said(200))
    sent = program.send(callback_url=f"http://127.0.0.1:{listener.port}/hook?token=s3cret")
    deliver(connector, sent["id"], MessageState.DELIVERED)
    (lost,) = program.get("/callbacks/failed")["callbacks"]
    assert (lost["type"], lost["message_id"]) == ("message.delivered", sent["id"])
    assert lost["host"] == f"http://127.0.0.1:{listener.port}"
    assert "410" in lost["error"]
    assert program.post("/callbacks/replay", {"ids": [lost["id"], "unheard-of"]})["ids"] == [lost["id"]]
    connector.drain(EFFECTS)
    first, second = (heard.headers["x-sms-connector-id"] for heard in listener.heard)
    assert first == second == lost["id"]
    assert program.get("/callbacks/failed")["callbacks"] == []


def test_a_callback_to_a_private_address_is_never_made(connector: Connector, program: Program) -> None:
    sent = program.send(callback_url="https://10.0.0.7/hook")
    deliver(connector, sent["id"], MessageState.DELIVERED)
    (refused,) = program.get("/callbacks/failed")["callbacks"]
    assert "may not be called" in refused["error"]


def test_a_text_that_is_cancelled_is_told_too(connector: Connector, program: Program, listener: Listener) -> None:
    sent = program.send(callback_url=f"http://127.0.0.1:{listener.port}/hook")
    program.post(f"/messages/{sent['id']}/cancel")
    connector.drain(EFFECTS)
    (heard,) = listener.heard
    callback = webhooks.read(heard.body, heard.headers, secrets=connector.callback_secrets.valid("account-1"))
    assert callback.type == "message.cancelled"
