"""What does a journey wait for, and until when?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from connector.adapters import journey_schema as schema
from connector.adapters.journey_parts import JourneyParts
from connector.adapters.journey_uses import ConditionUse, EventUse
from connector.adapters.yaml_file import Trail, format_trail
from connector.adapters.yaml_shapes import listed, shape_of
from connector.domain.steps import Case, CaseKind, Step, Wait, WaitFor

_LATER = ("best time", "next business day")
"""Times of the language that this version does not have."""


class WaitBuilder(JourneyParts):
    """Reads `wait` and `wait_for`."""

    def _wait(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        shape_of(schema.WaitShape(), self.document, trail, raw, self.mistakes)
        at, value = (*trail, "wait"), raw["wait"]
        if isinstance(value, dict):
            return self._wait_until(at, value, common)
        if isinstance(value, str) and value.strip().lower() in _LATER:
            self.say(at, f"waiting for {value.strip()} is not available in this version")
            return None
        duration = self._duration(at, value)
        return None if duration is None else Wait(**common, duration=duration)

    def _wait_until(self, at: Trail, value: dict[str, Any], common: dict[str, Any]) -> Step | None:
        found = shape_of(schema.WaitUntilShape(), self.document, at, value, self.mistakes)
        if found is None:
            return None
        if found["until"].lower() in _LATER:
            self.say((*at, "until"), f"waiting until {found['until']} is not available in this version")
            return None
        until = self.expression((*at, "until"), value["until"])
        if until is None:
            return None
        self.uses.conditions.append(ConditionUse(until, (*at, "until"), is_time=True))
        return Wait(**common, until=until, skip_if_past=found.get("if_past", "skip") == "skip")

    def _duration(self, at: Trail, value: Any) -> timedelta | None:
        found = shape_of(schema.WaitDurationShape(), self.document, at[:-1], {"wait": value}, self.mistakes)
        return found["wait"] if found else None

    def _wait_for(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        shape_of(schema.WaitForShape(), self.document, trail, raw, self.mistakes)
        at, value = (*trail, "wait_for"), raw["wait_for"]
        found = shape_of(schema.WaitForOptionsShape(), self.document, at, value, self.mistakes)
        body = value if isinstance(value, dict) else {}
        raw_cases = body.get("cases")
        listed_cases = raw_cases if isinstance(raw_cases, list) else []
        read = [((*at, "cases", number), item) for number, item in enumerate(listed_cases)]
        cases = [(case, below) for below, item in read if (case := self._case(below, item)) is not None]
        self.uses.waits.append(cases)
        otherwise = self.steps((*at, "else"), body.get("else"))
        if found is None:
            return None
        kept = tuple(case for case, _ in cases)
        return WaitFor(**common, cases=kept, within=found["within"], otherwise=otherwise)

    def _case(self, trail: Trail, raw: Any) -> Case | None:
        found = shape_of(schema.CaseShape(), self.document, trail, raw, self.mistakes)
        body = raw if isinstance(raw, dict) else {}
        event = body.get("event") if isinstance(body.get("event"), str) else None
        where = self.condition((*trail, "where"), body, event=event)
        then = self.steps((*trail, "then"), body.get("then"))
        kinds = [kind for kind in CaseKind if kind in body]
        if found is None or set(body) & schema.CaseShape.later:
            return None
        if len(kinds) != 1:
            said = f"has {listed(kinds)} at once" if kinds else "says not what to wait for"
            self.say(trail, f"this case {said}: expected one of {listed(list(CaseKind))}")
            return None
        if event:
            self.uses.events.append(EventUse(event, (*trail, "event")))
        return Case(
            kind=kinds[0],
            path=format_trail(trail),
            place=self.place(trail),
            keywords=_keywords(found.get("reply", ())),
            event=event,
            where=where,
            send_id=self._send_id(trail, kinds[0], found),
            then=then,
        )

    def _send_id(self, trail: Trail, kind: CaseKind, found: dict[str, Any]) -> str | None:
        if kind not in {CaseKind.DELIVERED, CaseKind.FAILED}:
            return None
        name = found.get(kind.value)
        if name is None or name.lower() in {"latest", "yes", "true"}:
            return None
        self.uses.send_ids.append((name, (*trail, kind.value)))
        return str(name)


def _keywords(words: tuple[str, ...]) -> tuple[str, ...]:
    """Give a case's keywords; `any` alone means every reply."""
    return () if tuple(word.lower() for word in words) == ("any",) else words
