"""Is what a refresh was told still about the tokens an account has?

A refresh takes seconds, and a lock may end by itself: meanwhile an admin may have connected the account again, another
process refreshed it, or somebody uninstalled it. What is newer stands.
"""

from __future__ import annotations

from datetime import datetime

from connector.adapters.crm.refreshing import opened
from connector.errors import CRMDisconnectedError, CRMUnavailableError
from connector.ports.ledger import AccountRow, UnitOfWork


def put_in_place(
    work: UnitOfWork, used: AccountRow, access_token: str | None, refresh_token: str | None, expires_at: datetime | None
) -> str | None:
    """Store tokens in place of those of the row `used` for a refresh, and hold the account until commit.

    None for both tokens forgets them.

    Returns:
        None; or, with nothing stored, the access token of an account that has other tokens by now.

    Raises:
        CRMDisconnectedError: it has none any more.
        CRMUnavailableError: it was connected again and has no access token yet, or one that cannot be opened here.
    """
    while not work.accounts.replace_tokens(used, access_token, refresh_token, expires_at):
        newer = _token_since(work, used)
        if newer is not None:
            return newer
    return None


def _token_since(work: UnitOfWork, used: AccountRow) -> str | None:
    """Give the access token of an account that has another refresh token by now; None while it has the same one.

    The same one may have been written anew just now, beside another access token.
    """
    row = opened(work, used.id)
    if row.refresh_token == used.refresh_token:
        return None
    if row.access_token:
        return row.access_token
    if row.refresh_token:
        raise CRMUnavailableError("the account was connected again just now")
    raise CRMDisconnectedError("the account has no token")
