"""Which trap did an admin step into when the YAML parser gives up, and how is it put right?

A parser says what it expected next; a person needs to hear which line is meant and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

_Advice = tuple[int, str, str | None]
"""Column (0 for the parser's own), message and suggestion."""

_TEMPLATE = re.compile(r"(?:[:\-,\[]\s+|^\s*)(\{[{%].*)")
_TAB = re.compile(r"^ *(\t)")
_AFTER_QUOTE = re.compile(r"[:\-]\s+(?:'[^']*'|\"(?:[^\"\\]|\\.)*\")\s*([^\s#,\]}:].*)")
_TWO_COLONS = re.compile(r"^\s*(?:- )?\s*([\w-]+):\s+([^'\"{\[|>\s].*?:(?:\s.*)?)$")
_NO_SPACE = re.compile(r"^\s*(?:- )?\s*([a-z_]+):([^\s:/].*)$")
_RESERVED = re.compile(r"[:\-]\s+([@`%*&!].*)$")
_BACKSLASH = re.compile(r"\"[^\"]*(\\.)")
_HASH = re.compile(r"[ \t]+#([^\s#][^\n]*)")


def unread_comment(text: str, end: int) -> tuple[str, str] | None:
    """Say that a text was cut at ` #`, as in `Invoice #12`; a comment has a space behind its `#`."""
    found = _HASH.match(text, end)
    if found is None:
        return None
    line = text[text.rfind("\n", 0, end) + 1 : found.end()].strip()
    key, colon, value = line.partition(": ")
    quoted = f'{key}: "{value}"' if colon else f'"{line.removeprefix("- ")}"'
    return (
        f"YAML takes everything from ` #{found[1][:20]}` on for a comment: put the text in quotes",
        f"write {quoted}; or a space after # if it is a comment",
    )


def explain(text: str, error: yaml.YAMLError) -> tuple[int, int, str, str | None]:
    """Give line, column, message and suggestion for the place where the parser gave up."""
    if isinstance(error, yaml.reader.ReaderError):
        return _odd_character(text)
    mark: Any = getattr(error, "problem_mark", None)
    begun: Any = getattr(error, "context_mark", None)
    problem, context = str(getattr(error, "problem", "")), str(getattr(error, "context", ""))
    if "quoted scalar" in context and "end of stream" in problem:
        return begun.line + 1, begun.column + 1, "this quote is never closed", None
    lines = text.split("\n")
    for number in (mark.line, mark.line - 1):
        line = lines[number] if 0 <= number < len(lines) else ""
        for trap in _TRAPS:
            advice = trap(line)
            if advice is not None:
                return number + 1, advice[0] or mark.column + 1, advice[1], advice[2]
    if begun is not None and "flow" in context:
        return (
            begun.line + 1,
            begun.column + 1,
            f"the bracket opened here is not closed before line {mark.line + 1}",
            None,
        )
    return mark.line + 1, mark.column + 1, _plain_words(problem), None


def _odd_character(text: str) -> tuple[int, int, str, str | None]:
    # libyaml counts bytes, the pure parser characters; look for the character itself instead.
    found = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    index = found.start() if found else 0
    line, column = text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
    return line, column, "an invisible control character stands here: delete it", None


def _plain_words(problem: str) -> str:
    if "expected key" in problem or "block end" in problem or "mapping values" in problem:
        return "this line does not fit the lines above it: check that it is indented like its neighbours"
    if "sequence entries" in problem:
        return "a list (`-`) cannot begin here: put it on its own line, indented below its key"
    return f"this is no YAML: {problem}"


def unquoted_template(line: str) -> _Advice | None:
    """Say that a text such as `{{ contact.name }}` stands without quotes, which YAML takes for a mapping."""
    found = _TEMPLATE.search(line)
    if found is None:
        return None
    value = found[1].rstrip().replace('"', "'")
    return found.start(1) + 1, f"a text that begins with `{found[1][:2]}` must stand in quotes", f'write "{value}"'


def _tab(line: str) -> _Advice | None:
    found = _TAB.match(line)
    return (found.start(1) + 1, "indented with a tab: YAML takes spaces only", "use two spaces") if found else None


def _text_after_quote(line: str) -> _Advice | None:
    found = _AFTER_QUOTE.search(line)
    if found is None:
        return None
    return (
        found.start(1) + 1,
        "the quotes end before the text does",
        'put the whole text in "…", and \\" for a quote in it',
    )


def _reserved(line: str) -> _Advice | None:
    found = _RESERVED.search(line)
    if found is None:
        return None
    return (
        found.start(1) + 1,
        f"a text that begins with `{found[1][0]}` must stand in quotes",
        f'write "{found[1].rstrip()}"',
    )


def _backslash(line: str) -> _Advice | None:
    found = _BACKSLASH.search(line)
    if found is None:
        return None
    return (
        found.start(1) + 1,
        f"`{found[1]}` has no meaning inside double quotes",
        "use single quotes, or \\\\ for a backslash",
    )


def _two_colons(line: str) -> _Advice | None:
    found = _TWO_COLONS.match(line)
    if found is None:
        return None
    return found.start(2) + 1, "a text with `: ` in it must stand in quotes", f'write {found[1]}: "{found[2].rstrip()}"'


def _missing_space(line: str) -> _Advice | None:
    found = _NO_SPACE.match(line)
    if found is None:
        return None
    return found.start(2) + 1, "a space is missing after the colon", f"write {found[1]}: {found[2].rstrip()}"


_TRAPS: tuple[Callable[[str], _Advice | None], ...] = (
    unquoted_template,
    _tab,
    _text_after_quote,
    _reserved,
    _backslash,
    _two_colons,
    _missing_space,
)
