"""What goes on between phones, ledger and a CRM in a week of texts, receipts, replies and opt-outs?

Time stands still until `until` moves it to the next moment at which anybody has something to do. Ledger, send path,
replies and write-back are the real ones, the CRM is the sandbox's; the phones are a script.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from connector.adapters.compliance_file import load_compliance
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.store.tables import crm_record
from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.event_mapping import EventCatalogue
from connector.domain.gateway_book import Rate
from connector.domain.message import MessageState
from connector.ports.contacts import ContactRow
from connector.ports.crm import CRMAccount
from connector.ports.gateway import CallbackRequest, IncomingSMS, OutgoingSMS, SMSGateway
from connector.ports.messages import MessageRow
from connector.ports.records import CRMRecordRow
from connector.services.announcing import message_record
from connector.services.consent import ConsentDesk
from connector.services.contact_snapshots import ContactKeeper
from connector.services.intake import Intake
from connector.services.replies import ReplyDesk
from connector.services.send_path import SendPathParts, build_send_path
from connector.services.unknown_senders import UnknownSenders
from connector.services.writeback import PATIENCE, WriteBack
from connector.services.writeback_saying import RECORDS, Said, what_to_say
from tests.adapters.store.factories import a_message
from tests.faults.crm_sides import CRMSide
from tests.faults.emulated import SENDER, status_url
from tests.faults.proving import Traveller
from tests.faults.wiring import AtOnce, Wall, _NoLimit, book_of
from tests.services.sending.conftest import ScriptedGateway

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
_FILES = Path("mappings")
_LANE = ("twilio", "transactional")
_BATCH = 100  # as workers do
_JUST_AFTER = timedelta(milliseconds=10)


class Week:
    """One account, its CRM and its people."""

    def __init__(self, side: CRMSide, ledger: SQLLedger, time: Traveller, people: int) -> None:
        self.side, self.ledger, self._time, self.clock = side, ledger, time, Wall()
        self._plan: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self.gateway = ScriptedGateway()
        self.due: dict[str, datetime] = {}
        self.taken_at: dict[str, datetime] = {}
        self.gateway.before_answer = self._note_sent
        self.account = side.account()
        with ledger.begin() as uow:
            uow.accounts.add(self.account)
            uow.commit()
        side.connect(ledger)
        side.crm.install(CRMAccount(self.account.id, self.account.external_id, self.account.settings))
        self._wire()
        self.people = [self._person(number) for number in range(people)]

    def _wire(self) -> None:
        consent = ConsentDesk(self.ledger.new_id)
        desk = ReplyDesk(self.ledger.new_id, load_keyword_book(_FILES / "keywords.yaml"), consent)
        gateways: dict[str, SMSGateway] = {"twilio": self.gateway}
        self.intake = Intake(AtOnce(self.ledger), self.ledger.new_id, self.clock)
        self.replies = desk
        self.path = build_send_path(
            SendPathParts(
                ledger=self.ledger,
                gateways=gateways,
                book=book_of("twilio"),
                usual_gateway="twilio",
                usual_rate=Rate(100, concurrency=4),
                unreported=frozenset(),
                compliance=load_compliance(_FILES / "compliance.yaml"),
                limiter=_NoLimit(),
                clock=self.clock,
                rng=random.Random(1),
                take_reply=desk.take_reply,
                note_opt_out=lambda *_: None,
                status_url=status_url,
            )
        )
        senders = UnknownSenders(EventCatalogue(), ContactKeeper(self.ledger.new_id, consent))
        self.writer = WriteBack(self.ledger, {self.side.slug: self.side.crm}, self.clock, random.Random(7), senders)

    def _person(self, number: int) -> ContactRow:
        msisdn = f"+447700900{number:03}"
        contact = ContactRow(
            id=self.ledger.new_id(),
            account_id=self.account.id,
            crm=self.side.slug,
            crm_id=self.side.add_contact(msisdn),
            msisdn=msisdn,
            msisdn_reason="",
            time_zone="Europe/London",
            locale="en-GB",
            country="GB",
            owner_id=None,
            attributes={},
            read_at=self.clock.now(),
        )
        with self.ledger.begin() as uow:
            uow.contacts.save(contact)
            uow.commit()
        return contact

    def _note_sent(self, sms: OutgoingSMS) -> None:
        self.taken_at.setdefault(sms.body, self.clock.now())

    # -- what happens

    def plan(self, at: datetime, act: Callable[[], object]) -> None:
        """Let something happen."""
        heapq.heappush(self._plan, (at, next(self._order), act))

    def order(self, people: Sequence[ContactRow], label: str) -> list[MessageRow]:
        """Order a text to each of these people."""
        now = self.clock.now()
        texts = [
            a_message(
                self.account.id,
                msisdn=each.msisdn,
                body=f"{label}, number {number}.",
                contact_id=each.id,
                send_window="anytime",
                time_zones=("Europe/London",),
                country="GB",
                created_at=now,
                not_before=now,
                expires_at=now + timedelta(days=1),
            )
            for number, each in enumerate(people)
        ]
        with self.ledger.begin() as uow:
            for text, each in zip(texts, people, strict=True):
                assert uow.messages.add(text)
                record = message_record(text, self.ledger.new_id(), self.side.slug, each.crm_id, now)
                uow.records.want([record])
            uow.commit()
        self.due |= {text.body: now for text in texts}
        return texts

    def send(self) -> None:
        """Send what is due, as the workers of the send lanes do."""
        while self.path.dispatcher.drain(*_LANE):
            pass

    def report(self, texts: Sequence[MessageRow], states: Sequence[MessageState]) -> None:
        """Let receipts come, for each text the one in its place; twice the same is once."""
        with self.ledger.begin(write=False) as uow:
            tries = {each.message_id: each for each in uow.attempts.of_messages([text.id for text in texts])}
        for text, state in zip(texts, itertools.cycle(states), strict=False):
            attempt = tries.get(text.id)
            if attempt is not None:
                body = f"{attempt.provider_message_id} {state}".encode()
                url = status_url("twilio", attempt.id)
                self.intake.take_callback("twilio", "status", CallbackRequest("POST", url, {}, body), attempt.id)
        while self.path.receipts.drain():
            pass

    def hear(self, people: Sequence[ContactRow], body: str) -> None:
        """Let people write to us."""
        with self.ledger.begin() as uow:
            for each in people:
                sms = IncomingSMS(f"MO{next(self._order)}", str(each.msisdn), SENDER, body)
                self.replies.take_reply(uow, sms, "twilio", self.clock.now())
            uow.commit()

    # -- time

    def until(self, end: datetime) -> None:
        """Let time pass, everybody doing what they have to do, the CRM's lane first."""
        while True:
            while self.writer.write_back(self.side.slug, _BATCH):
                pass
            self.send()
            due = min(filter(None, [self._plan[0][0] if self._plan else None, self._next_write()]), default=None)
            if due is None or due > end:
                self._time.move_to(end, tick=False)
                return
            self._time.move_to(max(due, self.clock.now()), tick=False)
            while self._plan and self._plan[0][0] <= self.clock.now():
                heapq.heappop(self._plan)[2]()

    def _next_write(self) -> datetime | None:
        query = select(func.min(crm_record.c.not_before)).where(crm_record.c.state.in_(["waiting", "creating"]))
        with self.ledger.engine.connect().execution_options(writes=False) as connection:
            first: datetime | None = connection.execute(query).scalar()
        if first is None:
            return None
        # What has company goes at once; what has none is tried when it has waited for some.
        return max(first + PATIENCE, self.clock.now() + PATIENCE) + _JUST_AFTER

    # -- what came of it

    def waiting(self) -> int:
        """Count what the CRM is still to be told."""
        query = select(func.count()).where(crm_record.c.state.in_(["waiting", "creating"]))
        with self.ledger.engine.connect().execution_options(writes=False) as connection:
            return int(connection.execute(query).scalar() or 0)

    def records(self) -> list[CRMRecordRow]:
        """Read everything the CRM was to be told."""
        with self.ledger.begin(write=False) as uow:
            repository = uow.records
            rows = repository._connection.execute(select(crm_record))  # type: ignore[attr-defined]
            return [repository._record(row) for row in rows]  # type: ignore[attr-defined]

    def wanted(self, but_for: Collection[str] = ()) -> list[str]:
        """Give what timelines are to say by the ledger, but for what the CRM has refused for good, and some people."""
        rows = [row for row in self.records() if row.kind in RECORDS and row.state != "refused"]
        rows = [row for row in rows if row.contact_crm_id not in but_for]
        with self.ledger.begin(write=False) as uow:
            said = what_to_say(uow, self.account.id, rows)
        return [each.write.body for each in said.values() if isinstance(each, Said)]

    def opted_out(self) -> set[str]:
        """Give the CRM's ids of the people who want no more texts."""
        numbers = {str(each.msisdn): each.crm_id for each in self.people}
        with self.ledger.begin(write=False) as uow:
            return {numbers[each] for each in uow.consents.suppressions(self.account.id, sorted(numbers))}

    def delays(self, texts: Sequence[MessageRow]) -> list[timedelta]:
        """Give how long texts waited between being due and being sent."""
        return [self.taken_at[text.body] - self.due[text.body] for text in texts if text.body in self.taken_at]


def at(hours: float) -> datetime:
    """Give a moment of the week."""
    return MONDAY + timedelta(hours=hours)
