"""How does one SMS go out through MessageBird's REST API, and how do we ask what became of it?

Source: developers.messagebird.com/api/sms-messaging and …/api/lookup. This is the API of accounts from before Bird;
its successor at api.bird.com is another one. No idempotent send; our attempt id travels as `reference`, without
which MessageBird sends no reports, and in the report URL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from connector.adapters.http import HTTPClients, translate
from connector.adapters.sms import messagebird_callbacks as callbacks
from connector.adapters.sms import messagebird_resources as resources
from connector.adapters.sms.json_requests import JSON, json_body
from connector.adapters.sms.messagebird_codes import INVALID_NUMBERS
from connector.adapters.sms.reading import digits, in_turn, mapping, sequence, stripped, whole_number, words
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
from connector.ports.number_lookup import LineType, LookupAnswer

API_URL = "https://rest.messagebird.com"

_VALIDITY_SECONDS = (60, 172_800)  # no bounds are documented: a route takes a minute, carriers keep a text two days
_IN_NO_ORDER = datetime.min.replace(tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(minutes=2)  # ours may drift for days before anybody mends it; theirs shows whole seconds
_PAGE_SIZE = 20  # the vendor's default; a larger page may be cut without a word
_MOST_PAGES = 50  # a thousand texts since the attempt: not a question for a list any more

CAPABILITIES = Capabilities(
    vendor="MessageBird REST API",
    page="https://developers.messagebird.com/api/sms-messaging/",
    most_characters=1377,  # nine parts of 153, the most it concatenates
    most_unicode=603,  # nine parts of 67
    reference="field and url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID, Handle.REFERENCE}),
    price="answer, receipt, query",
    segments="answer, receipt, query",
    verified_by="JWT over URL and body",
    validity=(timedelta(seconds=_VALIDITY_SECONDS[0]), timedelta(seconds=_VALIDITY_SECONDS[1])),
    has_lookup=True,
)


class MessageBirdGateway:
    """MessageBird SMS; see `connector.ports.gateway.SMSGateway`, and `NumberLookup`. Safe to call from many threads.

    Args of the constructor:
        access_key: a live key of the account.
        signing_keys: newest first; callbacks may be signed with any.
        api_url: base URL, without a path.
        sender: originator for texts that name none.

    Raises:
        ConfigurationError: no access key or no sender.
    """

    slug = "messagebird"
    capabilities = CAPABILITIES

    def __init__(self, access_key: str, signing_keys: Sequence[str], api_url: str = API_URL, *, sender: str) -> None:
        if not access_key:
            raise ConfigurationError("MESSAGEBIRD_ACCESS_KEY is empty; give a live access key of the account")
        if not sender:
            raise ConfigurationError("MESSAGEBIRD_FROM is empty; give a number such as +12025550100 or a sender id")
        self._signing_keys = tuple(filter(None, signing_keys))
        self._sender = sender
        self._origin = httpx.URL(api_url)
        self._messages = self._origin.join("/messages")
        self._clients = HTTPClients(api_url, {"Authorization": f"AccessKey {access_key}"})

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `messagebird_codes`; a success nobody can
                read is ambiguous.
        """
        with self._clients.lend() as client, translate():
            answer = client.post(self._messages, content=json_body(self._message(sms)), headers=JSON)
        resources.raise_if_refused(answer)
        return resources.accepted(resources.body_of(answer))

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask what became of an attempt, by MessageBird's id, else for our reference among the texts since then.

        Raises:
            SendError: MessageBird could not be asked, or too much was sent since to look through.
        """
        if query.provider_message_id:
            return self._fetch(query.provider_message_id, query.attempt_id)
        ours = (
            message
            for message in self._sent_since(query.requested_at - _CLOCKS_DIFFER)
            if words(message.get("reference")) == query.attempt_id and words(message.get("id")) not in query.exclude
        )
        found = next(ours, None)
        return resources.report(found, query.attempt_id) if found is not None else None

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask what kind of number this is; exactly one HTTP request, free of charge.

        It tells what the numbering plan says, and the network and whether the handset is in service where an HLR
        query was made for this number before.

        Raises:
            SendError: it could not be asked.
        """
        answer = self._get(self._origin.join(f"/lookup/{quote(digits(e164), safe='')}"))
        if not answer.is_success and resources.error(answer)[0] in INVALID_NUMBERS:
            return LookupAnswer(LineType.INVALID)
        resources.raise_if_refused(answer)
        return resources.looked_up(resources.body_of(answer, needs="phoneNumber"))

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature.

        Raises:
            SignatureError: not from MessageBird.
        """
        callbacks.verify(request, self._signing_keys)

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified status report."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound callback."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _message(self, sms: OutgoingSMS) -> dict[str, Any]:
        message: dict[str, Any] = {
            "originator": digits(sms.sender or self._sender),
            "recipients": [digits(sms.to)],
            "body": sms.body,
            "datacoding": "unicode" if sms.is_unicode else "auto",  # `plain`, the default, loses characters
            "reference": sms.attempt_id,
            "reportUrl": sms.status_url,
        }
        if sms.valid_for is not None:
            shortest, longest = _VALIDITY_SECONDS
            message["validity"] = min(max(int(sms.valid_for.total_seconds()), shortest), longest)
        return message

    def _fetch(self, message_id: str, attempt_id: str) -> StatusReport:
        """Ask for one message. One that is gone was sent all the same: its fate is unknown, not undone."""
        answer = self._get(self._origin.join(f"/messages/{quote(message_id, safe='')}"))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return StatusReport(message_id, MessageState.UNKNOWN, "not found", attempt_id)
        resources.raise_if_refused(answer)
        return resources.report(resources.body_of(answer), attempt_id)

    def _sent_since(self, earliest: datetime) -> Iterator[Mapping[str, Any]]:
        """Give the account's messages until all since then were seen.

        That lists begin with the newest is not promised: only where a page and those before it do is the rest older.
        """
        read, newest_left = 0, datetime.max.replace(tzinfo=UTC)
        for _ in range(_MOST_PAGES):
            answer = self._get(self._messages.copy_merge_params({"limit": str(_PAGE_SIZE), "offset": str(read)}))
            resources.raise_if_refused(answer)
            page = resources.body_of(answer, needs="items")
            items = [mapping(item) for item in sequence(page["items"])]
            yield from items
            read += len(items)
            total = whole_number(words(page.get("totalCount")))
            if (read >= total) if total is not None else not items:
                return
            if not items:
                break  # there are more, and they are not shown
            times = [newest_left, *map(resources.created, items)]
            newest_left = times[-1] if times == sorted(times, reverse=True) else _IN_NO_ORDER
            if _IN_NO_ORDER < newest_left < earliest:
                return
        raise TransientSendError("MessageBird has more texts than can be looked through", code="too_many")

    def _get(self, url: httpx.URL) -> httpx.Response:
        with self._clients.lend() as client, translate():
            return client.get(url, headers={"Accept": "application/json"})


def _build(values: Mapping[str, str]) -> MessageBirdGateway:
    values = stripped(values)
    return MessageBirdGateway(
        values["MESSAGEBIRD_ACCESS_KEY"],
        in_turn(values["MESSAGEBIRD_SIGNING_KEYS"]),
        values["MESSAGEBIRD_API_URL"],
        sender=values["MESSAGEBIRD_FROM"],
    )


PLUGIN = GatewayPlugin(
    slug=MessageBirdGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "MESSAGEBIRD_ACCESS_KEY",
            "Live access key of the MessageBird account; empty switches MessageBird off.",
            "live_…",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting(
            "MESSAGEBIRD_SIGNING_KEYS",
            "Signing keys for callbacks, comma-separated, newest first; without one no callback is believed.",
            "0123456789abcdef0123456789abcdef",
            is_required=True,
            is_secret=True,
        ),
        GatewaySetting(
            "MESSAGEBIRD_FROM", "Number or sender id for texts that name none.", "+12025550100", is_required=True
        ),
        GatewaySetting("MESSAGEBIRD_API_URL", "MessageBird's API.", API_URL, default=API_URL),
    ),
    build=_build,
)
