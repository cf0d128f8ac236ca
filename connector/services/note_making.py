"""How does a note step become a note on the contact's timeline in the CRM?"""

from __future__ import annotations

from collections.abc import Callable

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
        """Ask for a note, beside the contact also on the record that started the journey.

        Raises:
            ImpossibleError: it cannot be written.
        """
        setting = wish.setting
        record_id = self._new_id()
        return CRMRecordRow(
            id=record_id,
            account_id=setting.account.id,
            crm=setting.account.crm,
            kind=RecordSubject.NOTE,
            subject=f"note:{wish.key}",
            ref=message_ref(record_id),
            at=wish.now,
            not_before=wish.now,
            contact_id=setting.contact.id,
            contact_crm_id=shown_crm_id(setting.contact),
            payload={
                "text": for_staff(self._renderer, setting, step.text),
                "associations": associations_of(setting.subject),
            },
        )


def associations_of(subject: str) -> list[str]:
    """Give what a record of ours stands on beside its contact: the record that started the journey."""
    return [subject] if subject and not subject.startswith("contact:") else []
