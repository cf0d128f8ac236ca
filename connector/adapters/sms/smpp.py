"""How does one SMS go out over SMPP 3.4, and what do receipts and texts say that came in over it?

Binds live for hours and belong to one process, `smsctl smpp`, which sends its lanes itself and stores what the gateway
delivers. Every other process has this class without binds: it reads what was stored, and sends nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from connector.adapters.smpp import text as texts
from connector.adapters.smpp.deliveries import restored
from connector.adapters.smpp.frames import Command
from connector.adapters.smpp.pdu import (
    TON_INTERNATIONAL,
    TON_NATIONAL,
    TON_UNKNOWN,
    Address,
    MalformedBodyError,
    query,
    read_fate,
)
from connector.adapters.smpp.pool import Pool, Take
from connector.adapters.smpp.receipts import STAT_OF_STATE, is_receipt, read_receipt
from connector.adapters.sms.reading import e164, shown, storable, stripped
from connector.adapters.sms.smpp_codes import state_of
from connector.adapters.sms.smpp_settings import SETTINGS, SMPPOptions, options_of, pool_settings_of
from connector.adapters.sms.smpp_submits import VALIDITY, Submits, asked, source_of
from connector.domain.message import ErrorClass, MessageState
from connector.errors import ConfigurationError, SignatureError, TransientSendError, UnanswerableError
from connector.ports.gateway import (
    Accepted,
    AttemptQuery,
    CallbackRequest,
    Capabilities,
    Handle,
    IncomingSMS,
    OutgoingSMS,
    Piece,
    StatusReport,
)
from connector.ports.gateway_plugin import GatewayPlugin

_NO_BIND_WAIT = timedelta(seconds=60)  # until somebody has started the process that has binds

CAPABILITIES = Capabilities(
    vendor="SMPP 3.4",
    page="https://smpp.org/SMPP_v3_4_Issue1_2.pdf",
    most_characters=texts.MOST_PARTS * texts.UCS2_UNITS,
    most_unicode=texts.MOST_PARTS * texts.UCS2_UNITS,
    reference="",
    receipts="callback",
    has_incoming=True,
    asked_by=frozenset(),
    price="",
    segments="answer",
    verified_by="our own bind",
    validity=VALIDITY,
    has_dlt=True,
)


class SMPPGateway:
    """A gateway spoken to over SMPP; see `connector.ports.gateway.SMSGateway`. Safe to call from many threads.

    Args of the constructor:
        options: how texts are put.
        pool: the binds, in the process that has them; the gateway closes it.
    """

    slug = "smpp"

    def __init__(self, options: SMPPOptions, pool: Pool | None = None) -> None:
        self.capabilities = (
            replace(CAPABILITIES, asked_by=frozenset({Handle.ID})) if options.may_query else CAPABILITIES
        )
        self.pool = pool
        self._options = options
        self._submits = Submits(options)

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over, each of its parts after the one before was taken.

        Raises:
            PermanentSendError, TransientSendError: no part went out.
            AmbiguousSendError: the only part may have gone out, or some parts of a long text have and others not.
        """
        ids = self._submits.send(self._binds(), sms)
        return Accepted(
            ids[0],
            MessageState.ACCEPTED,
            "ESME_ROK",
            sender=shown(sms.sender or self._options.sender),
            segments=len(ids),
            part_ids=tuple(ids) if len(ids) > 1 else (),
        )

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask by the gateway's id, where it answers query_sm.

        Raises:
            UnanswerableError: it does not, or gave no id.
            SendError: it could not be asked, or not from this process.
        """
        if not self._options.may_query or not query.provider_message_id:
            raise UnanswerableError("SMPP gateways cannot be asked about this attempt", code="no_query")
        return self._ask(self._binds(), query, query.provider_message_id)

    def verify(self, request: CallbackRequest) -> None:  # noqa: ARG002 - the port's shape
        """Refuse: what this gateway delivers comes over our own binds, nothing of it over HTTP.

        Raises:
            SignatureError: always.
        """
        raise SignatureError("SMPP gateways deliver over their bind, not over HTTP")

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a stored receipt; its id is that of one part."""
        delivery = restored(request)
        receipt = read_receipt(delivery.message) if delivery is not None and is_receipt(delivery.message) else None
        if delivery is None or receipt is None:
            return ()
        report = StatusReport(
            delivery.message_id or storable(self._options.receipt_ids.of_receipt(receipt.message_id)),
            state_of(receipt.stat),
            receipt.stat,
            attempt_id=delivery.attempt_id or attempt_id,
            error_code=receipt.error,
            error_class=ErrorClass.UNKNOWN if receipt.error else None,  # each network has codes of its own
        )
        return (report,)

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a stored text that somebody wrote, or a part of one."""
        delivery = restored(request)
        if delivery is None or is_receipt(delivery.message):
            return ()
        message = delivery.message
        body, place = texts.read(message, self._options.alphabet)
        sms = IncomingSMS(
            delivery.id,
            _full(message.source, self._options.country_prefix),
            _full(message.destination, self._options.country_prefix),
            storable(body),
            piece=Piece(place.reference, place.number, place.total) if place is not None else None,
        )
        return (sms,)

    def close(self) -> None:
        """Unbind."""
        if self.pool is not None:
            self.pool.close()

    def _binds(self) -> Pool:
        if self.pool is None:
            raise TransientSendError(
                "this process has no binds; `smsctl smpp` has",
                code="no_bind",
                error_class=ErrorClass.CONFIG,
                retry_after=_NO_BIND_WAIT,
            )
        return self.pool

    def _ask(self, pool: Pool, query_: AttemptQuery, message_id: str) -> StatusReport:
        try:
            body = query(message_id, source_of(query_.sender or self._options.sender))
        except MalformedBodyError as exc:
            raise UnanswerableError(f"query_sm: {exc}", code="malformed") from None
        answer = asked(pool, Command.QUERY_SM, body, lambda _: None)
        try:
            fate = read_fate(answer.body)
        except MalformedBodyError as exc:
            raise TransientSendError(f"query_sm_resp: {exc}", code="unreadable_answer") from None
        stat = STAT_OF_STATE.get(fate.state, f"STATE {fate.state}")
        code = str(fate.error) if fate.error else None
        error_class = ErrorClass.UNKNOWN if code else None
        return StatusReport(
            message_id, state_of(stat), stat, query_.attempt_id, error_code=code, error_class=error_class
        )


def open_gateway(values: Mapping[str, str], take: Take, rng: random.Random | None = None) -> SMPPGateway:
    """Make the gateway with its binds, for the process that has them; `close` unbinds.

    Args:
        values: of `PLUGIN.settings`, by name.
        take: commits a callback of a kind (`status`, `inbound`) to the inbox, or raises; the gateway then delivers
            the receipt or text again.
        rng: for jitter.

    Raises:
        ConfigurationError: a value is wrong.
    """
    pool = open_pool(values, take, rng)
    return SMPPGateway(options_of(values), pool)


def open_pool(values: Mapping[str, str], take: Take, rng: random.Random | None = None) -> Pool:
    """Make the binds and begin to connect them; see `open_gateway`."""
    settings = pool_settings_of(values)
    if not settings.endpoints:
        raise ConfigurationError("SMPP_HOSTS is empty; give smsc.example.net:2775")
    pool = Pool(settings, take, rng)
    pool.start()
    return pool


def _full(address: Address, country_prefix: str) -> str:
    """Give a number with its plus where its kind says that it is whole, or what it lacks is known; else as it is."""
    number = address.number.strip()
    is_unsaid_but_whole = address.ton == TON_UNKNOWN and not number.startswith("0")
    if address.ton == TON_INTERNATIONAL or is_unsaid_but_whole:
        return e164(number)
    if address.ton == TON_NATIONAL and country_prefix and number.isdecimal():
        return e164(country_prefix + number.removeprefix("0"))
    return number


def _build(values: Mapping[str, str]) -> SMPPGateway:
    values = stripped(values)
    pool_settings_of(values)  # a mistake in the settings is told by every process, not only by the one with the binds
    return SMPPGateway(options_of(values))


PLUGIN = GatewayPlugin(
    slug=SMPPGateway.slug, capabilities=CAPABILITIES, settings=SETTINGS, build=_build, has_own_process=True
)
