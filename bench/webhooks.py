"""What does HubSpot send: a signed delivery of one event, as bytes on the wire?"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence

from bench.world import CLIENT_SECRET, PORTAL_ID
from connector.sandbox.hubspot.signing import sign_v1, sign_v3

_numbers = itertools.count(1)
_TARGET = "https://sms.example.com/webhooks/hubspot"


def deal_moved(deal_id: int | str, stage: str) -> bytes:
    """Make a request that says that a deal entered a stage; no two are the same event."""
    now = int(time.time() * 1000)
    event = {
        "eventId": next(_numbers),
        "subscriptionId": 3300001,
        "portalId": int(PORTAL_ID),
        "appId": 678,
        "occurredAt": now,
        "subscriptionType": "object.propertyChange",
        "attemptNumber": 0,
        "objectId": int(deal_id),
        "objectTypeId": "0-3",
        "propertyName": "dealstage",
        "propertyValue": stage,
        "changeSource": "CRM_UI",
        "sourceId": "userId:501",
        "isSensitive": False,
    }
    return _request(json.dumps([event], separators=(",", ":")).encode(), now)


def many(count: int) -> Sequence[bytes]:
    """Make different requests."""
    return [deal_moved(1_000_000 + index, "appointmentscheduled") for index in range(count)]


def _request(body: bytes, now: int) -> bytes:
    head = [
        "POST /webhooks/hubspot HTTP/1.1",
        "Host: sms.example.com",
        "User-Agent: HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-HubSpot-Signature: {sign_v1(body, CLIENT_SECRET)}",
        "X-HubSpot-Signature-Version: v1",
        f"X-HubSpot-Signature-v3: {sign_v3('POST', _TARGET, body, now, CLIENT_SECRET)}",
        f"X-HubSpot-Request-Timestamp: {now}",
        "Accept: */*",
        "",
        "",
    ]
    return "\r\n".join(head).encode() + body
