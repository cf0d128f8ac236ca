"""What does every part of one process's connector stand on: settings, time, ledger, queue, and what the files say?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import redis

from connector.adapters.account_journeys import OwnFiles, check_own, first_mistakes
from connector.adapters.check import CheckReport
from connector.adapters.clock import OffsetClock, SystemClock
from connector.adapters.compliance_file import load_compliance
from connector.adapters.event_files import load_events
from connector.adapters.journey_files import journey_from_source
from connector.adapters.journey_folder import FreshCheck, broken_journeys
from connector.adapters.nudge_thread import NudgeThread
from connector.adapters.redis_server import make_redis
from connector.adapters.rendering import Renderer
from connector.adapters.secrets import Vault
from connector.adapters.store.group_commit import GroupCommit
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.adapters.task_queue import RQTaskQueue
from connector.domain.compliance import Compliance
from connector.domain.event_mapping import EventCatalogue
from connector.domain.journey import Journey
from connector.ports.time import Clock
from connector.services.consent import ConsentDesk
from connector.services.journey_versions import JourneyVersions, is_own
from connector.services.publications import JourneyFiles
from connector.settings import Settings


class Foundations:
    """Built when first asked for, so that each process has what it uses."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rng = random.Random()

    @cached_property
    def clock(self) -> Clock:
        """The time, shifted in development when CLOCK_OFFSET_FILE says so."""
        path = self.settings.clock_offset_file
        return OffsetClock(path) if path else SystemClock()

    @cached_property
    def redis(self) -> redis.Redis:
        """Redis, for nudges, rate limits and locks."""
        return make_redis(self.settings.redis_url, verify_tls=self.settings.redis_verify_tls)

    @cached_property
    def queue(self) -> RQTaskQueue:
        """The carrier of nudges."""
        return RQTaskQueue(self.redis)

    @cached_property
    def ledger(self) -> SQLLedger:
        """The ledger."""
        return SQLLedger(make_engine(self.settings.database_url), Vault(self.settings.secret_keys), self.queue.nudge)

    @cached_property
    def committer(self) -> GroupCommit:
        """Writes for the web process, in a thread of its own; another one nudges after it."""
        return GroupCommit(self.ledger.nudging(NudgeThread(self.queue.nudge)))

    @cached_property
    def catalogue(self) -> EventCatalogue:
        """Which CRM changes make which events."""
        return load_events(self.settings.mappings_dir).catalogue

    @cached_property
    def _check(self) -> FreshCheck:
        return FreshCheck(*self._folders)

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self.settings.mappings_dir, self.settings.templates_dir

    @cached_property
    def versions(self) -> JourneyVersions:
        """Gives journeys as they were published."""
        return JourneyVersions(lambda _journey, source: journey_from_source(source))

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(sample_link="")  # a text that has a short link and cannot get one must not go out

    @cached_property
    def _compliance(self) -> Compliance:
        return load_compliance(self.settings.mappings_dir / "compliance.yaml")

    @cached_property
    def _consent(self) -> ConsentDesk:
        return ConsentDesk(self.ledger.new_id)

    def own_journey_files(self, own: OwnFiles, account_id: str | None = None) -> tuple[JourneyFiles, CheckReport]:
        """Give the journeys of an account's own files, held against all others it has, and all that is wrong."""
        report = check_own(own, *self._folders, self._own_in_service(account_id) if account_id is not None else {})
        return JourneyFiles(report.journeys, first_mistakes(report, own)), report

    def _own_in_service(self, account_id: str) -> Mapping[str, Journey]:
        with self.ledger.begin(write=False) as uow:
            found = self.versions.in_service(uow, account_id)
            return {name: each.journey for name, each in found.items() if is_own(uow, account_id, name)}

    def journey_files(self) -> JourneyFiles:
        """Give the journeys of the files as they are now, and the first mistake of each that cannot run."""
        folders, report = self._folders, self._check.report()
        return JourneyFiles(report.journeys, broken_journeys(*folders, report.journeys, report.errors))
