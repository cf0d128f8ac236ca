"""How are the files that a page of the documentation shows laid out, and its commands really run?

A page shows journeys of its own, or means those that ship, or shows one `beside` them. In a `console` block, lines that
begin with `$ ` are run in the folder, in order; the others are what they print. `…` stands for anything on a line, and
so do several of them, which keep the columns of a table; alone on a line it stands for any lines. A comment
`<!-- scene: … -->` names what happens in the world before the next command.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from connector.entrypoints.cli import cli
from connector.errors import ConnectorError
from tests.docs.markdown import ROOT, Fence, fences

JOURNEYS = "mappings/journeys/"
_SCENE = re.compile(r"<!-- scene: (.+?) -->")
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
    scene: str = ""


def lay_out(page: Path, root: Path) -> None:
    """Put what ships into a folder, without the journeys where the page shows its own, and the files of the page."""
    lay_out_what_ships(page, root)
    lay_out_what_is_shown(page, root)


def lay_out_what_ships(page: Path, root: Path) -> None:
    """Put what ships into a folder, as far as the page is about it."""
    own = [fence.part for fence in fences(page) if fence.title.startswith(JOURNEYS)]
    is_about_what_ships = not own or "beside" in own
    left_out = shutil.ignore_patterns("" if is_about_what_ships else "journeys")
    shutil.copytree(ROOT / "mappings", root / "mappings", ignore=left_out)
    (root / JOURNEYS).mkdir(exist_ok=True)
    if is_about_what_ships:
        shutil.copytree(ROOT / "templates", root / "templates")
    (root / "templates").mkdir(exist_ok=True)


def lay_out_what_is_shown(page: Path, root: Path, after: int = 0, before: int = sys.maxsize) -> None:
    """Put the files that a page shows between two of its lines into a folder."""
    for fence in fences(page):
        if fence.title and fence.part != "excerpt" and after < fence.line < before:
            _put(fence, root)


def _put(fence: Fence, root: Path) -> None:
    target = root / fence.title
    target.parent.mkdir(parents=True, exist_ok=True)
    before = target.read_text(encoding="utf-8") + "\n" if fence.part == "added" else ""
    target.write_text(before + fence.text, encoding="utf-8")


def is_shown_in_part(fence: Fence) -> bool:
    """Tell whether a block shows a part of a file that ships."""
    return fence.part in _SHOWN_IN_PART


def commands_of(page: Path) -> Iterator[Said]:
    """Give the commands of a page with what it says they print, in order."""
    text, at = page.read_text(encoding="utf-8"), 0
    for fence in fences(page):
        if fence.language == "console":
            begins = text.index(fence.text, at) if fence.text in text else at
            scenes, at = _SCENE.findall(text[at:begins]), begins
            for part in re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield Said(fence, command, output, scenes.pop() if scenes else "")


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
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == _ANYTHING else _of_line(line) for line in lines)
    text = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").split("\n"))
    return re.fullmatch(pattern, text) is not None


def _of_line(line: str) -> str:
    return ".*".join(re.escape(part) for part in re.split(f"{_ANYTHING}+", line)) + "\n"
