"""What does the emulated SMS Gateway Hub answer, and what does it push?

Source: smsgatewayhub.com/free-sms-gateway-developer-api and what public integrations send. It answers HTTP 200 to all
it understands and says in `ErrorCode`, in changing widths, what it thinks of it; a request of the wrong shape is an
HTTP 500.
"""

import base64
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.segments import ESCAPED, SEVEN_BIT
from connector.sandbox.gateways.skin import Call, Calls, Skin, operation
from connector.sandbox.gateways.strict_fields import FieldRule, first_mistake
from connector.sandbox.gateways.world import GatewayWorld

API_KEY = "sandboxSMSGatewayHubKey"

_FLAT = {"APIKey", "senderid", "channel", "DCS", "flashsms", "number", "text", "route", "EntityId", "dlttemplateid"}
_ACCOUNT = tuple(
    FieldRule(name, is_required=name not in {"EntityId", "SchedTime", "GroupId"})
    for name in ("APIkey", "SenderId", "Channel", "DCS", "EntityId", "SchedTime", "GroupId")
)
_MESSAGE = (
    FieldRule("Number", is_required=True),
    FieldRule("Text", is_required=True),
    FieldRule("DLTTemplateId"),
)
_CHANNELS = frozenset({"1", "2", "OTP", "INT"})
_INDIAN = re.compile(r"91[6-9]\d{9}")
_ABROAD = re.compile(r"[1-9]\d{6,14}")
_SENDER = re.compile(r"[A-Za-z0-9]{6}")
_WORDS = {
    "accepted": "Message in queue",
    "sending": "Submitted to carrier",
    "sent": "Sent",
    "delivered": "Delivered",
    "undelivered": "Undelivered",
    "failed": "Failed",
    "expired": "Expired",
}


class SMSGatewayHubSkin(Skin):
    """One account. It pushes receipts and incoming texts alike to every address it was given.

    Attributes:
        credit: texts that are still paid for; None for any number.
        has_bare_reports: it answers a question for reports with the list and no code.
    """

    slug = "smsgatewayhub"
    codes = FailureCodes()

    def __init__(self) -> None:
        self.credit: int | None = None
        self.has_bare_reports = False
        self._account = {"api_key": API_KEY}
        self._world: GatewayWorld | None = None
        self._addresses: dict[str, str] = {}
        self._jobs = count(381_055)

    def new_id(self) -> str:
        """A UUID in 22 letters."""
        return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """Both ways to send, and the question for a job's reports."""
        self._account |= world.credentials
        self._world = world
        api = Blueprint("smsgatewayhub", __name__)

        @api.route("/api/mt/SendSMS", methods=["GET", "POST"])
        @operation(world, faults, "send")
        def send_flat() -> ResponseReturnValue:
            if request.get_data() or set(request.args) - _FLAT:
                return _broken()
            return self._send(world, request.args)

        @api.post("/api/mt/SendSms")
        @operation(world, faults, "send")
        def send_nested() -> ResponseReturnValue:
            fields = _flattened(request.get_json(silent=True))
            return _broken() if fields is None or request.args else self._send(world, fields)

        @api.get("/api/mt/GetDelivery")
        @operation(world, faults, "find")
        def find() -> ResponseReturnValue:
            if request.args.get("APIKey") != self._account["api_key"]:
                return _answer("007", "Invalid credentials")
            reports = [_report(message) for message in world.by_reference(request.args.get("jobid", ""))]
            code = {} if self.has_bare_reports else {"ErrorCode": "000", "ErrorMessage": "Done"}
            return jsonify(code | {"DeliveryReports": reports})

        return api

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Calls:
        """A receipt to every address."""
        said = {"type": "dlr", "status": _WORDS[stage.status], "text": message.body}
        said["delivered_at"] = at.isoformat() if stage.status == "delivered" else ""
        return self._pushes(message, said)

    def inbound_call(self, message: Message, at: datetime) -> Calls:
        """What somebody wrote, to every address."""
        said = {"type": "inbound", "status": "received", "text": message.body, "delivered_at": at.isoformat()}
        return self._pushes(message, said)

    def sign(self, call: Call, at: datetime) -> Call:  # noqa: ARG002 - the skin's shape
        """To the address as it was given, with the key in it: nothing else tells who is calling."""
        return replace(call, url=self._addresses.get(call.url, call.url))

    def forge(self, call: Call, at: datetime) -> Call:  # noqa: ARG002 - the skin's shape
        """To an address whose key somebody made up."""
        return replace(call, url=f"{call.url}{'&' if '?' in call.url else '?'}key=made-up")

    def _pushes(self, message: Message, said: Mapping[str, str]) -> list[Call]:
        bare = {"to": message.to.removeprefix("+"), "from": message.sender.removeprefix("+")}
        body = json.dumps({"message_id": message.id, **bare, **said, "metadata": message.details.get("metadata", {})})
        world = self._world
        given = {message.callback_url, world.status_url, world.inbound_url} if world else {message.callback_url}
        self._addresses |= {_without_key(url): url for url in given if url}
        headers = {"Content-Type": "application/json"}
        return [Call("POST", _without_key(url), headers, body.encode()) for url in sorted(filter(None, given))]

    def _send(self, world: GatewayWorld, fields: Mapping[str, str]) -> ResponseReturnValue:
        code = self._code(fields)
        if code:
            return _answer(code, "refused")
        if world.is_throttled():
            return _answer("429", "Too many requests", 429)
        if self.credit is not None:
            self.credit -= 1
        number, job = fields["number"], str(next(self._jobs))
        details = {name: value for name, value in fields.items() if name != "APIKey"}
        sender, body = fields["senderid"], _as_coded(fields["text"], fields["DCS"])
        message = world.take(to=f"+{number}", sender=sender, body=body, reference=job, details=details)
        data = [{"Number": number, "MessageId": message.id}]
        return jsonify(ErrorCode="000", ErrorMessage="Success", JobId=job, MessageData=data)

    def _code(self, fields: Mapping[str, str]) -> str:
        """The code of the first thing wrong, empty when all is well."""
        is_abroad = fields.get("channel") == "INT"
        has_template = bool(fields.get("EntityId") and fields.get("dlttemplateid"))
        number = (_ABROAD if is_abroad else _INDIAN).fullmatch(fields.get("number", ""))
        checks = (
            ("0005", fields.get("APIKey") == self._account["api_key"]),
            ("12", _SENDER.fullmatch(fields.get("senderid", ""))),
            ("015", fields.get("channel") in _CHANNELS and fields.get("DCS") in {"0", "8"}),
            ("013", number),
            ("006", fields.get("text")),
            ("024", is_abroad or has_template),
            ("021", self.credit is None or self.credit > 0),
        )
        return next((code for code, is_well in checks if not is_well), "")


