"""What do the names mean that a journey borrows from other files, and how is that kept with its version?

An intent is words of `mappings/keywords.yaml`, an audience stands in `mappings/audiences.yaml`. A journey's version
keeps what the names meant when it was made, so that an edit of those files moves nobody in flight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.adapters.poll_conditions import format_condition, parse_condition
from connector.domain.consent import KeywordBook
from connector.domain.journey import Audience
from connector.domain.places import Expression, Place

KEYWORDS_UNREADABLE = "cannot be looked up: mappings/keywords.yaml has mistakes"
AUDIENCES_UNREADABLE = "cannot be looked up: mappings/audiences.yaml has mistakes"


@dataclass(frozen=True, slots=True)
class Meanings:
    """What intents and audiences mean; None when that cannot be told, because their file has mistakes.

    Attributes:
        intents: words of all languages, by the intent's name.
    """

    intents: Mapping[str, tuple[str, ...]] | None = field(default_factory=dict)
    audiences: Mapping[str, Audience] | None = field(default_factory=dict)


def meanings_of(keywords: KeywordBook | None, audiences: Mapping[str, Audience] | None) -> Meanings:
    """Give what the files say; None for a file that could not be read."""
    return Meanings(None if keywords is None else keywords.intents(), audiences)


def audience_document(audience: Audience) -> dict[str, Any]:
    """Give an audience as it is kept with a version."""
    return {
        "where": None if audience.where is None else audience.where.source,
        "find": {crm: [format_condition(each) for each in found] for crm, found in audience.find.items()},
        "file": audience.place.file,
        "line": audience.place.line,
        "column": audience.place.column,
    }


def meanings_from(source: Mapping[str, Any]) -> Meanings:
    """Read what a version keeps; one without such names keeps nothing.

    Raises:
        ValueError: a condition in it is none.
    """
    intents = {name: tuple(words) for name, words in source.get("intents", {}).items()}
    return Meanings(intents, {name: _audience(name, kept) for name, kept in source.get("audiences", {}).items()})


def _audience(name: str, kept: Mapping[str, Any]) -> Audience:
    place = Place(kept["file"], kept["line"], kept["column"])
    where = None if kept["where"] is None else Expression(kept["where"], place)
    find = {crm: tuple(parse_condition(each) for each in conditions) for crm, conditions in kept["find"].items()}
    return Audience(name, place, where, find)
