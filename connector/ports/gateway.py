"""What must every SMS gateway adapter be able to do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from connector.domain.message import ErrorClass, MessageState


@dataclass(frozen=True, slots=True)
class OutgoingSMS:
    """One SMS as handed to a gateway.

    Attributes:
        attempt_id: ours; travels in the callback URL and as client reference where the vendor has one.
        to: recipient, E.164.
        sender: sender id or None for the gateway's default.
        valid_for: after this the vendor must no longer deliver, or None.
        status_url: public URL for receipts; contains the attempt id.
    """

    attempt_id: str
    to: str
    body: str
    sender: str | None
    status_url: str
    valid_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway's answer to a send it took."""

    provider_message_id: str
    state: MessageState
    raw_status: str
    sender: str | None = None
    segments: int | None = None
    price: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """One receipt, or one answer to a status query, in our words.

    Attributes:
        attempt_id: ours, from the callback URL, or None.
        provider_message_id: theirs.
        state: one of `domain.receipt.RECEIPT_STATES`.
        raw_status: the vendor's word, kept.
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


@dataclass(frozen=True, slots=True)
class IncomingSMS:
    """One SMS a person sent to one of our senders.

    Attributes:
        provider_message_id: theirs; a reply is one row per id.
        opt_out_handled: the vendor says that it has itself answered and recorded this STOP, START or HELP.
    """

    provider_message_id: str
    from_: str
    to: str
    body: str
    opt_out_handled: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptQuery:
    """What is known of an attempt whose fate we ask for.

    Attributes:
        exclude: provider message ids that belong to other attempts, so that of two equal texts to one number
            each is found once.
    """

    attempt_id: str
    provider_message_id: str | None
    to: str
    sender: str | None
    body: str
    requested_at: datetime
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it arrived, for verification and reading; `url` is the public one."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class SMSGateway(Protocol):
    """One gateway. Safe to call from many threads at once."""

    slug: str

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
            SendError: the gateway could not be asked; try later.
        """
        ...

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback's signature by the vendor's scheme.

        Raises:
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
