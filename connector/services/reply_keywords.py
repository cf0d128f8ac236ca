"""What follows when a reply says STOP, START or HELP, or may mean STOP, and what do we answer?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connector.domain.consent import KeywordBook, KeywordKind
from connector.domain.gateway_book import VIA
from connector.domain.keyword_answers import HELP_ANSWER, JOURNEY, START_CONFIRMATION, STOP_CONFIRMATION
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.domain.msisdn import normalise
from connector.domain.segments import measure
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import InvalidNumberError
from connector.ports.consents import Mechanism
from connector.ports.contacts import ContactRow
from connector.ports.gateway import IncomingSMS
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import send_lane, writeback_lane
from connector.ports.records import RecordSubject
from connector.services.announcing import message_record
from connector.services.consent import ConsentDesk, OptIn, Saying
from connector.services.merged_contacts import shown_crm_id

_LIFETIMES = {
    # 47 CFR 64.1200(a)(12): a confirmation within five minutes of the opt-out needs no further justification.
    STOP_CONFIRMATION: timedelta(minutes=5),
    # Whoever asked has put the phone away an hour later, and an answer out of the blue puzzles.
    START_CONFIRMATION: timedelta(hours=1),
    HELP_ANSWER: timedelta(hours=1),
}

ANOTHERS_WORDS = "(words to another account, which texts from the same number)"
"""What stands for a reply's words in the evidence of accounts it did not answer: what it means holds for them too, what
it says is none of their business."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Who talks to which account: the contact as far as known, and our last text to the number.

    When the last text went to the contact's owner, the owner is speaking and `contact` is whom it was about.
    """

    account_id: str
    contact: ContactRow | None = None
    last: MessageRow | None = None

    @property
    def speaker(self) -> str:
        """Whose number it is: `contact`, `owner` or `number`."""
        return self.last.recipient if self.last is not None else "contact"

    @property
    def speaking_contact(self) -> ContactRow | None:
        """The contact, when it is they who speak."""
        return self.contact if self.speaker == "contact" else None


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply as kept, and what it means for consent."""

    kind: KeywordKind
    sms: IncomingSMS
    reply: MessageRow


