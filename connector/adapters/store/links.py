"""How are short links kept, and who followed them?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from connector.adapters.secrets import Vault
from connector.adapters.store.rows import insert_new, locked
from connector.adapters.store.tables import click, short_link
from connector.ports.links import MOST_CLICKS, ShortLinkRow

LINK_URL = "short_link.url"


class SQLLinkRepository:
    """Short links and clicks; addresses are sealed. See `connector.ports.links.LinkRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def add(self, links: Sequence[ShortLinkRow]) -> None:
        """Insert the links of a new message."""
        rows = [
            {
                "id": link.id,
                "account_id": link.account_id,
                "code": link.code,
                "name": link.name,
                "url_sealed": self._vault.seal(link.url, account=link.account_id, column=LINK_URL),
                "message_id": link.message_id,
                "contact_id": link.contact_id,
                "enrollment_id": link.enrollment_id,
                "created_at": link.created_at,
            }
            for link in links
        ]
        if rows:
            self._connection.execute(insert(short_link), rows)

    def by_code(self, code: str) -> ShortLinkRow | None:
        """Read the link behind a short address."""
        found = self._read(select(short_link).where(short_link.c.code == code))
        return found[0] if found else None

    def of_message(self, message_id: str) -> Sequence[ShortLinkRow]:
        """Read the links in a message's text, in the order of their names."""
        query = select(short_link).where(short_link.c.message_id == message_id)
        return self._read(query.order_by(short_link.c.name, short_link.c.id))

    def click(self, click_id: str, link: ShortLinkRow, at: datetime, *, is_person: bool) -> bool:
        """Note that a link was followed; tell whether a person did so for the first time.

        The link is held until commit, so that of two who follow it at once one is the first and the other the second.
        """
        held = select(short_link.c.id).where(short_link.c.id == link.id)
        self._connection.execute(locked(self._connection, held, skip=False))
        kept = select(click.c.is_person).where(click.c.link_id == link.id)
        known = self._connection.execute(kept.limit(MOST_CLICKS + 1)).scalars().all()
        is_first = is_person and not any(known)
        if is_first or len(known) < MOST_CLICKS:
            row = {"id": click_id, "account_id": link.account_id, "link_id": link.id, "at": at, "is_person": is_person}
            insert_new(self._connection, click, [row])
        return is_first

    def _read(self, query: Select[Any]) -> Sequence[ShortLinkRow]:
        return [self._row(row) for row in self._connection.execute(query)]

    def _row(self, row: Row[Any]) -> ShortLinkRow:
        return ShortLinkRow(
            id=row.id,
            account_id=row.account_id,
            code=row.code,
            name=row.name,
            url=self._vault.open_text(row.url_sealed, account=row.account_id, column=LINK_URL),
            message_id=row.message_id,
            created_at=row.created_at,
            contact_id=row.contact_id,
            enrollment_id=row.enrollment_id,
        )
