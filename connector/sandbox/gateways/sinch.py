"""What does Sinch's SMS API answer, and how does it call back?

Sources: developers.sinch.com/docs/sms/api-reference (batches, delivery reports, inbounds, webhooks),
developers.sinch.com/docs/number-lookup-api-v2. A batch here has one recipient.
"""

import base64
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.retries import RetryPolicy, doubling
from connector.sandbox.gateways.sinch_api import add_batches, written
from connector.sandbox.gateways.sinch_lookup import add_lookups
from connector.sandbox.gateways.sinch_reports import INTERMEDIATE, status_and_code, summary
from connector.sandbox.gateways.skin import Call, Calls, Skin
from connector.sandbox.gateways.world import GatewayWorld

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's, as in ULIDs


class SinchSkin(Skin):
    """Sinch's SMS API and number lookup.

    Args of the constructor:
        webhook_secret: callbacks are signed with it, or not at all when empty.
    """

    slug = "sinch"
    codes = FailureCodes(unreachable=404, blocked=402, failed=403, expired=406)
    retry = RetryPolicy(doubling(5, 81_920, 15))

    def __init__(self, webhook_secret: str = "") -> None:
        self._secret = webhook_secret

    def new_id(self) -> str:
        """A ULID."""
        return "01" + "".join(secrets.choice(_ALPHABET) for _ in range(24))

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """Batches, delivery reports, tokens and lookups."""
        api = Blueprint("sinch", __name__)
        add_batches(api, world, faults)
        add_lookups(api, world, faults)
        return api

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Calls:
        """A report of the kind the batch asks for."""
        kind = message.details.get("delivery_report", "none")
        is_final = stage.status not in INTERMEDIATE
        if kind == "none" or (kind != "per_recipient" and not is_final):
            return None
        if kind in {"summary", "full"}:
            return _call(message, summary(message, kind))
        status, code = status_and_code(stage.status, stage.error_code)
        return _call(
            message,
            {
                "type": "recipient_delivery_report_sms",
                "batch_id": message.id,
                "recipient": message.to,
                "code": code,
                "status": status,
                "at": written(at),
                "operator_status_at": written(at),
                "operator": "23410",
                **({} if message.reference is None else {"client_reference": message.reference}),
            },
        )

    def inbound_call(self, message: Message, at: datetime) -> Calls:
        """A callback about a text, which comes whole."""
        return _call(
            message,
            {
                "type": "mo_text",
                "id": message.id,
                "from": message.sender.removeprefix("+"),
                "to": message.to.removeprefix("+"),
                "body": message.body,
                "received_at": written(at),
                "sent_at": written(at - timedelta(seconds=1)),
                "operator_id": "23410",
            },
        )

    def sign(self, call: Call, at: datetime) -> Call:
        """Four headers: signature, nonce, timestamp, algorithm."""
        if not self._secret:
            return call
        nonce, timestamp = uuid.uuid4().hex, str(int(at.timestamp()))
        signed = hmac.digest(
            self._secret.encode(), b".".join((call.body, nonce.encode(), timestamp.encode())), "sha256"
        )
        return call.with_headers(
            x_sinch_webhook_signature=base64.b64encode(signed).decode(),
            x_sinch_webhook_signature_nonce=nonce,
            x_sinch_webhook_signature_timestamp=timestamp,
            x_sinch_webhook_signature_algorithm="HmacSHA256",
        )


def _call(message: Message, said: Mapping[str, Any]) -> Call:
    return Call("POST", message.callback_url or "", {"Content-Type": "application/json"}, json.dumps(said).encode())
