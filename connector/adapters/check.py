"""What is wrong in all the files an admin writes, and how is it shown to a person, a program or a pull request?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from connector.adapters.audience_file import load_audiences
from connector.adapters.channel_file import load_channels
from connector.adapters.compliance_file import load_compliance
from connector.adapters.event_files import load_events
from connector.adapters.gateway_file import load_gateways
from connector.adapters.journey_files import load_journeys
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.preview_file import ENDING as PREVIEWS
from connector.adapters.rendering import SUFFIX
from connector.domain.journey import Journey
from connector.errors import ConfigurationError, MappingError, Mistake

_RED, _YELLOW, _BOLD, _DIM, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[2m", "\x1b[0m"
_WIDEST = 100  # characters of a source line shown; a terminal's width, more or less


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes:
        mistakes: errors and warnings, by file and line.
        journeys: those that can run, by id.
        out: ids of the journey files that cannot.
        sources: lines of each file with a mistake, to show the place.
    """

    mistakes: tuple[Mistake, ...]
    journeys: Mapping[str, Journey]
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    out: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Mistake, ...]:
        """What keeps a file out."""
        return tuple(mistake for mistake in self.mistakes if mistake.severity == "error")

    @property
    def warnings(self) -> tuple[Mistake, ...]:
        """What is only told."""
        return tuple(mistake for mistake in self.mistakes if mistake.severity != "error")

    @property
    def is_clean(self) -> bool:
        """Whether there are no errors; warnings do no harm."""
        return not self.errors


def check(mappings_dir: Path, templates_dir: Path) -> CheckReport:
    """Check every file of both folders; never raises for what an admin wrote."""
    missing = [
        Mistake(str(folder), 0, 0, "", "no such folder")
        for folder in (mappings_dir, templates_dir)
        if not folder.is_dir()
    ]
    shelf = load_journeys(mappings_dir, templates_dir)
    found = [
        *missing,
        *shelf.mistakes,
        *_policy(load_keyword_book, mappings_dir / "keywords.yaml"),
        *_policy(load_compliance, mappings_dir / "compliance.yaml"),
        *_policy(partial(load_audiences, events=load_events(mappings_dir).catalogue), mappings_dir / "audiences.yaml"),
        *_policy(partial(load_channels, allows_loopback=False), mappings_dir / "channels.yaml"),
        *_policy(load_gateways, mappings_dir / "gateways.yaml"),
        *_unused(templates_dir, shelf.journeys, mappings_dir),
    ]
    files = sorted(path.stem for path in (mappings_dir / "journeys").glob("*.yaml"))
    return report_on(found, shelf.journeys, files)


def report_on(
    found: Iterable[Mistake],
    journeys: Mapping[str, Journey],
    files: Sequence[str],
    sources: Mapping[str, str] = MappingProxyType({}),
) -> CheckReport:
    """Put together what was found.

    Args:
        found: mistakes and warnings, in any order, some of them twice.
        journeys: those that can run, by id.
        files: ids of all journeys that there is a file of.
        sources: texts of files that are not on the disk, by how people know them.
    """
    mistakes = tuple(sorted(dict.fromkeys(found), key=lambda each: (each.file, each.line, each.column)))
    lines = {name: tuple(text.splitlines()) for name, text in sources.items()}
    return CheckReport(
        mistakes,
        journeys,
        {each.file: lines.get(each.file) or _lines(each.file) for each in mistakes},
        tuple(name for name in files if name not in journeys),
    )


def format_people(report: CheckReport, *, color: bool = False) -> str:
    """Show each mistake with its line and a caret below the place, and what to write instead."""
    blocks = [
        *(_block(each, report.sources.get(each.file, ()), color=color) for each in report.mistakes),
        _summary(report),
    ]
    return "\n\n".join(blocks) + "\n"


