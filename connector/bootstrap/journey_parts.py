"""Which use cases take people through journeys, and put journeys in service?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import cached_property

import structlog

from connector.adapters.codes import HMACCodes
from connector.adapters.journey_files import journey_from_source
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.public_holidays import PublicHolidays
from connector.adapters.store.reports import SQLJourneyFigures
from connector.bootstrap.outside import Outside
from connector.domain.journey import Journey
from connector.errors import ConfigurationError, CRMError
from connector.ports.ledger import AccountRow
from connector.services.audience_listing import AudienceLister
from connector.services.backfill import BackFill
from connector.services.backtest import Past, Period
from connector.services.enrolling import Enroller
from connector.services.event_recording import EventRecorder
from connector.services.events import EventReader
from connector.services.freshness import Freshener
from connector.services.journey_report import JourneyReporter
from connector.services.journeys import JourneyRunner
from connector.services.links import LinkWriter
from connector.services.moving_people import Mover
from connector.services.needed_events import NeededEvents
from connector.services.polling import Poller
from connector.services.publications import Word
from connector.services.publishing import Publisher
from connector.services.schedules import Schedules
from connector.services.splits import SplitJudge
from connector.services.standing import Comparer
from connector.services.stepper_building import StepperParts, build_stepper

log = structlog.get_logger(__name__)


class JourneyParts(Outside):
    """Everything about journeys."""

    @cached_property
    def _enroller(self) -> Enroller:
        return Enroller(self.versions, self._renderer, self.ledger.new_id)

    @cached_property
    def events(self) -> EventReader:
        """Understands CRM events and enrolls."""
        recorder = EventRecorder(self.catalogue, self._enroller, self._keeper)
        return EventReader(self.ledger, self.crms, self.catalogue, self._crm_reader, recorder, self.clock, self.rng)

    @cached_property
    def journeys(self) -> JourneyRunner:
        """Advances enrollments."""
        stepper = build_stepper(
            StepperParts(
                reader=lambda _journey, source: journey_from_source(source),
                renderer=self._renderer,
                calendar=PublicHolidays(),
                codes=HMACCodes(self.settings.secret_keys),
                compliance=self._compliance,
                catalogue=self.catalogue,
                enroller=self._enroller,
                consent=self._consent,
                default_gateway=self.settings.gateway,
                new_id=self.ledger.new_id,
                book=self.gateway_book,
                routes=self._routes,
                courtesies=self._courtesies,
                links=LinkWriter(self.settings.link_url or self.settings.public_url, secrets.randbelow),
            )
        )
        freshener = Freshener(self.ledger, self.catalogue, self._crm_reader, self._keeper, self.clock)
        return JourneyRunner(self.ledger, freshener, stepper, self.clock, self.rng)

    @property
    def _courtesies(self) -> frozenset[str]:
        """Words that change nothing around a keyword; none while their file has a mistake, which `check` tells."""
        try:
            return load_keyword_book(self.settings.mappings_dir / "keywords.yaml").courtesies()
        except ConfigurationError as error:
            log.error("courtesies.unreadable", mistakes=str(error).count("\n") + 1)
            return frozenset()

    @cached_property
    def _needed_events(self) -> NeededEvents:
        return NeededEvents(self.versions, self.clock)

    @cached_property
    def poller(self) -> Poller:
        """Looks for what no webhook tells."""
        return Poller(self.ledger, self.crms, self.catalogue, self._needed_events, self.clock, self.rng)

    @cached_property
    def backfill(self) -> BackFill:
        """Looks for what webhooks missed."""
        return BackFill(self.ledger, self.crms, self.catalogue, self._needed_events, self.clock, self.rng)

    @cached_property
    def schedules(self) -> Schedules:
        """Starts journeys whose time has come."""
        return Schedules(self.ledger, self.versions, self.clock)

    @cached_property
    def audiences(self) -> AudienceLister:
        """Finds out for whom."""
        return AudienceLister(self.ledger, self.crms, self.versions, self.clock, self.rng)

    @cached_property
    def split_judge(self) -> SplitJudge:
        """Promotes the winners of splits."""
        return SplitJudge(self.ledger, self.versions, self.clock)

    @cached_property
    def publisher(self) -> Publisher:
        """Puts journeys in service."""
        return Publisher(self.ledger, self.versions, Mover(self.versions), self.clock)

    @cached_property
    def comparer(self) -> Comparer:
        """Compares journey files with what is in service."""
        return Comparer(self.ledger, self.versions)

    def publish_first(self, account_id: str) -> Sequence[str]:
        """Let an account that never published anything start with the files; give the journeys that take people in."""
        files = self.journey_files()
        outcomes = self.publisher.publish_first(account_id, files, "the connector, for a new account")
        published = [outcome.journey for outcome in outcomes if outcome.word is Word.PUBLISHED]
        return [journey for journey in published if files.journeys[journey].enabled]

    def in_service(self, account_id: str) -> Mapping[str, Journey]:
        """Give the journeys that take people in for an account, by id."""
        with self.ledger.begin(write=False) as uow:
            return {name: each.journey for name, each in self.versions.in_service(uow, account_id).items()}

    def past(self, account: AccountRow, period: Period) -> Past:
        """Give an account's past, to be played; owners are asked for in the CRM, and have no names if it is away."""
        try:
            owners = self._crm_reader.owners(account)
        except CRMError as error:
            log.warning("backtest.without_owners", account_id=account.id, status=error.status)
            owners = {}
        return Past(self.ledger, account, self.crms[account.crm], self.catalogue, period, owners)

    @cached_property
    def journey_reports(self) -> JourneyReporter:
        """Tells how journeys fare."""
        return JourneyReporter(self.ledger, SQLJourneyFigures(self.ledger.engine), self.versions, self.clock)
