"""Of which parts is what takes enrollments forward made?

One place for production, simulation and backtest: they differ in their ledger and their clock, and in nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connector.domain.compliance import Compliance
from connector.domain.event_mapping import EventCatalogue
from connector.domain.gateway_book import GatewayBook
from connector.ports.calendar import Calendar
from connector.ports.codes import Codes
from connector.ports.rendering import JourneyReader, Renderer
from connector.services.acting import Actor
from connector.services.consent import ConsentDesk
from connector.services.double_opt_in import DoubleOptIn
from connector.services.effect_making import EffectMaker
from connector.services.enrolling import Enroller
from connector.services.enrolling_onwards import Onwards
from connector.services.enrollment_stepping import EnrollmentStepper
from connector.services.journey_surroundings import SurroundingsReader
from connector.services.links import LinkWriter
from connector.services.message_making import MessageMaker
from connector.services.message_queueing import MessageQueuer
from connector.services.note_making import NoteMaker
from connector.services.performing import Performer
from connector.services.property_setting import PropertySetter
from connector.services.task_making import TaskMaker


@dataclass(frozen=True, slots=True)
class StepperParts:
    """What the outside gives.

    Attributes:
        default_gateway: for accounts that name none.
        book: what holds for texts to each country.
        routes: gateway by the name of its route, of those in use.
        courtesies: words around a reply's keyword that change nothing.
        links: makes the short links in texts; None where none are kept.
    """

    reader: JourneyReader
    renderer: Renderer
    calendar: Calendar
    codes: Codes
    compliance: Compliance
    catalogue: EventCatalogue
    enroller: Enroller
    consent: ConsentDesk
    default_gateway: str
    new_id: Callable[[], str]
    book: GatewayBook = field(default_factory=GatewayBook)
    routes: Mapping[str, str] = field(default_factory=dict)
    courtesies: frozenset[str] = frozenset()
    links: LinkWriter | None = None


def build_stepper(parts: StepperParts) -> EnrollmentStepper:
    """Put the parts together."""
    renderer, new_id = parts.renderer, parts.new_id
    surroundings = SurroundingsReader(renderer, parts.calendar, parts.codes, parts.compliance, parts.courtesies)
    maker = MessageMaker(renderer, parts.default_gateway, new_id, parts.routes, parts.links, parts.book)
    texts = MessageQueuer(maker, new_id)
    performer = Performer(
        texts,
        TaskMaker(renderer, new_id),
        NoteMaker(renderer, new_id),
        PropertySetter(renderer, parts.catalogue, new_id),
        EffectMaker(renderer, new_id),
        Onwards(parts.enroller),
        surroundings,
    )
    actor = Actor(texts, performer, DoubleOptIn(parts.consent, new_id))
    mappings = {crm: events.contact for crm, events in parts.catalogue.by_crm.items()}
    return EnrollmentStepper(parts.reader, surroundings, actor, mappings)
