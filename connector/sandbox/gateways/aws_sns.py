"""How does a pretend Amazon SNS take a text for a phone number?

Source: docs.aws.amazon.com/sns/latest/api (Publish, its errors) and docs.aws.amazon.com/sns/latest/dg (message
attributes of texts). It tells nothing of what became of a text. Stricter than the vendor in one thing: a parameter or
attribute it does not know is refused.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from html import escape
from uuid import uuid4

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Fault, Faults, plain_response
from connector.sandbox.gateways.aws_sigv4 import UnsignedError, check
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import Stage
from connector.sandbox.gateways.skin import Call, Calls, Skin, operation
from connector.sandbox.gateways.world import GatewayWorld

_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
_MOST_CHARACTERS = 1600  # of a text; other messages of SNS may be longer
_FIXED = {"Action": "Publish", "Version": "2010-03-31"}
_ENTRY = re.compile(r"MessageAttributes\.entry\.(\d+)\.(Name|Value\.DataType|Value\.StringValue)")
_ATTRIBUTES: Mapping[str, tuple[str, re.Pattern[str]]] = {
    "AWS.SNS.SMS.SMSType": ("String", re.compile(r"Promotional|Transactional")),
    "AWS.SNS.SMS.SenderID": ("String", re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")),
    "AWS.SNS.SMS.MaxPrice": ("Number", re.compile(r"\d+(\.\d+)?")),
    "AWS.MM.SMS.OriginationNumber": ("String", re.compile(r"\+?\d{5,15}")),
    "AWS.MM.SMS.EntityId": ("String", re.compile(r"\S{1,50}")),
    "AWS.MM.SMS.TemplateId": ("String", re.compile(r"\S{1,50}")),
}
_UNSIGNED = {"missing": "MissingAuthenticationToken", "key": "InvalidClientTokenId", "time": "RequestExpired"}
_FAULTS = {400: "InvalidParameter", 403: "AuthorizationError", 429: "Throttled"}


class RefusalError(Exception):
    """An error of SNS: its code, its HTTP status, and its message."""

    def __init__(self, code: str, status: int = 400, message: str = "refused by the sandbox") -> None:
        super().__init__(code)
        self.code, self.status, self.message = code, status, message


class AWSSNSSkin(Skin):
    """Amazon SNS in one region, for texts.

    Attributes:
        opted_out: numbers that may not be written to.
    """

    slug = "aws-sns"

    def __init__(self, region: str = "us-east-1") -> None:
        self.region = region
        self.opted_out: set[str] = set()

    def new_id(self) -> str:
        """A UUID."""
        return str(uuid4())

    def blueprint(self, world: GatewayWorld, faults: Faults) -> Blueprint:
        """`Publish` to a phone number."""
        pages = Blueprint("aws_sns", __name__)

        @pages.post("/")
        @operation(world, faults, "send", _fault)
        def publish() -> ResponseReturnValue:
            try:
                return self._publish(world)
            except RefusalError as refusal:
                return _error(refusal.code, refusal.status, refusal.message)

        return pages

    def status_call(self, message: Message, stage: Stage, at: datetime) -> Calls:  # noqa: ARG002 - the engine's shape
        """Nothing is told."""
        return None

    def inbound_call(self, message: Message, at: datetime) -> Calls:  # noqa: ARG002 - the engine's shape
        """Nobody can write back."""
        return None

    def sign(self, call: Call, at: datetime) -> Call:  # noqa: ARG002 - the engine's shape
        """There is nothing to sign."""
        return call

    def _publish(self, world: GatewayWorld) -> ResponseReturnValue:
        try:
            check(request, world.credentials, "sns", self.region)
        except UnsignedError as error:
            raise RefusalError(_UNSIGNED.get(error.why, "SignatureDoesNotMatch"), 403) from error
        form = request.form.to_dict()
        attributes = _attributes(form)
        number, body = _texts(form)
        if world.is_throttled():
            raise RefusalError("Throttled", 429)
        if number in self.opted_out:
            raise RefusalError("OptedOut")
        sender = attributes.get("AWS.SNS.SMS.SenderID") or attributes.get("AWS.MM.SMS.OriginationNumber") or "NOTICE"
        message = world.take(to=number, sender=sender, body=body, details={"form": form, "attributes": attributes})
        result = f"<PublishResult><MessageId>{message.id}</MessageId></PublishResult>"
        return _xml("PublishResponse", result, 200)


def _texts(form: Mapping[str, str]) -> tuple[str, str]:
    if any(form.get(name) != value for name, value in _FIXED.items()):
        raise RefusalError("InvalidAction")
    number, body = form.get("PhoneNumber", ""), form.get("Message", "")
    if re.fullmatch(r"\+[1-9]\d{6,14}", number) is None:
        raise RefusalError("InvalidParameter", message=f"Invalid parameter: PhoneNumber Reason: {number} is not valid")
    if not body or len(body) > _MOST_CHARACTERS:
        raise RefusalError("InvalidParameter", message="Invalid parameter: Message too long, or empty")
    return number, body


def _attributes(form: Mapping[str, str]) -> Mapping[str, str]:
    entries: dict[str, dict[str, str]] = {}
    for name, value in form.items():
        match = _ENTRY.fullmatch(name)
        if match:
            entries.setdefault(match[1], {})[match[2]] = value
        elif name not in {*_FIXED, "PhoneNumber", "Message"}:
            raise RefusalError("InvalidParameter", message=f"Invalid parameter: {name}")
    if sorted(map(int, entries)) != list(range(1, len(entries) + 1)):
        raise RefusalError("InvalidParameter", message="Invalid parameter: MessageAttributes Reason: numbering")
    return dict(_attribute(entry) for entry in entries.values())


def _attribute(entry: Mapping[str, str]) -> tuple[str, str]:
    name, value = entry.get("Name", ""), entry.get("Value.StringValue", "")
    kind, pattern = _ATTRIBUTES.get(name, ("", re.compile("")))
    if not kind or entry.get("Value.DataType") != kind or pattern.fullmatch(value) is None:
        raise RefusalError("ParameterValueInvalid", message=f"The message attribute '{name}' is invalid")
    return name, value


def _error(code: str, status: int, message: str) -> Response:
    side = "Sender" if status < 500 else "Receiver"
    said = f"<Error><Type>{side}</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    return _xml("ErrorResponse", f"{said}</Error>", status)


def _xml(name: str, inner: str, status: int) -> Response:
    ids = f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata>"
    return Response(f'<{name} xmlns="{_NAMESPACE}">{inner}{ids}</{name}>', status, content_type="text/xml")


def _fault(fault: Fault) -> Response:
    if "body" in fault.options:
        return plain_response(fault)
    response = _error(_FAULTS.get(fault.status, "InternalError"), fault.status, "fault armed in the sandbox")
    response.headers.update(fault.options.get("headers", {}))
    return response
