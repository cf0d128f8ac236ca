"""What does one decision about one enrollment change in the ledger?

Messages, tasks, timeline entries and the enrollment itself, in the caller's transaction. Everything is written under
keys made of the enrollment and the step, so that repeating it after a crash changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.domain.enrollment import Decision, Perform, RunState, SendSMS, TraceLine, decide
from connector.domain.event_mapping import ContactMapping
from connector.domain.journey import Journey
from connector.domain.message import MessageState, Purpose
from connector.domain.steps import Task
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import MappingError
from connector.ports.consents import Scope, Suppression
from connector.ports.contacts import ContactRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.ports.messages import StateChange
from connector.ports.queue import send_lane, writeback_lane
from connector.ports.rendering import JourneyReader, Renderer
from connector.services.announcing import Moved, announce, message_record
from connector.services.enrollment_facts import facts_of, was_deleted
from connector.services.freshness import Known
from connector.services.merged_contacts import shown_crm_id
from connector.services.message_making import MessageMaker, Setting, UnsendableError
from connector.services.names import event_names, names_of, owner_id_of
from connector.services.task_making import TaskMaker

_LONGEST = 255  # the ledger's column for a discriminator
_TROUBLES = frozenset({"away_since", "failing_since"})  # since when it could not be worked; over once it was
_KEPT_JOURNEYS = 200  # versions in flight at a time are dozens; each is some kilobytes


class EnrollmentStepper:
    """Takes enrollments forward, one at a time."""

    def __init__(
        self,
        reader: JourneyReader,
        renderer: Renderer,
        messages: MessageMaker,
        tasks: TaskMaker,
        mappings: Mapping[str, ContactMapping],
        new_id: Callable[[], str],
    ) -> None:
        """`mappings` gives the contact mapping of each kind of CRM."""
        self._reader, self._renderer, self._messages, self._tasks = reader, renderer, messages, tasks
        self._mappings, self._new_id = mappings, new_id
        self._journeys: dict[str, Journey] = {}

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
        """
        journey = self._journey(uow, known.row)
        if journey is None:
            self.end(uow, known.row, "this program no longer reads the journey's version", now, needs_attention=True)
            return
        if known.contact is None:
            self.end(uow, known.row, "its contact is not in the ledger", now, needs_attention=True)
            return
        setting = self._setting(account, journey, known, known.contact)
        state = RunState.from_json(known.row.state["run"])
        facts = facts_of(uow, known.row, state)
        gone = known.gone or (
            f"{known.row.subject} was deleted in the CRM" if was_deleted(facts, known.row.subject) else ""
        )
        reason = _contact_reason(known.contact, journey, suppressed) or gone
        trace: list[TraceLine] = []
        while True:
            decision = decide(
                journey,
                state,
                facts,
                setting.names,
                now,
                Surroundings(self._renderer.evaluate),
                stop_reason=reason,
                entry_names=known.row.state["entry_values"],
            )
            trace += decision.trace
            state = self._act(uow, setting, known, decision, now)
            if decision.ended or not state.send_error:
                break
        uow.timeline.add([_step_taken(known.row, journey, line, now) for line in trace])
        self._save(uow, known.row, decision, state, now)

    def end(
        self, uow: UnitOfWork, row: EnrollmentRow, reason: str, now: datetime, *, needs_attention: bool = False
    ) -> None:
        """End an enrollment: nothing of it that is still with us goes out any more."""
        entries = [_ended(row, reason, now)]
        if needs_attention:
            entries.append(replace(entries[0], kind=EntryKind.ATTENTION_NEEDED))
        uow.timeline.add(entries)
        ended = replace(row, status="ended", ended_at=now, exit_reason=reason, due_at=None, waits_for="", attempts=0)
        uow.enrollments.save(ended)
        self._cancel_open(uow, row, reason, now)

    def _journey(self, uow: UnitOfWork, row: EnrollmentRow) -> Journey | None:
        """Give the version an enrollment runs on, built once per content."""
        journey = self._journeys.get(row.journey_version_id)
        if journey is None:
            version = uow.versions.get(row.account_id, row.journey_version_id)
            try:
                journey = None if version is None else self._reader(version.journey, version.source)
            except MappingError:
                return None
            if journey is not None:
                if len(self._journeys) >= _KEPT_JOURNEYS:
                    self._journeys.clear()
                self._journeys[row.journey_version_id] = journey
        return journey

    def _setting(self, account: AccountRow, journey: Journey, known: Known, contact: ContactRow) -> Setting:
        state = known.row.state
        values = state["values"]
        owner = known.owners.get(owner_id_of(values, contact) or "")
        event = event_names(state["event"], state["occurred_at"], values, known.row.subject.partition(":")[2])
        mapping = self._mappings[account.crm]
        names = names_of(account, mapping, contact, owner, values, event)
        return Setting(account, journey, known.row.id, contact, owner, names)

    def _act(self, uow: UnitOfWork, setting: Setting, known: Known, decision: Decision, now: datetime) -> RunState:
        state = decision.state
        for action in decision.actions:
            if isinstance(action, SendSMS):
                state = self._send(uow, setting, state, action, now)
            elif isinstance(action, Perform) and isinstance(action.step, Task):
                self._create_task(uow, setting, known, action.step, now)
        return state

    def _send(self, uow: UnitOfWork, setting: Setting, state: RunState, action: SendSMS, now: datetime) -> RunState:
        step, account = action.text, setting.account
        try:
            made = self._messages.make(setting, step, action.key, now)
        except UnsendableError as error:
            return state.with_send_error(str(error))
        message = made.message
        if not uow.messages.add(message):
            earlier = uow.messages.of_enrollment(setting.enrollment_id)
            return state.with_message(step, next(found.id for found in earlier if found.step == step.path))
        uow.timeline.add(
            [
                TimelineEntry(
                    account_id=account.id,
                    kind=EntryKind.MESSAGE_CREATED,
                    subject=f"message:{message.id}",
                    discriminator="created",
                    at=now,
                    summary=f"Queued for the {message.recipient} by {setting.journey.id}, step {step.id}",
                    contact_id=message.contact_id,
                    enrollment_id=setting.enrollment_id,
                    message_id=message.id,
                    path=step.path,
                    file=setting.journey.file,
                    line=step.place.line,
                    data={**made.shown, "purpose": message.purpose.value, "recipient": message.recipient},
                )
            ]
        )
        crm_id = shown_crm_id(setting.contact)
        uow.records.want([message_record(message, self._new_id(), account.crm, crm_id, now)])
        uow.nudge(send_lane(message.gateway, message.purpose.value))
        uow.nudge(writeback_lane(account.crm))
        return state.with_message(step, message.id)

    def _create_task(self, uow: UnitOfWork, setting: Setting, known: Known, step: Task, now: datetime) -> None:
        record, complaint = self._tasks.make(setting, step, known.row.subject, known.owners, now)
        entry = TimelineEntry(
            account_id=setting.account.id,
            kind=EntryKind.TASK_WANTED,
            subject=f"enrollment:{setting.enrollment_id}",
            discriminator=_bounded(f"task:{step.path}"),
            at=now,
            summary=f"Asks {step.assignee} to do a task" + (f" ({complaint})" if complaint else ""),
            contact_id=setting.contact.id,
            enrollment_id=setting.enrollment_id,
            ref=known.row.subject,
            path=step.path,
            file=setting.journey.file,
            line=step.place.line,
        )
        if uow.timeline.add([entry]):
            uow.records.want([record])
            uow.nudge(writeback_lane(setting.account.crm))

    def _save(self, uow: UnitOfWork, row: EnrollmentRow, decision: Decision, state: RunState, now: datetime) -> None:
        kept = {name: value for name, value in row.state.items() if name not in _TROUBLES}
        moved = replace(row, state={**kept, "run": state.to_json()}, attempts=0)
        if decision.ended:
            self.end(uow, moved, decision.exit_reason, now)
        else:
            uow.enrollments.save(replace(moved, due_at=decision.due_at, waits_for=decision.waits_for))

    def _cancel_open(self, uow: UnitOfWork, row: EnrollmentRow, reason: str, now: datetime) -> None:
        """Cancel what has not left yet: a reminder held overnight must not follow a payment."""
        still_here = {MessageState.HELD, MessageState.QUEUED}
        waiting = {found.id: found for found in uow.messages.of_enrollment(row.id) if found.state in still_here}
        why = f"its journey ended: {reason}"
        moved = uow.messages.move(
            [StateChange(each.id, each.state, MessageState.CANCELLED, why) for each in waiting.values()], now
        )
        announce(uow, [Moved(waiting[each], MessageState.CANCELLED, why) for each in moved], now)


