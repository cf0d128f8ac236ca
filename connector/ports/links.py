"""How do services read and write short links and who followed them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ShortLinkRow:
    """One link in one text to one person.

    Attributes:
        code: the last part of the short address; a secret of the text, never logged.
        name: what the template calls it, such as `payment`.
        url: where it leads; encrypted at rest.
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

    def click(self, click_id: str, link: ShortLinkRow, at: datetime, *, is_person: bool) -> int:
        """Note that a link was followed; give how many times people have followed it by now."""
        ...
