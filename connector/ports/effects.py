"""How do services read and write what is wanted outside: notifications, hand-offs, calls to endpoints, callbacks?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class EffectKind(StrEnum):
    """What is to be done."""

    NOTIFY = "notify"
    HANDOFF = "handoff"
    CALL = "call"
    CALLBACK = "callback"  # tells whoever ordered a text how far it has come


class EffectState(StrEnum):
    """How far it has come."""

    WAITING = "waiting"
    SENDING = "sending"  # a request may be under way; what a dead worker leaves here may have been done
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One thing to be done outside, once.

    Attributes:
        key: of the action that asked for it; unique in the account, and sent along where the other side can use it.
        channel: a name of `mappings/channels.yaml`; of a callback the scheme and host of its address.
        path: of the step that asked for it.
        payload: what is sent: `title`, `text`, and for a call `data`; for a message to a contact `number` and what
            decides whether it may go there: `purpose`, `window`, `time_zones`, `country`; for a callback `url`,
            `message_id` and `data`. Encrypted at rest.
        is_readable: False when the payload cannot be opened; it is empty then.
        is_awaited: its enrollment waits to hear how it ended.
        answer: a call's JSON answer, or None; encrypted at rest.
        expires_at: not tried any more after this.
    """

    id: str
    account_id: str
    kind: EffectKind
    key: str
    channel: str
    payload: Mapping[str, Any] = field(repr=False)
    not_before: datetime
    expires_at: datetime
    created_at: datetime
    enrollment_id: str | None = None
    contact_id: str | None = None
    path: str = ""
    is_awaited: bool = False
    state: EffectState = EffectState.WAITING
    error: str = ""
    answer: Any = field(default=None, repr=False)
    attempts: int = 0
    ended_at: datetime | None = None
    is_readable: bool = True


class EffectRepository(Protocol):
    """Effects."""

    def add(self, effect: EffectRow) -> bool:
        """Insert; False when the account already has one with this key."""
        ...

    def claim(
        self, limit: int, now: datetime, lease_until: datetime, but_of: Collection[str] = ()
    ) -> Sequence[EffectRow]:
        """Lease up to `limit` effects that are due, of active accounts but for those of `but_of`, oldest first.

        They come in the state they were in before: one that is `SENDING` was left by a worker that died and may have
        been done. All of them are `SENDING` from now on.
        """
        ...

    def postpone(self, effect_id: str, error: str, not_before: datetime, *, tried: bool = True) -> None:
        """Give one back, certainly not done; counts an attempt when it was tried."""
        ...

    def end(self, effect_id: str, state: EffectState, now: datetime, *, error: str = "", answer: Any = None) -> bool:
        """Mark one done or failed; False when it was so already."""
        ...

    def get(self, account_id: str, effect_id: str) -> EffectRow | None:
        """Read one."""
        ...

    def by_keys(self, account_id: str, keys: Sequence[str]) -> Mapping[str, EffectRow]:
        """Read an account's effects by key."""
        ...

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        ...

    def failed(self, account_id: str | None, limit: int, kind: EffectKind | None = None) -> Sequence[EffectRow]:
        """Read those that failed, newest first."""
        ...

    def revive(
        self, account_id: str, effect_ids: Sequence[str], kind: EffectKind, now: datetime, expires_at: datetime
    ) -> Sequence[str]:
        """Let an account's failed effects of a kind be tried anew; give the ids of those that will be."""
        ...
