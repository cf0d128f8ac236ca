"""What would happen, had this happened at these times?

The very services of production at work on a ledger in memory, with a clock that is set from one due row to the next.
What lies outside is played: every text is taken and delivered at once unless it is to fail, every call is answered.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from connector.domain.event import ObjectRef, Owner
from connector.domain.event_mapping import EventCatalogue
from connector.domain.message import MessageState
from connector.domain.permission import Answer, Verdict
from connector.errors import ChannelRefusedError
from connector.ports.contacts import ContactRow
from connector.ports.effects import EffectKind, EffectRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.gateway import Accepted, IncomingSMS, StatusReport
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.links import ShortLinkRow
from connector.ports.messages import MessageRow
from connector.ports.rehearsal import PlayableLedger
from connector.services.claiming import Claim, Claimer
from connector.services.consent import ConsentDesk, Saying
from connector.services.effect_outcomes import EffectRecorder, Outcome
from connector.services.effect_permission import EffectDesk
from connector.services.enrollment_stepping import EnrollmentStepper
from connector.services.event_noting import EventNoter, Occurrence, wake_concerned
from connector.services.freshness import Known
from connector.services.outcomes import OutcomeRecorder, Sent
from connector.services.receipts import ReceiptReader
from connector.services.replies import ReplyDesk
from connector.services.wakeup import Alarm

DELIVERY = timedelta(seconds=3)
"""How long a played text is on its way; about what carriers take."""

_LEASE = timedelta(minutes=5)
_BATCH = 100


@dataclass(slots=True)
class VirtualClock:
    """A clock that stands still until it is set."""

    at: datetime

    def now(self) -> datetime:
        """Give the time it is set to."""
        return self.at


@dataclass(frozen=True, slots=True)
class EventHappens:
    """A CRM event, its record's values by our names.

    Attributes:
        at: when we hear of it.
        source_id: tells it from others; in a backtest the inbox row's id.
        contact: whom it concerns, or None.
        how: how the contact was chosen, or why there is none.
        occurred_at: when it happened; None for the same moment.
    """

    at: datetime
    name: str
    ref: ObjectRef
    values: Mapping[str, Mapping[str, Any]]
    source_id: str
    contact: ContactRow | None
    owner: Owner | None = None
    how: str = "as the event says"
    is_import: bool = False
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReplyComes:
    """A reply from a number."""

    at: datetime
    msisdn: str = field(repr=False)
    body: str = field(repr=False)
    source_id: str


@dataclass(frozen=True, slots=True)
class LinkFollowed:
    """A person follows the latest link of this name (of any, when empty) in their texts."""

    at: datetime
    contact_id: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class ConsentSaid:
    """Somebody has said something about being texted, elsewhere than in a played reply."""

    at: datetime
    said: Saying
    act: Callable[[ConsentDesk, UnitOfWork, Saying, datetime], object]


Happening = EventHappens | ReplyComes | LinkFollowed | ConsentSaid


@dataclass(frozen=True, slots=True)
class PlayedOutside:
    """How what lies outside behaves.

    Attributes:
        fails: whether a text does not arrive.
        answers: the JSON answer of each endpoint, by its name; others answer nothing.
    """

    fails: Callable[[MessageRow], bool] = lambda _message: False
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Company:
    """The services that play, all of them over the same ledger and clock."""

    ledger: PlayableLedger
    clock: VirtualClock
    catalogue: EventCatalogue
    noter: EventNoter
    stepper: EnrollmentStepper
    claimer: Claimer
    recorder: OutcomeRecorder
    receipts: ReceiptReader
    replies: ReplyDesk
    consent: ConsentDesk
    effects: EffectRecorder
    effect_desk: EffectDesk
    alarm: Alarm
    follow: Callable[[UnitOfWork, ShortLinkRow, datetime], object]
    """Notes that a person followed a short link."""


class Rehearsal:
    """Plays happenings for one account."""

    def __init__(self, company: Company, account: AccountRow, outside: PlayedOutside | None = None) -> None:
        self._company, self._account, self._outside = company, account, outside or PlayedOutside()
        self._ledger, self._clock = company.ledger, company.clock
        # Stands in for reading records again: `values_now` passes over an event that occurred before the last look, or
        # before one that came earlier, and nothing here would ever look again.
        self._values: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._owners: dict[str, Owner] = {}
        self._on_their_way: list[tuple[datetime, int, str, bool, str]] = []
        self._order = count()

    def advance(self, until: datetime) -> None:
        """Let everything that is due up to a time be done when it is due, and set the clock to that time."""
        self._settle()
        while (due := self.next_due()) is not None and due <= until:
            self._clock.at = max(due, self._clock.at)
            self._settle()
        self._clock.at = max(until, self._clock.at)

    def next_due(self) -> datetime | None:
        """Give the next time at which something is due."""
        times = [due] if (due := self._ledger.next_due()) is not None else []
        return min([*times, *(at for at, *_ in self._on_their_way[:1])], default=None)

    def take(self, happening: Happening) -> None:
        """Let one thing happen now, with what follows at once."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            if isinstance(happening, EventHappens):
                self._event(uow, happening, now)
            elif isinstance(happening, ReplyComes):
                self._reply(uow, happening, now)
            elif isinstance(happening, ConsentSaid):
                happening.act(self._company.consent, uow, happening.said, now)
            else:
                self._follow(uow, happening, now)
            uow.commit()
        self._settle()

    # --- what comes in -----------------------------------------------------------------------------------------

    def _event(self, uow: UnitOfWork, each: EventHappens, now: datetime) -> None:
        self._values[str(each.ref)] = {**self._values.get(str(each.ref), {}), **each.values}
        if each.owner is not None:
            self._owners[each.owner.owner_id] = each.owner
        if each.contact is not None:
            uow.contacts.save(each.contact)
        mappings = self._company.catalogue.find(each.name, self._account.crm)
        read = each.values, each.contact, each.owner, each.how
        occurrence = Occurrence(each.name, each.ref, each.occurred_at or each.at, each.source_id, each.is_import, *read)
        for mapping in mappings[:1]:
            self._company.noter.note(uow, self._account, occurrence, mapping, now)
        wake_concerned(uow, self._account, each.ref, [each.contact.id] if each.contact is not None else [], now)

    def _reply(self, uow: UnitOfWork, each: ReplyComes, now: datetime) -> None:
        last = uow.messages.last_sent_to(each.msisdn, None)
        sender, gateway = (last[0].sender or "", last[0].gateway) if last else ("", "null")
        sms = IncomingSMS(each.source_id, each.msisdn, sender, each.body)
        self._company.replies.take_reply(uow, sms, gateway, now)

    def _follow(self, uow: UnitOfWork, each: LinkFollowed, now: datetime) -> None:
        for message in uow.messages.of_contact(self._account.id, each.contact_id, _BATCH):
            for link in uow.links.of_message(message.id):
                if each.link in {"", link.name}:
                    self._company.follow(uow, link, now)
                    return

    # --- what follows ------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Do everything that can be done at this very moment."""
        self._company.alarm.release()
        while any([self._arrive(), self._step(), self._perform(), self._send()]):
            pass

    def _step(self) -> int:
        now = self._clock.now()
        with self._ledger.begin() as uow:
            rows = uow.enrollments.claim(_BATCH, now, now + _LEASE)
            for row in rows:
                self._decide(uow, row, now)
            uow.commit()
        return len(rows)

    def _decide(self, uow: UnitOfWork, row: EnrollmentRow, now: datetime) -> None:
        contact = uow.contacts.get(row.account_id, row.contact_id)
        newest = self._values.get(row.subject)
        if newest:
            values = {name: {**kept, **newest.get(name, {})} for name, kept in row.state["values"].items()}
            row = replace(row, state={**row.state, "values": values, "read_at": now})
        number = contact.msisdn if contact is not None else None
        suppressed = uow.consents.suppressions(row.account_id, [number]).get(number, ()) if number else ()
        self._company.stepper.step(uow, self._account, Known(row, contact, self._owners), suppressed, now)

    def _send(self) -> int:
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            lanes = uow.messages.waiting_lanes(now)
        return sum(self._send_lane(gateway, purpose) for gateway, purpose in lanes)

    def _send_lane(self, gateway: str, purpose: str) -> int:
        claimed = self._company.claimer.claim(gateway, purpose, _BATCH)
        claims = claimed.claims
        if claims:
            self._company.recorder.record([_taken(claim) for claim in claims])
        for claim in claims:
            arrives_at, fails = self._clock.now() + DELIVERY, self._outside.fails(claim.message)
            heapq.heappush(
                self._on_their_way, (arrives_at, next(self._order), claim.attempt.id, fails, claim.message.gateway)
            )
        return len(claims) + claimed.is_more + claimed.redirected

    def _arrive(self) -> int:
        now = self._clock.now()
        arrived = 0
        while self._on_their_way and self._on_their_way[0][0] <= now:
            _, _, attempt_id, fails, gateway = heapq.heappop(self._on_their_way)
            state = MessageState.UNDELIVERED if fails else MessageState.DELIVERED
            report = StatusReport(attempt_id, state, state.value, attempt_id=attempt_id)
            with self._ledger.begin() as uow:
                self._company.receipts.apply(uow, gateway, report, now)
                uow.commit()
            arrived += 1
        return arrived

    def _perform(self) -> int:
        now = self._clock.now()
        with self._ledger.begin() as uow:
            rows = uow.effects.claim(_BATCH, now, now + _LEASE)
            verdicts = self._company.effect_desk.judge(uow, rows, now)
            for row in rows:
                self._conclude(uow, row, verdicts.get(row.id), now)
            uow.commit()
        return len(rows)

    def _conclude(self, uow: UnitOfWork, row: EffectRow, verdict: Verdict | None, now: datetime) -> None:
        """Let an effect be done, unless what goes to a number may not go out, or not now."""
        effects = self._company.effects
        if verdict is None or verdict.answer is Answer.SEND:
            answer = self._outside.answers.get(row.channel) if row.kind is EffectKind.CALL else None
            effects.record(uow, Outcome(row, answer=answer), now)
        elif verdict.until is not None:
            effects.hold(uow, row, verdict.reason, verdict.until, now)
        else:
            effects.record(uow, Outcome(row, ChannelRefusedError(verdict.reason)), now)


def _taken(claim: Claim) -> Sent:
    answer = Accepted(claim.attempt.id, MessageState.ACCEPTED, "accepted", sender=claim.message.sender)
    return Sent(claim.message, claim.attempt, claim.reason, accepted=answer)
