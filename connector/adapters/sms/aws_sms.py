"""How does one SMS go out through AWS End User Messaging SMS?

Source: docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2 (SendTextMessage, CarrierLookup), spoken as JSON 1.0
RPC. AWS has no idempotent send and cannot be asked about a text: all we hear are the events of its configuration set,
which carry our attempt id in their `context`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms.aws_sms_callbacks import ATTEMPT, AWSCallbacks, read_status
from connector.adapters.sms.aws_sms_codes import ERRORS, LINE_TYPES, code_of
from connector.adapters.sms.reading import in_turn, json_object, shown, stripped, words
from connector.adapters.sms.sigv4 import RequestSigner, endpoint
from connector.adapters.sms.sns_signature import SNSHost
from connector.domain.message import ErrorClass, MessageState, Purpose
from connector.errors import AmbiguousSendError, ConfigurationError, PermanentSendError, UnanswerableError
from connector.ports.gateway import (
    Accepted,
    AttemptQuery,
    CallbackRequest,
    Capabilities,
    IncomingSMS,
    OutgoingSMS,
    StatusReport,
)
from connector.ports.gateway_plugin import GatewayPlugin, GatewaySetting
from connector.ports.number_lookup import LineType, LookupAnswer

_SERVICE, _TARGET = "sms-voice", "PinpointSMSVoiceV2"
_RAW_STATUS = "accepted"  # ours: the answer to a send is an id and nothing else
_TTL_SECONDS = (5, 259_200)  # what TimeToLive takes: up to three days
_CHOSEN = ("pool-", "phone-", "sender-", "arn:")  # ids that stand for what people see
_PRICE = re.compile(r"[0-9]{0,2}\.[0-9]{1,5}", re.ASCII)  # what MaxPrice takes

CAPABILITIES = Capabilities(
    vendor="AWS End User Messaging SMS",
    page="https://docs.aws.amazon.com/sms-voice/latest/userguide/what-is-service.html",
    most_characters=1600,
    most_unicode=1600,
    reference="field",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset(),
    price="receipt",
    segments="receipt",
    verified_by="SNS message signature (RSA, SHA-256) of listed topics",
    validity=(timedelta(seconds=_TTL_SECONDS[0]), timedelta(seconds=_TTL_SECONDS[1])),
    has_lookup=True,
    has_dlt=True,
)


class AWSSMSGateway:
    """AWS End User Messaging SMS; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    Args of the constructor:
        signer: signs requests to `sms-voice`.
        api_url: base URL of the service in a region, without a path.
        configuration_set: whose event destination tells us of a text's fate.
        callbacks: checks and reads what AWS posts to us.
        sender: number, sender id, pool or ARN for messages that name none; without one AWS chooses.
        max_price: what one part may cost in US dollars, such as `0.10`; dearer texts are refused.

    Raises:
        ConfigurationError: no configuration set, or a price nobody can read.
    """

    slug = "aws-sms"
    capabilities = CAPABILITIES

    def __init__(
        self,
        signer: RequestSigner,
        api_url: str,
        configuration_set: str,
        callbacks: AWSCallbacks,
        *,
        sender: str | None = None,
        max_price: str | None = None,
    ) -> None:
        if not configuration_set:
            raise ConfigurationError(
                "AWS_SMS_CONFIGURATION_SET is empty; without one AWS tells nothing of a text's fate"
            )
        if max_price and not _PRICE.fullmatch(max_price):
            raise ConfigurationError("AWS_SMS_MAX_PRICE is US dollars such as 0.10, below 100, with a decimal point")
        self._signer, self._url = signer, f"{api_url.rstrip('/')}/"
        self._common = {"ConfigurationSetName": configuration_set} | ({"MaxPrice": max_price} if max_price else {})
        self._sender = sender
        self._callbacks, self._clients = callbacks, HTTPClients(api_url)

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `aws_sms_codes`; a success nobody can read
                is ambiguous.
        """
        answer = self._ask("SendTextMessage", self._request(sms))
        message_id = words(answer.get("MessageId"))
        if not message_id:
            raise _unreadable()
        return Accepted(message_id, MessageState.ACCEPTED, _RAW_STATUS, sender=_shown(sms.sender or self._sender))

    def find(self, query: AttemptQuery) -> StatusReport | None:  # noqa: ARG002 - the port's shape
        """Say that AWS cannot be asked.

        Raises:
            UnanswerableError: always.
        """
        raise UnanswerableError("AWS End User Messaging cannot be asked about a text", code="no_status_query")

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask what kind of number this is (`CarrierLookup`); exactly one HTTP request.

        Raises:
            SendError: it could not be asked.
        """
        try:
            answer = self._ask("CarrierLookup", {"PhoneNumber": e164})
        except PermanentSendError as refused:
            if refused.error_class == ErrorClass.PERMANENT_NUMBER or refused.code == "CANNOT_PARSE":
                return LookupAnswer(LineType.INVALID)
            raise
        kind = words(answer.get("PhoneNumberType"))
        if not kind:
            raise _unreadable()
        carrier = words(answer.get("Carrier")) or words(answer.get("MCC")) + words(answer.get("MNC"))
        country = words(answer.get("IsoCountryCode"))
        return LookupAnswer(LINE_TYPES.get(kind, LineType.UNKNOWN), country=country or None, carrier=carrier or None)

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback, and confirm a subscription of ours.

        Raises:
            UnsignedCallbackError: it cannot be checked or confirmed now; AWS sends it again.
            SignatureError: not from a topic of ours.
        """
        self._callbacks.verify(request)

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified event."""
        return read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound SMS."""
        return self._callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()
        self._callbacks.close()

    def _request(self, sms: OutgoingSMS) -> Mapping[str, Any]:
        is_promotion = sms.purpose is Purpose.MARKETING
        request: dict[str, Any] = self._common | {
            "DestinationPhoneNumber": sms.to,
            "MessageBody": sms.body.encode("utf-8", "replace").decode(),  # half a surrogate pair would be refused
            "MessageType": "PROMOTIONAL" if is_promotion else "TRANSACTIONAL",
            "Context": {ATTEMPT: sms.attempt_id},
        }
        if sender := sms.sender or self._sender:
            request["OriginationIdentity"] = sender
        if sms.valid_for is not None:
            shortest, longest = _TTL_SECONDS
            request["TimeToLive"] = min(max(int(sms.valid_for.total_seconds()), shortest), longest)
        if sms.dlt is not None:
            india = {"IN_ENTITY_ID": sms.dlt.entity_id, "IN_TEMPLATE_ID": sms.dlt.template_id}
            request["DestinationCountryParameters"] = india
        return request

    def _ask(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        body = json.dumps(request).encode("ascii")
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{_TARGET}.{operation}"}
        signed = self._signer.signed(self._url, headers, body)
        with self._clients.lend() as client, translate():
            answer = client.post(self._url, content=body, headers=signed)
        found = json_object(answer.content)
        if not answer.is_success:
            raise ERRORS.refusal(answer.status_code, code_of(found), retry_after(answer.headers))
        return found


def _shown(sender: str | None) -> str | None:
    return None if (sender or "").startswith(_CHOSEN) else shown(sender)


def _unreadable() -> AmbiguousSendError:
    return AmbiguousSendError("AWS answered with a body nobody can read", code="unreadable_answer")


def _build(values: Mapping[str, str]) -> AWSSMSGateway:
    values = stripped(values)
    region = values["AWS_SMS_REGION"]
    if values["AWS_SMS_OPT_OUTS"] not in {"aws", "self"}:
        raise ConfigurationError("AWS_SMS_OPT_OUTS is aws or self")
    keys = (values[f"AWS_SMS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    callbacks = AWSCallbacks(
        in_turn(values["AWS_SMS_TOPIC_ARNS"]),
        in_turn(values["AWS_SMS_CALLBACK_KEYS"]),
        answers_keywords=values["AWS_SMS_OPT_OUTS"] == "aws",
        fetch=SNSHost(values["AWS_SMS_SNS_URL"]),
    )
    return AWSSMSGateway(
        RequestSigner(_SERVICE, region, *keys),
        values["AWS_SMS_API_URL"] or endpoint(_SERVICE, region),
        values["AWS_SMS_CONFIGURATION_SET"],
        callbacks,
        sender=values["AWS_SMS_FROM"] or None,
        max_price=values["AWS_SMS_MAX_PRICE"] or None,
    )


PLUGIN = GatewayPlugin(
    slug=AWSSMSGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "AWS_SMS_REGION",
            "Region of AWS End User Messaging SMS; empty switches it off.",
            "us-east-1",
            is_required=True,
        ),
        GatewaySetting(
            "AWS_SMS_CONFIGURATION_SET",
            "Configuration set whose event destination reports what became of texts.",
            "texts",
            is_required=True,
        ),
        GatewaySetting(
            "AWS_SMS_TOPIC_ARNS",
            "SNS topics whose events and replies are believed, comma-separated.",
            "arn:aws:sns:us-east-1:123456789012:texts",
        ),
        GatewaySetting(
            "AWS_SMS_ACCESS_KEY_ID",
            "Id of the access key; when empty, credentials are looked for where AWS's own tools look.",
            "AKIAIOSFODNN7EXAMPLE",
        ),
        GatewaySetting(
            "AWS_SMS_SECRET_ACCESS_KEY", "Secret of the access key.", "the-secret-access-key", is_secret=True
        ),
        GatewaySetting(
            "AWS_SMS_SESSION_TOKEN",
            "Session token that belongs to a temporary access key.",
            "the-session-token",
            is_secret=True,
        ),
        GatewaySetting(
            "AWS_SMS_FROM", "Number, sender id, pool or ARN to send from; when empty, AWS chooses.", "+12025550100"
        ),
        GatewaySetting("AWS_SMS_MAX_PRICE", "Most that one part may cost, in US dollars.", "0.10"),
        GatewaySetting(
            "AWS_SMS_OPT_OUTS",
            "`aws` when AWS answers STOP and HELP itself, `self` when self-managed opt-outs are switched on.",
            "self",
            default="aws",
        ),
        GatewaySetting(
            "AWS_SMS_CALLBACK_KEYS",
            "Keys, newest first, one of which is `?key=` in the address of events that come without an SNS envelope.",
            "a-long-random-word",
            is_secret=True,
        ),
        GatewaySetting(
            "AWS_SMS_API_URL",
            "Base URL of the API; when empty, that of the region.",
            "https://sms-voice-fips.us-east-1.amazonaws.com",
        ),
        GatewaySetting(
            "AWS_SMS_SNS_URL",
            "Where certificates of SNS are fetched in place of its own host, such as a relay or a stand-in.",
            "https://relay.example.com",
        ),
    ),
    build=_build,
)
