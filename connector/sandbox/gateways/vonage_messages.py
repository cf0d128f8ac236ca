"""What does Vonage's Messages API answer to an SMS, and how does it call back?

Sources: developer.vonage.com/api/messages, …/api-errors/messages, …/getting-started/concepts/webhooks. Callbacks carry
a JSON Web Token over the hash of their body.
"""

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways import vonage_account as account
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.skin import Call, Calls, Skin, operation
from connector.sandbox.gateways.world import GatewayWorld

STATUSES = {
    "sending": "submitted",
    "delivered": "delivered",
    "undelivered": "rejected",
    "failed": "undeliverable",
    "expired": "rejected",
}
"""Vonage's word for a stage; there is none for the others."""

_TYPES: Mapping[str, type] = {
    **dict.fromkeys(
        ("channel", "message_type", "to", "from", "text", "client_ref", "webhook_url", "webhook_version"), str
    ),
    "ttl": int,
    "sms": dict,
}
_REQUIRED = ("channel", "message_type", "to", "from", "text")
_OPTIONS = {"encoding_type", "content_id", "entity_id"}
_NUMBER = re.compile(r"[1-9]\d{6,14}")
_SENDER = re.compile(r"\d{3,15}|[A-Za-z0-9 ]{1,11}")
_LONGEST_TEXT, _LONGEST_REFERENCE = 1000, 100
_TTL = (20, 604_800)  # seconds


class VonageMessagesSkin(Skin):
    """Vonage's Messages API, for SMS.

    Args of the constructor:
        signature_secret: callbacks are signed with it.
        page_size: records on a page of the reports.
    """

    slug = "vonage-messages"
    codes = FailureCodes(unreachable="1180", blocked="1280", failed="1331", expired="1360")
    retry = account.RETRY

    def __init__(self, signature_secret: str = account.SIGNATURE_SECRET, page_size: int = 1000) -> None:
        self._secret, self._page_size = signature_secret, page_size

    def new_id(self) -> str:
        """A random UUID."""
        return str(uuid.uuid4())

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """Sending and reports."""
        api = Blueprint("vonage-messages", __name__)
        account.add_reports(api, world, faults, "MESSAGES", _on_record, self._page_size)

        @api.post("/v1/messages")
        @operation(world, faults, "send")
        def send() -> ResponseReturnValue:
            if not account.is_account(world):
                return account.problem(401, "#unauthorized", "Unauthorized")
            if world.is_throttled():
                return account.problem(429, "/messages#1000", "Throttled")
            order: Any = request.get_json(silent=True)
            refusal = _refusal(order)
            if refusal is not None:
                code, title, detail = refusal
                return account.problem(422, f"/messages#{code}", title, detail=detail)
            return jsonify(message_uuid=_take(world, order).id), 202

        return api

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Calls:
        """A callback about stages Vonage has a word for."""
        if stage.status not in STATUSES:
            return None
        said: dict[str, Any] = {
            "message_uuid": message.id,
            "to": message.to.removeprefix("+"),
            "from": message.sender.removeprefix("+"),
            "timestamp": _written(at),
            "status": STATUSES[stage.status],
            "channel": "sms",
            "destination": {"network_code": "23410"},
            "usage": {"currency": "EUR", "price": str(message.price)},
            "sms": {"count_total": str(message.segments)},
        }
        if message.reference is not None:
            said["client_ref"] = message.reference
        if stage.error_code is not None:
            kind = f"https://developer.vonage.com/api-errors/messages#{stage.error_code}"
            said["error"] = {"type": kind, "title": stage.error_code, "detail": "in the sandbox", "instance": "1"}
        return _call(message, said)

    def inbound_call(self, message: Message, at: datetime) -> Calls:
        """A callback about a text, which comes whole."""
        return _call(
            message,
            {
                "channel": "sms",
                "message_uuid": message.id,
                "to": message.to.removeprefix("+"),
                "from": message.sender.removeprefix("+"),
                "timestamp": _written(at),
                "message_type": "text",
                "text": message.body,
                "sms": {"num_messages": str(message.segments), "keyword": (message.body.split() or [""])[0].upper()},
                "usage": {"currency": "EUR", "price": "0.00000"},
                "origin": {"network_code": "23410"},
            },
        )

    def sign(self, call: Call, at: datetime) -> Call:
        """`Authorization` with a token about the body."""
        claims = {
            "iss": "Vonage",
            "iat": int(at.timestamp()),
            "jti": str(uuid.uuid4()),
            "api_key": account.API_KEY,
            "payload_hash": hashlib.sha256(call.body).hexdigest(),
        }
        return call.with_headers(Authorization=f"Bearer {token(claims, self._secret)}")


