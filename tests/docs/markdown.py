"""What do the Markdown pages of the repository link to, show as examples and tell people to type?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)(`{3,})([^\n`]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_CODE_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)?$", re.MULTILINE)
_TITLE = re.compile(r'title="([^"]+)"')
_COMMAND = re.compile(r"(?<![\w/.-])smsctl((?: +[^\s|&;`#)]+)*)")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: the language, the title it carries (or empty), the line it begins in, and its text."""

    page: Path
    language: str
    title: str
    line: int
    text: str

    def __str__(self) -> str:
        """Name it for test reports."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Give every Markdown page that is part of the project."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("connector/**/*.md")])


def fences(page: Path) -> list[Fence]:
    """Give the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [_fence(page, text, found) for found in _FENCE.finditer(text)]


def _fence(page: Path, text: str, found: re.Match[str]) -> Fence:
    language, _, rest = found[3].strip().partition(" ")
    title = _TITLE.search(rest)
    line = text.count("\n", 0, found.start()) + 1
    return Fence(page, language, title[1] if title else "", line, found[4])


def prose(page: Path) -> str:
    """Give a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Give the targets of a page's links and pictures."""
    return _LINK.findall(_CODE_SPAN.sub("", prose(page)))


def anchors(page: Path) -> set[str]:
    """Give what `#…` may name on a page: its headings as GitHub writes them."""
    return {_slug(heading) for heading in _HEADING.findall(prose(page))}


def _slug(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    kept = "".join(char for char in text if char in " -_" or unicodedata.category(char)[0] in "LNM")
    return kept.replace(" ", "-")


def commands(page: Path) -> Iterator[str]:
    """Give what follows `smsctl` wherever a page tells people to type it."""
    spans = [span for _, span in _CODE_SPAN.findall(prose(page))]
    blocks = [fence.text for fence in fences(page)]
    for code in [*spans, *blocks]:
        yield from (found[1].strip() for found in _COMMAND.finditer(code))
