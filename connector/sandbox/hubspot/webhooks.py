"""How do the portals' changes reach the app's webhook address, signed, repeated and out of order?

Rules: developers.hubspot.com/docs/api-reference/latest/webhooks/guide. Batches of up to 100 events, an answer
within 5 s, any status but 2xx is tried again up to ten times over a day, no order, duplicates happen.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from connector.sandbox.change_sender import ChangeSender
from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.changes import Change
from connector.sandbox.hubspot.signing import sign_v1, sign_v2, sign_v3
from connector.sandbox.hubspot.subscriptions import DEFAULT_SUBSCRIPTIONS, Subscription
from connector.sandbox.hubspot.world import HubSpotWorld

__all__ = ["Delivery", "WebhookSender", "sign_v1", "sign_v2", "sign_v3"]

Event = dict[str, Any]

LARGEST_BATCH = 100
ANSWER_WITHIN = 5.0  # seconds, the vendor's documented patience
# Ten retries within a day; the vendor draws the pauses at random and documents only their number and sum.
RETRY_AFTER = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60, 120, 180, 240, 300, 360))
USER_AGENT = "HubSpot Connect 2.0 (http://dev.hubspot.com/) - sandbox"


@dataclass(frozen=True)
class Delivery:
    """One POST to the app: what was sent and what came back (`status` None: `error` says why)."""

    events: tuple[Event, ...]
    headers: dict[str, str]
    body: bytes
    at: datetime
    status: int | None
    error: str | None
    seconds: float

    @property
    def was_accepted(self) -> bool:
        """Whether HubSpot counts it as delivered."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class _Waiting:
    event: Event
    due_at: datetime


class WebhookSender(ChangeSender[_Waiting, Delivery]):
    """Turns changes of the world into signed POSTs to `target_url`.

    `flush()` delivers what waits and returns when it is done. With `shuffle` events come in any order, copies mixed in.
    """

    name = "sandbox-webhooks"

    def __init__(  # noqa: PLR0913 - a webhook setting each
        self,
        world: HubSpotWorld,
        *,
        target_url: str,
        app_id: int,
        client_secret: str,
        clock: SandboxClock,
        subscriptions: Iterable[Subscription] = DEFAULT_SUBSCRIPTIONS,
        retry_after: Sequence[timedelta] = RETRY_AFTER,
        answer_within: float = ANSWER_WITHIN,
        max_in_flight: int = 1,
        mixes_portals: bool = False,
        seed: int | None = None,
        post: Callable[..., httpx.Response] | None = None,
    ) -> None:
        super().__init__(clock, batch_size=LARGEST_BATCH, answer_within=answer_within, seed=seed, post=post)
        self.target_url = target_url
        self.app_id = app_id
        self.client_secret = client_secret
        self.subscriptions = tuple(subscriptions)
        self.retry_after = tuple(retry_after)
        self._mixes_portals = mixes_portals
        self._crew = ThreadPoolExecutor(max_in_flight, thread_name_prefix="sandbox-webhooks")
        world.on_change(self.hear)

    def hear(self, change: Change) -> None:
        """Queue an event for every subscription a change answers to."""
        due_at = self._clock.now() + self.delay
        with self._changed:
            for subscription in self.subscriptions:
                if subscription.wants(change):
                    # Drawn from a small range: the vendor says event ids are not unique.
                    event = subscription.event(change, self._random.randrange(1, 2**31), self.app_id)
                    self._waiting.append(_Waiting(event, due_at))
            self._changed.notify_all()

    @property
    def waiting(self) -> list[Event]:
        """Events not delivered yet, retries among them."""
        with self._changed:
            return [each.event for each in self._waiting]

    def flush(self, *, until_empty: bool = False) -> list[Delivery]:
        """Deliver all that waits now, due or not; failed events wait again with a higher attemptNumber.

        With `until_empty` go on until every event is delivered or has used up its retries.
        """
        done = self._deliver_waiting(self._take(lambda _: True))
        while until_empty and self.waiting:
            done += self._deliver_waiting(self._take(lambda _: True))
        return done

    def deliver(self, events: Sequence[Event]) -> Delivery:
        """Sign and POST one batch, whatever is in it, and record the outcome; nothing is retried."""
        body = json.dumps(list(events), separators=(",", ":")).encode()
        at = self._clock.now()
        headers = self._headers(body, int(at.timestamp() * 1000))
        began = time.monotonic()
        status, error, _ = self._send(self.target_url, body, headers)
        delivery = Delivery(tuple(events), headers, body, at, status, error, time.monotonic() - began)
        self.deliveries.append(delivery)
        return delivery

    def deliver_due(self) -> None:
        """Deliver what is due now; nothing while paused."""
        self._deliver_waiting(self._take(self._is_due))

    def stop(self) -> None:
        """End the background thread, let requests in flight end, and close connections."""
        self._end_thread()
        self._crew.shutdown()
        super().stop()

    def _is_due(self, waiting: _Waiting) -> bool:
        return not self.is_paused and waiting.due_at <= self._clock.now()

    def _deliver_waiting(self, waiting: list[_Waiting]) -> list[Delivery]:
        events = [each.event for each in waiting]
        done = list(self._crew.map(self.deliver, self._batches(events)))
        for delivery in done:
            if not delivery.was_accepted:
                self._try_again(delivery)
        return done

    def _batches(self, events: list[Event]) -> list[list[Event]]:
        if self.shuffle:
            mixed = [event for event in events for _ in range(self._copies(event))]
            self._random.shuffle(mixed)
            return self._cut(mixed)
        batches = self._cut(events)
        return [batch for batch in batches for _ in range(max(map(self._copies, batch)))]

    def _copies(self, event: Event) -> int:
        # A retry is no reason for more copies, or a target that is down would meet ever more of them.
        return 1 if event["attemptNumber"] else 1 + self.duplicates

    def _cut(self, events: list[Event]) -> list[list[Event]]:
        heaps: dict[int, list[Event]] = {}
        for event in events:
            heaps.setdefault(0 if self._mixes_portals else event["portalId"], []).append(event)
        size = min(self.batch_size, LARGEST_BATCH)
        return [heap[start : start + size] for heap in heaps.values() for start in range(0, len(heap), size)]

    def _try_again(self, delivery: Delivery) -> None:
        with self._changed:
            for event in delivery.events:
                attempt = event["attemptNumber"]
                if attempt >= len(self.retry_after):
                    self.abandoned.append(event)
                else:
                    again = event | {"attemptNumber": attempt + 1}
                    self._waiting.append(_Waiting(again, delivery.at + self.retry_after[attempt]))

    def _headers(self, body: bytes, timestamp: int) -> dict[str, str]:
        return {
            "Content-Type": "application/json;charset=utf-8",
            "User-Agent": USER_AGENT,
            "X-HubSpot-Signature-Version": "v1",
            "X-HubSpot-Signature": sign_v1(body, self.client_secret),
            "X-HubSpot-Signature-v3": sign_v3("POST", self.target_url, body, timestamp, self.client_secret),
            "X-HubSpot-Request-Timestamp": str(timestamp),
            "X-HubSpot-Timeout-Millis": "10000",
        }
