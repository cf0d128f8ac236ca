"""Which names does each place of a journey file see, and with which plausible values?

Variables are seen behind the step that sets them, in the file's order; records are those of the event that starts the
journey.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.adapters.jinja_syntax import compile_condition
from connector.adapters.journey_world import World, sample_names
from connector.adapters.name_checks import OPEN, is_open
from connector.adapters.rendering import Renderer
from connector.adapters.yaml_file import Document, Trail
from connector.domain.places import Expression
from connector.errors import ConditionError

CODE = "482913"
"""What `code` is in the texts that have one."""

_RENDERER = Renderer()


@dataclass(frozen=True, slots=True)
class _Variable:
    """A variable, and from where on in the file it is seen; without an expression nobody knows its parts."""

    name: str
    start: int
    expression: Expression | None


@dataclass(slots=True)
class JourneyNames:
    """Answers for one journey file; variables are made known as they are read."""

    document: Document
    world: World
    _variables: list[_Variable] = field(default_factory=list)

    @property
    def _top(self) -> Mapping[str, Any]:
        return self.document.value if isinstance(self.document.value, dict) else {}

    @property
    def crm(self) -> str | None:
        """The one CRM whose events the journey takes, where it says so and there is such a CRM."""
        crm = self._top.get("crm")
        return crm if crm in self.world.catalogue.by_crm else None

    @property
    def event(self) -> str:
        """Name of the event that starts the journey; empty when a schedule does, or none is written."""
        trigger = self._top.get("trigger")
        event = trigger.get("event") if isinstance(trigger, dict) else None
        return event if isinstance(event, str) else ""

    @property
    def knows_trigger(self) -> bool:
        """Whether it is known which records there are: those of a declared event, or none with a schedule."""
        return bool(self.world.catalogue.find(self.event, self.crm)) or self._is_scheduled

    @property
    def _is_scheduled(self) -> bool:
        trigger = self._top.get("trigger")
        return isinstance(trigger, dict) and "schedule" in trigger and not self.event

    def knows(self, event: str | None) -> bool:
        """Tell whether everything is known that a condition about an event may see; None for no event."""
        return self.knows_trigger and (event is None or bool(self.world.catalogue.find(event, self.crm)))

    def set(self, name: str, trail: Trail, expression: Expression | None) -> None:
        """Make a variable known behind the place that sets it; `expression` is None when nobody knows its parts."""
        start = 0 if trail[:1] == ("variables",) else self.document.spot(trail).start
        self._variables.append(_Variable(name, start, expression))

    def at(
        self,
        trail: Trail,
        event: str | None = None,
        only: tuple[str, ...] | None = None,
        *,
        knows: tuple[str, ...] = (),
        longest: bool = False,
        given: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Give the names that the place under `trail` sees, with plausible values.

        Args:
            trail: the place.
            event: the event that `event.*` means there; None when there is none.
            only: of the variables, only these; None for all that are set before the place.
            knows: further names that only this place knows, such as `code`.
            longest: the longest plausible values in place of usual ones.
            given: values that go before the plausible ones, by record and name.
        """
        start = self.document.spot(trail).start if trail[:1] == ("steps",) else None
        names = sample_names(self.world, self.crm, self.event, event, {}, longest=longest)
        names |= dict.fromkeys(knows, OPEN) | {name: CODE for name in knows if name == "code"}
        names = self._with(names, given or {})
        fixed = (given or {}).get("vars") or {}
        for each in sorted(self._variables, key=lambda variable: variable.start):
            if (start is None or each.start < start) and (only is None or each.name in only):
                names["vars"][each.name] = fixed[each.name] if each.name in fixed else _value(each, names)
        return names

    def _with(self, names: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Put given values in the place of plausible ones; a name put together of others follows its parts."""
        for name, value in given.items():
            if name != "vars":
                names[name] = {**names[name], **value} if isinstance(value, Mapping) and value else value
        contact = given.get("contact") or {}
        for events in self.world.catalogue.by_crm.values():
            for name, parts in events.contact.joined.items():
                if name not in contact and any(part in contact for part in parts):
                    names["contact"][name] = " ".join(str(names["contact"][part] or "") for part in parts).strip()
        return names


def _value(variable: _Variable, names: Mapping[str, Any]) -> Any:
    if variable.expression is None or is_open(compile_condition(variable.expression.source), names):
        return OPEN
    try:
        return _RENDERER.evaluate(variable.expression, names)
    except ConditionError:
        return OPEN  # told where the expression stands
