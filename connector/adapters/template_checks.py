"""Which templates are there, is there one for every text a journey sends, and is each one well written?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connector.adapters.jinja_syntax import Compiled
from connector.adapters.name_checks import unknown_names
from connector.adapters.rendering import SUFFIX, locale_of
from connector.adapters.yaml_file import read_text
from connector.adapters.yaml_shapes import closest, quoted
from connector.domain.locales import normalise_locale
from connector.errors import MappingError, Mistake


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


def template_flaws(
    compiled: Compiled, source: str, names: Mapping[str, Any], file: str, *, knows_records: bool
) -> Iterator[Mistake]:
    """Give what is wrong in how a template file is written, seen by a journey with these names."""
    for flaw in compiled.flaws:
        line, column = _spot(source, flaw.words, flaw.line)
        yield Mistake(file, line, column, "", flaw.message, flaw.suggestion)
    for use, message, hint in unknown_names(compiled, names, knows_records=knows_records):
        line, column = _spot(source, str(use), use.line)
        yield Mistake(file, line, column, "", message, hint)


def _spot(source: str, words: str, line: int) -> tuple[int, int]:
    lines = source.split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return line, max(text.find(words), 0) + 1 if words else 0
