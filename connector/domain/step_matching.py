"""Which step of one version of a journey is which step of another, and what does each one say in words?

A step with an id of its own is the one with that id. The others are told apart by what they say and by their place
among the rest, so that a step put in before them changes nothing about them.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import time, timedelta
from difflib import SequenceMatcher
from enum import Enum
from typing import Any

from connector.domain.durations import format_duration
from connector.domain.journey import Journey
from connector.domain.places import Expression, Place, Text
from connector.domain.steps import Step, walk

_NOT_TOLD = frozenset({"id", "path", "place"})


def counterparts(old: Journey, new: Journey) -> Mapping[str, str]:
    """Give the path in the new version of every step of the old one that is still there, by its path in the old one."""
    before, after = list(walk(old.steps)), list(walk(new.steps))
    shared = {step.id for step in before if has_own_id(step)} & {step.id for step in after if has_own_id(step)}
    by_id = {step.id: step.path for step in after}
    pairs = {step.path: by_id[step.id] for step in before if step.id in shared}
    for one, two in _side_by_side(before, after, shared):
        if not shared & {one.id, two.id} and type(one) is type(two):
            pairs[one.path] = two.path
    taken = set(pairs.values())
    places = {(step.path, type(step)) for step in after if step.path not in taken and step.id not in shared}
    return {step.path: step.path for step in before if (step.path, type(step)) in places} | pairs


def _side_by_side(
    before: Sequence[Step], after: Sequence[Step], shared: Collection[str]
) -> Iterator[tuple[Step, Step]]:
    """Give the steps that say the same in the same order, and those between two such that changed one for one."""
    keys, other_keys = ([_key(step, shared) for step in steps] for steps in (before, after))
    for word, start, end, other, other_end in SequenceMatcher(None, keys, other_keys, autojunk=False).get_opcodes():
        if word == "equal" or (word == "replace" and end - start == other_end - other):
            yield from zip(before[start:end], after[other:other_end], strict=True)


def has_own_id(step: Step) -> bool:
    """Tell whether a step has an id that is not just its place in the file."""
    return step.id != step.path


def _key(step: Step, shared: Collection[str]) -> Hashable:
    return step.id if step.id in shared else (type(step).__name__, *content(step).items())


def content(thing: Any) -> dict[str, str]:
    """Give what a step, or a journey's header, says in words, by field; nothing about steps below it."""
    return {
        field.name: told(value)
        for field in fields(thing)
        if field.name not in _NOT_TOLD and not _holds_steps(value := getattr(thing, field.name))
    }


def _holds_steps(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Step)


def told(value: Any) -> str:  # noqa: PLR0911 - a kind of value per line
    """Give a value as an admin would write it, without its place in the file; empty for nothing."""
    if value is None or isinstance(value, Place):
        return ""
    if isinstance(value, Expression | Text):
        return value.source
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {told(each)}" for name, each in value.items())
    if isinstance(value, list | tuple | frozenset):
        return ", ".join(filter(None, (told(each) for each in value if not isinstance(each, Step))))
    if is_dataclass(value) and type(value).__str__ is object.__str__:
        return ", ".join(f"{name}: {text}" for name, text in content(value).items() if text)
    return str(value)
