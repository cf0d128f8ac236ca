"""Which messages does a list show?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connector.domain.message import MessageState


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which of an account's messages are meant; None leaves a side open.

    Attributes:
        before_id: only messages that come after this one of the account's in the list, the last of the page before.
    """

    state: MessageState | None = None
    msisdn: str | None = field(default=None, repr=False)
    since: datetime | None = None
    before_id: str | None = None
    journey: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which dead letters are meant; None leaves a side open.

    Attributes:
        gateway: of the last attempt.
        error_code: the gateway's code of the last attempt that failed, or `unknown` for texts nobody can tell the
            fate of.
        alive_at: only texts whose lifetime is not over then.
    """

    account_id: str | None = None
    gateway: str | None = None
    error_code: str | None = None
    since: datetime | None = None
    alive_at: datetime | None = None
