"""A small world of events, templates and keywords that journeys under test stand in."""

from pathlib import Path

import pytest

from connector.adapters.event_files import load_events
from connector.adapters.journey_world import World
from connector.adapters.keyword_file import load_keyword_book

ROOT = Path(__file__).parents[3]

TEMPLATES = {
    "invoice-overdue/first.txt.j2": "{{ invoice.number }} is open.",
    "invoice-overdue/first.de.txt.j2": "{{ invoice.number }} ist offen.",
    "invoice-overdue/second.txt.j2": "{{ invoice.number }} is still open.",
    "invoice-overdue/second.de.txt.j2": "{{ invoice.number }} ist immer noch offen.",
}


@pytest.fixture(scope="session")
def world() -> World:
    return World(
        load_events(ROOT / "mappings").catalogue,
        TEMPLATES,
        "templates",
        load_keyword_book(ROOT / "mappings" / "keywords.yaml"),
        frozenset({"business-hours"}),
    )
