"""How does one SMS go out through SMS Gateway Hub, and how do we ask what became of it?

Source: smsgatewayhub.com/free-sms-gateway-developer-api. Public integrations send in one of two shapes, a flat query or
nested JSON, and disagree on which path wants which; so both are here, and settings choose. The vendor has no
idempotent send and no reference of ours.

The API key is part of the address of everything but a JSON send: addresses are made for one request and never kept,
logged or quoted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import smsgatewayhub_callbacks as callbacks
from connector.adapters.sms.callback_key import check_key
from connector.adapters.sms.json_requests import JSON, json_body
from connector.adapters.sms.reading import digits, in_turn, json_object, mapping, sequence, shown, stripped, words
from connector.adapters.sms.smsgatewayhub_codes import ERRORS, code_of, state_of
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

API_URL = "https://www.smsgatewayhub.com"
JSON_PATH = "/api/mt/SendSms"
QUERY, NESTED = "query", "json"

_QUERY_PATH = "/api/mt/SendSMS"
_DELIVERY_PATH = "/api/mt/GetDelivery"
_TAKEN = "000"
_IN_QUEUE = "Message in queue"  # what a job is called before it has a report
_INDIA = "+91"
_ABROAD = "INT"  # the channel for every other country
_CHANNELS: Mapping[Purpose, str] = {Purpose.OTP: "OTP", Purpose.TRANSACTIONAL: "2", Purpose.MARKETING: "1"}
_GSM, _UNICODE = "0", "8"  # data coding schemes of GSM 03.38
_BETWEEN = ":"

CAPABILITIES = Capabilities(
    vendor="SMS Gateway Hub",
    page="https://www.smsgatewayhub.com/free-sms-gateway-developer-api",
    most_characters=1530,  # ten parts of a long text; the vendor names no limit, carriers in India grant about that
    most_unicode=670,  # ten parts of 67
    reference="",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID}),
    price="",
    segments="",
    verified_by="a key in the address",
    has_dlt=True,
)


class SMSGatewayHubGateway:
    """SMS Gateway Hub, India; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    A message is known here as `job:message`, since the vendor is asked by the job and answers by the message. Pushes
    name the message alone, so that is also given as the one part id: the id under which receipts come.

    Args of the constructor:
        api_key: authenticates every request.
        sender: registered sender id (header) for messages that name none.
        callback_keys: of which one must stand in the address of every push; none refuses all of them.
        api_url: base URL, without a path.
        request: `query` (all in the address, POST without a body) or `json` (nested, POST to `json_path`).
        route: of the account's routes, empty for the one that its channel implies; goes with `query` only.

    Raises:
        ConfigurationError: no key, no sender, or a request shape that there is not.
    """

    slug = "smsgatewayhub"
    capabilities = CAPABILITIES

    def __init__(
        self,
        api_key: str,
        sender: str,
        callback_keys: Sequence[str] = (),
        api_url: str = API_URL,
        *,
        request: str = QUERY,
        json_path: str = JSON_PATH,
        route: str = "",
    ) -> None:
        if not api_key or not sender:
            raise ConfigurationError("set SMSGATEWAYHUB_API_KEY, and SMSGATEWAYHUB_FROM=ABCDEF (the registered header)")
        if request not in {QUERY, NESTED}:
            raise ConfigurationError("SMSGATEWAYHUB_REQUEST is query or json")
        self._key, self._sender, self._route = api_key, sender, route
        self._callback_keys = tuple(filter(None, callback_keys))
        self._origin, self._json_path = httpx.URL(api_url), json_path
        self._is_json = request == NESTED
        self._clients = HTTPClients(api_url)

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `smsgatewayhub_codes`, which decides
                within HTTP 200 as well; a success nobody can read is ambiguous.
        """
        answer = self._post(sms) if self._is_json else self._ask("POST", _QUERY_PATH, self._query(sms))
        body = _taken(answer)
        job = words(body.get("JobId"))
        message = next((words(mapping(each).get("MessageId")) for each in sequence(body.get("MessageData"))), "")
        if not job:
            raise _unreadable(answer)
        part_ids = (message,) if message else ()
        sender = shown(sms.sender or self._sender)
        return Accepted(f"{job}{_BETWEEN}{message}", MessageState.ACCEPTED, _IN_QUEUE, sender=sender, part_ids=part_ids)

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask what became of a message by its job. One without a report was taken all the same: its fate is unknown.

        Raises:
            UnanswerableError: we never heard its job.
            SendError: the gateway could not be asked.
        """
        job, _, message = (query.provider_message_id or "").partition(_BETWEEN)
        if not job:
            raise UnanswerableError("SMS Gateway Hub can be asked by its own job id only")
        body = _reports(self._ask("GET", _DELIVERY_PATH, {"APIKey": self._key, "jobid": job}))
        reports = [mapping(each) for each in sequence(body.get("DeliveryReports"))]
        about = [each for each in reports if not message or words(each.get("MessageId")) == message]
        status = words(about[0].get("DeliveryStatus")) if about else ""
        theirs = query.provider_message_id or ""
        if not status:
            return StatusReport(theirs, MessageState.UNKNOWN, "no report", query.attempt_id)
        return StatusReport(theirs, state_of(status), status, query.attempt_id)

    def verify(self, request: CallbackRequest) -> None:
        """Check the key in a push's address.

        Raises:
            SignatureError: not from them, or no key is configured.
        """
        check_key(request, self._callback_keys)

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified push that is a receipt."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified push that is a text somebody wrote."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _query(self, sms: OutgoingSMS) -> dict[str, str]:
        fields = {"APIKey": self._key, "senderid": sms.sender or self._sender, "channel": _channel(sms)}
        fields |= {"DCS": _coding(sms), "flashsms": "0", "number": digits(sms.to), "text": _whole(sms.body)}
        if self._route:
            fields["route"] = self._route
        if sms.dlt is not None:
            fields |= {"EntityId": sms.dlt.entity_id, "dlttemplateid": sms.dlt.template_id}
        return fields

    def _nested(self, sms: OutgoingSMS) -> dict[str, Any]:
        account = {"APIkey": self._key, "SenderId": sms.sender or self._sender, "Channel": _channel(sms)}
        account["DCS"] = _coding(sms)
        message = {"Number": digits(sms.to), "Text": sms.body}
        if sms.dlt is not None:
            account["EntityId"] = sms.dlt.entity_id
            message["DLTTemplateId"] = sms.dlt.template_id
        return {"Account": account, "Messages": [message]}

    def _post(self, sms: OutgoingSMS) -> httpx.Response:
        url = self._origin.join(self._json_path)
        with self._clients.lend() as client, translate():
            return client.post(url, content=json_body(self._nested(sms)), headers=JSON)

    def _ask(self, method: str, path: str, fields: Mapping[str, str]) -> httpx.Response:
        """Ask with everything in the address; a GET may be repeated by whatever stands between, a send may not."""
        with self._clients.lend() as client, translate():
            return client.request(method, self._origin.join(path), params=fields)


def _channel(sms: OutgoingSMS) -> str:
    return _CHANNELS[sms.purpose] if sms.to.startswith(_INDIA) else _ABROAD


def _coding(sms: OutgoingSMS) -> str:
    return _UNICODE if sms.is_unicode else _GSM


def _whole(text: str) -> str:
    """Give a text that can be written as UTF-8; half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _reports(answer: httpx.Response) -> Mapping[str, Any]:
    """Read the answer about a job: with a code, or the bare list of reports."""
    body = json_object(answer.content)
    is_bare = answer.is_success and "ErrorCode" not in body and isinstance(body.get("DeliveryReports"), list)
    return body if is_bare else _taken(answer)


