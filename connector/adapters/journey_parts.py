"""What do all parts of a journey file have in common: places, expressions, texts, and steps with an id?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from connector.adapters.journey_meanings import KEYWORDS_UNREADABLE, Meanings
from connector.adapters.journey_uses import ConditionUse, TextUse, Uses
from connector.adapters.yaml_file import Document, Trail, format_trail
from connector.adapters.yaml_shapes import Shape, closest, listed, quoted, shape_of, spoken
from connector.domain.durations import parse_delay
from connector.domain.places import Expression, Place, Text
from connector.domain.steps import Anchor, Step
from connector.errors import Mistake

_LONGEST_PATH = 200
"""Characters of a step's path: with the enrollment before it and a case behind it, it has to fit the 255 of a column of
the ledger. Seven waits nested in each other are shorter."""

_ASKING = ("verify", "confirm")
"""Steps that send a text of their own, which is named below their key."""


class JourneyParts:
    """Reads parts of one file; notes mistakes and goes on, so that all of them are told at once.

    Attributes:
        mistakes: what is wrong so far.
        uses: what is still to be checked against events, templates and keywords.
        intents: words of the intents it uses.
        read_steps: the steps, as far as they could be read.
        left_out: kinds of the steps, and `case` for the cases, that could not; empty where not even that can be told.
    """

    kinds: Mapping[str, Callable[[Trail, dict[str, Any]], Step | None]]
    """How each kind of step is read, by its key."""

    def __init__(self, document: Document, meanings: Meanings | None = None) -> None:
        """`meanings` is what intents and audiences mean; None when the file is read for its shape alone."""
        self.document = document
        self.meanings = meanings or Meanings()
        self.mistakes: list[Mistake] = []
        self.uses = Uses()
        self.intents: dict[str, tuple[str, ...]] = {}
        self.read_steps: tuple[Step, ...] = ()
        self.left_out: list[str] = []
        self._ids = Counter(_ids(document.value))
        self._first_with: dict[str, Trail] = {}

    def say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        """Note a mistake."""
        self.mistakes.append(self.document.mistake(trail, message, suggestion, key=key))

    def place(self, trail: Trail, *, key: bool = False) -> Place:
        """Give where something stands."""
        spot = self.document.spot(trail, key=key)
        return Place(self.document.file, spot.line, spot.column)

    def expression(self, trail: Trail, raw: Any) -> Expression | None:
        """Make an expression of a text; None when it is none (which a schema has said)."""
        if not isinstance(raw, str) or not raw.strip():
            return None
        return Expression(raw.strip(), self._content_place(trail))

    def condition(self, trail: Trail, parent: Any, *, event: str | None = None) -> Expression | None:
        """Make the expression under the last key of `trail`, if the mapping has one, and keep it to be checked."""
        raw = parent.get(trail[-1]) if isinstance(parent, dict) else None
        expression = self.expression(trail, raw)
        if expression is not None:
            self.uses.conditions.append(ConditionUse(expression, trail, event))
        return expression

    def text(self, trail: Trail, parent: Any, *, is_sms: bool = False, knows: tuple[str, ...] = ()) -> Text | None:
        """Make the text under the last key of `trail`, if the mapping has one, and keep it to be checked.

        `knows` are names it sees beside those of every text.
        """
        raw = parent.get(trail[-1]) if isinstance(parent, dict) else None
        if not isinstance(raw, str) or not raw.strip():
            return None
        text = Text(raw.strip(), self._content_place(trail))
        self.uses.texts.append(TextUse(text, trail, is_sms, knows))
        return text

    def read(self, shape: Shape, trail: Trail, raw: Any, *, also: Collection[str] = ()) -> dict[str, Any] | None:
        """Read a mapping by its shape and note every mistake; None when something it needs is missing or wrong."""
        return shape_of(shape, self.document, trail, raw, self.mistakes, also=also)

    def intent(self, trail: Trail, found: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Give the words of the intent under the last key of `trail`, in all languages; None when there is none."""
        name, known = found[str(trail[-1])], self.meanings.intents
        if known is None:
            if KEYWORDS_UNREADABLE not in (mistake.message for mistake in self.mistakes):
                self.say(trail, KEYWORDS_UNREADABLE)
            return None
        if name not in known:
            hint = closest(name, known) or (f"there are {listed(sorted(known))}" if known else None)
            self.say(trail, f"no intent is named {quoted(name)}", hint)
            return None
        self.intents[name] = known[name]
        return known[name]

    def _content_place(self, trail: Trail) -> Place:
        spot = self.document.content_spot(trail)
        return Place(self.document.file, spot.line, spot.column)

    def steps(self, trail: Trail, raw: Any) -> tuple[Step, ...]:
        """Read a list of steps; wrong ones are left out."""
        items = enumerate(raw) if isinstance(raw, list) else ()
        found = [(item, self._step((*trail, number), item)) for number, item in items]
        self.left_out += [self._kind_of(item) for item, step in found if step is None]
        return tuple(step for _, step in found if step is not None)

    def _kind_of(self, raw: Any) -> str:
        kinds = [key for key in raw if key in self.kinds] if isinstance(raw, dict) else []
        return kinds[0] if len(kinds) == 1 else ""

    def _step(self, trail: Trail, raw: Any) -> Step | None:
        if not isinstance(raw, dict):
            self.say(
                trail,
                f"expected a step, found {spoken(raw)}",
                f"write - {raw}: …" if isinstance(raw, str) and raw in self.kinds else None,
            )
            return None
        kinds = [key for key in raw if key in self.kinds]
        if len(kinds) == 1:
            return self.kinds[kinds[0]](trail, raw)
        if kinds:
            self.say(trail, f"this step has {' and '.join(kinds)} at once", "begin each step with its own -")
        else:
            self._say_no_kind(trail, raw)
        return None

    def _say_no_kind(self, trail: Trail, raw: dict[str, Any]) -> None:
        for key in raw:
            near = closest(key, self.kinds)
            if near:
                self.say((*trail, key), f"there is no step `{key}`", near, key=True)
                return
        kinds = listed(list(self.kinds))
        self.say(trail, f"this step says not what to do: expected one of {kinds}")

    def common(self, trail: Trail, raw: dict[str, Any]) -> dict[str, Any]:
        """Read what every step may have, for the step's constructor."""
        path = format_trail(trail)
        if len(path) > _LONGEST_PATH:
            self.say(trail, "nested too deep to be named in a trace", "put what follows into a journey of its own")
        return {
            "id": self._id(trail, raw),
            "path": path,
            "place": self.place(trail),
            "when": self.condition((*trail, "when"), raw),
            "at": self._anchor((*trail, "at"), raw.get("at")),
            "on_failure": self.steps((*trail, "on_failure"), raw.get("on_failure")),
        }

    def _anchor(self, trail: Trail, raw: Any) -> Anchor | None:
        expression = self.expression(trail, raw)
        if expression is None:
            return None
        if not expression.source.startswith("+"):
            return self._moment(trail, expression)
        try:
            return Anchor(expression.place, offset=parse_delay(expression.source[1:]))
        except ValueError as exc:
            self.say(trail, str(exc))
            return None

    def _moment(self, trail: Trail, expression: Expression) -> Anchor | None:
        try:
            parse_delay(expression.source)
        except ValueError:
            self.uses.conditions.append(ConditionUse(expression, trail, is_time=True))
            return Anchor(expression.place, moment=expression)
        self.say(trail, f"{quoted(expression.source)} is no time", f"write +{expression.source}, from the trigger on")
        return None

    def _id(self, trail: Trail, raw: dict[str, Any]) -> str:
        """Give the step's own id; else the last part of its template, where that is unique; else its path."""
        given = raw.get("id")
        if isinstance(given, str) and given.strip():
            first = self._first_with.setdefault(given, trail)
            if first != trail:
                line = self.document.spot((*first, "id")).line
                self.say((*trail, "id"), f"the id `{given}` is taken by the step in line {line}")
            return given.strip()
        derived = _template_id(raw)
        return derived if derived and self._ids[derived] == 1 else format_trail(trail)


def _template_id(step: Any) -> str | None:
    """Give the last part of the template that a step sends, or asks with."""
    if not isinstance(step, dict):
        return None
    asks = next((step[kind] for kind in _ASKING if isinstance(step.get(kind), dict)), None)
    send = step.get("send") if asks is None else asks.get("send")
    name = send.get("template") if isinstance(send, dict) else send
    return name.rpartition("/")[2] if isinstance(name, str) and "/" in name else None


def _ids(value: Any) -> Iterator[str]:
    """Give every id a step has or could get from its template, anywhere in the file."""
    if not isinstance(value, dict | list):
        return
    for key, item in enumerate(value) if isinstance(value, list) else value.items():
        asks = key in _ASKING and isinstance(item, dict)
        yield from _ids({part: below for part, below in item.items() if part != "send"} if asks else item)
    if isinstance(value, dict):
        given = value.get("id")
        found = given if isinstance(given, str) else _template_id(value)
        if found:
            yield found
