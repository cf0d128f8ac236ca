"""How do we stand with an installed portal or organisation, and what may be done for it?"""

from __future__ import annotations

from enum import StrEnum


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
