"""Which of our texts answer a keyword, and so go out whatever else holds?

A person who writes HELP is answered even after a STOP, and a STOP is confirmed once although the number is already
suppressed (47 CFR 64.1200(a)(12) allows that one text, without any marketing in it).
"""

from __future__ import annotations

JOURNEY = "keywords"
"""Stands in a message's `journey` where no journey made it."""

STOP_CONFIRMATION = "stop-confirmation"
START_CONFIRMATION = "start-confirmation"
HELP_ANSWER = "help-answer"

STEPS = frozenset({STOP_CONFIRMATION, START_CONFIRMATION, HELP_ANSWER})
"""What stands in such a message's `step`."""


def is_keyword_answer(journey: str, step: str) -> bool:
    """Tell whether a message with this journey and step answers a keyword."""
    return journey == JOURNEY and step in STEPS