def _without_key(url: str) -> str:
    parts = urlsplit(url)
    fields = [(name, value) for name, value in parse_qsl(parts.query) if name != "key"]
    return parts._replace(query=urlencode(fields)).geturl()


def _flattened(body: Any) -> dict[str, str] | None:
    """The nested shape in the words of the flat one; None when it is not that shape."""
    if not isinstance(body, dict) or set(body) != {"Account", "Messages"}:
        return None
    account, messages = body["Account"], body["Messages"]
    if not isinstance(account, dict) or not isinstance(messages, list) or len(messages) != 1:
        return None
    (message,) = messages
    if not isinstance(message, dict) or first_mistake(account, _ACCOUNT) or first_mistake(message, _MESSAGE):
        return None
    flat = {"APIKey": account["APIkey"], "senderid": account["SenderId"], "channel": account["Channel"]}
    flat |= {"DCS": account["DCS"], "number": message["Number"], "text": message["Text"]}
    dlt = {"EntityId": account.get("EntityId"), "dlttemplateid": message.get("DLTTemplateId")}
    return flat | {name: value for name, value in dlt.items() if value is not None}


def _as_coded(text: str, coding: str) -> str:
    """What arrives: in the GSM alphabet everything outside of it is a question mark."""
    if coding == "8":
        return text
    return "".join(each if each in SEVEN_BIT or each in ESCAPED else "?" for each in text)


def _report(message: Message) -> dict[str, str]:
    date = message.updated_at.strftime("%d/%m/%Y %H:%M:%S")
    return {"MessageId": message.id, "DeliveryStatus": _WORDS[message.status], "DeliveryDate": date}


def _answer(code: str, what: str, status: int = 200) -> Response:
    response = jsonify(ErrorCode=code, ErrorMessage=what, JobId=None, MessageData=None)
    response.status_code = status
    return response


def _broken() -> Response:
    return Response('{"Message":"An error has occurred."}', 500, content_type="application/json")
