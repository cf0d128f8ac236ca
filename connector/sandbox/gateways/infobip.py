"""How does the pretend Infobip answer, and what does it call back?

Written against infobip.com/docs/api/channels/sms (version 3: messages, logs, reports, inbound).
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Fault, Faults, plain_response
from connector.sandbox.gateways.infobip_requests import InfobipRefusalError, Wanted, read
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.retries import RetryPolicy
from connector.sandbox.gateways.segments import count_segments
from connector.sandbox.gateways.skin import Call, Skin, operation
from connector.sandbox.gateways.world import GatewayWorld

API_KEY = "the-pretend-account"

MOST_PARTS = 25
LOGS_REACH_BACK = timedelta(hours=48)
NETWORK = "310260"  # a code with the shape of a network's

GROUPS = {1: "PENDING", 2: "UNDELIVERABLE", 3: "DELIVERED", 4: "EXPIRED", 5: "REJECTED"}
STATUSES = {  # id: name, group
    2: ("DELIVERED_TO_OPERATOR", 3),
    3: ("PENDING_WAITING_DELIVERY", 1),
    5: ("DELIVERED_TO_HANDSET", 3),
    7: ("PENDING_ENROUTE", 1),
    9: ("UNDELIVERABLE_NOT_DELIVERED", 2),
    14: ("REJECTED_DESTINATION_BLOCKLISTED", 5),
    15: ("EXPIRED_EXPIRED", 4),
    23: ("REJECTED_DUPLICATE_MESSAGE_ID", 5),
    25: ("REJECTED_MESSAGE_TOO_LONG", 5),
    26: ("PENDING_ACCEPTED", 1),
    31: ("UNDELIVERABLE_NOT_SENT", 2),
    52: ("REJECTED_DESTINATION", 5),
}
ERRORS = {  # id: name, group, permanent
    0: ("NO_ERROR", (0, "OK"), False),
    1: ("EC_UNKNOWN_SUBSCRIBER", (1, "HANDSET_ERRORS"), True),
    27: ("EC_ABSENT_SUBSCRIBER", (1, "HANDSET_ERRORS"), False),
    34: ("EC_SYSTEM_FAILURE", (1, "HANDSET_ERRORS"), False),
    2050: ("EC_DEST_ADDRESS_BLACKLISTED", (3, "OPERATOR_ERRORS"), True),
}
_STATUS_OF = {
    "accepted": 26,
    "sending": 7,
    "sent": 2,
    "delivered": 5,
    "undelivered": 9,
    "failed": 31,
    "expired": 15,
    "cancelled": 31,
}
_FINAL = frozenset({"delivered", "undelivered", "failed", "expired"})
_LOG_FILTERS = frozenset({"messageId", "bulkId", "sender", "destination", "limit"})


class InfobipSkin(Skin):
    """Infobip.

    Args of the constructor:
        api_key: authenticates requests.
        login: `user:password` with which it calls back, as a subscription's profile may say; None for none.
        blocklist: numbers to which the account sends nothing, such as of those who wrote STOP.
    """

    slug = "infobip"
    codes = FailureCodes(unreachable=27, blocked=2050, failed=34)
    retry = RetryPolicy(  # one minute and one more for each square of the number of tries before
        waits=tuple(timedelta(minutes=1 + number**2) for number in range(5)), statuses=frozenset({3, 4, 5})
    )

    def __init__(self, api_key: str = API_KEY, login: str | None = None) -> None:
        self.api_key, self.login = api_key, login
        self.blocklist: set[str] = set()

    def new_id(self) -> str:
        """Digits, where the client gave no id."""
        return str(uuid4().int)[:24]

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """`/sms/3/messages`, `/sms/3/logs`."""
        pages = Blueprint("infobip", __name__)

        @pages.post("/sms/3/messages")
        @operation(world, faults, "send", _fault)
        def send() -> ResponseReturnValue:
            return self._answer(lambda: self._send(world))

        @pages.get("/sms/3/logs")
        @operation(world, faults, "find", _fault)
        def logs() -> ResponseReturnValue:
            return self._answer(lambda: _logs(world))

        return pages

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Call | None:
        """A report as JSON, about the last word only, since nobody asked for reports in between."""
        if stage.status not in _FINAL:
            return None
        result = {**_log(message), "doneAt": _time(at), "callbackData": message.details.get("callbackData")}
        return _post(str(message.callback_url), {"results": [result]})

    def inbound_call(self, message: Message, at: datetime) -> Call:
        """A text of a person as JSON."""
        keyword, _, rest = message.body.partition(" ")
        result = {
            "messageId": message.id,
            "from": message.sender.removeprefix("+"),
            "to": message.to.removeprefix("+"),
            "text": message.body,
            "cleanText": rest,
            "keyword": keyword,
            "receivedAt": _time(at),
            "smsCount": message.segments,
            "price": {"pricePerMessage": 0, "currency": message.currency},
            "callbackData": None,
        }
        return _post(message.callback_url or "", {"results": [result], "messageCount": 1, "pendingMessageCount": 0})

    def sign(self, call: Call, at: datetime) -> Call:  # noqa: ARG002 - a login has no time
        """The login, where there is one; else what makes the call ours is in its address already."""
        if self.login is None:
            return call
        return call.with_headers(Authorization="Basic " + base64.b64encode(self.login.encode()).decode())

    def forge(self, call: Call, at: datetime) -> Call:  # noqa: ARG002 - nor has a key
        """Another key and another login."""
        return replace(call, url=call.url.partition("?")[0] + "?key=forged").with_headers(
            Authorization="Basic Zm9yZ2Vk"
        )

    def _send(self, world: GatewayWorld) -> dict[str, Any]:
        if world.is_throttled():
            raise InfobipRefusalError(429, "Too many requests")
        answers = [self._take(world, wanted) for wanted in read(request.get_json(silent=True))]
        return {"bulkId": str(uuid4()), "messages": answers}

    def _take(self, world: GatewayWorld, wanted: Wanted) -> dict[str, Any]:
        message_id = wanted.message_id or self.new_id()
        status_id = self._objection(world, wanted, message_id) or 26
        if status_id == 26:
            world.take(
                to=f"+{wanted.to}",
                sender=wanted.sender,
                body=wanted.text,
                callback_url=wanted.details.get("url"),
                reference=wanted.details.get("callbackData"),
                valid_for=wanted.valid_for,
                details=wanted.details,
                message_id=message_id,
            )
        return {
            "messageId": message_id,
            "status": _status(status_id),
            "destination": wanted.to,
            "details": {"messageCount": count_segments(wanted.text)},
        }

    def _objection(self, world: GatewayWorld, wanted: Wanted, message_id: str) -> int | None:
        if not re.fullmatch(r"[1-9]\d{5,14}", wanted.to):
            return 52
        if world.message(message_id) is not None:
            return 23
        if f"+{wanted.to}" in self.blocklist:
            return 14
        return 25 if count_segments(wanted.text) > MOST_PARTS else None

    def _answer(self, work: Callable[[], dict[str, Any]]) -> ResponseReturnValue:
        try:
            self._authenticate()
            return jsonify(work())
        except InfobipRefusalError as refusal:
            return jsonify(refusal.body()), refusal.http

    def _authenticate(self) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"App {self.api_key}".encode()):
            raise InfobipRefusalError(401, "Invalid login details")


def _logs(world: GatewayWorld) -> dict[str, Any]:
    if unknown := set(request.args) - _LOG_FILTERS:
        raise InfobipRefusalError(400, "Bad request", {min(unknown): "unknown parameter"})
    ids = [each for each in request.args.get("messageId", "").split(",") if each]
    earliest = world.clock.now() - LOGS_REACH_BACK
    found = map(world.message, ids) if ids else world.messages()
    known = [message for message in found if message is not None and message.created_at >= earliest]
    return {"results": [_log(message) for message in known if message.is_outbound][-50:]}


def _log(message: Message) -> dict[str, Any]:
    return {
        "sender": message.sender,
        "destination": message.to.removeprefix("+"),
        "bulkId": None,
        "messageId": message.id,
        "sentAt": _time(message.created_at),
        "doneAt": _time(message.updated_at),
        "messageCount": message.segments,
        "mccMnc": NETWORK,
        "price": {"pricePerMessage": float(message.price or 0) / message.segments, "currency": message.currency},
        "status": _status(_STATUS_OF[message.status]),
        "error": _error(int(message.error_code or 0)),
    }


def _status(status_id: int) -> dict[str, Any]:
    name, group = STATUSES[status_id]
    return {"groupId": group, "groupName": GROUPS[group], "id": status_id, "name": name, "description": name.title()}


def _error(error_id: int) -> dict[str, Any]:
    name, (group, group_name), permanent = ERRORS.get(error_id, ("EC_UNKNOWN_ERROR", (3, "OPERATOR_ERRORS"), False))
    described = {"id": error_id, "name": name, "description": name.title(), "permanent": permanent}
    return {"groupId": group, "groupName": group_name, **described}


def _fault(fault: Fault) -> Response:
    if "body" in fault.options:
        return plain_response(fault)
    body = InfobipRefusalError(fault.status, "armed in the sandbox").body()
    return Response(
        json.dumps(body), fault.status, dict(fault.options.get("headers", {})), content_type="application/json"
    )


def _post(url: str, body: Mapping[str, Any]) -> Call:
    return Call("POST", url, {"Content-Type": "application/json"}, json.dumps(body).encode())


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}+0000"
