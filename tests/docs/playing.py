"""How are the files that a page of the documentation shows laid out, and its commands really run?

A page shows journeys of its own, or means those that ship. In a `console` block, lines that begin with `$ ` are run
in the folder, in order; the others are what they print. `…` stands for anything on a line, and alone for any lines.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from connector.entrypoints.cli import cli
from connector.errors import ConnectorError
from tests.docs.markdown import ROOT, Fence, fences

JOURNEYS = "mappings/journeys/"
_SHOWN_IN_PART = frozenset({"excerpt", "added"})
_ANYTHING = "…"
_EDITORS = frozenset({"sed", "rm"})
"""Commands beside `smsctl` that a page may use: what people do in an editor."""


@dataclass(frozen=True, slots=True)
class Said:
    """A command on a page, and what the page says that it prints."""

    fence: Fence
    command: str
    output: str


def lay_out(page: Path, root: Path) -> None:
    """Put what ships into a folder, without the journeys where the page shows its own, and the files of the page."""
    shown = [fence for fence in fences(page) if fence.title]
    has_own = any(fence.title.startswith(JOURNEYS) for fence in shown)
    shutil.copytree(ROOT / "mappings", root / "mappings", ignore=shutil.ignore_patterns("journeys" if has_own else ""))
    (root / JOURNEYS).mkdir(exist_ok=True)
    if not has_own:
        shutil.copytree(ROOT / "templates", root / "templates")
    (root / "templates").mkdir(exist_ok=True)
    for fence in shown:
        _put(fence, root)


def _put(fence: Fence, root: Path) -> None:
    if fence.part == "excerpt":
        return
    target = root / fence.title
    target.parent.mkdir(parents=True, exist_ok=True)
    before = target.read_text(encoding="utf-8") + "\n" if fence.part == "added" else ""
    target.write_text(before + fence.text, encoding="utf-8")


def is_shown_in_part(fence: Fence) -> bool:
    """Tell whether a block shows a part of a file that ships."""
    return fence.part in _SHOWN_IN_PART


def commands_of(page: Path) -> Iterator[Said]:
    """Give the commands of a page with what it says they print, in order."""
    for fence in fences(page):
        if fence.language == "console":
            for part in re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield Said(fence, command, output)


def run(command: str, folder: Path) -> str:
    """Run a command as a person would in the folder; give what it prints."""
    words = shlex.split(command, comments=True)
    name, arguments = words[0].removeprefix(".venv/bin/"), words[1:]
    if name in _EDITORS:
        return subprocess.run([name, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout
    assert name == "smsctl", f"a page can only run smsctl: {command}"
    result = CliRunner(env={"COLUMNS": "100"}).invoke(cli, arguments)
    if isinstance(result.exception, ConnectorError):
        return result.output + "".join(f"smsctl: {line}\n" for line in str(result.exception).splitlines())
    assert result.exception is None or isinstance(result.exception, SystemExit), (command, result.exception)
    return result.output


def is_as_said(printed: str, said: str) -> bool:
    """Tell whether a command printed what a page says."""
    lines = (line.rstrip() for line in said.strip("\n").split("\n"))
    pattern = "".join(r"(?:.*\n)*?" if line == _ANYTHING else _of_line(line) for line in lines)
    text = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").split("\n"))
    return re.fullmatch(pattern, text) is not None


def _of_line(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split(_ANYTHING)) + "\n"
