"""How are API keys and the secrets of callbacks kept?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import api_key, callback_secret
from connector.ports.api_keys import APIKeyRow, APIScope, CallbackSecretRow

CALLBACK_SECRET = "callback_secret.secret"  # noqa: S105 - the name of a column
_SCOPES = frozenset(scope.value for scope in APIScope)


class SQLAPIKeyRepository:
    """Keys; see `connector.ports.api_keys.APIKeyRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: APIKeyRow) -> None:
        """Insert a key."""
        self._connection.execute(
            insert(api_key).values(
                id=key.id,
                account_id=key.account_id,
                name=key.name,
                prefix=key.prefix,
                hash=key.hash,
                scopes=sorted(scope.value for scope in key.scopes),
                per_minute=key.per_minute,
                created_at=key.created_at,
                last_used_at=key.last_used_at,
                expires_at=key.expires_at,
                revoked_at=key.revoked_at,
            )
        )

    def by_hash(self, hash_: str) -> APIKeyRow | None:
        """Read the key of this hash, valid or not, whichever account it belongs to."""
        row = self._connection.execute(select(api_key).where(api_key.c.hash == hash_)).one_or_none()
        return None if row is None else _key(row)

    def of_account(self, account_id: str) -> Sequence[APIKeyRow]:
        """Read an account's keys, oldest first."""
        query = select(api_key).where(api_key.c.account_id == account_id)
        return [_key(row) for row in self._connection.execute(query.order_by(api_key.c.created_at, api_key.c.id))]

    def revoke(self, account_id: str, key_id: str, now: datetime) -> bool:
        """Let a key open nothing any more; False when the account has none such, or it is revoked already."""
        is_theirs = api_key.c.id == key_id, api_key.c.account_id == account_id, api_key.c.revoked_at.is_(None)
        return self._connection.execute(update(api_key).where(*is_theirs).values(revoked_at=now)).rowcount == 1

    def used(self, key_id: str, now: datetime) -> None:
        """Note that a key was used."""
        self._connection.execute(update(api_key).where(api_key.c.id == key_id).values(last_used_at=now))


class SQLCallbackSecretRepository:
    """Secrets of callbacks, sealed; see `connector.ports.api_keys.CallbackSecretRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, secret: CallbackSecretRow) -> None:
        """Insert a secret."""
        sealed = self._vault.seal(secret.secret, account=secret.account_id, column=CALLBACK_SECRET)
        self._connection.execute(
            insert(callback_secret).values(
                id=secret.id,
                account_id=secret.account_id,
                secret_sealed=sealed,
                created_at=secret.created_at,
                retires_at=secret.retires_at,
            )
        )

    def valid(self, account_id: str, now: datetime) -> Sequence[CallbackSecretRow]:
        """Read what an account's callbacks are signed with now, newest first."""
        table = callback_secret
        is_valid = or_(table.c.retires_at.is_(None), table.c.retires_at > now)
        query = select(table).where(table.c.account_id == account_id, is_valid)
        rows = self._connection.execute(query.order_by(table.c.created_at.desc(), table.c.id.desc()))
        return [self._secret(row) for row in rows]

    def retire(self, secret_ids: Sequence[str], at: datetime) -> None:
        """Let secrets sign nothing from a time on."""
        self._connection.execute(
            update(callback_secret).where(callback_secret.c.id.in_(secret_ids)).values(retires_at=at)
        )

    def _secret(self, row: Row[Any]) -> CallbackSecretRow:
        clear = self._vault.open_text(row.secret_sealed, account=row.account_id, column=CALLBACK_SECRET)
        return CallbackSecretRow(row.id, row.account_id, clear, row.created_at, row.retires_at)


def _key(row: Row[Any]) -> APIKeyRow:
    return APIKeyRow(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        prefix=row.prefix,
        hash=row.hash,
        # A scope that another release knows and this one does not opens nothing here.
        scopes=frozenset(APIScope(scope) for scope in row.scopes if scope in _SCOPES),
        per_minute=row.per_minute,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
