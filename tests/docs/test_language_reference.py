"""Has every step, option and key of the journey language, and of the files beside it, its place in the reference?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.audience_file import AudienceShape
from connector.adapters.channel_file import KindShape
from connector.adapters.event_schema import ContactRuleShape, EventFileShape, EventShape, OnShape, PollShape
from connector.adapters.gateway_file import GatewaysShape, PricesShape, RouteShape
from connector.adapters.gateway_limits import BudgetShape, LookupsShape, RateShape, RatesShape, RetryShape
from connector.adapters.gateway_senders import CountryShape, SenderShape
from connector.adapters.journey_world import World, sample_names
from connector.adapters.json_schema import STEPS, journey_schema
from connector.adapters.script_file import CueShape, PersonShape, ScriptShape
from connector.adapters.step_schema import StepShape
from connector.adapters.text_filters import FILTERS, TESTS
from connector.adapters.yaml_file import read_file
from connector.adapters.yaml_shapes import Shape
from connector.domain.durations import format_duration
from connector.domain.event_mapping import ValueKind
from connector.domain.gateway_book import EXPLORED, QUALITY_FLOORS, RETRIES, Preference
from connector.domain.message import Purpose
from connector.domain.timeline import EntryKind
from connector.ports.channels import ChannelKind
from tests.docs.markdown import ROOT, anchors, prose, rows, section

REFERENCE = ROOT / "docs/reference"
STEPS_FOLDER = REFERENCE / "journeys"
HEADER = STEPS_FOLDER / "header.md"
EVERY_STEP = STEPS_FOLDER / "every-step.md"
OVERVIEW = REFERENCE / "journeys.md"
NAMES = REFERENCE / "names-and-filters.md"
CHANNELS = REFERENCE / "channels.md"
GLOSSARY = ROOT / "docs/explanation/glossary.md"

_SCHEMA = journey_schema()
_OF_EVERY_STEP = frozenset(StepShape().fields)


def _keys(shape: type[Shape]) -> set[str]:
    return {field.data_key or name for name, field in shape().fields.items()}


def _kind(shape: type[StepShape]) -> str:
    """The key that makes a step one of its kind, such as `wait_for`: the one it cannot do without."""
    return next(field.data_key or name for name, field in shape().fields.items() if field.required)


KINDS = {_kind(shape): shape for shape in STEPS}


def _parts(node: Any) -> Iterator[str]:
    """Names of the mappings of the schema that a value may be, but for steps."""
    if isinstance(node, Mapping):
        name = str(node.get("$ref", "")).removeprefix("#/$defs/")
        if name and name not in {"step", "steps"}:
            yield name
            yield from _parts(_SCHEMA["$defs"][name])
        yield from (part for below in node.values() for part in _parts(below))
    elif isinstance(node, list):
        yield from (part for below in node for part in _parts(below))


def _own(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: below for key, below in properties.items() if key not in _OF_EVERY_STEP}


def _sections(kind: str) -> dict[str, set[str]]:
    """The keys to be explained on a step's page, by the heading of their section."""
    step = next(each for each in _SCHEMA["$defs"].values() if set(each.get("properties", {})) == _keys(KINDS[kind]))
    found: dict[str, set[str]] = {"Options": set(_own(step["properties"]))}
    for part in dict.fromkeys(_parts(_own(step["properties"]))):
        heading = "Options" if part.endswith("_options") or part == "wait_until" else part.capitalize()
        found.setdefault(heading, set()).update(_SCHEMA["$defs"][part]["properties"])
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_of_a_step_is_explained_on_the_page_of_the_step(kind: str) -> None:
    page = STEPS_FOLDER / f"{kind}.md"
    for heading, keys in _sections(kind).items():
        explained = rows(section(page, heading))
        assert keys - explained.keys() == set(), f"{page.name}, {heading}"
        first = rows(section(page, heading).split("\n|", 1)[-1].split("\n\n", 1)[0])
        assert first.keys() - keys == set(), f"{page.name} has options that do not exist"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_a_step_says_what_happens_in_time_and_what_the_trace_says(kind: str) -> None:
    assert {"options", "in-time", "in-the-trace", "example"} <= anchors(STEPS_FOLDER / f"{kind}.md")
    assert f"journeys/{kind}.md" in OVERVIEW.read_text(encoding="utf-8")


def test_no_page_is_about_a_step_that_does_not_exist() -> None:
    assert {page.stem for page in STEPS_FOLDER.glob("*.md")} == {*KINDS, "header", "every-step", "times"}


def test_what_every_step_may_have_has_a_section_each() -> None:
    assert anchors(EVERY_STEP) >= _OF_EVERY_STEP


@pytest.mark.parametrize("key", _SCHEMA["properties"])
def test_every_key_of_the_header_has_its_section(key: str) -> None:
    assert key in anchors(HEADER)
    parts = {name for part in _parts(_SCHEMA["properties"][key]) for name in _SCHEMA["$defs"][part]["properties"]}
    assert parts - rows(section(HEADER, f"`{key}`")).keys() == set()
    assert key in rows(section(OVERVIEW, "Header"))


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_is_explained(name: str) -> None:
    assert name in {word.partition("(")[0] for word in rows(section(NAMES, "Filters"))}


@pytest.mark.parametrize("name", TESTS)
def test_every_test_is_explained(name: str) -> None:
    assert f"is {name}" in rows(section(NAMES, "Tests"))


