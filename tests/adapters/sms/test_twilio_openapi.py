"""Does every request to Twilio fit what Twilio's own OpenAPI document says?

The vendor publishes the documents at github.com/twilio/twilio-oai. They are not part of this repository: name yours by
TWILIO_OPENAPI and TWILIO_LOOKUPS_OPENAPI. Without them the same requests are still held to
a small document of our own, so that this test does not rot.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from connector.adapters import http
from connector.adapters.sms import twilio
from connector.adapters.sms.twilio import API_URL, TwilioGateway
from connector.adapters.sms.twilio_lookup import LOOKUP_URL
from connector.ports.gateway import AttemptQuery, OutgoingSMS
from connector.sandbox.clock import SandboxClock
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld
from tests.adapters.sms.emulated import Receiver
from tests.adapters.sms.openapi_requests import Document, read_document
from tests.adapters.sms.test_openapi_requests import SMALL
from tests.adapters.sms.texts import NUMBER, SENDER, sms

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
LOOKUPS = "/v2/PhoneNumbers/"


@dataclass
class Stage:
    """Two gateways over one pretend account, and everything they have asked it."""

    box: TwilioSandbox
    gateway: TwilioGateway
    pooled: TwilioGateway
    heard: list[httpx.Request]

    def send(self, text: OutgoingSMS, gateway: TwilioGateway | None = None) -> str:
        return (gateway or self.gateway).send(text).provider_message_id

    def query(self, text: OutgoingSMS, sid: str | None = None) -> AttemptQuery:
        at = self.box.world.clock.now()
        return AttemptQuery(text.attempt_id, sid, text.to, text.sender, text.body, at)

    def redact(self) -> None:
        sid = self.send(sms())
        self.box.engine.flush()
        self.gateway.redact(sid)


Variant = Callable[[Stage], object]
VARIANTS: dict[str, Variant] = {
    "send": lambda stage: stage.send(sms()),
    "send from a sender id": lambda stage: stage.send(sms(sender="ACME")),
    "send from a messaging service": lambda stage: stage.send(sms(), stage.pooled),
    "send without validity": lambda stage: stage.send(replace(sms(), valid_for=None)),
    "send with the shortest validity": lambda stage: stage.send(replace(sms(), valid_for=timedelta())),
    "send with the longest validity": lambda stage: stage.send(replace(sms(), valid_for=timedelta(days=9))),
    "send the longest text": lambda stage: stage.send(sms(body="x" * 1600)),
    "send signs": lambda stage: stage.send(sms(body="a&b=c+d%20\r\n; € 👩‍👩‍👧‍👦 \ud83d")),
    "find by id": lambda stage: stage.gateway.find(stage.query(sms(), stage.send(sms()))),
    "find by text": lambda stage: stage.gateway.find(stage.query(sms())),
    "find by text and sender": lambda stage: stage.gateway.find(stage.query(sms(sender="ACME"))),
    "find on a second page": lambda stage: [
        *(stage.send(sms(f"attempt-{number}", f"text {number}")) for number in range(3)),
        stage.gateway.find(stage.query(sms("attempt-0", "text 0"))),
    ],
    "redact": lambda stage: stage.redact(),
    "look up": lambda stage: stage.gateway.look_up(NUMBER),
}


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    heard: list[httpx.Request] = []
    opened = http.HTTPClients._open

    def open_and_listen(clients: http.HTTPClients) -> httpx.Client:
        client = opened(clients)
        client.event_hooks = {"request": [heard.append]}
        return client

    monkeypatch.setattr(http.HTTPClients, "_open", open_and_listen)
    monkeypatch.setattr(twilio, "_PAGE_SIZE", 2)
    world = TwilioWorld(SandboxClock(), ACCOUNT_SID, AUTH_TOKEN)
    world.add_sender("ACME")
    service = world.add_service(SENDER).sid
    box = TwilioSandbox(world, post=Receiver())
    with box.server:
        gateway = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], box.url, sender=SENDER, lookup_url=box.url)
        pooled = TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], box.url, messaging_service_sid=service, lookup_url=box.url)
        yield Stage(box, gateway, pooled, heard)
        gateway.close()
        pooled.close()


def vendors_document(setting: str, name: str) -> Document:
    """Read a document of the vendor's; skips the test when there is none at hand."""
    if os.environ.get(setting):
        return read_document(Path(os.environ[setting]))
    pytest.skip(f"Twilio's OpenAPI document {name} is not at hand: {setting} names none")


@pytest.mark.parametrize("variant", VARIANTS)
def test_request_fits_our_own_document(stage: Stage, variant: str) -> None:
    VARIANTS[variant](stage)
    document = read_document(SMALL)
    assert stage.heard
    assert {request.url.path: document.mistakes(request) for request in stage.heard if document.mistakes(request)} == {}


def test_variants_are_all_that_is_ever_asked_of_messages(stage: Stage) -> None:
    for variant in VARIANTS.values():
        variant(stage)
    asked = {(request.method, request.url.path.partition("/Messages")[2][:1]) for request in stage.heard}
    assert asked == {("POST", "."), ("GET", "."), ("POST", "/"), ("GET", "/"), ("GET", "")}
    assert any("PageToken" in request.url.params for request in stage.heard)


def test_every_request_about_messages_fits_twilio_s_own_document(stage: Stage) -> None:
    document = vendors_document("TWILIO_OPENAPI", "twilio_api_v2010")
    for variant in VARIANTS.values():
        variant(stage)
    about = [request for request in stage.heard if not request.url.path.startswith(LOOKUPS)]
    assert len(about) >= len(VARIANTS)
    assert [mistake for request in about for mistake in document.mistakes(request)] == []
    assert API_URL in document.servers("POST", MESSAGES)


def test_every_lookup_fits_twilio_s_own_document(stage: Stage) -> None:
    document = vendors_document("TWILIO_LOOKUPS_OPENAPI", "twilio_lookups_v2")
    VARIANTS["look up"](stage)
    (request,) = stage.heard
    assert document.mistakes(request) == []
    assert LOOKUP_URL in document.servers("GET", request.url.path)
