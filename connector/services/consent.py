"""What follows when somebody wants no more texts, wants them again, or may want no more?

All of it in the caller's transaction: evidence, the suppression that the next claim sees (promise P3), the end of
what was waiting, and what timeline, journeys and CRM are to hear.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from connector.domain.keyword_answers import is_keyword_answer
from connector.domain.message import MessageState, Purpose
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.consents import BY_STAFF, ConsentEvent, ConsentKind, Mechanism, Scope, Suppression
from connector.ports.contacts import ContactRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow, StateChange
from connector.ports.queue import JOURNEYS, writeback_lane
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.announcing import Moved, announce, message_ref
from connector.services.consent_records import consent_records, flag_records
from connector.services.consent_words import HOW, MAY_LIFT, OF_SCOPE, SPEAKS_FOR_OTHERS
from connector.services.crm_flags import still_flagged
from connector.services.merged_contacts import shown_crm_id


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody said about being texted, and how we know.

    Attributes:
        source: where it came from, such as `message:<id>`; the same source never counts twice.
        asked: the text that asked for it.
        contact_id: the contact of the conversation; others with the number are found by themselves.
    """

    account_id: str
    msisdn: str = field(repr=False)
    mechanism: Mechanism
    source: str
    at: datetime
    contact_id: str | None = None
    wording: str = field(default="", repr=False)
    jurisdiction: str | None = None
    asked: str = field(default="", repr=False)


class OptIn(StrEnum):
    """What became of somebody's wish to be texted again."""

    LIFTED = "lifted"
    NEVER_OPTED_OUT = "never opted out"  # nothing to lift, and no proof of consent to anything new
    SEEN_BEFORE = "seen before"  # said before an opt-out that came later
    BLOCK_STANDS = "block stands"  # made by somebody whose word this mechanism may not take back


