"""Where journeys are played in tests: a ledger, a clock, a CRM in memory, and the real files, renderer and services."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

from connector.adapters.codes import HMACCodes
from connector.adapters.compliance_file import load_compliance
from connector.adapters.event_files import load_events
from connector.adapters.journey_files import journey_from_source, load_journeys
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.public_holidays import PublicHolidays
from connector.adapters.rendering import Renderer
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.event import Owner
from connector.domain.message import MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.contacts import ContactRow
from connector.ports.crm import CRM
from connector.ports.enrollments import EnrollmentRow
from connector.ports.gateway import IncomingSMS
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.messages import MessageRow, StateChange
from connector.services.announcing import Moved, announce
from connector.services.backfill import BackFill
from connector.services.consent import ConsentDesk
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader
from connector.services.enrolling import Enroller
from connector.services.event_recording import EventRecorder
from connector.services.events import EventReader
from connector.services.freshness import Freshener
from connector.services.journey_versions import JourneyVersions
from connector.services.journeys import JourneyRunner
from connector.services.links import LinkWriter
from connector.services.moving_people import Mover
from connector.services.needed_events import NeededEvents
from connector.services.polling import Poller
from connector.services.publications import Hand, JourneyFiles
from connector.services.publishing import Publisher
from connector.services.replies import ReplyDesk
from connector.services.stepper_building import StepperParts, build_stepper
from connector.services.traces import Traces
from connector.services.unknown_senders import UnknownSenders
from connector.services.writeback import WriteBack
from tests.services.fake_crm import FakeCRM

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
NUMBER, SENDER, OWNER_NUMBER = "+12025550143", "+12025550100", "+12025550199"
MAPPINGS = Path(__file__).parents[2] / "mappings"
ACCOUNT = "account-1"

REMINDER = """
journey: reminder
title: Reminder
purpose: transactional
trigger:
  event: invoice.overdue
  where: invoice.balance_due >= 10
enroll:
  key: invoice.id
exit_when:
  - event: invoice.paid
    where: event.invoice.id == invoice.id
steps:
  - send: reminder/first
  - wait: 3 days
  - send: reminder/first
"""

CONFIRMATION = """
journey: confirmation
title: Confirmation
purpose: transactional
trigger:
  event: deal.stage_changed
  where: deal.stage_label == "Demo booked"
enroll:
  key: deal.id
  again: after exit
exit_when:
  - event: deal.stage_changed
    where: event.deal.id == deal.id and event.deal.stage != deal.stage
steps:
  - send: confirmation/first
    on_failure:
      - task: {for: owner, title: "Call {{ contact.name }}", due: 4 hours}
  - wait_for:
      within: 3 days
      cases:
        - reply: [RESCHEDULE]
          then:
            - task: {for: owner, title: "{{ contact.name }} wants another time", body: "Deal {{ deal.name }}"}
            - exit: asked for another time
