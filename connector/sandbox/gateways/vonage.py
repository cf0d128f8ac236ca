"""What does Vonage's SMS API answer, and how does it call back?

Sources: developer.vonage.com/api/sms, …/messaging/sms/guides/delivery-receipts, …/inbound-sms, …/api/number-insight,
…/getting-started/concepts/signing-messages. Every part of a text has an id and receipts of its own; long inbound texts
come in parts. A refusal is an HTTP 200, too.
"""

import hashlib
import hmac
import json
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways import vonage_account as account
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.skin import Call, Calls, Skin, operation
from connector.sandbox.gateways.vonage_orders import Order, RefusedError, read_order
from connector.sandbox.gateways.vonage_parts import split
from connector.sandbox.gateways.world import GatewayWorld

STATUSES = {
    "sent": "accepted",
    "delivered": "delivered",
    "undelivered": "failed",
    "failed": "rejected",
    "expired": "expired",
}
"""Vonage's word for a stage; there is none for the others."""

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_UNSAFE = str.maketrans("&=", "__")
DELIVERIES = ("json", "form", "get")
"""How an account may have its callbacks: POST with JSON, POST with a form, GET."""


class VonageSkin(Skin):
    """Vonage's SMS API.

    Attributes:
        refused_parts: armed by tests: `(number of the part, status)`, each for the next text.

    Args of the constructor:
        signature_secret: callbacks are signed with it, or not at all when empty.
        method: `md5hash`, or the hash of an HMAC.
        delivery: one of `DELIVERIES`.
        page_size: records on a page of the reports.
    """

    slug = "vonage"
    codes = FailureCodes(unreachable="2", blocked="4", failed="99", expired="1")
    retry = account.RETRY

    def __init__(
        self, signature_secret: str = "", method: str = "md5hash", delivery: str = "json", page_size: int = 1000
    ) -> None:
        if delivery not in DELIVERIES:
            raise ValueError(f"no delivery {delivery!r}; one of {', '.join(DELIVERIES)}")
        self._secret, self._method, self._delivery, self._page_size = signature_secret, method, delivery, page_size
        self.refused_parts: deque[tuple[int, str]] = deque()

    def new_id(self) -> str:
        """Sixteen hexadecimal digits."""
        return secrets.token_hex(8).upper()

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """Sending, reports and number insights."""
        api = Blueprint("vonage", __name__)
        account.add_reports(api, world, faults, "SMS", _on_record, self._page_size)

        @api.post("/sms/json")
        @operation(world, faults, "send")
        def send() -> ResponseReturnValue:
            try:
                order = read_order(world)
            except RefusedError as refusal:
                return _answer([{"status": refusal.status, "error-text": refusal.text}])
            return _answer(self._take(world, order))

        @api.route("/ni/standard/json", methods=["GET", "POST"])
        @operation(world, faults, "lookup")
        def insight() -> ResponseReturnValue:
            return jsonify(_insight(world, request.values))

        return api

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Calls:
        """A receipt for each part, about stages Vonage has a word for."""
        if stage.status not in STATUSES:
            return None
        return [self._call(message, _receipt(message, part, stage, at)) for part in message.part_ids]

    def inbound_call(self, message: Message, at: datetime) -> Calls:
        """One call, or one for each part of a long text."""
        parts, reference = split(message.body), secrets.token_hex(1)
        return [
            self._call(message, {**_inbound(message, at), **_part(self, parts, number, reference, message)})
            for number in range(len(parts))
        ]

    def sign(self, call: Call, at: datetime) -> Call:
        """`timestamp`, `nonce` and `sig` among the parameters."""
        return self._signed(call, at, self._secret)

    def forge(self, call: Call, at: datetime) -> Call:
        """Signed with somebody else's secret."""
        return self._signed(call, at, "somebody-else" if self._secret else "")

    def _signed(self, call: Call, at: datetime, secret: str) -> Call:
        if not secret:
            return call
        more = {"timestamp": str(int(at.timestamp())), "nonce": secrets.token_hex(8)}
        parameters = {**parameters_of(call), **more}
        return _with(call, {**parameters, "sig": signature(parameters, secret, self._method)})

    def _take(self, world: GatewayWorld, order: Order) -> list[dict[str, Any]]:
        """Take a text, without the part that is armed to be refused; the answer has an entry for each part."""
        number, status = self.refused_parts.popleft() if self.refused_parts else (0, "")
        if number == 1 and len(split(order.body)) == 1:
            return [{"status": status, "error-text": "armed in the sandbox"}]
        message = world.take(
            to=order.to,
            sender=order.sender,
            body=order.body,
            callback_url=order.callback,
            reference=order.reference,
            valid_for=order.valid_for,
            details=order.form,
            has_part_ids=True,
        )
        message.currency = "EUR"
        entries = [_taken(message, part) for part in message.part_ids]
        if number:
            entries[number - 1] = {"to": order.form["to"], "status": status, "error-text": "armed in the sandbox"}
            message.part_ids = tuple(part for at, part in enumerate(message.part_ids, 1) if at != number)
        return entries

    def _call(self, message: Message, parameters: Mapping[str, str]) -> Call:
        empty = {
            "json": Call("POST", message.callback_url or "", {"Content-Type": _JSON}, b"{}"),
            "form": Call("POST", message.callback_url or "", {"Content-Type": _FORM}),
            "get": Call("GET", message.callback_url or ""),
        }[self._delivery]
        return _with(empty, parameters)


