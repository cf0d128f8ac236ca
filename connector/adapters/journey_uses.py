"""Which conditions, texts and templates does a journey file use, and what may each of them see?

Gathered while the file is read, so that all of them can be checked even when the step around one is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.adapters.yaml_file import Trail
from connector.domain.places import Expression, Text
from connector.domain.steps import Case


@dataclass(frozen=True, slots=True)
class ConditionUse:
    """An expression of the file.

    Attributes:
        event: the event whose records `event.*` means; None when there is none.
        variables: variables it sees: those written before it; None for all.
        is_time: its value must be a time.
    """

    expression: Expression
    trail: Trail
    event: str | None = None
    variables: tuple[str, ...] | None = None
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class TextUse:
    """A text in the file itself; `is_sms` when it goes out as an SMS."""

    text: Text
    trail: Trail
    is_sms: bool = False


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A template that a send step names."""

    name: str
    trail: Trail


@dataclass(frozen=True, slots=True)
class EventUse:
    """An event that the file names."""

    name: str
    trail: Trail


@dataclass(slots=True)
class Uses:
    """All of them, in the file's order; `waits` has the cases of each `wait_for`."""

    conditions: list[ConditionUse] = field(default_factory=list)
    texts: list[TextUse] = field(default_factory=list)
    templates: list[TemplateUse] = field(default_factory=list)
    events: list[EventUse] = field(default_factory=list)
    windows: list[tuple[str, Trail]] = field(default_factory=list)
    send_ids: list[tuple[str, Trail]] = field(default_factory=list)
    waits: list[list[tuple[Case, Trail]]] = field(default_factory=list)
