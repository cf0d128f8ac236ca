"""How does a plot go the real way: inbox, CRM, database, send path, the gateway's receipts?"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from connector.adapters.compliance_file import load_compliance
from connector.adapters.event_files import load_events
from connector.adapters.gateway_file import load_gateways
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.store.tables import metadata
from connector.domain.gateway_book import Rate
from connector.domain.journey import Journey
from connector.domain.message import Direction, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.consents import Mechanism
from connector.ports.contacts import ContactRow
from connector.ports.gateway import SMSGateway
from connector.ports.inbox import InboxRow
from connector.ports.ledger import Ledger
from connector.ports.messages import MessageRow
from connector.services.consent import ConsentDesk, Saying
from connector.services.effect_outcomes import EffectRecorder
from connector.services.effect_permission import EffectDesk
from connector.services.effects import EffectRunner
from connector.services.happenings import POLL
from connector.services.links import LinkDesk
from connector.services.receipts import INBOUND, STATUS, source
from connector.services.rehearsal import DELIVERY
from connector.services.send_path import SendPathParts, build_send_path
from connector.services.wakeup import Alarm
from tests.rehearsal.happenings import CODE, Cue, Plot
from tests.rehearsal.outside import Carrier, Listener, Nobody, Open
from tests.rehearsal.telling import Telling, tell
from tests.services.theatre import ACCOUNT, MAPPINGS, NUMBER, OWNER_NUMBER, START, Theatre, due

GATEWAYS = ("null", "twilio")
_DIGITS = re.compile(r"(?<=your code is )\d+")


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as the ledger has it: what a simulation is given of it."""

    at: datetime
    source_id: str
    entry: TimelineEntry
    contact: ContactRow | None


