"""Which use cases send, hear and show texts?"""

from __future__ import annotations

import secrets
from functools import cached_property

from connector.adapters.channels.callback import CallbackChannel
from connector.adapters.channels.posting import Poster
from connector.adapters.fingerprints import HMACFingerprints
from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.outbound_guard import OutboundGuard
from connector.adapters.rate_limiter import RedisRateLimiter
from connector.adapters.template_folder import TemplateFolder
from connector.bootstrap.journey_parts import JourneyParts
from connector.domain.gateway_book import Rate
from connector.ports.queue import EVENTS, JOURNEYS, RECEIPTS
from connector.services.accounts import Accounts
from connector.services.api_keys import APIKeys
from connector.services.callback_secrets import CallbackSecrets
from connector.services.callbacks import CallbackReplay
from connector.services.consent_orders import ConsentOrders
from connector.services.dead_letters import DeadLetters
from connector.services.effect_outcomes import EffectRecorder
from connector.services.effect_permission import EffectDesk
from connector.services.effects import EffectRunner
from connector.services.intake import Intake
from connector.services.links import LinkDesk, LinkWriter
from connector.services.lookups import LookupDesk
from connector.services.message_desk import MessageDesk
from connector.services.providers import Providers
from connector.services.redaction import RedactionDesk
from connector.services.replies import ReplyDesk
from connector.services.send_path import SendPath, SendPathParts, build_send_path
from connector.services.single_texts import OrderTools, SingleTexts
from connector.services.traces import Traces
from connector.services.unknown_senders import UnknownSenders
from connector.services.wakeup import Alarm
from connector.services.writeback import WriteBack


class TextingParts(JourneyParts):
    """Everything about texts and what follows from them."""

    @cached_property
    def intake(self) -> Intake:
        """Takes webhooks and callbacks in."""
        return Intake(self.committer, self.ledger.new_id, self.clock)

    @cached_property
    def links(self) -> LinkDesk:
        """Knows where short links lead."""
        return LinkDesk(self.ledger)

    @cached_property
    def effects(self) -> EffectRunner:
        """Tells staff and other systems what journeys want them to hear."""
        desk = EffectDesk(self._compliance)
        return EffectRunner(self.ledger, self.channels, desk, EffectRecorder(self.rng), self.clock, self._callbacks)

    @cached_property
    def send_path(self) -> SendPath:
        """Sends, hears, asks."""
        settings = self.settings
        keywords = load_keyword_book(settings.mappings_dir / "keywords.yaml")
        return build_send_path(
            SendPathParts(
                ledger=self.ledger,
                gateways=self.gateways,
                book=self.gateway_book,
                usual_gateway=settings.gateway,
                usual_rate=Rate(settings.send_rate, concurrency=settings.send_concurrency),
                unreported=frozenset(
                    slug for slug, gateway in self.gateways.items() if not gateway.capabilities.receipts
                ),
                compliance=self._compliance,
                limiter=RedisRateLimiter(self.redis),
                clock=self.clock,
                rng=self.rng,
                take_reply=ReplyDesk(self.ledger.new_id, keywords, self._consent).take_reply,
                note_opt_out=self._consent.note_gateway_opt_out,
                status_url=self.status_url,
                is_wanted_elsewhere=self._is_wanted_elsewhere,
                served=self.served,
            )
        )

    @cached_property
    def lookups(self) -> LookupDesk:
        """Asks what kind of number a number is."""
        limiter = RedisRateLimiter(self.redis)
        return LookupDesk(self.ledger, self.gateways, self.gateway_book.lookups, limiter, self.clock)

    @cached_property
    def redactions(self) -> RedactionDesk:
        """Has vendors forget what they were given to send."""
        return RedactionDesk(self.ledger, self.gateways, RedisRateLimiter(self.redis), self.clock)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Shows texts that wait for a person."""
        return DeadLetters(self.ledger, self.clock)

    @cached_property
    def providers(self) -> Providers:
        """Tells how gateways fare."""
        path = self.send_path
        return Providers(self.ledger, self.gateways, self.gateway_book, path.health, path.scores, self.clock)

    is_stopping = False
    """Set when this process is asked to stop."""

    def _is_wanted_elsewhere(self) -> bool:
        """Tell whether replies, receipts or events wait for a worker, or this one is to stop."""
        return self.is_stopping or self.queue.waits((RECEIPTS, EVENTS, JOURNEYS))

    @cached_property
    def writer(self) -> WriteBack:
        """Writes back to the CRM."""
        senders = UnknownSenders(self.catalogue, self._keeper)
        return WriteBack(self.ledger, self.crms, self.clock, self.rng, senders)

    @cached_property
    def alarm(self) -> Alarm:
        """Wakes what is due."""
        usual, in_use = self.settings.gateway, frozenset(self.gateways)
        return Alarm(
            self.ledger,
            self.queue,
            self.clock,
            heir=lambda gateway: gateway if gateway in in_use else usual,
            gateways=in_use,
        )

    @cached_property
    def accounts(self) -> Accounts:
        """Adds accounts; a new one starts with the journeys of the files."""
        return Accounts(self.ledger, self.crms, self.clock, self.publish_first)

    @cached_property
    def single_texts(self) -> SingleTexts:
        """Queues single texts."""
        tools = OrderTools(
            gateway=self.settings.gateway,
            templates=TemplateFolder(self.settings.templates_dir, self._renderer),
            fingerprints=HMACFingerprints(self.settings.secret_keys),
            secrets=self.callback_secrets,
            links=LinkWriter(self.settings.link_url or self.settings.public_url, secrets.randbelow),
            book=self.gateway_book,
        )
        return SingleTexts(self.ledger, tools, self.clock)

    @cached_property
    def outbound_guard(self) -> OutboundGuard:
        """Says which addresses of customers may be called."""
        return OutboundGuard(allows_loopback=self.settings.allow_loopback_urls)

    @cached_property
    def _callbacks(self) -> CallbackChannel:
        return CallbackChannel(Poster(self.outbound_guard), self.callback_secrets.valid, self.clock.now)

    @cached_property
    def callback_secrets(self) -> CallbackSecrets:
        """Keeps what callbacks are signed with."""
        return CallbackSecrets(self.ledger, self.clock, lambda: "whsec_" + secrets.token_urlsafe(32))

    @cached_property
    def callback_replay(self) -> CallbackReplay:
        """Has callbacks tried anew."""
        return CallbackReplay(self.ledger, self.clock)

    @cached_property
    def message_desk(self) -> MessageDesk:
        """Answers for texts."""
        return MessageDesk(self.ledger, self.clock)

    @cached_property
    def consent_orders(self) -> ConsentOrders:
        """Takes a program's word about consent."""
        return ConsentOrders(self.ledger, self._consent, self.clock)

    @cached_property
    def api_keys(self) -> APIKeys:
        """Keeps API keys."""
        return APIKeys(self.ledger, self.clock, lambda: secrets.token_urlsafe(32))

    @cached_property
    def rate_limiter(self) -> RedisRateLimiter:
        """Keeps callers to their calls a minute."""
        return RedisRateLimiter(self.redis)

    @cached_property
    def traces(self) -> Traces:
        """Tells why."""
        return Traces(self.ledger)

    def status_url(self, gateway: str, attempt_id: str) -> str:
        """Give the public URL for receipts of one attempt."""
        return f"{self.settings.public_url}/callbacks/{gateway}/status/{attempt_id}"
