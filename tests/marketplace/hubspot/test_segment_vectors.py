"""Does the card count segments after the connector's latest rules?"""

from __future__ import annotations

from tests.marketplace.hubspot.segment_vectors import FIXTURE, as_json


def test_the_cards_vectors_are_those_of_the_connector() -> None:
    hint = "run: .venv/bin/python -m tests.marketplace.hubspot.segment_vectors"
    assert FIXTURE.read_text(encoding="utf-8") == as_json(), hint
