"""How is one enrollment taken forward?

What it knows, what surrounds it and what has happened go into a decision; what the decision asks for, and the
enrollment itself, are written down in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connector.domain.enrollment import Decision, Fact, RunState, TraceLine, decide
from connector.domain.event_mapping import ContactMapping
from connector.domain.journey import Journey
from connector.domain.message import Purpose
from connector.errors import MappingError, UnreadableVersionError
from connector.ports.consents import Scope, Suppression
from connector.ports.contacts import ContactRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.rendering import JourneyReader
from connector.services.acting import Actor
from connector.services.enrollment_ending import end_enrollment
from connector.services.enrollment_entries import step_taken
from connector.services.enrollment_facts import facts_of, values_now, was_deleted
from connector.services.freshness import Known
from connector.services.journey_surroundings import SurroundingsReader
from connector.services.message_making import Setting
from connector.services.names import event_names, names_of, owner_id_of

_TROUBLES = frozenset({"away_since", "failing_since"})  # since when it could not be worked; over once it was
_KEPT_JOURNEYS = 200  # versions in flight at a time are dozens; each is some kilobytes


class EnrollmentStepper:
    """Takes enrollments forward, one at a time."""

    def __init__(
        self,
        reader: JourneyReader,
        surroundings: SurroundingsReader,
        actor: Actor,
        mappings: Mapping[str, ContactMapping],
    ) -> None:
        """`mappings` gives the contact mapping of each kind of CRM."""
        self._reader, self._surroundings, self._actor, self._mappings = reader, surroundings, actor, mappings
        self._journeys: dict[tuple[str, str], Journey] = {}

    def step(
        self,
        uow: UnitOfWork,
        account: AccountRow,
        known: Known,
        suppressed: Sequence[Suppression],
        now: datetime,
    ) -> None:
        """Decide about a claimed enrollment and write down what follows.

        `suppressed` is what stands against texting the contact's number.

        Raises:
            UnreadableVersionError: this process cannot read the version the enrollment runs on.
        """
        journey = self._journey(uow, known.row)
        if known.contact is None:
            self.end(uow, known.row, "its contact is not in the ledger", now, needs_attention=True)
            return
        state = RunState.from_json(known.row.state["run"])
        facts = list(facts_of(uow, known.row, state))
        row = replace(known.row, state={**known.row.state, "values": values_now(known.row, facts)})
        setting = self._setting(account, journey, replace(known, row=row), known.contact)
        reason = _contact_reason(known.contact, journey, suppressed) or known.gone or _gone(row, facts)
        secret_ids = dict(row.state.get("secret_ids", {}))
        around = self._surroundings.of(uow, setting, secret_ids)
        trace: list[TraceLine] = []
        while True:
            decision = decide(
                journey,
                state,
                facts,
                setting.names,
                now,
                around,
                stop_reason=reason,
                entry_names=row.state["entry_values"],
            )
            trace += decision.trace
            acted = self._actor.act(uow, setting, row, decision, now)
            state, facts = acted.state, [*facts, *acted.facts]
            secret_ids |= dict.fromkeys(acted.codes_sent, self._surroundings.codes.newest)
            if decision.ended or not (state.send_error or acted.facts):
                break
        uow.timeline.add([step_taken(row, journey, line, now) for line in trace])
        kept = {name: value for name, value in row.state.items() if name not in _TROUBLES}
        kept |= {"run": state.to_json()} | ({"secret_ids": secret_ids} if secret_ids else {})
        self._save(uow, row, kept, decision, now)

    def end(
        self, uow: UnitOfWork, row: EnrollmentRow, reason: str, now: datetime, *, needs_attention: bool = False
    ) -> None:
        """End an enrollment: nothing of it that is still with us goes out any more."""
        end_enrollment(uow, row, reason, now, needs_attention=needs_attention)

    def _journey(self, uow: UnitOfWork, row: EnrollmentRow) -> Journey:
        """Give the version an enrollment runs on, built once per content."""
        kept_as = row.account_id, row.journey_version_id
        journey = self._journeys.get(kept_as)
        if journey is None:
            journey = self._read(uow, row)
            if len(self._journeys) >= _KEPT_JOURNEYS:
                self._journeys.clear()
            self._journeys[kept_as] = journey
        return journey

    def _read(self, uow: UnitOfWork, row: EnrollmentRow) -> Journey:
        version = uow.versions.get(row.account_id, row.journey_version_id)
        if version is None:
            raise UnreadableVersionError("the journey's version is not in the ledger")
        try:
            return self._reader(version.journey, version.source)
        except MappingError as error:
            raise UnreadableVersionError("this program does not read the journey's version") from error

    def _setting(self, account: AccountRow, journey: Journey, known: Known, contact: ContactRow) -> Setting:
        state = known.row.state
        values = state["values"]
        owner = known.owners.get(owner_id_of(values, contact) or "")
        event = event_names(state["event"], state["occurred_at"], values, known.row.subject.partition(":")[2])
        mapping = self._mappings[account.crm]
        names = names_of(account, mapping, contact, owner, values, event)
        return Setting(
            account,
            journey,
            known.row.id,
            contact,
            owner,
            names,
            subject=known.row.subject,
            event=state["event"],
            owners=known.owners,
        )

    def _save(
        self, uow: UnitOfWork, row: EnrollmentRow, state: Mapping[str, Any], decision: Decision, now: datetime
    ) -> None:
        if decision.ended:
            self.end(uow, replace(row, state=state), decision.exit_reason, now)
            return
        due_at, waits_for = decision.due_at, decision.waits_for
        uow.enrollments.save(replace(row, state=state, attempts=0, due_at=due_at, waits_for=waits_for))


def _contact_reason(contact: ContactRow, journey: Journey, suppressed: Sequence[Suppression]) -> str:
    if contact.deleted_at is not None:
        return "the contact was deleted in the CRM"
    scopes = {each.scope for each in suppressed}
    if Scope.ALL in scopes:
        return "the number has opted out"
    if Scope.MARKETING in scopes and journey.purpose is Purpose.MARKETING:
        return "the number has opted out of marketing"
    return ""


def _gone(row: EnrollmentRow, facts: Sequence[Fact]) -> str:
    return f"{row.subject} was deleted in the CRM" if was_deleted(facts, row.subject) else ""
