"""Where is it told that something is wrong with a step that was read already?"""

from __future__ import annotations

from connector.domain.places import Place
from connector.domain.steps import Step
from connector.errors import Mistake


def at_step(step: Step, message: str, suggestion: str | None = None, *, severity: str = "error") -> Mistake:
    """Say that something is wrong with a step."""
    return at_place(step.place, step.path, message, suggestion, severity=severity)


def at_place(
    place: Place, path: str, message: str, suggestion: str | None = None, *, severity: str = "error"
) -> Mistake:
    """Say that something is wrong at a place of the journey file."""
    return Mistake(place.file, place.line, place.column, path, message, suggestion, severity)
