"""What does the emulated Plivo answer, and what does it call back?

Source: plivo.com/docs/messaging/api/messages and plivo.com/docs/lookup. Stricter than the vendor in one thing: a field
it does not know is refused, not overlooked.
"""

import base64
import hmac
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.plivo_signing import signature_v3
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.segments import ESCAPED, SEVEN_BIT
from connector.sandbox.gateways.skin import Call, Skin, operation
from connector.sandbox.gateways.strict_fields import FieldRule, first_mistake
from connector.sandbox.gateways.world import GatewayWorld

AUTH_ID, AUTH_TOKEN = "MASANDBOXSANDBOXSAND", "sandbox-plivo-auth-token"

_RULES = (
    FieldRule("dst", is_required=True, least=1),
    FieldRule("text", is_required=True, least=1, most=1600),
    FieldRule("src", least=1),
    FieldRule("powerpack_uuid", least=36, most=36),
    FieldRule("type", words=frozenset({"sms"})),
    FieldRule("url", least=8, most=2048),
    FieldRule("method", words=frozenset({"GET", "POST"})),
    FieldRule("log", kinds=(bool,)),
    FieldRule("message_expiry", kinds=(int,), least=5, most=10_800),
    FieldRule("dlt_entity_id", least=1),
    FieldRule("dlt_template_id", least=1),
    FieldRule(
        "dlt_template_category",
        words=frozenset({"transactional", "promotional", "service_implicit", "service_explicit"}),
    ),
)
_LONGEST_UNICODE = 737  # characters; 1600 of the GSM alphabet
_NUMBER = re.compile(r"\+?[1-9]\d{6,14}")
_POOL = "12025550100"  # what a powerpack sends from
_STATES = {
    "accepted": "queued",
    "sending": "queued",
    "cancelled": "failed",
    "expired": "failed",  # with code 420
}
_ORDER = {"queued": "1", "sent": "2", "delivered": "3", "undelivered": "3", "failed": "3"}
_INTENTS = {"STOP": "optout", "START": "optin", "HELP": "help"}


class PlivoSkin(Skin):
    """One Plivo account.

    Attributes:
        is_broke: sends are refused for lack of credit.
        lines: what the lookup says of numbers: `mobile` (of every other), `fixed`, `voip`, or `invalid`.
    """

    slug = "plivo"
    codes = FailureCodes(unreachable="80", blocked="200", failed="300", expired="420")

    def __init__(self) -> None:
        self.is_broke = False
        self.lines: dict[str, str] = {}
        self._account = {"auth_id": AUTH_ID, "auth_token": AUTH_TOKEN}

    def new_id(self) -> str:
        """A UUID, as all their ids are."""
        return str(uuid.uuid4())

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """Messages and, on the same host, the lookup."""
        self._account |= world.credentials
        api = Blueprint("plivo", __name__)

        @api.post("/v1/Account/<auth_id>/Message/")
        @operation(world, faults, "send")
        def send(auth_id: str) -> ResponseReturnValue:
            return self._refused(auth_id) or self._send(world, request.get_json(silent=True))

        @api.get("/v1/Account/<auth_id>/Message/<message_id>/")
        @operation(world, faults, "find")
        def find(auth_id: str, message_id: str) -> ResponseReturnValue:
            message = world.message(message_id)
            if refusal := self._refused(auth_id):
                return refusal
            return _error(404, "not found") if message is None else jsonify(_record(message, auth_id))

        @api.get("/v1/Number/<number>")
        @operation(world, faults, "lookup")
        def lookup(number: str) -> ResponseReturnValue:
            return self._refused(self._account["auth_id"]) or self._look_up(number)

        return api

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Call | None:
        """`queued`, `sent` and the end, numbered in that order."""
        state = _STATES.get(stage.status, stage.status)
        form = {
            "MessageUUID": message.id,
            "ParentMessageUUID": message.id,
            "PartInfo": "1 of 1",
            "From": message.sender.removeprefix("+"),
            "To": message.to.removeprefix("+"),
            "Status": state,
            "Units": str(message.segments),
            **_charge(message),
            "MCC": "310",
            "MNC": "260",
            "Sequence": _ORDER[state],
            "QueuedTime": _time(message.created_at),
        }
        if state != "queued":
            form["SentTime"] = _time(message.sent_at or at)
        if _ORDER[state] == "3":
            form |= {"DeliveryReportTime": _time(at), "ErrorCode": str(stage.error_code or "000")}
        return _call(message.details.get("method", "POST"), message.callback_url or "", form)

    def inbound_call(self, message: Message, at: datetime) -> Call:  # noqa: ARG002 - the skin's shape
        """The text as the number's application gets it, a keyword with what Plivo made of it."""
        form = {
            "MessageUUID": message.id,
            "From": message.sender.removeprefix("+"),
            "To": message.to.removeprefix("+"),
            "Type": "sms",
            "Text": message.body,
            "Units": str(message.segments),
            "TotalRate": "0",
            "TotalAmount": "0",
        }
        if intent := _INTENTS.get(message.body.strip().upper()):
            form["MessageIntent"] = intent
        return _call("POST", message.callback_url or "", form)

    def sign(self, call: Call, at: datetime) -> Call:
        """With a nonce of its own."""
        nonce = f"{at.timestamp():.6f}".replace(".", "")
        signature = signature_v3(call, self._account["auth_token"], nonce)
        return call.with_headers(X_Plivo_Signature_V3=signature, X_Plivo_Signature_V3_Nonce=nonce)

    def _refused(self, auth_id: str) -> Response | None:
        credentials = f"{self._account['auth_id']}:{self._account['auth_token']}"
        expected = f"Basic {base64.b64encode(credentials.encode()).decode()}"
        given = request.headers.get("Authorization", "")
        is_right = hmac.compare_digest(given.encode(), expected.encode()) and auth_id == self._account["auth_id"]
        return None if is_right else _error(401, "authentication failed")

    def _send(self, world: GatewayWorld, body: Any) -> ResponseReturnValue:
        if not isinstance(body, dict):
            return _error(400, "the body is no JSON object")
        if wrong := _mistake(body):
            return _error(400, wrong)
        if world.is_throttled():
            return _error(429, "too many requests")
        if self.is_broke:
            return _error(400, "Insufficient Credit")
        numbers = body["dst"].split("<")
        taken = [self._take(world, body, number).id for number in numbers if _NUMBER.fullmatch(number)]
        answer: dict[str, Any] = {"api_id": self.new_id(), "message": "message(s) queued", "message_uuid": taken}
        if invalid := [number for number in numbers if not _NUMBER.fullmatch(number)]:
            answer["invalid_number"] = invalid
        return jsonify(answer), 202

    def _take(self, world: GatewayWorld, body: Mapping[str, Any], number: str) -> Message:
        expiry = body.get("message_expiry")
        sender = str(body.get("src") or _POOL)
        return world.take(
            to="+" + number.removeprefix("+"),
            sender="+" + sender.removeprefix("+") if _NUMBER.fullmatch(sender) else sender,
            body=body["text"],
            callback_url=body.get("url"),
            valid_for=None if expiry is None else timedelta(seconds=expiry),
            details=body,
        )

    def _look_up(self, number: str) -> ResponseReturnValue:
        if request.args.get("type") != "carrier":
            return jsonify(api_id=self.new_id(), error_code=400, message="type must be carrier"), 400
        line = self.lines.get("+" + number.removeprefix("+"), "mobile")
        if not _NUMBER.fullmatch(number) or line == "invalid":
            return jsonify(api_id=self.new_id(), error_code=404, message="invalid phone number"), 404
        carrier = {"mobile_country_code": "310", "mobile_network_code": "260", "name": "Sandbox Mobile", "type": line}
        country = {"name": "United States", "iso2": "US", "iso3": "USA"}
        return jsonify(api_id=self.new_id(), phone_number=number, country=country, carrier=carrier)


