"""Which names does each place of a journey file see, and with which plausible values?

Variables are seen behind the step that sets them, in the file's order; records are those of the event that starts the
journey.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.adapters.journey_world import World, sample_names
from connector.adapters.name_checks import OPEN
from connector.adapters.yaml_file import Document, Trail

CODE = "482913"
"""What `code` is in the texts that have one."""


@dataclass(frozen=True, slots=True)
class _Variable:
    """A variable and from where on in the file it is seen; its usual value and its longest."""

    name: str
    start: int
    usual: Any
    longest: Any


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

    def set(self, name: str, trail: Trail, usual: Any, longest: Any) -> None:
        """Make a variable known behind the place that sets it."""
        start = 0 if trail[:1] == ("variables",) else self.document.spot(trail).start
        self._variables.append(_Variable(name, start, usual, longest))

    def set_answers(self) -> None:
        """Make the variables known that get the answer of an endpoint: nobody knows their parts."""
        for trail, name in _answers(self._top.get("steps"), ("steps",)):
            self.set(name, trail, OPEN, OPEN)

    def at(
        self,
        trail: Trail,
        event: str | None = None,
        only: tuple[str, ...] | None = None,
        *,
        has_code: bool = False,
        longest: bool = False,
    ) -> dict[str, Any]:
        """Give the names that the place under `trail` sees; `only` limits its variables to some."""
        start = self.document.spot(trail).start if trail[:1] == ("steps",) else None
        seen = {
            each.name: each.longest if longest else each.usual
            for each in self._variables
            if (start is None or each.start < start) and (only is None or each.name in only)
        }
        names = sample_names(self.world, self.crm, self.event, event, seen, longest=longest)
        return {**names, "code": CODE} if has_code else names


def _answers(value: Any, trail: Trail) -> Iterator[tuple[Trail, str]]:
    """Find `call: {as: …}` in every step, nested ones included."""
    items: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, list):
        items = iter(enumerate(value))
    elif isinstance(value, dict):
        items = iter(value.items())
        call = value.get("call")
        if isinstance(call, dict) and isinstance(call.get("as"), str):
            yield (*trail, "call", "as"), call["as"]
    for key, item in items:
        yield from _answers(item, (*trail, key))
