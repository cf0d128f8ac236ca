"""Who wrote back, and what follows from it?

A reply belongs to the contact of the last text that went to its number from the number it was sent to. Its text is
always kept. What it says about being texted is acted on at once, in the transaction that keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from connector.domain.consent import KeywordBook, KeywordKind
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.domain.segments import measure
from connector.domain.sender_rules import named_senders
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.contacts import ContactRow
from connector.ports.gateway import IncomingSMS
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import JOURNEYS, writeback_lane
from connector.services.announcing import message_record
from connector.services.callbacks import tell_reply
from connector.services.consent import ConsentDesk
from connector.services.habits import note_answer
from connector.services.merged_contacts import shown_crm_id
from connector.services.reply_keywords import Conversation, Heard, KeywordAnswers, show_engagement
from connector.services.unknown_senders import ask_whose
from connector.services.workflow_telling import tell_workflow_reply

log = structlog.get_logger(__name__)

_REFUSALS = frozenset({KeywordKind.STOP, KeywordKind.MAYBE_STOP})  # say nothing about when somebody likes to be texted
_LOOKED_BACK = 10  # texts either way among which a code that is still good would be; codes live for minutes
_VENDOR_KINDS = {"STOP": KeywordKind.STOP, "START": KeywordKind.START, "HELP": KeywordKind.HELP}


class ReplyDesk:
    """Takes replies in."""

    def __init__(self, new_id: Callable[[], str], keywords: KeywordBook, consent: ConsentDesk) -> None:
        self._new_id, self._keywords = new_id, keywords
        self._answers = KeywordAnswers(new_id, keywords, consent)

    def take_reply(self, uow: UnitOfWork, sms: IncomingSMS, gateway: str, now: datetime) -> str:
        """Keep one reply and do what follows from it; give a word for what it came to, for the inbox."""
        talks = _conversations(uow, sms)
        kind = self._kind(sms, talks)
        if not talks:
            return self._from_nobody(uow, sms, gateway, kind, now)
        talk = talks[0]
        reply = self._row(sms, gateway, talk, _purpose(uow, talk, now), now)
        if not uow.messages.add(reply):
            return "seen before"
        heard = Heard(kind, sms, reply)
        note = self._answers.act(uow, heard, talks, now)
        self._tell(uow, heard, talk, note, now)
        if talk.last is not None:
            tell_reply(uow, reply, talk.last, now)
            tell_workflow_reply(uow, reply, now, is_opt_out=kind is KeywordKind.STOP)
        self._show(uow, reply, talk, note, now)
        if talk.contact is None:
            account = uow.accounts.get(talk.account_id)
            ask_whose(uow, self._new_id, account, reply, may_create=kind not in _REFUSALS)
        if kind not in _REFUSALS:
            note_answer(uow, reply, now)
        return "reply" if kind is KeywordKind.NONE else kind.value

    def _kind(self, sms: IncomingSMS, talks: Sequence[Conversation]) -> KeywordKind:
        """Say what a reply means for consent; a STOP counts whoever heard it, the gateway or we."""
        contact = talks[0].contact if talks else None
        ours = self._keywords.classify(sms.body, contact.locale if contact is not None else None).kind
        theirs = _VENDOR_KINDS.get((sms.opt_out_handled or "").upper())
        return ours if theirs is None or ours is KeywordKind.STOP else theirs

    def _row(self, sms: IncomingSMS, gateway: str, talk: Conversation, purpose: Purpose, now: datetime) -> MessageRow:
        size = measure(sms.body)
        return MessageRow(
            id=self._new_id(),
            account_id=talk.account_id,
            direction=Direction.IN,
            idempotency_key=f"in:{gateway}:{sms.provider_message_id}",
            purpose=purpose,
            msisdn=sms.from_,
            body=sms.body,
            gateway=gateway,
            encoding=size.encoding.value,
            segments=size.count,
            state=MessageState.RECEIVED,
            policy=SendPolicy.AT_MOST_ONCE,
            not_before=now,
            created_at=now,
            contact_id=talk.contact.id if talk.contact is not None else None,
            enrollment_id=talk.last.enrollment_id if talk.last is not None else None,
            journey=talk.last.journey if talk.last is not None else "",
            step=talk.last.step if talk.last is not None else "",
            recipient=talk.speaker,
            sender=sms.to,
            country=talk.contact.country if talk.contact is not None else None,
            provider_message_id=sms.provider_message_id,
        )

    def _tell(self, uow: UnitOfWork, heard: Heard, talk: Conversation, note: str, now: datetime) -> None:
        """Tell the timeline and the journeys that a reply came.

        The reply of an owner is not the contact's: it is told to the journey that texted the owner, by the record
        that started it.
        """
        reply = heard.reply
        is_contact = talk.speaker == "contact"
        uow.timeline.add(
            [
                TimelineEntry(
                    account_id=reply.account_id,
                    kind=EntryKind.REPLY_RECEIVED,
                    subject=f"message:{reply.id}",
                    discriminator="",
                    at=now,
                    summary=f"{talk.speaker} replied" + (f": {note}" if note else ""),
                    contact_id=reply.contact_id if is_contact else None,
                    enrollment_id=reply.enrollment_id,
                    message_id=reply.id,
                    ref="" if is_contact else _started_by(uow, reply),
                    data={"keyword": heard.kind.value, "gateway": reply.gateway, "from": talk.speaker}
                    | ({"answers": talk.last.id} if talk.last is not None else {}),
                )
            ]
        )
        uow.enrollments.wake(
            reply.account_id,
            contact_ids=[reply.contact_id] if is_contact and reply.contact_id else [],
            enrollment_ids=[reply.enrollment_id] if reply.enrollment_id else [],
            now=now,
        )
        uow.nudge(JOURNEYS)

    def _show(self, uow: UnitOfWork, reply: MessageRow, talk: Conversation, note: str, now: datetime) -> None:
        """Show the reply in the CRM, and on the text it answers that it was answered."""
        if talk.last is not None:
            show_engagement(uow, talk.last, now, replied_at=now)
        if talk.contact is not None:
            record = message_record(reply, self._new_id(), talk.contact.crm, shown_crm_id(talk.contact), now)
            uow.records.want([replace(record, payload={"note": note} if note else {})])
            uow.nudge(writeback_lane(talk.contact.crm))

    def _from_nobody(self, uow: UnitOfWork, sms: IncomingSMS, gateway: str, kind: KeywordKind, now: datetime) -> str:
        """Heed a STOP from a number nobody knows in every account: each might text it one day. The inbox keeps it."""
        log.warning("reply.no_account", gateway=gateway, provider_message_id=sms.provider_message_id, kind=kind.value)
        if kind is not KeywordKind.STOP:
            return "no account"
        for account in uow.accounts.all():
            self._answers.suppress(
                uow, sms, f"inbound:{gateway}:{sms.provider_message_id}", Conversation(account.id), now
            )
        return "stop in every account: no account knows the number"


def _conversations(uow: UnitOfWork, sms: IncomingSMS) -> Sequence[Conversation]:
    """Give who may be writing to whom, per account, the most likely one first."""
    last = uow.messages.last_sent_to(sms.from_, sms.to) or uow.messages.last_sent_to(sms.from_, None)
    if last:
        return [Conversation(message.account_id, _contact_of(uow, message), message) for message in last]
    accounts = uow.accounts.all()
    known = [(account, uow.contacts.with_number(account.id, sms.from_)) for account in accounts]
    found = [Conversation(account.id, contacts[0]) for account, contacts in known if contacts]
    return found or [Conversation(account.id) for account in _owners(accounts, sms.to)]


def _owners(accounts: Sequence[AccountRow], number: str) -> Sequence[AccountRow]:
    """Give the accounts a number of ours belongs to: the only one, or those whose settings name it as a sender."""
    if len(accounts) == 1:
        return accounts
    return [account for account in accounts if number in named_senders(account.settings)]


def _purpose(uow: UnitOfWork, talk: Conversation, now: datetime) -> Purpose:
    """Give a reply the purpose of the one-time code it may hold, so that nobody is shown a code that is still good."""
    recent = uow.messages.of_contact(talk.account_id, talk.contact.id, _LOOKED_BACK) if talk.contact else []
    codes = [message for message in recent if message.purpose is Purpose.OTP and message.direction is Direction.OUT]
    is_good = any(code.expires_at is None or code.expires_at > now for code in codes)
    answers_one = talk.last is not None and talk.last.purpose is Purpose.OTP
    return Purpose.OTP if is_good or answers_one else Purpose.TRANSACTIONAL


def _contact_of(uow: UnitOfWork, message: MessageRow) -> ContactRow | None:
    return None if message.contact_id is None else uow.contacts.get(message.account_id, message.contact_id)


def _started_by(uow: UnitOfWork, reply: MessageRow) -> str:
    if reply.enrollment_id is None:
        return ""
    enrollment = uow.enrollments.find(reply.account_id, reply.enrollment_id)
    return "" if enrollment is None else enrollment.subject
