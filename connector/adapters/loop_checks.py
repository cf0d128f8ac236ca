"""Can journeys start each other round and round, with nothing between two rounds that lets time pass?

Such a loop would text a person until a cap stops it. A journey starts another one with `enroll`, or by writing the very
property whose change starts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.adapters.flow_checks import ends, ways_of
from connector.adapters.mistake_places import at_step
from connector.domain.errands import EnrollIn, SetValues
from connector.domain.event_mapping import EventCatalogue, EventMapping, OnChange
from connector.domain.journey import Again, Journey
from connector.domain.steps import Confirm, Step, Verify, Wait, WaitFor
from connector.domain.webhook_sources import OnWebhook
from connector.errors import Mistake

_LETS_IN = frozenset({Again.ALWAYS, Again.AFTER_EXIT})
"""Rules under which the same person enters a second time at once; with the others a loop ends by itself."""


@dataclass(frozen=True, slots=True)
class _Start:
    """A step that is reached without a wait and starts another journey."""

    step: Step
    journey: str
    is_sure: bool


def loop_mistakes(journeys: Mapping[str, Journey], catalogue: EventCatalogue) -> dict[str, list[Mistake]]:
    """Give the loops without a wait, by the id of the journey whose step closes one.

    A loop of `enroll` steps alone is a mistake of every journey in it; one that leads through a CRM property is a
    warning, since the CRM tells of no change when the property has that value already.
    """
    starts = {name: tuple(_starts(journey, journeys, catalogue)) for name, journey in journeys.items()}
    found: dict[str, list[Mistake]] = {}
    for name in journeys:
        for start in starts[name]:
            way = _way_back(start, name, starts)
            if way is not None:
                found.setdefault(name, []).append(_mistake(start, name, way))
    return found


def _mistake(start: _Start, name: str, way: tuple[_Start, ...]) -> Mistake:
    is_sure = all(each.is_sure for each in (start, *way))
    by_enroll = "enroll" if start.is_sure else "a property that starts"
    if start.journey == name:
        message = f"starts this journey again, by {by_enroll} `{name}`, with no wait before it: an endless loop"
    else:
        round_trip = " → ".join([name, start.journey, *(each.journey for each in way)])
        message = f"is part of an endless loop without a wait: {round_trip}"
    hint = "put a `wait` before it, or write `enroll: {again: never}`"
    return at_step(start.step, message, hint, severity="error" if is_sure else "warning")


def _way_back(start: _Start, home: str, starts: Mapping[str, tuple[_Start, ...]]) -> tuple[_Start, ...] | None:
    """Give a shortest way from a start back home; empty when it leads there by itself, None when there is none."""
    ways: list[tuple[str, tuple[_Start, ...]]] = [(start.journey, ())]
    seen = {start.journey}
    for place, way in ways:
        if place == home:
            return way
        for further in starts.get(place, ()):
            if further.journey not in seen:
                seen.add(further.journey)
                ways.append((further.journey, (*way, further)))
    return None


def _starts(journey: Journey, journeys: Mapping[str, Journey], catalogue: EventCatalogue) -> Iterator[_Start]:
    for step in _at_once(journey.steps):
        if isinstance(step, EnrollIn):
            other = journeys.get(step.journey)
            if other is not None and other.enroll.again in _LETS_IN:
                yield _Start(step, other.id, is_sure=True)
        elif isinstance(step, SetValues):
            for other in journeys.values():
                if other.enroll.again in _LETS_IN and _writes_trigger(step, journey, other, catalogue):
                    yield _Start(step, other.id, is_sure=False)


def _at_once(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Give every step that some way through a journey reaches before anything is waited for."""
    for step in steps:
        if _waits(step):
            if step.when is None:
                return
            continue
        yield step
        for way in ways_of(step):
            yield from _at_once(way)
        if ends(step) or (ways_of(step) and step.when is None and all(_stops(way) for way in ways_of(step))):
            return


def _stops(way: tuple[Step, ...]) -> bool:
    """Tell whether a list of steps surely waits or ends, so that what follows it is not reached at once."""
    return any(
        step.when is None
        and (_waits(step) or ends(step) or (bool(ways_of(step)) and all(_stops(inner) for inner in ways_of(step))))
        for step in way
    )


def _waits(step: Step) -> bool:
    """Tell whether time passes at a step: of an `at` only when it is a distance from the trigger."""
    return isinstance(step, Wait | WaitFor | Verify | Confirm) or (step.at is not None and bool(step.at.offset))


def _writes_trigger(step: SetValues, journey: Journey, other: Journey, catalogue: EventCatalogue) -> bool:
    """Tell whether a step writes a property whose change starts a journey."""
    return any(
        isinstance(wanted.source, OnChange)
        and wanted.source.object_type == value.record
        and wanted.source.property_name == property_of(catalogue, mapping, wanted.crm, value.record, value.name)
        for value in step.properties
        for mapping in catalogue.find(journey.trigger.event, journey.crm)
        for wanted in catalogue.find(other.trigger.event, _crm_of(mapping))
        if isinstance(wanted.source, OnChange) and wanted.source.property_name is not None
    )


def _crm_of(mapping: EventMapping) -> str | None:
    """Give the one CRM whose accounts have an event; None for a webhook's, which those of every CRM have."""
    return None if isinstance(mapping.source, OnWebhook) else mapping.crm


def property_of(catalogue: EventCatalogue, mapping: EventMapping, crm: str, record: str, name: str) -> str | None:
    """Give the CRM's property behind `record.name` in a journey that starts on an event; None when none is read."""
    if record == "contact":
        return catalogue.by_crm[crm].contact.attributes.get(name)
    field = mapping.read.get(record, {}).get(name)
    return None if field is None else field.property_name
