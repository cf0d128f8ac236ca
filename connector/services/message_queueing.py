"""How does a text that a step asks for get into the ledger, once, with all that follows?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from connector.domain.errands import Notify
from connector.domain.message import Purpose
from connector.domain.steps import Confirm, Send, Verify
from connector.ports.ledger import UnitOfWork
from connector.ports.queue import send_lane, writeback_lane
from connector.services.announcing import message_record
from connector.services.enrollment_entries import message_created
from connector.services.links import link_rows
from connector.services.merged_contacts import shown_crm_id
from connector.services.message_making import Made, MessageMaker
from connector.services.wishes import Wish


@dataclass(frozen=True, slots=True)
class MessageQueuer:
    """Queues texts of journeys."""

    messages: MessageMaker
    new_id: Callable[[], str]

    def queue(self, uow: UnitOfWork, wish: Wish, text: Send, code: str = "") -> str:
        """Queue the text a step asks for, or find it queued; give the message's id. The text may name its `code`.

        Raises:
            UnsendableError: it cannot be made, ever.
        """
        setting = wish.setting
        if code:
            setting = replace(setting, names={**setting.names, "code": code})
        made = self.messages.make(setting, _as_asked(wish, text), wish.key, wish.now)
        return self._put(uow, wish, made)

    def tell_owner(self, uow: UnitOfWork, wish: Wish, step: Notify) -> str:
        """Queue an SMS that tells the owner something; give its id.

        It is no text of the enrollment: an `exit` right behind it must not cancel what the owner is to hear.

        Raises:
            UnsendableError: there is no owner, no number of theirs, or the text cannot be written.
        """
        send = Send(
            id=step.id,
            path=step.path,
            place=step.place,
            text=step.text,
            to="owner",
            purpose=Purpose.TRANSACTIONAL,
        )
        made = self.messages.make(wish.setting, send, wish.key, wish.now)
        return self._put(uow, wish, replace(made, message=replace(made.message, enrollment_id=None)))

    def _put(self, uow: UnitOfWork, wish: Wish, made: Made) -> str:
        message, setting = made.message, wish.setting
        if not uow.messages.add(message):
            known = uow.messages.by_key(message.account_id, message.idempotency_key)
            return message.id if known is None else known.id
        uow.links.add(link_rows(message, made.links, self.new_id))
        uow.timeline.add([message_created(wish, made)])
        crm = setting.account.crm
        uow.records.want([message_record(message, self.new_id(), crm, shown_crm_id(setting.contact), wish.now)])
        uow.nudge(send_lane(message.gateway, message.purpose.value))
        uow.nudge(writeback_lane(crm))
        return message.id


def _as_asked(wish: Wish, text: Send) -> Send:
    """Give a text as its step asks with it.

    A one-time code is worth nothing after its lifetime. The question that makes an opt-in is no marketing itself: it
    goes to people who have not consented yet, because they have just asked to be asked.
    """
    if isinstance(wish.step, Verify):
        return replace(text, purpose=Purpose.OTP, expires_after=text.expires_after or wish.step.lifetime)
    if isinstance(wish.step, Confirm) and wish.step.grants and text.purpose is None:
        return replace(text, purpose=Purpose.TRANSACTIONAL)
    return text
