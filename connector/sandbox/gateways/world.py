"""What does a pretend gateway's account hold, and what may a vendor's skin ask of it?"""

from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.courier import Callback, CallbackResult
from connector.sandbox.gateways.exchange import Exchange
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.prices import price_of
from connector.sandbox.gateways.receipts import Pace, Stage, heard
from connector.sandbox.gateways.segments import count_segments
from connector.sandbox.gateways.skin import Call, Calls, Skin


class GatewayWorld(Exchange[Message]):
    """One account with one vendor; see `Exchange` for phones, receipts, outages and counts.

    Attributes:
        credentials: what the skin compares a request's with.
        inbound_url, status_url: where callbacks go for which no URL is given along with the message.
        max_per_second: sends a second before `is_throttled` says yes; None for no limit.
        given_up: the last tries of callbacks nobody took.
    """

    def __init__(
        self,
        skin: Skin,
        clock: SandboxClock | None = None,
        *,
        inbound_url: str | None = None,
        status_url: str | None = None,
        pace: Pace | None = None,
        credentials: Mapping[str, str] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(clock or SandboxClock(), skin.codes, pace, seed)
        self.skin = skin
        self.inbound_url, self.status_url = inbound_url, status_url
        self.credentials = dict(credentials or {})
        self.max_per_second: int | None = None
        self.given_up: deque[CallbackResult] = deque(maxlen=1000)
        self._by_part: dict[str, Message] = {}
        self._by_reference: defaultdict[str, list[Message]] = defaultdict(list)
        self._recent: deque[datetime] = deque()

    # -- what a skin's API does

    def is_throttled(self) -> bool:
        """Whether this send, which is counted by asking, is one too many within a second."""
        if self.max_per_second is None:
            return False
        now = self.clock.now()
        with self._lock:
            while self._recent and self._recent[0] <= now - timedelta(seconds=1):
                self._recent.popleft()
            if len(self._recent) >= self.max_per_second:
                return True
            self._recent.append(now)
            return False

    def take(  # noqa: PLR0913 - all that a vendor's request may say, each by its name
        self,
        *,
        to: str,
        sender: str,
        body: str,
        callback_url: str | None = None,
        reference: str | None = None,
        valid_for: timedelta | None = None,
        details: Mapping[str, Any] | None = None,
        message_id: str | None = None,
        delay: timedelta = timedelta(),
        has_part_ids: bool = False,
    ) -> Message:
        """Take a message the skin has checked; its way to the phone is on the agenda when this returns.

        `to` is E.164 with its plus, whatever the vendor's wire form; `message_id` is given where the client chooses
        it, else it is the skin's `new_id`; `delay` is for a send that is scheduled; with `has_part_ids` each segment
        gets an id of its own (`Message.part_ids`).
        """
        with self._lock:
            message = self._new_message(message_id or self.skin.new_id(), to, sender, body)
            message.callback_url = callback_url or self.status_url
            message.reference, message.valid_for = reference, valid_for
            message.details = dict(details or {})
            message.price = price_of(message)
            if reference is not None:
                self._by_reference[reference].append(message)
            if has_part_ids:
                more = (self.skin.new_id() for _ in range(message.segments - 1))
                message.part_ids = (message.id, *more)
                self._by_part.update(dict.fromkeys(message.part_ids, message))
            self._plan(message, delay)
            return message

    def message(self, message_id: str) -> Message | None:
        """The message with this id, or with a part of this id."""
        return self._messages.get(message_id) or self._by_part.get(message_id)

    def by_reference(self, reference: str) -> list[Message]:
        """The messages that were sent with this client reference, oldest first."""
        with self._lock:
            return list(self._by_reference.get(reference, []))

    def forget_messages(self) -> None:
        """See `Exchange`."""
        with self._lock:
            super().forget_messages()
            self._by_part.clear()
            self._by_reference.clear()

    def cancel(self, message_id: str) -> bool:
        """Stop a message that has not left; False when there is none or it has."""
        with self._lock:
            message = self.message(message_id)
            if message is None or message.status != "accepted":
                return False
            self.move(message.id, heard(Stage("cancelled", timedelta())), self.clock.now())
            return True

    # -- what people do

    def reply(self, from_: str, to: str, body: str, signing: str = "signed") -> Message:
        """A person writes `body` from the phone `from_` to the account's `to`; `signing` is how we hear of it."""
        with self._lock:
            self.add_handset(from_)
            message = self._new_message(self.skin.new_id(), to, from_, body, "received")
            message.is_inbound, message.signing = True, signing
            message.callback_url = self.inbound_url
            if message.callback_url is not None:
                calls = self.skin.inbound_call(message, message.created_at)
                self._notify("inbound", message, calls, [message.created_at])
            return message

    # -- what happens by itself: called by the engine

    def signed(self, callback: Callback, tries: int, at: datetime) -> Call:
        """The callback as it goes out: signed, unless its message met `unsigned` or `forged`."""
        if callback.signing == "forged":
            return self.skin.forge(callback.call, at)
        if callback.signing == "unsigned" and tries == 0:
            return callback.call
        return self.skin.sign(callback.call, at)

    def retry_after(self, result: CallbackResult, tries: int) -> timedelta | None:
        """When the skin's policy sends a failed callback again, or None."""
        return self.skin.retry.wait(result.status, tries)

    def taken(self, result: CallbackResult) -> None:
        """Nothing comes of it: what a receiver answers means nothing to these vendors."""

    def gave_up(self, result: CallbackResult) -> None:
        """Remember it."""
        self.given_up.append(result)

    # -- inside

    def _status_calls(self, message: Message, stage: Stage, at: datetime) -> Calls:
        return self.skin.status_call(message, stage, at)

    def _new_message(self, message_id: str, to: str, sender: str, body: str, status: str = "accepted") -> Message:
        now = self.clock.now()
        return self._keep(Message(message_id, to, sender, body, status, count_segments(body), now, now))
