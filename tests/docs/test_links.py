"""Does every link in the documentation lead somewhere?"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.markdown import ROOT, anchors, links, pages


def _broken(page: Path, target: str, root: Path = ROOT) -> str | None:
    parts = urlsplit(target)
    if parts.scheme:
        return None if parts.scheme in {"http", "https", "mailto"} else f"{target}: an odd kind of address"
    meant = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not meant.is_relative_to(root) or not meant.exists():
        return f"{target}: there is no such file"
    if parts.fragment and meant.suffix == ".md" and parts.fragment not in anchors(meant):
        return f"{target}: there is no such heading"
    return None


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [broken for target in links(page) if (broken := _broken(page, target))] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = ((page.parent / urlsplit(target).path).resolve() for target in links(page))
        waiting.extend(
            target for target in targets if target.suffix == ".md" and target.exists() and target not in reached
        )
    assert {str(page.relative_to(ROOT)) for page in set(pages()) - reached} == set()


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Two words\n\n[a](#two-words) [b](#three) [c](missing.md)\n", encoding="utf-8")
    assert links(page) == ["#two-words", "#three", "missing.md"]
    assert _broken(page, "#two-words", tmp_path) is None
    assert _broken(page, "#three", tmp_path) == "#three: there is no such heading"
    assert _broken(page, "missing.md", tmp_path) == "missing.md: there is no such file"
