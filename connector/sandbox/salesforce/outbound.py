"""How do changes in the orgs reach the addresses of their outbound messages: late, twice and out of order?

Rules: developer.salesforce.com, SOAP API Developer Guide, Outbound Messaging. Queued at the change, sent with the
state of the record at the time of sending, up to 100 of one message in a POST, tried again for 24 hours at growing
pauses of at most two hours until acknowledged, in no order.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from connector.sandbox.change_sender import ChangeSender
from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.changes import Change
from connector.sandbox.salesforce.ids import full_id
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.outbound_messages import OutboundMessage
from connector.sandbox.salesforce.outbound_soap import envelope, is_acknowledged
from connector.sandbox.salesforce.shown import asked_fields
from connector.sandbox.salesforce.soap import CONTENT_TYPE
from connector.sandbox.salesforce.world import SalesforceWorld

LARGEST_BATCH = 100
ANSWER_WITHIN = 60.0  # seconds, the vendor's documented patience
KEPT_FOR = timedelta(hours=24)
FIRST_PAUSE = timedelta(seconds=30)  # doubled after each try; the vendor documents only the longest
LONGEST_PAUSE = timedelta(hours=2)
_HEADERS = {"Content-Type": CONTENT_TYPE, "SOAPAction": '""', "User-Agent": "sandbox outbound messages"}


@dataclass(frozen=True)
class Notification:
    """One change waiting to be told. `id` is what the receiver tells copies by."""

    id: str
    org_id: str
    message: str
    record_id: str
    queued_at: datetime
    due_at: datetime
    attempts: int = 0


@dataclass(frozen=True)
class Delivery:
    """One POST: what was sent and what came back (`status` None: `error` says why)."""

    notifications: tuple[Notification, ...]
    url: str
    body: bytes
    at: datetime
    status: int | None
    error: str | None
    was_acknowledged: bool


class OutboundMessageSender(ChangeSender[Notification, Delivery]):
    """Turns changes of the world into SOAP POSTs to the endpoints of its orgs' outbound messages.

    Messages come from `subscribe` here or from the Metadata API. `step()` delivers what is due on the clock, `flush()`
    all that waits; both return when it is done.
    """

    name = "sandbox-outbound-messages"

    def __init__(
        self,
        world: SalesforceWorld,
        clock: SandboxClock,
        *,
        answer_within: float = ANSWER_WITHIN,
        first_pause: timedelta = FIRST_PAUSE,
        seed: int | None = None,
        post: Callable[..., httpx.Response] | None = None,
    ) -> None:
        super().__init__(clock, batch_size=LARGEST_BATCH, answer_within=answer_within, seed=seed, post=post)
        self._world = world
        self._first_pause = first_pause
        self._numbers = itertools.count(1)
        world.on_change(self.hear)

    def subscribe(
        self,
        org_id: str,
        object_name: str,
        endpoint_url: str,
        fields: Iterable[str],
        *,
        name: str = "SMS_Connector",
        on_create: bool = True,
        watched: Iterable[str] = (),
    ) -> OutboundMessage:
        """Add an outbound message, or replace the one of that name: fired by a creation unless `on_create` is off,
        and by a change of `watched` (by default of `fields`).
        """
        with self._world.held():
            org = self._world.org(org_id)
            definition = org.definition(object_name)
            known = org.outbound_messages.get(f"{definition.name}.{name}")
            action_id = known.action_id if known else self._world.writer.ids.next("04k")
            message = OutboundMessage(
                action_id,
                definition.name,
                name,
                endpoint_url,
                tuple(asked_fields(definition, fields)),
                on_create=on_create,
                watched=tuple(asked_fields(definition, watched)),
            )
            org.outbound_messages[message.full_name] = message
            return message

    def hear(self, change: Change) -> None:
        """Queue a notification for every outbound message a change fires."""
        org = self._world.org(change.org_id)
        if change.user_id in org.silent_users:
            return
        now = self._clock.now()
        with self._changed:
            for message in org.outbound_messages.values():
                if message.is_fired_by(change):
                    notification_id = full_id(f"04lSb{next(self._numbers):010d}")
                    self._waiting.append(
                        Notification(
                            notification_id, org.id, message.full_name, change.record_id, now, now + self.delay
                        )
                    )
            self._changed.notify_all()

    @property
    def waiting(self) -> list[Notification]:
        """Notifications not acknowledged yet, retries among them."""
        with self._changed:
            return list(self._waiting)

    def step(self, now: datetime | None = None) -> list[Delivery]:
        """Deliver what is due at `now` (the clock's time unless given); nothing while paused."""
        at = now or self._clock.now()
        if self.is_paused:
            return []
        return self._deliver_all(self._take(lambda each: each.due_at <= at), at)

    def flush(self, *, until_empty: bool = False) -> list[Delivery]:
        """Deliver all that waits now, due or not; what is not acknowledged waits again.

        With `until_empty` go on, each round as late as its first retry is due, until every notification is
        acknowledged or older than a day.
        """
        at = self._clock.now()
        done = self._deliver_all(self._take(lambda _: True), at)
        while until_empty and (waiting := self.waiting):
            at = max(at, min(each.due_at for each in waiting))
            done += self._deliver_all(self._take(lambda each: each.due_at <= at), at)  # noqa: B023 - used at once
        return done

    def deliver_due(self) -> None:
        """Deliver what is due now; nothing while paused."""
        self.step()

    def _deliver_all(self, notifications: list[Notification], at: datetime) -> list[Delivery]:
        done: list[Delivery] = []
        acknowledged: set[str] = set()
        batches = self._batches(notifications)
        for batch in batches:
            delivery = self._deliver(batch, at)
            if delivery is not None:
                done.append(delivery)
            if delivery is None or delivery.was_acknowledged:
                acknowledged.update(each.id for each in batch)
        self._keep([each for each in notifications if each.id not in acknowledged], at)
        return done

    def _batches(self, notifications: list[Notification]) -> list[list[Notification]]:
        """Batches of one message of one org each, copies and disorder as asked."""
        mixed = list(notifications)
        if self.shuffle:
            self._random.shuffle(mixed)
        heaps: dict[tuple[str, str], list[Notification]] = {}
        for each in mixed:
            heaps.setdefault((each.org_id, each.message), []).append(each)
        size = max(1, min(self.batch_size, LARGEST_BATCH))
        batches = [heap[start : start + size] for heap in heaps.values() for start in range(0, len(heap), size)]
        # A retry is no reason for more copies, or an endpoint that is down would meet ever more of them.
        batches = [each for each in batches for _ in range(1 if each[0].attempts else 1 + self.duplicates)]
        if self.shuffle:
            self._random.shuffle(batches)
        return batches

    def _deliver(self, batch: Sequence[Notification], at: datetime) -> Delivery | None:
        """POST one batch; None when its message is gone, which ends the matter."""
        with self._world.held():
            org = self._world.org(batch[0].org_id)
            message = org.outbound_messages.get(batch[0].message)
            if message is None:
                return None
            body = envelope(org, message, [(each.id, _state(org, message, each.record_id)) for each in batch])
        status, error, answer = self._send(message.endpoint_url, body, _HEADERS)
        is_done = status is not None and is_acknowledged(status, answer)
        delivery = Delivery(tuple(batch), message.endpoint_url, body, at, status, error, is_done)
        self.deliveries.append(delivery)
        return delivery

    def _keep(self, unheard: Iterable[Notification], at: datetime) -> None:
        """Let what was not acknowledged wait again, or give it up after a day."""
        with self._changed:
            for each in unheard:
                pause = min(self._first_pause * 2**each.attempts, LONGEST_PAUSE)
                again = replace(each, attempts=each.attempts + 1, due_at=at + pause)
                if again.due_at > each.queued_at + KEPT_FOR:
                    self.abandoned.append(again)
                else:
                    self._waiting.append(again)


def _state(org: Org, message: OutboundMessage, record_id: str) -> dict[str, Any]:
    """The record's fields as they are now; a deleted record carries its id alone."""
    record = org.find(record_id)
    if record is None or record.is_deleted:
        return {"Id": record_id}
    return {"Id": record_id, **{name: record.values.get(name) for name in message.fields}}
