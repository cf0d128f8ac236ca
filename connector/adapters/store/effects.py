"""How is what journeys want done outside kept, leased and ended?"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, text, update

from connector.adapters.secrets import Vault
from connector.adapters.store.opening import key_is_here
from connector.adapters.store.rows import checked, insert_new, locked
from connector.adapters.store.tables import account
from connector.adapters.store.tables import effect as table
from connector.domain.documents import clean_text, from_document, to_document
from connector.errors import DecryptionError
from connector.ports.effects import EffectKind, EffectRow, EffectState

EFFECT_PAYLOAD, _ANSWER = "effect.payload", "effect.answer"
_OPEN = text("effect.state IN ('waiting', 'sending')")  # as in the partial index: a bound value hides it


class SQLEffectRepository:
    """Effects; payloads and answers are sealed. See `connector.ports.effects.EffectRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, effect: EffectRow) -> bool:
        """Insert; False when the account already has one with this key."""
        return insert_new(self._connection, table, [self._values(effect)]) == 1

    def claim(
        self, limit: int, now: datetime, lease_until: datetime, but_of: Collection[str] = ()
    ) -> Sequence[EffectRow]:
        """Lease up to `limit` effects that are due, of active accounts but for some, oldest first, as they were.

        One whose key is not here is left to those who have it until its time is over.
        """
        free = select(table).where(_free(now), or_(key_is_here(table.c.payload_sealed), table.c.expires_at <= now))
        if but_of:
            free = free.where(table.c.account_id.not_in(but_of))
        query = free.order_by(table.c.not_before, table.c.id).limit(limit)
        query = locked(self._connection, query, skip=True)
        rows = self._connection.execute(query, {"beginnings": self._vault.beginnings}).all()
        if rows:
            self._connection.execute(
                update(table)
                .where(table.c.id.in_([row.id for row in rows]))
                .values(state=EffectState.SENDING.value, lease_until=lease_until)
            )
        return [self._row(row) for row in rows]

    def postpone(self, effect_id: str, error: str, not_before: datetime, *, tried: bool = True) -> None:
        """Give one back, certainly not done; counts an attempt when it was tried."""
        self._connection.execute(
            update(table)
            .where(table.c.id == effect_id, _OPEN)
            .values(
                state=EffectState.WAITING.value,
                error=clean_text(error),
                not_before=not_before,
                lease_until=None,
                attempts=table.c.attempts + int(tried),
            )
        )

    def end(self, effect_id: str, state: EffectState, now: datetime, *, error: str = "", answer: Any = None) -> bool:
        """Mark one done or failed; False when it was so already."""
        query = select(table.c.account_id).where(table.c.id == effect_id, _OPEN)
        account_id = self._connection.execute(locked(self._connection, query, skip=False)).scalar()
        if account_id is None:
            return False
        self._connection.execute(
            update(table)
            .where(table.c.id == effect_id)
            .values(
                state=state.value,
                error=clean_text(error),
                answer_sealed=self._seal(account_id, _ANSWER, answer),
                ended_at=now,
                lease_until=None,
            )
        )
        return True

    def get(self, account_id: str, effect_id: str) -> EffectRow | None:
        """Read one."""
        found = self._read(select(table).where(table.c.id == effect_id, table.c.account_id == account_id))
        return found[0] if found else None

    def by_keys(self, account_id: str, keys: Sequence[str]) -> Mapping[str, EffectRow]:
        """Read an account's effects by key."""
        query = select(table).where(table.c.account_id == account_id, table.c.key.in_(keys))
        return {row.key: row for row in self._read(query)}

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        return self._connection.execute(select(table.c.id).where(_free(now)).limit(1)).first() is not None

    def revive(
        self, account_id: str, effect_ids: Sequence[str], kind: EffectKind, now: datetime, expires_at: datetime
    ) -> Sequence[str]:
        """Let an account's failed effects of a kind be tried anew; give the ids of those that will be."""
        is_meant = table.c.id.in_(effect_ids), table.c.account_id == account_id, table.c.kind == kind.value
        query = select(table.c.id).where(*is_meant, table.c.state == EffectState.FAILED.value).order_by(table.c.id)
        found = self._connection.execute(locked(self._connection, query, skip=False)).scalars().all()
        if found:
            fresh = {"state": EffectState.WAITING.value, "attempts": 0, "error": "", "ended_at": None}
            self._connection.execute(
                update(table).where(table.c.id.in_(found)).values(**fresh, not_before=now, expires_at=expires_at)
            )
        return found

    def failed(self, account_id: str | None, limit: int, kind: EffectKind | None = None) -> Sequence[EffectRow]:
        """Read those that failed, newest first."""
        query = select(table).where(table.c.state == EffectState.FAILED.value)
        if account_id is not None:
            query = query.where(table.c.account_id == account_id)
        if kind is not None:
            query = query.where(table.c.kind == kind.value)
        return self._read(query.order_by(table.c.ended_at.desc(), table.c.id.desc()).limit(limit))

    def _read(self, query: Select[Any]) -> Sequence[EffectRow]:
        return [self._row(row) for row in self._connection.execute(query)]

    def _seal(self, account_id: str, column: str, value: Any) -> bytes | None:
        return None if value is None else self._vault.seal(json.dumps(value), account=account_id, column=column)

    def _open(self, account_id: str, column: str, sealed: bytes | None) -> Any:
        return None if sealed is None else json.loads(self._vault.open(sealed, account=account_id, column=column))

    def _values(self, effect: EffectRow) -> dict[str, Any]:
        return {
            "id": effect.id,
            "account_id": effect.account_id,
            "kind": effect.kind.value,
            "key": effect.key,
            "channel": effect.channel,
            "enrollment_id": effect.enrollment_id,
            "contact_id": effect.contact_id,
            "path": effect.path,
            "payload_sealed": self._seal(effect.account_id, EFFECT_PAYLOAD, to_document(effect.payload)),
            "is_awaited": effect.is_awaited,
            "state": effect.state.value,
            "error": clean_text(effect.error),
            "answer_sealed": self._seal(effect.account_id, _ANSWER, effect.answer),
            "not_before": effect.not_before,
            "attempts": effect.attempts,
            "expires_at": effect.expires_at,
            "created_at": effect.created_at,
            "ended_at": effect.ended_at,
        }

    def _payload(self, row: Row[Any]) -> Mapping[str, Any] | None:
        """Open what is sent; None when it does not open, since one such row must not stop the lane for all."""
        try:
            payload: Mapping[str, Any] = from_document(self._open(row.account_id, EFFECT_PAYLOAD, row.payload_sealed))
        except (DecryptionError, ValueError):
            return None
        return payload

    def _row(self, row: Row[Any]) -> EffectRow:
        payload = self._payload(row)
        return EffectRow(
            id=row.id,
            account_id=row.account_id,
            kind=EffectKind(row.kind),
            key=row.key,
            channel=row.channel,
            payload=payload or {},
            is_readable=payload is not None,
            not_before=row.not_before,
            expires_at=row.expires_at,
            created_at=row.created_at,
            enrollment_id=row.enrollment_id,
            contact_id=row.contact_id,
            path=row.path,
            is_awaited=row.is_awaited,
            state=EffectState(row.state),
            error=row.error,
            # What a stranger answered stays as it is: no tag of ours in it means anything.
            answer=self._open(row.account_id, _ANSWER, row.answer_sealed),
            attempts=row.attempts,
            ended_at=row.ended_at,
        )


def _free(now: datetime) -> ColumnElement[bool]:
    is_active = checked(table.c.account_id).in_(select(account.c.id).where(account.c.status == "active"))
    is_free = or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    return and_(_OPEN, table.c.not_before <= now, is_free, is_active)
