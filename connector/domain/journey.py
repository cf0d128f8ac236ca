"""What does a journey file say in its header, and which steps follow?

Pure data, made by `adapters.journey_files` from YAML and run by `domain.enrollment.decide`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from connector.domain.caps import Cap
from connector.domain.event_mapping import PollFilter
from connector.domain.message import Purpose
from connector.domain.places import Expression, Place
from connector.domain.steps import Step

USUAL_PRIORITY = 5
"""In the middle of 1 to 9: most journeys say nothing about giving way."""


@dataclass(frozen=True, slots=True)
class Audience:
    """A named segment of contacts, from `mappings/audiences.yaml`.

    Attributes:
        where: whether one contact is in it; sees `contact.*` and `account.*`; None when everybody found is.
        find: by CRM, how its contacts are searched for; empty when they cannot be listed.
    """

    name: str
    place: Place
    where: Expression | None = None
    find: Mapping[str, tuple[PollFilter, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts the journey: an event, or a schedule.

    Attributes:
        event: its dotted name; for a schedule, a name that only this journey starts on.
        schedule: a cron line of five fields, on the clock of `Journey.time_zone` (`contact` means the account's);
            empty when an event starts the journey.
        audience: the contact must be in it; a schedule starts the journey for everybody in it.
    """

    event: str
    place: Place
    where: Expression | None = None
    takes_imports: bool = False
    schedule: str = ""
    audience: Audience | None = None


class Again(StrEnum):
    """When the same key may enter again."""

    NEVER = "never"
    AFTER_EXIT = "after exit"
    AFTER_PERIOD = "after period"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Enroll:
    """What makes an enrollment unique, and when the same key may enter again."""

    key: Expression
    again: Again = Again.NEVER
    again_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ExitRule:
    """Something that ends the enrollment: an event (with `where`), or a condition alone."""

    path: str
    place: Place
    event: str | None = None
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """One journey, checked.

    Attributes:
        hash: SHA-256 of the journey's source and its templates; names the version.
        source: what it was made of, from which `adapters.journey_files.journey_from_source` makes it again: `journey`
            and `file`, the YAML and where it lies; `templates`, their sources by path; `intents` and `audiences`, what
            the names it uses meant, where it uses any.
        window: named send window for every send, or None for the purpose's.
        time_zone: whose clock: `contact`, `account` or an IANA name.
        priority: 1 to 9; of several texts that want the last slot under a cap the one of the higher priority goes.
        locales: languages it promises a text in, beside the one everybody else gets.
    """

    id: str
    title: str
    purpose: Purpose
    trigger: Trigger
    enroll: Enroll
    steps: tuple[Step, ...]
    file: str
    hash: str
    source: Mapping[str, object] = field(hash=False, compare=False)
    owner: str = ""
    enabled: bool = True
    labels: tuple[str, ...] = ()
    crm: str | None = None
    exit_when: tuple[ExitRule, ...] = ()
    window: str | None = None
    caps: tuple[Cap, ...] = ()
    time_zone: str = "contact"
    variables: Mapping[str, Expression] = field(default_factory=dict)
    priority: int = USUAL_PRIORITY
    locales: tuple[str, ...] = ()

    @property
    def templates(self) -> Mapping[str, str]:
        """Sources of its SMS templates, by file name under `templates/`."""
        found = self.source.get("templates")
        return found if isinstance(found, Mapping) else {}


SCHEDULE = "schedule"
"""What the events and the timers of journeys with a schedule begin with."""


def schedule_event(journey_id: str) -> str:
    """Name the event on which a journey with a schedule starts, and no other."""
    return f"{SCHEDULE}:{journey_id}"
