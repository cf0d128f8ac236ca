"""Which services play a simulation or a backtest, and on what?

The same as in production, put together over a ledger in memory, a clock that is set, and nothing outside.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from connector.adapters.codes import HMACCodes
from connector.adapters.compliance_file import load_compliance
from connector.adapters.event_files import load_events
from connector.adapters.gateway_file import load_gateways
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.memory.ledger import MemoryLedger
from connector.adapters.public_holidays import PublicHolidays
from connector.adapters.rendering import Renderer
from connector.domain.compliance import Compliance
from connector.domain.consent import KeywordBook
from connector.domain.errands import EnrollIn
from connector.domain.event_mapping import EventCatalogue
from connector.domain.gateway_book import GatewayBook, Rate
from connector.domain.journey import Journey
from connector.domain.steps import walk
from connector.ports.enrollments import PublicationAction, PublicationRow
from connector.ports.messages import MessageRow
from connector.ports.queue import Bucket
from connector.ports.rendering import JourneyReader
from connector.services.backtest import PAGE, Past, Progress, replay
from connector.services.backtest_report import BacktestReport, Played, compare, starts_not_played, summarise
from connector.services.consent import ConsentDesk
from connector.services.effect_outcomes import EffectRecorder
from connector.services.effect_permission import EffectDesk
from connector.services.enrolling import Enroller
from connector.services.event_noting import EventNoter
from connector.services.journey_versions import JourneyVersions
from connector.services.links import LinkDesk, LinkWriter
from connector.services.rehearsal import Company, Rehearsal, VirtualClock
from connector.services.replies import ReplyDesk
from connector.services.route_scores import NoScores
from connector.services.send_path import SendPathParts, build_send_path
from connector.services.stepper_building import StepperParts, build_stepper
from connector.services.wakeup import Alarm
from connector.settings import Settings

_NEVER = "never"  # an event no file can declare: for journeys that are there to be enrolled in only
_SECRET = "the codes of a rehearsal are no secret"  # noqa: S105 - and so say the words
_LINKS = "https://sms.example.com"  # as long as addresses of short links usually are
_SEED = 7  # any number: a rehearsal is to give the same twice


@dataclass(frozen=True, slots=True)
class Files:
    """What a rehearsal needs of the files, as they are now."""

    catalogue: EventCatalogue
    keywords: KeywordBook
    compliance: Compliance
    gateways: GatewayBook

    @classmethod
    def read(cls, mappings_dir: Path) -> Files:
        """Read them.

        Raises:
            MappingError: mistakes in one of them.
        """
        return cls(
            load_events(mappings_dir).catalogue,
            load_keyword_book(mappings_dir / "keywords.yaml"),
            load_compliance(mappings_dir / "compliance.yaml"),
            load_gateways(mappings_dir / "gateways.yaml"),
        )


class _NoQueue:
    """Carries no nudges: whoever plays looks for work himself."""

    def nudge(self, lane: str) -> None:
        """Do nothing."""


class _NoLimit:
    """Grants every permit: a rehearsal loads no gateway."""

    def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:  # noqa: ARG002 - the port's shape
        """Grant each."""
        return [True] * len(asked)


def build_company(
    files: Files, journeys: Iterable[Journey], account_id: str, at: datetime, gateway: str, renderer: Renderer
) -> Company:
    """Put the services together over an empty ledger, with journeys in service.

    Args:
        files: what the admin wrote beside journeys.
        journeys: those that take people in.
        account_id: for which account they do.
        at: where the clock stands.
        gateway: the gateway of accounts that name none; its prices count.
        renderer: shared, since it keeps compiled templates.
    """
    ledger, clock = MemoryLedger(), VirtualClock(at)
    in_service = {journey.id: journey for journey in journeys}
    versions = JourneyVersions(_reader(in_service))
    _publish(ledger, in_service, account_id, at)
    consent, rng = ConsentDesk(ledger.new_id), random.Random(_SEED)
    enroller = Enroller(versions, renderer, ledger.new_id)
    stepper = build_stepper(
        StepperParts(
            reader=_reader(in_service),
            renderer=renderer,
            calendar=PublicHolidays(),
            codes=HMACCodes([_SECRET]),
            compliance=files.compliance,
            catalogue=files.catalogue,
            enroller=enroller,
            consent=consent,
            default_gateway=gateway,
            new_id=ledger.new_id,
            book=files.gateways,
            routes=files.gateways.first_gateways(),
            courtesies=files.keywords.courtesies(),
            links=LinkWriter(_LINKS, rng.randrange),
        )
    )
    links, replies = LinkDesk(ledger), ReplyDesk(ledger.new_id, files.keywords, consent)
    send_path = build_send_path(
        SendPathParts(
            ledger=ledger,
            gateways={},
            book=files.gateways,
            usual_gateway=gateway,
            usual_rate=Rate(1.0),
            unreported=frozenset(),
            compliance=files.compliance,
            limiter=_NoLimit(),
            clock=clock,
            rng=rng,
            take_reply=replies.take_reply,
            note_opt_out=consent.note_gateway_opt_out,
            status_url=_no_url,
            in_use=frozenset({gateway, *(name for rule in files.gateways.routes.values() for name in rule.gateways)}),
            scores=NoScores(),
        )
    )
    return Company(
        ledger=ledger,
        clock=clock,
        catalogue=files.catalogue,
        noter=EventNoter(files.catalogue, enroller),
        stepper=stepper,
        claimer=send_path.claimer,
        recorder=send_path.recorder,
        receipts=send_path.receipts,
        replies=replies,
        consent=consent,
        effects=EffectRecorder(rng),
        effect_desk=EffectDesk(files.compliance),
        alarm=Alarm(ledger, _NoQueue(), clock),
        follow=lambda uow, link, now: links.note(uow, link, now, is_person=True),
    )


def with_those_it_enrolls_in(journey: Journey, shelf: Mapping[str, Journey]) -> list[Journey]:
    """Give a journey, switched on, and those its `enroll` steps lead to, which start in no other way."""
    found = {journey.id: replace(journey, enabled=True)}
    to_see = [journey]
    while to_see:
        for step in walk(to_see.pop().steps):
            if isinstance(step, EnrollIn) and step.journey not in found and step.journey in shelf:
                other = shelf[step.journey]
                found[other.id] = replace(other, enabled=True, trigger=replace(other.trigger, event=_NEVER))
                to_see.append(other)
    return list(found.values())


def _reader(journeys: Mapping[str, Journey]) -> JourneyReader:
    """Give the journeys as they are: they have just been read, and need not be made of their source again."""
    return lambda journey_id, _source: journeys[journey_id]


def _publish(ledger: MemoryLedger, journeys: Mapping[str, Journey], account_id: str, at: datetime) -> None:
    with ledger.begin() as uow:
        for journey in journeys.values():
            version = uow.versions.ensure(account_id, journey.id, journey.hash, {}, "rehearsal", at)
            uow.publications.add(
                PublicationRow(
                    ledger.new_id(), account_id, journey.id, version.id, PublicationAction.PUBLISH, "rehearsal", at
                )
            )
        uow.commit()


def _no_url(_gateway: str, _attempt_id: str) -> str:
    return ""


class Backtester:
    """Plays an account's past to a journey as its file says now, and to the version in service.

    Args of the constructor:
        past: what is played.
        shelf: the journeys of the files.
        in_service: the journeys in service for the account.
        settings: for the folders and the gateway.
    """

    def __init__(
        self, past: Past, shelf: Mapping[str, Journey], in_service: Mapping[str, Journey], settings: Settings
    ) -> None:
        self._past, self._shelf, self._in_service, self._settings = past, shelf, in_service, settings
        self._files, self._renderer = Files.read(settings.mappings_dir), Renderer(sample_link="")

    def test(self, edited: Journey, progress: Progress) -> BacktestReport:
        """Play the past; `progress` hears of every page of it."""
        published = self._in_service.get(edited.id)
        plays = [(edited, self._shelf)] + ([(published, self._in_service)] if published is not None else [])
        stages = [self._stage(journey, shelf) for journey, shelf in plays]
        asked = [replace(journey, enabled=True) for journey, _ in plays]
        replayed = replay(self._past, asked, [stage for _, stage in stages], progress)
        played = [
            summarise(company.ledger, {step.path: step.id for step in walk(journey.steps)}, self._price)
            for (journey, _), (company, _) in zip(plays, stages, strict=True)
        ]
        missing = starts_not_played(journey for journey, _ in plays)
        played = self._by_crm_ids(played)
        if published is None:
            return BacktestReport(replayed, played[0], not_played=missing)
        return BacktestReport(replayed, played[0], played[1], compare(*played), missing)

    def _by_crm_ids(self, played: Sequence[Played]) -> list[Played]:
        """Name contacts as the CRM does, so that an admin can look them up."""
        ids = sorted({contact for each in played for contact in each.by_contact})
        known: dict[str, str] = {}
        with self._past.ledger.begin(write=False) as uow:
            for first in range(0, len(ids), PAGE):
                found = uow.contacts.many(self._past.account.id, ids[first : first + PAGE])
                known |= {contact_id: row.crm_id for contact_id, row in found.items()}
        return [
            replace(each, by_contact={known.get(who, who): steps for who, steps in each.by_contact.items()})
            for each in played
        ]

    def _stage(self, journey: Journey, shelf: Mapping[str, Journey]) -> tuple[Company, Rehearsal]:
        account, journeys = self._past.account, with_those_it_enrolls_in(journey, shelf)
        since, gateway = self._past.period.since, self._settings.gateway
        company = build_company(self._files, journeys, account.id, since, gateway, self._renderer)
        with company.ledger.begin() as uow:
            uow.accounts.add(account)
            uow.commit()
        return company, Rehearsal(company, account)

    def _price(self, message: MessageRow) -> tuple[Decimal, str] | None:
        price = self._files.gateways.price(message.gateway, message.segments, message.country)
        return None if price is None else (price.amount, price.currency)
