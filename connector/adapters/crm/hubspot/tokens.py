"""Which access token speaks for an account right now?

Private apps have one that stays. OAuth tokens live half an hour and are refreshed by the time they have left, one
process at a time; HubSpot may return another refresh token, so the returned one is always stored
(developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from connector.adapters.crm.hubspot.errors import of_answer, reason
from connector.adapters.crm.locks import Locks
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.refreshing import TIMEOUT, connected, decoded, demand_same_app, our_fault
from connector.adapters.crm.replaced_tokens import put_in_place
from connector.domain.account_status import ENDED, AccountStatus
from connector.errors import CRMDisconnectedError, CRMError, CRMUnavailableError
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.queue import MAINTENANCE
from connector.ports.time import Clock

_VENDOR = "HubSpot"
_ENOUGH = timedelta(minutes=5)  # a batch that waits for its rate and its answer must not outlive its token

# The portal took the app away. What else HubSpot says to a refresh passes, or is about our own settings: that must be
# mended, and must never disconnect every portal at once.
_TERMINAL = frozenset({"BAD_REFRESH_TOKEN", "BAD_HUB"})


@dataclass(frozen=True, slots=True)
class PortalTokens:
    """Finds, refreshes and stores tokens. Do not call it inside a write transaction: a refresh needs its own.

    Args:
        url: `https://api.hubapi.com`, or a double's.
        version: API version, such as `2026-09`.
        app: None when only private-app tokens are in use.
    """

    ledger: Ledger
    clock: Clock
    locks: Locks
    http: httpx.Client
    url: str
    version: str
    app: OAuthApp | None

    def token(self, account_id: str) -> str:
        """Give a token that lives for some minutes yet.

        Raises:
            CRMDisconnectedError: the account is unknown, disconnected, or was uninstalled just now.
            CRMUnavailableError: it cannot be refreshed at the moment.
        """
        row = connected(self.ledger, account_id)
        if self._is_fresh(row):
            return row.access_token or ""
        try:
            return self._refreshed(account_id, refused=None)
        except CRMUnavailableError:
            if row.access_token and self._left(row) > timedelta():
                return row.access_token  # five minutes old news: it still holds
            raise

    def renewed(self, account_id: str, refused: str) -> str:
        """Give another token than `refused`, which HubSpot did not take.

        Raises:
            CRMDisconnectedError: there is no other: a private app's token was revoked, or the app uninstalled.
        """
        row = connected(self.ledger, account_id)
        if row.refresh_token is None:
            if row.access_token and row.access_token != refused:
                return row.access_token  # somebody has just given the account a new one
            raise CRMDisconnectedError("HubSpot does not take the account's token any more", status=401)
        return self._refreshed(account_id, refused=refused)

    def _refreshed(self, account_id: str, refused: str | None) -> str:
        with self.locks.hold(f"hubspot-token:{account_id}"):
            row = connected(self.ledger, account_id)  # whoever held the lock before has perhaps done it already
            if row.access_token and row.access_token != refused and self._is_fresh(row):
                return row.access_token
            try:
                answer = self._exchange(row.refresh_token or "")
            except CRMDisconnectedError as error:
                demand_same_app(_VENDOR, self.app, row)
                return self._uninstalled(row, error)
            return self._save(row, answer)

    def _is_fresh(self, row: AccountRow) -> bool:
        return row.access_token is not None and (row.refresh_token is None or self._left(row) > _ENOUGH)

    def _left(self, row: AccountRow) -> timedelta:
        return row.token_expires_at - self.clock.now() if row.token_expires_at else timedelta()

    def _exchange(self, refresh_token: str) -> Mapping[str, Any]:
        if self.app is None:
            raise our_fault(_VENDOR, "HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRETS are needed to refresh a token")
        form = {
            "grant_type": "refresh_token",
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secrets[0],
            "refresh_token": refresh_token,
        }
        url = f"{self.url.rstrip('/')}/oauth/{self.version}/token"
        try:
            response = self.http.post(url, data=form, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            raise CRMUnavailableError("token refresh: no answer from HubSpot") from error
        answer = decoded(response)
        if response.is_success and answer.get("access_token"):
            return answer
        raise _refusal(response, answer)

    def _save(self, used: AccountRow, answer: Mapping[str, Any]) -> str:
        """Keep what a refresh gave, unless the account has newer tokens, or none, by now."""
        token = str(answer["access_token"])
        expires_at = self.clock.now() + timedelta(seconds=int(answer.get("expires_in") or 0))
        kept = str(answer.get("refresh_token") or "") or used.refresh_token
        with self.ledger.begin() as work:
            newer = put_in_place(work, used, token, kept, expires_at)
            work.commit()
        return newer or token

    def _uninstalled(self, used: AccountRow, error: CRMDisconnectedError) -> str:
        """End the account, unless the token refused was no longer its own: a lock may end by itself.

        HubSpot never tells of an uninstallation; that a refresh token is refused is the sign of it.
        """
        with self.ledger.begin() as work:
            newer = put_in_place(work, used, None, None, None)
            if newer is not None:
                return newer
            if work.accounts.get(used.id).status not in ENDED:
                work.accounts.set_status(used.id, AccountStatus.UNINSTALLED, str(error))
            work.nudge(MAINTENANCE)  # its texts and journeys are to end
            work.commit()
        raise error


def _refusal(response: httpx.Response, answer: Mapping[str, Any]) -> CRMError:
    """Say what a refusal means: the end of the grant, a fault of ours, or something that passes."""
    status, word = response.status_code, str(answer.get("status") or answer.get("error") or "")
    text = f"token refresh: {reason(answer) or word or f'HTTP {status}'}"
    if status == 400 and (word in _TERMINAL or answer.get("error") == "invalid_grant"):
        return CRMDisconnectedError(text, status=status, category=word)
    error = of_answer("token refresh", status, response.content, response.headers, is_repeatable=True)
    if isinstance(error, CRMUnavailableError):  # locked, throttled, moving, down; it knows how long to wait
        return error
    return our_fault(_VENDOR, text, status=status, category=word)