class ConsentDesk:
    """Records opt-outs, opt-ins and doubts, with all that follows."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def opt_out(self, uow: UnitOfWork, said: Saying, now: datetime, scope: Scope = Scope.ALL) -> ConsentEvent | None:
        """Suppress a number for good; give the evidence when that is new, None when it was suppressed already."""
        uow.lock_numbers(said.account_id, [said.msisdn])
        standing = _suppression(uow, said, scope)
        if standing is not None and said.mechanism is Mechanism.CRM_PROPERTY:
            return None  # most likely our own flag coming back as a webhook: no evidence of anything
        event = self._event(said, ConsentKind.OPT_OUT, scope)
        if not uow.consents.record(event):
            if standing is not None or said.mechanism is not Mechanism.API:
                return None
            # A program is answered that the opt-out holds. A source it used before an opt-in must not make that untrue.
            event = replace(event, source=f"{said.source}:{event.id}")
            uow.consents.record(event)
        is_news = uow.consents.suppress(event) and standing is None
        stopped = self._stop_open(uow, said, scope, now)
        if is_news:
            kind = EntryKind.OPTED_OUT if scope is Scope.ALL else EntryKind.MARKETING_REFUSED
            self._tell(uow, event, kind, stopped, now)
        return event if is_news else None

    def opt_in(self, uow: UnitOfWork, said: Saying, now: datetime) -> OptIn:
        """Lift a suppression, if there is one that this mechanism may take back."""
        uow.lock_numbers(said.account_id, [said.msisdn])
        standing = _suppression(uow, said)
        if standing is None:
            return OptIn.NEVER_OPTED_OUT
        if standing.mechanism not in MAY_LIFT[said.mechanism]:
            summary = f"asks for texts again {HOW[said.mechanism]}, but the opt-out {_stands(standing)} stands"
            self._enter(uow, said, EntryKind.ATTENTION_NEEDED, summary, _concerned(uow, said), now)
            return OptIn.BLOCK_STANDS
        event = self._event(said, ConsentKind.OPT_IN, Scope.ALL)
        if not uow.consents.record(event):
            return OptIn.SEEN_BEFORE
        other = self._stands_beneath(uow, said, now)
        if other is not None:
            self._pass_on(uow, said, other, now)
            return OptIn.BLOCK_STANDS
        uow.consents.lift(said.account_id, said.msisdn, Scope.ALL)
        self._tell(uow, event, EntryKind.OPTED_IN, 0, now)
        return OptIn.LIFTED

    def _stands_beneath(self, uow: UnitOfWork, said: Saying, now: datetime) -> ConsentEvent | None:
        """Give an opt-out that this mechanism may not take back, and that changed nothing while another one stood."""
        history = [each for each in uow.consents.history(said.account_id, said.msisdn) if each.scope is Scope.ALL]
        if said.mechanism in SPEAKS_FOR_OTHERS:
            own = [each for each in history if each.mechanism not in SPEAKS_FOR_OTHERS]
            if own and own[-1].kind is ConsentKind.OPT_OUT:
                return own[-1]
        if said.mechanism in BY_STAFF:
            return None
        by_staff = [each for each in history if each.mechanism in BY_STAFF]
        if by_staff and (by_staff[-1].mechanism, by_staff[-1].kind) == (Mechanism.STAFF, ConsentKind.OPT_OUT):
            return by_staff[-1]
        return still_flagged(uow, said.account_id, said.msisdn, said.source, self._new_id, now)

    def agree_to_marketing(self, uow: UnitOfWork, said: Saying) -> bool:
        """Keep it as evidence that somebody agreed to marketing; it lifts nothing. False when it was known."""
        return uow.consents.record(self._event(said, ConsentKind.OPT_IN, Scope.MARKETING))

    def doubt(self, uow: UnitOfWork, said: Saying, now: datetime) -> bool:
        """Allow no marketing to a number whose words may be an opt-out, and ask a person; False when not needed."""
        event = self._event(said, ConsentKind.DOUBTFUL, Scope.MARKETING)
        if _suppression(uow, said) is not None or not uow.consents.record(event):
            return False
        contacts = _concerned(uow, said)
        summary = "a reply may be an opt-out; no marketing until somebody decides"
        self._enter(uow, said, EntryKind.REVOCATION_DOUBTED, summary, contacts, now)
        self._enter(uow, said, EntryKind.ATTENTION_NEEDED, summary, contacts, now)
        speaker = next((contact for contact in contacts if contact.id == said.contact_id), None)
        if speaker is not None:
            uow.records.want([self._task(said, speaker, now)])
            uow.nudge(writeback_lane(speaker.crm))
        return True

    def note_gateway_opt_out(self, uow: UnitOfWork, message: MessageRow, attempt_id: str, now: datetime) -> None:
        """Take over an opt-out that the gateway or carrier knows of (such as Twilio's error 21610)."""
        said = Saying(
            account_id=message.account_id,
            msisdn=message.msisdn,
            mechanism=Mechanism.GATEWAY,
            source=f"attempt:{attempt_id}",
            at=now,
            contact_id=message.contact_id if message.recipient == "contact" else None,
            jurisdiction=message.country,
        )
        if self.opt_out(uow, said, now) is not None:
            uow.messages.set_engagement(message.id, opted_out_at=now)

    def _pass_on(self, uow: UnitOfWork, said: Saying, other: ConsentEvent, now: datetime) -> None:
        """Let an opt-out take the place of the one that hid it, and the flag say so again."""
        uow.consents.lift(said.account_id, said.msisdn, Scope.ALL)
        uow.consents.suppress(other)
        contacts = _concerned(uow, said)
        wish = SPEAKS_FOR_OTHERS.get(said.mechanism, "asks for texts again")
        summary = f"{wish}, but the opt-out {HOW[Mechanism(other.mechanism)]} stands"
        self._enter(uow, said, EntryKind.ATTENTION_NEEDED, summary, contacts, now)
        crm = uow.accounts.get(said.account_id).crm
        uow.records.want(flag_records(self._new_id, other, crm, contacts))
        uow.nudge(writeback_lane(crm))

    def _event(self, said: Saying, kind: ConsentKind, scope: Scope) -> ConsentEvent:
        return ConsentEvent(
            id=self._new_id(),
            account_id=said.account_id,
            msisdn=said.msisdn,
            kind=kind,
            scope=scope,
            mechanism=said.mechanism.value,
            source=said.source,
            at=said.at,
            contact_id=said.contact_id,
            wording=said.wording,
            jurisdiction=said.jurisdiction,
            asked=said.asked,
        )

    def _stop_open(self, uow: UnitOfWork, said: Saying, scope: Scope, now: datetime) -> int:
        """Stop what waits for the number, but for answers to keywords: a second STOP must not eat the confirmation."""
        reason = f"the number opted out {OF_SCOPE[scope]}{HOW[said.mechanism]}"
        waiting = uow.messages.open_to(said.account_id, said.msisdn)
        changes = [
            StateChange(row.id, row.state, MessageState.SUPPRESSED, reason)
            for row in waiting
            if not is_keyword_answer(row.journey, row.step) and (scope is Scope.ALL or row.purpose is Purpose.MARKETING)
        ]
        stopped = set(uow.messages.move(changes, now))
        announce(uow, [Moved(row, MessageState.SUPPRESSED, reason) for row in waiting if row.id in stopped], now)
        return len(stopped)

    def _tell(self, uow: UnitOfWork, event: ConsentEvent, kind: EntryKind, stopped: int, now: datetime) -> None:
        """Tell timeline, journeys and CRM of a change of mind."""
        said = Saying(event.account_id, event.msisdn, Mechanism(event.mechanism), event.id, event.at, event.contact_id)
        contacts = _concerned(uow, said)
        word = "opted in again" if kind is EntryKind.OPTED_IN else "opted out"
        self._enter(uow, said, kind, f"{word} {OF_SCOPE[event.scope]}{HOW[said.mechanism]}", contacts, now)
        if contacts and uow.enrollments.wake(event.account_id, contact_ids=[each.id for each in contacts], now=now):
            uow.nudge(JOURNEYS)
        crm = uow.accounts.get(event.account_id).crm
        uow.records.want(consent_records(self._new_id, event, crm, contacts, stopped, now))
        uow.nudge(writeback_lane(crm))

    def _enter(
        self,
        uow: UnitOfWork,
        said: Saying,
        kind: EntryKind,
        summary: str,
        contacts: Sequence[ContactRow],
        now: datetime,
    ) -> None:
        """Write one timeline entry per contact concerned, one without a contact when nobody is known."""
        about: list[tuple[str | None, str]] = [(contact.id, f"contact:{contact.id}") for contact in contacts]
        if not about:
            about = [(None, f"consent:{said.source}")]
        uow.timeline.add(
            [
                TimelineEntry(
                    account_id=said.account_id,
                    kind=kind,
                    subject=subject,
                    discriminator=said.source,
                    at=now,
                    summary=summary,
                    contact_id=contact_id,
                    data={"mechanism": said.mechanism.value},
                )
                for contact_id, subject in about
            ]
        )

    def _task(self, said: Saying, contact: ContactRow, now: datetime) -> CRMRecordRow:
        name = contact.attributes.get("name") or "this contact"
        record_id = self._new_id()
        return CRMRecordRow(
            id=record_id,
            account_id=said.account_id,
            crm=contact.crm,
            kind=RecordSubject.TASK,
            subject=f"task:doubt:{said.source}",
            ref=message_ref(record_id),
            at=now,
            not_before=now,
            contact_id=contact.id,
            contact_crm_id=shown_crm_id(contact),
            payload={
                "title": f"Does {name} want no more SMS?",
                "body": f"They wrote: {said.wording}\n\nThis may be an opt-out. No marketing SMS goes to this number "
                "until somebody decides. If it is one, set the SMS opt-out on the contact; if it is none, record "
                "a new SMS opt-in there.",
                "owner_id": contact.owner_id,
                "priority": "high",
                "associations": [],
            },
        )


def _suppression(uow: UnitOfWork, said: Saying, scope: Scope = Scope.ALL) -> Suppression | None:
    found = uow.consents.suppressions(said.account_id, [said.msisdn]).get(said.msisdn, ())
    return next((each for each in found if each.scope is scope), None)


def _stands(standing: Suppression) -> str:
    return HOW[Mechanism(standing.mechanism)]


def _concerned(uow: UnitOfWork, said: Saying) -> Sequence[ContactRow]:
    """Give every contact with the number, and the one of the conversation even if its number has changed."""
    contacts = {contact.id: contact for contact in uow.contacts.with_number(said.account_id, said.msisdn)}
    if said.contact_id is not None and said.contact_id not in contacts:
        speaker = uow.contacts.get(said.account_id, said.contact_id)
        contacts |= {speaker.id: speaker} if speaker is not None and speaker.deleted_at is None else {}
    return list(contacts.values())
