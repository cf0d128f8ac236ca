"""Which things can a person let go wrong by flipping a switch on the page?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.webhooks import WebhookSender
from connector.sandbox.salesforce.outbound import OutboundMessageSender
from connector.sandbox.twilio.world import TwilioWorld

Turn = Callable[["Switches", bool], None]


@dataclass(frozen=True)
class Switch:
    """One switch: what it is called, what it does in a sentence, and how it is turned."""

    name: str
    label: str
    hint: str
    turn: Turn


class Switches:
    """The page's fault switches, all off at first.

    Faults have no name to be disarmed by, so turning a switch clears them all and arms those of the switches
    that are on: what a test armed by hand on the same `faults` is gone then.
    """

    def __init__(
        self, faults: Faults, webhooks: WebhookSender, outbound: OutboundMessageSender, twilio: TwilioWorld
    ) -> None:
        self.faults = faults
        self.webhooks = webhooks
        self.outbound = outbound
        self.twilio = twilio
        self._on: set[str] = set()

    def turn(self, name: str, is_on: bool) -> None:
        """Flip a switch; an unknown name is a LookupError."""
        switch = next((each for each in SWITCHES if each.name == name), None)
        if switch is None:
            raise LookupError(f"no switch {name!r}")
        self._on = self._on | {name} if is_on else self._on - {name}
        self.faults.clear()
        for each in SWITCHES:
            each.turn(self, each.name in self._on)

    def as_json(self) -> list[dict[str, Any]]:
        """All switches in the order shown."""
        return [
            {"name": each.name, "label": each.label, "hint": each.hint, "is_on": each.name in self._on}
            for each in SWITCHES
        ]


def _crm_down(switches: Switches, is_on: bool) -> None:
    if is_on:
        switches.faults.arm("hubspot.*", "status", None, status=503)
        switches.faults.arm("salesforce.*", "status", None, status=503)


def _gateway_time_out(switches: Switches, is_on: bool) -> None:
    if is_on:
        switches.faults.arm("twilio.messages.create", "accept_then_timeout", None)


def _gateway_busy(switches: Switches, is_on: bool) -> None:
    if is_on:
        switches.faults.arm("twilio.messages.create", "status", None, status=429)


def _duplicate_webhooks(switches: Switches, is_on: bool) -> None:
    switches.webhooks.duplicates = switches.outbound.duplicates = 2 if is_on else 0


def _messy_receipts(switches: Switches, is_on: bool) -> None:
    for kind in ("shuffled", "duplicated"):
        switches.twilio.receipts.disarm(kind)
        if is_on:
            switches.twilio.receipts.arm(kind, None)


SWITCHES = (
    Switch(
        "crm-down",
        "CRM is down",
        "HubSpot and Salesforce answer 503. Texts go out; the timeline catches up.",
        _crm_down,
    ),
    Switch(
        "gateway-time-out",
        "Gateway times out",
        "The SMS is sent, but the gateway never says so. Nobody must get it twice.",
        _gateway_time_out,
    ),
    Switch("gateway-busy", "Gateway is busy", "Every send is answered 429 and has to wait.", _gateway_busy),
    Switch(
        "duplicate-webhooks",
        "Webhooks come three times",
        "The CRMs repeat every webhook and outbound message twice. One text goes out.",
        _duplicate_webhooks,
    ),
    Switch(
        "messy-receipts",
        "Receipts in disorder",
        "Delivery receipts come twice and newest first.",
        _messy_receipts,
    ),
)