def parameters_of(call: Call) -> dict[str, str]:
    """The parameters of a callback; of a GET, without those the address had before."""
    if call.method == "GET":
        return dict(parse_qsl(urlsplit(call.url).query, keep_blank_values=True))
    if call.headers["Content-Type"] == _JSON:
        found: dict[str, str] = json.loads(call.body)
        return found
    return dict(parse_qsl(call.body.decode(), keep_blank_values=True))


def signature(parameters: Mapping[str, str], secret: str, method: str) -> str:
    """Vonage's `sig` over parameters."""
    text = "".join(f"&{key}={value.translate(_UNSAFE)}" for key, value in sorted(parameters.items()))
    if method == "md5hash":
        return hashlib.md5((text + secret).encode(), usedforsecurity=False).hexdigest()
    return hmac.new(secret.encode(), text.encode(), method).hexdigest()


def _with(call: Call, parameters: Mapping[str, str]) -> Call:
    if call.method == "GET":
        query = urlencode({**dict(parse_qsl(urlsplit(call.url).query)), **parameters})
        return replace(call, url=f"{call.url.partition('?')[0]}?{query}")
    is_json = call.headers["Content-Type"] == _JSON
    return replace(call, body=(json.dumps(dict(parameters)) if is_json else urlencode(parameters)).encode())


def _answer(entries: Sequence[Mapping[str, Any]]) -> ResponseReturnValue:
    return jsonify({"message-count": str(len(entries)), "messages": list(entries)})


def _taken(message: Message, part_id: str) -> dict[str, Any]:
    entry = {
        "to": message.to.removeprefix("+"),
        "message-id": part_id,
        "status": "0",
        "remaining-balance": "15.53590000",
        "message-price": _price(message),
        "network": "23410",
    }
    return entry if message.reference is None else {**entry, "client-ref": message.reference}


def _price(message: Message) -> str:
    return f"{(message.price or 0) / message.segments:.8f}"


def _receipt(message: Message, part_id: str, stage: Stage, at: datetime) -> dict[str, str]:
    receipt = {
        "msisdn": message.to.removeprefix("+"),
        "to": message.sender.removeprefix("+"),
        "network-code": "23410",
        "messageId": part_id,
        "price": _price(message),
        "status": STATUSES[stage.status],
        "scts": at.strftime("%y%m%d%H%M"),
        "err-code": str(stage.error_code or "0"),
        "api-key": account.API_KEY,
        "message-timestamp": at.strftime("%Y-%m-%d %H:%M:%S"),
    }
    return receipt if message.reference is None else {**receipt, "client-ref": message.reference}


def _inbound(message: Message, at: datetime) -> dict[str, str]:
    return {
        "api-key": account.API_KEY,
        "msisdn": message.sender.removeprefix("+"),
        "to": message.to.removeprefix("+"),
        "messageId": message.id,
        "text": message.body,
        "type": "text" if message.body.isascii() else "unicode",
        "keyword": (message.body.split() or [""])[0].upper(),
        "message-timestamp": at.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _part(skin: Skin, parts: Sequence[str], number: int, reference: str, message: Message) -> dict[str, str]:
    if len(parts) == 1:
        return {}
    return {
        "messageId": message.id if number == 0 else skin.new_id(),
        "text": parts[number],
        "concat": "true",
        "concat-ref": reference,
        "concat-total": str(len(parts)),
        "concat-part": str(number + 1),
    }


def _on_record(message: Message) -> list[account.Record]:
    status = STATUSES.get(message.status, "accepted")
    code = str(message.error_code or "0")
    return [account.Record(part, status, code, _price(message)) for part in message.part_ids]


def _insight(world: GatewayWorld, said: Mapping[str, str]) -> dict[str, Any]:
    secret = world.credentials.get("api_secret", account.API_SECRET)
    if said.get("api_key") != account.key_of(world) or said.get("api_secret") != secret:
        return {"status": 4, "status_message": "Invalid credentials"}
    number = said.get("number", "")
    if not number.isdecimal() or not 8 <= len(number) <= 15:
        return {"status": 3, "status_message": "Invalid request :: Not valid number format detected"}
    carrier = {"network_code": "23410", "name": "Sandbox Mobile", "country": "GB", "network_type": "mobile"}
    return {
        "status": 0,
        "status_message": "Success",
        "request_id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        "international_format_number": number,
        "country_code": "US" if number.startswith("1") else "GB",
        "request_price": "0.00500000",
        "remaining_balance": "15.53590000",
        "current_carrier": carrier,
        "original_carrier": carrier,
        "ported": "unknown",
    }
