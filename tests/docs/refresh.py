"""What do the commands that pages show print now?

`python -m tests.docs.refresh [PAGE …]` writes it into the pages, where it is no longer what they say. Read the
difference before you commit it: it may be a mistake of the program.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from connector.adapters.redis_server import EmbeddedRedis
from tests.docs.markdown import ROOT, pages
from tests.docs.playing import Said, commands_of, is_as_said
from tests.docs.stage import play, settings

_WIDEST = 115  # characters of a line: what a page shows without scrolling
_PLACE = re.compile(r"  mappings/journeys/[a-z0-9-]+\.yaml:([0-9]+) ")


def refreshed(page: Path, played: Iterable[tuple[Said, str]]) -> str:
    """Give a page with what its commands have printed, where it says something else."""
    text, at = page.read_text(encoding="utf-8"), 0
    for said, printed in played:
        at = text.index(f"$ {said.command}\n", at) + len(said.command) + 3
        if not is_as_said(printed, said.output):
            shown = "".join(f"{_cut(line)}\n" for line in printed.strip("\n").split("\n"))
            text = text[:at] + (shown if printed.strip() else "") + text[at + len(said.output) :]
    return text


def _cut(line: str) -> str:
    """Leave out what makes a line too wide: first the name of a journey's file, which the page has shown."""
    line = line.rstrip()
    short = _PLACE.sub(r"  …:\1 ", line) if len(line) > _WIDEST else line
    return short if len(short) <= _WIDEST else f"{short[:_WIDEST].rstrip()}…"


def _refresh(page: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="docs-"))
    with EmbeddedRedis(folder / "redis") as server:
        os.environ.update(settings(folder, server.url))
        os.chdir(folder)
        text = refreshed(page, play(page, folder))
    if text != page.read_text(encoding="utf-8"):
        page.write_text(text, encoding="utf-8")
        print(page.relative_to(ROOT))  # noqa: T201 - a command says what it has done


def main(names: Sequence[str]) -> None:
    """Refresh the pages named, or all that show commands."""
    chosen = [Path(name).resolve() for name in names] or [page for page in pages() if any(commands_of(page))]
    for page in chosen:
        _refresh(page)


if __name__ == "__main__":
    main(sys.argv[1:])