"""

TEXTS = {
    "reminder/first.txt.j2": "Hi {{ contact.first_name }}, {{ invoice.number }}: {{ invoice.balance_due | money }}.",
    "confirmation/first.txt.j2": "Hi {{ contact.first_name }}, see you then.",
}


def due(*, days_ago: float) -> str:
    """A due date that long before the start, as HubSpot gives it."""
    return str(int((START - timedelta(days=days_ago)).timestamp() * 1000))


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


class Theatre:
    """One account, its CRM, and the way from a stored event to a queued message."""

    routes: Mapping[str, str] = MappingProxyType({})

    def __init__(self, directory: Path, database_url: str, journeys: Mapping[str, str], **settings: Any) -> None:
        self.secrets = ["k" * 32]
        self.clock, self.nudged = Clock(), list[str]()
        self.crm = FakeCRM(now=self.clock.now)
        self.ledger = SQLLedger(make_engine(database_url), Vault(["k" * 32]), self.nudged.append)
        metadata.create_all(self.ledger.engine)
        self.crm.labels["deal"] = {"demo": "Demo booked", "won": "Closed won"}
        self.crm.people["7"] = Owner("7", "Sam Okafor", "sam@example.com")
        self._events = count(1)
        self._read_files(directory, journeys)
        known = {"default_region": "US", "owner_phones": {"Sam@example.com": OWNER_NUMBER}, **settings}
        with self.ledger.begin() as uow:
            uow.accounts.add(AccountRow(ACCOUNT, "hubspot", "12345", "Acme", "active", "", known, START))
            uow.commit()
        self.versions = JourneyVersions(lambda _, source: journey_from_source(source))
        self.publisher = Publisher(self.ledger, self.versions, Mover(self.versions), self.clock)
        self.publisher.publish(ACCOUNT, JourneyFiles({each.id: each for each in self.journeys}), (), Hand("the author"))
        self.compose(self.ledger)

    def _read_files(self, directory: Path, journeys: Mapping[str, str]) -> None:
        mappings, templates = directory / "mappings", directory / "templates"
        shutil.copytree(MAPPINGS, mappings)
        for path in (mappings / "journeys").iterdir():
            path.unlink()
        for name, text in journeys.items():
            (mappings / "journeys" / f"{name}.yaml").write_text(text)
        for name, text in TEXTS.items():
            (templates / name).parent.mkdir(parents=True, exist_ok=True)
            (templates / name).write_text(text)
        self.catalogue = load_events(mappings).catalogue
        shelf = load_journeys(mappings, templates)
        self.journeys = list(shelf.journeys.values())
        assert len(self.journeys) == len(journeys), shelf.mistakes
        self.keywords = load_keyword_book(mappings / "keywords.yaml")

    def compose(self, ledger: Ledger) -> None:
        """Put the services together over a ledger, which may be one whose process dies."""
        new_id, crms = self.ledger.new_id, dict[str, CRM](hubspot=self.crm)
        rng, renderer = random.Random(7), Renderer()
        consent = ConsentDesk(new_id)
        keeper = ContactKeeper(new_id, consent)
        reader = CRMReader(crms, self.catalogue, self.clock)
        enroller = Enroller(self.versions, renderer, new_id)
        recorder = EventRecorder(self.catalogue, enroller, keeper)
        self.reader = EventReader(ledger, crms, self.catalogue, reader, recorder, self.clock, rng)
        stepper = build_stepper(
            StepperParts(
                reader=lambda _, source: journey_from_source(source),
                renderer=renderer,
                calendar=PublicHolidays(),
                codes=HMACCodes(self.secrets),
                compliance=load_compliance(MAPPINGS / "compliance.yaml"),
                catalogue=self.catalogue,
                enroller=enroller,
                consent=consent,
                default_gateway="null",
                new_id=new_id,
                routes=self.routes,
                courtesies=self.keywords.courtesies(),
                links=LinkWriter("https://sms.example.com", rng.randrange),
            )
        )
        freshener = Freshener(ledger, self.catalogue, reader, keeper, self.clock)
        self.runner = JourneyRunner(ledger, freshener, stepper, self.clock, rng)
        self.needed = NeededEvents(self.versions, self.clock)
        self.poller = Poller(ledger, crms, self.catalogue, self.needed, self.clock, rng)
        self.backfill = BackFill(ledger, crms, self.catalogue, self.needed, self.clock, rng)
        self.replies = ReplyDesk(new_id, self.keywords, consent)
        self.traces = Traces(ledger)
        self.senders = UnknownSenders(self.catalogue, keeper)

    # What happens outside

    def pass_time(self, **lapse: float) -> None:
        self.clock.at += timedelta(**lapse)

    def lea(self, **properties: str) -> str:
        """Put the usual contact into the CRM."""
        known = {"firstname": "Lea", "mobilephone": NUMBER, "hubspot_owner_id": "7", "country": "US"}
        return self.crm.put("contact", **(known | properties))

    def invoice(self, contact: str, **properties: str) -> str:
        """Put an overdue invoice into the CRM."""
        known = {"hs_number": "INV-7", "hs_balance_due": "600", "hs_currency": "USD", "hs_invoice_status": "open"}
        return self.crm.put("invoice", [contact], **(known | {"hs_due_date": due(days_ago=2)} | properties))

    def hear(self, subscription: str, object_id: str, **more: Any) -> str:
        """Let a webhook event arrive; give its inbox row's id."""
        number = next(self._events)
        body = {
            "eventId": number,
            "portalId": 12345,
            "occurredAt": int(self.clock.at.timestamp() * 1000),
            "subscriptionType": subscription,
            "objectId": int(object_id),
            **more,
        }
        return self.receive(json.dumps(body).encode(), f"event-{number}")

    def deal_moves(self, deal: str, stage: str) -> str:
        """Let a deal change its stage, and its webhook arrive."""
        self.crm.change("deal", deal, dealstage=stage)
        return self.hear("deal.propertyChange", deal, propertyName="dealstage", propertyValue=stage)

    def receive(self, body: bytes, external_id: str, source: str = "hubspot", account: str | None = ACCOUNT) -> str:
        row_id = self.ledger.new_id()
        row = InboxRow(row_id, account, source, external_id, body, {}, self.clock.at)
        with self.ledger.begin() as uow:
            uow.inbox.add([row])
            uow.commit()
        return row_id

    def reply(self, text: str, from_: str = NUMBER) -> None:
        sms = IncomingSMS(f"SM{next(self._events)}", from_, SENDER, text)
        with self.ledger.begin() as uow:
            self.replies.take_reply(uow, sms, "null", self.clock.at)
            uow.commit()

    def move(self, message: MessageRow, *states: str) -> None:
        """Let messages move as the send path moves them, one state after the other."""
        for state in map(MessageState, states):
            change = StateChange(message.id, message.state, state, "test", sent_at=self.clock.at, sender=SENDER)
            with self.ledger.begin() as uow:
                assert uow.messages.move([change], self.clock.at)
                announce(uow, [Moved(message, state, "test")], self.clock.at)
                uow.commit()
            message = replace(message, state=state)

    def hold(self, message: MessageRow, until: datetime) -> None:
        """Let the send path hold a text, as it does outside of its window."""
        change = StateChange(message.id, message.state, MessageState.HELD, "closed", not_before=until)
        with self.ledger.begin() as uow:
            assert uow.messages.move([change], self.clock.at)
            announce(uow, [Moved(message, MessageState.HELD, "closed")], self.clock.at)
            uow.commit()

    def accept_all(self) -> None:
        """Let the gateway take everything that is queued."""
        for message in self.messages():
            if message.state is MessageState.QUEUED:
                self.move(message, "dispatching", "accepted")

    # What the services do

    def work(self) -> None:
        """Understand and advance until nothing is left to do now."""
        while self.reader.understand() + self.runner.advance():
            pass

    def write_back(self, **lapse: float) -> None:
        """Let the write-back lane run empty, some time later."""
        self.pass_time(**(lapse or {"minutes": 5}))
        writer = WriteBack(self.ledger, {"hubspot": self.crm}, self.clock, random.Random(7), self.senders)
        while writer.write_back("hubspot"):
            pass

    # What came of it

    def messages(self) -> list[MessageRow]:
        """Every outbound message, oldest first."""
        with self.ledger.begin(write=False) as uow:
            return [row for each in self.enrollments() for row in uow.messages.of_enrollment(each.id)]

    def contacts(self) -> dict[str, ContactRow]:
        with self.ledger.begin(write=False) as uow:
            return dict(uow.contacts.by_crm_ids(ACCOUNT, [*self.crm.records.get("contact", {}), *self.crm.merged]))

    def enrollments(self) -> list[EnrollmentRow]:
        with self.ledger.begin(write=False) as uow:
            found = [row for each in self.contacts().values() for row in uow.enrollments.of_contact(ACCOUNT, each.id)]
        return sorted(found, key=lambda row: (row.started_at, row.id))

    def enrollment(self) -> EnrollmentRow:
        (only,) = self.enrollments()
        return only

    def entries(self, kind: EntryKind | None = None) -> list[TimelineEntry]:
        """Every timeline entry of the account, oldest first."""
        table = metadata.tables["timeline_entry"]
        with self.ledger.engine.connect() as connection:
            rows = connection.execute(table.select().order_by(table.c.at, table.c.id)).all()
        names = TimelineEntry.__dataclass_fields__
        found = [TimelineEntry(**{name: getattr(row, name) for name in names}) for row in rows]
        return [entry for entry in found if kind in {None, entry.kind}]

    def summaries(self, kind: EntryKind) -> list[str]:
        return [entry.summary for entry in self.entries(kind)]

    def outcome(self, row_id: str) -> str | None:
        """What an inbox row came to; None while it waits."""
        table = metadata.tables["external_event"]
        with self.ledger.engine.connect() as connection:
            row = connection.execute(table.select().where(table.c.id == row_id)).one()
        return None if row.handled_at is None else str(row.outcome)

    def tasks(self) -> list[Mapping[str, Any]]:
        with self.ledger.begin() as uow:
            rows = uow.records.claim("hubspot", 100, self.clock.at + timedelta(days=9), self.clock.at)
        return [row.payload for row in rows if row.kind.value == "task"]

    def close(self) -> None:
        self.ledger.close()
