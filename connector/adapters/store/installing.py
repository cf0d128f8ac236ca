"""How are attempts to install kept?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, update

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import install_attempt as table
from connector.ports.installing import InstallAttemptRow

VERIFIER = "install_attempt.verifier"


class SQLInstallRepository:
    """Attempts; verifiers are sealed, each for its own state: most attempts have no account yet.

    See `connector.ports.installing.InstallRepository`.
    """

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, attempt: InstallAttemptRow) -> None:
        """Insert an attempt."""
        self._connection.execute(
            insert(table).values(
                id=attempt.id,
                crm=attempt.crm,
                state_hash=attempt.state_hash,
                verifier_sealed=self._vault.seal(attempt.verifier, account=attempt.state_hash, column=VERIFIER),
                account_id=attempt.account_id,
                details=dict(attempt.details),
                created_at=attempt.created_at,
                expires_at=attempt.expires_at,
                used_at=attempt.used_at,
            )
        )

    def use(self, crm: str, state_hash: str, now: datetime) -> InstallAttemptRow | None:
        """Give the attempt with this state, once and in time."""
        is_good = table.c.crm == crm, table.c.state_hash == state_hash, table.c.used_at.is_(None)
        used = update(table).where(*is_good, table.c.expires_at > now).values(used_at=now).returning(*table.c)
        row = self._connection.execute(used).one_or_none()
        return None if row is None else self._attempt(row)

    def forget(self, before: datetime) -> int:
        """Delete attempts whose time was over before a time."""
        return self._connection.execute(delete(table).where(table.c.expires_at < before)).rowcount

    def _attempt(self, row: Row[Any]) -> InstallAttemptRow:
        return InstallAttemptRow(
            id=row.id,
            crm=row.crm,
            state_hash=row.state_hash,
            verifier=self._vault.open_text(row.verifier_sealed, account=row.state_hash, column=VERIFIER),
            account_id=row.account_id,
            details=row.details,
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )
