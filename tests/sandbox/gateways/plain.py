"""What does the smallest skin look like that uses everything the engine has?

A made-up vendor: JSON in, a key in a header, callbacks signed over time, URL and body.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urldefrag

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.skin import Call, Calls, Skin, operation
from connector.sandbox.gateways.world import GatewayWorld

KEY, SECRET = "key-of-the-tests", b"secret-of-the-tests"
PERSON, SENDER = "+12025550143", "+12025550100"
STATUS_URL = "https://connector.example/callbacks/plain/status"
INBOUND_URL = "https://connector.example/callbacks/plain/inbound"


class PlainSkin(Skin):
    """The made-up vendor; with `part_ids` each part of a long text has an id and receipts of its own."""

    slug = "plain"
    codes = FailureCodes(unreachable="absent", blocked="barred", failed="lost", expired="too-old")

    def __init__(self, part_ids: bool = False) -> None:
        self._has_part_ids = part_ids
        self._numbers = count(1)

    def new_id(self) -> str:
        return f"plain-{next(self._numbers)}"

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        api = Blueprint("plain", __name__)

        @api.post("/send")
        @operation(world, faults, "send", lambda fault: _refusal(fault.status))
        def send() -> ResponseReturnValue:
            if request.headers.get("X-Key") != world.credentials["key"]:
                return _refusal(401)
            if world.is_throttled():
                return _refusal(429)
            message = self._take(world, request.get_json())
            return jsonify(id=message.id, status=message.status, price=str(message.price))

        @api.get("/messages/<message_id>")
        @operation(world, faults, "find")
        def find(message_id: str) -> ResponseReturnValue:
            message = world.message(message_id)
            if message is None:
                return _refusal(404)
            return jsonify(id=message.id, status=message.status)

        return api

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Calls:
        calls = []
        for number, part_id in enumerate(message.part_ids or (message.id,), start=1):
            part = stage.of_part(number)
            said = {"id": part_id, "status": part.status, "code": part.error_code, "ref": message.reference}
            calls.append(_call(message, {**said, "at": at.isoformat()}))
        return calls

    def inbound_call(self, message: Message, at: datetime) -> Calls:
        said = {"id": message.id, "from": message.sender, "to": message.to, "text": message.body}
        return _call(message, {**said, "at": at.isoformat()})

    def sign(self, call: Call, at: datetime) -> Call:
        return call.with_headers(X_Time=at.isoformat(), X_Signature=signature(call, at.isoformat()))

    def _take(self, world: GatewayWorld, order: Mapping[str, Any]) -> Message:
        ttl = order.get("ttl")
        return world.take(
            to=order["to"],
            sender=order.get("from", SENDER),
            body=order["text"],
            callback_url=order.get("url"),
            reference=order.get("ref"),
            valid_for=None if ttl is None else timedelta(seconds=ttl),
            has_part_ids=self._has_part_ids,
        )


def signature(call: Call, time: str) -> str:
    """What the receiver compares `X-Signature` with."""
    signed = f"{time}|{urldefrag(call.url).url}|".encode() + call.body
    return hmac.new(SECRET, signed, hashlib.sha256).hexdigest()


def is_signed(call: Call) -> bool:
    """Whether a call carries the right signature."""
    return call.headers.get("X-Signature") == signature(call, call.headers.get("X-Time", ""))


def _call(message: Message, said: Mapping[str, Any]) -> Call:
    headers = {"Content-Type": "application/json"}
    return Call("POST", message.callback_url or "", headers, json.dumps(said).encode())


def _refusal(status: int) -> Response:
    response = jsonify(error=status)
    response.status_code = status
    return response
