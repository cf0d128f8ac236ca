"""What does the emulated Telnyx answer, and what does it call back?

Source: developers.telnyx.com/api-reference/messages, …/docs/messaging/messages/receiving-webhooks and
…/api-reference/number-lookup. Stricter than the vendor in one thing: a field it does not know is refused.
"""

import base64
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.segments import count_segments
from connector.sandbox.gateways.skin import Call, Skin, operation
from connector.sandbox.gateways.strict_fields import FieldRule, first_mistake
from connector.sandbox.gateways.world import GatewayWorld

API_KEY = "KEYsandboxTelnyx"
PRIVATE_KEY = bytes(range(32))  # as good as any other in a pretend world
PUBLIC_KEY = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="  # the public half of it

_RULES = (
    FieldRule("to", is_required=True),
    FieldRule("from", least=1),
    FieldRule("messaging_profile_id", least=36, most=36),
    FieldRule("text"),
    FieldRule("type", words=frozenset({"SMS"})),
    FieldRule("encoding", words=frozenset({"auto", "gsm7", "ucs2"})),
    FieldRule("webhook_url", most=2000),
    FieldRule("webhook_failover_url", most=2000),
    FieldRule("use_profile_webhooks", kinds=(bool,)),
    FieldRule("auto_detect", kinds=(bool,)),
)
_MOST_PARTS = 10
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_POOL = "+12025550100"  # what a messaging profile sends from
_QUEUED_FOR = timedelta(hours=1)  # how long `valid_until` is ahead
_STATES = {"accepted": "queued", "undelivered": "delivery_failed", "failed": "sending_failed"}
_EVENTS = {"sent": "message.sent", "sending": ""}  # every other stage is the last one
_STOP, _START = "STOP", "START"

Refusal = tuple[int, str, str]  # HTTP status, code, title


class TelnyxSkin(Skin):
    """One Telnyx account.

    Attributes:
        stopped: who wrote STOP; sends to them are refused at once.
        lines: what the lookup says of numbers: `mobile` (of every other), `fixed line`, `voip`, or `invalid`.
    """

    slug = "telnyx"
    codes = FailureCodes(unreachable="40006", blocked="40004", failed="40008", expired="40014")

    def __init__(self) -> None:
        self.stopped: set[str] = set()
        self.lines: dict[str, str] = {}
        self._account = {"api_key": API_KEY}
        self._key = Ed25519PrivateKey.from_private_bytes(PRIVATE_KEY)

    def new_id(self) -> str:
        """A UUID, as all their ids are."""
        return str(uuid.uuid4())

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """Messages and the number lookup."""
        self._account |= world.credentials
        api = Blueprint("telnyx", __name__)

        @api.post("/v2/messages")
        @operation(world, faults, "send")
        def send() -> ResponseReturnValue:
            return self._unknown_key() or self._send(world, request.get_json(silent=True))

        @api.get("/v2/messages/<message_id>")
        @operation(world, faults, "find")
        def find(message_id: str) -> ResponseReturnValue:
            message = world.message(message_id)
            if refusal := self._unknown_key():
                return refusal
            return _error(404, "10005", "Resource not found") if message is None else jsonify(data=_payload(message))

        @api.get("/v2/number_lookup/<number>")
        @operation(world, faults, "lookup")
        def lookup(number: str) -> ResponseReturnValue:
            return self._unknown_key() or self._look_up(number)

        return api

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Call | None:
        """`message.sent`, then `message.finalized` with whatever came of it."""
        event = _EVENTS.get(stage.status, "message.finalized")
        return _event(event, message, at) if event else None

    def inbound_call(self, message: Message, at: datetime) -> Call:
        """`message.received`; STOP and START are answered and remembered by the messaging profile."""
        word = message.body.strip().upper()
        if word == _STOP:
            self.stopped.add(message.sender)
        elif word == _START:
            self.stopped.discard(message.sender)
        return _event("message.received", message, at, {"autoresponse_type": word if word in {_STOP, _START} else None})

    def sign(self, call: Call, at: datetime) -> Call:
        """Over the time in whole seconds and the body."""
        timestamp = str(int(at.timestamp()))
        signature = base64.b64encode(self._key.sign(timestamp.encode() + b"|" + call.body)).decode()
        return call.with_headers(telnyx_signature_ed25519=signature, telnyx_timestamp=timestamp)

    def _unknown_key(self) -> Response | None:
        given, expected = request.headers.get("Authorization", ""), f"Bearer {self._account['api_key']}"
        is_right = hmac.compare_digest(given.encode(), expected.encode())
        return None if is_right else _error(401, "10009", "Authentication failed")

    def _send(self, world: GatewayWorld, body: Any) -> ResponseReturnValue:
        if not isinstance(body, dict):
            return _error(400, "10015", "Bad Request")
        if refusal := self._refusal(body):
            return _error(*refusal)
        if world.is_throttled():
            response = _error(429, "10011", "Too many requests")
            response.headers["x-ratelimit-remaining"] = "0"
            return response
        message = world.take(
            to=body["to"],
            sender=body.get("from") or _POOL,
            body=body["text"],
            callback_url=body.get("webhook_url"),
            details=body,
        )
        return jsonify(data=_payload(message))

    def _refusal(self, body: Mapping[str, Any]) -> Refusal | None:
        mistake = first_mistake(body, _RULES)
        if mistake is not None:
            return 422, {"missing": "10004"}.get(mistake.kind, "10015"), f"{mistake.kind}: {mistake.name}"
        text, url = body.get("text") or "", body.get("webhook_url")
        has_sender = _NUMBER.fullmatch(body.get("from", "")) or "messaging_profile_id" in body
        checks = (
            ("40310", "Invalid 'to' address", _NUMBER.fullmatch(body["to"])),
            ("40305", "Invalid 'from' address", has_sender),
            ("40316", "No content provided", text),
            ("40302", "Message too large", count_segments(text) <= _MOST_PARTS),
            ("40300", "Blocked due to STOP message", body["to"] not in self.stopped),
            ("10003", "Invalid URL", url is None or re.match(r"https?://[^/]", url)),
        )
        return next(((400, code, title) for code, title, is_well in checks if not is_well), None)

    def _look_up(self, number: str) -> ResponseReturnValue:
        if request.args.get("type") not in {"carrier", "caller-name"}:
            return _error(422, "10015", "Bad Request")
        line = self.lines.get(number, "mobile")
        if not _NUMBER.fullmatch(number) or line == "invalid":
            return _error(422, "10002", "Invalid phone number")
        carrier = {"name": "Sandbox Mobile", "type": line, "mobile_country_code": "310", "mobile_network_code": "260"}
        data = {"record_type": "number_lookup", "phone_number": number, "country_code": "US", "carrier": carrier}
        return jsonify(data=data)


