"""How is a receipt with any of a vendor's words rendered: by its pretend vendor, with the word put in its place?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connector.adapters.smpp.deliveries import read_or_none, stored_receipt
from connector.adapters.smpp.issued import IssuedIds
from connector.adapters.smpp.receipts import ReceiptIds
from connector.adapters.sms import (
    aws_sms_codes,
    infobip_codes,
    messagebird_codes,
    plivo_codes,
    sinch_codes,
    smpp_codes,
    smsgatewayhub_codes,
    telesign_codes,
    telnyx_codes,
    twilio_codes,
    vonage_codes,
    vonage_messages_codes,
)
from connector.domain.message import MessageState
from connector.ports.gateway import Accepted, CallbackRequest, SMSGateway, StatusReport
from connector.sandbox.gateways.courier import Callback
from connector.sandbox.gateways.receipts import Stage
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.skin import Call
from connector.sandbox.gateways.smpp_deliveries import receipt_body
from connector.sandbox.twilio import callbacks as twilio_callbacks
from connector.sandbox.twilio.sandbox import AUTH_TOKEN
from tests.faults.emulated import Emulated, OverHTTP
from tests.faults.smpp_emulated import OverSMPP

Table = Mapping[Any, MessageState]


@dataclass(frozen=True)
class Words:
    """A vendor's table, and under which name its receipts carry the word.

    Attributes:
        parent: of the field, where its name is not enough.
        unknown: words it may come to use one day.
    """

    table: Table
    field: tuple[str, ...] = ("status",)
    parent: str = ""
    unknown: tuple[str, ...] = ("gone_fishing", "DELIVERED?", "x" * 60)

    def all(self) -> list[str]:
        """Give every word, those nobody knows last."""
        return [*map(str, self.table), *self.unknown]

    def state(self, word: str) -> MessageState:
        """Give what the table says."""
        return {str(each): state for each, state in self.table.items()}.get(word, MessageState.UNKNOWN)


_NUMBERS = ("9999", "777", "0")

WORDS: Mapping[str, Words] = {
    "twilio": Words(twilio_codes.STATES, ("MessageStatus", "SmsStatus")),
    "vonage": Words(vonage_codes.STATES),
    "vonage-messages": Words(vonage_messages_codes.STATES),
    "sinch": Words(sinch_codes.STATES),
    "telesign": Words(telesign_codes.STATES, ("code",), "status", _NUMBERS),
    "aws-sms": Words(aws_sms_codes.STATES, ("eventType",), unknown=("TEXT_GONE_FISHING",)),
    "smsgatewayhub": Words(smsgatewayhub_codes.STATES),
    "plivo": Words(plivo_codes.STATES, ("Status",)),
    "telnyx": Words(telnyx_codes.STATES),
    "infobip": Words(
        {id_: state for id_, state in infobip_codes.STATES.items() if id_ != infobip_codes.DUPLICATE},
        ("id",),
        "status",
        _NUMBERS,
    ),
    "messagebird": Words(messagebird_codes.STATES),
    "smpp": Words(smpp_codes.STATES, unknown=("FISHING", "NOSUCH")),
}
"""Every gateway that tells by callback."""


@dataclass(frozen=True)
class Rendered:
    """One text as its vendor took it, and what the adapter reads in a receipt of each word."""

    gateway: SMSGateway
    accepted: Accepted
    reports: Mapping[str, StatusReport]


def rendered(vendor: Emulated, accepted: Accepted, attempt_id: str, at: datetime) -> Rendered:
    """Render a receipt of every word about the text the vendor took last, verify and read each."""
    words = WORDS[vendor.slug]
    render = _over_smpp(vendor) if isinstance(vendor, OverSMPP) else _over_http(vendor, words, at)
    reports = {word: _read(vendor.gateway, render(word), attempt_id, vendor.speaks_http) for word in words.all()}
    return Rendered(vendor.gateway, accepted, reports)


def _read(gateway: SMSGateway, request: CallbackRequest, attempt_id: str, is_signed: bool) -> StatusReport:
    if is_signed:
        gateway.verify(request)
    (report,) = gateway.read_status(request, attempt_id)
    return report


def _over_smpp(vendor: OverSMPP) -> Callable[[str], CallbackRequest]:
    message = vendor.server.messages[-1]

    def render(word: str) -> CallbackRequest:
        body = receipt_body(message, word, "text", 0, message.id)
        read = read_or_none(body)
        assert read is not None
        return stored_receipt(body, read, IssuedIds(), ReceiptIds.SAME)

    return render


def _over_http(vendor: Emulated, words: Words, at: datetime) -> Callable[[str], CallbackRequest]:
    assert isinstance(vendor, OverHTTP)
    box = vendor.box
    message = box.world.messages()[-1]
    message.reach("delivered", None, at)
    calls = box.world._status_calls(message, Stage("delivered", timedelta()), at)  # type: ignore[arg-type] # its own
    call = calls if isinstance(calls, Call) else next(iter(calls or ()))

    def render(word: str) -> CallbackRequest:
        said = _with_word(call, words, word)
        if isinstance(box, GatewaySandbox):
            signed = box.world.skin.sign(said, at)
        else:
            signed = twilio_callbacks.signed(Callback("status", message.id, said), AUTH_TOKEN, 0)
        return CallbackRequest(signed.method, signed.url, signed.headers, signed.body)

    return render


def _with_word(call: Call, words: Words, word: str) -> Call:
    """Put the word in the place of the one there, in whatever form the vendor writes."""
    if not call.body:
        parts = urlsplit(call.url)
        return replace(call, url=urlunsplit(parts._replace(query=_in_form(parts.query, words, word))))
    try:
        said = json.loads(call.body)
    except ValueError:
        return replace(call, body=_in_form(call.body.decode(), words, word).encode())
    return replace(call, body=json.dumps(_in_json(said, words, word)).encode())


def _in_form(form: str, words: Words, word: str) -> str:
    fields = parse_qsl(form, keep_blank_values=True)
    return urlencode([(name, word if name in words.field else value) for name, value in fields])


def _in_json(said: Any, words: Words, word: str, name: str = "", parent: str = "") -> Any:
    if isinstance(said, dict):
        return {key: _in_json(value, words, word, key, name) for key, value in said.items()}
    if isinstance(said, list):
        return [_in_json(each, words, word, name, parent) for each in said]
    if name == "Message" and isinstance(said, str) and said.startswith("{"):  # within an envelope of SNS
        return json.dumps(_in_json(json.loads(said), words, word))
    if name in words.field and (not words.parent or parent == words.parent):
        return type(said)(word)
    return said
