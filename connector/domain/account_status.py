"""How do we stand with an installed portal or organisation, and what may be done for it?"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from connector.domain.timeline import EntryKind, TimelineEntry


class AccountStatus(StrEnum):
    """Where an account is between its installation and the end of its data."""

    ACTIVE = "active"
    DISCONNECTED = "disconnected"  # its token is refused: everything waits a day for somebody to connect it again
    LEAVING = "leaving"  # somebody wants it uninstalled and the CRM has not been told yet; nothing new goes out
    UNINSTALLED = "uninstalled"  # no token, no journey, no text; its data is kept until it is asked to be erased
    ERASING = "erasing"  # its data is on its way out; the account ends with it


ENDED = frozenset({AccountStatus.LEAVING, AccountStatus.UNINSTALLED, AccountStatus.ERASING})
"""Those that somebody ended: texts are cancelled, journeys ended, and what the CRM still sends is not kept. No failing
call makes one of them `disconnected`; only an installation makes an account active again."""

CONNECTED_AT = "connected_at"
"""Kept with the settings of an account that was connected again: when that was last. It tells one connection from the
one before, whose failing calls say nothing about it."""


def connection_lost(account_id: str, reason: str, now: datetime) -> TimelineEntry:
    """Give the entry by which a person learns that an account waits to be connected again."""
    return TimelineEntry(
        account_id=account_id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject=f"account:{account_id}",
        discriminator=f"disconnected:{now.isoformat()}",
        at=now,
        summary=f"The CRM lets us in no more, and everything waits until the account is connected again: {reason}",
    )
