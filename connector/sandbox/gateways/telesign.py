"""How does the pretend Telesign answer, and what does it call back?

Written against developer.telesign.com/enterprise/reference (SMS, status, Phone ID) and …/docs/authenticate-callbacks.
Only Basic authentication is taken, the other way that Telesign has is not needed here.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Fault, Faults, plain_response
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.retries import RetryPolicy
from connector.sandbox.gateways.skin import Call, Skin, operation
from connector.sandbox.gateways.world import GatewayWorld

CUSTOMER_ID = "FFFFFFFF-EEEE-DDDD-1234-AB1234567890"
API_KEY = base64.b64encode(b"the pretend account's key, known to everybody").decode()

DESCRIPTIONS = {
    200: "Delivered to handset",
    203: "Delivered to gateway",
    207: "Error delivering SMS to handset (reason unknown)",
    221: "Message expired before delivery",
    290: "Message in progress",
    292: "Queued by gateway",
    300: "Transaction successfully completed",
    500: "Transaction not attempted",
    501: "Not authorized",
    510: "Message blocked by subscriber action or request",
    514: "Subscriber absent",
}
_CODES = {
    "accepted": 290,
    "sending": 292,
    "sent": 203,
    "delivered": 200,
    "undelivered": 207,
    "failed": 500,
    "expired": 221,
}

_MESSAGE = {  # field: what it must look like, the error code when it does not
    "phone_number": (r"[1-9]\d{5,14}", 11000),
    "message": (r"(?s).{1,1600}", 11009),
    "message_type": (r"OTP|ARN|MKT", 11017),
    "sender_id": (r"\d{3,15}|[A-Za-z0-9 ]{1,11}", 11013),
    "external_id": (r"[\x20-\x7e]{1,100}", 11016),
    "callback_url": (r"https?://\S+", 11004),
    "account_lifecycle_event": (r"create|sign-in|transact|update|delete", 11003),
    "originating_ip": (r"[0-9a-fA-F.:]{2,45}", 11010),
    "dlt_entity_id": (r"\d{1,30}", 11035),
    "dlt_template_id": (r"\d{1,30}", 11034),
}
_REQUIRED = {"phone_number": 12000, "message": 12009, "message_type": 12017}
_REFERENCE_ID = re.compile(r"[0-9A-F]{32}")
_COUNTRIES = {"1": ("US", "United States"), "44": ("GB", "United Kingdom"), "91": ("IN", "India")}
_LANDLINE = re.compile(r"442079460\d{3}")  # London, reserved for fiction
_MOBILE, _FIXED_LINE = ("2", "MOBILE"), ("1", "FIXED_LINE")


class TelesignRefusalError(Exception):
    """Telesign would not do this: HTTP status, its error code, its status code."""

    def __init__(self, http: int, code: int, description: str, status: int = 500) -> None:
        super().__init__(description)
        self.http, self.code, self.status = http, code, status


class TelesignSkin(Skin):
    """Telesign. `customer_id` and `api_key` authenticate requests, and sign callbacks."""

    slug = "telesign"
    codes = FailureCodes(unreachable=514, blocked=510, failed=500, expired=221)
    retry = RetryPolicy(  # four tries, after anything that is not a 200
        waits=tuple(timedelta(seconds=wait) for wait in (5, 10, 15)), statuses=frozenset({3, 4, 5})
    )

    def __init__(self, customer_id: str = CUSTOMER_ID, api_key: str = API_KEY) -> None:
        self.customer_id, self.api_key = customer_id, api_key

    def new_id(self) -> str:
        """32 hexadecimal digits."""
        return uuid4().hex.upper()

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """`/v1/messaging`, `/v1/messaging/<reference id>`, `/v1/phoneid/<number>`."""
        pages = Blueprint("telesign", __name__)

        @pages.post("/v1/messaging")
        @operation(world, faults, "send", self._fault)
        def send() -> ResponseReturnValue:
            return self._answer(lambda: self._send(world))

        @pages.get("/v1/messaging/<reference_id>")
        @operation(world, faults, "find", self._fault)
        def find(reference_id: str) -> ResponseReturnValue:
            return self._answer(lambda: _find(world, reference_id))

        @pages.post("/v1/phoneid/<number>")
        @operation(world, faults, "lookup", self._fault)
        def lookup(number: str) -> ResponseReturnValue:
            return self._answer(lambda: {"reference_id": self.new_id(), **_phone_id(number)})

        return pages

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Call:
        """A status as JSON."""
        return _post(message, _status_body(message, stage.status, stage.error_code, at))

    def inbound_call(self, message: Message, at: datetime) -> Call:
        """A text of a person as JSON."""
        return _post(
            message,
            {
                "reference_id": message.id,
                "sub_resource": "mo_sms",
                "submit_timestamp": _time(at),
                "status": {"code": 1500, "updated_on": _time(at), "description": "Delivered"},
                "errors": [],
                "user_response": {
                    "phone_number": message.sender.removeprefix("+"),
                    "sender_id": message.to.removeprefix("+"),
                    "mo_message": message.body,
                    "iso_country_code": _country(message.sender.removeprefix("+"))[0],
                },
            },
        )

    def sign(self, call: Call, at: datetime) -> Call:  # noqa: ARG002 - the signature has no time in it
        """HMAC of the body, in both headers."""
        key = base64.b64decode(self.api_key)
        signature = base64.b64encode(hmac.new(key, call.body, hashlib.sha256).digest()).decode()
        return call.with_headers(Authorization=f"TSA {self.customer_id}:{signature}", X_TS_Authorization=signature)

    def _send(self, world: GatewayWorld) -> dict[str, Any]:
        if world.is_throttled():
            raise TelesignRefusalError(429, 10019, "Rate Limit Exceeded")
        form = _checked_form()
        message = world.take(
            to=f"+{form['phone_number']}",
            sender=form.get("sender_id", "Telesign"),
            body=form["message"],
            callback_url=form.get("callback_url"),
            reference=form.get("external_id"),
            details=form,
        )
        return _status_body(message, "accepted", None, message.created_at)

    def _answer(self, work: Callable[[], dict[str, Any]]) -> ResponseReturnValue:
        try:
            self._authenticate()
            return jsonify(work())
        except TelesignRefusalError as refusal:
            return self._refused(refusal)

    def _authenticate(self) -> None:
        given = request.headers.get("Authorization", "")
        if not given:
            raise TelesignRefusalError(401, 10009, "Missing required 'Authorization' header", 501)
        expected = base64.b64encode(f"{self.customer_id}:{self.api_key}".encode()).decode()
        if not hmac.compare_digest(given.encode(), f"Basic {expected}".encode()):
            raise TelesignRefusalError(401, 10022, "Invalid API Key.", 501)

    def _refused(self, refusal: TelesignRefusalError) -> ResponseReturnValue:
        body = {
            "reference_id": self.new_id(),
            "status": {"code": refusal.status, "description": DESCRIPTIONS[refusal.status]},
            "errors": [{"code": refusal.code, "description": str(refusal)}],
        }
        return jsonify(body), refusal.http

    def _fault(self, fault: Fault) -> Response:
        if "body" in fault.options:
            return plain_response(fault)
        code = {429: 10019, 401: 10022, 400: 11009}.get(fault.status, 10000)
        body = {"status": {"code": 500, "description": DESCRIPTIONS[500]}, "errors": [{"code": code}]}
        return Response(
            json.dumps(body), fault.status, dict(fault.options.get("headers", {})), content_type="application/json"
        )


def _checked_form() -> dict[str, str]:
    form = request.form.to_dict(flat=True)
    for field, code in _REQUIRED.items():
        if not form.get(field):
            raise TelesignRefusalError(400, code, f"Missing Required Parameter {field}")
    for field, value in form.items():
        if field not in _MESSAGE:
            raise TelesignRefusalError(400, -10001, f"Invalid parameter passed: {field}")
        pattern, code = _MESSAGE[field]
        if not re.fullmatch(pattern, value):
            raise TelesignRefusalError(400, code, f"Invalid value for parameter {field}.")
    return form


def _find(world: GatewayWorld, reference_id: str) -> dict[str, Any]:
    if not _REFERENCE_ID.fullmatch(reference_id):
        raise TelesignRefusalError(400, 11011, "Invalid value for parameter reference_id")
    message = world.message(reference_id)
    if message is None:
        raise TelesignRefusalError(404, 10017, "Customer ID / Reference ID not found")
    return _status_body(message, message.status, message.error_code, message.updated_at)


def _phone_id(number: str) -> dict[str, Any]:
    if not request.is_json:
        raise TelesignRefusalError(400, -10001, "Invalid parameter passed: a JSON object is needed")
    if not re.fullmatch(_MESSAGE["phone_number"][0], number):
        raise TelesignRefusalError(400, 11000, "Invalid value for parameter phone_number.")
    iso2, name = _country(number)
    code, description = _FIXED_LINE if _LANDLINE.fullmatch(number) else _MOBILE
    return {
        "status": {"code": 300, "description": DESCRIPTIONS[300]},
        "numbering": {"original": {"complete_phone_number": number}},
        "location": {"country": {"iso2": iso2, "name": name}},
        "carrier": {"name": "Pretend Mobile"},
        "phone_type": {"code": code, "description": description},
    }


def _country(number: str) -> tuple[str, str]:
    return next((country for prefix, country in _COUNTRIES.items() if number.startswith(prefix)), ("", ""))


def _status_body(message: Message, status: str, error_code: str | int | None, at: datetime) -> dict[str, Any]:
    code = int(error_code or _CODES[status])
    return {
        "reference_id": message.id,
        "external_id": message.reference,
        "submit_timestamp": _time(message.created_at),
        "status": {"code": code, "updated_on": _time(at), "description": DESCRIPTIONS.get(code, "Status")},
        "errors": [],
    }


def _post(message: Message, body: Mapping[str, Any]) -> Call:
    return Call("POST", message.callback_url or "", {"Content-Type": "application/json"}, json.dumps(body).encode())


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
