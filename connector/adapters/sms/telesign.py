"""How does one SMS go out through Telesign, and how do we ask what became of it?

Sources: developer.telesign.com/enterprise/reference (SMS, Phone ID, status). Requests carry Basic authentication
rather than Telesign's own signature: TLS already protects them, and a signature would add a clock that may be off and a
nonce that is refused when it comes twice. Telesign has no idempotent send; our attempt id travels as `external_id` and
in the callback URL.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import telesign_callbacks as callbacks
from connector.adapters.sms.reading import digits, in_turn, json_object, mapping, sequence, stripped, words
from connector.adapters.sms.telesign_codes import ERRORS, INVALID_NUMBERS, UNKNOWN_REFERENCES, state_of
from connector.domain.message import MessageState, Purpose
from connector.errors import AmbiguousSendError, ConfigurationError, SendError, UnanswerableError
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

API_URL = "https://rest-ww.telesign.com"

_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_JSON = {"Content-Type": "application/json"}

_MESSAGE_TYPES: Mapping[Purpose, str] = {
    Purpose.OTP: "OTP",
    Purpose.TRANSACTIONAL: "ARN",  # alerts, reminders, notifications
    Purpose.MARKETING: "MKT",
}

_TAKEN = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED})
_BAD_ENDS = frozenset({MessageState.FAILED, MessageState.UNDELIVERED, MessageState.EXPIRED})

_LINE_TYPES: Mapping[str, LineType] = {
    "1": LineType.LANDLINE,
    "2": LineType.MOBILE,
    "3": LineType.MOBILE,  # prepaid
    "4": LineType.TOLL_FREE,
    "5": LineType.VOIP,
    "8": LineType.INVALID,
}
"""Phone type codes; pagers, payphones, voice mail and the like are unknown to us."""

CAPABILITIES = Capabilities(
    vendor="Telesign SMS",
    page="https://developer.telesign.com/enterprise/reference/sendsms",
    most_characters=1600,
    most_unicode=1600,
    reference="field and url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID}),
    price="",
    segments="",
    verified_by="HMAC-SHA256 of the body",
    has_lookup=True,
    has_dlt=True,
)


class TelesignGateway:
    """Telesign SMS; see `connector.ports.gateway.SMSGateway`, and `NumberLookup`. Safe to call from many threads.

    Args of the constructor:
        customer_id: the account.
        api_keys: base64 as the portal shows them, newest first. The first authenticates our requests; callbacks may
            be signed with any.
        api_url: base URL, without a path.
        sender: number or sender id for texts that name none; None lets Telesign choose.

    Raises:
        ConfigurationError: no key, or one that is not base64.
    """

    slug = "telesign"
    capabilities = CAPABILITIES

    def __init__(
        self, customer_id: str, api_keys: Sequence[str], api_url: str = API_URL, *, sender: str | None = None
    ) -> None:
        if not any(api_keys):
            raise ConfigurationError("TELESIGN_API_KEYS is empty; give the account's API key")
        self._customer_id = customer_id
        self._signing_keys = tuple(_decoded(key) for key in api_keys if key)
        self._sender = sender
        origin = httpx.URL(api_url)
        self._messaging = origin.join("/v1/messaging")
        self._phoneid = origin.join("/v1/phoneid/")
        newest = next(filter(None, api_keys))
        credentials = base64.b64encode(f"{customer_id}:{newest}".encode()).decode()
        self._clients = HTTPClients(api_url, {"Authorization": f"Basic {credentials}"})

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request. The status code inside decides, not the HTTP status.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `telesign_codes`; a success nobody can
                read is ambiguous.
        """
        form = urlencode(self._form(sms), errors="replace").encode("ascii")  # half a surrogate pair is no reason to die
        with self._clients.lend() as client, translate():
            answer = client.post(self._messaging, content=form, headers=_FORM)
        return _accepted(answer)

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask what became of an attempt by Telesign's id; it cannot be asked by anything else.

        Raises:
            UnanswerableError: we never learnt the id.
            SendError: Telesign could not be asked.
        """
        if not query.provider_message_id:
            raise UnanswerableError("Telesign can only be asked by its own reference id", code="no_reference_id")
        reference_id = query.provider_message_id
        with self._clients.lend() as client, translate():
            answer = client.get(self._messaging.join(f"/v1/messaging/{quote(reference_id, safe='')}"))
        if answer.status_code == httpx.codes.NOT_FOUND or _error_code(answer) in UNKNOWN_REFERENCES:
            # it was sent all the same: its fate is unknown, not undone
            return StatusReport(reference_id, MessageState.UNKNOWN, "not found", query.attempt_id)
        if not answer.is_success:
            raise _refusal(answer)
        report = callbacks.report_of(json_object(answer.content), query.attempt_id)
        if report is None:
            raise _unreadable(answer)
        return report

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask Phone ID what kind of number this is; exactly one HTTP request.

        Raises:
            SendError: it could not be asked.
        """
        with self._clients.lend() as client, translate():
            answer = client.post(self._phoneid.join(quote(digits(e164), safe="")), content=b"{}", headers=_JSON)
        if _error_code(answer) in INVALID_NUMBERS:
            return LookupAnswer(LineType.INVALID)
        if not answer.is_success:
            raise _refusal(answer)
        return _looked_up(answer)

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature.

        Raises:
            SignatureError: not from Telesign.
        """
        callbacks.verify(request, self._customer_id, self._signing_keys)

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified status callback."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound callback."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _form(self, sms: OutgoingSMS) -> dict[str, str]:
        form = {
            "phone_number": digits(sms.to),
            "message": sms.body,
            "message_type": _MESSAGE_TYPES[sms.purpose],
            "external_id": sms.attempt_id,
            "callback_url": sms.status_url,
        }
        if sender := sms.sender or self._sender:
            form["sender_id"] = digits(sender)
        if sms.dlt is not None:
            form |= {"dlt_entity_id": sms.dlt.entity_id, "dlt_template_id": sms.dlt.template_id}
        return form


def _decoded(api_key: str) -> bytes:
    try:
        return base64.b64decode(api_key, validate=True)
    except binascii.Error:
        raise ConfigurationError("TELESIGN_API_KEYS has a key that is not base64; copy it whole") from None


def _accepted(answer: httpx.Response) -> Accepted:
    """Read the answer to a send: an error inside decides, then the status code, then whether there is an id."""
    body = json_object(answer.content)
    code = _status_code(answer)
    state = state_of(code)
    if _error_code(answer) or state in _BAD_ENDS or not (answer.is_success or state in _TAKEN):
        raise _refusal(answer)
    reference_id = words(body.get("reference_id"))
    if not code or not reference_id:
        raise _unreadable(answer)
    return Accepted(reference_id, state if state in _TAKEN else MessageState.ACCEPTED, code)


def _refusal(answer: httpx.Response) -> SendError:
    """Give the error for an answer that says no: in Telesign's own words where it has any that we know."""
    code = _error_code(answer) or _status_code(answer)
    wait = retry_after(answer.headers)
    if answer.is_success or code in ERRORS.classes:
        return ERRORS.failure(code, wait)
    return ERRORS.refusal(answer.status_code, code, wait)


