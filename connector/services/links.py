"""How does an address in a text become a short link of the recipient's own, and what follows when it is followed?

A click is a fact beside the state of its text, as a reply is: the trace, the journey that waits for it, the CRM's
record and what is known of good hours hear of it in the transaction that keeps it. Programs that look at links before
people do are kept apart; they are counted, and nothing follows from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from connector.domain.short_links import is_code, new_code, with_campaign
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.links import ShortLinkRow
from connector.ports.messages import MessageRow
from connector.ports.queue import JOURNEYS, writeback_lane
from connector.ports.records import RecordSubject
from connector.ports.rendering import LinkMaker, MadeLink
from connector.services.habits import note_answer


class LinkWriter:
    """Makes the links of texts.

    Args of the constructor:
        base_url: what short addresses begin with, before `/l/`.
        below: gives a random number under its argument that nobody can foresee.
    """

    def __init__(self, base_url: str, below: Callable[[int], int]) -> None:
        self._base_url, self._below = base_url.rstrip("/"), below

    def maker(self, journey: str, step: str) -> LinkMaker:
        """Give what makes the links of one text; where they lead is told which journey and step sent it."""

        def make(name: str, url: str) -> MadeLink:
            code = new_code(self._below)
            return MadeLink(name, code, with_campaign(url, journey, step), f"{self._base_url}/l/{code}")

        return make


def link_rows(message: MessageRow, made: Sequence[MadeLink], new_id: Callable[[], str]) -> list[ShortLinkRow]:
    """Make the rows that keep the links of a new message."""
    return [
        ShortLinkRow(
            id=new_id(),
            account_id=message.account_id,
            code=link.code,
            name=link.name,
            url=link.url,
            message_id=message.id,
            created_at=message.created_at,
            contact_id=message.contact_id,
            enrollment_id=message.enrollment_id,
        )
        for link in made
    ]


class LinkDesk:
    """Finds where short links lead, and notes who followed them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, code: str) -> ShortLinkRow | None:
        """Give the link behind a code; one that could be no code is not even looked up, one that was erased is none."""
        if not is_code(code):
            return None
        with self._ledger.begin(write=False) as uow:
            link = uow.links.by_code(code)
        return link if link is not None and link.url else None

    def note(self, uow: UnitOfWork, link: ShortLinkRow, at: datetime, *, is_person: bool) -> None:
        """Note one click, and what follows from the first one of a person."""
        if not uow.links.click(self._ledger.new_id(), link, at, is_person=is_person):
            return
        message = uow.messages.get(link.account_id, link.message_id)
        if message is None:
            return
        note_answer(uow, message, at)
        _show(uow, message, at)
        uow.timeline.add([_clicked(link, message, at)])
        if message.enrollment_id is not None:
            uow.enrollments.wake(message.account_id, enrollment_ids=[message.enrollment_id], now=at)
            uow.nudge(JOURNEYS)


def _show(uow: UnitOfWork, message: MessageRow, at: datetime) -> None:
    """Note the click beside the text's state and have the CRM show it."""
    uow.messages.set_engagement(message.id, clicked_at=at)
    for crm in uow.records.changed(message.account_id, RecordSubject.MESSAGE, [f"message:{message.id}"], at):
        uow.nudge(writeback_lane(crm))


def _clicked(link: ShortLinkRow, message: MessageRow, at: datetime) -> TimelineEntry:
    is_contact = message.recipient == "contact"
    return TimelineEntry(
        account_id=message.account_id,
        kind=EntryKind.LINK_CLICKED,
        subject=f"link:{link.id}",
        discriminator="",
        at=at,
        summary=f"{message.recipient} followed the link {link.name}",
        contact_id=message.contact_id if is_contact else None,
        enrollment_id=message.enrollment_id,
        message_id=message.id,
        path=message.step,
        data={"link": link.name},
    )
