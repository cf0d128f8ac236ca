"""Which adapter stands behind which port, and which use cases make up a connector?

The composition root: the only place that sees adapters and services together. Built once per process.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import redis
import structlog

from connector.adapters.channel_file import load_channels
from connector.adapters.channels.building import ChannelTools, broken, build_channels
from connector.adapters.channels.posting import Poster
from connector.adapters.clock import OffsetClock, SystemClock
from connector.adapters.codes import HMACCodes
from connector.adapters.compliance_file import load_compliance
from connector.adapters.crm.hubspot.adapter import HubSpotCRM
from connector.adapters.crm.hubspot.door import HubSpotDoor
from connector.adapters.crm.hubspot.locks import RedisLocks
from connector.adapters.crm.hubspot.tokens import OAuthApp
from connector.adapters.event_files import load_events
from connector.adapters.gateway_file import load_gateways
from connector.adapters.journey_files import journey_from_source
from connector.adapters.journey_folder import FreshCheck, broken_journeys
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.nudge_thread import NudgeThread
from connector.adapters.outbound_guard import OutboundGuard
from connector.adapters.public_holidays import PublicHolidays
from connector.adapters.rate_limiter import RedisRateLimiter
from connector.adapters.redis_server import make_redis
from connector.adapters.rendering import Renderer
from connector.adapters.secrets import Vault
from connector.adapters.sms.null import NullGateway
from connector.adapters.sms.twilio import TwilioGateway
from connector.adapters.store.group_commit import GroupCommit
from connector.adapters.store.reports import SQLJourneyFigures
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.adapters.task_queue import RQTaskQueue
from connector.domain.compliance import Compliance
from connector.domain.event_mapping import EventCatalogue
from connector.domain.journey import Journey
from connector.domain.retry import RetryPolicy
from connector.errors import ConfigurationError, CRMError
from connector.ports.channels import Channel
from connector.ports.crm import CRM
from connector.ports.gateway import SMSGateway
from connector.ports.ledger import AccountRow
from connector.ports.queue import EFFECTS, EVENTS, JOURNEYS, MAINTENANCE, RECEIPTS
from connector.ports.time import Clock
from connector.services.accounts import Accounts
from connector.services.audience_listing import AudienceLister
from connector.services.backtest import Past, Period
from connector.services.consent import ConsentDesk
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader
from connector.services.dispatch import Dispatcher, SendRates
from connector.services.effect_outcomes import EffectRecorder
from connector.services.effects import EffectRunner
from connector.services.enrolling import Enroller
from connector.services.event_recording import EventRecorder
from connector.services.events import EventReader
from connector.services.freshness import Freshener
from connector.services.intake import Intake
from connector.services.journey_report import JourneyReporter
from connector.services.journey_status import journey_statuses
from connector.services.journey_versions import JourneyVersions
from connector.services.journeys import JourneyRunner
from connector.services.links import LinkDesk, LinkWriter
from connector.services.moving_people import Mover
from connector.services.outcomes import OutcomeRecorder
from connector.services.overview import Overview
from connector.services.permissions import PermissionDesk
from connector.services.polling import Poller
from connector.services.publishing import JourneyFiles, Publisher, Word
from connector.services.receipts import ReceiptReader
from connector.services.reconcile import Reconciler
from connector.services.replies import ReplyDesk
from connector.services.reports import status_report
from connector.services.schedules import Schedules
from connector.services.single_texts import SingleTexts
from connector.services.splits import SplitJudge
from connector.services.standing import Comparer
from connector.services.stepper_building import StepperParts, build_stepper
from connector.services.traces import Traces
from connector.services.wakeup import Alarm
from connector.services.writeback import WriteBack
from connector.settings import Settings

log = structlog.get_logger(__name__)

HUBSPOT = "hubspot"
_HTTP_SECONDS = 15.0  # the OAuth endpoint answers in well under a second; a token refresh may not hang a lane
_BATCH = 100  # HubSpot's own batch size, which reads and writes are made for


class Connector:
    """One process's connector; its parts are built when first asked for, so that each process has what it uses."""

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
    def gateways(self) -> Mapping[str, SMSGateway]:
        """Every configured gateway, by slug."""
        return {slug: make(self.settings) for slug, make in _gateway_makers(self.settings).items()}

    @cached_property
    def crms(self) -> Mapping[str, CRM]:
        """Every CRM, by slug."""
        settings = self.settings
        app = (
            OAuthApp(settings.hubspot_client_id, settings.hubspot_client_secrets)
            if settings.hubspot_client_id and settings.hubspot_client_secrets
            else None
        )
        hubspot = HubSpotCRM(
            ledger=self.ledger,
            clock=self.clock,
            limiter=RedisRateLimiter(self.redis),
            locks=RedisLocks(self.redis),
            http=httpx.Client(timeout=_HTTP_SECONDS),
            app=app,
            url=settings.hubspot_api_url,
            version=settings.hubspot_api_version,
        )
        return {hubspot.slug: hubspot}

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
    def committer(self) -> GroupCommit:
        """Writes for the web process, in a thread of its own; another one nudges after it."""
        return GroupCommit(self.ledger.nudging(NudgeThread(self.queue.nudge)))

    @cached_property
    def intake(self) -> Intake:
        """Takes webhooks and callbacks in."""
        return Intake(self.committer, self.ledger.new_id, self.clock)

    @cached_property
    def links(self) -> LinkDesk:
        """Knows where short links lead."""
        return LinkDesk(self.ledger)

    @cached_property
    def channels(self) -> Mapping[str, Channel]:
        """Ways to tell staff and other systems something; none while their file has a mistake, so that all waits."""
        settings = self.settings
        try:
            specs = load_channels(settings.mappings_dir / "channels.yaml")
        except ConfigurationError as error:
            log.error("channels.unreadable", mistakes=str(error).count("\n") + 1)
            return {}
        tools = ChannelTools(
            poster=Poster(OutboundGuard(allows_loopback=settings.allow_loopback_urls)),
            now=self.clock.now,
            secrets=settings.channel_secrets,
            smtp_url=settings.smtp_url,
            twilio=(settings.twilio_account_sid, next(iter(settings.twilio_auth_tokens), ""), settings.twilio_api_url),
        )
        return build_channels(specs.values(), tools)

    @cached_property
    def effects(self) -> EffectRunner:
        """Tells staff and other systems what journeys want them to hear."""
        return EffectRunner(self.ledger, self.channels, EffectRecorder(self.rng), self.clock)

    @cached_property
    def hubspot_door(self) -> HubSpotDoor:
        """Lets HubSpot's webhooks and cards in."""
        return HubSpotDoor(self.settings.hubspot_client_secrets, self.clock)

    @cached_property
    def _consent(self) -> ConsentDesk:
        return ConsentDesk(self.ledger.new_id)

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(sample_link="")  # a text that has a short link and cannot get one must not go out

    @cached_property
    def _compliance(self) -> Compliance:
        return load_compliance(self.settings.mappings_dir / "compliance.yaml")

    @property
    def _routes(self) -> Mapping[str, str]:
        """Routes to gateways that are in use; none while their file has a mistake, which `check` tells."""
        try:
            routes = load_gateways(self.settings.mappings_dir / "gateways.yaml").routes
        except ConfigurationError as error:
            log.error("routes.unreadable", mistakes=str(error).count("\n") + 1)
            return {}
        return {route: gateway for route, gateway in routes.items() if gateway in self.gateways}

    @cached_property
    def _enroller(self) -> Enroller:
        return Enroller(self.versions, self._renderer, self.ledger.new_id)

    @cached_property
    def _crm_reader(self) -> CRMReader:
        return CRMReader(self.crms, self.catalogue, self.clock)

    @cached_property
    def _keeper(self) -> ContactKeeper:
        return ContactKeeper(self.ledger.new_id, self._consent)

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
                routes=self._routes,
                links=LinkWriter(self.settings.link_url or self.settings.public_url, secrets.randbelow),
            )
        )
        freshener = Freshener(self.ledger, self.catalogue, self._crm_reader, self._keeper, self.clock)
        return JourneyRunner(self.ledger, freshener, stepper, self.clock, self.rng)

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """Sends."""
        recorder = OutcomeRecorder(self.ledger, self.clock, RetryPolicy(), self.rng, self._consent.note_gateway_opt_out)
        return Dispatcher(
            self.ledger,
            self.gateways,
            PermissionDesk(self._compliance),
            recorder,
            RedisRateLimiter(self.redis),
            SendRates(self.settings.send_rate, self.settings.send_concurrency),
            self.clock,
            self.status_url,
        )

    @cached_property
    def receipts(self) -> ReceiptReader:
        """Hears receipts and replies."""
        keywords = load_keyword_book(self.settings.mappings_dir / "keywords.yaml")
        replies = ReplyDesk(self.ledger.new_id, keywords, self._consent)
        return ReceiptReader(
            self.ledger,
            self.gateways,
            replies.take_reply,
            self._consent.note_gateway_opt_out,
            self.clock,
            self.rng,
        )

    @cached_property
    def reconciler(self) -> Reconciler:
        """Asks gateways about attempts nobody told us about."""
        return Reconciler(self.ledger, self.gateways, self.receipts, self.clock)

    @cached_property
    def writer(self) -> WriteBack:
        """Writes back to the CRM."""
        return WriteBack(self.ledger, self.crms, self.clock, self.rng)

    @cached_property
    def poller(self) -> Poller:
        """Looks for what no webhook tells."""
        return Poller(self.ledger, self.crms, self.catalogue, self.versions, self.clock, self.rng)

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
    def journey_reports(self) -> JourneyReporter:
        """Tells how journeys fare."""
        return JourneyReporter(self.ledger, SQLJourneyFigures(self.ledger.engine), self.versions, self.clock)

    @cached_property
    def alarm(self) -> Alarm:
        """Wakes what is due."""
        return Alarm(self.ledger, self.queue, self.clock)

    @cached_property
    def accounts(self) -> Accounts:
        """Adds accounts; a new one starts with the journeys of the files."""
        return Accounts(self.ledger, self.crms, self.clock, self.publish_first)

    @cached_property
    def versions(self) -> JourneyVersions:
        """Gives journeys as they were published."""
        return JourneyVersions(lambda _journey, source: journey_from_source(source))

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
    def publisher(self) -> Publisher:
        """Puts journeys in service."""
        return Publisher(self.ledger, self.versions, Mover(self.versions), self.clock)

    @cached_property
    def comparer(self) -> Comparer:
        """Compares journey files with what is in service."""
        return Comparer(self.ledger, self.versions)

    def journey_files(self) -> JourneyFiles:
        """Give the journeys of the files as they are now, and the first mistake of each that cannot run."""
        folders, report = self._folders, self._check.report()
        return JourneyFiles(report.journeys, broken_journeys(*folders, report.journeys, report.errors))

    def publish_first(self, account_id: str) -> Sequence[str]:
        """Let an account that never published anything start with the files; give the journeys that take people in."""
        files = self.journey_files()
        outcomes = self.publisher.publish_first(account_id, files, "account add")
        published = [outcome.journey for outcome in outcomes if outcome.word is Word.PUBLISHED]
        return [journey for journey in published if files.journeys[journey].enabled]

    @cached_property
    def single_texts(self) -> SingleTexts:
        """Queues single texts."""
        return SingleTexts(self.ledger, self.settings.gateway, self.clock)

    @cached_property
    def traces(self) -> Traces:
        """Tells why."""
        return Traces(self.ledger)

    def status_url(self, gateway: str, attempt_id: str) -> str:
        """Give the public URL for receipts of one attempt."""
        return f"{self.settings.public_url}/callbacks/{gateway}/status/{attempt_id}"

    def hubspot_card(self, portal_id: str, crm_id: str) -> Mapping[str, Any] | None:
        """Give what a portal's record card shows of a contact, or None when this portal has no such contact."""
        with self.ledger.begin(write=False) as uow:
            account_id = uow.accounts.by_external_ids(HUBSPOT, [portal_id]).get(portal_id)
        return None if account_id is None else self.traces.contact_card(account_id, crm_id)

    def drain(self, lane: str) -> None:
        """Work what waits in a lane; nudge it again when more is left than one drain takes."""
        self.queue.begin(lane)
        if self._work(lane):
            self.queue.nudge(lane)

    def _work(self, lane: str) -> bool:
        """Work one round of a lane; tell whether more may wait."""
        kind, *rest = lane.split(":")
        if kind == "send":
            return self.dispatcher.drain(*rest)
        if kind == "writeback":
            return self.writer.write_back(rest[0], _BATCH) == _BATCH
        return self._rounds[lane]()

    @cached_property
    def _rounds(self) -> Mapping[str, Callable[[], bool]]:
        return {
            EVENTS: lambda: self.events.understand(_BATCH) == _BATCH,
            JOURNEYS: lambda: self.journeys.advance(_BATCH) == _BATCH,
            EFFECTS: self.effects.drain,
            RECEIPTS: self.receipts.drain,
            MAINTENANCE: self._maintain,
        }

    def _maintain(self) -> bool:
        self.reconciler.free_abandoned()
        self.poller.poll_due()
        self.schedules.start_due()
        self.split_judge.judge_due()
        is_listing = self.audiences.list_next()
        return self.reconciler.ask() or is_listing

    def checks(self) -> Mapping[str, str]:
        """Say of ledger and queue whether they answer: `ok` or the kind of error."""
        return {"ledger": _answer(self._touch_ledger), "redis": _answer(self.redis.ping)}

    def _touch_ledger(self) -> None:
        with self.ledger.begin(write=False) as uow:
            uow.accounts.by_external_ids(HUBSPOT, [""])

    def status(self) -> dict[str, Any]:
        """Give how things stand, for `smsctl status`."""
        with self.ledger.begin(write=False) as uow:
            journeys = journey_statuses(uow, self.versions, self.journey_files())
            report = status_report(uow, journeys, self.clock.now())
        return report | {"broken_channels": dict(broken(self.channels))}

    def overview(self) -> Overview:
        """Give how things stand, for the start page."""
        files, working = self.journey_files(), self.alarm.lanes_with_work()
        with self.ledger.begin(write=False) as uow:
            return Overview(
                at=self.clock.now(),
                accounts=uow.accounts.all(),
                journeys=journey_statuses(uow, self.versions, files),
                mistakes=self._check.report().errors,
                messages=uow.messages.counts(),
                lanes={lane: lane in working for lane in lanes(self.settings)},
                gateways=tuple(self.gateways),
                default_gateway=self.settings.gateway,
                workers=self.queue.workers(),
            )


