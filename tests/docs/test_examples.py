"""Does every journey shown in the documentation pass the check that a journey of an admin has to pass?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connector.adapters.event_files import load_events
from connector.adapters.journey_files import load_journeys
from tests.docs.markdown import ROOT, Fence, fences, pages

JOURNEYS_PAGE = ROOT / "docs/reference/journeys.md"
EVENTS_PAGE = ROOT / "docs/reference/events.md"

_BLOCKS = [fence for page in pages() for fence in fences(page)]
_JOURNEYS = [fence for fence in _BLOCKS if fence.title.startswith("mappings/journeys/")]
_TEMPLATES = [fence for fence in _BLOCKS if fence.title.startswith("templates/")]


def _lay_out(root: Path, journey: Fence) -> None:
    """Put an example beside the shipped mappings and templates, and the templates of its own page."""
    shutil.copytree(ROOT / "mappings", root / "mappings", ignore=shutil.ignore_patterns("journeys"))
    shutil.copytree(ROOT / "templates", root / "templates")
    for fence in [journey, *(template for template in _TEMPLATES if template.page == journey.page)]:
        target = root / fence.title
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(fence.text, encoding="utf-8")


@pytest.mark.parametrize("journey", _JOURNEYS, ids=str)
def test_every_journey_in_the_documentation_passes_the_check(journey: Fence, tmp_path: Path) -> None:
    _lay_out(tmp_path, journey)
    shelf = load_journeys(tmp_path / "mappings", tmp_path / "templates")
    assert [str(mistake) for mistake in shelf.mistakes] == []
    assert list(shelf.journeys) == [Path(journey.title).stem]


def test_the_documentation_shows_journeys_and_no_yaml_that_nobody_checks() -> None:
    assert JOURNEYS_PAGE in {fence.page for fence in _JOURNEYS}
    with_journey = {fence.page for fence in _JOURNEYS}  # what stands under templates/ there is checked with it
    unchecked = [
        str(fence)
        for fence in _BLOCKS
        if fence.language == "yaml"
        and not fence.title.startswith("mappings/")
        and not (fence.title.startswith("templates/") and fence.page in with_journey)
    ]
    assert unchecked == []


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