def format_json(report: CheckReport) -> str:
    """Give the report as JSON: `ok`, `journeys` and `out` (ids), `mistakes` with the fields of `errors.Mistake`."""
    document = {
        "ok": report.is_clean,
        "journeys": sorted(report.journeys),
        "out": list(report.out),
        "mistakes": [asdict(mistake) for mistake in report.mistakes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def format_github(report: CheckReport) -> str:
    """Give workflow commands that GitHub shows beside the lines of a pull request.

    Format: docs.github.com, "Workflow commands for GitHub Actions", setting an error or warning message.
    """
    return "".join(_annotation(mistake) for mistake in report.mistakes)


def _policy(load: Callable[[Path], Any], path: Path) -> tuple[Mistake, ...]:
    try:
        load(path)
    except MappingError as exc:
        return exc.mistakes
    except ConfigurationError as exc:
        return (Mistake(str(path), 0, 0, "", str(exc)),)
    return ()


def _unused(templates_dir: Path, journeys: Mapping[str, Journey], mappings_dir: Path) -> Iterator[Mistake]:
    """Warn of texts, and of previews, that no journey uses; told only when all journeys are readable."""
    used = {path.partition(".")[0] for journey in journeys.values() for path in journey.templates}
    readable = {path.stem for path in (mappings_dir / "journeys").glob("*.yaml")} <= journeys.keys()
    for ending, what in ((SUFFIX, "text"), (PREVIEWS, "preview's text")) if readable else ():
        for path in sorted(templates_dir.rglob(f"*{ending}")):
            if path.relative_to(templates_dir).as_posix().partition(".")[0] not in used:
                yield Mistake(str(path), 0, 0, "", f"no journey uses this {what}", severity="warning")


def _lines(file: str) -> tuple[str, ...]:
    try:
        return tuple(Path(file).read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return ()


def _block(mistake: Mistake, lines: tuple[str, ...], *, color: bool) -> str:
    paint = _painter(color=color)
    tint = _RED if mistake.severity == "error" else _YELLOW
    place = (
        mistake.file + (f":{mistake.line}" if mistake.line else "") + (f":{mistake.column}" if mistake.column else "")
    )
    head = f"{paint(_BOLD, place)}  {paint(tint, mistake.severity)}  {paint(_DIM, mistake.path)}".rstrip()
    shown = [head, f"  {mistake.message}", *_excerpt(mistake, lines, lambda text: paint(tint, text))]
    return "\n".join([*shown, f"  {mistake.suggestion}"] if mistake.suggestion else shown)


def _excerpt(mistake: Mistake, lines: tuple[str, ...], tinted: Callable[[str], str]) -> list[str]:
    if not 0 < mistake.line <= len(lines):
        return []
    number, line = str(mistake.line), lines[mistake.line - 1].replace("\t", " ")
    start = max(0, mistake.column - _WIDEST + 20)
    source = f"  {number} | {line[start : start + _WIDEST]}".rstrip()
    if not mistake.column:
        return [source]
    return [source, f"  {' ' * len(number)} | {' ' * (mistake.column - 1 - start)}{tinted('^')}"]


def _painter(*, color: bool) -> Callable[[str, str], str]:
    return lambda code, text: f"{code}{text}{_PLAIN}" if color and text else text


def _summary(report: CheckReport) -> str:
    ready = _listed(f"{_counted(len(report.journeys), 'journey')} can run", sorted(report.journeys))
    if report.out:
        stays = f"{_counted(len(report.out), 'journey')} {'stays' if len(report.out) == 1 else 'stay'} out"
        ready += f". {_listed(stays, report.out)}"
    found = [_counted(len(report.errors), "mistake")] if report.errors else ["No mistakes"]
    found += [_counted(len(report.warnings), "warning")] if report.warnings else []
    return f"{' and '.join(found)}. {ready}."


def _listed(words: str, names: Sequence[str]) -> str:
    return f"{words}: {', '.join(names)}" if names else words


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _annotation(mistake: Mistake) -> str:
    kind = "error" if mistake.severity == "error" else "warning"
    where = {"file": mistake.file, "line": mistake.line, "col": mistake.column, "title": mistake.path}
    fields = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in where.items() if value)
    message = mistake.message + (f" ({mistake.suggestion})" if mistake.suggestion else "")
    return f"::{kind} {fields}::{_escaped(message)}\n"


def _escaped(text: str, further: str = "") -> str:
    for char in "%\r\n" + further:
        text = text.replace(char, f"%{ord(char):02X}")
    return text
