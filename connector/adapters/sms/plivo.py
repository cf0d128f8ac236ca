"""How does one SMS go out through Plivo, and how do we ask what became of it?

Source: plivo.com/docs/messaging/api/messages. Plivo has no idempotent send and no reference of ours; our attempt id
travels in the callback URL. It keeps no text beside its records, so an attempt whose id we never heard cannot be
asked about.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import plivo_callbacks as callbacks
from connector.adapters.sms.json_requests import JSON, json_body
from connector.adapters.sms.plivo_codes import ERRORS, INVALID_NUMBER, NO_CREDIT
from connector.adapters.sms.reading import digits, in_turn, json_object, mapping, sequence, shown, stripped, words
from connector.domain.message import MessageState, Purpose
from connector.errors import AmbiguousSendError, ConfigurationError, UnanswerableError
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

API_URL = "https://api.plivo.com"
LOOKUP_URL = "https://lookup.plivo.com"

_EXPIRY_SECONDS = (5, 10_800)  # what `message_expiry` takes: three hours are its longest and its default
_QUEUED = "queued"  # every message's first state; the answer to a send does not name it

_DLT_CATEGORIES: Mapping[Purpose, str] = {
    Purpose.OTP: "service_implicit",  # `transactional` is for the codes of banks alone (TRAI)
    Purpose.TRANSACTIONAL: "service_implicit",
    Purpose.MARKETING: "promotional",
}
_LINE_TYPES: Mapping[str, LineType] = {
    "mobile": LineType.MOBILE,
    "fixed": LineType.LANDLINE,
    "landline": LineType.LANDLINE,
    "voip": LineType.VOIP,
    "toll_free": LineType.TOLL_FREE,
    "tollfree": LineType.TOLL_FREE,
}

CAPABILITIES = Capabilities(
    vendor="Plivo Messaging",
    page="https://www.plivo.com/docs/messaging/api/messages/",
    most_characters=1600,
    most_unicode=737,  # eleven parts of 67
    reference="url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID}),
    price="receipt, query",
    segments="receipt, query",
    verified_by="HMAC-SHA256 of URL, form and nonce",
    validity=(timedelta(seconds=_EXPIRY_SECONDS[0]), timedelta(seconds=_EXPIRY_SECONDS[1])),
    has_lookup=True,
    has_dlt=True,
)


class PlivoGateway:
    """Plivo Messaging and its number lookup; see `connector.ports.gateway`. Safe to call from many threads.

    Args of the constructor:
        auth_id: the account, part of every path.
        auth_tokens: newest first. The first authenticates our requests; callbacks may be signed with any.
        api_url, lookup_url: base URLs, without a path.
        sender: number, short code or sender id for messages that name none.
        powerpack: instead of `sender`: lets Plivo choose from a pool; goes before `sender`.

    Raises:
        ConfigurationError: no token, or neither sender nor powerpack.
    """

    slug = "plivo"
    capabilities = CAPABILITIES

    def __init__(
        self,
        auth_id: str,
        auth_tokens: Sequence[str],
        api_url: str = API_URL,
        lookup_url: str = LOOKUP_URL,
        *,
        sender: str | None = None,
        powerpack: str | None = None,
    ) -> None:
        if not any(auth_tokens):
            raise ConfigurationError("PLIVO_AUTH_TOKENS is empty; give the account's auth token")
        if not sender and not powerpack:
            raise ConfigurationError("set PLIVO_FROM=+12025550100 or PLIVO_POWERPACK_UUID=…")
        self._auth_tokens = tuple(filter(None, auth_tokens))
        self._default_sender = {"powerpack_uuid": powerpack} if powerpack else {"src": digits(sender or "")}
        self._messages = httpx.URL(api_url).join(f"/v1/Account/{quote(auth_id, safe='')}/Message/")
        self._numbers = httpx.URL(lookup_url).join("/v1/Number/")
        credentials = base64.b64encode(f"{auth_id}:{self._auth_tokens[0]}".encode()).decode()
        self._clients = HTTPClients(api_url, {"Authorization": f"Basic {credentials}"})

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request. Its answer has neither state nor price.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `plivo_codes`; a success nobody can
                read is ambiguous.
        """
        with self._clients.lend() as client, translate():
            answer = client.post(self._messages, content=json_body(self._request(sms)), headers=JSON)
        _raise_if_refused(answer)
        return Accepted(_uuid(answer), MessageState.ACCEPTED, _QUEUED, sender=shown(sms.sender))

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask what became of a message by Plivo's id. One that is gone was sent all the same: its fate is unknown.

        Raises:
            UnanswerableError: we never heard its id.
            SendError: Plivo could not be asked.
        """
        uuid = query.provider_message_id
        if not uuid:
            raise UnanswerableError("Plivo can be asked by its own message id only")
        answer = self._get(self._messages.join(f"{quote(uuid, safe='')}/"))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return StatusReport(uuid, MessageState.UNKNOWN, "not found", query.attempt_id)
        _raise_if_refused(answer)
        return _report(uuid, json_object(answer.content), query.attempt_id)

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask what kind of number a number is.

        Raises:
            SendError: Plivo could not be asked.
        """
        answer = self._get(self._numbers.join(quote(digits(e164), safe="")).copy_merge_params({"type": "carrier"}))
        body = json_object(answer.content)
        if answer.status_code == httpx.codes.NOT_FOUND and "error_code" in body:
            return LookupAnswer(LineType.INVALID)
        _raise_if_refused(answer)
        if not mapping(body.get("carrier")):
            raise AmbiguousSendError("Plivo's lookup answered with a body nobody can read", code="unreadable_answer")
        return _looked_up(body)

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature.

        Raises:
            SignatureError: not from Plivo.
        """
        callbacks.verify(request, self._auth_tokens)

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified status callback."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound callback."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _request(self, sms: OutgoingSMS) -> dict[str, Any]:
        source = {"src": digits(sms.sender)} if sms.sender else self._default_sender
        body: dict[str, Any] = {**source, "dst": digits(sms.to), "text": sms.body, "type": "sms"}
        body |= {"url": sms.status_url, "method": "POST"}
        if sms.valid_for is not None:
            shortest, longest = _EXPIRY_SECONDS
            body["message_expiry"] = min(max(int(sms.valid_for.total_seconds()), shortest), longest)
        if sms.dlt is not None:
            body |= {"dlt_entity_id": sms.dlt.entity_id, "dlt_template_id": sms.dlt.template_id}
            body["dlt_template_category"] = _DLT_CATEGORIES[sms.purpose]
        return body

    def _get(self, url: httpx.URL) -> httpx.Response:
        with self._clients.lend() as client, translate():
            return client.get(url)


def _raise_if_refused(answer: httpx.Response) -> None:
    """Raise what an answer other than a success means; Plivo says in a sentence, not in a code, what it is."""
    if answer.is_success:
        return
    said = words(json_object(answer.content).get("error")).lower()
    is_broke = answer.status_code == httpx.codes.PAYMENT_REQUIRED or "insufficient credit" in said
    code = NO_CREDIT if is_broke and answer.is_client_error else ""
    raise ERRORS.refusal(answer.status_code, code, retry_after(answer.headers))


def _uuid(answer: httpx.Response) -> str:
    """Read the message id of a success; a recipient that is listed as invalid was not taken."""
    body = json_object(answer.content)
    uuid = next((words(each) for each in sequence(body.get("message_uuid"))), "")
    if uuid:
        return uuid
    if sequence(body.get("invalid_number")):
        raise ERRORS.failure(INVALID_NUMBER)
    raise ERRORS.unreadable(answer.status_code)


def _report(uuid: str, body: Mapping[str, Any], attempt_id: str) -> StatusReport:
    status = words(body.get("message_state"))
    if not status:
        raise AmbiguousSendError("Plivo answered about a message without its state", code="unreadable_answer")
    return callbacks.report(
        uuid,
        status,
        attempt_id,
        code=words(body.get("error_code")),
        units=body.get("units"),
        amount=body.get("total_amount"),
    )


def _looked_up(body: Mapping[str, Any]) -> LookupAnswer:
    carrier = mapping(body.get("carrier"))
    return LookupAnswer(
        _LINE_TYPES.get(words(carrier.get("type")).lower(), LineType.UNKNOWN),
        country=words(mapping(body.get("country")).get("iso2")) or None,
        carrier=words(carrier.get("name")) or None,
    )


def _build(values: Mapping[str, str]) -> PlivoGateway:
    values = stripped(values)
    return PlivoGateway(
        values["PLIVO_AUTH_ID"],
        in_turn(values["PLIVO_AUTH_TOKENS"]),
        values["PLIVO_API_URL"],
        values["PLIVO_LOOKUP_URL"],
        sender=values["PLIVO_FROM"] or None,
        powerpack=values["PLIVO_POWERPACK_UUID"] or None,
    )


PLUGIN = GatewayPlugin(
    slug=PlivoGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "PLIVO_AUTH_ID", "Auth ID of the Plivo account; empty switches Plivo off.", "MA…", is_required=True
        ),
        GatewaySetting(
            "PLIVO_AUTH_TOKENS",
            "Auth tokens of the Plivo account, comma-separated, newest first.",
            "0123456789abcdef0123456789abcdef01234567",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting("PLIVO_API_URL", "Plivo's API.", API_URL, default=API_URL),
        GatewaySetting("PLIVO_LOOKUP_URL", "Plivo's number lookup.", LOOKUP_URL, default=LOOKUP_URL),
        GatewaySetting("PLIVO_FROM", "Sender number in E.164 or sender id, unless a powerpack is set.", "+12025550100"),
        GatewaySetting(
            "PLIVO_POWERPACK_UUID",
            "Powerpack that chooses the sender.",
            "00000000-0000-0000-0000-000000000000",
        ),
    ),
    build=_build,
)
