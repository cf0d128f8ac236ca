"""Which conditions, texts and names does a journey file use, and what may each of them see?

Gathered while the file is read, so that all of them can be checked even when the step around one is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.adapters.yaml_file import Trail
from connector.domain.places import Expression, Text
from connector.domain.steps import Case
from connector.ports.channels import ChannelKind


@dataclass(frozen=True, slots=True)
class ConditionUse:
    """An expression of the file.

    Attributes:
        event: the event whose records `event.*` means; None when there is none.
        variables: variables it sees: those written before it; None for all.
        is_time: its value must be a time or a date.
    """

    expression: Expression
    trail: Trail
    event: str | None = None
    variables: tuple[str, ...] | None = None
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class TextUse:
    """A text in the file itself.

    Attributes:
        is_sms: it goes out as an SMS.
        knows: names it sees beside those of every text, such as `code`.
    """

    text: Text
    trail: Trail
    is_sms: bool = False
    knows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A template that a step sends; `knows` as in `TextUse`."""

    name: str
    trail: Trail
    knows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventUse:
    """An event that the file names."""

    name: str
    trail: Trail


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """A channel that a step tells something through; `kinds` are those that will do."""

    name: str
    trail: Trail
    kinds: tuple[ChannelKind, ...]


@dataclass(frozen=True, slots=True)
class PropertyUse:
    """A record's property that a `set` step writes, by the names of the event files."""

    record: str
    name: str
    trail: Trail


@dataclass(slots=True)
class Uses:
    """All of them, in the file's order.

    Attributes:
        waits: the cases of each `wait_for`.
        journeys: those that an `enroll` step starts.
        answers: variables that the answers to `call` steps become; those of `set` steps are among the conditions.
    """

    conditions: list[ConditionUse] = field(default_factory=list)
    texts: list[TextUse] = field(default_factory=list)
    templates: list[TemplateUse] = field(default_factory=list)
    events: list[EventUse] = field(default_factory=list)
    windows: list[tuple[str, Trail]] = field(default_factory=list)
    routes: list[tuple[str, Trail]] = field(default_factory=list)
    send_ids: list[tuple[str, Trail]] = field(default_factory=list)
    waits: list[list[tuple[Case, Trail]]] = field(default_factory=list)
    channels: list[ChannelUse] = field(default_factory=list)
    journeys: list[tuple[str, Trail]] = field(default_factory=list)
    properties: list[PropertyUse] = field(default_factory=list)
    answers: list[tuple[str, Trail]] = field(default_factory=list)