def _mistake(body: Mapping[str, Any]) -> str | None:
    mistake = first_mistake(body, _RULES)
    if mistake is not None:
        return f"{mistake.name}: {mistake.kind}"
    if ("src" in body) == ("powerpack_uuid" in body):
        return "one of src and powerpack_uuid is needed"
    is_gsm = all(character in SEVEN_BIT or character in ESCAPED for character in body["text"])
    if not is_gsm and len(body["text"]) > _LONGEST_UNICODE:
        return "text: value"
    url = body.get("url")
    return None if url is None or re.match(r"https?://[^/]", url) else "url: value"


def _record(message: Message, auth_id: str) -> dict[str, Any]:
    is_done = message.status in {"delivered", "undelivered", "failed", "expired"}
    charge = _charge(message)
    return {
        "api_id": str(uuid.uuid4()),
        "error_code": str(message.error_code or "000") if is_done else None,
        "from_number": message.sender.removeprefix("+"),
        "to_number": message.to.removeprefix("+"),
        "message_direction": "outbound" if message.is_outbound else "inbound",
        "message_state": _STATES.get(message.status, message.status),
        "message_time": _time(message.created_at),
        "message_type": "sms",
        "message_uuid": message.id,
        "resource_uri": f"/v1/Account/{auth_id}/Message/{message.id}/",
        "total_amount": charge["TotalAmount"],
        "total_rate": charge["TotalRate"],
        "units": message.segments,
    }


def _charge(message: Message) -> dict[str, str]:
    """What is charged once the text has left; nothing before."""
    if message.price is None or message.sent_at is None:
        return {"TotalRate": "0.00000", "TotalAmount": "0.00000"}
    return {"TotalRate": f"{message.price / message.segments:.5f}", "TotalAmount": f"{message.price:.5f}"}


def _call(method: str, url: str, form: Mapping[str, str]) -> Call:
    if method == "GET":
        return Call("GET", f"{url}{'&' if '?' in url else '?'}{urlencode(form)}")
    return Call("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode())


def _time(at: datetime) -> str:
    return at.isoformat(sep=" ")


def _error(status: int, what: str) -> Response:
    response = jsonify(api_id=str(uuid.uuid4()), error=what)
    response.status_code = status
    return response