class Live(Theatre):
    """The whole connector on a database file, without its processes."""

    routes = load_gateways(MAPPINGS / "gateways.yaml").first_gateways()

    def __init__(self, database: Path, journeys: Sequence[Journey]) -> None:
        self._given = journeys
        super().__init__(database.parent, f"sqlite:///{database}", {}, time_zone="America/New_York")
        self._heard_at: dict[str, datetime] = {}
        self._receipts: list[tuple[datetime, str, str, MessageState]] = []
        self._fails: frozenset[str] = frozenset()

    def _read_files(self, directory: Path, journeys: Mapping[str, str]) -> None:
        self.catalogue = load_events(MAPPINGS).catalogue
        self.journeys = list(self._given)
        self.keywords = load_keyword_book(MAPPINGS / "keywords.yaml")

    def compose(self, ledger: Ledger) -> None:
        """Add what stands behind and before journeys: the send path, receipts, links and other systems."""
        super().compose(ledger)
        self.carriers = {slug: Carrier(slug) for slug in GATEWAYS}
        rng, self.consent = random.Random(7), ConsentDesk(ledger.new_id)
        compliance = load_compliance(MAPPINGS / "compliance.yaml")
        path = build_send_path(
            SendPathParts(
                ledger=ledger,
                gateways=dict[str, SMSGateway](self.carriers),
                book=load_gateways(MAPPINGS / "gateways.yaml"),
                usual_gateway="null",
                usual_rate=Rate(1000, concurrency=2),
                unreported=frozenset(),
                compliance=compliance,
                limiter=Open(),
                clock=self.clock,
                rng=rng,
                take_reply=self.replies.take_reply,
                note_opt_out=self.consent.note_gateway_opt_out,
                status_url=lambda *_: "https://a.example",
            )
        )
        self.dispatcher, self.receipts = path.dispatcher, path.receipts
        channels = {name: Listener() for name in ("chat", "mail", "whats", "shop")}
        self.effects = EffectRunner(ledger, channels, EffectDesk(compliance), EffectRecorder(rng), self.clock)
        self.alarm = Alarm(ledger, Nobody(), self.clock)
        self.desk = LinkDesk(ledger)

    def play(self, plot: Plot, until: datetime) -> Telling:
        """Let everything happen, and give what came of it."""
        self._fails = plot.failing
        self._people()
        if plot.has_marketing_consent:
            self._agree()
        for cue in plot.cues:
            self.advance(START + cue.after)
            self._happen(cue)
            self.settle()
        self.advance(until)
        return self.told()

    def advance(self, until: datetime) -> None:
        """Go from one due time to the next, up to a time."""
        self.settle()
        while (moment := self._next_due()) is not None and moment <= until:
            assert moment > self.clock.at, f"something is due and nobody works it: {moment}"
            self.clock.at = moment
            self.settle()
        self.clock.at = max(until, self.clock.at)

    def settle(self) -> None:
        """Let every process look for work until none finds any."""
        self.alarm.release()
        while self._arrive() + self.reader.understand() + self.runner.advance() + self._tell() + self._send():
            pass

    # --- what happens outside ----------------------------------------------------------------------------------

    def _people(self) -> None:
        self._lea = self.lea(
            city="Leeds", hs_timezone="America/New_York", email="lea@example.com", lifecyclestage="customer"
        )
        self._invoice = self.invoice(self._lea)
        self._deal = self.crm.put("deal", [self._lea], dealname="Boiler", dealstage="demo", amount="600")

    def _agree(self) -> None:
        said = Saying(ACCOUNT, NUMBER, Mechanism.CRM_PROPERTY, "the plot", START)
        with self.ledger.begin() as uow:
            self.consent.agree_to_marketing(uow, said)
            uow.commit()

    def _happen(self, cue: Cue) -> None:
        if cue.kind == "event":
            self._event(cue)
        elif cue.kind == "click":
            self._click(cue.word)
        else:
            self._answer(cue.word, NUMBER if cue.kind == "reply" else OWNER_NUMBER)

    def _event(self, cue: Cue) -> None:
        row_id = _EVENTS[cue.word](self, cue.amount)
        self._heard_at[row_id] = self.clock.at

    def _overdue(self, amount: int) -> str:
        self.crm.change("invoice", self._invoice, hs_balance_due=str(amount), hs_due_date=due(days_ago=2))
        return self._found("invoice.overdue", self._invoice)

    def _found(self, event: str, object_id: str) -> str:
        body = {"event": event, "id": object_id, "occurred_at": self.clock.at.isoformat()}
        return self.receive(json.dumps(body).encode(), f"poll-{next(self._events)}", POLL)

    def _paid(self, amount: int) -> str:
        self.crm.change("invoice", self._invoice, hs_balance_due=str(amount), hs_invoice_status="paid")
        return self.hear(
            "invoice.propertyChange", self._invoice, propertyName="hs_invoice_status", propertyValue="paid"
        )

    def _moved(self, amount: int) -> str:
        self.crm.change("deal", self._deal, amount=str(amount))
        return self.deal_moves(self._deal, "won" if amount > 600 else "demo")

    def _created(self, _amount: int) -> str:
        return self.hear("contact.creation", self._lea)

    def _answer(self, words: str, number: str) -> None:
        texted = [each for each in self.all_messages() if each.direction is Direction.OUT and each.sent_at]
        codes = [code for each in texted for code in _DIGITS.findall(each.body)]
        with self.ledger.begin(write=False) as uow:
            last = uow.messages.last_sent_to(number, None)
        gateway, sender = (last[0].gateway, last[0].sender or "") if last else ("null", "")
        body = words.replace(CODE, codes[-1] if codes else "nothing")
        sms = {"provider_message_id": f"MO{next(self._events)}", "from_": number, "to": sender, "body": body}
        self._callback(gateway, INBOUND, json.dumps(sms).encode())

    def _click(self, name: str) -> None:
        with self.ledger.begin(write=False) as uow:
            links = [
                link
                for contact in self.contacts().values()
                for message in uow.messages.of_contact(ACCOUNT, contact.id, 100)
                for link in uow.links.of_message(message.id)
                if name in {"", link.name}
            ]
        if links:
            with self.ledger.begin() as uow:
                self.desk.note(uow, links[0], self.clock.at, is_person=True)
                uow.commit()

    def _callback(self, gateway: str, kind: str, body: bytes, **context: str) -> None:
        row = InboxRow(
            self.ledger.new_id(), None, source(gateway, kind), f"callback-{next(self._events)}", body,
            {"method": "POST", "url": "https://sms.example.com", "headers": {}, **context}, self.clock.at,
        )  # fmt: skip
        with self.ledger.begin() as uow:
            uow.inbox.add([row])
            uow.commit()

    # --- what the processes do ---------------------------------------------------------------------------------

    def _arrive(self) -> int:
        now = self.clock.at
        here = [each for each in self._receipts if each[0] <= now]
        self._receipts = [each for each in self._receipts if each[0] > now]
        for _, gateway, attempt_id, state in here:
            self._callback(gateway, STATUS, state.value.encode(), attempt_id=attempt_id)
        with self.ledger.begin(write=False) as uow:
            waiting = [each for each in uow.inbox.waiting(now) if "." in each]
        self.receipts.drain()
        return len(waiting)

    def _tell(self) -> int:
        with self.ledger.begin(write=False) as uow:
            if not uow.effects.any_due(self.clock.at):
                return 0
        self.effects.drain()
        return 1

    def _send(self) -> int:
        with self.ledger.begin(write=False) as uow:
            lanes = uow.messages.waiting_lanes(self.clock.at)
        for lane in lanes:
            self.dispatcher.drain(*lane)
        return len(lanes) + self._await_receipts()

    def _await_receipts(self) -> int:
        taken = [(slug, sms) for slug, carrier in self.carriers.items() for sms in carrier.taken]
        for slug, sms in taken:
            with self.ledger.begin(write=False) as uow:
                attempt = uow.attempts.many([sms.attempt_id])[sms.attempt_id]
                step = uow.messages.many([attempt.message_id])[attempt.message_id].step
            state = MessageState.UNDELIVERED if step in self._fails else MessageState.DELIVERED
            self._receipts.append((self.clock.at + DELIVERY, slug, sms.attempt_id, state))
        for carrier in self.carriers.values():
            carrier.taken.clear()
        return len(taken)

    def _next_due(self) -> datetime | None:
        """Look into the tables themselves for the next time at which something is to be done."""
        tables, now = metadata.tables, self.clock.at
        enrollment, message, effect = tables["enrollment"], tables["message"], tables["effect"]
        is_open = message.c.state.in_([MessageState.HELD, MessageState.QUEUED])
        questions = [
            select(func.min(enrollment.c.due_at)).where(enrollment.c.status == "live"),
            select(func.min(message.c.not_before)).where(is_open),
            select(func.min(message.c.expires_at)).where(is_open, message.c.expires_at > now),
            select(func.min(effect.c.not_before)).where(effect.c.ended_at.is_(None)),
        ]
        with self.ledger.engine.connect() as connection:
            times = [connection.execute(each).scalar() for each in questions]
        return min([*(each for each in times if each is not None), *(each[0] for each in self._receipts)], default=None)

    # --- what came of it ---------------------------------------------------------------------------------------

    def all_messages(self) -> list[MessageRow]:
        """Every message, in and out."""
        table = metadata.tables["message"]
        with self.ledger.engine.connect() as connection:
            ids = [row.id for row in connection.execute(select(table.c.id).order_by(table.c.created_at, table.c.id))]
        with self.ledger.begin(write=False) as uow:
            found = uow.messages.many(ids)
        return [found[each] for each in ids]

    def told(self) -> Telling:
        """Tell what came of it."""
        return tell(self.all_messages(), self.enrollments(), self.entries())

    def heard(self) -> list[Heard]:
        """Give the events that came, as the ledger has them."""
        contacts = {contact.id: contact for contact in self.contacts().values()}
        wanted = [(entry.subject, entry.discriminator) for entry in self.entries(EntryKind.EVENT_RECEIVED)]
        with self.ledger.begin(write=False) as uow:
            found = uow.past.recorded(ACCOUNT, wanted)
        by_source = {discriminator.partition(":")[2]: entry for (_, discriminator), entry in found.items()}
        return [
            Heard(at, row_id, by_source[row_id], contacts.get(by_source[row_id].contact_id or ""))
            for row_id, at in self._heard_at.items()
            if row_id in by_source
        ]


_EVENTS: Mapping[str, Any] = {
    "invoice.overdue": Live._overdue,
    "invoice.paid": Live._paid,
    "deal.stage_changed": Live._moved,
    "contact.created": Live._created,
}
