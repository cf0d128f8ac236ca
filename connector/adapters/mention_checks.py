"""Does everything exist that a journey file names and that stands elsewhere: events, windows, channels, properties?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from connector.adapters.journey_names import JourneyNames
from connector.adapters.journey_uses import ChannelUse, PropertyUse, Uses
from connector.adapters.mistake_places import at_step
from connector.adapters.yaml_file import Document, Trail
from connector.adapters.yaml_shapes import closest, listed, quoted
from connector.domain.errands import EnrollIn
from connector.domain.event_mapping import EventCatalogue, EventMapping, FieldSource, ValueKind
from connector.domain.journey import Journey
from connector.domain.send_window import ANYTIME
from connector.domain.steps import walk
from connector.domain.webhook_sources import OnWebhook
from connector.errors import Mistake
from connector.ports.channels import ChannelKind

_CONTACT = "contact"


def mention_mistakes(document: Document, uses: Uses, names: JourneyNames) -> Iterator[Mistake]:
    """Give every name of something else that does not exist, or will not do; what is not known is not checked."""
    world = names.world
    windows = None if world.windows is None else {ANYTIME.name, *world.windows}
    events = [(use.name, use.trail) for use in uses.events]
    yield from unknown(document, events, world.catalogue.names(names.crm), "no event is named {}")
    yield from unknown(document, uses.windows, windows, "no send window is named {}")
    yield from unknown(document, uses.routes, world.routes, "no route is named {}")
    yield from unknown(document, uses.journeys, world.journeys, "no journey is named {}")
    for channel in uses.channels if world.channels is not None else ():
        yield from _channel(document, channel, world.channels or {})
    for written in uses.properties:
        yield from _property(document, written, names)


def unknown(
    document: Document, uses: Collection[tuple[str, Trail]], known: Collection[str] | None, message: str
) -> Iterator[Mistake]:
    """Give the uses of names that are not among the known ones; nothing when it is not known which there are."""
    for name, trail in uses if known is not None else ():
        if known is not None and name not in known:
            there = f"there are {listed(sorted(known))}" if known else "there are none yet"
            yield document.mistake(trail, message.format(quoted(name)), closest(name, known) or there)


def _channel(document: Document, use: ChannelUse, channels: Mapping[str, ChannelKind]) -> Iterator[Mistake]:
    fitting = [name for name, kind in channels.items() if kind in use.kinds]
    what = "endpoint" if use.kinds == (ChannelKind.ENDPOINT,) else "channel"
    if use.name not in channels:
        yield from unknown(document, [(use.name, use.trail)], fitting, f"no {what} is named {{}}")
    elif use.name not in fitting:
        message = f"the channel {quoted(use.name)} is of kind {channels[use.name]}: expected {listed(use.kinds)}"
        yield document.mistake(use.trail, message, f"there are {listed(sorted(fitting))}" if fitting else None)


def _property(document: Document, use: PropertyUse, names: JourneyNames) -> Iterator[Mistake]:
    if use.record != _CONTACT and not names.knows_trigger:
        return
    catalogue = names.world.catalogue
    mappings = catalogue.find(names.event, names.crm)
    known = _readable(use.record, catalogue, names)
    name = f"{use.record}.{use.name}"
    if use.name not in known:
        if not known:
            what = f"this journey has no record `{use.record}` to write to"
            there = listed(sorted({_CONTACT, *(record for mapping in mappings for record in mapping.read)}))
            yield document.mistake(use.trail, what, f"there are {there}", key=True)
            return
        near = (closest(use.name, known) or "").replace("`", f"`{use.record}.", 1)
        message = f"no event file reads `{name}`, so it cannot be written"
        yield document.mistake(use.trail, message, near or f"there are {listed(sorted(known))}", key=True)
    elif use.record == _CONTACT and (parts := _joined(use.name, catalogue, names)):
        yield document.mistake(use.trail, f"`{name}` is put together of others", f"write {listed(parts)}", key=True)
    elif use.record != _CONTACT and all(isinstance(mapping.source, OnWebhook) for mapping in mappings):
        message = f"`{name}` comes with a webhook and is no property of the CRM, so it cannot be written"
        yield document.mistake(use.trail, message, "write a property of the contact", key=True)
    elif any(_is_label(mapping, use) for mapping in mappings):
        message = f"`{name}` is the stage's name as people see it, which cannot be written"
        yield document.mistake(use.trail, message, _plain_stage(mappings, use), key=True)


def _readable(record: str, catalogue: EventCatalogue, names: JourneyNames) -> Collection[str]:
    if record == _CONTACT:
        return catalogue.contact_names(names.crm) - {"id"}
    return catalogue.records(names.event, names.crm).get(record, {})


def _joined(name: str, catalogue: EventCatalogue, names: JourneyNames) -> tuple[str, ...]:
    crms = [events for crm, events in catalogue.by_crm.items() if names.crm in {None, crm}]
    return next((events.contact.joined[name] for events in crms if name in events.contact.joined), ())


def _is_label(mapping: EventMapping, use: PropertyUse) -> bool:
    source = mapping.read.get(use.record, {}).get(use.name)
    return isinstance(source, FieldSource) and source.kind is ValueKind.PIPELINE


def _plain_stage(mappings: Collection[EventMapping], use: PropertyUse) -> str | None:
    """Give the name under which the same property is read as it is, if it is read so."""
    for mapping in mappings:
        reads = mapping.read.get(use.record, {})
        label = reads[use.name].property_name
        for name, source in reads.items():
            if source.property_name == label and source.kind is ValueKind.TEXT:
                return f"write `{use.record}.{name}`, the stage's id in the CRM"
    return None


def enroll_mistakes(journeys: Mapping[str, Journey], catalogue: EventCatalogue) -> dict[str, list[Mistake]]:
    """Warn of `enroll` steps whose journey reads records that this one does not have, by the id of this one."""
    found: dict[str, list[Mistake]] = {}
    for journey in journeys.values():
        here = set(catalogue.records(journey.trigger.event, journey.crm))
        for step in walk(journey.steps):
            other = journeys.get(step.journey) if isinstance(step, EnrollIn) else None
            if other is None:
                continue
            lacks = set(catalogue.records(other.trigger.event, other.crm)) - here - {_CONTACT}
            if lacks:
                message = f"{quoted(other.id)} reads {listed(sorted(lacks))}, which this journey does not have"
                hint = f"it starts on {other.trigger.event}"
                found.setdefault(journey.id, []).append(at_step(step, message, hint, severity="warning"))
    return found
