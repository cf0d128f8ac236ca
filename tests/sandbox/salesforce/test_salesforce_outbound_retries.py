"""Are notifications sent again until they are acknowledged, late, twice and in any order?"""

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from flask import Response

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.outbound import ANSWER_WITHIN, OutboundMessageSender
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.endpoint import ACK, OUTBOUND, Endpoint
from tests.sandbox.salesforce.plain import ORG, move

FALSE_ACK = ACK.replace("<Ack>true", "<Ack>false")


@pytest.mark.parametrize(
    "answer",
    [
        Response(ACK, 201, content_type="text/xml"),
        Response(ACK, 500, content_type="text/xml"),
        Response("", 200),
        Response("OK", 200),
        Response(FALSE_ACK, 200, content_type="text/xml"),
        Response(ACK.replace("notificationsResponse", "notificationResponse"), 200, content_type="text/xml"),
        Response(ACK.replace(OUTBOUND, "urn:else"), 200, content_type="text/xml"),
        Response(f"<!DOCTYPE x>{ACK[ACK.index('<soapenv') :]}", 200, content_type="text/xml"),
    ],
)
def test_anything_but_the_exact_acknowledgement_means_again(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str, answer: Response
) -> None:
    right, endpoint.answer = endpoint.answer, answer
    move(world, deal)
    (failed,) = stages.flush()
    assert not failed.was_acknowledged
    endpoint.answer = right
    (again,) = stages.flush()
    assert again.was_acknowledged
    assert again.notifications[0].id == failed.notifications[0].id
    assert stages.waiting == []


@pytest.mark.parametrize(
    ("kind", "answer_within"), [("timeout", 0.3), ("reset", ANSWER_WITHIN)], indirect=["answer_within"]
)
def test_an_answer_that_never_comes_has_an_error_instead_of_a_status(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str, kind: str
) -> None:
    endpoint.faults.arm("hook", kind)
    move(world, deal)
    (failed,) = stages.flush()
    assert (failed.status, failed.was_acknowledged) == (None, False)
    assert failed.error
    assert len(stages.waiting) == 1


def test_a_retry_carries_what_the_record_has_become(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    endpoint.faults.arm("hook", "status")
    move(world, deal)
    stages.flush()
    move(world, deal, "Closed Won")
    stages.flush()
    assert {values["StageName"] for _, values in endpoint.notifications()} == {"Closed Won"}


def test_pauses_double_up_to_two_hours_and_end_after_a_day(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    endpoint.faults.arm("hook", "status", times=None)
    move(world, deal)
    times = [delivery.at for delivery in stages.flush(until_empty=True)]
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (30, 60, 120, 240)]
    assert max(pauses) == timedelta(hours=2)
    assert timedelta(hours=22) < times[-1] - times[0] <= timedelta(hours=24)
    assert (stages.waiting, len(stages.abandoned)) == ([], 1)


def test_a_step_delivers_what_is_due_on_the_clock(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, clock: SandboxClock, deal: str
) -> None:
    endpoint.faults.arm("hook", "status")
    stages.delay = timedelta(hours=1)
    move(world, deal)
    assert stages.step() == []
    clock.advance(timedelta(hours=1))
    stages.is_paused = True
    assert stages.step() == []
    stages.is_paused = False
    assert [each.status for each in stages.step()] == [503]
    assert stages.step() == []
    assert [each.status for each in stages.step(clock.now() + timedelta(seconds=31))] == [200]


def test_duplicates_are_the_same_notifications_again(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    stages.duplicates = 2
    move(world, deal)
    assert len(stages.flush()) == 3
    assert len({each for each, _ in endpoint.notifications()}) == 1
    assert stages.waiting == []


def test_retries_are_not_duplicated_again(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    stages.duplicates = 1
    endpoint.faults.arm("hook", "status", times=None)
    move(world, deal)
    assert len(stages.flush()) == 2
    assert len(stages.waiting) == 1
    assert len(stages.flush()) == 1


def test_shuffled_notifications_all_arrive_in_another_order(
    world: SalesforceWorld, sender: OutboundMessageSender, endpoint: Endpoint
) -> None:
    sender.subscribe(ORG, "Lead", endpoint.url, ["LastName"])
    sender.shuffle, sender.batch_size = True, 3
    for number in range(20):
        world.create(ORG, "Lead", {"LastName": str(number), "Company": "x"})
    assert max(len(each.notifications) for each in sender.flush()) == 3
    seen = [int(values["LastName"]) for _, values in endpoint.notifications()]
    assert Counter(seen) == Counter(range(20))
    assert seen != sorted(seen)