def build_connector(settings: Settings) -> Connector:
    """Make this process's connector.

    Raises:
        ConfigurationError: GATEWAY names none, or one that lacks its settings.
    """
    known = _gateway_makers(settings)
    if settings.gateway not in known:
        raise ConfigurationError(
            f"GATEWAY: {settings.gateway} is not a configured gateway; it may be {', '.join(known)}"
        )
    return Connector(settings)


def lanes(settings: Settings) -> tuple[str, ...]:
    """Name every lane a worker listens on, most urgent first."""
    return RQTaskQueue.lanes_in_order(list(_gateway_makers(settings)), [HUBSPOT])


def _gateway_makers(settings: Settings) -> Mapping[str, Callable[[Settings], SMSGateway]]:
    """Say how each configured gateway is made; a new gateway is one entry here."""
    makers: dict[str, Callable[[Settings], SMSGateway]] = {}
    if settings.twilio_account_sid:
        makers[TwilioGateway.slug] = _twilio
    makers[NullGateway.slug] = lambda _settings: NullGateway()
    return makers


def _twilio(settings: Settings) -> SMSGateway:
    return TwilioGateway(
        settings.twilio_account_sid,
        settings.twilio_auth_tokens,
        settings.twilio_api_url,
        sender=settings.twilio_from or None,
        messaging_service_sid=settings.twilio_messaging_service_sid or None,
    )


def _answer(question: Callable[[], object]) -> str:
    try:
        question()
    except Exception as error:  # noqa: BLE001 - whatever it is, the part is not ready
        return type(error).__name__
    return "ok"
