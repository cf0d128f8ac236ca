"""How does one SMS go out through Infobip, and how do we ask what became of it?

Source: infobip.com/docs/api/channels/sms (messages and logs, version 3). The one gateway of ours that lets the client
choose the message id and refuses it when it comes twice: our attempt id is the message id, so an attempt can never
become two texts, and it can be asked about even when the answer to the send got lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import infobip_callbacks as callbacks
from connector.adapters.sms.callback_key import with_key
from connector.adapters.sms.infobip_codes import DUPLICATE, ERRORS, state_of
from connector.adapters.sms.json_requests import JSON, json_body
from connector.adapters.sms.reading import (
    digits,
    in_turn,
    json_object,
    mapping,
    sequence,
    stripped,
    whole_number,
    words,
)
from connector.domain.message import MessageState
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

_VALIDITY_SECONDS = (60, 172_800)  # longer than two days is cut by Infobip; below a minute no route delivers in time
_LOGS_REACH_BACK = timedelta(hours=47)  # two days by the vendor's word, an hour less for the differences of clocks

_BAD_ENDS = frozenset({MessageState.FAILED, MessageState.UNDELIVERED, MessageState.EXPIRED})

CAPABILITIES = Capabilities(
    vendor="Infobip SMS",
    page="https://www.infobip.com/docs/api/channels/sms",
    most_characters=1675,  # 25 parts of 67 characters, whatever alphabet they need
    most_unicode=1675,
    reference="field and url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID, Handle.REFERENCE}),
    price="receipt, query",
    segments="answer, receipt, query",
    verified_by="a key in the address, or HTTP Basic",
    validity=(timedelta(seconds=_VALIDITY_SECONDS[0]), timedelta(seconds=_VALIDITY_SECONDS[1])),
    has_dlt=True,
)


class InfobipGateway:
    """Infobip SMS; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    Args of the constructor:
        api_key: with the scope `sms:message:send` and, to be asked, `sms:logs`.
        api_url: the account's own base URL, without a path.
        sender: number or sender id for texts that name none.
        callback_keys: newest first; the first is put into the address of reports, callbacks may carry any.
        callback_logins: `user:password` as set in the subscription's security profile, newest first.

    Raises:
        ConfigurationError: no API key, base URL or sender.
    """

    slug = "infobip"
    capabilities = CAPABILITIES

    def __init__(
        self,
        api_key: str,
        api_url: str,
        *,
        sender: str,
        callback_keys: Sequence[str] = (),
        callback_logins: Sequence[str] = (),
    ) -> None:
        if not api_key:
            raise ConfigurationError("INFOBIP_API_KEY is empty; give an API key of the account")
        if not api_url:
            raise ConfigurationError("INFOBIP_API_URL is empty; give the account's own, https://….api.infobip.com")
        if not sender:
            raise ConfigurationError("INFOBIP_FROM is empty; give a number such as +12025550100 or a sender id")
        self._sender = sender
        self._callback_keys, self._callback_logins = tuple(callback_keys), tuple(callback_logins)
        origin = httpx.URL(api_url)
        self._messages, self._logs = origin.join("/sms/3/messages"), origin.join("/sms/3/logs")
        self._clients = HTTPClients(api_url, {"Authorization": f"App {api_key}"})

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request. Refused as a duplicate, it had arrived before.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `infobip_codes`; a success nobody can
                read is ambiguous.
        """
        body = json_body({"messages": [self._message(sms)]})
        with self._clients.lend() as client, translate():
            answer = client.post(self._messages, content=body, headers=JSON)
        _raise_if_refused(answer)
        return _accepted(answer)

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask the logs for an attempt by its message id, which is our attempt id.

        Raises:
            UnanswerableError: the attempt is older than the logs reach back, and not in them.
            SendError: Infobip could not be asked.
        """
        message_id = query.provider_message_id or query.attempt_id
        with self._clients.lend() as client, translate():
            answer = client.get(self._logs.copy_merge_params({"messageId": message_id}), headers=JSON)
        _raise_if_refused(answer)
        results = json_object(answer.content).get("results")
        if not isinstance(results, list):
            raise _unreadable(answer)
        ours = [each for each in map(mapping, results) if words(each.get("messageId")) == message_id]
        reports = [report for each in ours if (report := callbacks.report_of(each, query.attempt_id))]
        if reports:
            return reports[0]
        if ours:  # only the refusal of a second one is left, so there was a first
            return StatusReport(message_id, MessageState.UNKNOWN, "duplicate", query.attempt_id)
        return _not_in_logs(query)

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's login or key.

        Raises:
            SignatureError: not from Infobip.
        """
        callbacks.verify(request, self._callback_keys, self._callback_logins)

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified callback of up to a hundred delivery reports."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound callback."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _message(self, sms: OutgoingSMS) -> dict[str, Any]:
        message: dict[str, Any] = {
            "sender": digits(sms.sender or self._sender),
            "destinations": [{"to": digits(sms.to), "messageId": sms.attempt_id}],
            "content": {"text": sms.body},
            "webhooks": {
                "delivery": {"url": with_key(sms.status_url, self._callback_keys)},
                "contentType": "application/json",
                "callbackData": sms.attempt_id,
            },
        }
        if options := _options(sms):
            message["options"] = options
        return message


