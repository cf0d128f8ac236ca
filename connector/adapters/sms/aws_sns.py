"""How does one SMS go out through Amazon SNS, which sends and says nothing more?

Source: docs.aws.amazon.com/sns/latest/api (Publish) and its developer guide (publishing to a mobile phone). What became
of a text stands in CloudWatch's logs at the most: there is no receipt, no status query, no reference of ours and no
reply. AWS End User Messaging (`aws_sms.py`) has most of these; this is for accounts that have SNS only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms.aws_sns_codes import ERRORS, code_of, message_id_of
from connector.adapters.sms.reading import shown, stripped
from connector.adapters.sms.sigv4 import RequestSigner, endpoint
from connector.domain.message import MessageState, Purpose
from connector.errors import AmbiguousSendError, ConfigurationError, SignatureError, UnanswerableError
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

_SERVICE, _VERSION = "sns", "2010-03-31"
_RAW_STATUS = "published"  # ours: the answer to a send is an id and nothing else
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_PRICE = re.compile(r"\d{1,3}(\.\d{1,5})?", re.ASCII)
_NUMBER = re.compile(r"\+?\d{5,15}", re.ASCII)  # a long or short code; sender ids have at least one letter

CAPABILITIES = Capabilities(
    vendor="Amazon SNS text messaging",
    page="https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-phone-number-as-subscriber.html",
    most_characters=1600,
    most_unicode=1600,
    reference="",
    receipts="",
    has_incoming=False,
    asked_by=frozenset(),
    price="",
    segments="",
    verified_by="",
    has_dlt=True,
)


class AWSSNSGateway:
    """Amazon SNS text messaging, send-only; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    Args of the constructor:
        signer: signs requests to `sns`.
        api_url: base URL of SNS in a region, without a path.
        sender: number or sender id for messages that name none; without one AWS chooses.
        max_price: what one text may cost in US dollars, such as `0.10`; dearer ones are not sent, and nobody is told.

    Raises:
        ConfigurationError: a price nobody can read.
    """

    slug = "aws-sns"
    capabilities = CAPABILITIES

    def __init__(
        self, signer: RequestSigner, api_url: str, *, sender: str | None = None, max_price: str | None = None
    ) -> None:
        if max_price and not _PRICE.fullmatch(max_price):
            raise ConfigurationError("AWS_SNS_MAX_PRICE is US dollars such as 0.10")
        self._signer, self._url = signer, f"{api_url.rstrip('/')}/"
        self._sender, self._max_price = sender, max_price
        self._clients = HTTPClients(api_url)

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request. Nothing will be heard of it any more.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `aws_sns_codes`; a success nobody can read
                is ambiguous.
        """
        body = urlencode(self._form(sms), errors="replace").encode("ascii")  # half a surrogate pair is no reason to die
        headers = self._signer.signed(self._url, _HEADERS, body)
        with self._clients.lend() as client, translate():
            answer = client.post(self._url, content=body, headers=headers)
        said = answer.content.decode("utf-8", "replace")
        if not answer.is_success:
            raise ERRORS.refusal(answer.status_code, code_of(said), retry_after(answer.headers))
        message_id = message_id_of(said)
        if not message_id:
            raise AmbiguousSendError("Amazon SNS answered with a body nobody can read", code="unreadable_answer")
        return Accepted(message_id, MessageState.ACCEPTED, _RAW_STATUS, sender=shown(sms.sender or self._sender))

    def find(self, query: AttemptQuery) -> StatusReport | None:  # noqa: ARG002 - the port's shape
        """Say that SNS cannot be asked.

        Raises:
            UnanswerableError: always.
        """
        raise UnanswerableError("Amazon SNS cannot be asked about a text", code="no_status_query")

    def verify(self, request: CallbackRequest) -> None:  # noqa: ARG002 - the port's shape
        """Refuse: SNS tells nothing of a text.

        Raises:
            SignatureError: always.
        """
        raise SignatureError("Amazon SNS has no callbacks about texts")

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:  # noqa: ARG002 - the port's shape
        """Read nothing."""
        return ()

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:  # noqa: ARG002 - the port's shape
        """Read nothing."""
        return ()

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _form(self, sms: OutgoingSMS) -> Mapping[str, str]:
        form = {"Action": "Publish", "Version": _VERSION, "PhoneNumber": sms.to, "Message": sms.body}
        for number, (name, (kind, value)) in enumerate(self._attributes(sms).items(), start=1):
            entry = f"MessageAttributes.entry.{number}"
            form |= {f"{entry}.Name": name, f"{entry}.Value.DataType": kind, f"{entry}.Value.StringValue": value}
        return form

    def _attributes(self, sms: OutgoingSMS) -> Mapping[str, tuple[str, str]]:
        """Give data type and value of each message attribute by its name."""
        is_promotion = sms.purpose is Purpose.MARKETING
        found = {"AWS.SNS.SMS.SMSType": ("String", "Promotional" if is_promotion else "Transactional")}
        if sender := sms.sender or self._sender:
            is_number = _NUMBER.fullmatch(sender) is not None
            found["AWS.MM.SMS.OriginationNumber" if is_number else "AWS.SNS.SMS.SenderID"] = ("String", sender)
        if self._max_price:
            found["AWS.SNS.SMS.MaxPrice"] = ("Number", self._max_price)
        if sms.dlt is not None:
            found["AWS.MM.SMS.EntityId"] = ("String", sms.dlt.entity_id)
            found["AWS.MM.SMS.TemplateId"] = ("String", sms.dlt.template_id)
        return found


def _build(values: Mapping[str, str]) -> AWSSNSGateway:
    values = stripped(values)
    region = values["AWS_SNS_REGION"]
    keys = (values[f"AWS_SNS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
    return AWSSNSGateway(
        RequestSigner(_SERVICE, region, *keys),
        values["AWS_SNS_API_URL"] or endpoint(_SERVICE, region),
        sender=values["AWS_SNS_FROM"] or None,
        max_price=values["AWS_SNS_MAX_PRICE"] or None,
    )


PLUGIN = GatewayPlugin(
    slug=AWSSNSGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting("AWS_SNS_REGION", "Region of Amazon SNS; empty switches it off.", "us-east-1", is_required=True),
        GatewaySetting(
            "AWS_SNS_ACCESS_KEY_ID",
            "Id of the access key; when empty, credentials are looked for where AWS's own tools look.",
            "AKIAIOSFODNN7EXAMPLE",
        ),
        GatewaySetting(
            "AWS_SNS_SECRET_ACCESS_KEY", "Secret of the access key.", "the-secret-access-key", is_secret=True
        ),
        GatewaySetting(
            "AWS_SNS_SESSION_TOKEN",
            "Session token that belongs to a temporary access key.",
            "the-session-token",
            is_secret=True,
        ),
        GatewaySetting("AWS_SNS_FROM", "Number or sender id to send from; when empty, AWS chooses.", "ACME"),
        GatewaySetting("AWS_SNS_MAX_PRICE", "Most that one text may cost, in US dollars.", "0.10"),
        GatewaySetting(
            "AWS_SNS_API_URL",
            "Base URL of the API; when empty, that of the region.",
            "https://sns-fips.us-east-1.amazonaws.com",
        ),
    ),
    build=_build,
)
