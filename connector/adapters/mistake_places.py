"""Where is it told that something is wrong with a step that was read already?"""

from __future__ import annotations

import re
from dataclasses import replace

from connector.adapters.yaml_file import Document, Trail, format_trail
from connector.domain.places import Place
from connector.domain.steps import Step
from connector.errors import Mistake

_ASKING = ((), ("send",), ("verify",), ("confirm",))
"""Where the options of a text stand: beside the step's kind, or below it."""


def at_step(
    step: Step, message: str, suggestion: str | None = None, *, option: str = "", severity: str = "error"
) -> Mistake:
    """Say that something is wrong with a step, or with one of its options; `placed` finds where that stands."""
    path = f"{step.path}.{option}" if option else step.path
    return at_place(step.place, path, message, suggestion, severity=severity)


def placed(document: Document, mistake: Mistake) -> Mistake:
    """Put a mistake where its path stands in the file: at the option itself, else at the header's, else at the step."""
    *step, option = trail_of(mistake.path)
    for below in _ASKING:
        trail = (*step, *below, option)
        if document.has(trail):
            spot = document.spot(trail)
            return replace(mistake, line=spot.line, column=spot.column, path=format_trail(trail))
    if step and document.has((option,)):
        spot = document.spot((option,))
        return replace(mistake, line=spot.line, column=spot.column, path=str(option))
    return replace(mistake, path=format_trail(tuple(step)))


def trail_of(path: str) -> Trail:
    """Turn `steps[3].wait_for` back into the place it was made of."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", path)
    return tuple(int(number) if number else word for number, word in parts)


def at_place(
    place: Place, path: str, message: str, suggestion: str | None = None, *, severity: str = "error"
) -> Mistake:
    """Say that something is wrong at a place of the journey file."""
    return Mistake(place.file, place.line, place.column, path, message, suggestion, severity)