@pytest.mark.parametrize(
    ("page", "heading", "shape"),
    [
        ("events.md", "The file", EventFileShape),
        ("events.md", "The file", EventShape),
        ("events.md", "`on`", OnShape),
        ("events.md", "`poll`", PollShape),
        ("events.md", "`contact`", ContactRuleShape),
        ("audiences.md", "Keys", AudienceShape),
        ("gateways.md", "Keys", GatewaysShape),
        ("gateways.md", "`prices`", PricesShape),
        ("gateways.md", "`routes`", RouteShape),
        ("gateways.md", "`senders`", SenderShape),
        ("gateways.md", "`countries`", CountryShape),
        ("gateways.md", "`rates`", RatesShape),
        ("gateways.md", "`rates`", RateShape),
        ("gateways.md", "`budgets`", BudgetShape),
        ("gateways.md", "`retries`", RetryShape),
        ("gateways.md", "`lookups`", LookupsShape),
        ("../how-to/simulate-a-journey.md", "Script files", ScriptShape),
        ("../how-to/simulate-a-journey.md", "`contact`", PersonShape),
        ("../how-to/simulate-a-journey.md", "`then`", CueShape),
    ],
)
def test_every_key_of_the_other_files_is_explained(page: str, heading: str, shape: type[Shape]) -> None:
    assert _keys(shape) - rows(section((REFERENCE / page).resolve(), heading)).keys() == set()


@pytest.mark.parametrize("purpose", Purpose)
def test_what_holds_without_the_file_of_gateways_is_what_its_page_says(purpose: Purpose) -> None:
    rule, told = RETRIES[purpose], rows(section(REFERENCE / "gateways.md", "`retries`"))
    column = {Purpose.OTP: -4, Purpose.TRANSACTIONAL: -3, Purpose.MARKETING: -2}[purpose]
    said = {key: cells.split("|")[column].strip() for key, cells in told.items()}
    assert said == {
        "tries": str(rule.tries),
        "base": format_duration(rule.base),
        "cap": format_duration(rule.cap),
        "lifetime": format_duration(rule.lifetime) if rule.lifetime else "the text's own",
        "jitter": rule.jitter.value,
        "resend_undelivered": "yes" if rule.resend_undelivered else "no",
        "unknown_after": format_duration(rule.unknown_after),
    }


@pytest.mark.parametrize("prefer", Preference)
def test_every_preference_of_a_route_is_explained_with_its_floor_and_its_trials(prefer: Preference) -> None:
    told = rows(section(REFERENCE / "gateways.md", "`routes`"))
    assert prefer.value in told
    for key, share in (("quality_floor", QUALITY_FLOORS[prefer]), ("explore", EXPLORED[prefer])):
        shares = re.findall(r"(\d+%|none) for ((?:`\w+`(?: and )?)+)", told[key].rsplit("|", 2)[-2])
        said = {name: amount for amount, names in shares for name in re.findall(r"\w+(?=`)", names)}
        assert said[prefer.value] == (f"{share:.0%}" if share else "none")


def test_every_kind_of_value_of_an_event_file_is_explained() -> None:
    explained = {word.strip("{") for word in rows(section(REFERENCE / "events.md", "`read`"))}
    assert {kind.value for kind in ValueKind} <= explained


@pytest.mark.parametrize("kind", ChannelKind)
def test_every_kind_of_channel_has_its_section_with_every_option(kind: ChannelKind) -> None:
    shapes = {shape.__name__.removesuffix("Shape").lower(): shape for shape in KindShape.__subclasses__()}
    shape = shapes.get(kind.value, shapes["webhook"])
    assert _keys(shape) - {"kind"} - rows(section(CHANNELS, f"`{kind.value}`")).keys() == set()


@pytest.mark.parametrize("name", ["compliance", "keywords"])
def test_every_key_of_the_rules_that_ship_is_explained(name: str) -> None:
    document = read_file(ROOT / f"mappings/{name}.yaml").value
    below = {"compliance": "purposes", "keywords": "languages"}[name]
    keys = {*document, *(key for part in document[below].values() for key in part)}
    assert keys - rows(prose(REFERENCE / f"{name}.md")).keys() == set()


@pytest.mark.parametrize("kind", EntryKind)
def test_every_kind_of_line_of_a_trace_is_explained(kind: EntryKind) -> None:
    page: Path = ROOT / "docs/how-to/read-a-trace.md"
    assert f"`{kind.value}`" in section(page, "What the lines say")


@pytest.mark.parametrize("path", sorted((ROOT / "mappings/journeys").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_journey_that_ships_has_its_paragraph(path: Path) -> None:
    text = section(REFERENCE / "library.md", path.stem)
    event = read_file(path).value["trigger"]["event"]
    assert f"`{event}`" in text
    assert "Change" in text


def test_the_glossary_is_in_order_and_has_each_word_once() -> None:
    words = [row.split("**")[1].lower() for row in prose(GLOSSARY).splitlines() if row.startswith("| **")]
    assert words == sorted(set(words))


_NOUNS = {
    "send": "message",
    "wait": "business day",
    "wait_for": "case",
    "if": "condition",
    "verify": "one-time code",
    "confirm": "confirmation",
    "set": "variable",
    "notify": "notification",
    "handoff": "hand-off",
    "enroll": "enrollment",
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_glossary_has_a_word_for_every_kind_of_step(kind: str) -> None:
    assert f"| **{_NOUNS.get(kind, kind)}** |" in prose(GLOSSARY)


def test_every_name_that_the_connector_knows_by_itself_is_explained() -> None:
    names = sample_names(World(), None, "", None, {})
    told = prose(NAMES)
    for record in ("account", "last_reply", "last_message"):
        parts = [part for part in names[record] if f"`{record}.{part}`" not in told and f"`{part}`" not in told]
        assert parts == [], record
