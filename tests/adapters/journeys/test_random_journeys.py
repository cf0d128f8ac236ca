"""Every journey that the shapes allow is read without a mistake, with every kind of step and every key among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings

from connector.adapters.journey_files import journey_from_source, read_journey
from connector.adapters.journey_schema import JourneyShape, TriggerShape
from connector.adapters.json_schema import STEPS
from connector.adapters.yaml_file import read_yaml
from connector.adapters.yaml_shapes import Shape
from tests.journey_strategies import FILE, NAME, JourneyDocument, journey_documents, world


@given(journey_documents())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_journey_there_can_be_is_read_without_a_mistake(document: JourneyDocument) -> None:
    journey, mistakes = read_journey(read_yaml(document.text, FILE), NAME, world())
    assert [str(mistake) for mistake in mistakes if mistake.severity == "error"] == []
    assert journey is not None
    assert journey_from_source(json.loads(json.dumps(journey.source))) == journey


def _keys(value: Any) -> Iterator[str]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(key, str):
            yield key
        yield from _keys(item)


def test_every_key_of_the_header_and_of_every_step_is_among_them() -> None:
    seen: set[str] = set()

    @given(journey_documents())
    @settings(max_examples=200, deadline=None, derandomize=True, database=None)
    def look(document: JourneyDocument) -> None:
        seen.update(_keys(read_yaml(document.text, FILE).value))

    look()
    shapes: tuple[type[Shape], ...] = (JourneyShape, TriggerShape, *STEPS)
    wanted = {field.data_key or name for shape in shapes for name, field in shape().fields.items()}
    assert wanted - seen == {"crm"}  # a journey of one CRM is one for all of them while there is one
