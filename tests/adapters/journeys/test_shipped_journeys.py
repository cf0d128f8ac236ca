"""The journeys that ship are correct, short and cheap, in both languages."""

from pathlib import Path

import pytest

from connector.adapters.check import check
from connector.adapters.event_files import load_events
from connector.adapters.journey_world import World, sample_names
from connector.adapters.rendering import Renderer, locale_of
from connector.domain.segments import Encoding, measure
from tests.adapters.journeys.conftest import ROOT

SHIPPED = ("demo-booked", "invoice-overdue", "urgent-ticket")
TEXTS = sorted(path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.txt.j2"))


def test_what_ships_has_no_mistake_and_no_warning() -> None:
    report = check(ROOT / "mappings", ROOT / "templates")
    assert [str(mistake) for mistake in report.mistakes] == []
    assert set(SHIPPED) <= set(report.journeys)


@pytest.mark.parametrize("path", [path for path in TEXTS if path.startswith(SHIPPED)])
def test_each_text_that_ships_fits_one_sms(path: str) -> None:
    report = check(ROOT / "mappings", ROOT / "templates")
    journey = report.journeys[path.partition("/")[0]]
    names = sample_names(World(load_events(ROOT / "mappings").catalogue), None, journey.trigger.event, None, {})
    name, locale = path.partition(".")[0], locale_of(path) or "en"
    size = measure(Renderer().render_template(journey.templates, name, names, locale=locale).text)
    assert (size.encoding, size.count) == (Encoding.GSM7, 1)


@pytest.mark.parametrize("path", [path for path in TEXTS if path.startswith(SHIPPED)])
def test_a_text_that_ships_needs_no_more_than_a_bare_record(path: str) -> None:
    report = check(ROOT / "mappings", ROOT / "templates")
    journey = report.journeys[path.partition("/")[0]]
    bare = {
        "contact": {"first_name": None, "name": None},
        "owner": {},
        "deal": {},
        "ticket": {"subject": None},
        "invoice": {"number": "INV-7", "balance_due": 12, "currency": "EUR", "due_on": _some_date()},
    }
    assert (
        Renderer().render_template(journey.templates, path.partition(".")[0], bare, locale=locale_of(path) or "en").text
    )


def _some_date() -> object:
    names = sample_names(World(load_events(ROOT / "mappings").catalogue), None, "invoice.overdue", None, {})
    return names["invoice"]["due_on"]


def test_the_first_text_to_a_customer_says_how_to_stop() -> None:
    for first in ("demo-booked/confirmation", "invoice-overdue/first", "urgent-ticket/customer"):
        for language in ("", ".de"):
            assert "STOP" in Path(ROOT / "templates" / f"{first}{language}.txt.j2").read_text(encoding="utf-8")
