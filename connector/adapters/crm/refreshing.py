"""What is the same for the tokens of every CRM when one is to be refreshed?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from connector.adapters.crm.oauth_app import OAuthApp
from connector.domain.account_status import AccountStatus
from connector.errors import CRMDisconnectedError, CRMUnavailableError, DecryptionError, MissingKeyError
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork

log = logging.getLogger(__name__)

CLIENT_ID = "oauth_client_id"
"""Names what an account's settings keep of the app it was installed with."""

TIMEOUT = httpx.Timeout(10.0, connect=3.05)
"""Of a call to a token endpoint, in seconds: it answers in tenths of one; others wait for the lock meanwhile."""

_OUR_FAULT_PAUSE = timedelta(minutes=5)  # a person has to mend a setting first


def connected(ledger: Ledger, account_id: str) -> AccountRow:
    """Read an account that has tokens.

    Raises:
        CRMDisconnectedError: there is no such account, it is disconnected, or it has no token that opens.
        CRMUnavailableError: the key of its tokens is not here.
    """
    with ledger.begin(write=False) as work:
        row = opened(work, account_id)
    if row.status == AccountStatus.DISCONNECTED:
        raise CRMDisconnectedError(f"the account is disconnected: {row.status_reason}")
    if not row.access_token and not row.refresh_token:
        raise CRMDisconnectedError("the account has no token")
    return row


def opened(work: UnitOfWork, account_id: str) -> AccountRow:
    """Read an account with its tokens.

    Tokens that are damaged are as good as none: connected again it has others. A key that is not here may be known to
    another process, or be set again: so it must not disconnect every account at once.

    Raises:
        CRMDisconnectedError: there is no such account, or a token of it is damaged.
        CRMUnavailableError: the key of its tokens is not here.
    """
    try:
        return work.accounts.with_tokens(account_id)
    except KeyError:
        raise CRMDisconnectedError("there is no such account") from None
    except MissingKeyError:
        log.error("the tokens of account %s were sealed with a key that is not in SECRET_KEYS", account_id)
        raise CRMUnavailableError(
            "the account's tokens were sealed with a key that is not in SECRET_KEYS", retry_after=_OUR_FAULT_PAUSE
        ) from None
    except DecryptionError:
        raise CRMDisconnectedError("the account's tokens are damaged here and cannot be opened") from None


def decoded(response: httpx.Response) -> Mapping[str, Any]:
    """Give what a token endpoint says; empty where it is no JSON object, as a proxy on the way may answer."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def demand_same_app(vendor: str, app: OAuthApp | None, row: AccountRow) -> None:
    """Raise where it is our own fault that a refresh token is refused: it was given to another app.

    A wrong client id must not end every account at once. One installed before its app was kept tells nothing.

    Raises:
        CRMUnavailableError: says what to do.
    """
    installed_with = row.settings.get(CLIENT_ID)
    if installed_with and app is not None and installed_with != app.client_id:
        raise our_fault(
            vendor,
            f"the account was installed with another app than {vendor.upper()}_CLIENT_ID names; "
            "set that one again, or install the account anew",
        )


def our_fault(vendor: str, text: str, *, status: int = 0, category: str = "") -> CRMUnavailableError:
    """Give the error for what a person has to mend in our settings, and say it aloud: it ends no account."""
    log.error("%s refuses our own credentials: %s", vendor, text)
    return CRMUnavailableError(text, status=status, category=category, retry_after=_OUR_FAULT_PAUSE)
