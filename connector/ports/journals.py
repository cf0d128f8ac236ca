"""What must a CRM's journal of past webhooks be able to do, for whoever was away when they came?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connector.domain.event import ChangeNotice


@dataclass(frozen=True, slots=True)
class JournalNotice:
    """One thing the journal tells.

    Attributes:
        external_account_id: the portal it happened in.
        notice: the change of a record; None for what is about our app itself.
        is_uninstall: somebody took our app out of the portal.
        occurred_at: when they did; None where the journal does not say.
    """

    external_account_id: str
    notice: ChangeNotice | None = None
    is_uninstall: bool = False
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Some of what happened, in all accounts together; `offset` is where to read on behind it.

    Attributes:
        unreadable: why what it tells could not be read, now or ever; empty when it could.
        is_away: it could not be read because what keeps it is down, or does not answer: that passes.
    """

    offset: str
    notices: Sequence[JournalNotice] = ()
    unreadable: str = ""
    is_away: bool = False


class Journal(Protocol):
    """The journal of one CRM. Every method raises `CRMError`s only."""

    def read(self, after: str) -> JournalEntry | None:
        """Give the entry behind an offset, the earliest kept for an empty one; None when there is none yet.

        Raises:
            PlaceLostError: the offset is no longer kept: what lies between it and the earliest entry is lost.
        """
        ...

    def follow(self, external_account_id: str, watched: Mapping[str, Sequence[str]]) -> int:
        """Have the journal kept for an account: by kind of record, its properties whose changes are to be told.

        Our app's being taken out is told as well. Repeating it is harmless. Gives how many subscriptions were made.
        """
        ...
