"""Which contacts are meant by which name, according to `mappings/audiences.yaml`?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from connector.adapters.jinja_syntax import compile_condition
from connector.adapters.journey_schema import SLUG
from connector.adapters.poll_conditions import parse_condition
from connector.adapters.yaml_file import Document, Trail, read_file
from connector.adapters.yaml_shapes import Shape, closest, listed, quoted, shape_of, spoken
from connector.adapters.yaml_values import Anything, Words
from connector.domain.event_mapping import EventCatalogue, PollFilter
from connector.domain.journey import Audience
from connector.domain.places import Expression, Place
from connector.errors import MappingError, Mistake

_SEEN = ("contact", "account")
"""What a condition on an audience may be about; there is no record and no event yet."""


class AudiencesShape(Shape):
    """The file itself."""

    what: ClassVar[str] = "an audience file (audiences: …)"

    audiences = Anything(required=True)


class AudienceShape(Shape):
    """One audience."""

    what: ClassVar[str] = "an audience (title, where, find)"

    title = Words(longest=120)
    where = Words()
    find = Anything()


def load_audiences(path: Path, events: EventCatalogue | None = None) -> dict[str, Audience]:
    """Read the audiences by name; none when there is no such file.

    Args:
        path: `mappings/audiences.yaml`.
        events: what is read of a contact in which CRM; None leaves names unchecked.

    Raises:
        MappingError: every mistake with file, line and column (a ConfigurationError).
    """
    if not path.is_file():
        return {}
    reader = _AudienceReader(read_file(path), events)
    found = reader.read()
    if reader.mistakes:
        raise MappingError(reader.mistakes)
    return found


class _AudienceReader:
    def __init__(self, document: Document, events: EventCatalogue | None) -> None:
        self.document, self._events = document, events
        self.mistakes: list[Mistake] = []

    def read(self) -> dict[str, Audience]:
        top = shape_of(AudiencesShape(), self.document, (), self.document.value, self.mistakes)
        audiences = top["audiences"] if top else {}
        if not isinstance(audiences, dict):
            self._say(("audiences",), f"expected audiences by name, found {spoken(audiences)}")
            return {}
        read = {name: self._audience(("audiences", name), name, raw) for name, raw in audiences.items()}
        return {name: audience for name, audience in read.items() if audience is not None}

    def _audience(self, trail: Trail, name: str, raw: Any) -> Audience | None:
        if not re.fullmatch(SLUG, name):
            self._say(trail, f"{quoted(name)} is no name of small letters and hyphens", key=True)
        found = shape_of(AudienceShape(), self.document, trail, raw, self.mistakes)
        if found is None:
            return None
        if "where" not in found and "find" not in found:
            self._say(trail, "says not who is in it: expected `where`, `find`, or both")
            return None
        spot = self.document.spot(trail, key=True)
        place = Place(self.document.file, spot.line, spot.column)
        where = self._where((*trail, "where"), found["where"]) if "where" in found else None
        find = self._find((*trail, "find"), found["find"]) if "find" in found else {}
        return Audience(name, place, where, find)

    def _where(self, trail: Trail, text: str) -> Expression:
        compiled = compile_condition(text)
        for flaw in compiled.flaws:
            spot = self.document.find(trail, flaw.words, flaw.line)
            self.mistakes.append(self.document.mistake_at(spot, trail, flaw.message, flaw.suggestion))
        for use in compiled.names:
            complaint = self._unknown(use.parts)
            if complaint is not None:
                spot = self.document.find(trail, str(use), use.line)
                self.mistakes.append(self.document.mistake_at(spot, trail, *complaint))
        spot = self.document.content_spot(trail)
        return Expression(text, Place(self.document.file, spot.line, spot.column))

    def _unknown(self, parts: tuple[str, ...]) -> tuple[str, str | None] | None:
        if parts[0] not in _SEEN:
            return f"there is no `{parts[0]}` in an audience", f"there are {listed(_SEEN)}"
        known = self._events.contact_names() if self._events is not None else frozenset()
        if parts[0] != "contact" or len(parts) == 1 or not known or parts[1] in known:
            return None
        near = closest(parts[1], known)
        return f"`contact` has no `{parts[1]}`", near.replace("`", "`contact.", 1) if near else None

    def _find(self, trail: Trail, raw: Any) -> dict[str, tuple[PollFilter, ...]]:
        if not isinstance(raw, dict) or not raw:
            self._say(
                trail, f"expected CRMs with conditions (hubspot: [lifecyclestage = customer]), found {spoken(raw)}"
            )
            return {}
        return {crm: self._conditions((*trail, crm), crm, items) for crm, items in raw.items()}

    def _conditions(self, trail: Trail, crm: str, items: Any) -> tuple[PollFilter, ...]:
        known = self._events.by_crm if self._events is not None else {}
        if known and crm not in known:
            self._say(trail, f"there is no CRM {quoted(crm)}: known are {listed(known)}", closest(crm, known), key=True)
        if not isinstance(items, list) or not items:
            self._say(trail, f"expected a list of conditions ([lifecyclestage = customer]), found {spoken(items)}")
            return ()
        read = [self._condition((*trail, number), item) for number, item in enumerate(items)]
        return tuple(each for each in read if each is not None)

    def _condition(self, trail: Trail, item: Any) -> PollFilter | None:
        try:
            return parse_condition(item if isinstance(item, str) else spoken(item))
        except ValueError as exc:
            self._say(trail, str(exc))
            return None

    def _say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        self.mistakes.append(self.document.mistake(trail, message, suggestion, key=key))
