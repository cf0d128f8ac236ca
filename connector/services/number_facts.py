"""What do refusals and receipts tell about a number, and who has to know?

A number that carriers say is dead is marked on the contact in the CRM: somebody has to ask the customer for a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from connector.domain.message import ErrorClass, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.contacts import ContactRow
from connector.ports.gateway import StatusReport
from connector.ports.ledger import UnitOfWork
from connector.ports.lookups import LookupState, NumberRow
from connector.ports.messages import MessageRow
from connector.ports.number_lookup import LineType
from connector.ports.queue import writeback_lane
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.announcing import message_ref
from connector.services.merged_contacts import shown_crm_id
from connector.services.number_checks import ENOUGH_RECEIPTS

STATUS_PROPERTY = "number_status_property"
"""Account setting: the contact property that shows whether the number is in service; none while it is not set."""

_OUT_OF_SERVICE = "out of service"
_BAD_ENDS = frozenset({MessageState.UNDELIVERED, MessageState.FAILED})


class NumberEar:
    """Listens for what is said of numbers."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def has_to_hear(self, uow: UnitOfWork, message: MessageRow, report: StatusReport) -> bool:
        """Tell whether a receipt says something new of its number; then the number is to be held before `hear`."""
        if not may_speak_of_number(report):
            return False
        if report.state is not MessageState.DELIVERED:
            return _is_dead(report)
        known = uow.numbers.of(message.account_id, [message.msisdn]).get(message.msisdn)
        is_alive_again = known is not None and known.line_type is LineType.INVALID
        return is_alive_again or (bool(report.carrier) and (known is None or not known.carrier))

    def hear(self, uow: UnitOfWork, message: MessageRow, gateway: str, report: StatusReport, now: datetime) -> None:
        """Take in a receipt: a dead number, one that is in service after all, or whose it is."""
        if _is_dead(report):
            self._note_dead(uow, message, gateway, now, weight=1, heard_of=message.sent_at or now)
        elif report.state is MessageState.DELIVERED:
            self._note_alive(uow, message, gateway, report.carrier or "", now)

    def _note_alive(self, uow: UnitOfWork, message: MessageRow, gateway: str, carrier: str, now: datetime) -> None:
        """Forget that a number was taken for dead, and remember its carrier: ways differ by carrier."""
        known = uow.numbers.of(message.account_id, [message.msisdn]).get(message.msisdn)
        if known is not None and known.line_type is LineType.INVALID and not _is_newer(known, message.sent_at or now):
            uow.numbers.save([_row(message, f"receipt:{gateway}", now, LineType.UNKNOWN, 0)])
        elif carrier and known is None:
            stranger = _row(message, "", now, LineType.UNKNOWN, 0)
            uow.numbers.save([replace(stranger, carrier=carrier[:64], known_at=None)])
        elif carrier and known is not None and not known.carrier and known.state is not LookupState.WANTED:
            # Gateways name carriers differently: the first holds. One that is being asked about will be told of.
            uow.numbers.save([replace(known, carrier=carrier[:64])])

    def hear_refusal(self, uow: UnitOfWork, message: MessageRow, gateway: str, now: datetime) -> None:
        """Take in that a gateway did not take a text because of its number: there is nothing to doubt about that.

        The number is to be held until commit, as with `hear`: of two that count at once one would be lost.
        """
        self._note_dead(uow, message, gateway, now, weight=ENOUGH_RECEIPTS, heard_of=now)

    def _note_dead(
        self, uow: UnitOfWork, message: MessageRow, gateway: str, now: datetime, *, weight: int, heard_of: datetime
    ) -> None:
        known = uow.numbers.of(message.account_id, [message.msisdn]).get(message.msisdn)
        if known is not None and _is_newer(known, heard_of):
            return
        before = known.attempts if known is not None and known.line_type is LineType.INVALID else 0
        uow.numbers.save([_row(message, f"receipt:{gateway}", now, LineType.INVALID, before + weight)])
        if before < ENOUGH_RECEIPTS <= before + weight:
            self._tell(uow, message, now)

    def _tell(self, uow: UnitOfWork, message: MessageRow, now: datetime) -> None:
        """Show it on the contact: a note, and the property of the account's choice."""
        contact = None if message.contact_id is None else uow.contacts.get(message.account_id, message.contact_id)
        reason = "carriers say that the number is out of service; no more texts go to it until it is changed"
        uow.timeline.add([_entry(message, reason, now)])
        if contact is None or contact.msisdn != message.msisdn:
            return
        account = uow.accounts.get(message.account_id)
        records = [self._note(message, contact, now)]
        name = str(account.settings.get(STATUS_PROPERTY) or "")
        if name:
            records.append(self._property(message, contact, name, now))
        uow.records.want(records)
        uow.nudge(writeback_lane(contact.crm))

    def _note(self, message: MessageRow, contact: ContactRow, now: datetime) -> CRMRecordRow:
        text = (
            f"{message_ref(message.id)}: carriers say that this contact's number is out of service. Texts to it stop."
        )
        crm_id = shown_crm_id(contact)
        return CRMRecordRow(
            id=self._new_id(),
            account_id=message.account_id,
            crm=contact.crm,
            kind=RecordSubject.NOTE,
            subject=f"note:number:{message.id}",
            ref=message_ref(message.id),
            at=now,
            not_before=now,
            contact_id=contact.id,
            contact_crm_id=crm_id,
            payload={"text": text, "associations": [f"contact:{crm_id}"]},
        )

    def _property(self, message: MessageRow, contact: ContactRow, name: str, now: datetime) -> CRMRecordRow:
        crm_id = shown_crm_id(contact)
        return CRMRecordRow(
            id=self._new_id(),
            account_id=message.account_id,
            crm=contact.crm,
            kind=RecordSubject.PROPERTY,
            subject=f"property:contact:{crm_id}:{name}",
            ref=message_ref(message.id),
            at=now,
            not_before=now,
            contact_id=contact.id,
            contact_crm_id=crm_id,
            payload={"value": _OUT_OF_SERVICE},
        )


