"""Which field of a JSON request would a strict vendor refuse, and why?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldRule:
    """One field: its JSON types, how long a text may be or between what a number lies, which words it may be."""

    name: str
    kinds: tuple[type, ...] = (str,)
    is_required: bool = False
    most: int | None = None
    least: int | None = None
    words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FieldMistake:
    """The field that is wrong, and `unknown`, `missing`, `type` or `value`."""

    name: str
    kind: str


def first_mistake(body: Mapping[str, Any], rules: Sequence[FieldRule]) -> FieldMistake | None:
    """The first mistake in `body`, None when there is none; null counts as absent."""
    known = {rule.name for rule in rules}
    unknown = next((name for name in body if name not in known), None)
    if unknown is not None:
        return FieldMistake(unknown, "unknown")
    found = (_mistake(rule, body.get(rule.name)) for rule in rules)
    return next((mistake for mistake in found if mistake), None)


def _mistake(rule: FieldRule, value: Any) -> FieldMistake | None:
    if value is None:
        return FieldMistake(rule.name, "missing") if rule.is_required else None
    if not isinstance(value, rule.kinds) or (isinstance(value, bool) and bool not in rule.kinds):
        return FieldMistake(rule.name, "type")
    size = _size(value)
    is_outside = (rule.most is not None and size > rule.most) or (rule.least is not None and size < rule.least)
    if is_outside or (rule.words and value not in rule.words):
        return FieldMistake(rule.name, "value")
    return None


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else int(value)
