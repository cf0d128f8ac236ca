"""What does an operator want to see first?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.errors import Mistake
from connector.ports.ledger import AccountRow
from connector.services.journey_status import JourneyStatus
from connector.services.providers import ProviderStatus


@dataclass(frozen=True, slots=True)
class Overview:
    """How things stand, on one page; nothing about any contact.

    Attributes:
        mistakes: what keeps files out.
        messages: how many texts are in each state.
        lanes: whether there is work in each lane, the most urgent first.
        gateways: how each gateway in use fares.
        workers: processes that listen.
    """

    at: datetime
    accounts: Sequence[AccountRow]
    journeys: Sequence[JourneyStatus]
    mistakes: Sequence[Mistake]
    messages: Mapping[str, int]
    lanes: Mapping[str, bool]
    gateways: Sequence[ProviderStatus]
    default_gateway: str
    workers: int