class KeywordAnswers:
    """Acts on keywords and answers them."""

    def __init__(self, new_id: Callable[[], str], keywords: KeywordBook, consent: ConsentDesk) -> None:
        self._new_id, self._keywords, self._consent = new_id, keywords, consent

    def act(self, uow: UnitOfWork, heard: Heard, talks: Sequence[Conversation], now: datetime) -> str:
        """Do what a keyword asks for; give a note on it for the rep, empty for a reply without a keyword."""
        if heard.kind is KeywordKind.STOP:
            return self._stop(uow, heard, talks, now)
        if heard.kind is KeywordKind.START:
            return self._start(uow, heard, talks[0], now)
        if heard.kind is KeywordKind.HELP:
            return self._help(uow, heard, talks[0], now)
        if heard.kind is KeywordKind.MAYBE_STOP:
            return self._doubt(uow, heard, talks, now)
        return ""

    def suppress(self, uow: UnitOfWork, sms: IncomingSMS, source: str, talk: Conversation, now: datetime) -> str | None:
        """Opt a number out of one account, with the words it said to it; give the evidence's id when that is news."""
        event = self._consent.opt_out(uow, _saying(sms, source, talk, now), now)
        if talk.last is not None and event is not None:
            show_engagement(uow, talk.last, now, opted_out_at=now)
        return None if event is None else event.id

    def _stop(self, uow: UnitOfWork, heard: Heard, talks: Sequence[Conversation], now: datetime) -> str:
        """Stop every account that texted the number from there; the one that is answered confirms, once."""
        source = f"message:{heard.reply.id}"
        made = [self.suppress(uow, _heard_by(talk, heard), source, talk, now) for talk in talks]
        if made[0] is None:
            return "Understood as STOP; this number had opted out before."
        if heard.sms.opt_out_handled:
            return "Understood as STOP: no more SMS go to this number. The gateway has confirmed it."
        self._answer(uow, heard, talks[0], STOP_CONFIRMATION, made[0], now)
        return "Understood as STOP: no more SMS go to this number, but for one that confirms it."

    def _start(self, uow: UnitOfWork, heard: Heard, talk: Conversation, now: datetime) -> str:
        outcome = self._consent.opt_in(uow, _saying(heard.sms, f"message:{heard.reply.id}", talk, now), now)
        if outcome is OptIn.BLOCK_STANDS:
            return "Understood as START, but the opt-out was set in the CRM by a colleague and stands."
        if outcome is not OptIn.LIFTED:
            return "Understood as START; this number had not opted out, so nothing changes."
        if not heard.sms.opt_out_handled:
            self._answer(uow, heard, talk, START_CONFIRMATION, heard.reply.id, now)
        return "Understood as START: SMS may go to this number again."

    def _help(self, uow: UnitOfWork, heard: Heard, talk: Conversation, now: datetime) -> str:
        if heard.sms.opt_out_handled:
            return "Understood as HELP; the gateway has answered."
        self._answer(uow, heard, talk, HELP_ANSWER, heard.reply.id, now)
        return "Understood as HELP and answered."

    def _doubt(self, uow: UnitOfWork, heard: Heard, talks: Sequence[Conversation], now: datetime) -> str:
        source = f"message:{heard.reply.id}"
        doubts = [self._consent.doubt(uow, _saying(_heard_by(talk, heard), source, talk, now), now) for talk in talks]
        if not any(doubts):
            return ""
        return "This may be an opt-out: no marketing SMS goes to this number until somebody decides."

    def _answer(
        self, uow: UnitOfWork, heard: Heard, talk: Conversation, step: str, once_per: str, now: datetime
    ) -> None:
        """Queue the answer to a keyword, to go out from the number that was written to."""
        answer = self._row(heard, talk, step, once_per, now)
        uow.messages.add(answer)
        uow.timeline.add([_created(answer, now)])
        if talk.contact is not None:
            shown = shown_crm_id(talk.contact)
            uow.records.want([message_record(answer, self._new_id(), talk.contact.crm, shown, now)])
            uow.nudge(writeback_lane(talk.contact.crm))
        uow.nudge(send_lane(answer.gateway, answer.purpose.value))

    def _row(self, heard: Heard, talk: Conversation, step: str, once_per: str, now: datetime) -> MessageRow:
        contact = talk.contact
        body = self._text(step, contact.locale if contact is not None else None)
        size = measure(body)
        return MessageRow(
            id=self._new_id(),
            account_id=talk.account_id,
            direction=Direction.OUT,
            idempotency_key=f"{step}:{once_per}",
            purpose=Purpose.TRANSACTIONAL,
            msisdn=heard.sms.from_,
            body=body,
            gateway=heard.reply.gateway,
            encoding=size.encoding.value,
            segments=size.count,
            state=MessageState.QUEUED,
            policy=SendPolicy.AT_MOST_ONCE,
            not_before=now,
            created_at=now,
            contact_id=contact.id if contact is not None else None,
            journey=JOURNEY,
            step=step,
            recipient=talk.speaker,
            sender=heard.sms.to,
            wanted_sender=heard.sms.to,
            route=f"{VIA}{heard.reply.gateway}",  # the number that was written to belongs to that gateway
            send_window="anytime",
            country=_country(heard.sms.from_),
            expires_at=now + _LIFETIMES[step],
        )

    def _text(self, step: str, language: str | None) -> str:
        texts = {
            STOP_CONFIRMATION: self._keywords.stop_confirmation,
            START_CONFIRMATION: self._keywords.start_confirmation,
            HELP_ANSWER: self._keywords.help_text,
        }
        return texts[step](language)


def show_engagement(
    uow: UnitOfWork,
    message: MessageRow,
    now: datetime,
    *,
    replied_at: datetime | None = None,
    opted_out_at: datetime | None = None,
) -> None:
    """Note on a text that its reader replied or opted out, and have the CRM show it."""
    uow.messages.set_engagement(message.id, replied_at=replied_at, opted_out_at=opted_out_at)
    for crm in uow.records.changed(message.account_id, RecordSubject.MESSAGE, [f"message:{message.id}"], now):
        uow.nudge(writeback_lane(crm))


def _heard_by(talk: Conversation, heard: Heard) -> IncomingSMS:
    """Give a reply as an account may read it: in full when it answered that account."""
    is_answered = talk.account_id == heard.reply.account_id
    return heard.sms if is_answered else replace(heard.sms, body=ANOTHERS_WORDS)


def _saying(sms: IncomingSMS, source: str, talk: Conversation, now: datetime) -> Saying:
    speaker = talk.speaking_contact
    return Saying(
        account_id=talk.account_id,
        msisdn=sms.from_,
        mechanism=Mechanism.KEYWORD,
        source=source,
        at=now,
        contact_id=speaker.id if speaker is not None else None,
        wording=sms.body,
        jurisdiction=speaker.country if speaker is not None else None,
    )


def _country(number: str) -> str | None:
    """Give the country of a number, by which its texts are priced; None for a short code and numbers of no country."""
    try:
        region = normalise(number, []).region
    except InvalidNumberError:
        return None
    return region if len(region) == 2 else None


def _created(answer: MessageRow, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=answer.account_id,
        kind=EntryKind.MESSAGE_CREATED,
        subject=f"message:{answer.id}",
        discriminator="",
        at=now,
        summary=f"{answer.step} to a reply",
        contact_id=answer.contact_id,
        message_id=answer.id,
        path=answer.step,
    )
