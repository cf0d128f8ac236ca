"""How does a note step become a note on the contact's timeline in the CRM?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connector.domain.errands import Note
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.ports.rendering import Renderer
from connector.services.announcing import message_ref
from connector.services.merged_contacts import shown_crm_id
from connector.services.wishes import Wish, for_staff


class NoteMaker:
    """Makes the rows that ask for notes."""

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._renderer, self._new_id = renderer, new_id

    def make(self, wish: Wish, step: Note) -> CRMRecordRow:
        """Ask for a note.

        Raises:
            ImpossibleError: it cannot be written.
        """
        record_id = self._new_id()
        payload = {"text": for_staff(self._renderer, wish.setting, step.text)}
        return record_wished(wish, RecordSubject.NOTE, record_id, wish.now, payload)


def record_wished(
    wish: Wish, kind: RecordSubject, record_id: str, at: datetime, payload: Mapping[str, Any]
) -> CRMRecordRow:
    """Make the row of a note or task, to stand beside the contact also on the record that started the journey.

    `at` is its place on the timeline; for a task, when it is due.
    """
    setting = wish.setting
    return CRMRecordRow(
        id=record_id,
        account_id=setting.account.id,
        crm=setting.account.crm,
        kind=kind,
        subject=f"{kind.value}:{wish.key}",
        ref=message_ref(record_id),
        at=at,
        not_before=wish.now,
        contact_id=setting.contact.id,
        contact_crm_id=shown_crm_id(setting.contact),
        payload={**payload, "associations": _associations(setting.subject)},
    )


def _associations(subject: str) -> list[str]:
    return [subject] if subject and not subject.startswith("contact:") else []