def token(claims: Mapping[str, Any], secret: str, algorithm: str = "HS256") -> str:
    """A JSON Web Token (RFC 7519), always signed with HMAC-SHA256, whatever `algorithm` its header names."""
    parts = [_base64(json.dumps(each).encode()) for each in ({"alg": algorithm, "typ": "JWT"}, dict(claims))]
    signed = ".".join(parts)
    return f"{signed}.{_base64(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _refusal(order: Any) -> tuple[str, str, str] | None:
    """Code, title and detail of what is wrong with a send, or None."""
    if not isinstance(order, dict):
        return "1150", "Invalid JSON", "The body is no JSON object."
    for name in _REQUIRED:
        if not order.get(name):
            return "1010", "Missing params", f"`{name}` is missing."
    for name, value in order.items():
        if name not in _TYPES or type(value) is not _TYPES[name]:
            return "1020", "Invalid params", f"`{name}` is unknown or of the wrong type."
    return _refused_value(order)


def _refused_value(order: Mapping[str, Any]) -> tuple[str, str, str] | None:
    options = order.get("sms", {})
    checks = (
        (order["channel"] == "sms", "1400", "Unsupported channel"),
        (order["message_type"] == "text", "1440", "Invalid message type"),
        (_NUMBER.fullmatch(order["to"]), "1430", "Invalid recipient"),
        (_SENDER.fullmatch(order["from"]), "1420", "Invalid sender"),
        (len(order["text"]) <= _LONGEST_TEXT, "1090", "Message too long"),
        (_TTL[0] <= order.get("ttl", _TTL[0]) <= _TTL[1], "1130", "Invalid TTL"),
        (len(order.get("client_ref", "")) <= _LONGEST_REFERENCE, "1450", "Invalid client reference"),
        (urlsplit(order.get("webhook_url", "https://")).scheme in {"http", "https"}, "1020", "Invalid params"),
        (order.get("webhook_version", "v1") in {"v0.1", "v1"}, "1020", "Invalid params"),
        (set(options) <= _OPTIONS, "1020", "Invalid params"),
        (options.get("encoding_type", "auto") in {"auto", "text", "unicode"}, "1020", "Invalid params"),
    )
    return next(((code, title, "See the reference.") for is_right, code, title in checks if not is_right), None)


def _take(world: GatewayWorld, order: Mapping[str, Any]) -> Message:
    sender = order["from"]
    message = world.take(
        to=f"+{order['to']}",
        sender=f"+{sender}" if _NUMBER.fullmatch(sender) else sender,
        body=order["text"],
        callback_url=order.get("webhook_url"),
        reference=order.get("client_ref"),
        valid_for=timedelta(seconds=order["ttl"]) if "ttl" in order else None,
        details=order,
    )
    message.currency = "EUR"
    return message


def _call(message: Message, said: Mapping[str, Any]) -> Call:
    return Call("POST", message.callback_url or "", {"Content-Type": "application/json"}, json.dumps(said).encode())


def _on_record(message: Message) -> list[account.Record]:
    status, code = STATUSES.get(message.status, "submitted"), str(message.error_code or "")
    return [account.Record(message.id, status, code, str(message.price))]


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