def hold_numbers(uow: UnitOfWork, messages: Sequence[MessageRow]) -> None:
    """Hold the numbers of texts until commit, all at once and in one order."""
    for account_id in sorted({message.account_id for message in messages}):
        uow.lock_numbers(account_id, sorted({each.msisdn for each in messages if each.account_id == account_id}))


def may_speak_of_number(report: StatusReport) -> bool:
    """Tell whether a receipt is of a kind that says something of its number, or of whose it is."""
    return report.state is MessageState.DELIVERED or report.error_class is ErrorClass.OPTED_OUT or _is_dead(report)


def _is_dead(report: StatusReport) -> bool:
    return report.state in _BAD_ENDS and report.error_class is ErrorClass.PERMANENT_NUMBER


def _is_newer(known: NumberRow, heard_of: datetime) -> bool:
    """Tell whether a lookup has told of a number after the text went of which we hear only now."""
    return known.source.startswith("lookup:") and known.known_at is not None and known.known_at > heard_of


def _row(message: MessageRow, source: str, now: datetime, line_type: LineType, attempts: int) -> NumberRow:
    return NumberRow(
        account_id=message.account_id,
        msisdn=message.msisdn,
        state=LookupState.KNOWN,
        not_before=now,
        line_type=line_type,
        country=message.country,
        source=source,
        known_at=now,
        attempts=attempts,
    )


def _entry(message: MessageRow, reason: str, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=message.account_id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject=f"message:{message.id}",
        discriminator="number",
        at=now,
        summary=reason,
        contact_id=message.contact_id,
        enrollment_id=message.enrollment_id,
        message_id=message.id,
        path=message.step,
    )
