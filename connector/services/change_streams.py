"""How does what a stream of a CRM's changes brings get into the inbox: everything, and once?

The place reached is written in the transaction that keeps what was read up to there. A process that dies between the
two, or two that listen for a moment side by side, therefore read something again and never miss anything; what comes
again is known by its id. What the stream itself cannot tell any more is a hole: a person is told, and the back-fill,
which looks every quarter of an hour anyway, looks at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMRefusedError, PlaceLostError
from connector.ports.change_streams import MOST, Batch, ChangeStreams, Stream, StreamedEvent
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.queue import EVENTS
from connector.ports.time import Clock
from connector.services.crm_reading import acting_for
from connector.services.events import ACTIVE

log = structlog.get_logger(__name__)

KIND = "stream"
_TIP = ""  # a place: the stream was begun and has not said yet where it stands
_ASKED_AGAIN_AT = MOST // 2  # events still to come: earlier, requests would be many; later, the stream would pause


class StreamReader:
    """Listens to one stream at a time; thread-safe, so that each stream has a thread.

    Args:
        hasten: has the back-fill look at an account at once; called inside the transaction that tells of a hole.
    """

    def __init__(
        self,
        ledger: Ledger,
        streams: ChangeStreams,
        hasten: Callable[[UnitOfWork, AccountRow], None],
        clock: Clock,
    ) -> None:
        self._ledger, self._streams, self._hasten, self._clock = ledger, streams, hasten, clock

    def follow(self, account_id: str, topic: str, opened: Callable[[Stream], None], heard: Callable[[], None]) -> None:
        """Listen until the stream is closed, or the account is not active any more.

        Args:
            account_id: ours.
            topic: as the CRM calls it.
            opened: is given the stream, which it may close at any time, from any thread.
            heard: is called whenever something came and is kept.

        Raises:
            CRMError: the stream broke or is refused; try again.
        """
        account, place = self._begin(account_id, topic)
        if account.status != ACTIVE:
            return
        stream = self._streams.open(acting_for(account), topic, place)
        opened(stream)
        try:
            self._listen(account_id, topic, stream, heard)
        except PlaceLostError as error:
            self._lost(account_id, topic, place, error)
        finally:
            stream.close()

    def _listen(self, account_id: str, topic: str, stream: Stream, heard: Callable[[], None]) -> None:
        """Keep what comes, and ask for more as room is made.

        What is still to come is counted here: what the CRM says of it does not know of questions on their way.
        """
        pending = MOST
        stream.ask(MOST)
        while (batch := stream.wait()) is not None and self._keep(account_id, topic, batch):
            heard()
            pending -= len(batch.events)
            if pending <= _ASKED_AGAIN_AT:
                stream.ask(MOST - pending)
                pending = MOST

    def refused(self, account_id: str, topic: str, error: CRMRefusedError) -> None:
        """Show a person, once a day, that the CRM does not let us listen."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            summary = f"The CRM refuses the stream {topic}: {error}"
            uow.timeline.add([_attention(account_id, topic, f"refused:{now.date()}", summary, now)])
            uow.commit()

    def _begin(self, account_id: str, topic: str) -> tuple[AccountRow, str]:
        """Give the account and where to read on; whoever begins anew without a place may have missed something."""
        with self._ledger.begin() as uow:
            account = uow.accounts.get(account_id)
            place = uow.cursors.get(account_id, _cursor(topic))
            if place is None:
                uow.cursors.set(account_id, _cursor(topic), _TIP, self._clock.now())
            elif place == _TIP:
                self._hasten(uow, account)
            uow.commit()
        return account, place or _TIP

    def _keep(self, account_id: str, topic: str, batch: Batch) -> bool:
        """Keep what came together with the place behind it; False when the account is not active any more."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            account = uow.accounts.get(account_id)
            if account.status != ACTIVE:
                return False
            readable = [each for each in batch.events if not each.unreadable]
            rows = [row for each in readable for row in self._rows(account, each, account.crm, now)]
            if rows and uow.inbox.add_new(rows):
                uow.nudge(EVENTS)
            self._note_holes(uow, account, topic, batch.events, now)
            if batch.place:
                uow.cursors.set(account_id, _cursor(topic), batch.place, now)
            uow.commit()
        return True

    def _rows(self, account: AccountRow, event: StreamedEvent, source: str, now: datetime) -> list[InboxRow]:
        context = {"reason": event.unreadable} if event.unreadable else {}
        return [
            InboxRow(self._ledger.new_id(), account.id, source, row.external_id, row.body, context, now)
            for row in event.rows
        ]

    def _note_holes(
        self, uow: UnitOfWork, account: AccountRow, topic: str, events: Sequence[StreamedEvent], now: datetime
    ) -> None:
        """Tell of what is missing, each kind once a day, and have it looked for."""
        for event in events:
            if event.unreadable:
                self._keep_unreadable(uow, account, event, now)
                _tell(uow, account, topic, "unreadable", f"an event cannot be read: {event.unreadable}", now)
            elif event.hole:
                _tell(uow, account, topic, "hole", event.hole, now)
        if any(event.hole or event.unreadable for event in events):
            log.warning("stream.hole", account_id=account.id, topic=topic)
            self._hasten(uow, account)

    def _keep_unreadable(self, uow: UnitOfWork, account: AccountRow, event: StreamedEvent, now: datetime) -> None:
        rows = self._rows(account, event, f"{account.crm}.unreadable", now)
        new = uow.inbox.add_new(rows)
        uow.inbox.finish([row.id for row in rows if row.id in new], f"unreadable: {event.unreadable}", now)

    def _lost(self, account_id: str, topic: str, place: str, error: PlaceLostError) -> None:
        """Begin anew from now on, and have the time between looked at."""
        now = self._clock.now()
        log.warning("stream.place_lost", account_id=account_id, topic=topic, category=error.category)
        with self._ledger.begin() as uow:
            account = uow.accounts.get(account_id)
            if uow.cursors.get(account_id, _cursor(topic)) == place:  # nobody else has read on
                uow.cursors.set(account_id, _cursor(topic), _TIP, now)
                why = "it was not read for so long that the CRM keeps what followed no longer"
                _tell(uow, account, topic, "lost", why, now)
                self._hasten(uow, account)
            uow.commit()


def _tell(uow: UnitOfWork, account: AccountRow, topic: str, kind: str, why: str, now: datetime) -> None:
    summary = f"The stream {topic} has a hole, for {why}; a poll looks for what is missing"
    uow.timeline.add([_attention(account.id, topic, f"{kind}:{now.date()}", summary, now)])


def _attention(account_id: str, topic: str, discriminator: str, summary: str, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=account_id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject=f"{KIND}:{topic}",
        discriminator=discriminator,
        at=now,
        summary=summary,
        data={"topic": topic},
    )


def _cursor(topic: str) -> str:
    return f"{KIND}:{topic}"
