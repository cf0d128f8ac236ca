"""Editors are told the truth: what the connector reads fits the schema, and what it refuses by its form does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from connector.adapters.json_schema import STEPS, journey_schema
from connector.adapters.step_builder import StepBuilder
from connector.adapters.yaml_file import Document, Trail, read_file, read_yaml
from tests.adapters.journeys.conftest import ROOT
from tests.adapters.journeys.json_schema_check import fits
from tests.adapters.journeys.test_language import EVERY_STEP
from tests.journey_strategies import FILE, JourneyDocument, journey_documents

SCHEMA = journey_schema()
SHIPPED = sorted((ROOT / "mappings" / "journeys").glob("*.yaml"))


def _as_an_editor_sees(document: Document) -> Any:
    """Read plain scalars as YAML 1.2's core schema does (yaml.org/spec/1.2.2, 10.3.2)."""
    return _typed(document, document.value, ())


def _typed(document: Document, value: Any, trail: Trail) -> Any:
    if isinstance(value, dict):
        return {key: _typed(document, item, (*trail, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(document, item, (*trail, number)) for number, item in enumerate(value)]
    if value is None or document.spot(trail).style:
        return value
    if value in {"true", "false"}:
        return value == "true"
    if re.fullmatch(r"[-+]?[0-9]+", value):
        return int(value)
    return float(value) if re.fullmatch(r"[-+]?[0-9]*\.[0-9]+", value) else value


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_journey_that_ships_fits_the_schema(path: Path) -> None:
    assert fits(_as_an_editor_sees(read_file(path)), SCHEMA)


def test_a_journey_of_every_step_and_key_fits_the_schema() -> None:
    assert fits(_as_an_editor_sees(read_yaml(EVERY_STEP, FILE)), SCHEMA)


@given(journey_documents())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_journey_there_can_be_fits_the_schema(document: JourneyDocument) -> None:
    assert fits(_as_an_editor_sees(read_yaml(document.text, FILE)), SCHEMA)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("purpose: marketing", "purpose: spam"),
        ("purpose: marketing\n", ""),
        ("priority: 8", "priority: 10"),
        ("title:", "titel:"),
        ('schedule: "0 10 * * tue"', 'schedule: "every tuesday"'),
        ("again: after 30 days", "again: after lunch"),
        ("wait: 5 business days", "wait: soon"),
        ("at: +3 days", "at: [3 days]"),
        ("- exit: done", "- exit: done\n    wait: 1 day"),
        ("- exit: done", "- exitt: done"),
        ("- exit: done", "- exit"),
        ("intent: yes", "intents: yes"),
        ("weight: 50", "weight: 0"),
        ("by: reply rate", "by: replies"),
        ("length: 8", "length: 2"),
        ("code: 4", "code: many"),
        ("queue: 123", "queue: [123]"),
        ("vars.tries: 1", "tries: 1"),
        ("to: whatsapp", "to: telegram"),
        ("endpoint: shop", "endpoint: https://shop.example.com"),
        ("within: 2 minutes", "within: 2"),
        ("enroll: other", "enroll: [other]"),
    ],
)
def test_what_is_wrong_in_its_form_does_not_fit(old: str, new: str) -> None:
    assert old in EVERY_STEP
    assert not fits(_as_an_editor_sees(read_yaml(EVERY_STEP.replace(old, new, 1), FILE)), SCHEMA)


def test_every_kind_of_step_that_is_read_is_in_the_schema_and_no_other() -> None:
    required = [shape().fields for shape in STEPS]
    kinds = [next(field.data_key or name for name, field in fields.items() if field.required) for fields in required]
    assert kinds == list(StepBuilder(read_yaml("{}", FILE)).kinds)


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for below in schema.values():
            yield from _parts(below)
    for below in schema if isinstance(schema, list) else ():
        yield from _parts(below)


def test_every_key_is_explained() -> None:
    for part in _parts(SCHEMA):
        for key, described in part.get("properties", {}).items():
            assert described["description"], key


def test_every_reference_leads_somewhere() -> None:
    for part in _parts(SCHEMA):
        if "$ref" in part:
            assert part["$ref"].removeprefix("#/$defs/") in SCHEMA["$defs"]
