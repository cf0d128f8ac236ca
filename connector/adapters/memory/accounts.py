"""How are accounts kept in memory?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connector.adapters.memory.documents import kept
from connector.adapters.memory.shelves import Journal, Shelf
from connector.domain.account_status import CONNECTED_AT, ENDED, AccountStatus
from connector.ports.ledger import AccountRow

_NO_TOKENS: Mapping[str, Any] = {"access_token": None, "refresh_token": None, "token_expires_at": None}


class MemoryAccountRepository:
    """Accounts; see `connector.ports.ledger.AccountRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._shelf: Shelf[AccountRow] = Shelf(journal)

    def add(self, account: AccountRow) -> None:
        """Insert an account."""
        if any((each.crm, each.external_id) == (account.crm, account.external_id) for each in self.all()):
            raise ValueError(f"{account.crm} {account.external_id} is an account already")
        self._shelf.put(account.id, replace(account, settings=kept(account.settings)))

    def get(self, account_id: str) -> AccountRow:
        """Read one by our id, without its tokens; KeyError when there is none."""
        return replace(self._shelf.rows[account_id], **_NO_TOKENS)

    def with_tokens(self, account_id: str) -> AccountRow:
        """Read one by our id with its tokens; KeyError when there is none."""
        return self._shelf.rows[account_id]

    def by_external_ids(self, crm: str, external_ids: Sequence[str]) -> Mapping[str, str]:
        """Map installed external ids to our account ids."""
        wanted = frozenset(external_ids)
        return {each.external_id: each.id for each in self.all() if each.crm == crm and each.external_id in wanted}

    def installed(self, crm: str, external_ids: Sequence[str]) -> Mapping[str, str]:
        """Map external ids to our account ids, but for accounts that somebody ended."""
        found = self.by_external_ids(crm, external_ids)
        return {name: each for name, each in found.items() if self.get(each).status not in ENDED}

    def with_status(self, statuses: Collection[AccountStatus]) -> Sequence[str]:
        """Give the ids of the accounts with one of these statuses, oldest first."""
        return [each.id for each in self.all() if each.status in statuses]

    def all(self) -> Sequence[AccountRow]:
        """Read every account, oldest first, without their tokens."""
        rows = sorted(self._shelf.rows.values(), key=lambda account: account.id)
        return [replace(each, **_NO_TOKENS) for each in rows]

    def connected(self, account_ids: Collection[str] | None = None) -> Sequence[AccountRow]:
        """Read those that are active, without their tokens."""
        wanted = [each for each in self.all() if account_ids is None or each.id in account_ids]
        return [each for each in wanted if each.status == AccountStatus.ACTIVE]

    def save_tokens(
        self, account_id: str, access_token: str, refresh_token: str | None, expires_at: datetime | None
    ) -> None:
        """Store tokens."""
        self._change(account_id, access_token=access_token, refresh_token=refresh_token, token_expires_at=expires_at)

    def replace_tokens(
        self, used: AccountRow, access_token: str | None, refresh_token: str | None, expires_at: datetime | None
    ) -> bool:
        """Store tokens, or none, while the account has the refresh token of a row that was read."""
        account = self._shelf.rows.get(used.id)
        if account is None or account.refresh_token != used.refresh_token:
            return False
        self._change(used.id, access_token=access_token, refresh_token=refresh_token, token_expires_at=expires_at)
        return True

    def drop_tokens(self, account_id: str) -> None:
        """Forget tokens."""
        self._change(account_id, **_NO_TOKENS)

    def save_settings(self, account_id: str, settings: Mapping[str, Any], name: str) -> None:
        """Replace settings and name."""
        self._change(account_id, settings=kept(settings), name=name)

    def set_status(self, account_id: str, status: str, reason: str) -> None:
        """Set the status; one that somebody ended is never made `disconnected`."""
        account = self._shelf.rows.get(account_id)
        if status == AccountStatus.DISCONNECTED and account is not None and account.status in ENDED:
            return
        self._change(account_id, status=status, status_reason=reason)

    def disconnect(self, account_id: str, connected_at: str | None, reason: str) -> bool:
        """Make an active account `disconnected` while it has the connection that failed."""
        account = self._shelf.rows.get(account_id)
        if account is None or account.status != AccountStatus.ACTIVE:
            return False
        if account.settings.get(CONNECTED_AT) != connected_at:
            return False
        self._change(account_id, status=AccountStatus.DISCONNECTED, status_reason=reason)
        return True

    def uninstall(self, account_id: str, connected_at: str | None, reason: str) -> bool:
        """Make an account `uninstalled`, without tokens, while it has the connection that ended."""
        account = self._shelf.rows.get(account_id)
        if account is None or account.status == AccountStatus.ERASING:
            return False
        if account.settings.get(CONNECTED_AT) != connected_at:
            return False
        self._change(account_id, status=AccountStatus.UNINSTALLED, status_reason=reason, **_NO_TOKENS)
        return True

    def active(self) -> list[str]:
        """Give the ids of the accounts that are connected."""
        return [account.id for account in self._shelf.rows.values() if account.status == "active"]

    def _change(self, account_id: str, **values: Any) -> None:
        account = self._shelf.rows.get(account_id)
        if account is not None:
            self._shelf.put(account_id, replace(account, **values))
