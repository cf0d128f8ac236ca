"""What did somebody write into the form of a journey?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from connector.adapters.rendering import SUFFIX
from connector.adapters.step_schema import TEMPLATE

_TEXT = re.compile(TEMPLATE + r"(\.[A-Za-z0-9-]+)?" + re.escape(SUFFIX))
_MOST_TEXTS = 60  # of one journey: a dozen texts in five languages


@dataclass(frozen=True, slots=True)
class Draft:
    """What is in the form.

    Attributes:
        text: the journey's YAML.
        templates: its texts by file name under `templates/`.
        based_on: number of the version it was begun from; 0 where none was in service.
        moves: whether people in flight are to be taken along.
    """

    text: str
    templates: Mapping[str, str] = field(default_factory=dict)
    based_on: int = 0
    moves: bool = False


def read_draft(journey: str) -> tuple[Draft, str]:
    """Read the form; say what cannot be read, or nothing. An emptied text is one that is not wanted any more."""
    pairs = zip(request.form.getlist("name"), request.form.getlist("text"), strict=False)
    typed = [(name.strip().removeprefix("templates/"), _lines(text)) for name, text in pairs if text.strip()]
    given = dict(typed)
    draft = Draft(
        _lines(request.form.get("journey", "")),
        given,
        request.form.get("based_on", 0, type=int),
        bool(request.form.get("moves")),
    )
    wrong = sorted(name for name in given if not _TEXT.fullmatch(name))
    if wrong:
        like = f"{journey}/reminder.txt.j2 or {journey}/reminder.de.txt.j2"
        return draft, f"A text is named like {like}, not {wrong[0]!r}."
    if len(given) < len(typed):
        return draft, "Two texts have the same name."
    if len(given) > _MOST_TEXTS:
        return draft, f"A journey has at most {_MOST_TEXTS} texts of its own."
    return draft, ""


def _lines(text: str) -> str:
    """Give lines as files have them; browsers part them by CR and LF."""
    return text.replace("\r\n", "\n")