def _contact_reason(contact: ContactRow, journey: Journey, suppressed: Sequence[Suppression]) -> str:
    if contact.deleted_at is not None:
        return "the contact was deleted in the CRM"
    scopes = {each.scope for each in suppressed}
    if Scope.ALL in scopes:
        return "the number has opted out"
    if Scope.MARKETING in scopes and journey.purpose is Purpose.MARKETING:
        return "the number has opted out of marketing"
    return ""


def _step_taken(row: EnrollmentRow, journey: Journey, line: TraceLine, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=row.account_id,
        kind=EntryKind.STEP_TAKEN,
        subject=f"enrollment:{row.id}",
        discriminator=_bounded(f"{line.path}:{line.word}"),
        at=now,
        summary=line.summary,
        contact_id=row.contact_id,
        enrollment_id=row.id,
        ref=row.subject,
        path=line.path,
        file=line.place.file or journey.file,
        line=line.place.line,
        data={"values": line.values},
    )


def _ended(row: EnrollmentRow, reason: str, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=row.account_id,
        kind=EntryKind.ENROLLMENT_ENDED,
        subject=f"enrollment:{row.id}",
        discriminator="ended",
        at=now,
        summary=f"Ended {row.journey}: {reason}",
        contact_id=row.contact_id,
        enrollment_id=row.id,
        ref=row.subject,
        data={"journey": row.journey, "reason": reason},
    )


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()
