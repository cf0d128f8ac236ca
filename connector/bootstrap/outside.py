"""Which adapters stand for the world outside: CRMs, gateways, channels?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy

import httpx
import structlog

from connector.adapters.channel_file import load_channels
from connector.adapters.channels.building import ChannelTools, build_channels
from connector.adapters.channels.posting import Poster
from connector.adapters.crm.hubspot.adapter import HubSpotCRM
from connector.adapters.crm.hubspot.door import HubSpotDoor
from connector.adapters.crm.hubspot.journal import HubSpotJournal
from connector.adapters.crm.locks import RedisLocks
from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.salesforce.adapter import SalesforceCRM
from connector.adapters.gateway_file import load_gateways
from connector.adapters.outbound_guard import OutboundGuard
from connector.adapters.rate_limiter import RedisRateLimiter
from connector.adapters.sms.catalogue import gateway_plugins, is_configured
from connector.adapters.sms.reading import in_turn
from connector.adapters.task_queue import RQTaskQueue
from connector.bootstrap.foundations import Foundations
from connector.domain.gateway_book import GatewayBook
from connector.domain.message import Purpose
from connector.errors import ConfigurationError
from connector.ports.attempts import Gateways
from connector.ports.channels import Channel
from connector.ports.crm import CRM
from connector.ports.gateway import SMSGateway
from connector.ports.gateway_plugin import GatewayPlugin
from connector.ports.queue import send_lane
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader
from connector.settings import Settings

log = structlog.get_logger(__name__)

HUBSPOT = "hubspot"
SALESFORCE = "salesforce"
_HTTP_SECONDS = 15.0  # the OAuth endpoint answers in well under a second; a token refresh may not hang a lane


class Outside(Foundations):
    """What lies outside, as the settings and files name it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._opened: dict[str, SMSGateway] = {}

    @cached_property
    def gateways(self) -> Mapping[str, SMSGateway]:
        """Every configured gateway, by slug."""
        values = self.settings.gateway_values
        return {plugin.slug: plugin.build(values) for plugin in configured_gateways(self.settings)}

    @property
    def served(self) -> Gateways:
        """The gateways this process sends through: those it has opened, else all without a process of theirs."""
        if self._opened:
            return Gateways(frozenset(self._opened), is_all_but=False)
        own = [plugin.slug for plugin in configured_gateways(self.settings) if plugin.has_own_process]
        return Gateways(frozenset(own))

    def open_gateway(self, slug: str, gateway: SMSGateway) -> None:
        """Make this the process of a gateway that has one of its own; before anything is sent."""
        self._opened[slug] = gateway
        self.gateways = {**self.gateways, slug: gateway}

    @cached_property
    def gateway_book(self) -> GatewayBook:
        """What `mappings/gateways.yaml` says.

        Raises:
            ConfigurationError: it has mistakes: nothing is sent by rules that nobody can read.
        """
        return load_gateways(self.settings.mappings_dir / "gateways.yaml")

    @property
    def _routes(self) -> Mapping[str, str]:
        """Routes to gateways that are in use."""
        return self.gateway_book.first_gateways(self.gateways)

    @cached_property
    def crms(self) -> Mapping[str, CRM]:
        """Every CRM, by slug."""
        hubspot, salesforce = self._hubspot, self.salesforce
        return {hubspot.slug: hubspot, salesforce.slug: salesforce}

    @cached_property
    def _crm_http(self) -> httpx.Client:
        """Carry secrets and tokens of every account: past proxies, as the CRMs' clients do, and with no cookie kept."""
        client = httpx.Client(timeout=_HTTP_SECONDS, trust_env=False)
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        return client

    @cached_property
    def _hubspot(self) -> HubSpotCRM:
        settings = self.settings
        return HubSpotCRM(
            ledger=self.ledger,
            clock=self.clock,
            limiter=RedisRateLimiter(self.redis),
            locks=RedisLocks(self.redis),
            http=self._crm_http,
            app=_oauth_app(settings.hubspot_client_id, settings.hubspot_client_secrets),
            url=settings.hubspot_api_url,
            version=settings.hubspot_api_version,
        )

    @cached_property
    def hubspot_journal(self) -> HubSpotJournal | None:
        """What HubSpot keeps of its webhooks; None unless it is switched on and our app can speak for itself."""
        settings = self.settings
        app = _oauth_app(settings.hubspot_client_id, settings.hubspot_client_secrets)
        if app is None or not settings.hubspot_journal:
            return None
        url, version = settings.hubspot_api_url, settings.hubspot_api_version
        return HubSpotJournal(self._crm_http, app, url, version, self.clock)

    @cached_property
    def salesforce(self) -> SalesforceCRM:
        """Salesforce, with what no other CRM has."""
        settings = self.settings
        return SalesforceCRM(
            ledger=self.ledger,
            clock=self.clock,
            locks=RedisLocks(self.redis),
            http=self._crm_http,
            app=_oauth_app(settings.salesforce_client_id, settings.salesforce_client_secrets),
            url=settings.salesforce_api_url,
        )

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
            twilio=(
                settings.gateway_values.get("TWILIO_ACCOUNT_SID", ""),
                next(iter(in_turn(settings.gateway_values.get("TWILIO_AUTH_TOKENS", ""))), ""),
                settings.gateway_values.get("TWILIO_API_URL", ""),
            ),
        )
        return build_channels(specs.values(), tools)


def _oauth_app(client_id: str, client_secrets: Sequence[str]) -> OAuthApp | None:
    return OAuthApp(client_id, client_secrets) if client_id and client_secrets else None


def own_lanes(slug: str) -> tuple[str, ...]:
    """Name the lanes of a gateway that has a process of its own, most urgent first."""
    return tuple(send_lane(slug, purpose) for purpose in (Purpose.OTP, Purpose.TRANSACTIONAL, Purpose.MARKETING))


def lanes(settings: Settings) -> tuple[str, ...]:
    """Name every lane a worker listens on, most urgent first: not those of gateways with a process of their own."""
    shared = [plugin.slug for plugin in configured_gateways(settings) if not plugin.has_own_process]
    return RQTaskQueue.lanes_in_order(shared, [HUBSPOT, SALESFORCE])


def configured_gateways(settings: Settings) -> Sequence[GatewayPlugin]:
    """Give the gateways whose settings switch them on."""
    return [plugin for plugin in gateway_plugins().values() if is_configured(plugin, settings.gateway_values)]
