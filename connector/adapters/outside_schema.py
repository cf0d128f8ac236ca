"""Which keys and kinds of values do the steps have that do something outside the conversation, or end it?"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from connector.adapters.journey_schema import SLUG, VARIABLE
from connector.adapters.step_schema import StepShape
from connector.adapters.yaml_shapes import Shape
from connector.adapters.yaml_values import Below, Choice, Clock, Delay, Duration, Named, Words
from connector.domain.errands import HandoffTo

EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
PROPERTY = rf"{VARIABLE}\.{VARIABLE}"

_A_DAY = timedelta(days=1)  # an answer that comes later finds its conversation over


class TaskOptionsShape(Shape):
    """A CRM task for a person or a queue."""

    what: ClassVar[str] = "a task (for or queue, title, body, due, at, priority)"

    assignee = Words(
        data_key="for",
        pattern=f"owner|{EMAIL}",
        expected="owner, or an owner's e-mail address",
        means="owner, or an owner's e-mail address.",
        examples=["owner"],
    )
    queue = Words(pattern=r"[A-Za-z0-9_-]+", expected="the CRM's id of a task queue", means="The CRM's id of a queue.")
    title = Words(required=True, means="What is to be done; a text with {{ … }}.")
    body = Words(means="More about it; a text with {{ … }}.")
    due = Words(
        means="When it is due; at once when left out.",
        examples=["2 hours", "2 business days", "today", "tomorrow", "next business day"],
    )
    at = Clock(means='The time of day on the day it is due, such as "09:00".')
    priority = Choice(("low", "medium", "high"), means="As the CRM shows it.")


class TaskShape(StepShape):
    """Ask a person to do something, as a CRM task."""

    what: ClassVar[str] = "a task step"

    task = Below(TaskOptionsShape, required=True, means="The task.")


class DueShape(Shape):
    """`due` of a task where it is a length of time."""

    due = Delay(required=True)


class SetShape(StepShape):
    """Write CRM properties, journey variables, or both."""

    what: ClassVar[str] = "a set step"

    set = Named(
        Words(),
        name=PROPERTY,
        required=True,
        means="`deal.stage: text`, as the event files name it; `vars.name: expression`.",
    )


class NoteOptionsShape(Shape):
    """A line on the contact's timeline."""

    what: ClassVar[str] = "a note (text: …)"

    text = Words(required=True, means="A text with {{ … }}.")


class NoteShape(StepShape):
    """Leave a line on the contact's timeline in the CRM."""

    what: ClassVar[str] = "a note step"

    note = Below(Words(), NoteOptionsShape, required=True, means="A text with {{ … }}.")


class NotifyOptionsShape(Shape):
    """What staff are told, and where."""

    what: ClassVar[str] = "a notify (channel, title, text)"

    channel = Words(
        required=True,
        pattern=SLUG,
        expected="owner, or a channel of mappings/channels.yaml",
        means="A channel of mappings/channels.yaml; `owner` sends the contact's owner an SMS.",
        examples=["owner"],
    )
    title = Words(means="A text with {{ … }}.")
    text = Words(required=True, means="A text with {{ … }}.")


class NotifyShape(StepShape):
    """Tell staff something."""

    what: ClassVar[str] = "a notify step"

    notify = Below(NotifyOptionsShape, required=True, means="What is told, and where.")


class HandoffOptionsShape(Shape):
    """Where the conversation is passed on to."""

    what: ClassVar[str] = "a handoff (to, channel, text, for, workflow)"

    to = Choice([to.value for to in HandoffTo], required=True, means="Where it goes on.")
    channel = Words(
        pattern=SLUG, expected="a channel of mappings/channels.yaml", means="For email and whatsapp: the channel."
    )
    text = Words(means="What is said with it; a text with {{ … }}.")
    assignee = Words(
        data_key="for",
        pattern=f"owner|{EMAIL}",
        expected="owner, or an owner's e-mail address",
        means="For call: who rings up; owner when left out.",
        examples=["owner"],
    )
    workflow = Words(longest=100, means="For workflow: its name, which starts on it.")


class HandoffShape(StepShape):
    """Pass the conversation on."""

    what: ClassVar[str] = "a handoff step"

    handoff = Below(HandoffOptionsShape, required=True, means="Where the conversation goes on.")


class CallOptionsShape(Shape):
    """Which system is asked, what is sent, and what becomes of the answer."""

    what: ClassVar[str] = "a call (endpoint, send, as, within)"

    endpoint = Words(
        required=True,
        pattern=SLUG,
        expected="an endpoint of mappings/channels.yaml",
        means="An endpoint of mappings/channels.yaml.",
    )
    send = Named(Words(), name=VARIABLE, means="What is sent, by name: expressions.")
    into = Words(
        data_key="as",
        pattern=VARIABLE,
        expected="a name of lower-case letters, digits and underscores",
        means="The variable that gets the answer: `vars.name`.",
    )
    within = Duration(longest=_A_DAY, means="How long it is tried; 5 minutes when left out.")


class CallShape(StepShape):
    """Ask another system; its JSON answer becomes a variable."""

    what: ClassVar[str] = "a call step"

    call = Below(CallOptionsShape, required=True, means="Which system, and what is sent.")


class EnrollInShape(StepShape):
    """Start another journey for the same contact."""

    what: ClassVar[str] = "an enroll step"

    enroll = Words(required=True, pattern=SLUG, expected="the id of a journey", longest=60, means="The journey's id.")


class ExitShape(StepShape):
    """End this journey."""

    what: ClassVar[str] = "an exit step"

    exit = Words(required=True, expected="a reason, such as `says paid`", longest=200, means="Why, for reports.")
