"""Does an event put a contact into a journey, and if not, why not?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connector.domain.durations import format_duration
from connector.domain.enrollment import begin
from connector.domain.journey import Again, Audience, Journey
from connector.domain.message import Purpose
from connector.domain.places import Expression
from connector.domain.seen_values import seen_values
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import ConditionError
from connector.ports.consents import Scope
from connector.ports.contacts import ContactRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.queue import JOURNEYS
from connector.ports.rendering import Renderer
from connector.services.journey_versions import InService, JourneyVersions
from connector.services.merged_contacts import MERGED_INTO

_LONGEST_KEY = 255  # the ledger's column

LIVE = "live"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A named event as it concerns one contact.

    Attributes:
        fact: id of the event's timeline entry among facts, so that the enrollment can tell its own trigger.
        subject: the event's subject on the timeline, `event:<inbox row>`.
        values: the event's records by our names.
        names: all that conditions see.
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


@dataclass(frozen=True, slots=True)
class _Refusal:
    why: str
    path: str = "trigger"
    line: int = 0
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    epoch: int


class Enroller:
    """Enrolls contacts and writes down every refusal."""

    def __init__(self, versions: JourneyVersions, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._versions, self._renderer, self._new_id = versions, renderer, new_id

    def consider(self, uow: UnitOfWork, account: AccountRow, arrival: Arrival, now: datetime) -> Sequence[str]:
        """Offer an event to every journey it may start; give the ids of those that took it."""
        taken = []
        for service in self._versions.in_service(uow, account.id).values():
            journey = service.journey
            if journey.trigger.event != arrival.name or journey.crm not in {None, account.crm}:
                continue
            verdict = self._judge(uow, account, journey, arrival, now)
            if isinstance(verdict, _Entry):
                if self._enroll(uow, account, service, arrival, verdict, now):
                    taken.append(journey.id)
                    continue
                verdict = _Refusal("another event let the contact in for the same key at the same moment", "enroll.key")
            uow.timeline.add([_refused(account, journey, arrival, verdict, now)])
        return taken

    def _judge(
        self, uow: UnitOfWork, account: AccountRow, journey: Journey, arrival: Arrival, now: datetime
    ) -> _Entry | _Refusal:
        if not journey.enabled:
            return _Refusal("the journey is switched off", "enabled")
        if arrival.is_import and not journey.trigger.takes_imports:
            return _Refusal("the record came with a bulk import, and trigger.imports is off", "trigger.imports")
        return (
            self._audience_refuses(journey.trigger.audience, arrival)
            or self._condition_refuses(journey.trigger.where, arrival)
            or _person_refuses(uow, journey, arrival.contact)
            or self._entry(uow, account, journey, arrival, now)
        )

    def _audience_refuses(self, audience: Audience | None, arrival: Arrival) -> _Refusal | None:
        if audience is None or audience.where is None:
            return None
        place = audience.where.place
        what = f"the audience {audience.name} ({place.file}:{place.line}): {audience.where.source}"
        refusal = self._condition_refuses(audience.where, arrival, "trigger.audience", what)
        return None if refusal is None else replace(refusal, line=0)  # the journey's own line; the audience's is told

    def _condition_refuses(
        self, where: Expression | None, arrival: Arrival, path: str = "trigger.where", what: str = ""
    ) -> _Refusal | None:
        if where is None:
            return None
        values = seen_values(where.source, arrival.names)
        try:
            if self._renderer.evaluate(where, arrival.names):
                return None
        except ConditionError as error:
            return _Refusal(f"{what or path} failed: {error}", path, where.place.line, values)
        return _Refusal(f"{what or where.source} does not hold", path, where.place.line, values)

    def _entry(
        self, uow: UnitOfWork, account: AccountRow, journey: Journey, arrival: Arrival, now: datetime
    ) -> _Entry | _Refusal:
        expression = journey.enroll.key
        try:
            value = self._renderer.evaluate(expression, arrival.names)
        except ConditionError as error:
            return _Refusal(f"enroll.key failed: {error}", "enroll.key", expression.place.line)
        key = _bounded(str(value))
        earlier = [
            found
            for contact_id in _same_person(uow, arrival.contact)
            if (found := uow.enrollments.latest(account.id, journey.id, contact_id, key)) is not None
        ]
        why = _again_refuses(journey, earlier, now)
        if why is not None:
            return _Refusal(why, "enroll.again", expression.place.line, seen_values(expression.source, arrival.names))
        return _Entry(key, 1 + max((found.epoch for found in earlier), default=-1))

    def _enroll(
        self,
        uow: UnitOfWork,
        account: AccountRow,
        service: InService,
        arrival: Arrival,
        entry: _Entry,
        now: datetime,
    ) -> bool:
        journey = service.journey
        enrollment_id = self._new_id()
        run = begin(enrollment_id, trigger=arrival.fact, occurred_at=arrival.occurred_at, now=now)
        added = uow.enrollments.add(
            EnrollmentRow(
                id=enrollment_id,
                account_id=account.id,
                contact_id=arrival.contact.id,
                journey=journey.id,
                journey_version_id=service.version_id,
                key=entry.key,
                epoch=entry.epoch,
                subject=arrival.ref,
                status=LIVE,
                state={
                    "run": run.to_json(),
                    "event": arrival.name,
                    "occurred_at": arrival.occurred_at,
                    "values": arrival.values,
                    "entry_values": arrival.values,
                    "read_at": now,
                },
                started_at=now,
                waits_for="its first step",
                due_at=now,
            )
        )
        if added:
            uow.timeline.add([_started(account, journey, arrival, enrollment_id, service.version, now)])
            uow.nudge(JOURNEYS)
        return added


def _person_refuses(uow: UnitOfWork, journey: Journey, contact: ContactRow) -> _Refusal | None:
    """Refuse who cannot or does not want to be texted; the claim of each message asks again."""
    if contact.msisdn is None:
        return _Refusal(f"the contact has no usable number: {contact.msisdn_reason}")
    standing = uow.consents.suppressions(contact.account_id, [contact.msisdn]).get(contact.msisdn, ())
    scopes = {each.scope for each in standing}
    if Scope.ALL in scopes:
        return _Refusal("the number has opted out")
    if Scope.MARKETING in scopes and journey.purpose is Purpose.MARKETING:
        return _Refusal("the number has opted out of marketing")
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


def _bounded(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _refused(
    account: AccountRow, journey: Journey, arrival: Arrival, refusal: _Refusal, now: datetime
) -> TimelineEntry:
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.NOT_ENROLLED,
        subject=arrival.subject,
        discriminator=f"{arrival.name}:{journey.id}"[:_LONGEST_KEY],
        at=now,
        summary=f"Not enrolled in {journey.id}: {refusal.why}",
        contact_id=arrival.contact.id,
        ref=arrival.ref,
        path=refusal.path,
        file=journey.file,
        line=refusal.line or journey.trigger.place.line,
        data={"journey": journey.id, "event": arrival.name, "values": refusal.values or {}},
    )


def _started(
    account: AccountRow, journey: Journey, arrival: Arrival, enrollment_id: str, version: int, now: datetime
) -> TimelineEntry:
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.ENROLLED,
        subject=f"enrollment:{enrollment_id}",
        discriminator="started",
        at=now,
        summary=f"Enrolled in {journey.id} (version {version}) because of {arrival.name}",
        contact_id=arrival.contact.id,
        enrollment_id=enrollment_id,
        ref=arrival.ref,
        path="trigger",
        file=journey.file,
        line=journey.trigger.place.line,
        data={
            "journey": journey.id,
            "event": arrival.name,
            "event_subject": arrival.subject,
            "number_from": arrival.contact.msisdn_reason,
        },
    )
