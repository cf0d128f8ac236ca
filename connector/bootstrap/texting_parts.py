"""Which use cases send, hear and show texts?"""

from __future__ import annotations

from functools import cached_property

from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.rate_limiter import RedisRateLimiter
from connector.bootstrap.journey_parts import JourneyParts
from connector.domain.retry import RetryPolicy
from connector.services.accounts import Accounts
from connector.services.dispatch import Dispatcher, SendRates
from connector.services.effect_outcomes import EffectRecorder
from connector.services.effect_permission import EffectDesk
from connector.services.effects import EffectRunner
from connector.services.intake import Intake
from connector.services.links import LinkDesk
from connector.services.outcomes import OutcomeRecorder
from connector.services.permissions import PermissionDesk
from connector.services.receipts import ReceiptReader
from connector.services.reconcile import Reconciler
from connector.services.replies import ReplyDesk
from connector.services.single_texts import SingleTexts
from connector.services.traces import Traces
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
        return EffectRunner(self.ledger, self.channels, desk, EffectRecorder(self.rng), self.clock)

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
    def alarm(self) -> Alarm:
        """Wakes what is due."""
        return Alarm(self.ledger, self.queue, self.clock)

    @cached_property
    def accounts(self) -> Accounts:
        """Adds accounts; a new one starts with the journeys of the files."""
        return Accounts(self.ledger, self.crms, self.clock, self.publish_first)

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
