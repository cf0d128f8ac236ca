"""Why did, or didn't, this person get this text?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connector.domain.message import Engagement
from connector.domain.timeline import TimelineEntry
from connector.ports.contacts import ContactRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.records import CRMRecordRow
from connector.services.shown_texts import shown_body

MESSAGES_SHOWN, ENTRIES_SHOWN = 50, 500
"""A conversation of a year, and every decision around it; more makes a card slow and nobody reads it."""


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One thing that happened, and what decided it.

    Attributes:
        path: in the journey file, such as `steps[3].wait_for.cases[0]`; empty when no file decided.
        line: line of `file`, 0 when no file decided.
        values: what the decision saw, JSON-able.
    """

    at: datetime
    kind: str
    summary: str
    path: str
    file: str
    line: int
    values: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Give the line as cards and `--json` show it."""
        return {
            "at": self.at.isoformat(),
            "kind": self.kind,
            "summary": self.summary,
            "path": self.path,
            "file": self.file,
            "line": self.line,
            "values": dict(self.values),
        }

    def __str__(self) -> str:
        """Give the line as a terminal shows it."""
        where = f"  [{self.file}:{self.line} {self.path}]" if self.file else f"  [{self.path}]" if self.path else ""
        seen = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.at:%Y-%m-%d %H:%M:%S}  {self.kind}: {self.summary}{where}" + (f"  ({seen})" if seen else "")


class Traces:
    """Reads traces; changes nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def explain(self, text: str) -> Sequence[TraceLine]:
        """Trace a message, gateway message, enrollment or contact by its id; empty when nothing goes by it.

        A contact goes by our id or by the CRM's; one whose CRM id exists in several accounts is shown in all of them.
        """
        with self._ledger.begin(write=False) as uow:
            message = uow.messages.find(None, text)
            if message is not None:
                return _lines(_of_message(uow, message))
            enrollment = uow.enrollments.find(None, text)
            if enrollment is not None:
                return [
                    *_lines(uow.timeline.of_enrollment(enrollment.account_id, enrollment.id)),
                    _standing(enrollment),
                ]
            return [line for contact in _contacts(uow, text) for line in _of_contact(uow, contact)]

    def contact_card(self, account_id: str, crm_id: str) -> dict[str, Any]:
        """Give what a record card shows of a contact; an unknown contact has no messages and no trace."""
        with self._ledger.begin(write=False) as uow:
            contact = uow.contacts.by_crm_ids(account_id, [crm_id]).get(crm_id)
            if contact is None:
                return {"contact": {"crm_id": crm_id, "msisdn": None, "opted_out": False}, "messages": [], "trace": []}
            messages = uow.messages.of_contact(account_id, contact.id, MESSAGES_SHOWN)
            shown = uow.records.of_messages(account_id, [message.id for message in messages])
            entries = uow.timeline.of_contact(account_id, contact.id, ENTRIES_SHOWN)
            return {
                "contact": {
                    "crm_id": crm_id,
                    "msisdn": contact.msisdn,
                    "opted_out": _is_opted_out(uow, contact),
                },
                "messages": [_message(uow, message, shown.get(message.id)) for message in messages],
                "trace": [line.to_json() for line in _lines(entry for entry in entries if entry.message_id is None)],
            }


def _contacts(uow: UnitOfWork, text: str) -> list[ContactRow]:
    found = []
    for account in uow.accounts.all():
        contact = uow.contacts.get(account.id, text) or uow.contacts.by_crm_ids(account.id, [text]).get(text)
        found += [contact] if contact is not None else []
    return found


def _of_contact(uow: UnitOfWork, contact: ContactRow) -> list[TraceLine]:
    entries = _lines(uow.timeline.of_contact(contact.account_id, contact.id, ENTRIES_SHOWN))
    live = [each for each in uow.enrollments.of_contact(contact.account_id, contact.id) if each.status == "live"]
    return [*entries, *map(_standing, live)]


def _of_message(uow: UnitOfWork, message: MessageRow) -> list[TimelineEntry]:
    """Give a message's own entries, after those of its journey that led to it."""
    own = list(uow.timeline.of_message(message.account_id, message.id))
    if message.enrollment_id is None:
        return own
    enrollment = uow.timeline.of_enrollment(message.account_id, message.enrollment_id)
    led_to_it = [each for each in enrollment if each.message_id is None and each.at <= message.created_at]
    return sorted([*led_to_it, *own], key=lambda entry: entry.at)


def _lines(entries: Any) -> list[TraceLine]:
    return [
        TraceLine(
            at=entry.at,
            kind=entry.kind.value,
            summary=entry.summary,
            path=entry.path,
            file=entry.file,
            line=entry.line,
            values=shown_values(entry.data),
        )
        for entry in entries
    ]


def _standing(row: EnrollmentRow) -> TraceLine:
    """Say where an enrollment stands now."""
    if row.status == "live":
        until = f", looked at again {row.due_at:%Y-%m-%d %H:%M} UTC" if row.due_at is not None else ""
        summary = f"Waits for {row.waits_for}{until}"
    else:
        summary = f"Ended: {row.exit_reason}"
    at = row.ended_at or row.started_at
    return TraceLine(at, "enrollment.now", f"{row.journey}: {summary}", str(row.state["run"]["cursor"]), "", 0, {})


def _message(uow: UnitOfWork, message: MessageRow, record: CRMRecordRow | None) -> dict[str, Any]:
    person, ours = message.msisdn, message.sender or ""
    is_out = message.direction.value == "out"
    return {
        "id": message.id,
        "direction": message.direction.value,
        "to": person if is_out else ours,
        "from": ours if is_out else person,
        "body": shown_body(message),
        "state": message.state.value,
        "state_reason": message.state_reason,
        "purpose": message.purpose.value,
        "journey": message.journey,
        "step": message.step,
        "segments": message.segments,
        "created_at": message.created_at.isoformat(),
        "provider_message_id": message.provider_message_id,
        "crm_record_id": record.crm_record_id if record is not None else None,
        "engagement": _engagement(message),
        "not_before": message.not_before.isoformat(),
        "expires_at": message.expires_at.isoformat() if message.expires_at is not None else None,
        "trace": [line.to_json() for line in _lines(_of_message(uow, message))],
    }


def _engagement(message: MessageRow) -> list[str]:
    replied = [Engagement.REPLIED.value] if message.replied_at is not None else []
    return replied + ([Engagement.OPTED_OUT.value] if message.opted_out_at is not None else [])


def _is_opted_out(uow: UnitOfWork, contact: ContactRow) -> bool:
    if contact.msisdn is None:
        return False
    return bool(uow.consents.suppressions(contact.account_id, [contact.msisdn]))


def shown_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten an entry's data into values a person reads: `invoice.balance_due` rather than nested records."""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            prefix = "" if name == "values" else f"{name}."
            flat |= {f"{prefix}{inner}": each for inner, each in shown_values(value).items()}
        else:
            flat[name] = _plain(value)
    return flat


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return [_plain(each) for each in value] if isinstance(value, list) else value
