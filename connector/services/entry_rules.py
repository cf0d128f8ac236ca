"""May a contact enter a journey now, and under which key; if not, why not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connector.domain.durations import format_duration
from connector.domain.journey import Again, Audience, Journey
from connector.domain.message import Purpose
from connector.domain.places import Expression
from connector.domain.seen_values import seen_values
from connector.errors import ConditionError
from connector.ports.consents import Scope
from connector.ports.contacts import ContactRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.rendering import Renderer
from connector.services.merged_contacts import MERGED_INTO
from connector.services.wishes import bounded

LIVE = "live"


@dataclass(frozen=True, slots=True)
class Origin:
    """The enrollment whose `enroll` step sends a contact into another journey.

    Attributes:
        journey: its journey.
        began_at: when the new enrollment's own time begins: what was said before is no answer to anything in it.
        chain: the journeys that sent each other the contact, this one included, with when it entered each.
    """

    journey: str
    began_at: datetime
    chain: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A named event as it concerns one contact.

    Attributes:
        fact: id of the event's timeline entry among facts, so that the enrollment can tell its own trigger.
        subject: the event's subject on the timeline, `event:<inbox row>`; of an `enroll` step, its enrollment's.
        values: the event's records by our names.
        names: all that conditions see.
        read_at: when the records were read from the CRM.
        origin: None when the event itself brings the contact.
    """

    name: str
    subject: str
    ref: str
    occurred_at: datetime
    is_import: bool
    fact: str
    contact: ContactRow
    values: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, Any]
    read_at: datetime
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, and the line that says so."""

    why: str
    path: str = "trigger"
    line: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """The key under which the contact may enter, and for which time."""

    key: str
    epoch: int


class EntryRules:
    """Judges arrivals."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def judge(
        self, uow: UnitOfWork, account: AccountRow, journey: Journey, arrival: Arrival, now: datetime
    ) -> Entry | Refusal:
        """Judge one arrival by everything a journey's header says.

        The trigger's condition and its wish for imports are about the event that starts the journey; an `enroll` step
        stands in for both. The audience is about the person, and always counts.
        """
        if not journey.enabled:
            return Refusal("the journey is switched off", "enabled")
        if arrival.is_import and not journey.trigger.takes_imports:
            return Refusal("the record came with a bulk import, and trigger.imports is off", "trigger.imports")
        where = journey.trigger.where if arrival.origin is None else None
        return (
            self._audience_refuses(journey.trigger.audience, arrival)
            or self._condition_refuses(where, arrival)
            or _person_refuses(uow, journey, arrival.contact)
            or self._entry(uow, account, journey, arrival, now)
        )

    def _audience_refuses(self, audience: Audience | None, arrival: Arrival) -> Refusal | None:
        if audience is None or audience.where is None:
            return None
        place = audience.where.place
        what = f"the audience {audience.name} ({place.file}:{place.line}): {audience.where.source}"
        refusal = self._condition_refuses(audience.where, arrival, "trigger.audience", what)
        return None if refusal is None else replace(refusal, line=0)  # the journey's own line; the audience's is told

    def _condition_refuses(
        self, where: Expression | None, arrival: Arrival, path: str = "trigger.where", what: str = ""
    ) -> Refusal | None:
        if where is None:
            return None
        values = seen_values(where.source, arrival.names)
        try:
            if self._renderer.evaluate(where, arrival.names):
                return None
        except ConditionError as error:
            return Refusal(f"{what or path} failed: {error}", path, where.place.line, values)
        return Refusal(f"{what or where.source} does not hold", path, where.place.line, values)

    def _entry(
        self, uow: UnitOfWork, account: AccountRow, journey: Journey, arrival: Arrival, now: datetime
    ) -> Entry | Refusal:
        expression = journey.enroll.key
        try:
            value = self._renderer.evaluate(expression, arrival.names)
        except ConditionError as error:
            return Refusal(f"enroll.key failed: {error}", "enroll.key", expression.place.line)
        key = bounded(str(value))
        earlier = [
            found
            for contact_id in _same_person(uow, arrival.contact)
            if (found := uow.enrollments.latest(account.id, journey.id, contact_id, key)) is not None
        ]
        why = _again_refuses(journey, earlier, now)
        if why is not None:
            return Refusal(why, "enroll.again", expression.place.line, seen_values(expression.source, arrival.names))
        return Entry(key, 1 + max((found.epoch for found in earlier), default=-1))


def _person_refuses(uow: UnitOfWork, journey: Journey, contact: ContactRow) -> Refusal | None:
    """Refuse who cannot or does not want to be texted; the claim of each message asks again."""
    if contact.msisdn is None:
        return Refusal(f"the contact has no usable number: {contact.msisdn_reason}")
    standing = uow.consents.suppressions(contact.account_id, [contact.msisdn]).get(contact.msisdn, ())
    scopes = {each.scope for each in standing}
    if Scope.ALL in scopes:
        return Refusal("the number has opted out")
    if Scope.MARKETING in scopes and journey.purpose is Purpose.MARKETING:
        return Refusal("the number has opted out of marketing")
    return None


def _same_person(uow: UnitOfWork, contact: ContactRow) -> list[str]:
    """Give the contact's id, and those of contacts the CRM has merged into it: a journey they are in counts too."""
    if contact.msisdn is None:
        return [contact.id]
    sharing = uow.contacts.with_number(contact.account_id, contact.msisdn)
    merged = [other.id for other in sharing if other.attributes.get(MERGED_INTO) == contact.crm_id]
    return [contact.id, *merged]


def _again_refuses(journey: Journey, earlier: Sequence[EnrollmentRow], now: datetime) -> str | None:
    rule = journey.enroll
    if not earlier or rule.again is Again.ALWAYS:
        return None
    if any(found.status == LIVE for found in earlier):
        return "the contact is in this journey for the same key already"
    if rule.again is Again.AFTER_EXIT:
        return None
    if rule.again is Again.AFTER_PERIOD and rule.again_after is not None:
        last = max(found.started_at for found in earlier)
        if now - last >= rule.again_after:
            return None
        return f"the contact entered for the same key less than {format_duration(rule.again_after)} ago"
    return "the contact was in this journey for the same key before"
