"""How does one SMS go out through Vonage's Messages API, and how do we ask what became of it?

Sources: developer.vonage.com/api/messages, developer.vonage.com/api/reports. Here a long SMS has one id, our reference
may be of up to 100 characters, and callbacks are signed without asking for it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import vonage_messages_callbacks as callbacks
from connector.adapters.sms.json_requests import JSON, json_body
from connector.adapters.sms.reading import digits, in_turn, json_object, money, shown, stripped, words
from connector.adapters.sms.vonage_messages_codes import ERRORS, code_of, state_of
from connector.adapters.sms.vonage_reports import Record, VonageReports, message_id_of
from connector.domain.message import MessageState
from connector.errors import ConfigurationError
from connector.ports.gateway import (
    Accepted,
    AttemptQuery,
    CallbackRequest,
    Capabilities,
    Handle,
    IncomingSMS,
    OutgoingSMS,
    StatusReport,
)
from connector.ports.gateway_plugin import GatewayPlugin, GatewaySetting

API_URL = "https://api.nexmo.com"

_VALIDITY = (timedelta(seconds=20), timedelta(days=7))  # `ttl`, in seconds: 20 to 604,800
_TAKEN = "accepted"  # our word: the answer to a send has none beside HTTP's 202

CAPABILITIES = Capabilities(
    vendor="Vonage Messages API",
    page="https://developer.vonage.com/en/api/messages",
    most_characters=1000,
    most_unicode=1000,
    reference="field and url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID, Handle.REFERENCE}),
    price="receipt, query",
    segments="receipt",
    verified_by="JWT (HS256) over the body's hash",
    validity=_VALIDITY,
    has_dlt=True,
)


class VonageMessagesGateway:
    """Vonage's Messages API, for SMS; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    Args of the constructor:
        api_key, api_secret: the account.
        sender: number or sender id for messages that name none.
        signature_secrets: newest first; callbacks may be signed with any.
        api_url: base URL, without a path; Vonage has regional ones.
        clock: the time, aware.

    Raises:
        ConfigurationError: no signature secret.
    """

    slug = "vonage-messages"
    capabilities = CAPABILITIES

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        sender: str,
        signature_secrets: Sequence[str],
        *,
        api_url: str = API_URL,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not any(signature_secrets):
            raise ConfigurationError("VONAGE_MESSAGES_SIGNATURE_SECRETS is empty; give the account's signature secret")
        self._api_key, self._sender, self._clock = api_key, sender, clock
        self._secrets = tuple(filter(None, signature_secrets))
        self._url = httpx.URL(api_url).join("/v1/messages")
        credentials = base64.b64encode(f"{api_key}:{api_secret}".encode()).decode()
        self._clients = HTTPClients(api_url, {"Authorization": f"Basic {credentials}"})
        self._reports = VonageReports(self._clients, api_url, api_key, "MESSAGES", clock)

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `vonage_messages_codes`; a success nobody
                can read is ambiguous.
        """
        body = json_body(self._message(sms))
        with self._clients.lend() as client, translate():
            answer = client.post(self._url, content=body, headers=JSON)
        said = json_object(answer.content)
        if not answer.is_success:
            code = code_of(words(said.get("type")), words(said.get("title")))
            raise ERRORS.refusal(answer.status_code, code, retry_after(answer.headers))
        message_id = words(said.get("message_uuid"))
        if not message_id:
            raise ERRORS.unreadable(answer.status_code)
        return Accepted(message_id, MessageState.ACCEPTED, _TAKEN, sender=shown(sms.sender or self._sender))

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask Vonage's records, by its id, else for our reference among what was received at that time.

        A record that is gone, or not there yet, is of a text that was taken all the same: its fate is unknown.

        Raises:
            SendError: Vonage could not be asked, or it is too early to believe that there is nothing.
        """
        if query.provider_message_id:
            record = self._reports.by_id(query.provider_message_id)
            if record is None:
                return StatusReport(query.provider_message_id, MessageState.UNKNOWN, "not found", query.attempt_id)
            return _report(record, query.attempt_id)
        records = self._reports.by_reference(query)
        return _report(records[0], query.attempt_id) if records else None

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's token.

        Raises:
            UnsignedCallbackError: it has none, as may happen; a repetition will have one.
            SignatureError: not from Vonage.
        """
        callbacks.verify(request, self._secrets, self._api_key, self._clock())

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified status callback."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound SMS."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _message(self, sms: OutgoingSMS) -> dict[str, Any]:
        message: dict[str, Any] = {
            "channel": "sms",
            "message_type": "text",
            "to": digits(sms.to),
            "from": digits(sms.sender or self._sender),
            "text": sms.body,
            "client_ref": sms.attempt_id,
            "webhook_url": sms.status_url,
            "webhook_version": "v1",
        }
        if sms.valid_for is not None:
            shortest, longest = _VALIDITY
            message["ttl"] = min(max(sms.valid_for, shortest), longest) // timedelta(seconds=1)
        options = {"encoding_type": "unicode" if sms.is_unicode else "auto"}
        if sms.dlt is not None:
            options |= {"entity_id": sms.dlt.entity_id, "content_id": sms.dlt.template_id}
        return {**message, "sms": options}


def _report(record: Record, attempt_id: str) -> StatusReport:
    status, code = words(record.get("status")), words(record.get("error_code"))
    error_code = code if code.strip("0") else None
    price = money(words(record.get("total_price")))
    return StatusReport(
        provider_message_id=message_id_of(record),
        state=state_of(status, error_code),
        raw_status=status,
        attempt_id=attempt_id,
        error_code=error_code,
        error_class=ERRORS.class_of(error_code),
        price=price,
        currency=(words(record.get("currency")) or None) if price is not None else None,
    )


def _build(values: Mapping[str, str]) -> VonageMessagesGateway:
    values = stripped(values)
    return VonageMessagesGateway(
        values["VONAGE_MESSAGES_API_KEY"],
        values["VONAGE_MESSAGES_API_SECRET"],
        values["VONAGE_MESSAGES_FROM"],
        in_turn(values["VONAGE_MESSAGES_SIGNATURE_SECRETS"]),
        api_url=values["VONAGE_MESSAGES_API_URL"],
    )


PLUGIN = GatewayPlugin(
    slug=VonageMessagesGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "VONAGE_MESSAGES_API_KEY",
            "API key of the Vonage account; empty switches it off.",
            "abcd1234",
            is_required=True,
        ),
        GatewaySetting(
            "VONAGE_MESSAGES_API_SECRET",
            "API secret of the account.",
            "Ab1cD2eF3gH4iJ5k",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting(
            "VONAGE_MESSAGES_FROM", "Sender number in E.164, or a sender id.", "+447700900100", is_required=True
        ),
        GatewaySetting(
            "VONAGE_MESSAGES_SIGNATURE_SECRETS",
            "Signature secrets of the account, comma-separated, newest first.",
            "the-signature-secret",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting("VONAGE_MESSAGES_API_URL", "Vonage's API.", API_URL, default=API_URL),
    ),
    build=_build,
)
