"""How does the pretend MessageBird answer, and what does it call back?

Written against developers.messagebird.com/api (SMS messaging, lookup, verifying HTTP requests).
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Fault, Faults, plain_response
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.segments import count_segments
from connector.sandbox.gateways.skin import Call, Skin, operation
from connector.sandbox.gateways.world import GatewayWorld

ACCESS_KEY = "live_the-pretend-account"
SIGNING_KEY = "the pretend account's key, which is known to everybody and is long enough"

MOST_PARTS = 9  # 1377 characters, or 603 with one outside the GSM alphabet
TOKEN_SECONDS = 60
NETWORK = "310260"  # a code with the shape of a network's

_STATUSES = {"accepted": "sent", "sending": "sent", "sent": "buffered", "delivered": "delivered"}
_ENDS = {"undelivered": "delivery_failed", "failed": "delivery_failed", "expired": "expired", "cancelled": "expired"}
_REASONS = {"delivered": "successfully delivered", "buffered": "pending DLR", "expired": "expired"}

_MESSAGE: Mapping[str, Callable[[Any], bool]] = {
    "originator": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d{1,17}|[A-Za-z0-9 ]{1,11}", value)),
    "recipients": lambda value: isinstance(value, list) and 1 <= len(value) <= 50 and all(map(_is_recipient, value)),
    "body": lambda value: isinstance(value, str) and value != "" and count_segments(value) <= MOST_PARTS,
    "type": lambda value: value == "sms",
    "reference": lambda value: isinstance(value, str) and 1 <= len(value) <= 60,
    "reportUrl": lambda value: isinstance(value, str) and value.startswith(("https://", "http://")),
    "validity": lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0,
    "datacoding": lambda value: value in {"plain", "unicode", "auto"},
}
_REQUIRED = ("originator", "recipients", "body")
_COUNTRIES = {"1": "US", "44": "GB", "91": "IN"}


class MessageBirdRefusalError(Exception):
    """MessageBird would not do this: HTTP status, code, description and the field it is about."""

    def __init__(self, http: int, code: int, description: str, parameter: str | None) -> None:
        super().__init__(description)
        self.http, self.code, self.parameter = http, code, parameter


class MessageBirdSkin(Skin):
    """MessageBird. `access_key` authenticates requests, `signing_key` signs callbacks."""

    slug = "messagebird"
    codes = FailureCodes(unreachable=27, blocked=102, failed=34, expired=None)

    def __init__(self, access_key: str = ACCESS_KEY, signing_key: str = SIGNING_KEY) -> None:
        self.access_key, self.signing_key = access_key, signing_key

    def new_id(self) -> str:
        """32 hexadecimal digits."""
        return uuid4().hex

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """`/messages`, `/messages/<id>`, `/lookup/<number>`."""
        pages = Blueprint("messagebird", __name__)

        @pages.post("/messages")
        @operation(world, faults, "send", _fault)
        def send() -> ResponseReturnValue:
            return self._answer(lambda: _send(world), 201)

        @pages.get("/messages")
        @operation(world, faults, "find", _fault)
        def listing() -> ResponseReturnValue:
            return self._answer(lambda: _page(world))

        @pages.get("/messages/<message_id>")
        @operation(world, faults, "find", _fault)
        def find(message_id: str) -> ResponseReturnValue:
            return self._answer(lambda: _find(world, message_id))

        @pages.get("/lookup/<number>")
        @operation(world, faults, "lookup", _fault)
        def lookup(number: str) -> ResponseReturnValue:
            return self._answer(lambda: _look_up(number))

        return pages

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Call | None:
        """A GET whose query is the report; none for a text that was sent without a reference."""
        if message.reference is None or stage.status == "sending":
            return None
        recipient = _recipient(message)
        price = recipient.pop("price")
        report = {"id": message.id, "reference": message.reference, **recipient, "statusDatetime": _time(at)}
        report |= {f"price[{name}]": value for name, value in price.items()}
        filled = {name: value for name, value in report.items() if value is not None}
        return Call("GET", f"{message.callback_url}?{urlencode(filled)}")

    def inbound_call(self, message: Message, at: datetime) -> Call:
        """A form."""
        form = {
            "id": message.id,
            "originator": message.sender.removeprefix("+"),
            "recipient": message.to.removeprefix("+"),
            "body": message.body,
            "createdDatetime": _time(at),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Call("POST", message.callback_url or "", headers, urlencode(form).encode())

    def sign(self, call: Call, at: datetime) -> Call:
        """A token about URL and body, good for a minute."""
        claims = {"iss": "MessageBird", "nbf": int(at.timestamp()), "exp": int(at.timestamp()) + TOKEN_SECONDS}
        claims |= {"jti": str(uuid4()), "url_hash": hashlib.sha256(call.url.encode()).hexdigest()}
        if call.body:
            claims["payload_hash"] = hashlib.sha256(call.body).hexdigest()
        text = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = hmac.new(self.signing_key.encode(), text.encode(), hashlib.sha256).digest()
        return call.with_headers(MessageBird_Signature_JWT=f"{text}.{_base64(signature)}")

    def _answer(self, work: Callable[[], dict[str, Any]], status: int = 200) -> ResponseReturnValue:
        try:
            self._authenticate()
            return jsonify(work()), status
        except MessageBirdRefusalError as refusal:
            error = {"code": refusal.code, "description": str(refusal), "parameter": refusal.parameter}
            return jsonify(errors=[error]), refusal.http

    def _authenticate(self) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"AccessKey {self.access_key}".encode()):
            raise MessageBirdRefusalError(401, 2, "Request not allowed (incorrect access_key)", "access_key")


def _send(world: GatewayWorld) -> dict[str, Any]:
    if world.is_throttled():
        raise MessageBirdRefusalError(429, 429, "Too many requests", None)
    wanted = _checked()
    (recipient,) = wanted["recipients"][:1]
    message = world.take(
        to=f"+{recipient}",
        sender=wanted["originator"],
        body=wanted["body"],
        callback_url=wanted.get("reportUrl"),
        reference=wanted.get("reference"),
        details=wanted,
    )
    return _as_json(message)


def _checked() -> dict[str, Any]:
    wanted = request.get_json(silent=True)
    if not isinstance(wanted, dict):
        raise MessageBirdRefusalError(422, 9, "no (correct) body found", "body")
    for field in _REQUIRED:
        if field not in wanted:
            raise MessageBirdRefusalError(422, 9, f"{field} is required", field)
    for field, value in wanted.items():
        if field not in _MESSAGE or not _MESSAGE[field](value):
            raise MessageBirdRefusalError(422, 10, f"{field} is invalid", field)
    return wanted


def _is_recipient(value: Any) -> bool:
    return not isinstance(value, bool) and bool(re.fullmatch(r"[1-9]\d{5,14}", str(value)))


def _page(world: GatewayWorld) -> dict[str, Any]:
    if unknown := set(request.args) - {"limit", "offset", "status"}:
        raise MessageBirdRefusalError(422, 10, "unknown parameter", min(unknown))
    limit, offset = min(request.args.get("limit", 20, int), 200), request.args.get("offset", 0, int)
    newest_first = [message for message in reversed(world.messages()) if message.is_outbound]
    items = [_as_json(message) for message in newest_first[offset : offset + limit]]
    counts = {"offset": offset, "limit": limit, "count": len(items), "totalCount": len(newest_first)}
    return {**counts, "items": items}


def _find(world: GatewayWorld, message_id: str) -> dict[str, Any]:
    message = world.message(message_id)
    if message is None:
        raise MessageBirdRefusalError(404, 20, "message not found", None)
    return _as_json(message)


def _look_up(number: str) -> dict[str, Any]:
    if not _is_recipient(number):
        raise MessageBirdRefusalError(400, 21, "Bad request (phone number is invalid)", "phoneNumber")
    prefix, country = next(((p, c) for p, c in _COUNTRIES.items() if number.startswith(p)), ("", None))
    kind = "fixed line" if number.startswith("442079460") else "mobile"  # London, reserved for fiction
    return {
        "href": f"https://rest.messagebird.com/lookup/{number}",
        "countryCode": country,
        "countryPrefix": int(prefix or 0),
        "phoneNumber": int(number),
        "type": kind,
        "formats": {"e164": f"+{number}"},
        "hlr": {"network": int(NETWORK), "status": "active"} if kind == "mobile" else None,
    }


def _as_json(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "href": f"https://rest.messagebird.com/messages/{message.id}",
        "direction": "mt",
        "type": "sms",
        "originator": message.sender,
        "body": message.body,
        "reference": message.reference,
        "validity": message.details.get("validity"),
        "gateway": 10,
        "typeDetails": {},
        "datacoding": message.details.get("datacoding", "plain"),
        "createdDatetime": _time(message.created_at),
        "recipients": {
            "totalCount": 1,
            "items": [{**_recipient(message), "statusDatetime": _time(message.updated_at)}],
        },
    }


def _recipient(message: Message) -> dict[str, Any]:
    status = _STATUSES.get(message.status) or _ENDS[message.status]
    return {
        "recipient": int(message.to.removeprefix("+")),
        "status": status,
        "statusReason": _REASONS.get(status, "generic delivery failure" if message.error_code else None),
        "statusErrorCode": message.error_code,
        "messagePartCount": message.segments,
        "mccmnc": NETWORK,
        "price": {"amount": float(message.price or 0), "currency": message.currency},
    }


def _fault(fault: Fault) -> Response:
    if "body" in fault.options:
        return plain_response(fault)
    body = {"errors": [{"code": 99, "description": "Internal error", "parameter": None}]}
    return Response(
        json.dumps(body), fault.status, dict(fault.options.get("headers", {})), content_type="application/json"
    )


def _part(content: Mapping[str, Any]) -> str:
    return _base64(json.dumps(content).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _time(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat()
