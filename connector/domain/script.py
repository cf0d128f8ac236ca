"""What is to be played in a simulation: who the contact is, what happens, and what they answer when?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connector.domain.event import ObjectRef, Owner


@dataclass(frozen=True, slots=True)
class ScriptedContact:
    """The contact.

    Attributes:
        attributes: what texts and conditions see as `contact.…`.
        has_marketing_consent: whether there is a consent to marketing on record.
    """

    crm_id: str
    msisdn: str | None = field(repr=False)
    locale: str | None = None
    time_zone: str | None = None
    country: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    has_marketing_consent: bool = False
    is_opted_out: bool = False


@dataclass(frozen=True, slots=True)
class ScriptedEvent:
    """A CRM event; `after` counts from the start."""

    after: timedelta
    name: str
    ref: ObjectRef
    values: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """A reply; without `after` it comes a little after the next text the contact gets.

    Attributes:
        text: the word `code` in double braces stands for the code in the last text.
        is_owners: the owner replies, not the contact.
    """

    text: str
    after: timedelta | None = None
    is_owners: bool = False


@dataclass(frozen=True, slots=True)
class ScriptedClick:
    """The contact follows a link (any, when `link` is empty); without `after` a little after the next text."""

    link: str = ""
    after: timedelta | None = None


Cue = ScriptedEvent | ScriptedReply | ScriptedClick


@dataclass(frozen=True, slots=True)
class Script:
    """All of it.

    Attributes:
        at: when the start happens; aware.
        start: the event that starts the journey; its `after` is zero.
        account: settings of the account, such as `time_zone` and `currency`, and its `name`.
        fails: ids of steps whose texts do not arrive.
        answers: what endpoints answer, by name.
        cues: what happens afterwards, in the order of the file.
    """

    at: datetime
    start: ScriptedEvent
    contact: ScriptedContact
    owner: Owner | None = None
    account: Mapping[str, Any] = field(default_factory=dict)
    fails: frozenset[str] = frozenset()
    answers: Mapping[str, Any] = field(default_factory=dict)
    cues: tuple[Cue, ...] = ()
