"""How is it told what a publication would change, and what becomes of people in flight?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.domain.differences import Change
from connector.services.standing import Comparison, Standing


@dataclass(frozen=True, slots=True)
class MovingWords:
    """How it is told where people in flight would go, `{}` being the place, and that there is no such place."""

    goes: str
    stays: str


BY_COMMAND = MovingWords(
    "with --move they go to {}", "--move all leaves them there; --move OLD=NEW can take them along"
)
ON_A_PAGE = MovingWords("taken along, they go to {}", "they stay there, whoever is taken along")


def comparison_lines(each: Comparison, whose: str, moving: MovingWords = BY_COMMAND) -> Iterator[str]:
    """Tell what publishing a journey would change, line by line; `whose` names the account."""
    title = f"{each.journey} in {whose}"
    if each.differences is None:
        yield f"{title}: not in service; publishing it would put it in"
    elif not each.differences:
        yield f"{title}: as published (version {each.version})"
    else:
        yield f"{title}: differs from version {each.version}"
        yield from (f"  {line}" for change in each.differences.header for line in _change(change))
        yield from (f"  {line}" for change in each.differences.steps for line in _change(change, "step "))
        for path, lines in each.differences.texts.items():
            yield f"  text {path}"
            yield from (f"    {line}" for line in lines[2:])
        yield from (f"  warning: {warning}" for warning in each.differences.warnings)
    yield from _people(each.standing, moving)


def _change(change: Change, prefix: str = "") -> Iterator[str]:
    if change.what in {"added", "removed"}:
        yield f"{prefix}{change.where}: {change.what} ({change.new or change.old})"
        return
    what = f" {change.name}" if change.name else " moved in the file" if change.what == "moved" else ""
    yield f"{prefix}{change.where}:{what}"
    yield f"    - {change.old or '(nothing)'}"
    yield f"    + {change.new or '(nothing)'}"


def _people(standing: Sequence[Standing], moving: MovingWords) -> Iterator[str]:
    for each in standing:
        people = "1 person stands" if each.people == 1 else f"{each.people} people stand"
        fate = moving.stays if each.moves_to is None else moving.goes.format(each.moves_to or "the beginning")
        where = f"at {each.step}" if each.step else "before the first step"
        yield f"  {people} {where} of version {each.version} and finish on it; {fate}"
