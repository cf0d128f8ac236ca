"""How does a pretend AWS End User Messaging SMS take texts, and what does it tell of them?

Source: the service's API description (docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2: fields, their
lengths and patterns, exceptions) and docs.aws.amazon.com/sms-voice (events, two-way SMS). Stricter than the vendor in
one thing: a field it does not know is refused.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Fault, Faults, plain_response
from connector.sandbox.gateways.aws_sigv4 import UnsignedError, check
from connector.sandbox.gateways.aws_sms_fields import LOOKUP, SEND, RefusalError, checked
from connector.sandbox.gateways.aws_sns_topic import SNSTopic
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.retries import RetryPolicy
from connector.sandbox.gateways.segments import SEVEN_BIT
from connector.sandbox.gateways.skin import Call, Calls, Skin, operation
from connector.sandbox.gateways.world import GatewayWorld

_SERVICE, _TARGET, _TYPE = "sms-voice", "PinpointSMSVoiceV2", "application/x-amz-json-1.0"
_EVENTS = {
    "sending": "TEXT_PENDING",
    "sent": "TEXT_SUCCESSFUL",
    "delivered": "TEXT_DELIVERED",
    "expired": "TEXT_TTL_EXPIRED",
}
_STOP_WORDS = frozenset({"ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"})
_UNSIGNED = {
    "missing": "MissingAuthenticationTokenException",
    "key": "UnrecognizedClientException",
}
_FAULTS = {400: "ValidationException", 403: "AccessDeniedException", 429: "ThrottlingException"}


class AWSSMSSkin(Skin):
    """AWS End User Messaging SMS in one region.

    Attributes:
        topic: where events and replies are published; its certificate is shown by this server.
        configuration_sets, identities: what exists; any identity when empty.
        opted_out: numbers that may not be written to; grows by what people reply, unless opt-outs are self-managed.
        landlines, invalid: what a lookup says of numbers; all others are mobile.
        wraps_in_eventbridge: events take the way over an EventBridge rule.
    """

    slug = "aws-sms"
    codes = FailureCodes(
        unreachable="TEXT_UNREACHABLE", blocked="TEXT_BLOCKED", failed="TEXT_INVALID", expired="TEXT_TTL_EXPIRED"
    )
    # SNS's standard policy for HTTP endpoints, three more tries 20 seconds apart; other 4xx are final
    retry = RetryPolicy((timedelta(seconds=20),) * 3, frozenset({5, 429}))

    def __init__(self, topic: SNSTopic | None = None, *, is_self_managed: bool = False) -> None:
        self.topic = topic or SNSTopic()
        self.configuration_sets = {"texts"}
        self.identities: set[str] = set()
        self.opted_out: set[str] = set()
        self.landlines: set[str] = set()
        self.invalid: set[str] = set()
        self.wraps_in_eventbridge = False
        self._is_self_managed = is_self_managed

    def new_id(self) -> str:
        """A UUID."""
        return str(uuid4())

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """`SendTextMessage` and `CarrierLookup`, and the two pages of SNS that a subscriber visits."""
        pages = Blueprint("aws_sms", __name__)
        operations = {
            f"{_TARGET}.SendTextMessage": operation(world, faults, "send", _fault)(lambda: self._send(world)),
            f"{_TARGET}.CarrierLookup": operation(world, faults, "lookup", _fault)(lambda: self._look_up(world)),
        }

        @pages.post("/")
        def call() -> ResponseReturnValue:
            named = operations.get(request.headers.get("X-Amz-Target", ""))
            if named is None or request.content_type != _TYPE:
                return _refused(RefusalError("UnknownOperationException", status=404))
            try:
                return named()
            except RefusalError as refusal:
                return _refused(refusal)

        @pages.get("/")
        def confirm() -> ResponseReturnValue:
            return ("<ConfirmSubscriptionResponse/>", 200) if self.topic.confirm(request.args) else ("", 400)

        @pages.get("/<name>.pem")
        def certificate(name: str) -> ResponseReturnValue:
            is_ours = f"/{name}.pem" == self.topic.certificate_path
            return (self.topic.identity.pem, 200) if is_ours else ("", 404)

        return pages

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Calls:
        """The event about a stage; without a configuration set nobody hears anything."""
        if message.callback_url is None or "ConfigurationSetName" not in message.details:
            return None
        event = _event(message, str(stage.error_code or _EVENTS[stage.status]), at)
        return self.topic.notification(message.callback_url, json.dumps(self._wrapped(event, at)))

    def inbound_call(self, message: Message, at: datetime) -> Calls:  # noqa: ARG002 - the engine's shape
        """What two-way SMS publishes of a text a person wrote."""
        if message.body.strip().upper() in _STOP_WORDS and not self._is_self_managed:
            self.opted_out.add(message.sender)
        said = {
            "originationNumber": message.sender,
            "destinationNumber": message.to,
            "messageKeyword": f"KEYWORD_{self.topic.arn.split(':')[4]}",
            "messageBody": message.body,
            "inboundMessageId": message.id,
        }
        return self.topic.notification(message.callback_url or "", json.dumps(said))

    def sign(self, call: Call, at: datetime) -> Call:
        """SNS's signature, inside the body."""
        return self.topic.sign(call, at)

    def forge(self, call: Call, at: datetime) -> Call:
        """SNS's envelope with the signature of another message."""
        other = json.loads(self.topic.sign(self.topic.notification(call.url, "another"), at).body)
        signed = json.loads(self.topic.sign(call, at).body)
        body = json.dumps(signed | {"Signature": other["Signature"]}).encode()
        return Call(call.method, call.url, call.headers, body)

    def _send(self, world: GatewayWorld) -> ResponseReturnValue:
        given = self._given(world, SEND)
        number, name = f"+{given['DestinationPhoneNumber'].removeprefix('+')}", given.get("ConfigurationSetName")
        sender = given.get("OriginationIdentity", "")
        if name is not None and name not in self.configuration_sets:
            raise RefusalError("ResourceNotFoundException", ResourceType="configuration-set", ResourceId=name)
        if sender and self.identities and sender not in self.identities:
            raise RefusalError("ResourceNotFoundException", ResourceType="phone-number", ResourceId=sender)
        if number in self.opted_out:
            raise RefusalError("ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT")
        message = world.take(
            to=number,
            sender=sender or "+12025550100",
            body=given["MessageBody"],
            reference=given.get("Context", {}).get("attempt_id"),
            valid_for=timedelta(seconds=given["TimeToLive"]) if "TimeToLive" in given else None,
            details=given,
        )
        return _answer({"MessageId": message.id})

    def _look_up(self, world: GatewayWorld) -> ResponseReturnValue:
        number = self._given(world, LOOKUP)["PhoneNumber"]
        kind = "LANDLINE" if number in self.landlines else "INVALID" if number in self.invalid else "MOBILE"
        found = {"E164PhoneNumber": number, "PhoneNumberType": kind, "DialingCountryCode": "1", "IsoCountryCode": "US"}
        return _answer(found | ({"MCC": "310", "MNC": "800", "Carrier": "Fiction Mobile"} if kind == "MOBILE" else {}))

    def _given(self, world: GatewayWorld, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The request's parameters, once signature, rate and every field are in order."""
        try:
            check(request, world.credentials, _SERVICE, self.topic.region)
        except UnsignedError as error:
            kind = _UNSIGNED.get(error.why, "InvalidSignatureException")
            raise RefusalError(kind, status=400 if error.why == "missing" else 403) from error
        given = checked(request.get_data(), fields)
        if world.is_throttled():
            raise RefusalError("ThrottlingException")
        return given

    def _wrapped(self, event: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
        if not self.wraps_in_eventbridge:
            return event
        return {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "Text Message Delivery Status Updated",
            "source": "aws.sms-voice",
            "account": self.topic.arn.split(":")[4],
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.topic.region,
            "resources": [],
            "detail": event,
        }


def _event(message: Message, event_type: str, at: datetime) -> Mapping[str, Any]:
    is_gsm = all(character in SEVEN_BIT for character in message.body)
    return {
        "eventType": event_type,
        "eventVersion": "1.0",
        "eventTimestamp": int(at.timestamp() * 1000),
        "isFinal": event_type not in {"TEXT_QUEUED", "TEXT_PENDING"},
        "originationPhoneNumber": message.sender,
        "destinationPhoneNumber": message.to,
        "isoCountryCode": "US",
        "mcc": "310",
        "mnc": "800",
        "carrierName": "Fiction Mobile",
        "messageId": message.id,
        "messageRequestTimestamp": int(message.created_at.timestamp() * 1000),
        "messageEncoding": "GSM" if is_gsm else "Unicode",
        "messageType": message.details.get("MessageType", "TRANSACTIONAL"),
        "messageStatus": event_type.removeprefix("TEXT_"),
        "messageStatusDescription": "as pretended",
        "context": dict(message.details.get("Context", {})),
        "totalMessageParts": message.segments,
        "totalMessagePrice": float(message.price or 0),
        "totalCarrierFee": 0.003,
    }


def _answer(found: Mapping[str, Any], status: int = 200) -> Response:
    response = Response(json.dumps(found), status, content_type=_TYPE)
    response.headers["x-amzn-RequestId"] = str(uuid4())
    return response


def _refused(refusal: RefusalError) -> Response:
    return _answer({"__type": refusal.kind, "Message": "refused by the sandbox", **refusal.said}, refusal.status)


def _fault(fault: Fault) -> Response:
    if "body" in fault.options:
        return plain_response(fault)
    kind = _FAULTS.get(fault.status, "InternalServerException")
    response = _answer({"__type": kind, "Message": "fault armed in the sandbox"}, fault.status)
    response.headers.update(fault.options.get("headers", {}))
    return response
