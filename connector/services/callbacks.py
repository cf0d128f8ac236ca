"""How does whoever ordered a text hear what becomes of it?

Each move of a text that was ordered with a callback address becomes a row of the effects lane, in the transaction of
the move itself, so that a crash can forget none of them. The lane delivers it, tries again with backoff, and leaves it
failed, to be replayed, when its time is over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connector.domain.message import MessageState
from connector.ports.effects import EffectKind, EffectRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import EFFECTS
from connector.ports.time import Clock
from connector.services.shown_texts import shown_body

TRIED_FOR = timedelta(hours=24)
"""A program that is broken is mended within a working day; after that its people choose what to have replayed."""

ORDER = "order:"
"""Stands before the idempotency key of every order, so that none is taken for a journey's."""

_NOT_TOLD = frozenset({MessageState.QUEUED, MessageState.DISPATCHING, MessageState.RECEIVED})
"""How we work: whoever ordered a text has no use for it."""

_LONGEST_CHANNEL = 255  # characters, the width of the column


def tell_move(uow: UnitOfWork, message: MessageRow, state: MessageState, reason: str, now: datetime) -> None:
    """Let whoever ordered a text know that it moved; once per state and try. `message` is the row before the move.

    A text that a person has sent again comes to its states anew, be it without another try.
    """
    if message.callback_url is None or state in _NOT_TOLD:
        return
    again = "" if message.restarted_at is None else f":{int(message.restarted_at.timestamp() * 1000)}"
    key = f"callback:{message.id}:{state}:{message.tries}{again}"
    said = {"type": f"message.{state}", "at": _time(now), "message": _about(message) | _news(state, reason)}
    _want(uow, message, key, said, now)


def tell_reply(uow: UnitOfWork, reply: MessageRow, answered: MessageRow, now: datetime) -> None:
    """Let whoever ordered a text know that it was answered.

    Args:
        uow: the transaction in which the reply is kept.
        reply: the text that came in.
        answered: the text it answers, whose callback address is told.
        now: the present.
    """
    if answered.callback_url is None:
        return
    said = {
        "type": "message.replied",
        "at": _time(now),
        "message": _about(answered) | _news(answered.state, answered.state_reason),
        "reply": {"id": reply.id, "from": reply.msisdn, "to": reply.sender, "body": shown_body(reply)},
    }
    _want(uow, answered, f"callback:{answered.id}:reply:{reply.id}", said, now)


class CallbackReplay:
    """Shows callbacks that could not be delivered, and has them tried anew."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    def failed(self, account_id: str, limit: int) -> Sequence[EffectRow]:
        """Give an account's callbacks that could not be delivered, newest first."""
        with self._ledger.begin(write=False) as uow:
            return uow.effects.failed(account_id, limit, EffectKind.CALLBACK)

    def replay(self, account_id: str, effect_ids: Sequence[str]) -> Sequence[str]:
        """Have failed callbacks of an account tried anew, under the ids they had; give those that will be."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            revived = uow.effects.revive(account_id, effect_ids, EffectKind.CALLBACK, now, now + TRIED_FOR)
            if revived:
                uow.nudge(EFFECTS)
            uow.commit()
        return revived


def reference_of(message: MessageRow) -> str | None:
    """Give the idempotency key a text was ordered under, as it was given; None when none was."""
    if not message.idempotency_key.startswith(ORDER):
        return None
    key = message.idempotency_key.removeprefix(ORDER)
    return None if key == message.id else key


def _want(uow: UnitOfWork, message: MessageRow, key: str, said: Mapping[str, Any], now: datetime) -> None:
    url = message.callback_url or ""
    effect = EffectRow(
        id=_event_id(f"{message.account_id}:{key}", now),
        account_id=message.account_id,
        kind=EffectKind.CALLBACK,
        key=key,
        channel=_origin(url),
        payload={"url": url, "message_id": message.id, "data": said},
        not_before=now,
        expires_at=now + TRIED_FOR,
        created_at=now,
        contact_id=message.contact_id,
    )
    if uow.effects.add(effect):
        uow.nudge(EFFECTS)


def _about(message: MessageRow) -> dict[str, Any]:
    return {
        "id": message.id,
        "to": message.msisdn,
        "from": message.sender,
        "purpose": message.purpose.value,
        "segments": message.segments,
        "idempotency_key": reference_of(message),
    }


def _news(state: MessageState, reason: str) -> dict[str, str]:
    return {"state": state.value, "reason": reason}


def _origin(url: str) -> str:
    """Give scheme and host of an address: what may be shown of it, since its path may be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"[:_LONGEST_CHANNEL]


def _event_id(key: str, now: datetime) -> str:
    """Make the id of a callback, a UUIDv7 (RFC 9562) whose random part is the hash of its key.

    Whoever announces moves has no source of ids at hand, and the same callback wanted twice is one.
    """
    milliseconds = int(now.timestamp() * 1000) & 0xFFFFFFFFFFFF
    noise = int.from_bytes(hashlib.sha256(key.encode()).digest()[:10])
    value = milliseconds << 80 | 0x7 << 76 | (noise >> 62 & 0xFFF) << 64 | 0b10 << 62 | noise & (1 << 62) - 1
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
