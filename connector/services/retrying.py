"""What becomes of a text whose try came to nothing: when, and how often, is it tried again?"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.gateway_book import GatewayBook
from connector.domain.message import ErrorClass, MessageState, Purpose
from connector.domain.receipt import may_resend
from connector.errors import SendError
from connector.ports.attempts import AttemptRow
from connector.ports.gateway import StatusReport
from connector.ports.messages import MessageRow

_ASK_SILENT_AFTER = timedelta(minutes=15)
"""Most receipts come within seconds; a quarter of an hour of silence means that one got lost."""

_ELSEWHERE_AFTER = timedelta(seconds=1)
"""Another gateway need not be spared, but a crowd that leaves a fallen one at the same instant is spread out."""

_RESEND_AFTER = timedelta(minutes=2)
"""A phone that was off or without coverage a moment ago: sooner it still is, later the text loses its worth."""


@dataclass(frozen=True, slots=True)
class Again:
    """Where a text goes after a failure, when it is looked at again, and why."""

    state: MessageState
    reason: str
    at: datetime


class Retries:
    """Decides by the rules of the book.

    Args of the constructor:
        has_other_way: tells whether a gateway that has not been tried yet could take a text now.
    """

    def __init__(
        self, book: GatewayBook, has_other_way: Callable[[MessageRow, Collection[str]], bool], rng: random.Random
    ) -> None:
        self._book, self._has_other_way, self._rng = book, has_other_way, rng

    def silence(self, purpose: Purpose) -> timedelta:
        """Say after how long without a receipt a gateway is asked for a text of a purpose."""
        return min(self._book.retry(purpose).unknown_after, _ASK_SILENT_AFTER)

    def patience(self, purpose: Purpose) -> timedelta:
        """Say how long a text nobody can tell the fate of is left alone."""
        return self._book.retry(purpose).unknown_after

    def may_retry(self, message: MessageRow) -> bool:
        """Say whether a text may be tried once more."""
        return self._book.retry(message.purpose).may_retry(message.recent_tries)

    def is_over(self, message: MessageRow, now: datetime) -> bool:
        """Say whether a text is not worth another try any more: its own lifetime has ended, or its purpose's."""
        ends = self._ends(message)
        return ends is not None and ends <= now

    def after_failure(self, message: MessageRow, error: SendError, tried: Collection[str], now: datetime) -> Again:
        """Decide about a text that certainly did not go out."""
        rule = self._book.retry(message.purpose)
        is_elsewhere = self._has_other_way(message, tried)
        if is_elsewhere:
            wait = _ELSEWHERE_AFTER * self._rng.random()
        else:
            wait = max(error.retry_after or timedelta(), rule.wait_after(max(1, message.recent_tries), self._rng))
        at = now + wait
        ends = self._ends(message)
        if ends is not None and ends <= at:
            return Again(MessageState.EXPIRED, f"{error}; its lifetime ends before the next try", at)
        if not rule.may_retry(message.recent_tries):
            return Again(MessageState.DEAD_LETTER, f"{error}; gave up after {message.recent_tries} tries", at)
        how = "another gateway is next" if is_elsewhere else f"try {message.recent_tries} of {rule.tries}"
        return Again(MessageState.QUEUED, f"{error}; {how}", at)

    def after_refusal(
        self, message: MessageRow, error: SendError, tried: Collection[str], now: datetime
    ) -> Again | None:
        """Decide about a text that a gateway refuses for good; None when no other one would take it either.

        A sender that one gateway may not use in a country is no matter of the others, which have senders of their own.
        """
        if error.error_class != ErrorClass.SENDER_OR_REGISTRATION or not self._has_other_way(message, tried):
            return None
        again = self.after_failure(message, error, tried, now)
        return again if again.state is MessageState.QUEUED else None

    def after_bad_end(
        self, message: MessageRow, attempts: Sequence[AttemptRow], report: StatusReport, now: datetime
    ) -> Again | None:
        """Decide whether a text that did not reach its phone for a passing reason is sent again; None for no.

        Once: the carrier has said no, so the first copy is gone; after the second no a person should look. `attempts`
        are all of the message's, the reported one included as it was before.
        """
        rule = self._book.retry(message.purpose)
        is_passing = report.error_class is ErrorClass.TRANSIENT and report.state is not MessageState.EXPIRED
        if not rule.resend_undelivered or not is_passing or not may_resend(message.state, report.state):
            return None
        if any(attempt.settled_at is not None for attempt in attempts) or not rule.may_retry(message.recent_tries):
            return None
        wait = timedelta(seconds=1) if message.purpose is Purpose.OTP else _RESEND_AFTER
        at, ends = now + wait, self._ends(message)
        if ends is not None and ends <= at:
            return None
        code = f" ({report.error_code})" if report.error_code else ""
        return Again(MessageState.QUEUED, f"not delivered for a passing reason{code}; it is sent once more", at)

    def _ends(self, message: MessageRow) -> datetime | None:
        """Say when a text is not worth another try."""
        lifetime = self._book.retry(message.purpose).lifetime
        ends = [message.expires_at, None if lifetime is None else message.alive_since + lifetime]
        return min((at for at in ends if at is not None), default=None)
