"""How are attempts kept in memory?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.adapters.memory.message_shelf import ASK, REDACT, AttemptShelf, MessageShelf
from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.attempts import EVERY, AttemptRow, Gateways, PartRow


class MemoryAttemptRepository:
    """Attempts; see `connector.ports.attempts.AttemptRepository`."""

    def __init__(self, shelf: AttemptShelf, messages: MessageShelf, journal: Journal) -> None:
        self._shelf, self._messages = shelf, messages
        self._parts_by_attempt: Group[PartRow] = Group(lambda part: part.attempt_id)
        self._parts: Shelf[PartRow] = Shelf(journal, self._parts_by_attempt)

    def add(self, attempts: Sequence[AttemptRow]) -> None:
        """Insert attempts."""
        for attempt in attempts:
            self._put(attempt)

    def save(self, attempts: Sequence[AttemptRow]) -> None:
        """Write back what changed."""
        for attempt in attempts:
            known = self._shelf.rows.get(attempt.id)
            if known is not None and known.account_id == attempt.account_id:
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

    def named(self, gateway: str, provider_message_ids: Sequence[str]) -> Sequence[str]:
        """Give our ids of the attempts that a gateway's ids name."""
        wholes = {row.id for row in self.by_provider_ids(gateway, provider_message_ids).values()}
        parts = [self.part(gateway, name) for name in provider_message_ids]
        return sorted(wholes | {part.attempt_id for part in parts if part is not None})

    def of_messages(self, message_ids: Sequence[str]) -> Sequence[AttemptRow]:
        """Read all attempts of messages, oldest first."""
        by_message = self._shelf.by_message
        return self._shelf.of(sorted(id_ for message_id in message_ids for id_ in by_message.of(message_id)))

    def to_ask(
        self, now: datetime, limit: int, lease_until: datetime, gateways: Gateways = EVERY
    ) -> Sequence[AttemptRow]:
        """Read attempts whose fate is to be asked for now, and put their next asking off."""
        due = self._shelf.of(self._shelf.to_ask.first(ASK, now, sys.maxsize))
        open_ = [row for row in due if row.gateway in gateways]
        first = [row for row in open_ if row.is_urgent][: limit // 2]
        found = [*first, *(row for row in open_ if row not in first)][:limit]
        for row in found:
            self._shelf.put(row.id, replace(row, ask_at=lease_until))
        return found

    def any_to_ask(self, now: datetime) -> bool:
        """Tell whether any attempt's fate is to be asked for now."""
        return bool(self._shelf.to_ask.first(ASK, now, 1))

    def to_redact(self, now: datetime, limit: int, lease_until: datetime) -> Sequence[AttemptRow]:
        """Read attempts whose body the vendor is to forget now, and put their next try off."""
        found = self._shelf.of(self._shelf.to_redact.first(REDACT, now, limit))
        for row in found:
            self._shelf.put(row.id, replace(row, redact_at=lease_until))
        return found

    def any_to_redact(self, now: datetime) -> bool:
        """Tell whether the vendor is to forget any attempt's body now."""
        return bool(self._shelf.to_redact.first(REDACT, now, 1))

    def provider_ids_to(self, msisdn: str, since: datetime) -> frozenset[str]:
        """Give the gateway ids of all attempts to a number since a time."""
        ids = [row.id for row in self._messages.with_number(msisdn)]
        rows = [row for row in self.of_messages(ids) if row.requested_at >= since]
        return frozenset(row.provider_message_id for row in rows if row.provider_message_id is not None)

    def add_parts(self, parts: Sequence[PartRow]) -> None:
        """Insert the parts of long texts."""
        for part in parts:
            if (part.gateway, part.provider_message_id) not in self._parts.rows:
                self.move_part(part)

    def part(self, gateway: str, provider_message_id: str) -> PartRow | None:
        """Read a part by the gateway's id of it."""
        return self._parts.rows.get((gateway, provider_message_id))

    def parts_of(self, attempt_id: str) -> Sequence[PartRow]:
        """Read all parts of an attempt, the first one first."""
        return sorted(self._parts.of(self._parts_by_attempt.of(attempt_id)), key=lambda part: part.number)

    def move_part(self, part: PartRow) -> None:
        """Write back a part's state."""
        self._parts.put((part.gateway, part.provider_message_id), part)
