"""How does one SMS go out through Twilio, how do we ask what became of it, and how is it made to forget the text?

Source: twilio.com/docs/messaging/api/message-resource. Twilio has no idempotent send and no reference of ours; our
attempt id travels in the status-callback URL. Its scheduling is not used: when a text goes out is decided here, under
send windows and opt-outs that Twilio does not know.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from connector.adapters.http import HTTPClients, translate
from connector.adapters.sms import twilio_callbacks as callbacks
from connector.adapters.sms.reading import in_turn, stripped
from connector.adapters.sms.twilio_lookup import LOOKUP_URL, TwilioLookup
from connector.adapters.sms.twilio_resources import (
    CLOCKS_DIFFER,
    accepted,
    created,
    is_in_time,
    raise_if_refused,
    report,
    resource,
    text,
)
from connector.domain.message import MessageState
from connector.errors import ConfigurationError, TransientSendError
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
from connector.ports.number_lookup import LookupAnswer

API_URL = "https://api.twilio.com"

_VALIDITY_SECONDS = (1, 36_000)  # what Twilio takes: up to the ten hours it queues a message at most
_PAGE_SIZE = 100
_MOST_PAGES = 10  # a thousand texts to one number since the attempt: not a question for a list any more
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_REDACTING: Mapping[str, bool] = {"never": False, "after receipts": True}

CAPABILITIES = Capabilities(
    vendor="Twilio Programmable Messaging",
    page="https://www.twilio.com/docs/messaging/api/message-resource",
    most_characters=1600,
    most_unicode=1600,
    reference="url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID, Handle.TEXT}),
    price="query",
    segments="answer, query",
    verified_by="HMAC-SHA1 of URL and form",
    validity=(timedelta(seconds=_VALIDITY_SECONDS[0]), timedelta(seconds=_VALIDITY_SECONDS[1])),
    has_lookup=True,
    has_redaction=True,
)


class TwilioGateway:
    """Twilio Programmable Messaging. Safe to call from many threads.

    See `SMSGateway`, `NumberLookup` and `Redactor` of `connector.ports.gateway`.

    Args of the constructor:
        account_sid: the account, part of every path.
        auth_tokens: newest first. The first authenticates our requests; callbacks may be signed with any.
        api_url: base URL, without a path.
        sender: number, short code or sender id for messages that name none.
        messaging_service_sid: instead of `sender`: lets Twilio choose from a pool; goes before `sender`.
        lookup_url: base URL of lookups, without a path.
        redacts: Twilio is to forget the body of a text once its fate is known.

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
        lookup_url: str = LOOKUP_URL,
        redacts: bool = False,
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
        headers = {"Authorization": f"Basic {credentials}"}
        self._clients, self._lookup = HTTPClients(api_url, headers), TwilioLookup(lookup_url, headers)
        self.redacts = redacts

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `error_table`; a success nobody can
                read is ambiguous.
        """
        answer = self._post(self._messages, self._form(sms))
        raise_if_refused(answer)
        return accepted(resource(answer))

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask what became of an attempt, by Twilio's id, else among what was sent to that number at that time.

        Several equal texts to one number: the earliest that belongs to no other attempt. None means that Twilio has
        no such message; wait until a slow request has had its time before believing it.

        Raises:
            SendError: Twilio could not be asked, or has texts that could be this one: their bodies were redacted, or
                it rewrote them (the prefix of trial accounts, Smart Encoding).
        """
        if query.provider_message_id:
            return self._fetch(query.provider_message_id, query.attempt_id)
        candidates = [message for message in self._sent_to(query) if is_in_time(message, query)]
        same_text = [message for message in candidates if text(message.get("body")) == text(query.body)]
        if same_text:
            return report(min(same_text, key=created), query.attempt_id)
        if any(not message.get("body") for message in candidates):
            raise TransientSendError("Twilio has redacted the texts to choose from", code="redacted")
        if candidates:
            raise TransientSendError("Twilio has another text of that time: cannot tell", code="another_text")
        return None

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask what kind of number a number is; exactly one HTTP request.

        Raises:
            SendError: it could not be asked.
        """
        return self._lookup.look_up(e164)

    def redact(self, provider_message_id: str) -> None:
        """Empty Twilio's copy of a body; one that Twilio no longer has is as good as emptied.

        Raises:
            SendError: not now; Twilio keeps the body as long as it counts the text as under way.
        """
        answer = self._post(self._message(provider_message_id), {"Body": ""})
        if answer.status_code != httpx.codes.NOT_FOUND:
            raise_if_refused(answer)

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
        self._lookup.close()

    def _form(self, sms: OutgoingSMS) -> dict[str, str | None]:
        form = {"To": sms.to, **({"From": sms.sender} if sms.sender else self._default_sender)}
        form |= {"Body": sms.body, "StatusCallback": sms.status_url}
        if sms.valid_for is not None:
            shortest, longest = _VALIDITY_SECONDS
            form["ValidityPeriod"] = str(min(max(int(sms.valid_for.total_seconds()), shortest), longest))
        return form

    def _fetch(self, sid: str, attempt_id: str) -> StatusReport:
        """Ask for one message. One that is gone was sent all the same: its fate is unknown, not undone."""
        answer = self._get(self._message(sid))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return StatusReport(sid, MessageState.UNKNOWN, "not found", attempt_id)
        raise_if_refused(answer)
        return report(resource(answer), attempt_id)

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
            raise_if_refused(answer)
            page = resource(answer, needs="messages")
            yield from page["messages"]
            reaches_back = any(created(m) < query.requested_at - CLOCKS_DIFFER for m in page["messages"])
            if reaches_back or not page.get("next_page_uri"):
                return
            next_page = httpx.URL(str(page["next_page_uri"]))
            url = self._origin.copy_with(raw_path=next_page.raw_path)  # a path of theirs, never another host
        raise TransientSendError("Twilio has too many texts to this number to look through", code="too_many")

    def _message(self, sid: str) -> httpx.URL:
        return self._origin.join(f"{self._account}/Messages/{quote(sid, safe='')}.json")

    def _get(self, url: httpx.URL) -> httpx.Response:
        with self._clients.lend() as client, translate():
            return client.get(url)

    def _post(self, url: httpx.URL, form: Mapping[str, str | None]) -> httpx.Response:
        content = urlencode(form, errors="replace").encode("ascii")  # half a surrogate pair is no reason to die
        with self._clients.lend() as client, translate():
            return client.post(url, content=content, headers=_FORM)


def _build(values: Mapping[str, str]) -> TwilioGateway:
    values = stripped(values)
    if values["TWILIO_REDACT"] not in _REDACTING:
        raise ConfigurationError(f"TWILIO_REDACT is one of: {', '.join(_REDACTING)}")
    return TwilioGateway(
        values["TWILIO_ACCOUNT_SID"],
        in_turn(values["TWILIO_AUTH_TOKENS"]),
        values["TWILIO_API_URL"],
        sender=values["TWILIO_FROM"] or None,
        messaging_service_sid=values["TWILIO_MESSAGING_SERVICE_SID"] or None,
        lookup_url=values["TWILIO_LOOKUP_URL"],
        redacts=_REDACTING[values["TWILIO_REDACT"]],
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
        GatewaySetting("TWILIO_LOOKUP_URL", "Twilio's number lookup.", LOOKUP_URL, default=LOOKUP_URL),
        GatewaySetting(
            "TWILIO_REDACT",
            "Whether Twilio is made to forget what was written: `never`, or `after receipts`.",
            "after receipts",
            default="never",
        ),
    ),
    build=_build,
)
