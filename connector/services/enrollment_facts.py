"""Which facts does a decision about an enrollment rest on?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.domain.enrollment import Fact, RunState
from connector.domain.message import OPEN_STATES, Direction, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.effects import EffectRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.services.names import event_names, reply_names

KINDS = (
    EntryKind.EVENT_RECEIVED,
    EntryKind.REPLY_RECEIVED,
    EntryKind.MESSAGE_MOVED,
    EntryKind.LINK_CLICKED,
    EntryKind.OPTED_OUT,
    EntryKind.OPTED_IN,
)
"""What may concern several enrollments of a contact or a record at once."""

_OWN = frozenset({*KINDS, EntryKind.EFFECT_DONE, EntryKind.EFFECT_FAILED})
_ENDS = _OWN - {*KINDS}


def fact_id(kind: EntryKind, subject: str, discriminator: str) -> str:
    """Name a fact by what makes its timeline entry unique."""
    return f"{kind.value}|{subject}|{discriminator}"


def facts_of(uow: UnitOfWork, row: EnrollmentRow, state: RunState) -> Sequence[Fact]:
    """Read everything since the enrollment's trigger about its contact, its record and its messages."""
    about = uow.timeline.facts(row.account_id, row.contact_id, row.subject, state.since, KINDS)
    own = uow.timeline.of_enrollment(row.account_id, row.id)  # an owner's reply is nobody else's fact
    entries = _once([*about, *(entry for entry in own if entry.kind in _OWN)])
    spoken = [entry.message_id for entry in entries if entry.kind is EntryKind.REPLY_RECEIVED and entry.message_id]
    standing = [state.message_id] if state.message_id else []
    messages = uow.messages.many([*spoken, *standing]) if spoken or standing else {}
    asked = messages.get(state.message_id or "")
    facts = [_fact(entry, messages, asked) for entry in entries if entry.kind not in _ENDS and _concerns(entry, row)]
    ends = _ends(uow, row, [entry for entry in entries if entry.kind in _ENDS])
    return [*facts, *ends, *_standing(facts, asked)]


def values_now(row: EnrollmentRow, facts: Sequence[Fact]) -> dict[str, Mapping[str, Any]]:
    """Give an enrollment's records as they were read, with what events about its record have said since.

    An event wakes the enrollment at once, but the record is read again only when it has grown old: without this, a
    wait until an appointment that has just been moved would end at the old time.
    """
    values: dict[str, Mapping[str, Any]] = dict(row.state["values"])
    heard = (fact for fact in facts if fact.kind is EntryKind.EVENT_RECEIVED and fact.ref == row.subject)
    for fact in sorted(heard, key=lambda each: (each.at, each.id)):
        if fact.at > row.state["read_at"]:
            said = fact.names["event"]
            values |= {name: {**kept, **said[name]} for name, kept in values.items() if name in said}
    return values


def _concerns(entry: TimelineEntry, row: EnrollmentRow) -> bool:
    """A link that was followed says something to the enrollment whose text it was in, and to no other."""
    return entry.kind is not EntryKind.LINK_CLICKED or entry.enrollment_id == row.id


def _ends(uow: UnitOfWork, row: EnrollmentRow, entries: Sequence[TimelineEntry]) -> list[Fact]:
    """Tell how things ended that the enrollment waits for; the answer to a call is read from where it is sealed."""
    if not entries:
        return []
    effects = uow.effects.by_keys(row.account_id, [str(entry.data.get("key", "")) for entry in entries])
    found = ((entry, effects.get(str(entry.data.get("key", "")))) for entry in entries)
    return [_end(entry, effect) for entry, effect in found if effect is not None and effect.is_awaited]


def _end(entry: TimelineEntry, effect: EffectRow) -> Fact:
    return Fact(
        fact_id(entry.kind, entry.subject, entry.discriminator),
        entry.kind,
        entry.at,
        effect.error if entry.kind is EntryKind.EFFECT_FAILED else "",
        names={"answer": effect.answer},
        key=effect.key,
    )


def _once(entries: Sequence[TimelineEntry]) -> Sequence[TimelineEntry]:
    return list({(entry.kind, entry.subject, entry.discriminator): entry for entry in entries}.values())


def was_deleted(facts: Sequence[Fact], subject: str) -> bool:
    """Tell whether the CRM has said that a record, such as `deal:9001`, is gone."""
    object_type, _, object_id = subject.partition(":")
    return any(
        fact.name == f"{object_type}.deleted" and fact.names["event"]["id"] == object_id
        for fact in facts
        if fact.kind is EntryKind.EVENT_RECEIVED
    )


def _fact(entry: TimelineEntry, messages: Mapping[str, MessageRow], asked: MessageRow | None) -> Fact:
    """Make a fact of an entry; `asked` is the text the enrollment stands at, if it stands at one."""
    identity = fact_id(entry.kind, entry.subject, entry.discriminator)
    if entry.kind is EntryKind.EVENT_RECEIVED:
        name = str(entry.data.get("event", ""))
        names = event_names(name, entry.at, entry.data.get("values", {}), entry.ref.partition(":")[2])
        return Fact(identity, entry.kind, entry.at, name, names={"event": names}, ref=entry.ref)
    if entry.kind is EntryKind.REPLY_RECEIVED:
        return _reply(identity, entry, messages.get(entry.message_id or ""), asked)
    name = entry.data.get("link" if entry.kind is EntryKind.LINK_CLICKED else "state", "")
    return Fact(identity, entry.kind, entry.at, str(name), entry.message_id)


def _reply(identity: str, entry: TimelineEntry, message: MessageRow | None, asked: MessageRow | None) -> Fact:
    text = message.body if message is not None and message.direction is Direction.IN else ""
    return Fact(
        identity,
        entry.kind,
        entry.at,
        str(entry.data.get("keyword", "")),
        entry.message_id,
        text=text,
        names={"last_reply": reply_names(text, entry.at)},
        enrollment_id=entry.enrollment_id,
        is_from_asked=asked is None or (message is not None and message.msisdn == asked.msisdn),
    )


def _standing(facts: Sequence[Fact], message: MessageRow | None) -> list[Fact]:
    """Say what became of the message an enrollment stands at when no entry says it: the row is the truth."""
    if message is None:
        return []
    if message.state is MessageState.HELD:
        at, until = message.updated_at or message.created_at, message.not_before
        return [Fact(f"held|{message.id}", EntryKind.MESSAGE_HELD, at, message.state, message.id, until=until)]
    if message.state in OPEN_STATES:
        return []
    if any(fact.message_id == message.id and fact.name == message.state for fact in facts):
        return []
    at = message.sent_at or message.updated_at or message.created_at
    return [Fact(f"state|{message.id}", EntryKind.MESSAGE_MOVED, at, message.state.value, message.id)]
