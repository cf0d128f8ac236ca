"""Which journeys stand in `mappings/journeys/`, and what is wrong with those that cannot run?

A file with a mistake disables itself alone. A journey that was published is made again from its stored source, so
that people in flight finish on the version they began with, whatever the files say by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.adapters.journey_builder import JourneyBuilder
from connector.adapters.journey_checks import JourneyChecks
from connector.adapters.journey_meanings import AUDIENCES_UNREADABLE, KEYWORDS_UNREADABLE, meanings_from, meanings_of
from connector.adapters.journey_world import World
from connector.adapters.loop_checks import loop_mistakes
from connector.adapters.mention_checks import enroll_mistakes
from connector.adapters.world_files import read_world
from connector.adapters.yaml_file import Document, read_file, read_yaml
from connector.domain.event_mapping import EventCatalogue
from connector.domain.journey import Journey
from connector.errors import MappingError, Mistake


@dataclass(frozen=True, slots=True)
class JourneyShelf:
    """The journeys that can run, by id, and every mistake and warning in event files, templates and journeys."""

    journeys: Mapping[str, Journey]
    mistakes: tuple[Mistake, ...]


def load_journeys(mappings_dir: Path, templates_dir: Path) -> JourneyShelf:
    """Read and check every journey file; a bad one is left out, the others stand."""
    world, paths, found = read_world(mappings_dir, templates_dir)
    journeys: dict[str, Journey] = {}
    for path in paths:
        journey, wrong = _read(path, world)
        found.extend(wrong)
        if journey is not None:
            journeys[journey.id] = journey
    for name, wrong in between_mistakes(journeys, world.catalogue):
        found.extend(wrong)
        if any(mistake.severity == "error" for mistake in wrong):
            journeys.pop(name, None)
    return JourneyShelf(journeys, tuple(_each_file_once(dict.fromkeys(found))))


def between_mistakes(journeys: Mapping[str, Journey], catalogue: EventCatalogue) -> list[tuple[str, list[Mistake]]]:
    """Give what is wrong between journeys that are fine alone, by the journey to mend."""
    return [*loop_mistakes(journeys, catalogue).items(), *enroll_mistakes(journeys, catalogue).items()]


def _each_file_once(found: Iterable[Mistake]) -> Iterator[Mistake]:
    """Tell of a file that could not be read at the first journey that needs it: the others stay out all the same."""
    told: set[str] = set()
    for mistake in found:
        if mistake.message not in told:
            yield mistake
        told |= {mistake.message} & {KEYWORDS_UNREADABLE, AUDIENCES_UNREADABLE}


def journey_from_source(source: Mapping[str, Any]) -> Journey:
    """Make a journey again from the source kept with its version; nothing is checked but its shape.

    Args:
        source: as `Journey.source` was: `{"journey": text, "templates": {name: text}, "file": path}`, and where the
            journey uses any, `intents` and `audiences`.

    Raises:
        MappingError: this version of the connector cannot read it.
    """
    try:
        text, templates, file = source["journey"], source["templates"], source["file"]
    except KeyError as exc:
        raise MappingError([Mistake("", 0, 0, "", f"the stored version lacks its {exc.args[0]}")]) from exc
    builder = JourneyBuilder(read_yaml(text, file), meanings_from(source))
    journey = builder.build(templates)
    if journey is None or builder.mistakes:
        raise MappingError(builder.mistakes)
    return journey


def _read(path: Path, world: World) -> tuple[Journey | None, list[Mistake]]:
    try:
        document = read_file(path)
    except MappingError as exc:
        return None, list(exc.mistakes)
    return read_journey(document, path.stem, world)


def read_journey(document: Document, stem: str, world: World) -> tuple[Journey | None, list[Mistake]]:
    """Make and check a journey; None when there is a mistake, though not for warnings alone."""
    builder = JourneyBuilder(document, meanings_of(world.keywords, world.audiences))
    journey = builder.build(world.templates)
    found = JourneyChecks(builder, world).run(journey, stem)
    mistakes = sorted(dict.fromkeys([*builder.mistakes, *found]), key=_order)
    broken = any(mistake.severity == "error" for mistake in mistakes)
    return (None if broken else journey), mistakes


def _order(mistake: Mistake) -> tuple[str, int, int]:
    return mistake.file, mistake.line, mistake.column
