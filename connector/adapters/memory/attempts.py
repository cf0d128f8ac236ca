"""How are attempts kept in memory?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.message_shelf import ASK, AttemptShelf, MessageShelf
from connector.ports.messages import AttemptRow


class MemoryAttemptRepository:
    """Attempts; see `connector.ports.messages.AttemptRepository`."""

    def __init__(self, shelf: AttemptShelf, messages: MessageShelf) -> None:
        self._shelf, self._messages = shelf, messages

    def add(self, attempts: Sequence[AttemptRow]) -> None:
        """Insert attempts."""
        for attempt in attempts:
            self._put(attempt)

    def save(self, attempts: Sequence[AttemptRow]) -> None:
        """Write back what changed."""
        for attempt in attempts:
            if attempt.id in self._shelf.rows:
                self._put(attempt)

    def _put(self, attempt: AttemptRow) -> None:
        others = self._shelf.of(self._shelf.by_provider_id.of(attempt.provider_message_id))
        if any(other.gateway == attempt.gateway and other.id != attempt.id for other in others):
            raise ValueError(f"another attempt has the id {attempt.gateway} gave to this one")
        self._shelf.put(attempt.id, attempt)

    def many(self, attempt_ids: Sequence[str]) -> Mapping[str, AttemptRow]:
        """Read attempts by id."""
        return {row.id: row for row in self._shelf.of(sorted(attempt_ids))}

    def by_provider_ids(self, gateway: str, provider_message_ids: Sequence[str]) -> Mapping[str, AttemptRow]:
        """Read attempts by the gateway's message ids."""
        return {
            name: row
            for name in provider_message_ids
            for row in self._shelf.of(self._shelf.by_provider_id.of(name))
            if row.gateway == gateway
        }

    def of_messages(self, message_ids: Sequence[str]) -> Sequence[AttemptRow]:
        """Read all attempts of messages, oldest first."""
        by_message = self._shelf.by_message
        return self._shelf.of(sorted(id_ for message_id in message_ids for id_ in by_message.of(message_id)))

    def to_ask(self, now: datetime, limit: int, lease_until: datetime) -> Sequence[AttemptRow]:
        """Read attempts whose fate is to be asked for now, and put their next asking off."""
        found = self._shelf.of(self._shelf.to_ask.first(ASK, now, limit))
        for row in found:
            self._shelf.put(row.id, replace(row, ask_at=lease_until))
        return found

    def any_to_ask(self, now: datetime) -> bool:
        """Tell whether any attempt's fate is to be asked for now."""
        return bool(self._shelf.to_ask.first(ASK, now, 1))

    def provider_ids_to(self, msisdn: str, since: datetime) -> frozenset[str]:
        """Give the gateway ids of all attempts to a number since a time."""
        ids = [row.id for row in self._messages.with_number(msisdn)]
        rows = [row for row in self.of_messages(ids) if row.requested_at >= since]
        return frozenset(row.provider_message_id for row in rows if row.provider_message_id is not None)
