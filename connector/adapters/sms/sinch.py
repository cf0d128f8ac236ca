"""How does one SMS go out through Sinch's SMS API, and how do we ask what became of it?

Source: developers.sinch.com/docs/sms/api-reference. A send makes a batch; ours has one recipient, so that its id is the
message's. Our attempt id is its client reference, by which batches can be listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms import sinch_callbacks as callbacks
from connector.adapters.sms.json_requests import JSON, json_body
from connector.adapters.sms.reading import in_turn, json_object, mapping, shown, stripped, words
from connector.adapters.sms.sinch_codes import ERRORS
from connector.adapters.sms.sinch_lookup import AUTH_URL, LOOKUP_URL, Project, SinchLookup
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

REGIONS = ("us", "eu", "au", "br", "ca")
"""Where an account lives; each has a host of its own."""

_VALIDITY = (timedelta(minutes=1), timedelta(days=3))  # a minute for clocks that differ, to what Sinch grants at most
_CLOCKS_DIFFER = timedelta(minutes=2)  # ours may drift for days before anybody mends it
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9._-]{1,16})\}")  # what Sinch would put a parameter's value in for
_TAKEN = "created"  # our word: the answer to a send has none beside HTTP's 201

CAPABILITIES = Capabilities(
    vendor="Sinch SMS API",
    page="https://developers.sinch.com/docs/sms/api-reference",
    most_characters=2000,
    most_unicode=2000,
    reference="field and url",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset({Handle.ID, Handle.REFERENCE}),
    price="",
    segments="",
    verified_by="HMAC-SHA256 of the body, or a key in the address",
    validity=_VALIDITY,
    has_lookup=True,
)


class SinchGateway:
    """Sinch's SMS API; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    Args of the constructor:
        service_plan_id, api_token: the account's service plan.
        api_url: base URL, without a path; see `url_of`.
        sender: number, short code or sender id for messages that name none; empty for the plan's own.
        trust: by what callbacks are known to be Sinch's.
        project: for lookups.
        clock: the time, aware.
    """

    slug = "sinch"
    capabilities = CAPABILITIES

    def __init__(
        self,
        service_plan_id: str,
        api_token: str,
        api_url: str,
        sender: str,
        trust: callbacks.Trust,
        *,
        project: Project | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sender, self._trust, self._clock = sender, trust, clock
        self._plan = f"/xms/v1/{quote(service_plan_id, safe='')}"
        self._origin = httpx.URL(api_url)
        self._batches = self._origin.join(f"{self._plan}/batches")
        self._clients = HTTPClients(api_url, {"Authorization": f"Bearer {api_token}"})
        self._lookup = SinchLookup(project or Project(), clock)

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `sinch_codes`; a success nobody can read is
                ambiguous.
        """
        body = json_body(self._batch(sms))
        with self._clients.lend() as client, translate():
            answer = client.post(self._batches, content=body, headers=JSON)
        _raise_if_refused(answer)
        batch = json_object(answer.content)
        batch_id = words(batch.get("id"))
        if not batch_id:
            raise ERRORS.unreadable(answer.status_code)
        return Accepted(batch_id, MessageState.ACCEPTED, _TAKEN, sender=shown(words(batch.get("from"))))

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask for a batch's delivery report, by its id, else by our reference. None means that there is no such batch.

        Raises:
            SendError: Sinch could not be asked.
        """
        batch_id = query.provider_message_id or self._batch_of(query)
        return self._delivery(batch_id, query) if batch_id else None

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask about one number; see `sinch_lookup`.

        Raises:
            UnanswerableError: no project is configured.
            SendError: it could not be asked.
        """
        return self._lookup.look_up(e164)

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature, or the key in its address while no webhook secret is configured.

        Raises:
            SignatureError: not from Sinch.
        """
        self._trust.check(request, self._clock())

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified receipt."""
        return callbacks.read_status(request, attempt_id)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound SMS."""
        return callbacks.read_incoming(request)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()
        self._lookup.close()

    def _batch(self, sms: OutgoingSMS) -> dict[str, Any]:
        batch: dict[str, Any] = {
            "type": "mt_text",
            "to": [sms.to],
            "body": sms.body,
            "client_reference": sms.attempt_id,
            "callback_url": self._trust.address(sms.status_url),
            "delivery_report": "per_recipient",  # every other kind is silent until the end
        }
        if sender := sms.sender or self._sender:
            batch["from"] = sender
        if sms.valid_for is not None:
            shortest, longest = _VALIDITY
            batch["expire_at"] = _written(self._clock() + min(max(sms.valid_for, shortest), longest))
        if names := set(_PLACEHOLDER.findall(sms.body)):
            batch["parameters"] = {name: {"default": f"${{{name}}}"} for name in sorted(names)}  # stands for itself
        return batch

    def _batch_of(self, query: AttemptQuery) -> str:
        """Give the id of the batch with our reference, empty when there is none."""
        filters = {
            "client_reference": query.attempt_id,
            "start_date": _written(query.requested_at - _CLOCKS_DIFFER),  # a list begins a day ago if not told
        }
        answer = self._get(self._batches.copy_merge_params(filters))
        _raise_if_refused(answer)
        found = json_object(answer.content).get("batches")
        if not isinstance(found, list):
            raise TransientSendError("Sinch answered with a list nobody can read", code="unreadable_answer")
        batches = [mapping(batch) for batch in found]
        ids = [words(one.get("id")) for one in batches if words(one.get("client_reference")) == query.attempt_id]
        return next((batch_id for batch_id in ids if batch_id not in query.exclude), "")

    def _delivery(self, batch_id: str, query: AttemptQuery) -> StatusReport:
        """Ask for one recipient's report; while there is none the batch's fate is unknown, not undone."""
        path = f"{self._plan}/batches/{quote(batch_id, safe='')}/delivery_report/{quote(query.to, safe='')}"
        answer = self._get(self._origin.join(path))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return StatusReport(batch_id, MessageState.UNKNOWN, "not found", query.attempt_id)
        _raise_if_refused(answer)
        report = next(callbacks.reports(json_object(answer.content), query.attempt_id), None)
        if report is None:
            raise TransientSendError("Sinch answered with a report nobody can read", code="unreadable_answer")
        return report

    def _get(self, url: httpx.URL) -> httpx.Response:
        with self._clients.lend() as client, translate():
            return client.get(url)


def url_of(region: str) -> str:
    """Give the API's base URL in a region.

    Raises:
        ConfigurationError: there is no such region.
    """
    if region not in REGIONS:
        raise ConfigurationError(f"SINCH_REGION is none of {', '.join(REGIONS)}")
    return f"https://{region}.sms.api.sinch.com"


def _raise_if_refused(answer: httpx.Response) -> None:
    if not answer.is_success:
        code = words(json_object(answer.content).get("code"))
        raise ERRORS.refusal(answer.status_code, code, retry_after(answer.headers))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _build(values: Mapping[str, str]) -> SinchGateway:
    values = stripped(values)
    return SinchGateway(
        values["SINCH_SERVICE_PLAN_ID"],
        values["SINCH_API_TOKEN"],
        values["SINCH_API_URL"] or url_of(values["SINCH_REGION"]),
        values["SINCH_FROM"],
        callbacks.Trust(in_turn(values["SINCH_WEBHOOK_SECRETS"]), in_turn(values["SINCH_CALLBACK_KEYS"])),
        project=Project(
            values["SINCH_PROJECT_ID"],
            values["SINCH_KEY_ID"],
            values["SINCH_KEY_SECRET"],
            values["SINCH_AUTH_URL"],
            values["SINCH_LOOKUP_URL"],
        ),
    )


PLUGIN = GatewayPlugin(
    slug=SinchGateway.slug,
    capabilities=CAPABILITIES,
    settings=(
        GatewaySetting(
            "SINCH_SERVICE_PLAN_ID",
            "Service plan of the Sinch account; empty switches it off.",
            "5a1b…",
            is_required=True,
        ),
        GatewaySetting("SINCH_API_TOKEN", "API token of the service plan.", "0f1e…", is_required=True, is_secret=True),
        GatewaySetting("SINCH_REGION", "Where the service plan lives: us, eu, au, br or ca.", "eu", default="us"),
        GatewaySetting(
            "SINCH_FROM", "Sender number in E.164, or a sender id; empty for the plan's own.", "+12025550100"
        ),
        GatewaySetting(
            "SINCH_WEBHOOK_SECRETS",
            "Secrets of callbacks, comma-separated, newest first, once Sinch signs them.",
            "the-webhook-secret",
            is_secret=True,
        ),
        GatewaySetting(
            "SINCH_CALLBACK_KEYS",
            "Keys in the address of callbacks while they are not signed, comma-separated, newest first.",
            "0a1b2c3d",
            is_secret=True,
        ),
        GatewaySetting("SINCH_PROJECT_ID", "Project whose access key looks numbers up; empty for no lookups.", "8d2c…"),
        GatewaySetting("SINCH_KEY_ID", "Access key of that project.", "c3d4…"),
        GatewaySetting("SINCH_KEY_SECRET", "Secret of that access key.", "e5f6…", is_secret=True),
        GatewaySetting("SINCH_API_URL", "Sinch's SMS API, instead of the region's.", "https://eu.sms.api.sinch.com"),
        GatewaySetting("SINCH_AUTH_URL", "Where tokens for lookups come from.", AUTH_URL, default=AUTH_URL),
        GatewaySetting("SINCH_LOOKUP_URL", "Sinch's number lookup.", LOOKUP_URL, default=LOOKUP_URL),
    ),
    build=_build,
)
