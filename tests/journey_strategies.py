"""Which journey files can there be? Hypothesis writes any of them, from the very shapes that read them.

The shapes say which keys there are; `_VALUES` says what may stand behind a key whose kind of value is not enough to
know, and `_SETTLED` puts right what one shape alone cannot say, such as "a template or a text, and not both". A key
that a shape gains is drawn at once, or refused here until it is told what may stand behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from hypothesis import strategies as st

from connector.adapters import yaml_values as kinds
from connector.adapters.journey_schema import JourneyShape
from connector.adapters.journey_world import World
from connector.adapters.json_schema import STEPS
from connector.adapters.world_files import read_world
from connector.adapters.yaml_shapes import Field, Shape
from connector.ports.channels import ChannelKind

NAME = "random"
FILE = f"mappings/journeys/{NAME}.yaml"
_ROOT = Path(__file__).parents[1]
_DEEPEST = 2  # levels of nested steps; deeper ones bring nothing that two do not have

_TEXT = "Brightwater: hi {{ contact.first_name | default('there') }}. Reply STOP to end."
_LINKED = "Brightwater: see {{ 'https://shop.example.com/a' | link('payment') }} Reply STOP to end."
_CODED = "Brightwater: your code is {{ code }}. Reply STOP to end."
TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        f"{NAME}/{name}{locale}.txt.j2": text
        for name, text in {"hello": _TEXT, "link": _LINKED, "code": _CODED}.items()
        for locale in ("", ".de", ".fr")
    }
)
"""The texts that the files send; all journeys have a text with the link `payment`."""

_CHANNELS = {
    "chat": ChannelKind.SLACK,
    "mail": ChannelKind.EMAIL,
    "whats": ChannelKind.WHATSAPP,
    "shop": ChannelKind.ENDPOINT,
}
_AUDIENCE = "customers"
_WORDS = ("ALPHA", "BRAVO", "CHARLIE", "DELTA NINE", "42")
_RECORDS = {"invoice.overdue": "invoice", "deal.stage_changed": "deal", "contact.created": None}
_HOLDS = ("contact.email is not none", 'contact.city == "Leeds"', "now > now - 1 day", "true", "contact.id != ''")
_OF_RECORD = {"invoice": ("invoice.balance_due > 500",), "deal": ("deal.amount > 500",)}
_MOMENTS = ("now + 3 days", "now - 1 hour")
_MOMENTS_OF_RECORD = {"invoice": ("invoice.due_at - 24 hours", "invoice.due_on"), "deal": ("deal.closes_at + 1 hour",)}


@dataclass(frozen=True, slots=True)
class JourneyDocument:
    """A journey file and the templates it is read with."""

    text: str
    templates: Mapping[str, str]


@cache
def world() -> World:
    """Give the world the files stand in: what ships, with one channel of each kind that steps ask for."""
    shipped, _, _ = read_world(_ROOT / "mappings", _ROOT / "templates")
    return replace(
        shipped,
        templates=TEMPLATES,
        channels=_CHANNELS,
        journeys=frozenset({NAME, "other"}),
        routes=frozenset({"standard"}),
        previews={},
    )


def journey_documents() -> st.SearchStrategy[JourneyDocument]:
    """Give any journey file, of every header key and every kind of step, that a check finds no mistake in."""
    return _values().map(lambda value: JourneyDocument(_written(value), TEMPLATES))


@st.composite
def _values(draw: st.DrawFn) -> dict[str, Any]:
    return _Maker(draw).journey()


class _Dumper(yaml.SafeDumper):
    """Writes what people write: nothing for None, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))