def _taken(answer: httpx.Response) -> Mapping[str, Any]:
    """Read the body of an answer whose code says yes, whatever its HTTP status promises."""
    body = json_object(answer.content)
    code = code_of(words(body.get("ErrorCode")))
    if not answer.is_success:
        raise ERRORS.refusal(answer.status_code, "" if code == _TAKEN else code, retry_after(answer.headers))
    if not code:
        raise _unreadable(answer)
    if code != _TAKEN:
        raise ERRORS.failure(code, retry_after(answer.headers))
    return body


def _unreadable(answer: httpx.Response) -> AmbiguousSendError:
    return ERRORS.unreadable(answer.status_code)


def _build(values: Mapping[str, str]) -> SMSGatewayHubGateway:
    values = stripped(values)
    return SMSGatewayHubGateway(
        values["SMSGATEWAYHUB_API_KEY"],
        values["SMSGATEWAYHUB_FROM"],
        in_turn(values["SMSGATEWAYHUB_CALLBACK_KEYS"]),
        values["SMSGATEWAYHUB_API_URL"],
        request=values["SMSGATEWAYHUB_REQUEST"],
        json_path=values["SMSGATEWAYHUB_JSON_PATH"],
        route=values["SMSGATEWAYHUB_ROUTE"],
    )


PLUGIN = GatewayPlugin(
    slug=SMSGatewayHubGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "SMSGATEWAYHUB_API_KEY",
            "API key of the SMS Gateway Hub account; empty switches it off.",
            "0123456789abcdefghijkl",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting("SMSGATEWAYHUB_FROM", "Registered sender id (header).", "ABCDEF", is_required=True),
        GatewaySetting(
            "SMSGATEWAYHUB_CALLBACK_KEYS",
            "Keys of which one must stand in the address of every push, comma-separated, newest first.",
            "a-long-random-word",
            is_secret=True,
        ),
        GatewaySetting(
            "SMSGATEWAYHUB_REQUEST",
            "How texts are handed over: `query` (POST, all in the address) or `json` (POST, nested).",
            "json",
            default=QUERY,
        ),
        GatewaySetting(
            "SMSGATEWAYHUB_JSON_PATH",
            "Where `json` requests go, as the account's panel shows it.",
            "/api/mt/SendSMS",
            default=JSON_PATH,
        ),
        GatewaySetting("SMSGATEWAYHUB_ROUTE", "The account's route for `query` requests, if it has several.", "1"),
        GatewaySetting("SMSGATEWAYHUB_API_URL", "SMS Gateway Hub's API.", API_URL, default=API_URL),
    ),
    build=_build,
)
