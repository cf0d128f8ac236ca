"""How are the secrets kept that outside systems show us on behalf of one account?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import account_secret
from connector.ports.account_secrets import AccountSecretRow

ACCOUNT_SECRET = "account_secret.secret"  # noqa: S105 - the name of a column


class SQLAccountSecretRepository:
    """Secrets of accounts, sealed; see `connector.ports.account_secrets.AccountSecretRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, secret: AccountSecretRow) -> None:
        """Insert a secret."""
        self._connection.execute(
            insert(account_secret).values(
                id=secret.id,
                account_id=secret.account_id,
                name=secret.name,
                hash=secret.hash,
                secret_sealed=self._vault.seal(secret.secret, account=secret.account_id, column=ACCOUNT_SECRET),
                created_at=secret.created_at,
                retires_at=secret.retires_at,
            )
        )

    def by_hash(self, hash_: str) -> AccountSecretRow | None:
        """Read the secret of this hash, valid or not, whichever account it belongs to."""
        query = select(account_secret).where(account_secret.c.hash == hash_)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._secret(row)

    def valid(self, account_id: str, name: str, now: datetime) -> Sequence[AccountSecretRow]:
        """Read what opens `name` for an account now, newest first."""
        table = account_secret
        is_valid = or_(table.c.retires_at.is_(None), table.c.retires_at > now)
        query = select(table).where(table.c.account_id == account_id, table.c.name == name, is_valid)
        rows = self._connection.execute(query.order_by(table.c.created_at.desc(), table.c.id.desc()))
        return [self._secret(row) for row in rows]

    def retire(self, account_id: str, secret_ids: Sequence[str], at: datetime) -> int:
        """Let secrets of an account open nothing from a time on; give how many of them it has."""
        is_theirs = account_secret.c.account_id == account_id, account_secret.c.id.in_(secret_ids)
        return self._connection.execute(update(account_secret).where(*is_theirs).values(retires_at=at)).rowcount

    def _secret(self, row: Row[Any]) -> AccountSecretRow:
        return AccountSecretRow(
            id=row.id,
            account_id=row.account_id,
            name=row.name,
            hash=row.hash,
            secret=self._vault.open_text(row.secret_sealed, account=row.account_id, column=ACCOUNT_SECRET),
            created_at=row.created_at,
            retires_at=row.retires_at,
        )
