"""How does a text go out that no journey made: typed by an operator or ordered by a program?

It takes the same road as every other text: a row, then the claim with all its checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connector.domain.gateway_book import GatewayBook
from connector.domain.message import Direction, MessageState, default_policy
from connector.domain.msisdn import MSISDN, normalise, time_zones
from connector.domain.segments import measure, replace_smart_characters
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import ConditionError, ConnectorError, InvalidNumberError
from connector.ports.contacts import ContactRow
from connector.ports.fingerprints import Fingerprints
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import send_lane, writeback_lane
from connector.ports.rendering import MadeLink, TemplateRenderer
from connector.ports.time import Clock
from connector.services.announcing import message_record
from connector.services.callback_secrets import CallbackSecrets
from connector.services.callbacks import ORDER
from connector.services.links import LinkWriter, link_rows
from connector.services.merged_contacts import shown_crm_id
from connector.services.text_orders import KeyReusedError, TextOrder, UnusableOrderError, written_out

__all__ = ["KeyReusedError", "OrderTools", "Ordered", "SingleTexts", "TextOrder", "UnusableOrderError"]


@dataclass(frozen=True, slots=True)
class Ordered:
    """A text that is queued; `is_new` is False when it was ordered before under the same key."""

    message: MessageRow
    is_new: bool


@dataclass(frozen=True, slots=True)
class OrderTools:
    """What making a text of an order takes.

    Attributes:
        gateway: for accounts that name none.
        templates: renders templates by name.
        fingerprints: knows an order again.
        secrets: signs callbacks.
        links: makes short links.
        book: how texts to each country are written.
    """

    gateway: str
    templates: TemplateRenderer
    fingerprints: Fingerprints
    secrets: CallbackSecrets
    links: LinkWriter
    book: GatewayBook = field(default_factory=GatewayBook)


class SingleTexts:
    """Queues single texts."""

    def __init__(self, ledger: Ledger, tools: OrderTools, clock: Clock) -> None:
        self._ledger, self._tools, self._clock = ledger, tools, clock

    def queue(self, order: TextOrder) -> Ordered:
        """Queue a text in a transaction of its own; see `put`."""
        with self._ledger.begin() as uow:
            ordered = self.put(uow, order)
            uow.commit()
        return ordered

    def put(self, uow: UnitOfWork, order: TextOrder) -> Ordered:
        """Queue a text, or give the one queued before under the same key.

        Raises:
            InvalidNumberError: the number cannot receive an SMS.
            UnusableOrderError: the order cannot be carried out as it is; says which part of it.
            KeyReusedError: another order came under this key before.
        """
        if order.idempotency_key is not None:
            known = uow.messages.by_key(order.account_id, f"{ORDER}{order.idempotency_key}")
            if known is not None:  # and is not checked again: a repeated order may be past its times by now
                return self._again(known, order)
        now = self._clock.now()
        order.check(now)
        account = uow.accounts.get(order.account_id)
        number = _number(order.to, account)
        contact = _contact(uow, order, number)
        text, links = self._text(order, account, contact, number)
        message = self._row(order, account, number, contact, text, now)
        if not uow.messages.add(message):
            return self._again(uow.messages.by_key(account.id, message.idempotency_key) or message, order)
        self._tell(uow, message, account, contact, now)
        uow.links.add(link_rows(message, links, self._ledger.new_id))
        if order.callback_url is not None:
            self._tools.secrets.ensure(uow, account.id, now)
        return Ordered(message, is_new=True)

    def put_all(self, uow: UnitOfWork, orders: Sequence[TextOrder]) -> Sequence[Ordered | ConnectorError]:
        """Queue many texts; give, in order, what came of each: an order that cannot be carried out stops no other."""
        return [self._outcome(uow, order) for order in orders]

    def _outcome(self, uow: UnitOfWork, order: TextOrder) -> Ordered | ConnectorError:
        try:
            return self.put(uow, order)
        except (InvalidNumberError, UnusableOrderError, KeyReusedError) as error:  # raised before anything is written
            return error

    def _again(self, known: MessageRow, order: TextOrder) -> Ordered:
        """Give what was queued before, if it was the same order; one from before fingerprints were kept is believed."""
        is_same = not known.order_fingerprint or self._tools.fingerprints.matches(
            known.order_fingerprint, written_out(order)
        )
        if not is_same:
            raise KeyReusedError("another text was ordered under this idempotency key before")
        return Ordered(known, is_new=False)

    def _text(
        self, order: TextOrder, account: AccountRow, contact: ContactRow | None, number: MSISDN
    ) -> tuple[str, Sequence[MadeLink]]:
        if order.template is None:
            return order.body or "", ()
        folder, _, name = order.template.rpartition("/")
        zones = _zones(contact, number)
        try:
            rendered = self._tools.templates.render(
                order.template,
                {"account": {"id": account.external_id, "name": _name(account)}, **(order.data or {})},
                locale=(contact.locale if contact is not None else None) or account.settings.get("locale"),
                time_zone=zones[0] if zones else None,
                links=self._tools.links.maker(folder, name),
            )
        except ConditionError as error:
            raise UnusableOrderError("template", f"the text cannot be written: {error}") from error
        return rendered.text, rendered.links

    def _row(
        self,
        order: TextOrder,
        account: AccountRow,
        number: MSISDN,
        contact: ContactRow | None,
        text: str,
        now: datetime,
    ) -> MessageRow:
        country = number.region if len(number.region) == 2 else None
        plain = replace_smart_characters(text) if account.settings.get("replace_smart_characters", True) else text
        body = self._tools.book.country(country).written(plain)
        size = measure(body)
        message_id = order.message_id or self._ledger.new_id()
        message = MessageRow(
            id=message_id,
            account_id=account.id,
            direction=Direction.OUT,
            idempotency_key=f"{ORDER}{order.idempotency_key or message_id}",
            purpose=order.purpose,
            msisdn=number.e164,
            body=body,
            gateway=self._tools.gateway,
            encoding=size.encoding.value,
            segments=size.count,
            state=MessageState.QUEUED,
            policy=default_policy(order.purpose),
            not_before=now,
            created_at=now,
            contact_id=contact.id if contact is not None else None,
            recipient="contact" if contact is not None else "number",
            sender=order.sender,
            wanted_sender=order.sender,
            template=order.template or "",
            route=order.route,
            send_window=order.send_window,
            time_zones=_zones(contact, number),
            country=country,
            expires_at=order.ends_at(now),
            priority=order.priority,
            ordered_by=order.ordered_by,
            order_fingerprint=self._tools.fingerprints.make(written_out(order)),
            callback_url=order.callback_url,
        )
        return message if order.send_at is None or order.send_at <= now else _held(message, order.send_at)

    def _tell(
        self, uow: UnitOfWork, message: MessageRow, account: AccountRow, contact: ContactRow | None, now: datetime
    ) -> None:
        """Tell the timeline, the CRM and the lane that there is a text."""
        uow.timeline.add([_created(message, now)])
        if contact is not None:
            uow.records.want([message_record(message, self._ledger.new_id(), account.crm, shown_crm_id(contact), now)])
            uow.nudge(writeback_lane(account.crm))
        if message.state is MessageState.QUEUED:
            uow.nudge(send_lane(message.gateway, message.purpose.value))


def _held(message: MessageRow, until: datetime) -> MessageRow:
    return replace(message, state=MessageState.HELD, state_reason="it was ordered for later", not_before=until)


def _contact(uow: UnitOfWork, order: TextOrder, number: MSISDN) -> ContactRow | None:
    if order.contact_id is not None:
        return uow.contacts.get(order.account_id, order.contact_id)
    return next(iter(uow.contacts.with_number(order.account_id, number.e164)), None)


def _zones(contact: ContactRow | None, number: MSISDN) -> tuple[str, ...]:
    return (contact.time_zone,) if contact is not None and contact.time_zone else time_zones(number.e164)


def _name(account: AccountRow) -> str:
    return str(account.settings.get("name") or account.name)


def _number(raw: str, account: AccountRow) -> MSISDN:
    region = account.settings.get("default_region")
    return normalise(raw, [str(region)] if region else [])


def _orderer(ordered_by: str) -> str:
    return {"api": "a program", "workflow": "a workflow of the CRM"}.get(ordered_by.partition(":")[0], "hand")


def _created(message: MessageRow, now: datetime) -> TimelineEntry:
    by: Mapping[str, str] = {"ordered_by": message.ordered_by} if message.ordered_by else {}
    return TimelineEntry(
        account_id=message.account_id,
        kind=EntryKind.MESSAGE_CREATED,
        subject=f"message:{message.id}",
        discriminator="",
        at=now,
        summary=f"a text was ordered by {_orderer(message.ordered_by)}",
        contact_id=message.contact_id,
        message_id=message.id,
        data=by,
    )
