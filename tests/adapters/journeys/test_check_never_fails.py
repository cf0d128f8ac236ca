"""Whatever an admin writes, a check tells mistakes and never fails itself."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.journey_files import read_journey
from connector.adapters.journey_world import World
from connector.adapters.world_files import read_world
from connector.adapters.yaml_file import read_yaml
from connector.errors import MappingError
from tests.adapters.journeys.conftest import ROOT

SHIPPED = {
    path.stem: yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only
    for path in sorted((ROOT / "mappings" / "journeys").glob("*.yaml"))
}
ODD: list[Any] = [
    None, "", [], {}, [[]], [None], {"send": None}, {"then": []}, {"until": "best time"}, ["STOP"], {"a": "b"},
    "any", "5", "-1", "contact", "3 days", "next business day",
    "{{ x }}", "x ==", "vars.x", "code", "verify", "é" * 5000,
]  # fmt: skip
KEYS = ["when", "at", "verify", "confirm", "split", "text", "window", "purpose", "locales", "set", "enroll", "call"]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _places(item, (*path, key))


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, str]:
    """Give a shipped journey in which one to three places hold something else, with its id."""
    name = draw(st.sampled_from(sorted(SHIPPED)))
    document = copy.deepcopy(SHIPPED[name])
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_places(document)) or [("journey",)]))
        parent = document
        for key in place[:-1]:
            parent = parent[key]
        wrong = copy.deepcopy(draw(st.sampled_from(ODD)))
        if isinstance(parent, dict) and draw(st.booleans()):
            parent[draw(st.sampled_from(KEYS))] = wrong
        else:
            parent[place[-1]] = wrong
    return name, yaml.dump(document, sort_keys=False, allow_unicode=True)


@pytest.fixture(scope="module")
def shipped_world() -> World:
    world, _, _ = read_world(ROOT / "mappings", ROOT / "templates")
    return world


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(journey=spoiled())
def test_a_check_tells_mistakes_and_never_fails_itself(journey: tuple[str, str], shipped_world: World) -> None:
    name, text = journey
    try:
        made, mistakes = read_journey(read_yaml(text, f"{name}.yaml"), name, shipped_world)
    except MappingError as exc:
        made, mistakes = None, list(exc.mistakes)
    assert made is not None or any(mistake.severity == "error" for mistake in mistakes)
