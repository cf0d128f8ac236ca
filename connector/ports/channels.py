"""What must every way of telling another system something be able to do: e-mail, chat, incident tools, endpoints?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from connector.domain.places import Place


class ChannelKind(StrEnum):
    """Kinds of channel that `mappings/channels.yaml` knows."""

    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"
    PAGERDUTY = "pagerduty"
    JIRA = "jira"
    WHATSAPP = "whatsapp"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One channel as `mappings/channels.yaml` describes it, its secrets still by the names of their settings.

    Attributes:
        options: what its kind needs, such as `url`, `to`, `project`.
        secrets: option → name of the environment variable that holds it; the names begin with `CHANNEL_`.
    """

    name: str
    kind: ChannelKind
    place: Place
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to be told.

    Attributes:
        id: ours; the same at every try. Sent as an idempotency key where the other side can use one.
        number: for WhatsApp, the contact's number (E.164).
        data: for an endpoint or a callback, what is sent.
        url: for a callback, where to; and `account_id`, whose secrets sign it.
    """

    id: str
    title: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    url: str = field(default="", repr=False)
    account_id: str = ""


class Channel(Protocol):
    """One configured channel.

    Attributes:
        is_repeatable: whether delivering the same `Delivery` twice does no more than once: the other side knows it
            by its id. Where not, one that may have arrived is not tried again.
    """

    is_repeatable: bool

    def deliver(self, delivery: Delivery) -> Any:
        """Deliver; give the JSON answer of an endpoint, None of any other.

        Raises:
            ChannelRefusedError: it never will.
            ChannelUnavailableError: certainly not done; try again later.
            ChannelAmbiguousError: may have been done.
        """
        ...
