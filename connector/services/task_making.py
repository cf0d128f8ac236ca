"""How does a task step become a task in the CRM?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connector.domain.event import Owner
from connector.domain.places import Text
from connector.domain.steps import Task
from connector.errors import ConditionError
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.ports.rendering import Renderer
from connector.services.announcing import message_ref
from connector.services.merged_contacts import shown_crm_id
from connector.services.message_making import Setting

_LONGEST_TITLE = 255  # what CRMs show of a task's subject


class TaskMaker:
    """Makes the CRM tasks of task steps."""

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._renderer, self._new_id = renderer, new_id

    def make(
        self, setting: Setting, step: Task, subject: str, owners: Mapping[str, Owner], now: datetime
    ) -> tuple[CRMRecordRow, str]:
        """Make the row that asks for a task; give it with what did not go as written, or an empty text.

        A person is to be asked in any case: a title that cannot be written becomes the journey's, and an assignee
        the CRM does not have leaves the task to nobody in particular.
        """
        complaints: list[str] = []
        title = self._written(step.title, setting, complaints) or setting.journey.title or setting.journey.id
        body = self._written(step.body, setting, complaints) if step.body is not None else ""
        owner_id = _assignee(step, setting, owners, complaints)
        record_id = self._new_id()
        payload: dict[str, Any] = {
            "title": title[:_LONGEST_TITLE],
            "body": "\n\n".join(part for part in (body, *complaints) if part),
            "owner_id": owner_id,
            "priority": step.priority,
            "associations": [] if subject.startswith("contact:") else [subject],
        }
        row = CRMRecordRow(
            id=record_id,
            account_id=setting.account.id,
            crm=setting.account.crm,
            kind=RecordSubject.TASK,
            subject=f"task:{setting.enrollment_id}:{step.path}",
            ref=message_ref(record_id),
            at=now
            + (step.due_after if isinstance(step.due_after, timedelta) else step.due_after.count * timedelta(days=1)),
            not_before=now,
            contact_id=setting.contact.id,
            contact_crm_id=shown_crm_id(setting.contact),
            payload=payload,
        )
        return row, "; ".join(complaints)

    def _written(self, text: Text, setting: Setting, complaints: list[str]) -> str:
        try:
            return self._renderer.render(
                text, setting.names, locale=setting.account.settings.get("locale"), time_zone=_zone(setting)
            ).text
        except ConditionError as error:
            complaints.append(f"A text of this task could not be written: {error}")
            return ""


def _zone(setting: Setting) -> str | None:
    zone = setting.account.settings.get("time_zone")
    return str(zone) if zone else None


def _assignee(step: Task, setting: Setting, owners: Mapping[str, Owner], complaints: list[str]) -> str | None:
    if step.assignee == "owner":
        if setting.owner is None:
            complaints.append("The record and the contact have no owner.")
        return None if setting.owner is None else setting.owner.owner_id
    wanted = step.assignee.casefold()
    found = next((owner.owner_id for owner in owners.values() if owner.email.casefold() == wanted), None)
    if found is None:
        complaints.append(f"The CRM has no owner {step.assignee}.")
    return found


def _due_after(step: Task) -> timedelta:
    return step.due_after if isinstance(step.due_after, timedelta) else timedelta(days=step.due_after.count)
