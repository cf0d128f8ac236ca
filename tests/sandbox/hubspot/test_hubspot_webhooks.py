"""Do changes reach the app's webhook address as HubSpot would bring them?"""

import base64
import hashlib
import hmac
import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, Response, request

from connector.sandbox.clock import SandboxClock
from connector.sandbox.control import control_blueprint
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.subscriptions import Subscription
from connector.sandbox.hubspot.webhooks import ANSWER_WITHIN, WebhookSender
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server

PORTAL, SECRET, APP = 12345, "hush", 678


class Receiver:
    """An app's webhook address that checks v3 by itself and can be told to misbehave."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.app = Flask(__name__)
        self.app.register_blueprint(control_blueprint(SandboxClock(), self.faults))
        self.app.post("/hook")(self.faults.guard("app.hook")(self.hook))
        self.url = ""
        self.events: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._answered = 0
        self._heard = threading.Condition()
        self.app.after_request(self._count)

    def _count(self, response: Response) -> Response:
        with self._heard:
            self._answered += 1
            self._heard.notify_all()
        return response

    def wait_for_answers(self, count: int) -> None:
        """Until this many requests were answered, whatever the answer."""
        with self._heard:
            assert self._heard.wait_for(lambda: self._answered >= count, timeout=10)

    def hook(self) -> tuple[str, int]:
        stamp = request.headers["X-HubSpot-Request-Timestamp"]
        signed = f"POST{self.url}".encode() + request.get_data() + stamp.encode()
        right = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
        if request.headers["X-HubSpot-Signature-v3"] != right:
            return "", 401
        self.headers.append(dict(request.headers))
        self.events += json.loads(request.get_data())
        return "", 204


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with Server(receiver.app) as server:
        receiver.url = f"{server.url}/hook"
        yield receiver


@pytest.fixture
def answer_within(request: pytest.FixtureRequest) -> float:
    """Seconds the sender waits: patient with what answers, unless a test of what never does says otherwise."""
    return float(getattr(request, "param", ANSWER_WITHIN))


@pytest.fixture
def sender(
    world: HubSpotWorld, clock: SandboxClock, receiver: Receiver, answer_within: float
) -> Iterator[WebhookSender]:
    sender = WebhookSender(
        world,
        target_url=receiver.url,
        app_id=APP,
        client_secret=SECRET,
        clock=clock,
        retry_after=[timedelta(minutes=1), timedelta(minutes=5)],
        answer_within=answer_within,
        seed=1,
    )
    yield sender
    sender.stop()


def add_deal(world: HubSpotWorld, portal: int = PORTAL) -> str:
    return str(world.create(portal, "deals", {"dealname": "Roof"})["id"])


def test_a_moved_card_is_told_with_the_internal_stage_id(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver
) -> None:
    deal = add_deal(world)
    world.update(PORTAL, "deals", deal, {"dealstage": "closedwon"})
    (delivery,) = sender.flush()
    assert delivery.was_accepted
    (event,) = receiver.events
    assert event | {"eventId": 0, "occurredAt": 0} == {
        "eventId": 0,
        "subscriptionId": 208,
        "portalId": PORTAL,
        "appId": APP,
        "occurredAt": 0,
        "subscriptionType": "deal.propertyChange",
        "attemptNumber": 0,
        "objectId": int(deal),
        "changeSource": "CRM_UI",
        "propertyName": "dealstage",
        "propertyValue": "closedwon",
        "isSensitive": False,
    }


def test_a_delivery_carries_both_signatures_and_the_vendors_headers(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver
) -> None:
    world.create(PORTAL, "contacts", {"firstname": "Ada"})
    (delivery,) = sender.flush()
    (headers,) = receiver.headers
    assert headers["X-Hubspot-Signature-Version"] == "v1"
    assert headers["X-Hubspot-Signature"] == hashlib.sha256(SECRET.encode() + delivery.body).hexdigest()
    assert headers["X-Hubspot-Timeout-Millis"] == "10000"
    assert headers["User-Agent"].startswith("HubSpot Connect 2.0")


def test_invoices_come_as_generic_events_with_times_in_milliseconds(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver
) -> None:
    world.create(PORTAL, "invoices", {"hs_invoice_status": "open", "hs_due_date": "2026-11-20T00:00:00Z"})
    sender.flush()
    seen = {event["propertyName"]: event for event in receiver.events}
    assert seen["hs_invoice_status"]["subscriptionType"] == "object.propertyChange"
    assert seen["hs_invoice_status"]["objectTypeId"] == "0-53"
    assert seen["hs_due_date"]["propertyValue"] == "1795132800000"


def test_an_api_write_is_told_as_an_integrations(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver
) -> None:
    world.create(PORTAL, "contacts", {"mobilephone": "+12025550143"}, source="IMPORT")
    sender.flush()
    assert {event["changeSource"] for event in receiver.events} == {"IMPORT"}
    assert [event["subscriptionType"] for event in receiver.events] == ["contact.creation", "contact.propertyChange"]


def test_merge_deletion_and_privacy_deletion_are_told(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver
) -> None:
    kept, gone, forgotten, deleted = (
        int(world.create(PORTAL, "contacts", {"firstname": each})["id"]) for each in "abcd"
    )
    sender.flush()
    receiver.events.clear()
    world.merge(PORTAL, str(kept), str(gone))
    world.forget(PORTAL, str(forgotten))
    world.delete(PORTAL, "contacts", str(deleted))
    sender.flush()
    told = [(event["subscriptionType"], event["objectId"]) for event in receiver.events]
    assert told == [
        ("contact.merge", kept),
        ("contact.privacyDeletion", forgotten),
        ("contact.deletion", forgotten),
        ("contact.deletion", deleted),
    ]
    merge = receiver.events[0]
    assert (merge["primaryObjectId"], merge["mergedObjectIds"]) == (kept, [gone])


def test_a_value_that_stays_the_same_is_no_change(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver
) -> None:
    deal = add_deal(world)
    world.update(PORTAL, "deals", deal, {"dealstage": "closedwon"})
    sender.flush()
    world.update(PORTAL, "deals", deal, {"dealstage": "closedwon"})
    assert sender.waiting == []


def test_a_subscription_may_ask_for_generic_names(world: HubSpotWorld, clock: SandboxClock, receiver: Receiver) -> None:
    wanted = Subscription(1, "deals", "propertyChange", "dealstage", is_generic=True)
    sender = WebhookSender(
        world, target_url=receiver.url, app_id=1, client_secret=SECRET, clock=clock, subscriptions=[wanted]
    )
    world.update(PORTAL, "deals", add_deal(world), {"dealstage": "closedwon"})
    sender.flush()
    sender.stop()
    (event,) = receiver.events
    assert (event["subscriptionType"], event["objectTypeId"]) == ("object.propertyChange", "0-3")


@pytest.mark.parametrize("fault", [("status", {"status": 404}), ("timeout", {"seconds": 0.1}), ("reset", {})])
def test_a_failed_delivery_is_tried_again_with_a_higher_attempt_number(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver, fault: tuple[str, dict[str, Any]]
) -> None:
    receiver.faults.arm("app.hook", fault[0], **fault[1])
    world.create(PORTAL, "contacts", {"firstname": "Ada"})
    (failed,) = sender.flush()
    assert not failed.was_accepted
    (again,) = sender.flush()
    assert again.was_accepted
    (event,) = receiver.events
    assert event["attemptNumber"] == 1
    assert event["eventId"] == failed.events[0]["eventId"]
    assert again.headers["X-HubSpot-Signature-v3"] != failed.headers["X-HubSpot-Signature-v3"]


@pytest.mark.parametrize("answer_within", [0.2], indirect=True)
def test_an_answer_that_never_comes_has_an_error_instead_of_a_status(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver
) -> None:
    receiver.faults.arm("app.hook", "timeout")
    world.create(PORTAL, "contacts", {"firstname": "Ada"})
    (failed,) = sender.flush()
    assert failed.status is None
    assert failed.error is not None
    assert "ReadTimeout" in failed.error


def test_after_its_retries_an_event_is_given_up(world: HubSpotWorld, sender: WebhookSender, receiver: Receiver) -> None:
    receiver.faults.arm("app.hook", "status", times=None, status=500)
    world.create(PORTAL, "contacts", {"firstname": "Ada"})
    tries = sender.flush(until_empty=True)
    assert [each.events[0]["attemptNumber"] for each in tries] == [0, 1, 2]
    assert [event["objectId"] for event in sender.abandoned] == [101]
    assert sender.waiting == []


def test_duplicates_are_the_same_events_again(world: HubSpotWorld, sender: WebhookSender, receiver: Receiver) -> None:
    sender.duplicates = 2
    world.create(PORTAL, "contacts", {"firstname": "Ada"})
    assert len(sender.flush()) == 3
    assert len(receiver.events) == 3
    assert all(event == receiver.events[0] for event in receiver.events)


def test_retries_are_not_duplicated_again(world: HubSpotWorld, sender: WebhookSender, receiver: Receiver) -> None:
    sender.duplicates = 1
    receiver.faults.arm("app.hook", "status", times=None, status=500)
    world.create(PORTAL, "contacts", {"firstname": "Ada"})
    assert len(sender.flush()) == 2
    assert len(sender.waiting) == 2
    sender.flush()
    assert len(sender.waiting) == 2


def test_shuffled_events_all_arrive_in_another_order(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver
) -> None:
    sender.shuffle, sender.duplicates = True, 1
    ids = [int(world.create(PORTAL, "contacts", {"firstname": str(n)})["id"]) for n in range(20)]
    sender.flush()
    seen = [event["objectId"] for event in receiver.events]
    assert Counter(seen) == Counter(dict.fromkeys(ids, 2))
    assert list(dict.fromkeys(seen)) != ids


def test_a_batch_holds_at_most_a_hundred_events_of_one_portal(world: HubSpotWorld, sender: WebhookSender) -> None:
    world.add_portal(777)
    for n in range(130):
        world.create(PORTAL if n else 777, "contacts", {"firstname": str(n)})
    batches = [delivery.events for delivery in sender.flush()]
    assert [len(batch) for batch in batches] == [1, 100, 29]
    assert all(len({event["portalId"] for event in batch}) == 1 for batch in batches)


def test_portals_share_a_batch_only_when_asked(world: HubSpotWorld, clock: SandboxClock, receiver: Receiver) -> None:
    world.add_portal(777)
    sender = WebhookSender(
        world, target_url=receiver.url, app_id=APP, client_secret=SECRET, clock=clock, mixes_portals=True
    )
    for portal in (PORTAL, 777):
        world.create(portal, "contacts", {"firstname": "Ada"})
    (delivery,) = sender.flush()
    sender.stop()
    assert {event["portalId"] for event in delivery.events} == {PORTAL, 777}


def test_the_background_thread_delivers_and_retries_as_the_clock_is_pushed(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver, clock: SandboxClock
) -> None:
    receiver.faults.arm("app.hook", "status", status=503)
    sender.start()
    world.create(PORTAL, "contacts", {"firstname": "Ada"})
    receiver.wait_for_answers(1)
    assert receiver.events == []
    clock.advance(timedelta(minutes=1))
    receiver.wait_for_answers(2)
    assert [event["attemptNumber"] for event in receiver.events] == [1]


def test_a_delayed_event_waits_for_its_time_on_the_clock(
    world: HubSpotWorld, sender: WebhookSender, receiver: Receiver, clock: SandboxClock
) -> None:
    sender.delay = timedelta(hours=1)
    world.create(PORTAL, "contacts", {"firstname": "late"})
    sender.delay = timedelta()
    world.create(PORTAL, "contacts", {"firstname": "soon"})
    sender.start()
    receiver.wait_for_answers(1)
    assert len(sender.waiting) == 1
    clock.advance(timedelta(hours=1))
    receiver.wait_for_answers(2)
    assert [event["objectId"] for event in receiver.events] == [102, 101]
