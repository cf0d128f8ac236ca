"""How does one SMS go out through Telnyx, and how do we ask what became of it?

Source: developers.telnyx.com/api-reference/messages. Telnyx has no idempotent send and no reference of ours; our
attempt id travels in the webhook URL of the message. An attempt whose id we never heard cannot be asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import telnyx_callbacks as callbacks
from connector.adapters.sms.json_requests import JSON, json_body
from connector.adapters.sms.reading import in_turn, json_object, mapping, shown, stripped, words
from connector.adapters.sms.telnyx_codes import ERRORS, NO_SUCH_NUMBER
from connector.domain.message import MessageState
from connector.errors import ConfigurationError, SendError, UnanswerableError
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
from connector.ports.number_lookup import LineType, LookupAnswer

API_URL = "https://api.telnyx.com"

_FAILED = frozenset({MessageState.FAILED, MessageState.UNDELIVERED, MessageState.EXPIRED})
_LINE_TYPES: Mapping[str, LineType] = {
    "mobile": LineType.MOBILE,
    "fixed line": LineType.LANDLINE,
    "voip": LineType.VOIP,
    "toll free": LineType.TOLL_FREE,
}
"""Of `carrier.type`; the rest (`fixed line or mobile`, `premium rate`, `pager`…) decides nothing."""

CAPABILITIES = Capabilities(
    vendor="Telnyx Messaging",
    page="https://developers.telnyx.com/api-reference/messages/send-a-message",
    most_characters=1530,  # ten parts of a long text; longer ones are refused as too large (40302)
    most_unicode=670,  # ten parts of 67
    reference="url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID}),
    price="answer, receipt, query",
    segments="answer, receipt, query",
    verified_by="Ed25519 over time and body",
    has_lookup=True,
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TelnyxGateway:
    """Telnyx Messaging and its number lookup; see `connector.ports.gateway`. Safe to call from many threads.

    Args of the constructor:
        api_key: authenticates our requests.
        public_keys: base64; callbacks may be signed with any.
        api_url: base URL, without a path.
        sender: number, short code or sender id for messages that name none.
        profile: messaging profile; needed with a sender id, and instead of `sender` it chooses from its pool.
        now: the time that callbacks' signatures are held against.

    Raises:
        ConfigurationError: no API key, an unreadable public key, or neither sender nor profile.
    """

    slug = "telnyx"
    capabilities = CAPABILITIES

    def __init__(
        self,
        api_key: str,
        public_keys: Sequence[str],
        api_url: str = API_URL,
        *,
        sender: str | None = None,
        profile: str | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if not api_key:
            raise ConfigurationError("TELNYX_API_KEY is empty; give an API key of the v2 API, such as KEY…")
        if not sender and not profile:
            raise ConfigurationError("set TELNYX_FROM=+12025550100 or TELNYX_MESSAGING_PROFILE_ID=…")
        self._keys = tuple(callbacks.public_key(key) for key in public_keys if key)
        self._sender, self._profile, self._now = sender, profile, now
        self._origin = httpx.URL(api_url)
        self._messages = self._origin.join("/v2/messages")
        self._clients = HTTPClients(api_url, {"Authorization": f"Bearer {api_key}"})

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `telnyx_codes`; a success nobody can
                read is ambiguous.
        """
        with self._clients.lend() as client, translate():
            answer = client.post(self._messages, content=json_body(self._request(sms)), headers=JSON)
        _raise_if_refused(answer)
        return _accepted(_report(answer, None), sms.sender or self._sender)

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask what became of a message by Telnyx's id. One that is gone was sent all the same: its fate is unknown.

        Raises:
            UnanswerableError: we never heard its id.
            SendError: Telnyx could not be asked.
        """
        message_id = query.provider_message_id
        if not message_id:
            raise UnanswerableError("Telnyx can be asked by its own message id only")
        answer = self._get(self._origin.join(f"/v2/messages/{quote(message_id, safe='')}"))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return StatusReport(message_id, MessageState.UNKNOWN, "not found", query.attempt_id)
        _raise_if_refused(answer)
        return _report(answer, query.attempt_id)

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask what kind of number a number is.

        Raises:
            SendError: Telnyx could not be asked.
        """
        path = self._origin.join(f"/v2/number_lookup/{quote(e164, safe='')}")
        answer = self._get(path.copy_merge_params({"type": "carrier"}))
        body = json_object(answer.content)
        if answer.is_client_error and callbacks.first_code(body) in NO_SUCH_NUMBER:
            return LookupAnswer(LineType.INVALID)
        _raise_if_refused(answer)
        data = mapping(body.get("data"))
        if not data:
            raise _unreadable(answer)
        return _looked_up(data)

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature and its time.

        Raises:
            SignatureError: not from Telnyx, or not from now.
        """
        callbacks.verify(request, self._keys, self._now())

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified status event."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound event."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _request(self, sms: OutgoingSMS) -> dict[str, Any]:
        sender = sms.sender or self._sender
        body: dict[str, Any] = {"from": sender} if sender else {}
        if self._profile:
            body["messaging_profile_id"] = self._profile
        return body | {"to": sms.to, "text": sms.body, "type": "SMS", "webhook_url": sms.status_url}

    def _get(self, url: httpx.URL) -> httpx.Response:
        with self._clients.lend() as client, translate():
            return client.get(url)


def _raise_if_refused(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    code = callbacks.first_code(json_object(answer.content))
    raise ERRORS.refusal(answer.status_code, code, retry_after(answer.headers))


def _report(answer: httpx.Response, attempt_id: str | None) -> StatusReport:
    """Read the message resource of a success."""
    report = callbacks.report(mapping(json_object(answer.content).get("data")), attempt_id)
    if report is None:
        raise _unreadable(answer)
    return report


def _unreadable(answer: httpx.Response) -> SendError:
    return ERRORS.unreadable(answer.status_code)


def _accepted(report: StatusReport, sender: str | None) -> Accepted:
    """Read the answer to a send; a message that failed at once is an error, whatever the HTTP status says."""
    if report.state in _FAILED:
        raise ERRORS.failure(report.error_code or report.raw_status)
    state = MessageState.ACCEPTED if report.state is MessageState.UNKNOWN else report.state
    return Accepted(
        report.provider_message_id,
        state,
        report.raw_status,
        sender=shown(sender),
        segments=report.segments,
        price=report.price,
        currency=report.currency,
    )


def _looked_up(data: Mapping[str, Any]) -> LookupAnswer:
    carrier = mapping(data.get("carrier"))
    return LookupAnswer(
        _LINE_TYPES.get(words(carrier.get("type")).lower(), LineType.UNKNOWN),
        country=words(data.get("country_code")) or None,
        carrier=words(carrier.get("name")) or None,
    )


def _build(values: Mapping[str, str]) -> TelnyxGateway:
    values = stripped(values)
    return TelnyxGateway(
        values["TELNYX_API_KEY"],
        in_turn(values["TELNYX_PUBLIC_KEYS"]),
        values["TELNYX_API_URL"],
        sender=values["TELNYX_FROM"] or None,
        profile=values["TELNYX_MESSAGING_PROFILE_ID"] or None,
    )


PLUGIN = GatewayPlugin(
    slug=TelnyxGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "TELNYX_API_KEY",
            "Key of Telnyx's v2 API; empty switches Telnyx off.",
            "KEY0123456789ABCDEF",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting(
            "TELNYX_PUBLIC_KEYS",
            "Public keys that Telnyx's webhooks are checked with, base64, comma-separated, newest first.",
            "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
            is_required=True,
        ),
        GatewaySetting("TELNYX_API_URL", "Telnyx's API.", API_URL, default=API_URL),
        GatewaySetting("TELNYX_FROM", "Sender number in E.164, short code or sender id.", "+12025550100"),
        GatewaySetting(
            "TELNYX_MESSAGING_PROFILE_ID",
            "Messaging profile that chooses the sender; needed beside TELNYX_FROM when that is a sender id.",
            "00000000-0000-0000-0000-000000000000",
        ),
    ),
    build=_build,
)
