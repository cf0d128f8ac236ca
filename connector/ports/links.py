"""How do services read and write short links and who followed them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

MOST_CLICKS = 20
"""Clicks kept of one link. It is one person's: a few devices and previews make a handful, and only the first by a
person has consequences. Whoever has the link could otherwise fill the ledger without a key."""


@dataclass(frozen=True, slots=True)
class ShortLinkRow:
    """One link in one text to one person.

    Attributes:
        code: the last part of the short address; a secret of the text, never logged.
        name: what the template calls it, such as `payment`.
        url: where it leads; encrypted at rest; empty once the contact's data had to go.
    """

    id: str
    account_id: str
    code: str = field(repr=False)
    name: str
    url: str = field(repr=False)
    message_id: str
    created_at: datetime
    contact_id: str | None = None
    enrollment_id: str | None = None


class LinkRepository(Protocol):
    """Short links and clicks."""

    def add(self, links: Sequence[ShortLinkRow]) -> None:
        """Insert the links of a new message."""
        ...

    def by_code(self, code: str) -> ShortLinkRow | None:
        """Read the link behind a short address."""
        ...

    def of_message(self, message_id: str) -> Sequence[ShortLinkRow]:
        """Read the links in a message's text, in the order of their names."""
        ...

    def click(self, click_id: str, link: ShortLinkRow, at: datetime, *, is_person: bool) -> bool:
        """Note that a link was followed; tell whether a person did so for the first time.

        After `MOST_CLICKS` only a person's first is still kept.
        """
        ...
