"""What is different between two versions of a journey?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff

from connector.domain.journey import Journey
from connector.domain.step_matching import content, counterparts
from connector.domain.steps import Split, Step, texts_sent, walk

_NO_HEADER = frozenset({"steps", "hash", "source", "file", "trigger", "enroll"})
"""Of a journey's fields, those that are told elsewhere or mean nothing to whoever reads the difference."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was.

    Attributes:
        what: `added`, `removed`, `changed` or `moved`.
        where: a header key such as `trigger.where`, or a step's id.
        name: of a changed step, the option that changed; else empty.
        old: as it was; empty for nothing.
        new: as it is.
    """

    what: str
    where: str
    name: str = ""
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True)
class Differences:
    """What is not as it was.

    Attributes:
        texts: by template file, the lines of a unified difference.
        retold: by the id of a split, the arms that say something else now; what was counted for them, and a winner,
            is about what they said before.
    """

    header: tuple[Change, ...]
    steps: tuple[Change, ...]
    texts: Mapping[str, tuple[str, ...]]
    retold: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever publishes this should know, a sentence each."""
        return tuple(
            f"split {split}: {', '.join(arms)} would say something else, but what was counted and who has won stays; "
            "give the split a new id to begin anew"
            for split, arms in self.retold.items()
        )

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.header or self.steps or self.texts)


def differences(old: Journey, new: Journey) -> Differences:
    """Compare two versions of a journey; where things stand in the file does not count."""
    header, steps = tuple(_changed(_header(old), _header(new))), tuple(_steps(old, new))
    return Differences(header, steps, _texts(old, new), _retold(old, new))


def _header(journey: Journey) -> dict[str, str]:
    told = {name: text for name, text in content(journey).items() if name not in _NO_HEADER}
    for part in ("trigger", "enroll"):
        told |= {f"{part}.{name}": text for name, text in content(getattr(journey, part)).items()}
    return told


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        if old.get(name, "") != new.get(name, ""):
            yield Change("changed", name, "", old.get(name, ""), new.get(name, ""))


def _steps(old: Journey, new: Journey) -> Iterator[Change]:
    pairs = counterparts(old, new)
    before, after = ({step.path: step for step in walk(journey.steps)} for journey in (old, new))
    for path, step in before.items():
        if path not in pairs:
            yield Change("removed", step.id, old=_summary(step))
        else:
            yield from _step(step, after[pairs[path]])
    kept = set(pairs.values())
    yield from (Change("added", step.id, new=_summary(step)) for path, step in after.items() if path not in kept)


def _step(old: Step, new: Step) -> Iterator[Change]:
    if type(old) is not type(new):
        yield Change("changed", new.id, "kind", _summary(old), _summary(new))
        return
    for change in _changed(content(old), content(new)):
        yield Change("changed", new.id, change.where, change.old, change.new)
    if old.path != new.path:
        yield Change("moved", new.id, "", old.path, new.path)


def _summary(step: Step) -> str:
    """Give the kind of a step and the first thing it says."""
    kind = type(step).__name__
    said = next((text for text in content(step).values() if text), "")
    return f"{kind}: {said}" if said else kind


def _texts(old: Journey, new: Journey) -> dict[str, tuple[str, ...]]:
    return {
        path: tuple(
            unified_diff(
                old.templates.get(path, "").splitlines(),
                new.templates.get(path, "").splitlines(),
                "published",
                "file",
                lineterm="",
            )
        )
        for path in sorted({*old.templates, *new.templates})
        if old.templates.get(path) != new.templates.get(path)
    }


def _retold(old: Journey, new: Journey) -> dict[str, tuple[str, ...]]:
    before, after = (
        {step.id: step for step in walk(journey.steps) if isinstance(step, Split)} for journey in (old, new)
    )
    found = {split: _changed_arms(old, before[split], new, after[split]) for split in before if split in after}
    return {split: arms for split, arms in found.items() if arms}


def _changed_arms(old: Journey, before: Split, new: Journey, after: Split) -> tuple[str, ...]:
    said = {arm.name: _said(old, arm.then) for arm in before.arms}
    return tuple(arm.name for arm in after.arms if arm.name in said and said[arm.name] != _said(new, arm.then))


def _said(journey: Journey, steps: tuple[Step, ...]) -> list[tuple[str, ...]]:
    """Give the texts of some steps and of those below them, each in every language it has."""
    return [
        tuple(text for path, text in sorted(journey.templates.items()) if path.partition(".")[0] == send.template)
        if send.text is None
        else (send.text.source,)
        for step in walk(steps)
        for send in texts_sent(step)
    ]
