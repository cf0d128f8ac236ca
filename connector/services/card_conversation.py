"""What was said between us and a person, and which texts did they not get, and why?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from connector.domain.gateway_book import GatewayBook
from connector.domain.message import Direction, Engagement
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.contacts import ContactRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.services.card_times import exact
from connector.services.shown_texts import shown_body
from connector.services.writeback_text import EXPLAINED, STATE_WORDS

PAGE = 30
"""Texts at once: more than a card shows without scrolling."""

NOT_SENT_SHOWN = 20
"""Refusals at once; an explanation that is older than twenty others is looked for with `smsctl explain`."""

BY = "card:"
"""Begins `ordered_by` of a text that a rep wrote on a card, before the rep's name."""

CONVERSATION = timedelta(hours=24)
"""How long after a person's last text an answer belongs to a conversation they began: messaging services that draw
such a line draw it after a day, and a reply the next morning is still one."""

_ENTRIES_READ = 500  # a year of decisions about a contact; the newest refusals are among them
_REFUSALS = frozenset({EntryKind.NOT_ENROLLED, EntryKind.ATTENTION_NEEDED})


class CardConversation:
    """Shows texts, and reasons why there are none.

    Args of the constructor:
        book: what texts cost, where the gateway has not said.
    """

    def __init__(self, book: GatewayBook) -> None:
        self._book = book

    def page(
        self, uow: UnitOfWork, contact: ContactRow, before_id: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Give up to `PAGE` texts to and from a contact's number, newest first, and where the next page begins.

        A contact without a number shows the texts it once had, without older pages.
        """
        account_id, number = contact.account_id, contact.msisdn
        if number is None:
            return [self.message(row) for row in uow.messages.of_contact(account_id, contact.id, PAGE)], None
        rows = uow.messages.conversation(account_id, number, PAGE, before_id)
        return [self.message(row) for row in rows], rows[-1].id if len(rows) == PAGE else None

    def message(self, row: MessageRow) -> dict[str, Any]:
        """Give one text as a card shows it; one-time codes are never shown."""
        is_out = row.direction is Direction.OUT
        return {
            "id": row.id,
            "direction": "outbound" if is_out else "inbound",
            "body": shown_body(row),
            "at": exact(row.created_at),
            "state": row.state.value,
            "label": STATE_WORDS[row.state].capitalize(),
            "reason": row.state_reason if row.state in EXPLAINED else "",
            "facts": _facts(row),
            "segments": row.segments,
            "price": self._price(row),
            "journey": row.journey,
            "sender": row.sender or "",
            "by": row.ordered_by.removeprefix(BY) if row.ordered_by.startswith(BY) else "",
        }

    def _price(self, row: MessageRow) -> dict[str, str] | None:
        """Give what a text cost; of one that left, the list price where its gateway has not told another."""
        if row.cost is not None:
            return {"amount": str(row.cost), "currency": row.currency or ""}
        if row.sent_at is None or row.direction is Direction.IN:
            return None
        listed = self._book.price(row.gateway, row.segments, row.country)
        return None if listed is None else {"amount": str(listed.amount), "currency": listed.currency}


def not_sent(uow: UnitOfWork, contact: ContactRow) -> list[dict[str, str]]:
    """Give the journeys that texted a contact nothing, and why, newest first.

    Texts that were made and then held back stand in the conversation, with their reason.
    """
    entries = uow.timeline.of_contact(contact.account_id, contact.id, _ENTRIES_READ)
    refusals = [entry for entry in entries if entry.kind in _REFUSALS and entry.data.get("journey")]
    newest = sorted(refusals, key=lambda entry: entry.at, reverse=True)[:NOT_SENT_SHOWN]
    return [
        {
            "at": exact(entry.at),
            "journey": str(entry.data["journey"]),
            "why": _why(entry),
            "where": f"{entry.file}:{entry.line}" if entry.file else entry.path,
        }
        for entry in newest
    ]


def is_conversation(recent: Sequence[MessageRow], now: datetime) -> bool:
    """Tell from texts to and from a number whether the person has written of late."""
    return any(row.direction is Direction.IN and now - row.created_at < CONVERSATION for row in recent)


def _why(entry: TimelineEntry) -> str:
    """Give the reason without the journey's name before it, which stands beside it."""
    return str(entry.data.get("reason") or entry.summary.removeprefix(f"Not enrolled in {entry.data['journey']}: "))


def _facts(row: MessageRow) -> list[str]:
    found = (
        (Engagement.REPLIED, row.replied_at),
        (Engagement.CLICKED, row.clicked_at),
        (Engagement.OPTED_OUT, row.opted_out_at),
    )
    return [fact.value for fact, at in found if at is not None]
