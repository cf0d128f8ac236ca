"""Which adapters stand for the world outside: CRMs, gateways, channels?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import httpx
import structlog

from connector.adapters.channel_file import load_channels
from connector.adapters.channels.building import ChannelTools, build_channels
from connector.adapters.channels.posting import Poster
from connector.adapters.crm.hubspot.adapter import HubSpotCRM
from connector.adapters.crm.hubspot.door import HubSpotDoor
from connector.adapters.crm.hubspot.locks import RedisLocks
from connector.adapters.crm.hubspot.tokens import OAuthApp
from connector.adapters.gateway_file import load_gateways
from connector.adapters.outbound_guard import OutboundGuard
from connector.adapters.rate_limiter import RedisRateLimiter
from connector.adapters.sms.null import NullGateway
from connector.adapters.sms.twilio import TwilioGateway
from connector.adapters.task_queue import RQTaskQueue
from connector.bootstrap.foundations import Foundations
from connector.errors import ConfigurationError
from connector.ports.channels import Channel
from connector.ports.crm import CRM
from connector.ports.gateway import SMSGateway
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader
from connector.settings import Settings

log = structlog.get_logger(__name__)

HUBSPOT = "hubspot"
_HTTP_SECONDS = 15.0  # the OAuth endpoint answers in well under a second; a token refresh may not hang a lane


class Outside(Foundations):
    """What lies outside, as the settings and files name it."""

    @cached_property
    def gateways(self) -> Mapping[str, SMSGateway]:
        """Every configured gateway, by slug."""
        return {slug: make(self.settings) for slug, make in gateway_makers(self.settings).items()}

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
    def _crm_reader(self) -> CRMReader:
        return CRMReader(self.crms, self.catalogue, self.clock)

    @cached_property
    def _keeper(self) -> ContactKeeper:
        return ContactKeeper(self.ledger.new_id, self._consent)

    @cached_property
    def hubspot_door(self) -> HubSpotDoor:
        """Lets HubSpot's webhooks and cards in."""
        return HubSpotDoor(self.settings.hubspot_client_secrets, self.clock)

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


def lanes(settings: Settings) -> tuple[str, ...]:
    """Name every lane a worker listens on, most urgent first."""
    return RQTaskQueue.lanes_in_order(list(gateway_makers(settings)), [HUBSPOT])


def gateway_makers(settings: Settings) -> Mapping[str, Callable[[Settings], SMSGateway]]:
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
