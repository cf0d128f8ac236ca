"""The journeys that ship are correct, short and cheap, in every language they promise."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from connector.adapters.check import CheckReport, check
from connector.adapters.event_files import load_events
from connector.adapters.journey_world import World, sample_names
from connector.adapters.rendering import Renderer, locale_of
from connector.domain.journey import Journey
from connector.domain.segments import Encoding, measure
from tests.adapters.journeys.conftest import ROOT

TEXTS = sorted(path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.txt.j2"))
IDS = sorted(path.stem for path in (ROOT / "mappings" / "journeys").glob("*.yaml"))
LANGUAGES = ("de", "fr", "es")


@cache
def report() -> CheckReport:
    return check(ROOT / "mappings", ROOT / "templates")


@cache
def names_of(journey_id: str) -> Mapping[str, Any]:
    """Give usual values for a journey's texts, its variables worked out."""
    journey = journey_of(journey_id)
    world = World(load_events(ROOT / "mappings").catalogue)
    names = sample_names(world, None, journey.trigger.event, None, {})
    for name, expression in journey.variables.items():
        names["vars"][name] = Renderer().evaluate(expression, names)
    return {**names, "code": "482915"}


def journey_of(journey_id: str) -> Journey:
    return report().journeys[journey_id]


def rendered(path: str, names: Mapping[str, Any]) -> str:
    journey = journey_of(path.partition("/")[0])
    name = path.partition(".")[0]
    return Renderer().render_template(journey.templates, name, names, locale=locale_of(path) or "en").text


def test_what_ships_has_no_mistake_and_no_warning() -> None:
    assert [str(mistake) for mistake in report().mistakes] == []
    assert sorted(report().journeys) == IDS


@pytest.mark.parametrize("path", TEXTS)
def test_each_text_that_ships_fits_one_sms(path: str) -> None:
    size = measure(rendered(path, names_of(path.partition("/")[0])))
    assert (size.encoding, size.count) == (Encoding.GSM7, 1)


@pytest.mark.parametrize("path", TEXTS)
def test_a_text_that_ships_needs_nothing_known_of_a_person(path: str) -> None:
    names = names_of(path.partition("/")[0])
    nobody = dict.fromkeys(names["contact"]) | {"id": names["contact"]["id"]}
    assert rendered(path, {**names, "contact": nobody, "owner": {}})


@pytest.mark.parametrize("journey_id", IDS)
def test_a_journey_that_ships_promises_every_language(journey_id: str) -> None:
    assert journey_of(journey_id).locales == LANGUAGES


@pytest.mark.parametrize("journey_id", IDS)
def test_only_what_the_demonstration_shows_is_switched_on(journey_id: str) -> None:
    assert journey_of(journey_id).enabled == (journey_id in {"demo-booked", "invoice-overdue", "urgent-ticket"})
