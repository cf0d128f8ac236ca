"""What does a journey do outside the conversation: in the CRM, for staff, in other systems?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

from connector.adapters import outside_schema as schema
from connector.adapters.journey_parts import JourneyParts
from connector.adapters.journey_schema import VARIABLE
from connector.adapters.journey_uses import ChannelUse, ConditionUse, PropertyUse
from connector.adapters.yaml_file import Trail
from connector.adapters.yaml_shapes import Shape, closest, listed, quoted, spoken
from connector.domain.durations import BusinessDays
from connector.domain.errands import Call, EnrollIn, Handoff, HandoffTo, Note, Notify, PropertyValue, SetValues, Task
from connector.domain.places import Expression
from connector.domain.steps import Delay, Exit, Step
from connector.ports.channels import ChannelKind

OWNER = "owner"
_A_DAY = timedelta(days=1)
_MORNING = time(9)  # as `wait: {until: next business day}` has it
_EVENING = time(17)  # the end of a working day: a task due earlier today would often be late at once
_DUE_DAYS: Mapping[str, tuple[Delay, time]] = {
    "today": (timedelta(0), _EVENING),
    "tomorrow": (_A_DAY, _MORNING),
    "next business day": (BusinessDays(1), _MORNING),
}
_UNWRITABLE = frozenset({"owner", "account", "event", "last_reply", "last_message"})
_TELLING = tuple(kind for kind in ChannelKind if kind is not ChannelKind.WHATSAPP)
"""Channels that reach staff: a WhatsApp channel writes to customers."""

_HANDOFF_KEYS = {
    HandoffTo.EMAIL: ({"channel"}, {"text"}),
    HandoffTo.WHATSAPP: ({"channel", "text"}, set[str]()),
    HandoffTo.CALL: (set[str](), {"text", "for"}),
    HandoffTo.WORKFLOW: ({"workflow"}, {"text"}),
}
"""What each kind of hand-off needs, and what else it may have."""

_HANDOFF_CHANNEL = {HandoffTo.EMAIL: ChannelKind.EMAIL, HandoffTo.WHATSAPP: ChannelKind.WHATSAPP}


class OutsideBuilder(JourneyParts):
    """Reads `task`, `set`, `note`, `notify`, `handoff`, `call`, `enroll` and `exit`."""

    def _options(self, step: Shape, options: Shape, trail: Trail, raw: dict[str, Any], key: str) -> Any:
        """Read a step's own keys and those below its kind."""
        self.read(step, trail, raw)
        return None if raw[key] is None else self.read(options, (*trail, key), raw[key])

    def _task(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = self._options(schema.TaskShape(), schema.TaskOptionsShape(), trail, raw, "task")
        at, value = (*trail, "task"), raw["task"]
        title, body = self.text((*at, "title"), value), self.text((*at, "body"), value)
        if found is None or title is None:
            return None
        if ("assignee" in found) == ("queue" in found):
            self.say(at, "expected `for` or `queue`, and not both", "such as for: owner")
            return None
        due = self._due(at, found)
        if due is None:
            return None
        return Task(
            **common,
            assignee=found.get("assignee", ""),
            title=title,
            body=body,
            queue=found.get("queue", ""),
            due_after=due[0],
            due_clock=due[1],
            priority=found.get("priority", ""),
        )

    def _due(self, at: Trail, found: dict[str, Any]) -> tuple[Delay, time | None] | None:
        """Give the time a task is due as a delay and a time of day; None when it cannot be read."""
        due, clock = found.get("due"), found.get("at")
        if due is None:
            return timedelta(0), clock
        if due.lower() in _DUE_DAYS:
            delay, usual = _DUE_DAYS[due.lower()]
            return delay, clock or usual
        near = None if due[:1].isdigit() else closest(due, tuple(_DUE_DAYS))
        if near:
            self.say((*at, "due"), f"{quoted(due)} is no time", near)
        length = None if near else self.read(schema.DueShape(), at, {"due": due})
        if length is None:
            return None
        if clock is not None and isinstance(length["due"], timedelta) and length["due"] % _A_DAY:
            self.say((*at, "at"), "a time of day goes with whole days only", key=True)
            return None
        return length["due"], clock

    def _set(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        self.read(schema.SetShape(), trail, raw)
        at, value = (*trail, "set"), raw["set"]
        if not isinstance(value, dict):
            if value is not None:
                self.say(at, f"expected names with values (vars.tries: vars.tries + 1), found {spoken(value)}")
            return None
        if not value:
            self.say(at, "sets nothing")
            return None
        properties: list[PropertyValue] = []
        variables: dict[str, Expression] = {}
        read = [self._set_one((*at, name), name, value, properties, variables) for name in value]
        return SetValues(**common, properties=tuple(properties), variables=variables) if all(read) else None

    def _set_one(
        self,
        trail: Trail,
        name: str,
        value: dict[str, Any],
        properties: list[PropertyValue],
        variables: dict[str, Expression],
    ) -> bool:
        record, _, part = name.partition(".")
        if not re.fullmatch(schema.PROPERTY, name):
            self.say(trail, f"{quoted(name)} is no name: expected deal.stage, or vars.tries", key=True)
            return False
        if record in _UNWRITABLE:
            self.say(trail, f"`{record}` cannot be written: expected a record of the journey, or vars", key=True)
            return False
        if not isinstance(value[name], str):
            self.say(trail, f"expected a text, found {spoken(value[name])}")
            return False
        if record == "vars":
            expression = self.condition(trail, value)
            if expression is not None:
                variables[part] = expression
            return expression is not None
        self.uses.properties.append(PropertyUse(record, part, trail))
        text = self.text(trail, value)
        if text is not None:
            properties.append(PropertyValue(record, part, text))
        return text is not None

    def _note(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        self.read(schema.NoteShape(), trail, raw)
        value = raw["note"]
        if isinstance(value, dict):
            at = (*trail, "note")
            found, text = self.read(schema.NoteOptionsShape(), at, value), self.text((*at, "text"), value)
            return Note(**common, text=text) if found is not None and text is not None else None
        text = self.text((*trail, "note"), raw)
        if text is None and value is not None:
            self.say((*trail, "note"), f"expected a text, found {spoken(value)}")
        return None if text is None else Note(**common, text=text)

    def _notify(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = self._options(schema.NotifyShape(), schema.NotifyOptionsShape(), trail, raw, "notify")
        at, value = (*trail, "notify"), raw["notify"]
        is_sms = isinstance(value, dict) and value.get("channel") == OWNER
        title, text = self.text((*at, "title"), value), self.text((*at, "text"), value, is_sms=is_sms)
        if found is None or text is None:
            return None
        if is_sms and title is not None:
            self.say((*at, "title"), "an SMS has no title", "take it out, or name a channel", key=True)
            return None
        if not is_sms:
            self.uses.channels.append(ChannelUse(found["channel"], (*at, "channel"), _TELLING))
        return Notify(**common, channel=found["channel"], text=text, title=title)

    def _handoff(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = self._options(schema.HandoffShape(), schema.HandoffOptionsShape(), trail, raw, "handoff")
        at, value = (*trail, "handoff"), raw["handoff"]
        to = HandoffTo(found["to"]) if found else None
        text = self.text((*at, "text"), value, is_sms=False)
        if found is None or to is None or not self._handoff_fits(at, to, value):
            return None
        if to in _HANDOFF_CHANNEL:
            self.uses.channels.append(ChannelUse(found["channel"], (*at, "channel"), (_HANDOFF_CHANNEL[to],)))
        return Handoff(
            **common,
            to=to,
            text=text,
            channel=found.get("channel", ""),
            assignee=found.get("assignee", OWNER),
            workflow=found.get("workflow", ""),
        )

    def _handoff_fits(self, at: Trail, to: HandoffTo, value: dict[str, Any]) -> bool:
        needs, may = _HANDOFF_KEYS[to]
        for key in value:
            if key not in {"to", *needs, *may}:
                self.say((*at, key), f"a handoff to {to} has no `{key}`", key=True)
        lacks = sorted(needs - value.keys())
        if lacks:
            self.say((*at, "to"), f"a handoff to {to} needs {listed(lacks)}")
        return not lacks and value.keys() <= {"to", *needs, *may}

    def _call(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = self._options(schema.CallShape(), schema.CallOptionsShape(), trail, raw, "call")
        at, value = (*trail, "call"), raw["call"]
        payload = self._payload((*at, "send"), value.get("send")) if isinstance(value, dict) else {}
        if found is None or payload is None:
            return None
        self.uses.channels.append(ChannelUse(found["endpoint"], (*at, "endpoint"), (ChannelKind.ENDPOINT,)))
        if "into" in found:
            self.uses.answers.append((found["into"], (*at, "as")))
        within = {"within": found["within"]} if "within" in found else {}
        return Call(**common, endpoint=found["endpoint"], payload=payload, into=found.get("into", ""), **within)

    def _payload(self, trail: Trail, raw: Any) -> dict[str, Expression] | None:
        """Read what a call sends; None when something is wrong with it."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.say(trail, f"expected names with expressions (order: order.id), found {spoken(raw)}")
            return None
        found: dict[str, Expression] = {}
        for name in raw:
            at = (*trail, name)
            if not re.fullmatch(VARIABLE, name):
                self.say(
                    at, f"{quoted(name)} is no name: expected lower-case letters, digits and underscores", key=True
                )
                continue
            expression = self.expression(at, raw[name])
            if expression is None:
                self.say(at, f"expected an expression, found {spoken(raw[name])}")
                continue
            self.uses.conditions.append(ConditionUse(expression, at))
            found[name] = expression
        return found if len(found) == len(raw) else None

    def _enroll_in(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = self.read(schema.EnrollInShape(), trail, raw)
        if found is None:
            return None
        self.uses.journeys.append((found["enroll"], (*trail, "enroll")))
        return EnrollIn(**common, journey=found["enroll"])

    def _exit(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = self.read(schema.ExitShape(), trail, raw)
        return None if found is None else Exit(**common, reason=found["exit"])
