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
    """A fenced block.

    Attributes:
        title: the file it shows, such as `mappings/journeys/deal-won.yaml`; empty when it shows none.
        part: `added` when it stands at the end of a file that ships, `excerpt` when it shows a part of one.
        line: in which it begins.
    """

    page: Path
    language: str
    title: str
    part: str
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
    shown = re.sub(rf"^{found[1]}", "", found[4], flags=re.MULTILINE)
    return Fence(page, language, title[1] if title else "", _TITLE.sub("", rest).strip(), line, shown)


def prose(page: Path) -> str:
    """Give a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def section(page: Path, heading: str) -> str:
    """Give what stands under a heading, up to the next one of its level or above; empty when there is none."""
    found = re.search(rf"^(#+) +{re.escape(heading)} *$", prose(page), re.MULTILINE)
    if found is None:
        return ""
    rest = prose(page)[found.end() :]
    return re.split(rf"^#{{1,{len(found[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> dict[str, str]:
    """Give the rows of tables that begin with a word in code, by that word; `wait: 3 days` goes by `wait`."""
    found = re.findall(r"^\| *\[?`([^`]+)`([^\n]*)$", text, re.MULTILINE)
    return {word.partition(":")[0].strip(): rest for word, rest in found}


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
