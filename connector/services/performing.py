"""How is what a step wants done outside of its journey asked for: tasks, notes, properties, notifications, calls?

What the CRM is to show and what other systems are to be told become rows that their own lanes work; each is asked for
once, and leaves a line in the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.domain.errands import Call, EnrollIn, Handoff, HandoffTo, Note, Notify, SetValues, Task
from connector.domain.steps import Step
from connector.domain.timeline import EntryKind
from connector.ports.effects import EffectRow
from connector.ports.enrollments import EnrollmentRow
from connector.ports.ledger import UnitOfWork
from connector.ports.queue import EFFECTS, writeback_lane
from connector.ports.records import CRMRecordRow
from connector.services.effect_making import EffectMaker
from connector.services.enrolling_onwards import Onwards
from connector.services.journey_surroundings import SurroundingsReader
from connector.services.message_queueing import MessageQueuer
from connector.services.note_making import NoteMaker
from connector.services.property_setting import PropertySetter
from connector.services.task_making import TaskMaker
from connector.services.wishes import Wish

OWNER = "owner"
"""The channel of a notification that is an SMS to the owner."""


@dataclass(frozen=True, slots=True)
class Performer:
    """Asks for things; each method tells whether the thing is over, or a lane will tell how it ends.

    What the CRM is to show is over once it is down in the ledger: write-back keeps the newest state of a record for as
    long as the CRM is away, and no journey waits for that. What the CRM refuses is told in the status.
    """

    texts: MessageQueuer
    tasks: TaskMaker
    notes: NoteMaker
    properties: PropertySetter
    effects: EffectMaker
    onwards: Onwards
    surroundings: SurroundingsReader

    def perform(self, uow: UnitOfWork, wish: Wish, row: EnrollmentRow) -> bool:
        """Ask for what a step wants.

        Raises:
            ImpossibleError: it cannot be done, and why.
            UnsendableError: a text to the owner cannot be made.
        """
        if isinstance(wish.step, EnrollIn):
            return self.enroll(uow, wish, wish.step, row)
        return _KINDS[type(wish.step)](self, uow, wish, wish.step)

    def task(self, uow: UnitOfWork, wish: Wish, step: Task) -> bool:
        """Ask for a task in the CRM."""
        record, complaint = self.tasks.make(wish, step, self.surroundings.of_staff(wish.setting.account))
        said = f"Asks {f'the queue {step.queue}' if step.queue else step.assignee} to do a task"
        return _show(uow, wish, EntryKind.TASK_WANTED, said + (f" ({complaint})" if complaint else ""), [record])

    def note(self, uow: UnitOfWork, wish: Wish, step: Note) -> bool:
        """Ask for a note in the CRM."""
        record = self.notes.make(wish, step)
        return _show(uow, wish, EntryKind.EFFECT_WANTED, "Leaves a note in the CRM", [record])

    def set_values(self, uow: UnitOfWork, wish: Wish, step: SetValues) -> bool:
        """Ask for properties to be written in the CRM."""
        names = ", ".join(f"{each.record}.{each.name}" for each in step.properties)
        records = self.properties.values(wish, step)
        return _show(uow, wish, EntryKind.EFFECT_WANTED, f"Writes {names} in the CRM", records)

    def notify(self, uow: UnitOfWork, wish: Wish, step: Notify) -> bool:
        """Tell staff something; the owner by SMS, whom no lane tells more about than that it is queued."""
        if step.channel == OWNER:
            self.texts.tell_owner(uow, wish, step)
            return True
        return _tell(uow, wish, self.effects.notification(wish, step), f"Tells {step.channel}")

    def handoff(self, uow: UnitOfWork, wish: Wish, step: Handoff) -> bool:
        """Pass the conversation on."""
        if step.to is HandoffTo.CALL:
            record, complaint = self.tasks.call(wish, step)
            said = f"Asks {step.assignee} to call the contact" + (f" ({complaint})" if complaint else "")
            return _show(uow, wish, EntryKind.TASK_WANTED, said, [record])
        if step.to is HandoffTo.WORKFLOW:
            said = f"Hands the contact to the workflow {step.workflow}"
            return _show(uow, wish, EntryKind.EFFECT_WANTED, said, [self.properties.handoff(wish, step)])
        said = f"Passes the conversation on by {step.to.value} through {step.channel}"
        return _tell(uow, wish, self.effects.handoff(uow, wish, step), said)

    def call(self, uow: UnitOfWork, wish: Wish, step: Call) -> bool:
        """Ask an endpoint."""
        return _tell(uow, wish, self.effects.call(wish, step), f"Asks {step.endpoint}")

    def enroll(self, uow: UnitOfWork, wish: Wish, step: EnrollIn, row: EnrollmentRow) -> bool:
        """Offer the contact to another journey; that it does not take them is no failure: its own rules say so."""
        if uow.timeline.add([wish.entry(EntryKind.EFFECT_WANTED, f"Offers the contact to the journey {step.journey}")]):
            self.onwards.enroll(uow, wish, step.journey, row)
        return True


_KINDS: Mapping[type[Step], Callable[[Performer, UnitOfWork, Wish, Any], bool]] = {
    Task: Performer.task,
    Note: Performer.note,
    SetValues: Performer.set_values,
    Notify: Performer.notify,
    Handoff: Performer.handoff,
    Call: Performer.call,
}


def _show(uow: UnitOfWork, wish: Wish, kind: EntryKind, said: str, records: Sequence[CRMRecordRow]) -> bool:
    if uow.timeline.add([wish.entry(kind, said)]):
        uow.records.want(records)
        uow.nudge(writeback_lane(wish.setting.account.crm))
    return True


def _tell(uow: UnitOfWork, wish: Wish, effect: EffectRow, said: str) -> bool:
    if uow.effects.add(effect):
        uow.timeline.add([wish.entry(EntryKind.EFFECT_WANTED, said, effect=effect.id)])
        uow.nudge(EFFECTS)
    return False
