"""How are short links kept in memory, and who followed them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from connector.adapters.memory.shelves import Group, Journal, Shelf
from connector.ports.links import MOST_CLICKS, ShortLinkRow


class _Click(NamedTuple):
    link_id: str
    is_person: bool


class MemoryLinkRepository:
    """Short links and clicks; see `connector.ports.links.LinkRepository`."""

    def __init__(self, journal: Journal) -> None:
        self._by_message: Group[ShortLinkRow] = Group(lambda link: link.message_id)
        self._by_contact: Group[ShortLinkRow] = Group(lambda link: (link.account_id, link.contact_id))
        self._links: Shelf[ShortLinkRow] = Shelf(journal, self._by_message, self._by_contact)
        self._by_people: Group[_Click] = Group(lambda click: click.link_id if click.is_person else None)
        self._by_link: Group[_Click] = Group(lambda click: click.link_id)
        self._clicks: Shelf[_Click] = Shelf(journal, self._by_people, self._by_link)

    def add(self, links: Sequence[ShortLinkRow]) -> None:
        """Insert the links of a new message."""
        for link in links:
            if link.code in self._links.rows:
                raise ValueError("this code belongs to another link")
            self._links.put(link.code, link)

    def by_code(self, code: str) -> ShortLinkRow | None:
        """Read the link behind a short address."""
        return self._links.rows.get(code)

    def of_message(self, message_id: str) -> Sequence[ShortLinkRow]:
        """Read the links in a message's text, in the order of their names."""
        return sorted(self._links.of(self._by_message.of(message_id)), key=lambda link: (link.name, link.id))

    def click(self, click_id: str, link: ShortLinkRow, at: datetime, *, is_person: bool) -> bool:  # noqa: ARG002 - times of clicks are on the timeline
        """Note that a link was followed; tell whether a person did so for the first time."""
        is_first = is_person and not self._by_people.of(link.id)
        if is_first or len(self._by_link.of(link.id)) < MOST_CLICKS:
            self._clicks.put(click_id, _Click(link.id, is_person))
        return is_first

    def erase(self, account_id: str, contact_id: str) -> None:
        """Erase where the links of a contact lead."""
        for link in self._links.of(self._by_contact.of((account_id, contact_id))):
            self._links.put(link.code, replace(link, url=""))
