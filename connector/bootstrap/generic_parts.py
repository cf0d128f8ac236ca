"""Which use cases take webhooks of any other system, and contacts with their consent from files?"""

from __future__ import annotations

from functools import cached_property

from connector.adapters.webhook_signatures import verify_webhook
from connector.bootstrap.stream_parts import StreamParts
from connector.services.importing import Importer
from connector.services.webhook_desk import WebhookDesk
from connector.services.webhook_intake import WebhookIntake


class GenericParts(StreamParts):
    """Everything that is neither a CRM's nor a gateway's."""

    @cached_property
    def webhook_intake(self) -> WebhookIntake:
        """Lets webhooks in."""
        sources = self.catalogue.webhooks.sources
        return WebhookIntake(self.committer, self.ledger, sources, verify_webhook, self.ledger.new_id, self.clock)

    @cached_property
    def importer(self) -> Importer:
        """Imports contacts and consent from files."""
        return Importer(self.ledger, self._consent, self._crm_reader, self._keeper, self.clock)

    @cached_property
    def webhook_desk(self) -> WebhookDesk:
        """Opens and closes their addresses."""
        return WebhookDesk(self.account_secrets, self.catalogue.webhooks.sources, self.settings.public_url)
