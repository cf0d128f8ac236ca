"""How do four vendors take a text, for the pretend gateways that answer and for the bare loop that asks?

Paths, bodies and answers are those of `connector.adapters.sms`, whose own tests hold them against the vendors' pages.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from bench.world import ACCOUNT_SID

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_CALLBACK = "https://sms.example.com/callbacks/%s/status/%036d"
_RECIPIENT = re.compile(rb'"(?:to|dst)": *\[?"(\+?[0-9]+)"')

_TWILIO_ANSWER = {
    "status": "queued", "to": "+12025550143", "from": "+12025550100", "num_segments": "1", "direction": "outbound-api",
    "price": None, "price_unit": "USD", "error_code": None, "error_message": None, "api_version": "2010-04-01",
    "date_created": "Fri, 20 Nov 2026 12:00:00 +0000", "date_sent": None,
}  # fmt: skip
_TELNYX_ANSWER = {
    "record_type": "message", "direction": "outbound", "type": "SMS", "parts": 1, "cost": None, "errors": [],
    "from": {"phone_number": "+12025550101", "carrier": "Telnyx", "line_type": "Wireless"},
    "to": [{"phone_number": "+12025550143", "status": "queued", "carrier": "", "line_type": ""}],
    "sent_at": None, "completed_at": None, "received_at": "2026-11-20T12:00:00.000+00:00", "valid_until": None,
}  # fmt: skip
_PLIVO_ANSWER = {"message": "message(s) queued", "api_id": "db342550-7c9d-11e1-8ea7-842b2b17453e"}
_SINCH_ANSWER = {
    "to": ["12025550143"], "from": "12025550103", "canceled": False, "type": "mt_text", "delivery_report":
    "per_recipient", "created_at": "2026-11-20T12:00:00.000Z", "modified_at": "2026-11-20T12:00:00.000Z",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vendor:
    """One of them.

    Attributes:
        path: where texts are sent; its first part tells vendors apart, since one server stands for all of them.
        status, answer: of a text that was taken; `%032x` in the answer is its number.
        headers: of a request.
        fields: of a request that carries a text: recipient, body, address for receipts.
        settings: of its adapter, by the address of its API.
    """

    slug: str
    path: str
    sender: str
    status: bytes
    answer: bytes
    headers: Mapping[str, str] = field(repr=False)
    fields: Callable[[str, str, str], Mapping[str, Any]]
    settings: Callable[[str], Mapping[str, str]]

    def request(self, index: int, to: str, text: str) -> bytes:
        """Write the body of a request."""
        fields = self.fields(to, text, _CALLBACK % (self.slug, index))
        is_form = self.headers["Content-Type"] == _FORM
        return (urlencode(fields) if is_form else json.dumps(fields, ensure_ascii=False)).encode()


def vendor_of(head: bytes) -> Vendor:
    """Tell by the head of a request, `POST /v2/messages HTTP/1.1 …`, whose API is meant: no two begin alike."""
    return _BY_BEGINNING[head.split(b"/", 2)[1]]


def recipient(body: bytes) -> str:
    """Read to whom a request goes."""
    found = _RECIPIENT.search(body)
    return found[1].decode() if found else parse_qs(body.decode()).get("To", [""])[0]


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _with_id(name: str, rest: Mapping[str, Any]) -> bytes:
    return b'{"%s": "%%032x", ' % name.encode() + json.dumps(rest)[1:].encode()


_TOKEN = "0" * 32  # of nobody
_JSON_HEADERS = {"Content-Type": _JSON, "Accept": _JSON}

VENDORS: Mapping[str, Vendor] = {
    vendor.slug: vendor
    for vendor in (
        Vendor(
            "twilio",
            f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json",
            "+12025550100",
            b"201 Created",
            _with_id("sid", _TWILIO_ANSWER),
            _basic(ACCOUNT_SID, _TOKEN) | {"Content-Type": _FORM},
            lambda to, text, callback: {
                "To": to,
                "From": "+12025550100",
                "Body": text,
                "StatusCallback": callback,
                "ValidityPeriod": "36000",
            },
            lambda url: {"TWILIO_API_URL": url, "TWILIO_FROM": "+12025550100"},
        ),
        Vendor(
            "telnyx",
            "/v2/messages",
            "+12025550101",
            b"200 OK",
            b'{"data": ' + _with_id("id", _TELNYX_ANSWER) + b"}",
            {"Authorization": f"Bearer KEY{_TOKEN}"} | _JSON_HEADERS,
            lambda to, text, callback: {
                "from": "+12025550101",
                "to": to,
                "text": text,
                "type": "SMS",
                "webhook_url": callback,
            },
            lambda url: {
                "TELNYX_API_URL": url,
                "TELNYX_API_KEY": f"KEY{_TOKEN}",
                "TELNYX_PUBLIC_KEYS": base64.b64encode(bytes(32)).decode(),
                "TELNYX_FROM": "+12025550101",
            },
        ),
        Vendor(
            "plivo",
            f"/v1/Account/MA{_TOKEN}/Message/",
            "+12025550102",
            b"202 Accepted",
            b'{"message_uuid": ["%032x"], ' + json.dumps(_PLIVO_ANSWER)[1:].encode(),
            _basic(f"MA{_TOKEN}", _TOKEN) | _JSON_HEADERS,
            lambda to, text, callback: {
                "src": "12025550102",
                "dst": to,
                "text": text,
                "type": "sms",
                "url": callback,
                "method": "POST",
                "message_expiry": 10800,
            },
            lambda url: {
                "PLIVO_API_URL": url,
                "PLIVO_AUTH_ID": f"MA{_TOKEN}",
                "PLIVO_AUTH_TOKENS": _TOKEN,
                "PLIVO_FROM": "+12025550102",
            },
        ),
        Vendor(
            "sinch",
            f"/xms/v1/{_TOKEN}/batches",
            "+12025550103",
            b"201 Created",
            _with_id("id", _SINCH_ANSWER),
            {"Authorization": f"Bearer {_TOKEN}"} | _JSON_HEADERS,
            lambda to, text, callback: {
                "type": "mt_text",
                "to": [to],
                "body": text,
                "client_reference": callback[-36:],
                "callback_url": callback,
                "delivery_report": "per_recipient",
                "from": "+12025550103",
                "expire_at": "2026-11-23T12:00:00.000Z",
            },
            lambda url: {
                "SINCH_API_URL": url,
                "SINCH_SERVICE_PLAN_ID": _TOKEN,
                "SINCH_API_TOKEN": _TOKEN,
                "SINCH_FROM": "+12025550103",
            },
        ),
    )
}
"""In the order in which they are added when more than one gateway is measured."""

_BY_BEGINNING = {vendor.path.split("/", 2)[1].encode(): vendor for vendor in VENDORS.values()}
