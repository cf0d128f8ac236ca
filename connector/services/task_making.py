"""How does a task step, or a hand-off by call, become a task in the CRM?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connector.domain.calendar_days import later, on_day_of
from connector.domain.errands import Handoff, Task
from connector.domain.places import Text
from connector.domain.surroundings import Surroundings
from connector.errors import ConditionError
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.ports.rendering import Renderer
from connector.services.message_making import Setting
from connector.services.note_making import record_wished
from connector.services.wishes import ImpossibleError, Wish, for_staff

_LONGEST_TITLE = 255  # what CRMs show of a task's subject


class TaskMaker:
    """Makes the rows that ask for tasks.

    A person is to be asked in any case: a title that cannot be written becomes the journey's, and an assignee the CRM
    does not have leaves the task to nobody in particular; the complaints stand in the task and in the trace.
    """

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._renderer, self._new_id = renderer, new_id

    def make(self, wish: Wish, step: Task, staff: Surroundings) -> tuple[CRMRecordRow, str]:
        """Make the row of a task step; give it with what did not go as written, or an empty text.

        `staff` is the clock and the calendar of those who work: a task is due on a day on which they do.
        """
        setting, complaints = wish.setting, list[str]()
        title = self._written(step.title, setting, complaints) or setting.journey.title or setting.journey.id
        body = self._written(step.body, setting, complaints) if step.body is not None else ""
        owner_id = None if step.queue else _assignee(step.assignee, setting, complaints)
        due_at = _due(step, wish.now, staff, complaints)
        payload: dict[str, Any] = {
            "title": title[:_LONGEST_TITLE],
            "body": "\n\n".join(part for part in (body, *complaints) if part),
            "owner_id": owner_id,
            "queue_id": step.queue,
            "priority": step.priority,
        }
        return record_wished(wish, RecordSubject.TASK, self._new_id(), due_at, payload), "; ".join(complaints)

    def call(self, wish: Wish, step: Handoff) -> tuple[CRMRecordRow, str]:
        """Make the row of a hand-off by call: somebody is to ring the contact up, now."""
        setting, complaints = wish.setting, list[str]()
        body = self._written(step.text, setting, complaints) if step.text is not None else ""
        owner_id = _assignee(step.assignee, setting, complaints)
        contact = setting.names.get("contact")
        name = contact.get("name") if isinstance(contact, dict) else None
        payload: dict[str, Any] = {
            "title": f"Call {name or 'this contact'}: {setting.journey.title or setting.journey.id}"[:_LONGEST_TITLE],
            "body": "\n\n".join(part for part in (body, *complaints) if part),
            "owner_id": owner_id,
            "priority": "high",
            "is_call": True,
        }
        return record_wished(wish, RecordSubject.TASK, self._new_id(), wish.now, payload), "; ".join(complaints)

    def _written(self, text: Text, setting: Setting, complaints: list[str]) -> str:
        try:
            return for_staff(self._renderer, setting, text)
        except ImpossibleError as error:
            complaints.append(f"A text of this task could not be written: {error.__cause__ or error}")
            return ""


def _due(step: Task, now: datetime, staff: Surroundings, complaints: list[str]) -> datetime:
    try:
        due_at = later(now, step.due_after, staff)
        return due_at if step.due_clock is None else on_day_of(due_at, step.due_clock, staff)
    except ConditionError as error:
        complaints.append(f"The due date could not be worked out: {error}")
        return now


def _assignee(wanted: str, setting: Setting, complaints: list[str]) -> str | None:
    if wanted == "owner":
        if setting.owner is None:
            complaints.append("The record and the contact have no owner.")
        return None if setting.owner is None else setting.owner.owner_id
    owners = setting.owners.values()
    found = next((owner.owner_id for owner in owners if owner.email.casefold() == wanted.casefold()), None)
    if found is None:
        complaints.append(f"The CRM has no owner {wanted}.")
    return found
