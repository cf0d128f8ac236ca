"""What may a program ask about an account's texts, and which of them can still be stopped?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connector.domain.message import Direction, MessageState
from connector.domain.msisdn import normalise
from connector.errors import ConnectorError, InvalidNumberError
from connector.ports.attempts import AttemptRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.message_filters import MessageFilter
from connector.ports.messages import MessageRow, StateChange
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce
from connector.services.text_orders import UnusableOrderError

_STOPPABLE = frozenset({MessageState.HELD, MessageState.QUEUED})
"""From `dispatching` on a gateway may have it."""


class TooLateError(ConnectorError):
    """A text that cannot be stopped any more: a gateway may have it, or it has ended."""


@dataclass(frozen=True, slots=True)
class MessageStatus:
    """A text and every try to send it, oldest first."""

    message: MessageRow
    attempts: Sequence[AttemptRow]


class MessageDesk:
    """Answers for texts, always of one account."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    def status(self, account_id: str, message_id: str) -> MessageStatus | None:
        """Give an outbound text with its attempts; None when the account has none such."""
        with self._ledger.begin(write=False) as uow:
            message = _outbound(uow, account_id, message_id)
            return None if message is None else MessageStatus(message, uow.attempts.of_messages([message.id]))

    def listed(self, account_id: str, which: MessageFilter, limit: int) -> Sequence[MessageRow]:
        """Give outbound texts, newest first.

        Raises:
            UnusableOrderError: the number of the filter is none.
        """
        with self._ledger.begin(write=False) as uow:
            if which.msisdn is not None:
                which = replace(which, msisdn=number_of(uow, account_id, which.msisdn, "to"))
            return uow.messages.listed(account_id, which, limit)

    def conversation(self, account_id: str, number: str, limit: int, before_id: str | None) -> Sequence[MessageRow]:
        """Give what went to and came from a number, newest first.

        Raises:
            UnusableOrderError: it is no number.
        """
        with self._ledger.begin(write=False) as uow:
            msisdn = number_of(uow, account_id, number, "number")
            return uow.messages.conversation(account_id, msisdn, limit, before_id)

    def cancel(self, uow: UnitOfWork, account_id: str, message_id: str, by: str) -> MessageRow | None:
        """Stop a text; give it as it stands, cancelled before or now, or None when the account has none such.

        Raises:
            TooLateError: it cannot be stopped any more.
        """
        message, now = _outbound(uow, account_id, message_id), self._clock.now()
        if message is None or message.state is MessageState.CANCELLED:
            return message
        reason = f"cancelled by {by}"
        change = StateChange(message.id, message.state, MessageState.CANCELLED, reason)
        if message.state not in _STOPPABLE or not uow.messages.move([change], now):
            raise TooLateError("it cannot be stopped any more")
        announce(uow, [Moved(message, MessageState.CANCELLED, reason)], now)
        return replace(message, state=MessageState.CANCELLED, state_reason=reason, updated_at=now)


def number_of(uow: UnitOfWork, account_id: str, text: str, field: str) -> str:
    """Give a number as the ledger writes it, read as people of the account's country write numbers.

    `field` is what the API calls it.

    Raises:
        UnusableOrderError: it is no number.
    """
    region = uow.accounts.get(account_id).settings.get("default_region")
    try:
        return normalise(text, [str(region)] if region else []).e164
    except InvalidNumberError as error:
        raise UnusableOrderError(field, str(error)) from error


def _outbound(uow: UnitOfWork, account_id: str, message_id: str) -> MessageRow | None:
    message = uow.messages.get(account_id, message_id)
    return message if message is not None and message.direction is Direction.OUT else None
