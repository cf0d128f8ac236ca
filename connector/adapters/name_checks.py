"""Does every name in a condition or text exist where it stands?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.adapters.jinja_syntax import Compiled, NameUse
from connector.adapters.yaml_file import Document, Trail
from connector.adapters.yaml_shapes import closest, listed
from connector.errors import ConditionError, Mistake


class _Open:
    """A value whose parts only the outside world knows: what an endpoint answers."""

    def __repr__(self) -> str:
        return "OPEN"


OPEN: Any = _Open()


def unknown_names(
    compiled: Compiled, names: Mapping[str, Any], *, knows_records: bool
) -> Iterator[tuple[NameUse, str, str | None]]:
    """Give each name that does not exist, what to say about it, and a did-you-mean.

    Without the trigger's event (`knows_records` is False) a first part nobody knows may be one of its records.
    """
    for use in compiled.names:
        value: Any = names
        for depth, part in enumerate(use.parts):
            if not isinstance(value, Mapping):
                break
            if part in value:
                value = value[part]
                continue
            if depth or knows_records or part in _SOMEWHERE:
                yield use, *_no_such_name(use, depth, value)
            break


def flaws(
    document: Document, compiled: Compiled, names: Mapping[str, Any], trail: Trail, *, knows_records: bool
) -> Iterator[Mistake]:
    """Give what is wrong in how a condition or text of the journey file is written, at its exact place."""
    for flaw in compiled.flaws:
        spot = document.find(trail, flaw.words, flaw.line)
        yield document.mistake_at(spot, trail, flaw.message, flaw.suggestion)
    for use, message, hint in unknown_names(compiled, names, knows_records=knows_records):
        yield document.mistake_at(document.find(trail, str(use), use.line), trail, message, hint)


def is_open(compiled: Compiled, names: Mapping[str, Any]) -> bool:
    """Tell whether a condition or text reads something that nobody knows before an endpoint has answered."""
    for use in compiled.names:
        value: Any = names
        for part in use.parts:
            value = value.get(part) if isinstance(value, Mapping) else value
        if value is OPEN:
            return True
    return False


def without_place(exc: ConditionError) -> str:
    """Give an evaluation's complaint without the place at its end: a mistake has its own."""
    return str(exc).rpartition(" (")[0] or str(exc)


_SOMEWHERE: Mapping[str, str] = {
    "event": "`event` is known only where an event is looked at: in `exit_when` and in cases with `event`",
    "code": "`code` is known only in the text of a `verify`, and of a `confirm` with `code`",
}
"""Names that exist in some places only, and what to say elsewhere."""


def _no_such_name(use: NameUse, depth: int, known: Mapping[str, Any]) -> tuple[str, str | None]:
    wrong, before = use.parts[depth], ".".join(use.parts[:depth])
    if depth == 0 and wrong in _SOMEWHERE:
        return _SOMEWHERE[wrong], None
    near = closest(wrong, known)
    if near and before:
        near = near.replace("`", f"`{before}.", 1)
    there = f"there are {listed(sorted(known))}" if known else None
    message = f"`{before}` has no `{wrong}`" if before else f"there is no `{wrong}`"
    return message, near or there
