"""How does one text go out that no journey made: typed by an operator or asked for by a program?

It takes the same road as every other text: a row, then the claim with all its checks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connector.domain.message import LIFETIMES, Direction, MessageState, Purpose, default_policy
from connector.domain.msisdn import MSISDN, normalise, time_zones
from connector.domain.segments import measure, replace_smart_characters
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import ConfigurationError, InvalidNumberError
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import send_lane, writeback_lane
from connector.ports.time import Clock
from connector.services.announcing import message_record
from connector.services.merged_contacts import shown_crm_id


@dataclass(frozen=True, slots=True)
class TextOrder:
    """One text to be sent.

    Attributes:
        to: a phone number as typed.
        idempotency_key: the same key never sends a second text; None makes every order its own.
        sender: our number to send from, or None for the gateway's default.
    """

    account_id: str
    to: str = field(repr=False)
    body: str = field(repr=False)
    purpose: Purpose = Purpose.TRANSACTIONAL
    sender: str | None = None
    idempotency_key: str | None = None


class SingleTexts:
    """Queues single texts."""

    def __init__(self, ledger: Ledger, gateway: str, clock: Clock) -> None:
        self._ledger, self._gateway, self._clock = ledger, gateway, clock

    def queue(self, order: TextOrder) -> MessageRow:
        """Queue a text, or give the one queued before under the same key.

        Raises:
            InvalidNumberError: the number cannot receive an SMS.
            ConfigurationError: an empty text.
        """
        if not order.body.strip():
            raise ConfigurationError("the text is empty")
        now = self._clock.now()
        with self._ledger.begin() as uow:
            account = uow.accounts.get(order.account_id)
            number = _number(order.to, account)
            contact = next(iter(uow.contacts.with_number(account.id, number.e164)), None)
            message = self._row(order, account, number, contact, now)
            if not uow.messages.add(message):
                return self._known(uow, message)
            uow.timeline.add([_created(message, now)])
            if contact is not None:
                record = message_record(message, self._ledger.new_id(), account.crm, shown_crm_id(contact), now)
                uow.records.want([record])
                uow.nudge(writeback_lane(account.crm))
            uow.nudge(send_lane(message.gateway, message.purpose.value))
            uow.commit()
        return message

    def _known(self, uow: UnitOfWork, message: MessageRow) -> MessageRow:
        known = uow.messages.by_key(message.account_id, message.idempotency_key)
        return known or message

    def _row(
        self, order: TextOrder, account: AccountRow, number: MSISDN, contact: ContactRow | None, now: datetime
    ) -> MessageRow:
        body = replace_smart_characters(order.body)
        size = measure(body)
        zone = contact.time_zone if contact is not None else None
        message_id = self._ledger.new_id()
        return MessageRow(
            id=message_id,
            account_id=account.id,
            direction=Direction.OUT,
            idempotency_key=f"order:{order.idempotency_key or message_id}",
            purpose=order.purpose,
            msisdn=number.e164,
            body=body,
            gateway=str(account.settings.get("gateway") or self._gateway),
            encoding=size.encoding.value,
            segments=size.count,
            state=MessageState.QUEUED,
            policy=default_policy(order.purpose),
            not_before=now,
            created_at=now,
            contact_id=contact.id if contact is not None else None,
            recipient="contact" if contact is not None else "number",
            sender=order.sender,
            time_zones=(zone,) if zone else time_zones(number.e164),
            country=number.region if len(number.region) == 2 else None,
            expires_at=now + LIFETIMES[order.purpose],
        )


def _number(raw: str, account: AccountRow) -> MSISDN:
    region = account.settings.get("default_region")
    number = normalise(raw, [str(region)] if region else [])
    if not number.may_receive_sms:
        raise InvalidNumberError(f"a {number.kind} number cannot receive SMS")
    return number


def _created(message: MessageRow, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=message.account_id,
        kind=EntryKind.MESSAGE_CREATED,
        subject=f"message:{message.id}",
        discriminator="",
        at=now,
        summary="a text was ordered by hand",
        contact_id=message.contact_id,
        message_id=message.id,
    )
