"""How does one SMS go out through Twilio, and how do we ask what became of it?

Source: twilio.com/docs/messaging/api/message-resource. Twilio has no idempotent send and no reference of ours; our
attempt id travels in the status-callback URL.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import twilio_callbacks as callbacks
from connector.adapters.sms.reading import in_turn, json_object, money, whole_number
from connector.adapters.sms.twilio_codes import ERRORS, state_of
from connector.domain.message import MessageState
from connector.errors import AmbiguousSendError, ConfigurationError, PermanentSendError, TransientSendError
from connector.ports.gateway import (
    Accepted,
    AttemptQuery,
    CallbackRequest,
    Capabilities,
    GatewayPlugin,
    GatewaySetting,
    Handle,
    IncomingSMS,
    OutgoingSMS,
    StatusReport,
)

API_URL = "https://api.twilio.com"

_VALIDITY_SECONDS = (1, 36_000)  # what Twilio takes: up to the ten hours it queues a message at most
_CLOCKS_DIFFER = timedelta(seconds=30)  # theirs shows whole seconds, ours may drift until NTP corrects it
_CREATED_WITHIN = timedelta(minutes=5)  # a request we gave up on after seconds does not become a message later
_PAGE_SIZE = 100
_MOST_PAGES = 10  # a thousand texts to one number since the attempt: not a question for a list any more
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

CAPABILITIES = Capabilities(
    vendor="Twilio Programmable Messaging",
    page="https://www.twilio.com/docs/messaging/api/message-resource",
    most_characters=1600,
    reference="url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID, Handle.TEXT}),
    price="receipt, query",
    segments="answer, query",
    verified_by="HMAC-SHA1 of URL and form",
    validity=(timedelta(seconds=_VALIDITY_SECONDS[0]), timedelta(seconds=_VALIDITY_SECONDS[1])),
)


class TwilioGateway:
    """Twilio Programmable Messaging; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    Args of the constructor:
        account_sid: the account, part of every path.
        auth_tokens: newest first. The first authenticates our requests; callbacks may be signed with any.
        api_url: base URL, without a path.
        sender: number, short code or sender id for messages that name none.
        messaging_service_sid: instead of `sender`: lets Twilio choose from a pool; goes before `sender`.

    Raises:
        ConfigurationError: no token, or neither sender nor messaging service.
    """

    slug = "twilio"
    capabilities = CAPABILITIES

    def __init__(
        self,
        account_sid: str,
        auth_tokens: Sequence[str],
        api_url: str = API_URL,
        *,
        sender: str | None = None,
        messaging_service_sid: str | None = None,
    ) -> None:
        if not any(auth_tokens):
            raise ConfigurationError("TWILIO_AUTH_TOKENS is empty; give the account's auth token")
        if not sender and not messaging_service_sid:
            raise ConfigurationError("set TWILIO_FROM=+12025550100 or TWILIO_MESSAGING_SERVICE_SID=MG…")
        self._auth_tokens = tuple(filter(None, auth_tokens))
        self._default_sender = (
            {"MessagingServiceSid": messaging_service_sid} if messaging_service_sid else {"From": sender}
        )
        self._origin = httpx.URL(api_url)
        self._account = f"/2010-04-01/Accounts/{quote(account_sid, safe='')}"
        self._messages = self._origin.join(f"{self._account}/Messages.json")
        credentials = base64.b64encode(f"{account_sid}:{self._auth_tokens[0]}".encode()).decode()
        self._clients = HTTPClients(api_url, {"Authorization": f"Basic {credentials}"})

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `twilio_codes.refusal`; a success
                nobody can read is ambiguous.
        """
        form = urlencode(self._form(sms), errors="replace").encode("ascii")  # half a surrogate pair is no reason to die
        with self._clients.lend() as client, translate():
            answer = client.post(self._messages, content=form, headers=_FORM)
        _raise_if_refused(answer)
        return _accepted(_resource(answer))

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask what became of an attempt, by Twilio's id, else among what was sent to that number at that time.

        Several equal texts to one number: the earliest that belongs to no other attempt. None means that Twilio has
        no such message; wait until a slow request has had its time before believing it.

        Raises:
            SendError: Twilio could not be asked, or has texts whose bodies were redacted and could be this one.
        """
        if query.provider_message_id:
            return self._fetch(query.provider_message_id, query.attempt_id)
        candidates = [message for message in self._sent_to(query) if _is_in_time(message, query)]
        same_text = [message for message in candidates if _text(message.get("body")) == _text(query.body)]
        if same_text:
            return _report(min(same_text, key=_created), query.attempt_id)
        if any(not message.get("body") for message in candidates):
            raise TransientSendError("Twilio has redacted the texts to choose from", code="redacted")
        return None

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature.

        Raises:
            SignatureError: not from Twilio.
        """
        callbacks.verify(request, self._auth_tokens)

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified status callback."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound callback; the web answers it with TwiML."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _form(self, sms: OutgoingSMS) -> dict[str, str | None]:
        form = {"To": sms.to, **({"From": sms.sender} if sms.sender else self._default_sender)}
        form |= {"Body": sms.body, "StatusCallback": sms.status_url}
        if sms.valid_for is not None:
            shortest, longest = _VALIDITY_SECONDS
            form["ValidityPeriod"] = str(min(max(int(sms.valid_for.total_seconds()), shortest), longest))
        return form

    def _fetch(self, sid: str, attempt_id: str) -> StatusReport:
        """Ask for one message. One that is gone was sent all the same: its fate is unknown, not undone."""
        answer = self._get(self._origin.join(f"{self._account}/Messages/{quote(sid, safe='')}.json"))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return StatusReport(sid, MessageState.UNKNOWN, "not found", attempt_id)
        _raise_if_refused(answer)
        return _report(_resource(answer), attempt_id)

    def _sent_to(self, query: AttemptQuery) -> Iterator[Mapping[str, Any]]:
        """Give the messages to a number, newest first, until they are older than the attempt.

        Not filtered by `DateSent`: a message that still waits in Twilio's queue has none.
        """
        filters = {"To": query.to, "PageSize": str(_PAGE_SIZE)}
        if query.sender:
            filters["From"] = query.sender
        url = self._messages.copy_merge_params(filters)
        for _ in range(_MOST_PAGES):
            answer = self._get(url)
            _raise_if_refused(answer)
            page = _resource(answer, needs="messages")
            yield from page["messages"]
            reaches_back = any(_created(m) < query.requested_at - _CLOCKS_DIFFER for m in page["messages"])
            if reaches_back or not page.get("next_page_uri"):
                return
            next_page = httpx.URL(str(page["next_page_uri"]))
            url = self._origin.copy_with(raw_path=next_page.raw_path)  # a path of theirs, never another host
        raise TransientSendError("Twilio has too many texts to this number to look through", code="too_many")

    def _get(self, url: httpx.URL) -> httpx.Response:
        with self._clients.lend() as client, translate():
            return client.get(url)


