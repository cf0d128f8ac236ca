"""Which kinds of step have something done outside the conversation: in the CRM, by staff, by other systems?

Pure data like the other steps; taken by `domain.outside_steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum

from connector.domain.places import Expression, Text
from connector.domain.steps import Delay, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Step):
    """Ask a person to do something, as a CRM task.

    Attributes:
        assignee: `owner`, an owner's e-mail address in the CRM, or empty when a queue gets it.
        queue: the CRM's id of a task queue, or empty.
        due_after: how long from now the task is due.
        due_clock: at this time of day on the due day; None for the moment `due_after` gives.
    """

    assignee: str
    title: Text
    body: Text | None = None
    queue: str = ""
    due_after: Delay = timedelta(0)
    due_clock: time | None = None
    priority: str = ""


@dataclass(frozen=True, slots=True)
class PropertyValue:
    """One CRM property to write: `deal.stage: won` means the property that the event file reads as `deal.stage`."""

    record: str
    name: str
    value: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SetValues(Step):
    """Write CRM properties, journey variables, or both; variables see those set before them."""

    properties: tuple[PropertyValue, ...] = ()
    variables: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Step):
    """Leave a line on the contact's timeline in the CRM."""

    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(Step):
    """Tell staff something, through a channel of `mappings/channels.yaml`."""

    channel: str
    text: Text
    title: Text | None = None


class HandoffTo(StrEnum):
    """Where a conversation can be passed on to."""

    EMAIL = "email"  # the conversation so far, to an e-mail channel
    WHATSAPP = "whatsapp"  # a message to the contact through a WhatsApp channel
    CALL = "call"  # a call task in the CRM
    WORKFLOW = "workflow"  # a contact property that a workflow of the CRM starts on


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff(Step):
    """Pass the conversation on.

    Attributes:
        channel: for e-mail and WhatsApp, a channel of `mappings/channels.yaml`; else empty.
        text: what is said with it: the message to the contact on WhatsApp, a line to whoever takes over elsewhere.
        assignee: for a call, as in `Task`.
        workflow: for a workflow, the value its property gets; else empty.
    """

    to: HandoffTo
    text: Text | None = None
    channel: str = ""
    assignee: str = "owner"
    workflow: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Step):
    """Ask another system: a signed POST to an endpoint of `mappings/channels.yaml`; its JSON answer becomes a variable.

    Attributes:
        payload: what is sent, by name.
        into: the variable that gets the answer; empty when nobody wants it.
        within: how long it is tried.
    """

    endpoint: str
    payload: Mapping[str, Expression] = field(default_factory=dict)
    into: str = ""
    within: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollIn(Step):
    """Start another journey for the same contact and record."""

    journey: str
