"""How does one SMS go out through Vonage's SMS API, and how do we ask what became of it?

Sources: developer.vonage.com/api/sms, …/api/reports, …/api/number-insight. Every part of a long SMS has an id, a price
and receipts of its own. HTTP says 200 whatever happened; the answer's body tells, part by part.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import vonage_callbacks as callbacks
from connector.adapters.sms.reading import (
    digits,
    in_turn,
    json_object,
    mapping,
    money,
    sequence,
    shown,
    stripped,
    words,
)
from connector.adapters.sms.vonage_codes import SEND_ERRORS, TAKEN
from connector.adapters.sms.vonage_lookup import VonageLookup
from connector.adapters.sms.vonage_reports import Record, VonageReports
from connector.adapters.sms.vonage_verdict import fewest_parts, verdict
from connector.domain.message import MessageState
from connector.errors import AmbiguousSendError
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

REST_URL = "https://rest.nexmo.com"
API_URL = "https://api.nexmo.com"

_VALIDITY = (timedelta(seconds=20), timedelta(days=7))  # `ttl`: 20,000 to 604,800,000 ms
_LONGEST_CALLBACK = 100  # characters of `callback`; a longer one is refused
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

CAPABILITIES = Capabilities(
    vendor="Vonage SMS API",
    page="https://developer.vonage.com/en/api/sms",
    most_characters=3200,
    most_unicode=3200,
    reference="field and url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID, Handle.REFERENCE}),
    price="answer, receipt, query",
    segments="answer, query",
    verified_by="sig over the parameters, or a key in the address",
    validity=_VALIDITY,
    has_lookup=True,
    has_dlt=True,
)


class VonageGateway:
    """Vonage's SMS API; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    Args of the constructor:
        api_key, api_secret: the account.
        sender: number or sender id for messages that name none.
        rest_url, api_url: base URLs, without a path: of sending, and of reports and lookups.
        trust: by what callbacks are known to be Vonage's.
        currency: what the account is billed in; Vonage gives prices without it.
        clock: the time, aware.
    """

    slug = "vonage"
    capabilities = CAPABILITIES

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        sender: str,
        trust: callbacks.Trust,
        *,
        rest_url: str = REST_URL,
        api_url: str = API_URL,
        currency: str = "EUR",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sender, self._trust, self._currency, self._clock = sender, trust, currency, clock
        self._url = httpx.URL(rest_url).join("/sms/json")
        basic = {"Authorization": f"Basic {base64.b64encode(f'{api_key}:{api_secret}'.encode()).decode()}"}
        self._clients, self._api_clients = HTTPClients(rest_url, basic), HTTPClients(api_url, basic)
        self._reports = VonageReports(self._api_clients, api_url, api_key, "SMS", clock)
        credentials = {"api_key": api_key, "api_secret": api_secret}
        self._lookup = VonageLookup(self._api_clients, api_url, credentials, currency)

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError: Vonage took no part of it; see `vonage_codes`.
            AmbiguousSendError: no trustworthy answer, or some parts were taken and others not.
        """
        form = urlencode(self._form(sms), errors="replace").encode("ascii")  # half a surrogate pair is no reason to die
        with self._clients.lend() as client, translate():
            answer = client.post(self._url, content=form, headers=_FORM)
        if not answer.is_success:
            raise SEND_ERRORS.refusal(answer.status_code, "", retry_after(answer.headers))
        return self._accepted(_parts(answer), sms)

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask Vonage's records, by the part's id, else for our reference among what was received at that time.

        A record that is gone, or not there yet, is of a text that was taken all the same: its fate is unknown.

        Raises:
            SendError: Vonage could not be asked, or it is too early to believe that there is nothing.
        """
        found: list[Record] = []
        if query.provider_message_id:
            record = self._reports.by_id(query.provider_message_id)
            if record is None:
                return StatusReport(query.provider_message_id, MessageState.UNKNOWN, "not found", query.attempt_id)
            found.append(record)
        if not found or fewest_parts(query.body) > 1:
            found = self._reports.by_reference(query) or found
        return verdict(found, query.attempt_id, query.body) if found else None

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask about one number; see `vonage_lookup`.

        Raises:
            SendError: it could not be asked.
        """
        return self._lookup.look_up(e164)

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature, or the key in its address while no signature secret is configured.

        Raises:
            SignatureError: not from Vonage.
        """
        self._trust.check(request, self._clock())

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified receipt."""
        return callbacks.read_status(request, attempt_id, self._currency)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound SMS, or a part of one."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()
        self._api_clients.close()

    def _form(self, sms: OutgoingSMS) -> dict[str, str]:
        form = {
            "from": digits(sms.sender or self._sender),
            "to": digits(sms.to),
            "text": sms.body,
            "type": "unicode" if sms.is_unicode else "text",
            "client-ref": sms.attempt_id,
            "status-report-req": "1",
        }
        callback = self._trust.address(sms.status_url)
        if len(callback) <= _LONGEST_CALLBACK:  # else the account's own address is called; our reference is in there
            form["callback"] = callback
        if sms.valid_for is not None:
            shortest, longest = _VALIDITY
            form["ttl"] = str(min(max(sms.valid_for, shortest), longest) // timedelta(milliseconds=1))
        if sms.dlt is not None:
            form |= {"entity-id": sms.dlt.entity_id, "content-id": sms.dlt.template_id}
        return form

    def _accepted(self, parts: Sequence[Mapping[str, Any]], sms: OutgoingSMS) -> Accepted:
        """Read the answer to a send; a text of which only some parts were taken has neither gone out nor not."""
        refusals = [status for part in parts if (status := words(part.get("status"))) != TAKEN]
        if refusals and len(refusals) == len(parts):
            raise SEND_ERRORS.failure(refusals[0])
        ids = tuple(words(part.get("message-id")) for part in parts)
        if refusals or not all(ids):
            code = refusals[0] if refusals else "unreadable_answer"
            message = f"Vonage took {len(parts) - len(refusals)} of {len(parts)} parts, code {code}"
            raise AmbiguousSendError(message, code=code, error_class=SEND_ERRORS.class_of(code) or "unknown")
        prices = [money(words(part.get("message-price"))) for part in parts]
        known = [price for price in prices if price is not None]
        has_price = len(known) == len(parts)
        return Accepted(
            ids[0],
            MessageState.ACCEPTED,
            TAKEN,
            sender=shown(sms.sender or self._sender),
            segments=len(parts),
            price=sum(known, Decimal()) if has_price else None,
            currency=self._currency if has_price else None,
            part_ids=ids if len(ids) > 1 else (),
        )


def _parts(answer: httpx.Response) -> list[Mapping[str, Any]]:
    parts = [mapping(part) for part in sequence(json_object(answer.content).get("messages"))]
    if not parts or not all(words(part.get("status")) for part in parts):
        raise AmbiguousSendError(
            f"Vonage answered HTTP {answer.status_code} with a body nobody can read", code="unreadable_answer"
        )
    return parts


def _build(values: Mapping[str, str]) -> VonageGateway:
    values = stripped(values)
    return VonageGateway(
        values["VONAGE_API_KEY"],
        values["VONAGE_API_SECRET"],
        values["VONAGE_FROM"],
        callbacks.Trust(
            in_turn(values["VONAGE_SIGNATURE_SECRETS"]),
            values["VONAGE_SIGNATURE_METHOD"],
            in_turn(values["VONAGE_CALLBACK_KEYS"]),
        ),
        rest_url=values["VONAGE_REST_URL"],
        api_url=values["VONAGE_API_URL"],
        currency=values["VONAGE_CURRENCY"],
    )


PLUGIN = GatewayPlugin(
    slug=VonageGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "VONAGE_API_KEY", "API key of the Vonage account; empty switches it off.", "abcd1234", is_required=True
        ),
        GatewaySetting(
            "VONAGE_API_SECRET", "API secret of the account.", "Ab1cD2eF3gH4iJ5k", is_required=True, is_secret=True
        ),
        GatewaySetting("VONAGE_FROM", "Sender number in E.164, or a sender id.", "+447700900100", is_required=True),
        GatewaySetting(
            "VONAGE_SIGNATURE_SECRETS",
            "Signature secrets, comma-separated, newest first, once Vonage signs the account's callbacks.",
            "the-signature-secret",
            is_secret=True,
        ),
        GatewaySetting(
            "VONAGE_SIGNATURE_METHOD",
            "How the account's callbacks are signed: md5hash, or an HMAC: md5, sha1, sha256, sha512.",
            "sha256",
            default="md5hash",
        ),
        GatewaySetting(
            "VONAGE_CALLBACK_KEYS",
            "Keys in the address of callbacks while they are not signed, comma-separated, newest first.",
            "0a1b2c3d",
            is_secret=True,
        ),
        GatewaySetting("VONAGE_CURRENCY", "What Vonage bills the account in.", "EUR", default="EUR"),
        GatewaySetting("VONAGE_REST_URL", "Vonage's SMS API.", REST_URL, default=REST_URL),
        GatewaySetting("VONAGE_API_URL", "Vonage's reports and number insights.", API_URL, default=API_URL),
    ),
    build=_build,
)
