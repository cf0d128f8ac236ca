"""Which access token speaks for an organisation right now?

An access token lives as long as the organisation's session settings say, and nothing tells how long that is: it is
used until Salesforce answers 401, then replaced once, by one thread of one process. With rotation the old refresh
token is dead as soon as a new one was given, so the new one is committed before the access token beside it is used
(help.salesforce.com, "OAuth 2.0 Refresh Token Flow").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from connector.adapters.crm.locks import Locks
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.refreshing import TIMEOUT, connected, decoded, demand_same_app, our_fault
from connector.adapters.crm.replaced_tokens import put_in_place
from connector.adapters.crm.salesforce.addresses import instance_url, is_salesforce
from connector.adapters.crm.salesforce.errors import reason
from connector.domain.account_status import CONNECTED_AT, connection_lost
from connector.errors import CRMDisconnectedError, CRMError, CRMUnavailableError
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.time import Clock

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path
_VENDOR = "Salesforce"

# The organisation took the app's right away. Everything else Salesforce says to a refresh is about our own settings:
# that must be mended, and must never disconnect every organisation at once.
_TERMINAL = frozenset({"invalid_grant", "inactive_user", "inactive_org"})
_BUSY = frozenset({"rate_limit_exceeded", "unknown_error", "server_error", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True)
class OrgTokens:
    """Finds, refreshes and stores tokens. Do not call it inside a write transaction: a refresh needs its own.

    Args:
        app: None when no account has a refresh token.
        url: of a double that stands for every organisation's own address; empty for the real ones.
    """

    ledger: Ledger
    clock: Clock
    locks: Locks
    http: httpx.Client
    app: OAuthApp | None
    url: str = ""

    def current(self, account_id: str) -> str:
        """Give the account's token; it may have died without anybody being told.

        Raises:
            CRMDisconnectedError: the account is unknown, disconnected, or was taken away just now.
            CRMUnavailableError: it has none yet and cannot be given one at the moment.
        """
        row = connected(self.ledger, account_id)
        return row.access_token or self._refreshed(account_id, refused=None)

    def renewed(self, account_id: str, refused: str) -> str:
        """Give another token than `refused`, which Salesforce did not take; one refresh, however many ask.

        Raises:
            CRMDisconnectedError: there is no other.
            CRMUnavailableError: it cannot be refreshed at the moment.
        """
        row = connected(self.ledger, account_id)
        if row.access_token and row.access_token != refused:
            return row.access_token  # another thread or process has done it already
        if row.refresh_token is None:
            raise CRMDisconnectedError("Salesforce does not take the account's token any more", status=401)
        return self._refreshed(account_id, refused=refused)

    def _refreshed(self, account_id: str, refused: str | None) -> str:
        with self.locks.hold(f"salesforce-token:{account_id}"):
            row = connected(self.ledger, account_id)  # whoever held the lock before has perhaps done it already
            if row.access_token and row.access_token != refused:
                return row.access_token
            try:
                answer = self._exchange(row)
            except CRMDisconnectedError as error:
                demand_same_app(_VENDOR, self.app, row)
                return self._disconnected(row, error)
            return self._save(row, answer)

    def _disconnected(self, used: AccountRow, error: CRMDisconnectedError) -> str:
        """Disconnect the account, unless the token refused was no longer its own: a lock may end by itself."""
        with self.ledger.begin() as work:
            # Written again as they are: whoever has others by now is found, and nobody stores others until the commit.
            newer = put_in_place(work, used, used.access_token, used.refresh_token, used.token_expires_at)
            if newer is not None:
                return newer
            if work.accounts.disconnect(used.id, used.settings.get(CONNECTED_AT), str(error)):
                work.timeline.add([connection_lost(used.id, str(error), self.clock.now())])
            work.commit()
        raise error

    def _exchange(self, row: AccountRow) -> Mapping[str, Any]:
        if self.app is None:
            raise our_fault(_VENDOR, "SALESFORCE_CLIENT_ID is needed to refresh a token")
        form = {
            "grant_type": "refresh_token",
            "client_id": self.app.client_id,
            "refresh_token": row.refresh_token or "",
            **({"client_secret": self.app.client_secrets[0]} if self.app.client_secrets else {}),
        }
        own = instance_url(row.settings)
        url = f"{self.url.rstrip('/') or own}{TOKEN_PATH}"
        headers = {"Host": urlsplit(own).netloc, "Accept": "application/json"}
        try:
            response = self.http.post(url, data=form, headers=headers, timeout=TIMEOUT)
        except httpx.HTTPError:
            raise CRMUnavailableError("token refresh: no answer from Salesforce") from None
        answer = decoded(response)
        if response.is_success and answer.get("access_token"):
            return answer
        raise _refusal(response.status_code, answer)

    def _save(self, used: AccountRow, answer: Mapping[str, Any]) -> str:
        """Keep what a refresh gave, unless the account has newer tokens, or none, by now."""
        token = str(answer["access_token"])
        kept = str(answer.get("refresh_token") or "") or used.refresh_token
        moved_to = str(answer.get("instance_url") or "").rstrip("/")
        with self.ledger.begin() as work:
            newer = put_in_place(work, used, token, kept, None)
            if newer is not None:
                return newer
            now = work.accounts.get(used.id)
            if is_salesforce(moved_to) and moved_to != now.settings.get("instance_url"):
                work.accounts.save_settings(used.id, {**now.settings, "instance_url": moved_to}, now.name)
            work.commit()
        return token


def _refusal(status: int, answer: Mapping[str, Any]) -> CRMError:
    word = str(answer.get("error") or "")
    said = {"errorCode": word, "message": answer.get("error_description")}
    text = f"token refresh: {reason(said) or f'HTTP {status}'}"
    if status in {400, 401, 403} and word in _TERMINAL:
        return CRMDisconnectedError(text, status=status, category=word)
    if 400 <= status < 500 and status != 429 and word not in _BUSY:
        return our_fault(_VENDOR, text, status=status, category=word)
    return CRMUnavailableError(text, status=status, category=word)
