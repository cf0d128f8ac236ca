"""What does a step want done, and how is that written down so that it happens once and can be explained?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.domain.places import Text
from connector.domain.steps import Step
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import ConditionError, ConnectorError
from connector.ports.rendering import Renderer
from connector.services.message_making import Setting

_LONGEST = 255  # characters of the ledger's columns for keys and discriminators


class ImpossibleError(ConnectorError):
    """A step cannot have done what it wants; says why, for the trace, without number or text."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one step wants done now.

    Attributes:
        setting: with the names that held when the step was taken.
        key: names the wish once and for all; it fits the ledger, since paths are short.
        is_awaited: its enrollment waits to hear how it ended.
    """

    setting: Setting
    step: Step
    key: str
    now: datetime
    is_awaited: bool = False

    def entry(self, kind: EntryKind, summary: str, **data: Any) -> TimelineEntry:
        """Make the timeline entry of this wish; there is one of each kind."""
        setting = self.setting
        return TimelineEntry(
            account_id=setting.account.id,
            kind=kind,
            subject=f"enrollment:{setting.enrollment_id}",
            discriminator=self.key,
            at=self.now,
            summary=summary,
            contact_id=setting.contact.id,
            enrollment_id=setting.enrollment_id,
            ref=setting.subject,
            path=self.step.path,
            file=self.step.place.file or setting.journey.file,
            line=self.step.place.line,
            data={"key": self.key, **data},
        )


def for_staff(renderer: Renderer, setting: Setting, text: Text) -> str:
    """Render a text that people who work with the account read, in their language and on their clock.

    Raises:
        ImpossibleError: it cannot be written.
    """
    settings = setting.account.settings
    return _rendered(renderer, setting, text, settings.get("locale"), settings.get("time_zone"))


def for_contact(renderer: Renderer, setting: Setting, text: Text) -> str:
    """Render a text that the contact reads.

    Raises:
        ImpossibleError: it cannot be written.
    """
    zone = setting.contact.time_zone or setting.account.settings.get("time_zone")
    return _rendered(renderer, setting, text, setting.contact.locale, zone)


def bounded(key: str) -> str:
    """Give a key that fits the ledger: a long one by its hash."""
    return key if len(key) <= _LONGEST else hashlib.sha256(key.encode()).hexdigest()


def _rendered(renderer: Renderer, setting: Setting, text: Text, locale: Any, zone: Any) -> str:
    try:
        return renderer.render(
            text, setting.names, locale=str(locale) if locale else None, time_zone=str(zone) if zone else None
        ).text
    except ConditionError as error:
        raise ImpossibleError(f"its text cannot be written: {error}") from error
