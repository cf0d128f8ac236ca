"""What must every SMS gateway adapter be able to do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connector.domain.message import ErrorClass, MessageState, Purpose


class Handle(StrEnum):
    """By what a gateway can be asked about an attempt."""

    ID = "id"  # the gateway's own message id
    REFERENCE = "reference"  # our attempt id, which it keeps as the client's reference
    TEXT = "text"  # the recipient, the time and the body


@dataclass(frozen=True, slots=True)
class DLTRegistration:
    """What Indian carriers want to see with a text (TRAI, distributed ledger): the sender's and the text's entry."""

    entity_id: str
    template_id: str


@dataclass(frozen=True, slots=True)
class OutgoingSMS:
    """One SMS as handed to a gateway.

    Attributes:
        attempt_id: ours; travels in the callback URL and as client reference where the vendor has one.
        to: recipient, E.164.
        sender: sender id or None for the gateway's default.
        valid_for: after this the vendor must no longer deliver, or None.
        status_url: public URL for receipts; contains the attempt id.
        purpose: for gateways that treat codes, service texts and promotions differently.
        is_unicode: the text has a character outside the GSM alphabet, for gateways that want to be told.
        dlt: for texts to India, or None.
    """

    attempt_id: str
    to: str = field(repr=False)
    body: str = field(repr=False)
    sender: str | None
    status_url: str
    valid_for: timedelta | None = None
    purpose: Purpose = Purpose.TRANSACTIONAL
    is_unicode: bool = False
    dlt: DLTRegistration | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway's answer to a send it took.

    Attributes:
        provider_message_id: theirs, by which they can be asked; that of the first part where every part of a long text
            has one.
        part_ids: the ids under which receipts come, one per part, where they are others than `provider_message_id`
            alone; else empty.
    """

    provider_message_id: str
    state: MessageState
    raw_status: str
    sender: str | None = None
    segments: int | None = None
    price: Decimal | None = None
    currency: str | None = None
    part_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusReport:
    """One receipt, or one answer to a status query, in our words.

    Attributes:
        attempt_id: ours, from the callback URL, or None.
        provider_message_id: theirs.
        state: one of `domain.receipt.RECEIPT_STATES`.
        raw_status: the vendor's word, kept.
        carrier: the recipient's network as the vendor names it (`310260`, `Vodafone`), or None.
        sender: the number or sender id it goes out with, where the vendor chose one and tells; None when not told.
    """

    provider_message_id: str
    state: MessageState
    raw_status: str
    attempt_id: str | None = None
    error_code: str | None = None
    error_class: ErrorClass | None = None
    segments: int | None = None
    price: Decimal | None = None
    currency: str | None = None
    carrier: str | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Which part of a long incoming SMS this is, where the gateway hands the parts over one by one.

    Attributes:
        reference: the same for all parts of one SMS, as long as its sender does not write 255 others.
        number: 1 to `total`.
    """

    reference: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class IncomingSMS:
    """One SMS a person sent to one of our senders.

    Attributes:
        provider_message_id: theirs; a reply is one row per id.
        from_: E.164, with its plus.
        to: our sender: E.164 with its plus where it is a full number, else as it is.
        opt_out_handled: the vendor says that it has itself answered and recorded this STOP, START or HELP.
        piece: set when the body is only one part of what was written.
    """

    provider_message_id: str
    from_: str = field(repr=False)
    to: str
    body: str = field(repr=False)
    opt_out_handled: str | None = None
    piece: Piece | None = None


@dataclass(frozen=True, slots=True)
class AttemptQuery:
    """What is known of an attempt whose fate we ask for.

    Attributes:
        exclude: provider message ids that belong to other attempts, so that of two equal texts to one number
            each is found once.
    """

    attempt_id: str
    provider_message_id: str | None
    to: str = field(repr=False)
    sender: str | None
    body: str = field(repr=False)
    requested_at: datetime
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it arrived, for verification and reading; `url` is the public one.

    Of the headers, those that `SMSGateway.read_status` and `read_incoming` see again later are few (the content
    type): what they need stands in URL and body.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one gateway can do, as its adapter declares it; the contract suite holds it to its word.

    Attributes:
        vendor: the product's name.
        page: the vendor's page on it.
        most_characters: longest body of one send.
        most_unicode: longest body with a character outside the GSM alphabet, counted in UTF-16 units as carriers do.
        reference: where our attempt id travels: `field`, `url`, `field and url`, or empty for nowhere.
        receipts: how we hear of a text's fate: `callback`, `poll` (only by asking), or empty for never.
        has_incoming: it hands over texts that people write.
        asked_by: by what an attempt can be found again; empty when the gateway cannot be asked.
        price: where it tells what a text cost: `answer`, `receipt`, `query`, several of these, or empty.
        segments: where it tells how many segments it counted, likewise.
        verified_by: how its callbacks are known to be its own, in a few words; empty when it has none.
        validity: the shortest and longest time a text may wait with it, or None when it takes none.
        has_lookup: it can tell what kind of number a number is.
        has_dlt: it passes Indian registrations on.
        has_redaction: it can be made to forget the body of a text.
    """

    vendor: str
    page: str
    most_characters: int
    most_unicode: int
    reference: str
    receipts: str
    has_incoming: bool
    asked_by: frozenset[Handle]
    price: str
    segments: str
    verified_by: str
    validity: tuple[timedelta, timedelta] | None = None
    has_lookup: bool = False
    has_dlt: bool = False
    has_redaction: bool = False


class SMSGateway(Protocol):
    """One gateway. Safe to call from many threads at once."""

    slug: str
    capabilities: Capabilities

    def send(self, sms: OutgoingSMS) -> Accepted:
        """Hand one SMS over; exactly one HTTP request.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: see `connector.errors`.
        """
        ...

    def find(self, query: AttemptQuery) -> StatusReport | None:
        """Ask what became of an attempt, by provider id, else by number, time and body.

        Returns:
            The report, or None when the gateway has certainly never seen it.

        Raises:
            UnanswerableError: it cannot be asked about this attempt, neither now nor later.
            SendError: the gateway could not be asked; try later.
        """
        ...

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature by the vendor's scheme.

        Raises:
            UnsignedCallbackError: probably from them, but unsigned; sent again it will be signed.
            SignatureError: not from them.
        """
        ...

    def read_status(self, request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
        """Read a verified status callback; vendor words we do not know become `unknown`, never an error."""
        ...

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read a verified inbound callback."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class Redactor(Protocol):
    """A gateway that can be made to forget what was written. Safe to call from many threads at once.

    Attributes:
        redacts: it is configured to; where it is not, nothing is asked of it.
    """

    redacts: bool

    def redact(self, provider_message_id: str) -> None:
        """Empty the vendor's copy of a body; doing it again, or of a text it no longer has, is no mistake.

        Raises:
            PermanentSendError: it never will.
            SendError: not now, such as while the vendor still counts the text as under way.
        """
        ...
