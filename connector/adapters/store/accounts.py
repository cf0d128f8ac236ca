"""How are accounts kept?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, null, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import account
from connector.domain.account_status import CONNECTED_AT, ENDED, AccountStatus
from connector.errors import DecryptionError
from connector.ports.ledger import AccountRow

_ACCESS, _REFRESH = "account.access_token", "account.refresh_token"
_IN_CLEAR = tuple(
    account.c[name]
    for name in ("id", "crm", "external_id", "name", "status", "status_reason", "settings", "created_at")
)
_NO_TOKENS = {"access_token_sealed": null(), "refresh_token_sealed": null(), "token_expires_at": null()}


class SQLAccountRepository:
    """Accounts; tokens are sealed. See `connector.ports.ledger.AccountRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, account_: AccountRow) -> None:
        """Insert an account."""
        self._connection.execute(
            insert(account).values(
                id=account_.id,
                crm=account_.crm,
                external_id=account_.external_id,
                name=account_.name,
                status=account_.status,
                status_reason=account_.status_reason,
                access_token_sealed=self._seal(account_.id, _ACCESS, account_.access_token),
                refresh_token_sealed=self._seal(account_.id, _REFRESH, account_.refresh_token),
                token_expires_at=account_.token_expires_at,
                settings=dict(account_.settings),
                created_at=account_.created_at,
            )
        )

    def get(self, account_id: str) -> AccountRow:
        """Read one by our id, without its tokens; KeyError when there is none."""
        query = select(*_IN_CLEAR).where(account.c.id == account_id)
        row = self._connection.execute(query).mappings().one_or_none()
        if row is None:
            raise KeyError(account_id)
        return AccountRow(**row)

    def with_tokens(self, account_id: str) -> AccountRow:
        """Read one by our id with its tokens; KeyError when there is none."""
        row = self._connection.execute(select(account).where(account.c.id == account_id)).one_or_none()
        if row is None:
            raise KeyError(account_id)
        return self._row(row)

    def by_external_ids(self, crm: str, external_ids: Sequence[str]) -> Mapping[str, str]:
        """Map installed external ids to our account ids."""
        query = select(account.c.external_id, account.c.id).where(
            account.c.crm == crm, account.c.external_id.in_(external_ids)
        )
        return {row.external_id: row.id for row in self._connection.execute(query)}

    def installed(self, crm: str, external_ids: Sequence[str]) -> Mapping[str, str]:
        """Map external ids to our account ids, but for accounts that somebody ended."""
        is_meant = account.c.crm == crm, account.c.external_id.in_(external_ids), account.c.status.not_in(ENDED)
        query = select(account.c.external_id, account.c.id).where(*is_meant)
        return {row.external_id: row.id for row in self._connection.execute(query)}

    def with_status(self, statuses: Collection[AccountStatus]) -> Sequence[str]:
        """Give the ids of the accounts with one of these statuses, oldest first."""
        query = select(account.c.id).where(account.c.status.in_(statuses)).order_by(account.c.id)
        return self._connection.execute(query).scalars().all()

    def all(self) -> Sequence[AccountRow]:
        """Read every account, oldest first, without their tokens."""
        query = select(*_IN_CLEAR).order_by(account.c.id)
        return [AccountRow(**row) for row in self._connection.execute(query).mappings()]

    def connected(self, account_ids: Collection[str] | None = None) -> Sequence[AccountRow]:
        """Read those that are active, without their tokens."""
        query = select(*_IN_CLEAR).where(account.c.status == AccountStatus.ACTIVE).order_by(account.c.id)
        if account_ids is not None:
            query = query.where(account.c.id.in_(account_ids))
        return [AccountRow(**row) for row in self._connection.execute(query).mappings()]

    def save_tokens(
        self, account_id: str, access_token: str, refresh_token: str | None, expires_at: datetime | None
    ) -> None:
        """Store tokens."""
        values = self._tokens(account_id, access_token, refresh_token, expires_at)
        self._connection.execute(update(account).where(account.c.id == account_id).values(values))

    def replace_tokens(
        self, used: AccountRow, access_token: str | None, refresh_token: str | None, expires_at: datetime | None
    ) -> bool:
        """Store tokens, or none, while the account has the refresh token of a row that was read.

        Sealed twice it looks different each time: so what is sealed now is compared, in the statement that stores.
        """
        column = account.c.refresh_token_sealed
        sealed = self._connection.execute(select(column).where(account.c.id == used.id)).scalar_one_or_none()
        try:
            if self._open(used.id, _REFRESH, sealed) != used.refresh_token:
                return False
        except DecryptionError:
            return False
        values = self._tokens(used.id, access_token, refresh_token, expires_at)
        changed = update(account).where(account.c.id == used.id, column.is_not_distinct_from(sealed)).values(values)
        return self._connection.execute(changed).rowcount == 1

    def drop_tokens(self, account_id: str) -> None:
        """Forget tokens."""
        self._connection.execute(update(account).where(account.c.id == account_id).values(_NO_TOKENS))

    def save_settings(self, account_id: str, settings: Mapping[str, Any], name: str) -> None:
        """Replace settings and name."""
        self._connection.execute(
            update(account).where(account.c.id == account_id).values(settings=dict(settings), name=name)
        )

    def set_status(self, account_id: str, status: str, reason: str) -> None:
        """Set the status; one that somebody ended is never made `disconnected`."""
        changed = update(account).where(account.c.id == account_id).values(status=status, status_reason=reason)
        if status == AccountStatus.DISCONNECTED:
            changed = changed.where(account.c.status.not_in(ENDED))
        self._connection.execute(changed)

    def disconnect(self, account_id: str, connected_at: str | None, reason: str) -> bool:
        """Make an active account `disconnected` while it has the connection that failed."""
        changed = (
            update(account)
            .where(account.c.id == account_id, account.c.status == AccountStatus.ACTIVE)
            .where(account.c.settings[CONNECTED_AT].as_string().is_not_distinct_from(connected_at))
            .values(status=AccountStatus.DISCONNECTED, status_reason=reason)
        )
        return self._connection.execute(changed).rowcount == 1

    def uninstall(self, account_id: str, connected_at: str | None, reason: str) -> bool:
        """Make an account `uninstalled`, without tokens, while it has the connection that ended."""
        changed = (
            update(account)
            .where(account.c.id == account_id, account.c.status != AccountStatus.ERASING)
            .where(account.c.settings[CONNECTED_AT].as_string().is_not_distinct_from(connected_at))
            .values(status=AccountStatus.UNINSTALLED, status_reason=reason, **_NO_TOKENS)
        )
        return self._connection.execute(changed).rowcount == 1

    def _tokens(
        self, account_id: str, access_token: str | None, refresh_token: str | None, expires_at: datetime | None
    ) -> Mapping[str, Any]:
        return {
            "access_token_sealed": self._seal(account_id, _ACCESS, access_token),
            "refresh_token_sealed": self._seal(account_id, _REFRESH, refresh_token),
            "token_expires_at": expires_at,
        }

    def _seal(self, account_id: str, column: str, clear: str | None) -> bytes | None:
        return None if clear is None else self._vault.seal(clear, account=account_id, column=column)

    def _open(self, account_id: str, column: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else self._vault.open_text(sealed, account=account_id, column=column)

    def _row(self, row: Row[Any]) -> AccountRow:
        return AccountRow(
            id=row.id,
            crm=row.crm,
            external_id=row.external_id,
            name=row.name,
            status=row.status,
            status_reason=row.status_reason,
            settings=row.settings,
            created_at=row.created_at,
            access_token=self._open(row.id, _ACCESS, row.access_token_sealed),
            refresh_token=self._open(row.id, _REFRESH, row.refresh_token_sealed),
            token_expires_at=row.token_expires_at,
        )
