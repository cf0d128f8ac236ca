"""What a check says of a journey whose steps are given, in a world that is given."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from functools import cache
from textwrap import indent
from types import MappingProxyType

from connector.adapters.compliance_file import load_compliance
from connector.adapters.event_files import load_events
from connector.adapters.journey_files import read_journey
from connector.adapters.journey_world import World
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.yaml_file import read_yaml
from connector.domain.journey import Journey
from connector.domain.send_window import SendWindow
from connector.errors import Mistake
from connector.ports.channels import ChannelKind
from tests.adapters.journeys.conftest import ROOT

NAME = "under-test"
FILE = f"mappings/journeys/{NAME}.yaml"

CHANNELS = MappingProxyType(
    {"team": ChannelKind.SLACK, "mail": ChannelKind.EMAIL, "chat": ChannelKind.WHATSAPP, "shop": ChannelKind.ENDPOINT}
)


def world(**templates: str) -> World:
    """Give the shipped events, keywords and rules, with templates of the journey under test: `first_de="…"`."""
    texts = {f"{NAME}/{name.replace('_', '.')}.txt.j2": text for name, text in templates.items()}
    return replace(_shipped(), templates=texts)


@cache
def _shipped() -> World:
    compliance = load_compliance(ROOT / "mappings" / "compliance.yaml")
    return World(
        catalogue=load_events(ROOT / "mappings").catalogue,
        keywords=load_keyword_book(ROOT / "mappings" / "keywords.yaml"),
        windows=frozenset(compliance.windows),
        compliance=compliance,
        channels=CHANNELS,
        audiences={},
        routes=frozenset({"cheap", "direct"}),
        journeys=frozenset({NAME, "other", "a"}),
    )


def source(steps: str, *, head: str = "", purpose: str = "transactional", event: str = "invoice.overdue") -> str:
    """Write a journey file; its steps begin in the line `first_line` tells."""
    top = f"journey: {NAME}\npurpose: {purpose}\n{head}trigger:\n  event: {event}\n"
    return f"{top}steps:\n{indent(steps.strip(chr(10)), '  ')}\n"


def journey_of(steps: str, within: World | None = None, **options: str) -> Journey:
    """Read a journey that has no mistakes."""
    journey, mistakes = read_journey(read_yaml(source(steps, **options), FILE), NAME, within or world())
    assert journey is not None, [str(mistake) for mistake in mistakes]
    return journey


def check(steps: str, within: World | None = None, **options: str) -> list[Mistake]:
    """Check a journey with these steps."""
    _, mistakes = read_journey(read_yaml(source(steps, **options), FILE), NAME, within or world())
    return mistakes


def said(steps: str, within: World | None = None, **options: str) -> list[str]:
    """Give what a check says of these steps: the path and the message."""
    return [f"{mistake.path}: {mistake.message}" for mistake in check(steps, within, **options)]


def with_windows(within: World, **days: Mapping[int, tuple[tuple[time, time], ...]]) -> World:
    """Add send windows to a world: `night={0: ((time(1), time(3)),)}`."""
    assert within.compliance is not None
    added = {name: SendWindow(name, hours) for name, hours in days.items()}
    compliance = replace(within.compliance, windows={**within.compliance.windows, **added})
    return replace(within, compliance=compliance, windows=frozenset(compliance.windows))