def _written(value: Mapping[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


class _Maker:
    """Draws one file."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.record: str | None = None
        self._ids = 0

    def one_of(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def flip(self) -> bool:
        return bool(self.draw(st.booleans()))

    def journey(self) -> dict[str, Any]:
        trigger = self._trigger()
        drawn = self.mapping(JourneyShape, without={"trigger", "steps", "crm"})
        drawn |= {"journey": NAME, "trigger": trigger}
        first = {"send": f"{NAME}/link", "window": "anytime"}
        return {**drawn, "steps": [first, *self.steps(0, may_end=True)]}

    def _trigger(self) -> dict[str, Any]:
        if self.flip():
            event = self.one_of(*_RECORDS)
            self.record = _RECORDS[event]
            drawn = {"event": event}
            return (
                drawn | ({"audience": _AUDIENCE} if self.flip() else {}) | ({"imports": "yes"} if self.flip() else {})
            )
        return {"schedule": self.one_of("0 10 * * tue", "*/30 9-17 * * 1-5"), "audience": _AUDIENCE}

    def steps(self, depth: int, *, may_end: bool) -> list[dict[str, Any]]:
        """Draw a list of steps; nothing stands behind one that ends the journey."""
        count = self.draw(st.integers(1, 3))
        drawn = []
        for number in range(count):
            is_last = may_end and number == count - 1
            known = [shape for shape in STEPS if is_last or shape.__name__ != "ExitShape"]
            known = known if depth < _DEEPEST else [shape for shape in known if not _holds_steps(shape)]
            drawn.append(self.mapping(self.one_of(*known), depth=depth, may_end=is_last))
        return drawn

    def mapping(
        self, shape: type[Shape], *, depth: int = 0, may_end: bool = False, without: set[str] | None = None
    ) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        for name, field in shape().fields.items():
            key = field.data_key or name
            if key in (without or set()) or not isinstance(field, Field):
                continue
            if field.required or self.flip():
                drawn[key] = self._value(shape, key, field, depth, may_end)
        settle = _SETTLED.get(shape.__name__)
        return settle(self, drawn) if settle else drawn

    def _value(self, shape: type[Shape], key: str, field: Field, depth: int, may_end: bool) -> Any:
        known = _VALUES.get(f"{shape.__name__}.{key}") or _VALUES.get(key)
        if known is not None:
            return known(self)
        if isinstance(field, kinds.Steps):
            is_deep = depth >= _DEEPEST
            return (
                [{"note": "no deeper"}] if is_deep else self.steps(depth + 1, may_end=may_end and key != "on_failure")
            )
        if isinstance(field, kinds.Named):
            return {name: self._choice(field.choices[0], depth, may_end) for name in ("friendly", "firm", "third")}
        if isinstance(field, kinds.Below):
            return self._choice(self.one_of(*field.choices), depth, may_end)
        return self._plain(field, f"{shape.__name__}.{key}")

    def _choice(self, choice: type[Shape] | Field, depth: int, may_end: bool) -> Any:
        if isinstance(choice, type):
            return self.mapping(choice, depth=depth, may_end=may_end)
        return self._plain(choice, "a choice")

    def _plain(self, field: Field, where: str) -> Any:
        if isinstance(field, kinds.Choice):
            return self.one_of(*field.options)
        if isinstance(field, kinds.WholeNumber):
            return self.draw(st.integers(field.low, field.high))
        for kind, options in _BY_KIND.items():
            if type(field) is kind:
                return self.one_of(*options)
        raise LookupError(f"nothing says what may stand behind {where}")


_BY_KIND: Mapping[type[Field], tuple[Any, ...]] = {
    kinds.YesNo: ("yes", "no", True, False),
    kinds.Duration: ("24 hours", "1 day", "1440 minutes"),
    kinds.Delay: ("2 hours", "3 days", "5 business days", "1 week"),
}


def _holds_steps(shape: type[Shape]) -> bool:
    return shape.__name__ in {"WaitForShape", "IfShape", "SplitShape", "VerifyShape", "ConfirmShape"}


def _condition(maker: _Maker) -> str:
    return str(maker.one_of(*_HOLDS, *_OF_RECORD.get(maker.record or "", ())))


def _moment(maker: _Maker) -> str:
    return str(maker.one_of(*_MOMENTS, *_MOMENTS_OF_RECORD.get(maker.record or "", ())))


def _new_id(maker: _Maker) -> str:
    maker._ids += 1
    return f"step-{maker._ids}"


def _set(maker: _Maker) -> dict[str, Any]:
    drawn = {"contact.city": "{{ contact.city | default('Leeds') }}"} if maker.flip() else {}
    return {**drawn, "vars.tries": 1, "vars.more": "vars.tries + 1"}


def _always(value: Any) -> Callable[[_Maker], Any]:
    return lambda _: value


def _any_of(*options: Any) -> Callable[[_Maker], Any]:
    return lambda maker: maker.one_of(*options)


def _cases(maker: _Maker) -> list[dict[str, Any]]:
    """Draw cases of different kinds, so that none takes another's answer."""
    drawn = []
    for kind in maker.draw(st.lists(st.sampled_from(list(_CASES)), min_size=1, max_size=3, unique=True)):
        case: dict[str, Any] = {kind: maker.one_of(*_CASES[kind])}
        if maker.flip():
            case["where"] = "last_reply.text != ''" if kind in {"reply", "intent"} else _condition(maker)
        if maker.flip():
            case["then"] = [{"note": "it came"}, {"wait": "1 hour"}]
        drawn.append(case)
    return drawn


_CASES: Mapping[str, tuple[Any, ...]] = {
    "reply": (list(_WORDS), "ALPHA"),
    "intent": ("yes", "no", "call me"),
    "event": ("invoice.paid", "deal.stage_changed"),
    "click": ("payment", "any"),
    "delivered": (None, "latest"),
    "failed": (None,),
}


_VALUES: Mapping[str, Callable[[_Maker], Any]] = {
    "JourneyShape.journey": _always(NAME),
    "title": _any_of("A journey", "Überweisung: ein Titel"),
    "owner": _always("sales"),
    "labels": _any_of("spring", ["spring", "sale"]),
    "window": _any_of("anytime", "daytime"),
    "cap": _any_of("3 per 7 days", ["2 per day", "5 per week"]),
    "timezone": _any_of("contact", "account", "Europe/Berlin"),
    "locales": _any_of("de", ["de", "fr"]),
    "variables": _always({"is_local": 'contact.city == "Leeds"', "both": "vars.is_local and true"}),
    "EnrollShape.key": _always("contact.id"),
    "EnrollShape.again": _any_of("never", "after exit", "after 30 days"),
    "exit_when": lambda maker: [{"where": _condition(maker)}, {"event": "invoice.paid"}],
    "id": _new_id,
    "when": _condition,
    "WaitUntilShape.at": _any_of("09:00", "12:30"),
    "WaitForOptionsShape.until": _any_of("now + 2 days", "now - 1 hour"),
    "TaskOptionsShape.at": _any_of("09:00", "12:30"),
    "at": lambda maker: maker.one_of("+3 days", "+2 business days", _moment(maker)),
    "text": _always(_TEXT),
    "to": _any_of("contact", "owner", "contact.phone"),
    "sender": _any_of("+12025550143", "Brightwater"),
    "route": _always("standard"),
    "SendShape.send": lambda maker: maker.one_of(f"{NAME}/hello", {"template": f"{NAME}/link"}, {"text": _TEXT}),
    "until": lambda maker: maker.one_of("next business day", "best time", _moment(maker)),
    "cases": _cases,
    "if": _condition,
    "elif": lambda _: [{"if": "contact.company is none", "then": [{"note": "no company"}]}],
    "TaskOptionsShape.title": _always("Call {{ contact.name | default('them') }}"),
    "body": _always("More about {{ contact.id }}"),
    "due": _any_of("2 hours", "2 business days", "today", "tomorrow", "next business day", "3 days"),
    "for": _any_of("owner", "sam@example.com"),
    "queue": _any_of("123", "support"),
    "set": _set,
    "note": _any_of("said {{ contact.id }}", {"text": "said so"}),
    "NotifyOptionsShape.channel": _any_of("owner", "chat", "mail", "shop"),
    "NotifyOptionsShape.title": _always("About {{ contact.id }}"),
    "HandoffOptionsShape.to": _any_of("email", "whatsapp", "call", "workflow"),
    "HandoffOptionsShape.channel": _always("mail"),
    "workflow": _always("Win back"),
    "endpoint": _always("shop"),
    "CallOptionsShape.send": _always({"contact": "contact.id", "when": "now"}),
    "as": _always("answer"),
    "CallOptionsShape.within": _always("5 minutes"),
    "VerifyOptionsShape.lifetime": _always("10 minutes"),
    "VerifyOptionsShape.send": _always(f"{NAME}/code"),
    "ConfirmOptionsShape.send": _always(f"{NAME}/hello"),
    "ConfirmOptionsShape.reply": _any_of("ALPHA", ["ALPHA", "BRAVO"]),
    "ConfirmOptionsShape.intent": _any_of("yes", "paid"),
    "EnrollInShape.enroll": _always("other"),
    "exit": _any_of("done", "says paid"),
}


def _send(_: _Maker, drawn: dict[str, Any]) -> dict[str, Any]:
    """Settle for one way to write a send: options stand beside a template's name, or below `send`."""
    if isinstance(drawn["send"], dict):
        own = {"id", "when", "at", "on_failure"}
        options = {key: value for key, value in drawn.items() if key not in {*own, "send", "text"}}
        return {key: drawn[key] for key in drawn if key in own} | {"send": {**drawn["send"], **options}}
    if "text" in drawn:
        return {**drawn, "send": None}
    return drawn


def _until(_: _Maker, drawn: dict[str, Any]) -> dict[str, Any]:
    fits = {"best time": {"within"}, "next business day": {"at"}}.get(drawn["until"], {"at", "if_past"})
    kept = {key: value for key, value in drawn.items() if key in {"until", *fits}}
    return {**kept, "within": "24 hours"} if drawn["until"] == "best time" else kept


def _within_or_until(_: _Maker, drawn: dict[str, Any]) -> dict[str, Any]:
    """Settle for one end of a `wait_for`."""
    if "until" in drawn:
        return {key: value for key, value in drawn.items() if key != "within"}
    return {"within": "24 hours", **drawn}


def _confirm(maker: _Maker, drawn: dict[str, Any]) -> dict[str, Any]:
    """Settle for one kind of answer; a code must stand in the text."""
    answer = maker.one_of("reply", "intent", "code")
    kept = {key: value for key, value in drawn.items() if key not in {"reply", "intent", "code", "send", "text"}}
    if answer == "code":
        return {"send": f"{NAME}/code", **kept, "code": maker.draw(st.integers(3, 8))}
    text = {"send": f"{NAME}/hello"} if maker.flip() else {"text": _TEXT}
    return {**text, **kept, answer: "ALPHA" if answer == "reply" else "yes"}


def _verify(_: _Maker, drawn: dict[str, Any]) -> dict[str, Any]:
    """Settle for a template or a text, both of which name the code."""
    if "send" in drawn:
        drawn.pop("text", None)
        return drawn
    return {**drawn, "text": _CODED}


def _task(maker: _Maker, drawn: dict[str, Any]) -> dict[str, Any]:
    drawn.pop("for", None)
    drawn.pop("queue", None)
    if drawn.get("due") == "2 hours":
        drawn.pop("at", None)
    return {**({"for": "owner"} if maker.flip() else {"queue": "123"}), **drawn}


def _notify(_: _Maker, drawn: dict[str, Any]) -> dict[str, Any]:
    if drawn["channel"] == "owner":
        drawn.pop("title", None)
    return drawn


def _handoff(_: _Maker, drawn: dict[str, Any]) -> dict[str, Any]:
    to = drawn["to"]
    keys = {"email": ("channel", "text"), "whatsapp": ("channel", "text"), "call": ("text", "for")}
    kept = {key: drawn[key] for key in keys.get(to, ("text", "workflow")) if key in drawn}
    return {"to": to, **kept, **_HANDOFF_NEEDS[to]}


_HANDOFF_NEEDS: Mapping[str, dict[str, str]] = {
    "email": {"channel": "mail"},
    "whatsapp": {"channel": "whats", "text": _TEXT},
    "call": {},
    "workflow": {"workflow": "Win back"},
}


_SETTLED: Mapping[str, Callable[[_Maker, dict[str, Any]], dict[str, Any]]] = {
    "SendShape": _send,
    "WaitUntilShape": _until,
    "WaitForOptionsShape": _within_or_until,
    "ConfirmOptionsShape": _confirm,
    "VerifyOptionsShape": _verify,
    "TaskOptionsShape": _task,
    "NotifyOptionsShape": _notify,
    "HandoffOptionsShape": _handoff,
}
