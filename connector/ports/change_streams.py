"""How do services hear of changes from a CRM that lets them listen, instead of calling us?

A stream is one topic of one account. Its events come in an order and are kept by the CRM for some days, so that
somebody who was away can read on from the place reached. Nothing is acknowledged: whoever listens writes the place down
together with what was read up to there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connector.ports.crm import CRMAccount

MOST = 100
"""Events that may be asked for and not have come yet; the least any CRM's stream allows."""


@dataclass(frozen=True, slots=True)
class StreamedRow:
    """One thing to keep in the inbox.

    Attributes:
        external_id: the same whenever and however often the event comes.
        body: as `CRM.read_notice` understands it.
    """

    external_id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamedEvent:
    """One event of a stream, taken apart.

    Attributes:
        event_id: the CRM's own, the same for every copy.
        hole: what the CRM says is missing from the stream here, in words; empty where nothing is.
        unreadable: why it could not be taken apart; `rows` then has it as it came.
    """

    event_id: str
    rows: Sequence[StreamedRow]
    hole: str = ""
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that came together; none when the CRM only says that it is still there.

    Attributes:
        place: where to read on behind these events; opaque, empty where the CRM names none.
    """

    events: Sequence[StreamedEvent]
    place: str


class Stream(Protocol):
    """One topic of one account, being listened to by one thread."""

    def ask(self, count: int) -> None:
        """Say that there is room for `count` more events; never for more than `MOST` together with those pending."""
        ...

    def wait(self) -> Batch | None:
        """Wait for what comes next; None after `close`.

        Raises:
            PlaceLostError: the CRM no longer keeps what follows the place.
            CRMError: the stream broke, or is refused.
        """
        ...

    def close(self) -> None:
        """Stop listening; from any thread, and more than once."""
        ...


class ChangeStreams(Protocol):
    """Listens to a CRM."""

    def open(self, account: CRMAccount, topic: str, place: str) -> Stream:
        """Listen from behind a place, or from now on when it is empty; nothing comes before `ask`.

        Raises:
            CRMError: the account has no token, or an address that is none of the CRM's.
        """
        ...