def _status_code(answer: httpx.Response) -> str:
    """Give the status code; that of a broken server only where it knows the message it speaks of."""
    body = json_object(answer.content)
    is_trusted = not answer.is_server_error or words(body.get("reference_id"))
    return words(mapping(body.get("status")).get("code")) if is_trusted else ""


def _error_code(answer: httpx.Response) -> str:
    """Give the code of the first of the answer's errors, empty when it has none."""
    errors = sequence(json_object(answer.content).get("errors"))
    return words(mapping(errors[0]).get("code")) if errors else ""


def _unreadable(answer: httpx.Response) -> AmbiguousSendError:
    return ERRORS.unreadable(answer.status_code)


def _looked_up(answer: httpx.Response) -> LookupAnswer:
    body: Mapping[str, Any] = json_object(answer.content)
    if "phone_type" not in body:
        raise _unreadable(answer)
    return LookupAnswer(
        line_type=_LINE_TYPES.get(words(mapping(body["phone_type"]).get("code")), LineType.UNKNOWN),
        country=words(mapping(mapping(body.get("location")).get("country")).get("iso2")) or None,
        carrier=words(mapping(body.get("carrier")).get("name")) or None,
    )


def _build(values: Mapping[str, str]) -> TelesignGateway:
    values = stripped(values)
    return TelesignGateway(
        values["TELESIGN_CUSTOMER_ID"],
        in_turn(values["TELESIGN_API_KEYS"]),
        values["TELESIGN_API_URL"],
        sender=values["TELESIGN_FROM"] or None,
    )


PLUGIN = GatewayPlugin(
    slug=TelesignGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "TELESIGN_CUSTOMER_ID",
            "Customer id of the Telesign account; empty switches Telesign off.",
            "FFFFFFFF-EEEE-DDDD-1234-AB1234567890",
            is_required=True,
        ),
        GatewaySetting(
            "TELESIGN_API_KEYS",
            "API keys of the Telesign account, comma-separated, newest first.",
            "dGhlIGtleSBmcm9tIHRoZSBwb3J0YWw=",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting(
            "TELESIGN_API_URL",
            "Telesign's API; https://rest-api.telesign.com for self-service accounts.",
            API_URL,
            default=API_URL,
        ),
        GatewaySetting(
            "TELESIGN_FROM", "Sender id for texts that name none; empty lets Telesign choose.", "12025550100"
        ),
    ),
    build=_build,
)
