"""What does a journey wait for, and until when?"""

from __future__ import annotations

from typing import Any

from connector.adapters import step_schema as schema
from connector.adapters.journey_parts import JourneyParts
from connector.adapters.journey_uses import ConditionUse, EventUse
from connector.adapters.yaml_file import Trail, format_trail
from connector.adapters.yaml_shapes import listed, shape_of
from connector.domain.steps import Case, CaseKind, Step, Wait, WaitFor

_BEST, _NEXT = "best time", "next business day"
_BELONGS = {"at": (_NEXT, "a time"), "within": (_BEST,), "if_past": ("a time",)}
"""Which options of `wait` go with which kind of `until`."""


class WaitBuilder(JourneyParts):
    """Reads `wait` and `wait_for`."""

    def _wait(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        self.read(schema.WaitShape(), trail, raw)
        at, value = (*trail, "wait"), raw["wait"]
        if isinstance(value, dict):
            return self._wait_until(at, value, common)
        if isinstance(value, str) and value.strip().lower() in {_BEST, _NEXT}:
            more = ", within: 24 hours" if value.strip().lower() == _BEST else ""
            self.say(at, f"`{value.strip()}` is no length of time", f"write wait: {{until: {value.strip()}{more}}}")
            return None
        found = None if value is None else self.read(schema.DelayShape(), trail, {"wait": value})
        return None if found is None else Wait(**common, duration=found["wait"])

    def _wait_until(self, at: Trail, value: dict[str, Any], common: dict[str, Any]) -> Step | None:
        found = self.read(schema.WaitUntilShape(), at, value)
        until = self.expression((*at, "until"), value.get("until"))
        kind = "a time" if until is None or until.source.lower() not in {_BEST, _NEXT} else until.source.lower()
        if until is not None and kind == "a time":
            self.uses.conditions.append(ConditionUse(until, (*at, "until"), is_time=True))
        if found is None or not self._fits(at, found, kind):
            return None
        if kind == _BEST:
            return Wait(**common, best_within=found["within"])
        clock, skip_if_past = found.get("at"), found.get("if_past", "skip") == "skip"
        if kind == _NEXT:
            return Wait(**common, next_business_day=True, clock=clock)
        return Wait(**common, until=until, clock=clock, skip_if_past=skip_if_past)

    def _fits(self, at: Trail, found: dict[str, Any], kind: str) -> bool:
        wrong = [option for option, kinds in _BELONGS.items() if option in found and kind not in kinds]
        for option in wrong:
            waits = " or ".join(f"`until: {each}`" if each != "a time" else each for each in _BELONGS[option])
            self.say((*at, option), f"`{option}` goes with waiting for {waits} only", key=True)
        lacks = kind == _BEST and "within" not in found
        if lacks:
            self.say((*at, "until"), "waiting for the best time needs a limit", "add within: 24 hours")
        return not wrong and not lacks

    def _wait_for(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        self.read(schema.WaitForShape(), trail, raw)
        at, value = (*trail, "wait_for"), raw["wait_for"]
        found = None if value is None else self.read(schema.WaitForOptionsShape(), at, value)
        body = value if isinstance(value, dict) else {}
        raw_cases = body.get("cases")
        listed_cases = raw_cases if isinstance(raw_cases, list) else []
        read = [((*at, "cases", number), item) for number, item in enumerate(listed_cases)]
        cases = [(case, below) for below, item in read if (case := self._case(below, item)) is not None]
        self.left_out += ["case"] * (len(read) - len(cases))
        self.uses.waits.append(cases)
        otherwise = self.steps((*at, "else"), body.get("else"))
        until = self.expression((*at, "until"), body.get("until"))
        if until is not None:
            self.uses.conditions.append(ConditionUse(until, (*at, "until"), is_time=True))
        if found is None:
            return None
        if ("within" in found) == (until is not None):
            said = "says not how long" if until is None else "has `within` and `until` at once"
            self.say(at, f"this wait_for {said}", "write within: 24 hours, or until: appointment.starts_at - 24 hours")
            return None
        kept = tuple(case for case, _ in cases)
        return WaitFor(**common, cases=kept, within=found.get("within"), until=until, otherwise=otherwise)

    def _case(self, trail: Trail, raw: Any) -> Case | None:
        found = self.read(schema.CaseShape(), trail, raw)
        body = raw if isinstance(raw, dict) else {}
        event = body.get("event") if isinstance(body.get("event"), str) else None
        where = self.condition((*trail, "where"), body, event=event)
        then = self.steps((*trail, "then"), body.get("then"))
        keys = [key for key in _CASE_KINDS if key in body]
        if found is None:  # what follows may be all that is wrong: what it waits for is still held against the others
            waits_for = {key: item for key, item in body.items() if key != "then"}
            found = shape_of(schema.CaseShape(), self.document, trail, waits_for, []) if waits_for else None
        if found is None:
            return None
        if len(keys) != 1:
            said = f"has {listed(keys)} at once" if keys else "says not what to wait for"
            self.say(trail, f"this case {said}: expected one of {listed(list(_CASE_KINDS))}")
            return None
        kind = _CASE_KINDS[keys[0]]
        words = self.intent((*trail, "intent"), found) if "intent" in found else _keywords(found.get("reply", ()))
        if words is None:
            return None
        if event:
            self.uses.events.append(EventUse(event, (*trail, "event")))
        return Case(
            kind=kind,
            path=format_trail(trail),
            place=self.place(trail),
            keywords=words,
            intent=found.get("intent", ""),
            event=event,
            where=where,
            send_id=self._send_id(trail, kind, found),
            link=_name_or_any(found.get("click")),
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


_CASE_KINDS = {"reply": CaseKind.REPLY, "intent": CaseKind.REPLY, **{kind.value: kind for kind in CaseKind}}
"""What a case waits for, by its key."""


def _keywords(words: tuple[str, ...]) -> tuple[str, ...]:
    """Give a case's keywords; `any` alone means every reply."""
    return () if tuple(word.lower() for word in words) == ("any",) else words


def _name_or_any(name: str | None) -> str | None:
    return None if name is None or name.lower() == "any" else name
