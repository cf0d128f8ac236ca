"""What do all the files around the journeys say, as far as they can be read?

A policy file that is wrong is reported where it is checked by itself; here it leaves unchecked what hangs on it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from connector.adapters.audience_file import load_audiences
from connector.adapters.channel_file import load_channels
from connector.adapters.compliance_file import load_compliance
from connector.adapters.event_files import load_events
from connector.adapters.gateway_file import load_gateways
from connector.adapters.journey_world import World
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.preview_file import read_preview_files
from connector.adapters.template_checks import read_templates
from connector.adapters.yaml_file import files_in
from connector.errors import ConfigurationError, Mistake

_Read = TypeVar("_Read")


def read_world(mappings_dir: Path, templates_dir: Path) -> tuple[World, list[Path], list[Mistake]]:
    """Read everything that journeys are held against; give the journey files too, and what is wrong so far."""
    events = load_events(mappings_dir)
    templates, mistakes = read_templates(templates_dir)
    previews, wrong_previews = read_preview_files(templates_dir)
    paths, unread = files_in(mappings_dir / "journeys")
    compliance = _or_none(load_compliance, mappings_dir / "compliance.yaml")
    channels = _or_none(load_channels, mappings_dir / "channels.yaml")
    gateways = _or_none(load_gateways, mappings_dir / "gateways.yaml")
    world = World(
        catalogue=events.catalogue,
        templates=templates,
        templates_dir=str(templates_dir),
        keywords=_or_none(load_keyword_book, mappings_dir / "keywords.yaml"),
        windows=None if compliance is None else frozenset(compliance.windows),
        compliance=compliance,
        channels=None if channels is None else {name: spec.kind for name, spec in channels.items()},
        audiences=_or_none(lambda path: load_audiences(path, events.catalogue), mappings_dir / "audiences.yaml"),
        routes=None if gateways is None else frozenset(gateways.routes),
        journeys=frozenset(path.stem for path in paths),
        previews=previews,
    )
    return world, paths, [*events.mistakes, *mistakes, *wrong_previews, *unread]


def _or_none(load: Callable[[Path], _Read], path: Path) -> _Read | None:
    try:
        return load(path)
    except ConfigurationError:
        return None
