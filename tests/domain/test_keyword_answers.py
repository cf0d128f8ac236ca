"""Which texts go out whatever else holds? Answers to keywords, and no others."""

from __future__ import annotations

import pytest

from connector.domain.keyword_answers import JOURNEY, STEPS, is_keyword_answer


@pytest.mark.parametrize("step", sorted(STEPS))
def test_an_answer_to_a_keyword_is_one(step: str) -> None:
    assert is_keyword_answer(JOURNEY, step)


@pytest.mark.parametrize(
    ("journey", "step"), [("deal-won", "stop-confirmation"), (JOURNEY, "steps[0]"), (JOURNEY, ""), ("", "")]
)
def test_no_journeys_step_passes_for_one_by_its_name(journey: str, step: str) -> None:
    assert not is_keyword_answer(journey, step)
