"""May this organisation be called now, or are today's calls nearly used up?

An organisation has a number of API calls for any 24 hours, shared by every app of the customer's. Each answer says
how many are used (`Sforce-Limit-Info: api-usage=18/5000`); at the end every call, of every app, is refused with 403
(developer.salesforce.com, "API Request Limits and Allocations"). We stop before: the timeline first, and what texts
need (contacts, opt-outs) only at the very last.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connector.errors import CRMUnavailableError
from connector.ports.crm import CRMAccount
from connector.ports.time import Clock

RESERVE_SETTING = "api_reserve_percent"
RESERVE = 5.0
"""Percent of the day's calls left to the customer's other apps: of the smallest Enterprise quota that is 5,000 calls,
enough for an integration that runs every minute until an admin has looked."""

_LAST = 0.2  # of the reserve: reads and opt-outs stop there, at 1 % of the day
_LOOK_AGAIN = timedelta(minutes=15)  # the day rolls: then one call is let through, whose answer says how things stand
_PAUSE = timedelta(hours=1)  # as long as work refused here waits; calls come free by the hour
_USAGE = re.compile(r"(?:^|[\s;,])api-usage=([0-9]+)/([0-9]+)")


@dataclass(frozen=True, slots=True)
class Usage:
    """How many of the day's calls an organisation had used, and when it said so."""

    used: int
    allowed: int
    at: datetime


@dataclass(slots=True)
class OrgLimits:
    """Remembers what each organisation said last; safe to share between threads."""

    clock: Clock
    _usage: dict[str, Usage] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, account_id: str, header: str) -> None:
        """Remember the limit header of an answer; one that cannot be read is as good as none."""
        found = _USAGE.search(header)
        if found is not None and int(found[2]) > 0:
            with self._lock:
                self._usage[account_id] = Usage(int(found[1]), int(found[2]), self.clock.now())

    def note_gone(self, account_id: str) -> None:
        """Remember that a call was refused because no more are left."""
        with self._lock:
            known = self._usage.get(account_id)
            allowed = known.allowed if known is not None else 1
            self._usage[account_id] = Usage(allowed, allowed, self.clock.now())

    def usage(self, account_id: str) -> Usage | None:
        """Give what the organisation said last, None before its first answer."""
        with self._lock:
            return self._usage.get(account_id)

    def admit(self, account: CRMAccount, *, can_wait: bool) -> None:
        """Let a call through.

        Args:
            account: whose organisation.
            can_wait: for the timeline, which stops at the reserve; what texts need stops at a fifth of it.

        Raises:
            CRMUnavailableError: too few calls are left; the work waits for an hour.
        """
        usage = self.usage(account.account_id)
        if usage is None:
            return
        reserve = _reserve(account.settings) * (1.0 if can_wait else _LAST) / 100
        if usage.allowed - usage.used > usage.allowed * reserve:
            return
        with self._lock:
            if self.clock.now() - usage.at >= _LOOK_AGAIN:
                self._usage[account.account_id] = Usage(usage.used, usage.allowed, self.clock.now())
                return  # this one looks for all
        raise CRMUnavailableError(
            f"{usage.used} of the organisation's {usage.allowed} API calls of today are used; "
            "the rest is left to the customer's other apps",
            category="REQUEST_LIMIT_EXCEEDED",
            retry_after=_PAUSE,
        )


def _reserve(settings: Mapping[str, Any]) -> float:
    try:
        chosen = float(settings.get(RESERVE_SETTING, RESERVE))
    except (TypeError, ValueError):
        return RESERVE
    return chosen if 0 <= chosen < 100 else RESERVE
