"""What journey does a file describe, as far as the file alone can tell?

Reads header and trigger and hands the steps to `step_builder`; what needs to know events, templates or keywords is
checked afterwards by `journey_checks`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from connector.adapters import journey_schema as schema
from connector.adapters.journey_meanings import AUDIENCES_UNREADABLE, audience_document
from connector.adapters.journey_uses import ConditionUse, EventUse, TemplateUse
from connector.adapters.step_builder import StepBuilder
from connector.adapters.time_zones import time_zones
from connector.adapters.yaml_file import Trail, format_trail
from connector.adapters.yaml_shapes import closest, listed, quoted, spoken
from connector.domain.durations import parse_duration
from connector.domain.journey import (
    USUAL_PRIORITY,
    Again,
    Audience,
    Enroll,
    ExitRule,
    Journey,
    Trigger,
    schedule_event,
)
from connector.domain.message import Purpose
from connector.domain.places import Expression

_RESERVED = frozenset({"true", "false", "none", "now"})


class JourneyBuilder(StepBuilder):
    """Reads one file; `mistakes` holds what is wrong, `uses` what is still to be checked."""

    def build(self, templates: Mapping[str, str]) -> Journey | None:
        """Read the file; None when a part without which there is no journey is missing or wrong.

        Args:
            templates: sources of all templates by file name; the version keeps those the journey uses.
        """
        top = self.document.value
        if top is None:
            self.say((), "the file is empty")
            return None
        header = self.read(schema.JourneyShape(), (), top)
        if not isinstance(top, dict):
            return None
        trigger = self._trigger(top.get("trigger")) if "trigger" in top else None
        enroll = self._enroll(top.get("enroll"))
        exit_when = tuple(self._exit_rules(top.get("exit_when")))
        variables = self._variables(top.get("variables"))
        self.read_steps = steps = self.steps(("steps",), top.get("steps"))
        time_zone = self._time_zone(top.get("timezone", "contact"))
        if isinstance(top.get("window"), str):
            self.uses.windows.append((top["window"], ("window",)))
        if header is None or trigger is None or enroll is None:
            return None
        source = self._source(templates, trigger.audience)
        return Journey(
            id=header["journey"],
            title=header.get("title", header["journey"]),
            purpose=Purpose(header["purpose"]),
            trigger=trigger,
            enroll=enroll,
            steps=steps,
            file=self.document.file,
            hash=hash_of(source),
            source=source,
            owner=header.get("owner", ""),
            enabled=header.get("enabled", True),
            labels=header.get("labels", ()),
            priority=header.get("priority", USUAL_PRIORITY),
            locales=header.get("locales", ()),
            crm=header.get("crm"),
            exit_when=exit_when,
            window=header.get("window"),
            caps=header.get("cap", ()),
            time_zone=time_zone,
            variables=variables,
        )

    def _trigger(self, raw: Any) -> Trigger | None:
        trail: Trail = ("trigger",)
        found = self.read(schema.TriggerShape(), trail, raw)
        event = raw.get("event") if isinstance(raw, dict) else None
        where = self.condition((*trail, "where"), raw, event=event if isinstance(event, str) else None)
        if found is None:
            return None
        audience = self._audience((*trail, "audience"), found["audience"]) if "audience" in found else None
        if not self._starts(trail, found) or ("audience" in found and audience is None):
            return None
        place = self.place(trail, key=True)
        if "schedule" in found:
            name = self.document.value.get("journey")
            event = schedule_event(name if isinstance(name, str) else "")
            return Trigger(event, place, where, schedule=found["schedule"], audience=audience)
        self.uses.events.append(EventUse(found["event"], (*trail, "event")))
        return Trigger(found["event"], place, where, takes_imports=found.get("imports", False), audience=audience)

    def _starts(self, trail: Trail, found: Mapping[str, Any]) -> bool:
        """Tell whether a trigger is an event, or a schedule with somebody to write to."""
        if ("event" in found) == ("schedule" in found):
            self.say(trail, "expected an `event` or a `schedule`, and not both", "such as event: invoice.overdue")
        elif "schedule" in found and "imports" in found:
            self.say((*trail, "imports"), "a schedule takes its people from an audience, not from imports", key=True)
        elif "schedule" in found and "audience" not in found:
            self.say((*trail, "schedule"), "a schedule needs somebody to write to", "add audience: …")
        else:
            return True
        return False

    def _audience(self, trail: Trail, name: str) -> Audience | None:
        known = self.meanings.audiences
        if known is None:
            self.say(trail, AUDIENCES_UNREADABLE)
            return None
        if name not in known:
            hint = closest(name, known) or (f"there are {listed(sorted(known))}" if known else None)
            self.say(trail, f"no audience is named {quoted(name)}", hint)
            return None
        crm, find = self.document.value.get("crm"), known[name].find
        if "schedule" in self.document.value["trigger"] and not (crm in find if isinstance(crm, str) else find):
            hint = "say in mappings/audiences.yaml how to `find` it"
            self.say(trail, f"the audience {quoted(name)} cannot be listed" + (f" in {crm}" if crm else ""), hint)
            return None
        return known[name]

    def _enroll(self, raw: Any) -> Enroll | None:
        trail: Trail = ("enroll",)
        if "enroll" not in self.document.value:
            return Enroll(Expression("contact.id", self.place(("journey",))))
        found = self.read(schema.EnrollShape(), trail, raw)
        if found is None:
            return None
        key = self.condition((*trail, "key"), raw) or Expression("contact.id", self.place(trail, key=True))
        again, after = self._again(found.get("again", "never"))
        return Enroll(key, again, after)

    def _again(self, text: str) -> tuple[Again, timedelta | None]:
        if text in {Again.NEVER, Again.AFTER_EXIT, Again.ALWAYS}:
            return Again(text), None
        try:
            return Again.AFTER_PERIOD, parse_duration(re.sub(r"^after ", "", text))
        except ValueError:
            known = "never, after exit, always, or after 30 days"
            near = closest(text, ("never", "after exit", "always"))
            self.say(("enroll", "again"), f"{quoted(text)} is not one of {known}", near)
            return Again.NEVER, None

    def _exit_rules(self, raw: Any) -> Iterator[ExitRule]:
        for number, item in enumerate(raw if isinstance(raw, list) else ()):
            trail: Trail = ("exit_when", number)
            found = self.read(schema.ExitRuleShape(), trail, item)
            event = found.get("event") if found else None
            where = self.condition((*trail, "where"), item, event=event)
            if found is None:
                continue
            if not found:
                self.say(trail, f"expected {schema.ExitRuleShape.what}")
                continue
            if event:
                self.uses.events.append(EventUse(event, (*trail, "event")))
            yield ExitRule(format_trail(trail), self.place(trail), event, where)

    def _variables(self, raw: Any) -> dict[str, Expression]:
        found: dict[str, Expression] = {}
        if raw is None and "variables" not in self.document.value:
            return found
        if not isinstance(raw, dict):
            self.say(("variables",), f"expected names with expressions (days_late: …), found {spoken(raw)}")
            return found
        for name in raw:
            trail: Trail = ("variables", name)
            if not re.fullmatch(schema.VARIABLE, name) or name in _RESERVED:
                self.say(
                    trail, f"{quoted(name)} is no name: expected lower-case letters, digits and underscores", key=True
                )
            expression = self.expression(trail, raw[name])
            if expression is not None:
                self.uses.conditions.append(ConditionUse(expression, trail, variables=tuple(found)))
                found[name] = expression
        return found

    def _time_zone(self, name: Any) -> str:
        known = time_zones()
        if not isinstance(name, str):
            return "contact"  # the schema has said what is wrong
        if name not in {"contact", "account"} and name not in known:
            near = closest(name, known) or closest(name, ("contact", "account"))
            self.say(("timezone",), f"{quoted(name)} is not contact, account or an IANA time zone", near)
        return name

    def _source(self, templates: Mapping[str, str], audience: Audience | None) -> dict[str, object]:
        used = {path: templates[path] for path in sorted(templates) if _belongs(path, self.uses.templates)}
        source: dict[str, object] = {"journey": self.document.text, "templates": used, "file": self.document.file}
        if self.intents:
            source["intents"] = {name: list(words) for name, words in sorted(self.intents.items())}
        if audience is not None:
            source["audiences"] = {audience.name: audience_document(audience)}
        return source


def hash_of(source: Mapping[str, Any]) -> str:
    """Give the SHA-256 that names a version: of the journey's text, its templates and what its names mean.

    Where the files lie does not count. A journey without intents and audiences has the hash it had before those were.
    """
    parts: list[Any] = [source["journey"], source["templates"]]
    audiences = source.get("audiences", {})
    meant = {name: [kept["where"], kept["find"]] for name, kept in audiences.items()}
    if "intents" in source or meant:
        parts.append([source.get("intents", {}), meant])
    content = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _belongs(path: str, uses: list[TemplateUse]) -> bool:
    return any(path.partition(".")[0] == use.name for use in uses)
