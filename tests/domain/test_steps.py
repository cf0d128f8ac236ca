"""Can every step of a journey be found, whatever it is nested in, and every text it may send?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given

from connector.domain.journey import Journey
from connector.domain.step_order import order_of
from connector.domain.steps import Step, Verify, texts_sent, walk
from connector.domain.surroundings import Surroundings
from tests.domain.journey_parts import HERE, evaluate, send, wait
from tests.domain.random_journeys import journeys


def paths_in(value: Any) -> Iterator[str]:
    """Find steps by looking at every field there is, but for the text that a question asks with."""
    if isinstance(value, tuple):
        for item in value:
            yield from paths_in(item)
    elif is_dataclass(value):
        if isinstance(value, Step):
            yield value.path
        for field in fields(value):
            if field.name != "ask":
                yield from paths_in(getattr(value, field.name))


@given(journeys())
def test_every_step_of_every_kind_is_found_once_and_has_its_place_in_the_order(journey: Journey) -> None:
    found = [step.path for step in walk(journey.steps)]
    assert sorted(found) == sorted(paths_in(journey.steps))
    order = order_of(journey.steps)
    assert set(order.steps) == set(order.after) == set(found)
    assert {path for path in order.after.values() if path is not None} <= set(found)
    assert order.first == (found[0] if found else None)


def test_the_text_of_a_question_is_a_text_its_step_sends() -> None:
    ask = send()
    assert texts_sent(ask) == (ask,)
    assert texts_sent(Verify(id="code", path="steps[0]", place=HERE, ask=ask)) == (ask,)
    assert texts_sent(wait("steps[0]")) == ()


def test_where_no_codes_can_be_made_asking_for_one_is_a_mistake_of_the_program() -> None:
    with pytest.raises(LookupError, match="no codes can be made here"):
        Surroundings(evaluate).code_for("e1:steps[0]", 6)
