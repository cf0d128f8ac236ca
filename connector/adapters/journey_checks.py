"""What is wrong with a journey whose shape is right: does everything it names exist, can every step be reached?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from connector.adapters.flow_checks import flow_mistakes
from connector.adapters.jinja_syntax import compile_condition
from connector.adapters.journey_builder import JourneyBuilder
from connector.adapters.journey_names import JourneyNames
from connector.adapters.journey_uses import ConditionUse
from connector.adapters.journey_world import World
from connector.adapters.link_checks import click_mistakes
from connector.adapters.mention_checks import mention_mistakes, unknown
from connector.adapters.mistake_places import placed
from connector.adapters.name_checks import flaws, is_open, without_place
from connector.adapters.rendering import Renderer
from connector.adapters.reply_checks import confirm_mistakes, reply_mistakes
from connector.adapters.text_checks import TextChecks
from connector.adapters.window_checks import clock_mistakes, window_mistakes
from connector.adapters.yaml_file import Trail
from connector.adapters.yaml_shapes import closest, listed, quoted
from connector.domain.journey import Journey
from connector.domain.steps import Step, texts_sent, walk
from connector.errors import ConditionError, Mistake

_TIMELESS = frozenset({"task", "set", "note", "enroll"})
"""Steps that change no time and no way: what is told of the others is true without them."""

_TEXTLESS = _TIMELESS | {"notify", "handoff", "call", "wait"}
"""Steps behind which the same texts follow as before."""


class JourneyChecks:
    """Holds a journey against the world around it.

    Attributes:
        names: what each place of the file sees; variables are known once the checks have run.
        texts: the texts it sends.
    """

    def __init__(self, builder: JourneyBuilder, world: World) -> None:
        self._builder, self._document, self._world = builder, builder.document, world
        self.names = JourneyNames(builder.document, world)
        self.texts = TextChecks(builder.document, builder.uses, self.names)
        self._renderer = Renderer()

    def run(self, journey: Journey | None, stem: str) -> Iterator[Mistake]:
        """Give every mistake; what hangs on a part that is missing is left unchecked.

        `stem` is the file's name without its ending; `journey` is None when the builder could make none.
        """
        top = self._document.value if isinstance(self._document.value, dict) else {}
        yield from self._header(top, stem)
        for name, trail in self._builder.uses.answers:
            self.names.set(name, trail, None)
        for use in self._in_order():
            yield from self._condition(use)
        yield from mention_mistakes(self._document, self._builder.uses, self.names)
        yield from reply_mistakes(self._document, self._builder.uses.waits, self._world.keywords)
        yield from click_mistakes(self._document, self._builder.uses.waits, self.texts.links())
        yield from self.texts.run()
        yield from self._together(self._builder.read_steps, journey)

    def _together(self, steps: tuple[Step, ...], journey: Journey | None) -> Iterator[Mistake]:
        """Check what steps mean for each other, as far as nothing was left out that could change it."""
        lacks = set(self._builder.left_out)
        yield from confirm_mistakes(self._document, steps, self._world.keywords)
        if "case" not in lacks:
            yield from flow_mistakes(steps)
        if lacks <= _TEXTLESS:
            sends = {text.id for step in walk(steps) for text in texts_sent(step)}
            yield from unknown(self._document, self._builder.uses.send_ids, sends, "no send step has the id {}")
        if journey is not None and lacks <= _TEXTLESS:
            yield from (placed(self._document, mistake) for mistake in clock_mistakes(journey))
            yield from self.texts.lawful(journey)
        if journey is not None and lacks <= _TIMELESS and self._world.compliance is not None:
            for mistake in window_mistakes(journey, self._world.compliance):
                yield placed(self._document, mistake)

    def _header(self, top: Mapping[str, Any], stem: str) -> Iterator[Mistake]:
        name = top.get("journey")
        if isinstance(name, str) and name != stem:
            hint = f"rename the file to {name}.yaml, or write journey: {stem}"
            yield self._say(("journey",), f"the file is named {quoted(stem)}, the journey {quoted(name)}", hint)
        crms = self._world.catalogue.by_crm
        crm = top.get("crm")
        if isinstance(crm, str) and crms and crm not in crms:
            yield self._say(("crm",), f"there is no CRM {quoted(crm)}: known are {listed(crms)}", closest(crm, crms))

    # --- conditions --------------------------------------------------------------------------------------------

    def _in_order(self) -> list[ConditionUse]:
        """Give all conditions in the order in which they set and see variables: those of the header go first."""
        uses = self._builder.uses.conditions
        return sorted(uses, key=lambda use: (use.trail[0] != "variables", self._document.spot(use.trail).start))

    def _condition(self, use: ConditionUse) -> Iterator[Mistake]:
        compiled = compile_condition(use.expression.source)
        names = self.names.at(use.trail, use.event, use.variables)
        found = list(flaws(self._document, compiled, names, use.trail, knows_records=self.names.knows_trigger))
        if not found and not is_open(compiled, names) and self.names.knows(use.event):
            found = list(self._trial(use, names))
        yield from found
        name = _variable_set(use.trail)
        if name:
            self.names.set(name, use.trail, None if found else use.expression)

    def _trial(self, use: ConditionUse, names: Mapping[str, Any]) -> Iterator[Mistake]:
        try:
            value = self._renderer.evaluate(use.expression, names)
        except ConditionError as exc:
            yield self._say(use.trail, without_place(exc))
            return
        if use.is_time and not isinstance(value, date):
            yield self._say(use.trail, "gives no time to wait until", "such as invoice.due_at - 24 hours")

    def _say(self, trail: Trail, message: str, suggestion: str | None = None) -> Mistake:
        return self._document.mistake(trail, message, suggestion)


def _variable_set(trail: Trail) -> str:
    """Give the variable that the expression under `trail` gives a value to; empty when it is another expression."""
    if trail[0] == "variables":
        return str(trail[-1])
    if len(trail) > 1 and trail[-2] == "set":
        return str(trail[-1]).removeprefix("vars.")
    return ""
