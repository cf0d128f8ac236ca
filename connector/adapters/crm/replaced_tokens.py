"""Is what a refresh was told still about the tokens an account has?

A refresh takes seconds, and a lock may end by itself: meanwhile an admin may have connected the account again, another
process refreshed it, or somebody uninstalled it. What is newer stands.
"""

from __future__ import annotations

from connector.errors import CRMDisconnectedError, CRMUnavailableError
from connector.ports.ledger import AccountRow, UnitOfWork


def token_since(work: UnitOfWork, used: AccountRow) -> str | None:
    """Give the access token of an account that has other tokens by now than the row `used` for a refresh has; None
    while they are the same, and what the refresh was told may be written.

    Raises:
        CRMDisconnectedError: it has none any more.
        CRMUnavailableError: it was connected again and has no access token yet.
    """
    try:
        row = work.accounts.get(used.id)
    except KeyError:
        raise CRMDisconnectedError("there is no such account") from None
    if row.refresh_token == used.refresh_token:
        return None
    if row.access_token:
        return row.access_token
    if row.refresh_token:
        raise CRMUnavailableError("the account was connected again just now")
    raise CRMDisconnectedError("the account has no token")