def _payload(message: Message) -> dict[str, Any]:
    """The message resource, the same in answers and events."""
    recipient = {
        "phone_number": message.to,
        "status": "delivered" if message.is_inbound else _STATES.get(message.status, message.status),
        "carrier": "Sandbox Mobile",
        "line_type": "Wireless",
    }
    cost = {"amount": str(message.price), "currency": message.currency} if message.price is not None else None
    code = message.error_code
    return {
        "record_type": "message",
        "direction": "inbound" if message.is_inbound else "outbound",
        "id": message.id,
        "type": "SMS",
        "messaging_profile_id": message.details.get("messaging_profile_id"),
        "from": {"phone_number": message.sender, "carrier": "", "line_type": ""},
        "to": [recipient],
        "cc": [],
        "text": message.body,
        "media": [],
        "webhook_url": message.callback_url,
        "encoding": "GSM-7" if message.body.isascii() else "UCS-2",
        "parts": message.segments,
        "tags": [],
        "cost": cost,
        "received_at": message.created_at.isoformat(),
        "sent_at": message.sent_at.isoformat() if message.sent_at else None,
        "completed_at": message.updated_at.isoformat() if message.status in {"delivered", "undelivered"} else None,
        "valid_until": (message.created_at + _QUEUED_FOR).isoformat(),
        "errors": [{"code": str(code), "title": "Not delivered", "detail": ""}] if code is not None else [],
    }


def _event(kind: str, message: Message, at: datetime, more: Mapping[str, Any] | None = None) -> Call:
    url = message.callback_url or ""
    data = {
        "record_type": "event",
        "id": str(uuid.uuid4()),
        "event_type": kind,
        "occurred_at": at.isoformat(),
        "payload": _payload(message) | dict(more or {}),
    }
    body = json.dumps({"data": data, "meta": {"attempt": 1, "delivered_to": url}})
    return Call("POST", url, {"Content-Type": "application/json"}, body.encode())


def _error(status: int, code: str, title: str) -> Response:
    response = jsonify(errors=[{"code": code, "title": title, "detail": title}])
    response.status_code = status
    return response
