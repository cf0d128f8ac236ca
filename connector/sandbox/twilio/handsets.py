"""Who holds the phones of the pretend world, and can they be reached?"""

from dataclasses import dataclass
from typing import Any

from connector.sandbox.twilio.messages import Message
from connector.sandbox.twilio.receipts import BLOCKED, UNREACHABLE


@dataclass
class Handset:
    """A phone. Switched off or blocking, it makes a message end `undelivered`."""

    number: str
    name: str = ""
    is_on: bool = True
    is_blocking: bool = False

    @property
    def refusal(self) -> int | None:
        """The error code its carrier reports, or None when the text arrives."""
        if not self.is_on:
            return UNREACHABLE
        return BLOCKED if self.is_blocking else None


def is_on_screen(message: Message) -> bool:
    """Whether the person with the phone can see it."""
    return message.arrived_at is not None or not message.is_outbound


def bubble(message: Message) -> dict[str, Any]:
    """One text as the phone shows it: `direction` is seen from the phone's owner."""
    at = message.arrived_at or message.created_at
    return {
        "sid": message.sid,
        "direction": "received" if message.is_outbound else "written",
        "body": message.body,
        "at": at.isoformat(),
        "other": (message.from_ if message.is_outbound else message.to) or "",
        "status": message.status,
    }
