"""How does a gateway say what it is called, which settings it has and how it is built?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.ports.gateway import Capabilities, SMSGateway


@dataclass(frozen=True, slots=True)
class GatewaySetting:
    """One environment variable of a gateway.

    Attributes:
        name: begins with the gateway's slug in capitals, such as `TWILIO_ACCOUNT_SID`.
        meaning: one sentence for operators.
        is_required: the gateway cannot be used without it; the first of these switches it on.
        is_secret: never printed. Secrets that rotate are lists, comma-separated, newest first.
    """

    name: str
    meaning: str
    example: str
    default: str = ""
    is_required: bool = False
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class GatewayPlugin:
    """Everything the program needs to know of a gateway before it is built; each adapter module has one as `PLUGIN`.

    Another distribution may bring one by an entry point of the group `sms_connector.gateways`.

    Attributes:
        build: makes the gateway from the values of its settings by name; raises ConfigurationError when they
            contradict each other.
        has_own_process: its texts go out through a process of its own, such as `smsctl smpp`, and not through workers:
            it holds connections that not every process may open.
    """

    slug: str
    capabilities: Capabilities
    settings: tuple[GatewaySetting, ...]
    build: Callable[[Mapping[str, str]], SMSGateway]
    has_own_process: bool = False
