"""Which journeys has an account of its own, beside those of the folder, and what is wrong with them?

They are written like the others and held against the same events, keywords, windows and texts; a text of their own
takes the place of the shared one of its name, in every language at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from connector.adapters.check import CheckReport, report_on
from connector.adapters.journey_files import between_mistakes, load_journeys, read_journey
from connector.adapters.journey_world import World
from connector.adapters.template_checks import read_templates
from connector.adapters.world_files import read_world
from connector.adapters.yaml_file import files_in, read_text, read_yaml
from connector.domain.journey import Journey
from connector.errors import MappingError, Mistake


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """What an account wrote.

    Attributes:
        label: how people know the place: a folder, or a page.
        journeys: YAML by id.
        templates: texts by file name, such as `demo-booked/confirmation.de.txt.j2`.
        mistakes: files that could not be read.
    """

    label: str
    journeys: Mapping[str, str]
    templates: Mapping[str, str] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def journey_file(self, journey: str) -> str:
        """How people know a journey's file."""
        return f"{self.label}/journeys/{journey}.yaml"


def read_own_folder(folder: Path) -> OwnFiles:
    """Read `journeys/*.yaml` and `templates/**` of a folder."""
    paths, mistakes = files_in(folder / "journeys")
    templates, unread = read_templates(folder / "templates")
    journeys: dict[str, str] = {}
    for path in paths:
        try:
            journeys[path.stem] = read_text(path)
        except MappingError as error:
            mistakes.extend(error.mistakes)
    if not paths:
        mistakes.append(Mistake(str(folder / "journeys"), 0, 0, "", "there is no journey file"))
    return OwnFiles(str(folder), journeys, templates, (*mistakes, *unread))


def write_own_folder(folder: Path, journey: Journey) -> None:
    """Write a journey as it was published, so that it can be edited: the counterpart of `read_own_folder`.

    Raises:
        OSError: the folder cannot be written.
    """
    templates: Mapping[str, str] = journey.source["templates"]  # type: ignore[assignment] # as a version keeps them
    files = {f"journeys/{journey.id}.yaml": str(journey.source["journey"])}
    files |= {f"templates/{name}": text for name, text in templates.items()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def check_own(
    own: OwnFiles, mappings_dir: Path, templates_dir: Path, beside: Mapping[str, Journey] | None = None
) -> CheckReport:
    """Check an account's own files as they would stand among the shared ones; never raises for what they say.

    `beside` are the account's other journeys of its own, by id.
    """
    world, _, _ = read_world(mappings_dir, templates_dir)
    world = _with(world, own, beside or {})
    found, journeys = [*own.mistakes], dict[str, Journey]()
    for name, text in own.journeys.items():
        journey, wrong = _read(name, text, own, world)
        found += wrong
        if journey is not None:
            journeys[name] = journey
    found += _unused(own, journeys)
    shared = load_journeys(mappings_dir, templates_dir).journeys
    for name, wrong in between_mistakes({**shared, **(beside or {}), **journeys}, world.catalogue):
        if name in journeys:
            found += wrong
            if any(mistake.severity == "error" for mistake in wrong):
                del journeys[name]
    mistakes = list(_as_known(found, own, str(templates_dir)))
    return report_on(mistakes, journeys, sorted(own.journeys), _sources(own))


def first_mistakes(report: CheckReport, own: OwnFiles) -> dict[str, str]:
    """Give the journeys that cannot run, by id, each with its first mistake on one line."""
    first: dict[str, str] = {}
    for name in report.out:
        of_file = [each for each in report.errors if each.file == own.journey_file(name)]
        of_texts = [each for each in report.errors if each.file.startswith(f"{own.label}/templates/{name}/")]
        found = next(iter([*of_file, *of_texts, *report.errors]), None)
        first[name] = f"{own.journey_file(name)}: cannot run" if found is None else str(found)
    return first


def _with(world: World, own: OwnFiles, beside: Mapping[str, Journey]) -> World:
    """Give the shared world with an account's own files in it."""
    replaced = {name.partition(".")[0] for name in own.templates}
    shared = {name: text for name, text in world.templates.items() if name.partition(".")[0] not in replaced}
    return replace(
        world,
        templates={**shared, **own.templates},
        journeys=(world.journeys or frozenset()) | own.journeys.keys() | beside.keys(),
        previews={name: preview for name, preview in world.previews.items() if name not in replaced},
    )


def _read(name: str, text: str, own: OwnFiles, world: World) -> tuple[Journey | None, list[Mistake]]:
    try:
        document = read_yaml(text, own.journey_file(name))
    except MappingError as error:
        return None, list(error.mistakes)
    return read_journey(document, name, world)


def _unused(own: OwnFiles, journeys: Mapping[str, Journey]) -> Iterator[Mistake]:
    """Tell of own texts that nobody would ever get; only when all own journeys can be read, which might use them."""
    used = {path.partition(".")[0] for journey in journeys.values() for path in journey.templates}
    for name in own.templates if own.journeys.keys() <= journeys.keys() else ():
        if name.partition(".")[0] not in used:
            yield Mistake(f"{own.label}/templates/{name}", 0, 0, "", "no journey of the account's own uses this text")


def _as_known(found: Iterable[Mistake], own: OwnFiles, templates_dir: str) -> Iterator[Mistake]:
    """Name the places of own texts as the account knows them."""
    places = {f"{templates_dir}/{name}": f"{own.label}/templates/{name}" for name in own.templates}
    for mistake in found:
        yield replace(mistake, file=places.get(mistake.file, mistake.file))


def _sources(own: OwnFiles) -> dict[str, str]:
    texts = {f"{own.label}/templates/{name}": text for name, text in own.templates.items()}
    return texts | {own.journey_file(name): text for name, text in own.journeys.items()}
