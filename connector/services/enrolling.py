"""Does an event put a contact into a journey, and if not, why not?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from connector.domain.enrollment import begin
from connector.domain.journey import Journey
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.queue import JOURNEYS
from connector.ports.rendering import Renderer
from connector.services.entry_rules import LIVE, Arrival, Entry, EntryRules, Refusal
from connector.services.journey_versions import InService, JourneyVersions
from connector.services.wishes import bounded

_JUDGED = 3
"""How often one arrival is judged: once more after each that came in between, and two such in one moment are rare."""


class Enroller:
    """Enrolls contacts and writes down every refusal."""

    def __init__(self, versions: JourneyVersions, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._versions, self._rules, self._new_id = versions, EntryRules(renderer), new_id

    def consider(self, uow: UnitOfWork, account: AccountRow, arrival: Arrival, now: datetime) -> Sequence[str]:
        """Offer an event to every journey it may start; give the ids of those that took it."""
        taken = []
        for service in self._versions.in_service(uow, account.id).values():
            journey = service.journey
            if journey.trigger.event != arrival.name or journey.crm not in {None, account.crm}:
                continue
            if self._offer(uow, account, service, arrival, now):
                taken.append(journey.id)
        return taken

    def enroll_in(
        self, uow: UnitOfWork, account: AccountRow, journey_id: str, arrival: Arrival, now: datetime, why_not: str = ""
    ) -> bool | None:
        """Offer a contact to one journey because another's `enroll` step says so; tell whether it took the contact.

        None when the journey is not in service for this account. `why_not` is a reason not even to ask it.
        """
        service = self._versions.in_service(uow, account.id).get(journey_id)
        if service is None or service.journey.crm not in {None, account.crm}:
            return None
        if why_not:
            uow.timeline.add([_refused(account, service.journey, arrival, Refusal(why_not, "enroll"), now)])
            return False
        return self._offer(uow, account, service, arrival, now)

    def _offer(self, uow: UnitOfWork, account: AccountRow, service: InService, arrival: Arrival, now: datetime) -> bool:
        for _ in range(_JUDGED):
            verdict = self._rules.judge(uow, account, service.journey, arrival, now)
            if isinstance(verdict, Refusal):
                break
            if self._enroll(uow, account, service, arrival, verdict, now):
                return True
            # Another event let the contact in at this moment; what it did can be seen now, and `again` asks about it.
        else:
            verdict = Refusal("another event let the contact in for the same key at the same moment", "enroll.key")
        uow.timeline.add([_refused(account, service.journey, arrival, verdict, now)])
        return False

    def _enroll(
        self,
        uow: UnitOfWork,
        account: AccountRow,
        service: InService,
        arrival: Arrival,
        entry: Entry,
        now: datetime,
    ) -> bool:
        journey, origin = service.journey, arrival.origin
        enrollment_id = self._new_id()
        began_at = arrival.occurred_at if origin is None else origin.began_at
        run = begin(enrollment_id, trigger=arrival.fact, occurred_at=began_at, now=now)
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
                    "read_at": arrival.read_at,
                    **({} if origin is None else {"chain": origin.chain}),
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


def _refused(account: AccountRow, journey: Journey, arrival: Arrival, refusal: Refusal, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.NOT_ENROLLED,
        subject=arrival.subject,
        discriminator=bounded(f"{arrival.name}:{journey.id}"),
        at=now,
        summary=f"Not enrolled in {journey.id}: {refusal.why}",
        contact_id=arrival.contact.id,
        ref=arrival.ref,
        path=refusal.path,
        file=journey.file,
        line=refusal.line or journey.trigger.place.line,
        data={"journey": journey.id, "event": arrival.name, "values": refusal.values},
    )


def _started(
    account: AccountRow, journey: Journey, arrival: Arrival, enrollment_id: str, version: int, now: datetime
) -> TimelineEntry:
    because = arrival.name if arrival.origin is None else f"the journey {arrival.origin.journey}"
    return TimelineEntry(
        account_id=account.id,
        kind=EntryKind.ENROLLED,
        subject=f"enrollment:{enrollment_id}",
        discriminator="started",
        at=now,
        summary=f"Enrolled in {journey.id} (version {version}) because of {because}",
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
