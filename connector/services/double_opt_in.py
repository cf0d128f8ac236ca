"""What follows when a reply confirms that somebody wants marketing texts?

Evidence that stands on its own: who said what, when, in which words, asked by which text, under which country's law.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connector.domain.event import ObjectRef
from connector.domain.timeline import EntryKind
from connector.ports.consents import Mechanism
from connector.ports.crm import OPTED_IN_AT
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import writeback_lane
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.announcing import message_ref
from connector.services.consent import ConsentDesk, Saying
from connector.services.merged_contacts import shown_crm_id
from connector.services.property_setting import property_record
from connector.services.wishes import Wish


@dataclass(frozen=True, slots=True)
class DoubleOptIn:
    """Records confirmed opt-ins, and shows them in the CRM."""

    consent: ConsentDesk
    new_id: Callable[[], str]

    def grant(self, uow: UnitOfWork, wish: Wish, reply: MessageRow, asked: MessageRow | None) -> bool:
        """Record that a reply has confirmed; `asked` is the text it answers. False when that was known.

        False also when nobody asked that number: who says yes for somebody else has agreed to nothing.
        """
        if asked is None or asked.msisdn != reply.msisdn:
            return False
        setting = wish.setting
        said = Saying(
            account_id=setting.account.id,
            msisdn=reply.msisdn,
            mechanism=Mechanism.DOUBLE_OPT_IN,
            source=f"message:{reply.id}",
            at=reply.created_at,
            contact_id=setting.contact.id,
            wording=reply.body,
            jurisdiction=setting.contact.country or reply.country,
            asked=asked.body,
        )
        if not self.consent.agree_to_marketing(uow, said):
            return False
        summary = "agreed to marketing texts by confirming the question"
        mechanism = said.mechanism.value
        uow.timeline.add(
            [wish.entry(EntryKind.OPTED_IN, summary, mechanism=mechanism, reply=reply.id, asked_by=asked.id)]
        )
        if shown_crm_id(setting.contact):
            uow.records.want([self._communication(wish, reply, asked.body), self._opted_in_at(wish, reply.created_at)])
            uow.nudge(writeback_lane(setting.account.crm))
        return True

    def _communication(self, wish: Wish, reply: MessageRow, asked: str) -> CRMRecordRow:
        setting, record_id = wish.setting, self.new_id()
        crm_id = shown_crm_id(setting.contact)
        return CRMRecordRow(
            id=record_id,
            account_id=setting.account.id,
            crm=setting.account.crm,
            kind=RecordSubject.OPT_OUT,
            subject=f"opt-in:{reply.id}:{crm_id}",
            ref=message_ref(record_id),
            at=reply.created_at,
            not_before=wish.now,
            contact_id=setting.contact.id,
            contact_crm_id=crm_id,
            payload={
                "headline": f"Opted in to marketing SMS \u00b7 {reply.created_at:%Y-%m-%d %H:%M} UTC",
                "how": f"The contact wrote: {reply.body}\n\nThey were asked: {asked}",
                "effect": "Marketing SMS may go to this number until it opts out.",
            },
        )

    def _opted_in_at(self, wish: Wish, at: datetime) -> CRMRecordRow:
        contact = ObjectRef("contact", shown_crm_id(wish.setting.contact))
        return property_record(self.new_id(), wish, contact, OPTED_IN_AT, at.isoformat())
