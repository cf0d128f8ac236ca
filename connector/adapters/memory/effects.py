"""How is what journeys want done outside kept in memory, leased and ended?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connector.adapters.memory.accounts import MemoryAccountRepository
from connector.adapters.memory.documents import kept, kept_text
from connector.adapters.memory.shelves import Due, Group, Journal, Leased, Shelf, Turn, turn
from connector.ports.effects import EffectKind, EffectRow, EffectState

_OPEN_STATES = frozenset({EffectState.WAITING, EffectState.SENDING})

Effect = Leased[EffectRow]


def _waits(effect: Effect) -> Turn | None:
    return (
        turn(effect.row.account_id, effect.row.not_before, effect.lease_until)
        if effect.row.state in _OPEN_STATES
        else None
    )


class EffectShelf(Shelf[Effect]):
    """Effects by id."""

    def __init__(self, journal: Journal) -> None:
        self.waiting: Due[Effect] = Due(_waits)
        self.by_key: Group[Effect] = Group(lambda effect: (effect.row.account_id, effect.row.key))
        self.by_contact: Group[Effect] = Group(lambda effect: (effect.row.account_id, effect.row.contact_id))
        super().__init__(journal, self.waiting, self.by_key, self.by_contact)

    def erase(self, account_id: str, contact_id: str, reason: str, now: datetime) -> None:
        """Erase what was to be said of a contact and what was answered; what was not done yet never is."""
        for effect in self.of(self.by_contact.of((account_id, contact_id))):
            erased = replace(effect.row, payload={}, answer=None)
            if effect.row.state in _OPEN_STATES:
                erased = replace(erased, state=EffectState.FAILED, error=reason, ended_at=now)
            self.put(effect.row.id, Leased(erased))


class MemoryEffectRepository:
    """Effects; see `connector.ports.effects.EffectRepository`."""

    def __init__(self, shelf: EffectShelf, accounts: MemoryAccountRepository) -> None:
        self._shelf, self._accounts = shelf, accounts

    def add(self, effect: EffectRow) -> bool:
        """Insert; False when the account already has one with this key."""
        if self._shelf.by_key.of((effect.account_id, effect.key)):
            return False
        self._shelf.put(effect.id, Leased(replace(effect, payload=kept(effect.payload))))
        return True

    def claim(
        self, limit: int, now: datetime, lease_until: datetime, but_of: Collection[str] = ()
    ) -> Sequence[EffectRow]:
        """Lease up to `limit` effects that are due, of active accounts but for some, oldest first, as they were."""
        accounts = [account for account in self._accounts.active() if account not in but_of]
        due = [id_ for account in accounts for id_ in self._shelf.waiting.first(account, now, limit)]
        found = sorted(self._shelf.of(due), key=lambda effect: (effect.row.not_before, effect.row.id))[:limit]
        for effect in found:
            self._shelf.put(effect.row.id, Leased(replace(effect.row, state=EffectState.SENDING), lease_until))
        return [effect.row for effect in found]

    def postpone(self, effect_id: str, error: str, not_before: datetime, *, tried: bool = True) -> None:
        """Give one back, certainly not done; counts an attempt when it was tried."""
        row = self._open(effect_id)
        if row is not None:
            back = replace(
                row,
                state=EffectState.WAITING,
                error=kept_text(error),
                not_before=not_before,
                attempts=row.attempts + tried,
            )
            self._shelf.put(effect_id, Leased(back))

    def end(self, effect_id: str, state: EffectState, now: datetime, *, error: str = "", answer: Any = None) -> bool:
        """Mark one done or failed; False when it was so already."""
        row = self._open(effect_id)
        if row is None:
            return False
        ended = replace(row, state=state, error=kept_text(error), answer=answer, ended_at=now)
        self._shelf.put(effect_id, Leased(ended))
        return True

    def get(self, account_id: str, effect_id: str) -> EffectRow | None:
        """Read one."""
        effect = self._shelf.rows.get(effect_id)
        return effect.row if effect is not None and effect.row.account_id == account_id else None

    def by_keys(self, account_id: str, keys: Sequence[str]) -> Mapping[str, EffectRow]:
        """Read an account's effects by key."""
        by_key = self._shelf.by_key
        found = self._shelf.of(id_ for key in keys for id_ in by_key.of((account_id, key)))
        return {effect.row.key: effect.row for effect in found}

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        return any(self._shelf.waiting.first(account, now, 1) for account in self._accounts.active())

    def revive(
        self, account_id: str, effect_ids: Sequence[str], kind: EffectKind, now: datetime, expires_at: datetime
    ) -> Sequence[str]:
        """Let an account's failed effects of a kind be tried anew; give the ids of those that will be."""
        rows = [effect.row for effect in self._shelf.of(sorted(set(effect_ids)))]
        meant = account_id, kind, EffectState.FAILED
        failed = [row for row in rows if (row.account_id, row.kind, row.state) == meant]
        for row in failed:
            fresh = replace(row, state=EffectState.WAITING, attempts=0, error="", ended_at=None)
            self._shelf.put(row.id, Leased(replace(fresh, not_before=now, expires_at=expires_at)))
        return [row.id for row in failed]

    def failed(self, account_id: str | None, limit: int, kind: EffectKind | None = None) -> Sequence[EffectRow]:
        """Read those that failed, newest first."""
        rows = [effect.row for effect in self._shelf.rows.values() if effect.row.state is EffectState.FAILED]
        ours = [row for row in rows if account_id in {None, row.account_id} and kind in {None, row.kind}]
        return sorted(ours, key=lambda row: (row.ended_at, row.id), reverse=True)[:limit]

    def _open(self, effect_id: str) -> EffectRow | None:
        effect = self._shelf.rows.get(effect_id)
        return effect.row if effect is not None and effect.row.state in _OPEN_STATES else None
