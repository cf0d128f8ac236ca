"""What is wrong with a journey whose shape is right: does everything it names exist, and can every step be reached?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.adapters.jinja_syntax import Compiled, NameUse, compile_condition
from connector.adapters.journey_builder import JourneyBuilder
from connector.adapters.journey_uses import ConditionUse
from connector.adapters.journey_world import World, sample_names
from connector.adapters.rendering import Renderer
from connector.adapters.yaml_file import Trail
from connector.adapters.yaml_shapes import closest, listed, quoted
from connector.domain.consent import KeywordKind, matches_keyword
from connector.domain.journey import Journey
from connector.domain.steps import Case, CaseKind, Exit, If, Send, Step, WaitFor, walk
from connector.errors import ConditionError, Mistake

ANYTIME = "anytime"


class JourneyChecks:
    """Holds a journey against the world around it."""

    def __init__(self, builder: JourneyBuilder, world: World) -> None:
        top = builder.document.value if isinstance(builder.document.value, dict) else {}
        self._builder, self._document, self._world = builder, builder.document, world
        self._crm = top.get("crm") if top.get("crm") in world.catalogue.by_crm else None
        trigger = top.get("trigger")
        self._trigger = str(trigger.get("event")) if isinstance(trigger, dict) else ""
        self._renderer = Renderer()
        self._variables: dict[str, Any] = {}

    def run(self, journey: Journey | None, stem: str) -> Iterator[Mistake]:
        """Give every mistake; what hangs on a part that is missing is left unchecked.

        `stem` is the file's name without its ending; `journey` is None when the builder could make none.
        """
        top = self._document.value if isinstance(self._document.value, dict) else {}
        yield from self._header(top, stem)
        yield from self._events()
        for use in self._builder.uses.conditions:
            yield from self._condition(use)
        yield from self._windows()
        for cases in self._builder.uses.waits:
            yield from self._cases(cases)
        if journey is not None and not self._builder.mistakes:
            yield from self._send_ids({step.id for step in walk(journey.steps) if isinstance(step, Send)})
            yield from self._unreachable(journey.steps)

    def names(self, event: str | None = None, only: tuple[str, ...] | None = None) -> dict[str, Any]:
        """Give the names a condition or text of this journey may use, with plausible values."""
        known = {name: value for name, value in self._variables.items() if only is None or name in only}
        return sample_names(self._world, self._crm, self._trigger, event, known)

    # --- header ------------------------------------------------------------------------------------------------

    def _header(self, top: Mapping[str, Any], stem: str) -> Iterator[Mistake]:
        name = top.get("journey")
        if isinstance(name, str) and name != stem:
            hint = f"rename the file to {name}.yaml, or write journey: {stem}"
            yield self._say(("journey",), f"the file is named {quoted(stem)}, the journey {quoted(name)}", hint)
        crms = self._world.catalogue.by_crm
        crm = top.get("crm")
        if isinstance(crm, str) and crms and crm not in crms:
            yield self._say(("crm",), f"there is no CRM {quoted(crm)}: known are {listed(crms)}", closest(crm, crms))

    def _events(self) -> Iterator[Mistake]:
        for use in self._builder.uses.events:
            if self._world.catalogue.find(use.name, self._crm):
                continue
            known = self._world.catalogue.names(self._crm)
            hint = closest(use.name, known) or f"there are {listed(known) or 'none yet'}"
            yield self._say(use.trail, f"no event is named {quoted(use.name)}", hint)

    def _windows(self) -> Iterator[Mistake]:
        known = self._world.windows
        for name, trail in self._builder.uses.windows if known is not None else ():
            if name != ANYTIME and known is not None and name not in known:
                hint = closest(name, (*known, ANYTIME)) or f"there are {listed((ANYTIME, *sorted(known)))}"
                yield self._say(trail, f"no send window is named {quoted(name)}", hint)

    def _send_ids(self, sends: set[str]) -> Iterator[Mistake]:
        for name, trail in self._builder.uses.send_ids:
            if name not in sends:
                hint = closest(name, sends) or f"there are {listed(sorted(sends))}"
                yield self._say(trail, f"no send step has the id {quoted(name)}", hint)

    # --- names and conditions ----------------------------------------------------------------------------------

    def _condition(self, use: ConditionUse) -> Iterator[Mistake]:
        compiled = compile_condition(use.expression.source)
        names = self.names(use.event, use.variables)
        found = list(self.flaws(compiled, names, use.trail))
        if not found and self._knows(use.event):
            found = list(self._trial(use, names))
        yield from found
        if use.trail[0] == "variables":
            self._variables[str(use.trail[-1])] = self._value(use, names, broken=bool(found))

    def flaws(self, compiled: Compiled, names: Mapping[str, Any], trail: Trail) -> Iterator[Mistake]:
        """Give what is wrong in a condition or text of the journey file itself."""
        for flaw in compiled.flaws:
            spot = (
                self._document.find(trail, flaw.words, flaw.line) if flaw.words else self._line_spot(trail, flaw.line)
            )
            yield self._document.mistake_at(spot, trail, flaw.message, flaw.suggestion)
        for use, message, hint in unknown_names(compiled, names, knows_records=self.knows_trigger):
            yield self._document.mistake_at(self._document.find(trail, str(use), use.line), trail, message, hint)

    def _line_spot(self, trail: Trail, line: int) -> Any:
        return self._document.find(trail, "", line)

    @property
    def knows_trigger(self) -> bool:
        """Whether the event that starts the journey is declared."""
        return bool(self._world.catalogue.find(self._trigger, self._crm))

    def _knows(self, event: str | None) -> bool:
        return self.knows_trigger and (event is None or bool(self._world.catalogue.find(event, self._crm)))

    def _trial(self, use: ConditionUse, names: Mapping[str, Any]) -> Iterator[Mistake]:
        try:
            value = self._renderer.evaluate(use.expression, names)
        except ConditionError as exc:
            yield self._say(use.trail, without_place(exc))
            return
        if use.is_time and not hasattr(value, "tzinfo"):
            yield self._say(use.trail, "gives no time to wait until", "such as invoice.due_at - 24 hours")

    def _value(self, use: ConditionUse, names: Mapping[str, Any], *, broken: bool) -> Any:
        try:
            return "" if broken else self._renderer.evaluate(use.expression, names)
        except ConditionError:
            return ""

    # --- steps -------------------------------------------------------------------------------------------------

    def _unreachable(self, steps: tuple[Step, ...]) -> Iterator[Mistake]:
        for position, step in enumerate(steps):
            if _ends(step) and position + 1 < len(steps):
                after = steps[position + 1]
                why = "`exit`" if isinstance(step, Exit) else "a step all of whose ways exit"
                yield self._at_step(after, f"is never reached: it stands behind {why} in line {step.place.line}")
                break
        for step in steps:
            for children in step.children():
                yield from self._unreachable(children)

    def _cases(self, cases: list[tuple[Case, Trail]]) -> Iterator[Mistake]:
        replies = [(case, (*trail, "reply")) for case, trail in cases if case.kind is CaseKind.REPLY]
        for position, (case, trail) in enumerate(replies):
            yield from self._consent_words(case, trail)
            yield from self._overlaps(case, trail, [earlier for earlier, _ in replies[:position]])

    def _consent_words(self, case: Case, trail: Trail) -> Iterator[Mistake]:
        book = self._world.keywords
        for word in case.keywords if book is not None else ():
            match = book.classify(word) if book is not None else None
            if match is not None and match.kind is not KeywordKind.NONE:
                message = f"{quoted(word)} never gets here: it is a {match.kind.name} word"
                yield self._at_word(trail, word, message, "choose another word")

    def _overlaps(self, case: Case, trail: Trail, earlier: list[Case]) -> Iterator[Mistake]:
        for other in (each for each in earlier if each.where is None):
            line = other.place.line
            if not other.keywords:
                yield self._say(trail, f"is never reached: the case in line {line} takes any reply")
                return
            for word in case.keywords:
                taken = matches_keyword(word, other.keywords)
                if taken:
                    yield self._at_word(trail, word, f"{quoted(word)} is taken by {quoted(taken)} in line {line}")

    def _at_word(self, trail: Trail, word: str, message: str, suggestion: str | None = None) -> Mistake:
        return self._document.mistake_at(self._document.find(trail, word), trail, message, suggestion)

    @staticmethod
    def _at_step(step: Step, message: str) -> Mistake:
        return Mistake(step.place.file, step.place.line, step.place.column, step.path, message)

    def _say(self, trail: Trail, message: str, suggestion: str | None = None) -> Mistake:
        return self._document.mistake(trail, message, suggestion)


def unknown_names(
    compiled: Compiled, names: Mapping[str, Any], *, knows_records: bool
) -> Iterator[tuple[NameUse, str, str | None]]:
    """Give each name that does not exist, what to say about it, and a did-you-mean.

    Without the trigger's event (`knows_records` is False) a first part nobody knows may be one of its records.
    """
    for use in compiled.names:
        value: Any = names
        for depth, part in enumerate(use.parts):
            if not isinstance(value, Mapping):
                break
            if part in value:
                value = value[part]
                continue
            if depth or knows_records or part == "event":
                yield use, *_no_such_name(use, depth, value)
            break


def _no_such_name(use: NameUse, depth: int, known: Mapping[str, Any]) -> tuple[str, str | None]:
    wrong, before = use.parts[depth], ".".join(use.parts[:depth])
    if depth == 0 and wrong == "event":
        return "`event` is known only where an event is looked at: in `exit_when` and in cases with `event`", None
    near = closest(wrong, known)
    if near and before:
        near = near.replace("`", f"`{before}.", 1)
    there = f"there are {listed(sorted(known))}" if known else None
    message = f"`{before}` has no `{wrong}`" if before else f"there is no `{wrong}`"
    return message, near or there


def without_place(exc: ConditionError) -> str:
    """Give an evaluation's complaint without the place at its end: a mistake has its own."""
    return str(exc).rpartition(" (")[0] or str(exc)


def _ends(step: Step) -> bool:
    """Tell whether nothing behind a step can be reached."""
    if step.when is not None:
        return False
    if isinstance(step, Exit):
        return True
    if isinstance(step, If):
        return _all_end(*(branch.then for branch in step.branches), step.otherwise)
    return isinstance(step, WaitFor) and _all_end(*(case.then for case in step.cases), step.otherwise)


def _all_end(*ways: tuple[Step, ...]) -> bool:
    return all(any(_ends(step) for step in way) for way in ways)
