"""How many SMS does a text take, with usual values and with the longest, and which characters make it dear?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.adapters.jinja_syntax import Compiled
from connector.adapters.name_checks import without_place
from connector.adapters.rendering import Renderer
from connector.adapters.yaml_file import spot_at
from connector.adapters.yaml_shapes import listed
from connector.domain.places import Place, Text
from connector.domain.segments import Encoding, foreign_characters, measure, replace_smart_characters
from connector.errors import ConditionError, Mistake

_FEW = 0.2
"""Up to this share of its letters, characters outside the SMS alphabet are taken for slips; above it the language is
written with them and nothing can be saved."""

_RENDERER = Renderer()


@dataclass(frozen=True, slots=True)
class TextAt:
    """A text and where mistakes in it are told.

    Attributes:
        place: of a text in the journey file; None for a template, whose lines are its own.
    """

    source: str
    compiled: Compiled
    file: str
    locale: str
    place: Place | None = None
    path: str = ""

    @property
    def text(self) -> Text:
        """The text as the renderer takes it."""
        return Text(self.source, self.place or Place(self.file, 1, 1))

    def mistake(self, line: int, column: int, message: str, hint: str | None = None, *, severity: str) -> Mistake:
        """Say something about it, at a line and column of its source."""
        if self.place is not None:
            line, column = self.place.line, self.place.column
        return Mistake(self.file, line, column, self.path, message, hint, severity)


def trial(at: TextAt, names: Mapping[str, Any]) -> tuple[str, Mistake | None]:
    """Render a text with plausible values; give it as it is sent, or what goes wrong."""
    try:
        return rendered(at, names), None
    except ConditionError as exc:
        line = int(str(exc).rpartition(":")[2].rstrip(")") or at.text.place.line)
        return "", Mistake(at.file, line, 0, at.path, without_place(exc))


def rendered(at: TextAt, names: Mapping[str, Any]) -> str:
    """Render a text as it is sent, typographic characters replaced.

    Raises:
        ConditionError: as the renderer does.
    """
    return replace_smart_characters(_RENDERER.render(at.text, names, locale=at.locale, time_zone="UTC").text)


def dear_characters(at: TextAt, usual: str) -> Iterator[Mistake]:
    """Warn of characters that leave 70 instead of 160 characters to a part; `usual` is the text as it is sent.

    Typographic characters that are replaced on sending do no harm.
    """
    written = "".join(data for data, _ in at.compiled.literals)
    found = foreign_characters(replace_smart_characters(written)) or foreign_characters(usual)
    if not found or _is_the_language(usual or written):
        return
    where = spot_at(at.source, max(at.source.find(found[0]), 0))
    shown = listed([f"`{char}` (U+{ord(char):04X})" for char in found])
    verb = "is" if len(found) == 1 else "are"
    message = f"{shown} {verb} not in the SMS alphabet: a part holds 70 characters instead of 160"
    yield at.mistake(where.line, where.column, message + _saving(usual), severity="warning")


def too_long(at: TextAt, usual: str, longest: Mapping[str, Any], most: int) -> Iterator[Mistake]:
    """Warn of a text that takes more than `most` SMS with the longest plausible values."""
    try:
        text = rendered(at, longest)
    except ConditionError as exc:
        if "longer than" in str(exc):
            message = f"{without_place(exc)} with the longest plausible values"
            yield at.mistake(1, 1, message, "shorten it", severity="warning")
        return
    size, usually = measure(text), measure(usual)
    if size.count > most:
        kind = "70" if size.encoding is Encoding.UCS2 else "160"
        with_usual = f", {usually.count} with usual ones" if usually.count != size.count else ""
        message = f"takes {size.count} SMS of {kind} characters with the longest plausible values{with_usual}"
        yield at.mistake(1, 1, f"{message}: more than {most}", "shorten it", severity="warning")


def _saving(text: str) -> str:
    dear = measure(text).count
    cheap = measure("".join("a" if foreign_characters(char) else char for char in text)).count
    return f" ({dear} SMS in place of {cheap})" if cheap < dear else ""


def _is_the_language(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return sum(bool(foreign_characters(char)) for char in letters) > _FEW * len(letters)