def _options(sms: OutgoingSMS) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if sms.valid_for is not None:
        shortest, longest = _VALIDITY_SECONDS
        seconds = min(max(int(sms.valid_for.total_seconds()), shortest), longest)
        options["validityPeriod"] = {"amount": seconds, "timeUnit": "SECONDS"}
    if sms.dlt is not None:
        registration = {"contentTemplateId": sms.dlt.template_id, "principalEntityId": sms.dlt.entity_id}
        options["regional"] = {"indiaDlt": registration}
    return options


def _raise_if_refused(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise ERRORS.refusal(answer.status_code, _request_error(answer), retry_after(answer.headers))


def _request_error(answer: httpx.Response) -> str:
    """Give the code of a refused request: `errorCode`, or the older `requestError.serviceException.messageId`."""
    body = json_object(answer.content)
    older = mapping(mapping(body.get("requestError")).get("serviceException"))
    return words(body.get("errorCode")) or words(older.get("messageId"))


def _accepted(answer: httpx.Response) -> Accepted:
    """Read the answer to a send: the status inside decides, since a text that is refused is also answered 200."""
    messages = sequence(json_object(answer.content).get("messages"))
    message = mapping(messages[0]) if messages else {}
    message_id, status = words(message.get("messageId")), mapping(message.get("status"))
    status_id, name = whole_number(words(status.get("id"))), words(status.get("name"))
    if not message_id or status_id is None:
        raise _unreadable(answer)
    state = state_of(status_id)
    if state in _BAD_ENDS:
        raise ERRORS.failure(name or str(status_id), retry_after(answer.headers))
    return Accepted(
        message_id,
        MessageState.ACCEPTED if state is MessageState.UNKNOWN else state,
        name or str(status_id),
        segments=None
        if status_id == DUPLICATE
        else whole_number(words(mapping(message.get("details")).get("messageCount"))),
    )


def _not_in_logs(query: AttemptQuery) -> StatusReport | None:
    if query.provider_message_id:  # it was taken all the same: its fate is unknown, not undone
        return StatusReport(query.provider_message_id, MessageState.UNKNOWN, "not found", query.attempt_id)
    if datetime.now(UTC) - query.requested_at > _LOGS_REACH_BACK:
        raise UnanswerableError("Infobip's logs do not reach back to this attempt", code="beyond_logs")
    return None


def _unreadable(answer: httpx.Response) -> AmbiguousSendError:
    return ERRORS.unreadable(answer.status_code)


def _build(values: Mapping[str, str]) -> InfobipGateway:
    values = stripped(values)
    return InfobipGateway(
        values["INFOBIP_API_KEY"],
        values["INFOBIP_API_URL"],
        sender=values["INFOBIP_FROM"],
        callback_keys=in_turn(values["INFOBIP_CALLBACK_KEYS"]),
        callback_logins=in_turn(values["INFOBIP_CALLBACK_LOGINS"]),
    )


PLUGIN = GatewayPlugin(
    slug=InfobipGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "INFOBIP_API_KEY",
            "API key of the Infobip account; empty switches Infobip off.",
            "0123456789abcdef0123456789abcdef-01234567-89ab-cdef-0123-456789abcdef",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting(
            "INFOBIP_API_URL", "The account's own base URL.", "https://abc123.api.infobip.com", is_required=True
        ),
        GatewaySetting(
            "INFOBIP_FROM", "Number or sender id for texts that name none.", "+12025550100", is_required=True
        ),
        GatewaySetting(
            "INFOBIP_CALLBACK_KEYS",
            "Keys in the addresses Infobip calls, comma-separated, newest first; without one and without a login no "
            "callback is believed.",
            "a-long-random-key",
            is_secret=True,
        ),
        GatewaySetting(
            "INFOBIP_CALLBACK_LOGINS",
            "Logins (user:password) with which Infobip calls, comma-separated, newest first.",
            "infobip:a-long-random-password",
            is_secret=True,
        ),
    ),
    build=_build,
)
