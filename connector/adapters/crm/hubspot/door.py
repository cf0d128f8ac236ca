"""Who may come in from HubSpot, and with what?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.adapters.crm.hubspot.signature import verify
from connector.adapters.crm.hubspot.webhooks import RawEvent, split_batch
from connector.ports.time import Clock


class HubSpotDoor:
    """Checks signatures and cuts deliveries into events."""

    def __init__(self, secrets: Sequence[str], clock: Clock) -> None:
        self._secrets, self._clock = secrets, clock

    def verify(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *accept: str) -> None:
        """Check a request's signature.

        Raises:
            SignatureError: not from HubSpot.
        """
        verify(method, url, headers, body, self._secrets, self._clock.now(), accept or ("v3", "v1"))

    def split(self, body: bytes) -> list[RawEvent]:
        """Cut a verified delivery into its events.

        Raises:
            UnreadableBatchError: signed, but no array of events.
        """
        return split_batch(body)
