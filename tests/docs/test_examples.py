"""Does every journey shown in the documentation pass the check that a journey of an admin has to pass?"""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.adapters.check import check, format_people
from connector.adapters.event_files import load_events
from tests.docs.markdown import ROOT, Fence, fences, pages
from tests.docs.playing import JOURNEYS, commands_of, is_shown_in_part, lay_out

EVENTS_PAGE = ROOT / "docs/reference/events.md"

_BLOCKS = [fence for page in pages() for fence in fences(page)]
_WITH_FILES = sorted({fence.page for fence in _BLOCKS if fence.title})


@pytest.mark.parametrize("page", _WITH_FILES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_files_that_a_page_shows_pass_the_check_without_a_warning(page: Path, tmp_path: Path) -> None:
    lay_out(page, tmp_path)
    report = check(tmp_path / "mappings", tmp_path / "templates")
    assert not report.mistakes, format_people(report)
    shown = {Path(fence.title).stem for fence in fences(page) if fence.title.startswith(JOURNEYS)}
    assert shown <= report.journeys.keys()


@pytest.mark.parametrize("page", [ROOT / "docs/tutorial.md", *sorted((ROOT / "docs/reference/journeys").glob("*.md"))])
def test_the_pages_of_the_language_show_a_whole_journey(page: Path) -> None:
    assert any(fence.title.startswith(JOURNEYS) for fence in fences(page))


def test_every_file_that_is_shown_says_where_it_lies_and_is_checked_or_played() -> None:
    played = {fence.title for fence in _BLOCKS for said in commands_of(fence.page) if fence.title in said.command}
    unchecked = [
        str(fence)
        for fence in _BLOCKS
        if fence.language in {"yaml", "jinja"}
        and not fence.title.startswith(("mappings/", "templates/"))
        and fence.title not in played - {""}
    ]
    assert unchecked == []


@pytest.mark.parametrize("fence", [fence for fence in _BLOCKS if is_shown_in_part(fence)], ids=str)
def test_what_is_shown_of_a_file_that_ships_stands_in_it_or_can_be_added(fence: Fence) -> None:
    shipped = ROOT / fence.title
    assert shipped.is_file()
    assert fence.part == "added" or fence.text in shipped.read_text(encoding="utf-8")


def test_every_event_and_every_name_it_brings_is_on_the_events_page() -> None:
    text = EVENTS_PAGE.read_text(encoding="utf-8")
    shelf = load_events(ROOT / "mappings")
    assert shelf.mistakes == ()
    for mapping in (event for events in shelf.catalogue.by_crm.values() for event in events.events.values()):
        section = text.partition(f"## {mapping.name}\n")[2].partition("\n## ")[0]
        names = [f"`{record}.{name}`" for record, reads in mapping.read.items() for name in reads]
        assert [name for name in names if name not in section] == [], mapping.name
    for name in shelf.catalogue.contact_names():
        assert f"`contact.{name}`" in text
