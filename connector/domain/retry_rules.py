"""How is a text of each purpose tried again: how often, after which waits, and for how long?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from connector.domain.message import Purpose
from connector.domain.retry import longest_wait


class Jitter(StrEnum):
    """How much of a wait is drawn by lot (Marc Brooker, "Exponential Backoff and Jitter", AWS, 2015)."""

    FULL = "full"  # all of it
    EQUAL = "equal"  # the second half
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How texts of one purpose are tried again.

    Attributes:
        tries: at most so many in all.
        base, cap: the wait doubles from one to the other.
        lifetime: no try begins later than this after the text was made; None leaves it to the text's own.
        resend_undelivered: a text that the carrier reports undelivered is sent again, through another gateway.
        unknown_after: a text about which nothing is heard for so long counts as unknown.
    """

    tries: int
    base: timedelta
    cap: timedelta
    lifetime: timedelta | None = None
    jitter: Jitter = Jitter.FULL
    resend_undelivered: bool = False
    unknown_after: timedelta = timedelta(days=1)

    def may_retry(self, tries: int) -> bool:
        """Say whether another try is allowed after `tries` failed ones."""
        return tries < self.tries

    def wait_after(self, tries: int, rng: random.Random) -> timedelta:
        """Give the wait after `tries` failed tries, at least one.

        Raises:
            ValueError: nothing has failed yet.
        """
        if tries < 1:
            raise ValueError(f"a wait follows a failed try, so tries is at least 1, not {tries}")
        ceiling = longest_wait(tries, self.base, self.cap)
        fixed = {Jitter.FULL: 0.0, Jitter.EQUAL: 0.5, Jitter.NONE: 1.0}[self.jitter]
        return ceiling * (fixed + (1 - fixed) * rng.random())


_PATIENT = RetryRule(
    tries=12,  # span about twelve minutes on average, which outlasts a gateway's deployment
    base=timedelta(seconds=2),  # longer than one rate-limit window of the gateways, a second
    cap=timedelta(minutes=5),  # a gateway that is back does not idle for long
    unknown_after=timedelta(days=1),  # phones are off overnight: sooner, silence means little
)

RETRIES: Mapping[Purpose, RetryRule] = MappingProxyType(
    {
        Purpose.OTP: RetryRule(
            tries=4,  # somebody looks at a form: what four tries do not bring is too late
            base=timedelta(seconds=1),  # they ask for a new code after half a minute, so the first retry is at once
            cap=timedelta(seconds=20),  # of ten minutes, no wait may take more than a few percent
            lifetime=timedelta(minutes=10),  # as long as codes are usually good for
            resend_undelivered=True,  # a second code does less harm than none
            unknown_after=timedelta(seconds=45),  # codes arrive within ten seconds or so; by then people lose patience
        ),
        # Not sent again by themselves: who texts wants to see at once that it did not arrive, and a journey may have
        # a better idea than the same text once more. The file can say otherwise.
        Purpose.TRANSACTIONAL: _PATIENT,
        Purpose.MARKETING: _PATIENT,
    }
)
"""What holds for a purpose that the file does not name."""
