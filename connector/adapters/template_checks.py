"""Is there a text for every send step, in every language, and does each one fit into an SMS?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connector.adapters.jinja_syntax import Compiled, compile_text
from connector.adapters.journey_checks import unknown_names, without_place
from connector.adapters.rendering import SUFFIX, Renderer, locale_of
from connector.adapters.yaml_file import read_text, spot_at
from connector.adapters.yaml_shapes import closest, quoted
from connector.domain.locales import ULTIMATE, normalise_locale
from connector.domain.places import Place, Text
from connector.domain.segments import Encoding, foreign_characters, measure, replace_smart_characters
from connector.errors import ConditionError, MappingError, Mistake

MOST_SEGMENTS = 6
"""Our own proposal: a text of more parts is seldom read to its end, and carriers begin to refuse at ten."""


def read_templates(templates_dir: Path) -> tuple[dict[str, str], list[Mistake]]:
    """Read every template by its file name under `templates_dir`, with `/` between folders."""
    found: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for path in sorted(templates_dir.rglob(f"*{SUFFIX}")):
        name = path.relative_to(templates_dir).as_posix()
        try:
            found[name] = read_text(path)
        except MappingError as exc:
            mistakes.extend(exc.mistakes)
            continue
        locale = locale_of(name)
        if locale and normalise_locale(locale) != locale:
            hint = normalise_locale(locale)
            mistakes.append(
                Mistake(str(path), 0, 0, "", f"{quoted(locale)} is no locale", f"write .{hint}." if hint else None)
            )
    return found, mistakes


def missing_template(name: str, templates: Mapping[str, str]) -> tuple[str, str | None] | None:
    """Say that the file a send step means is not there, with a did-you-mean; None when it is."""
    if f"{name}{SUFFIX}" in templates:
        return None
    bare = {path.partition(".")[0] for path in templates}
    if name in bare:
        return f"{name}{SUFFIX} is missing: people whose language has no text of its own get that one", None
    near = closest(name, bare)
    return f"there is no template templates/{name}{SUFFIX}", near


def missing_locales(name: str, used: list[str], templates: Mapping[str, str]) -> list[str]:
    """Give the locales that other templates of the same journey have and this one lacks."""
    here = set(_locales(name, templates))
    wanted = {locale for other in used for locale in _locales(other, templates)}
    return sorted(locale for locale in wanted - here if not _covered(locale, here))


def text_flaws(
    path: str, source: str, names: Mapping[str, Any], templates_dir: str, *, knows_records: bool
) -> Iterator[Mistake]:
    """Give what is wrong in one template file, seen by a journey with these names."""
    file = f"{templates_dir}/{path}"
    compiled = compile_text(source)
    found = list(_flaws(compiled, source, names, file, knows_records=knows_records))
    yield from found
    yield from foreign(compiled, source, file)
    if not found and knows_records:
        yield from trial(Text(source, Place(file, 1, 1)), names, locale_of(path) or ULTIMATE, file)


def _flaws(
    compiled: Compiled, source: str, names: Mapping[str, Any], file: str, *, knows_records: bool
) -> Iterator[Mistake]:
    for flaw in compiled.flaws:
        line, column = _spot(source, flaw.words, flaw.line)
        yield Mistake(file, line, column, "", flaw.message, flaw.suggestion)
    for use, message, hint in unknown_names(compiled, names, knows_records=knows_records):
        line, column = _spot(source, str(use), use.line)
        yield Mistake(file, line, column, "", message, hint)


def foreign(
    compiled: Compiled, source: str, file: str, place: Place | None = None, path: str = ""
) -> Iterator[Mistake]:
    """Warn of the first character that leaves 70 instead of 160 characters to a part.

    Typographic characters that are replaced on sending do no harm.
    """
    for data, _ in compiled.literals:
        for char in foreign_characters(replace_smart_characters(data)):
            at = spot_at(source, max(source.find(char), 0))
            line, column = (at.line, at.column) if place is None else (place.line, place.column)
            message = (
                f"`{char}` (U+{ord(char):04X}) is not in the SMS alphabet: a part holds 70 characters instead of 160"
            )
            yield Mistake(file, line, column, path, message, severity="warning")
            return


def trial(text: Text, names: Mapping[str, Any], locale: str, file: str, path: str = "") -> Iterator[Mistake]:
    """Render a text with plausible values; tell what fails, and warn of one that is long."""
    try:
        rendered = Renderer().render(text, names, locale=locale, time_zone="UTC").text
    except ConditionError as exc:
        line = int(str(exc).rpartition(":")[2].rstrip(")") or text.place.line)
        yield Mistake(file, line, 0, path, without_place(exc))
        return
    size = measure(replace_smart_characters(rendered))
    if size.count > MOST_SEGMENTS:
        kind = "70" if size.encoding is Encoding.UCS2 else "160"
        yield Mistake(
            file, text.place.line, text.place.column, path,
            f"takes {size.count} SMS of {kind} characters with plausible values: more than {MOST_SEGMENTS}",
            "shorten it", "warning",
        )  # fmt: skip


def _spot(source: str, words: str, line: int) -> tuple[int, int]:
    lines = source.split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return line, max(text.find(words), 0) + 1 if words else 0


def _locales(name: str, templates: Mapping[str, str]) -> Iterator[str]:
    for path in templates:
        if path.partition(".")[0] == name and (locale := locale_of(path)):
            yield locale


def _covered(locale: str, here: set[str]) -> bool:
    return any(locale.startswith(f"{other}-") for other in here)
