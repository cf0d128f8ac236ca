"""What can a person do at the phones and at the clock, whichever CRM they look at?"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.page.zones import next_morning
from connector.sandbox.twilio.world import TwilioWorld

STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
LONGEST_TEXT = 1600


class Actions:
    """A person at the phones and at the clock. Mistakes are ValueError with a sentence to show."""

    def __init__(self, twilio: TwilioWorld, clock: SandboxClock) -> None:
        self._twilio = twilio
        self._clock = clock

    def write_text(self, number: str, body: str, to: str = "") -> str:
        """Send `body` from a phone to the sender that wrote last (or `to`); the message's id."""
        if not body.strip():
            raise ValueError("There is no text to send.")
        if len(body) > LONGEST_TEXT:
            raise ValueError(f"A text has at most {LONGEST_TEXT} characters.")
        return self._twilio.reply(number, to or self._last_sender(number), body.strip()).sid

    def switch_phone(self, number: str, is_on: bool) -> None:
        """Turn a phone off or on; a text to a phone that is off ends undelivered."""
        self._twilio.add_handset(number)
        self._twilio.switch_handset(number, is_on)

    def push_clock(self, step: str, zone: str) -> None:
        """Forward by an `hour`, a `day`, or to the next `morning` at nine in `zone`."""
        now = self._clock.now()
        if step == "morning":
            self._clock.advance(next_morning(now, zone) - now)
        elif step in STEPS:
            self._clock.advance(STEPS[step])
        else:
            raise ValueError("The clock goes forward by an hour, by a day or to the next morning.")

    def _last_sender(self, number: str) -> str:
        for message in reversed(self._twilio.conversation(number)):
            other = message.sender if message.is_outbound else message.to
            if other in self._twilio.senders:
                return other
        return next(iter(self._twilio.senders))


def one_of(value: str, allowed: Mapping[str, str], what: str) -> str:
    """A value that is among those allowed; ValueError otherwise."""
    if value not in allowed:
        raise ValueError(f"{what} is one of {', '.join(allowed)}.")
    return value


def text_of(body: Mapping[str, Any], name: str) -> str:
    """A text field of a request's JSON; ValueError when it is missing or something else."""
    value = body.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name}: a text is needed.")  # noqa: TRY004 - the request's mistake, shown to a person
    return value
