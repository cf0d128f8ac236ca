"""How do services read and write attempts: the tries of a message through gateways?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from connector.domain.message import MessageState


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try through one gateway.

    Attributes:
        is_urgent: somebody waits for the text: its fate is asked for before that of others.
    """

    id: str
    account_id: str
    message_id: str
    gateway: str
    state: MessageState
    requested_at: datetime
    sender: str | None = None
    provider_message_id: str | None = None
    raw_status: str = ""
    error_class: str = ""
    error_code: str = ""
    price: Decimal | None = None
    currency: str | None = None
    segments: int | None = None
    answered_at: datetime | None = None
    ask_at: datetime | None = None
    asked: int = 0
    carrier: str = ""
    estimate: Decimal | None = None
    spent_on: str | None = None
    settled_at: datetime | None = None
    redact_at: datetime | None = None
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class PartRow:
    """One part of a long text whose gateway tells of every part by itself."""

    attempt_id: str
    gateway: str
    provider_message_id: str
    number: int
    state: MessageState


@dataclass(frozen=True, slots=True)
class Gateways:
    """Some gateways: those named, or all but those named; also such as are no longer in use."""

    names: frozenset[str] = frozenset()
    is_all_but: bool = True

    def __contains__(self, gateway: str) -> bool:
        """Tell whether a gateway is one of them."""
        return (gateway in self.names) is not self.is_all_but


EVERY = Gateways()


class AttemptRepository(Protocol):
    """Attempts."""

    def add_parts(self, parts: Sequence[PartRow]) -> None:
        """Insert the parts of long texts; those that are there already stay as they are."""
        ...

    def part(self, gateway: str, provider_message_id: str) -> PartRow | None:
        """Read a part by the gateway's id of it; whoever changes a part holds its attempt."""
        ...

    def parts_of(self, attempt_id: str) -> Sequence[PartRow]:
        """Read all parts of an attempt, the first one first."""
        ...

    def move_part(self, part: PartRow) -> None:
        """Write back a part's state."""
        ...

    def add(self, attempts: Sequence[AttemptRow]) -> None:
        """Insert attempts, as part of a claim."""
        ...

    def save(self, attempts: Sequence[AttemptRow]) -> None:
        """Write back what changed: state, provider id, errors, price, times."""
        ...

    def many(self, attempt_ids: Sequence[str]) -> Mapping[str, AttemptRow]:
        """Read attempts by id, locked until commit where the database can."""
        ...

    def by_provider_ids(self, gateway: str, provider_message_ids: Sequence[str]) -> Mapping[str, AttemptRow]:
        """Read attempts by the gateway's message ids."""
        ...

    def named(self, gateway: str, provider_message_ids: Sequence[str]) -> Sequence[str]:
        """Give our ids of the attempts that a gateway's ids name, of whole texts or of parts; locks nothing."""
        ...

    def of_messages(self, message_ids: Sequence[str]) -> Sequence[AttemptRow]:
        """Read all attempts of messages, oldest first."""
        ...

    def to_ask(
        self, now: datetime, limit: int, lease_until: datetime, gateways: Gateways = EVERY
    ) -> Sequence[AttemptRow]:
        """Read attempts whose fate is to be asked for now, and put their next asking off to `lease_until`.

        Urgent ones come first, up to half of `limit`; then the longest due ones.
        """
        ...

    def any_to_ask(self, now: datetime) -> bool:
        """Tell whether any attempt's fate is to be asked for now."""
        ...

    def to_redact(self, now: datetime, limit: int, lease_until: datetime) -> Sequence[AttemptRow]:
        """Read attempts whose body the vendor is to forget now, and put their next try off to `lease_until`."""
        ...

    def any_to_redact(self, now: datetime) -> bool:
        """Tell whether the vendor is to forget any attempt's body now."""
        ...

    def provider_ids_to(self, msisdn: str, since: datetime) -> frozenset[str]:
        """Give the gateway ids of all attempts to a number since a time, so that none is taken for another."""
        ...