def _raise_if_refused(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    code = json_object(answer.content).get("code")
    raise ERRORS.refusal(answer.status_code, str(code) if code else "", retry_after(answer.headers))


def _resource(answer: httpx.Response, needs: str = "sid") -> Mapping[str, Any]:
    """Read the body of a success, which must have the field `needs`."""
    body = json_object(answer.content)
    if not body.get(needs) and not isinstance(body.get(needs), list):
        raise AmbiguousSendError(
            f"Twilio answered HTTP {answer.status_code} with a body nobody can read", code="unreadable_answer"
        )
    return body


def _accepted(message: Mapping[str, Any]) -> Accepted:
    """Read the answer to a send; a message that failed at once is an error, whatever the HTTP status says."""
    report = _report(message, None)
    if report.state in {MessageState.FAILED, MessageState.UNDELIVERED, MessageState.EXPIRED}:
        raise PermanentSendError(
            f"Twilio took the message and failed it at once, code {report.error_code}",
            code=report.error_code or "",
            error_class=report.error_class or "unknown",
        )
    state = MessageState.ACCEPTED if report.state is MessageState.UNKNOWN else report.state
    return Accepted(
        report.provider_message_id,
        state,
        report.raw_status,
        sender=message.get("from"),
        segments=report.segments,
        price=report.price,
        currency=report.currency,
    )


def _report(message: Mapping[str, Any], attempt_id: str | None) -> StatusReport:
    raw_status = str(message.get("status") or "")
    code = str(message["error_code"]) if message.get("error_code") else None
    price = money(message.get("price"))
    return StatusReport(
        provider_message_id=str(message["sid"]),
        state=state_of(raw_status, code),
        raw_status=raw_status,
        attempt_id=attempt_id,
        error_code=code,
        error_class=ERRORS.class_of(code),
        segments=whole_number(message.get("num_segments")),
        price=price,
        currency=message.get("price_unit") if price is not None else None,
    )


def _is_in_time(message: Mapping[str, Any], query: AttemptQuery) -> bool:
    earliest, latest = query.requested_at - _CLOCKS_DIFFER, query.requested_at + _CREATED_WITHIN
    return message.get("sid") not in query.exclude and earliest <= _created(message) <= latest


def _created(message: Mapping[str, Any]) -> datetime:
    """Read `date_created` (RFC 2822); a message without one is older than anything."""
    try:
        return parsedate_to_datetime(str(message.get("date_created"))).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _text(body: object) -> str:
    """Fold what a gateway may change in passing: line ends and blanks around."""
    return "\n".join(str(body or "").split("\r\n")).strip()


def _build(values: Mapping[str, str]) -> TwilioGateway:
    return TwilioGateway(
        values["TWILIO_ACCOUNT_SID"],
        in_turn(values["TWILIO_AUTH_TOKENS"]),
        values["TWILIO_API_URL"],
        sender=values["TWILIO_FROM"] or None,
        messaging_service_sid=values["TWILIO_MESSAGING_SERVICE_SID"] or None,
    )


PLUGIN = GatewayPlugin(
    slug=TwilioGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "TWILIO_ACCOUNT_SID",
            "Account SID of the Twilio account; empty switches Twilio off.",
            "AC…",
            is_required=True,
        ),
        GatewaySetting(
            "TWILIO_AUTH_TOKENS",
            "Auth tokens of the Twilio account, comma-separated, newest first.",
            "0123456789abcdef0123456789abcdef",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting("TWILIO_API_URL", "Twilio's API.", API_URL, default=API_URL),
        GatewaySetting("TWILIO_FROM", "Sender number in E.164, unless a messaging service is set.", "+12025550100"),
        GatewaySetting("TWILIO_MESSAGING_SERVICE_SID", "Messaging service that chooses the sender.", "MG…"),
    ),
    build=_build,
)
