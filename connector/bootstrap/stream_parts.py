"""Which parts listen to streams of changes?"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from connector.adapters.leases import RedisLeases
from connector.bootstrap.outside import SALESFORCE
from connector.bootstrap.salesforce_parts import SalesforceParts
from connector.errors import ConfigurationError
from connector.ports.ledger import AccountRow
from connector.services.change_streams import StreamReader
from connector.services.stream_keeping import StreamKeeper

if TYPE_CHECKING:
    from connector.adapters.crm.salesforce.pubsub.client import PubSubStreams

_TOPICS = "salesforce_topics"


class StreamParts(SalesforceParts):
    """Salesforce's second intake."""

    @cached_property
    def salesforce_streams(self) -> PubSubStreams:
        """Listens to Salesforce.

        Raises:
            ConfigurationError: what it needs is not installed, or its address is no good.
        """
        try:
            from connector.adapters.crm.salesforce.pubsub.client import (  # noqa: PLC0415 - optional dependencies
                PubSubStreams,
            )
        except ImportError as error:
            raise ConfigurationError(
                "streams need what is not installed; install it with: pip install 'sms-connector[salesforce-streams]'"
            ) from error
        return PubSubStreams(self.settings.salesforce_pubsub_url, self.salesforce.tokens)

    @cached_property
    def stream_keeper(self) -> StreamKeeper:
        """Keeps the streams of all accounts going."""
        reader = StreamReader(self.ledger, self.salesforce_streams, self.backfill.hasten, self.clock)
        return StreamKeeper(self.ledger, reader, RedisLeases(self.redis), _topics, self.rng)

    def wants_streams(self) -> bool:
        """Whether any account uses streams, connected at the moment or not."""
        with self.ledger.begin(write=False) as uow:
            return any(_topics(account) for account in uow.accounts.all())


def _topics(account: AccountRow) -> list[str]:
    return list(account.settings.get(_TOPICS) or ()) if account.crm == SALESFORCE else []
