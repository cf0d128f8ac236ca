"""Who holds the phones of the pretend world, and can they be reached?"""

from dataclasses import dataclass
from typing import Any

from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import FailureCodes, Stage, refused


@dataclass
class Handset:
    """A phone. Switched off or blocking, it makes a message end `undelivered`."""

    number: str
    name: str = ""
    is_on: bool = True
    is_blocking: bool = False

    def bend(self, stages: list[Stage], codes: FailureCodes) -> list[Stage]:
        """The way of a text to this phone, with its carrier's no when it does not arrive."""
        if not self.is_on:
            return refused(stages, codes.unreachable)
        return refused(stages, codes.blocked) if self.is_blocking else stages


def is_on_screen(message: Message) -> bool:
    """Whether the person with the phone can see it."""
    return message.arrived_at is not None or message.is_inbound


def bubble(message: Message) -> dict[str, Any]:
    """One text as the phone shows it: `direction` is seen from the phone's owner."""
    at = message.arrived_at or message.created_at
    return {
        "id": message.id,
        "direction": "received" if message.is_outbound else "written",
        "body": message.body,
        "at": at.isoformat(),
        "other": (message.sender if message.is_outbound else message.to) or "",
        "status": message.status,
    }
