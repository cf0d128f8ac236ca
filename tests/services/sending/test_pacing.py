"""Is no rate of the book passed, by however many workers, and does what waits go out in the order of its urgency?"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
import redis

from connector.adapters.rate_limiter import RedisRateLimiter
from connector.domain.circuit import Answers, CircuitState
from connector.domain.gateway_book import GatewayBook, Rate, Rates, SenderEntry, SenderKind
from connector.domain.message import MessageState, Purpose
from connector.ports.gateway import OutgoingSMS
from connector.ports.queue import Bucket
from connector.services.pacing import Pacer
from tests.domain.gateway_parts import long_code
from tests.services.sending.conftest import PATIENT, Desk, OpenLimiter, ScriptedGateway
from tests.services.sending.texts import a_text, in_order, some_texts, with_plivo, work

FREE = Rate(1000)


@dataclass
class NotingLimiter(OpenLimiter):
    """Grants as told and keeps what it was asked."""

    asked: list[tuple[bool, Sequence[Sequence[Bucket]]]] = field(default_factory=list)

    def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:
        self.asked.append((is_urgent, asked))
        return super().take_each(asked, is_urgent=is_urgent)


def noting(desk: Desk, book: GatewayBook) -> tuple[Desk, NotingLimiter]:
    limiter = NotingLimiter()
    return replace(desk, limiter=limiter, book=book), limiter


def test_every_limit_that_holds_for_a_text_is_asked_for_it_at_once(desk: Desk) -> None:
    senders = (SenderEntry("+12025550100", "twilio", SenderKind.LONG_CODE, per_second=1.0),)
    rates = Rates({"twilio": Rate(80, 100)}, account=Rate(50), campaign=Rate(0.5))
    desk, limiter = noting(desk, replace(PATIENT, senders=senders, rates=rates))
    desk.add(a_text(desk, journey="tips"))
    work(desk)
    ((_, (buckets,)),) = limiter.asked
    assert list(buckets) == [
        Bucket("send:twilio", 80, 100),
        Bucket("sender:twilio:+12025550100", 1.0, 1),
        Bucket(f"account:{desk.account_id}", 50, 50),
        Bucket(f"campaign:{desk.account_id}:tips", 0.5, 1),
    ]


def test_a_gateway_the_book_says_nothing_of_goes_at_the_usual_rate_and_nothing_else_is_limited(desk: Desk) -> None:
    desk, limiter = noting(desk, PATIENT)
    desk.add(a_text(desk, journey="tips"))
    work(desk)
    assert limiter.asked == [(True, [[Bucket("send:twilio", 100, 100)]])]


def test_what_somebody_waits_for_is_urgent_and_bulk_is_not(desk: Desk) -> None:
    desk, limiter = noting(desk, PATIENT)
    for purpose in Purpose:
        row = a_text(desk, purpose=purpose)
        desk.path.claimer._desks.pacer.granted("twilio", [row])
    assert [is_urgent for is_urgent, _ in limiter.asked] == [True, True, False]


def test_a_text_outside_journeys_is_in_no_campaign(desk: Desk) -> None:
    desk, limiter = noting(desk, replace(PATIENT, rates=Rates(campaign=Rate(1))))
    desk.add(a_text(desk))
    work(desk)
    ((_, (buckets,)),) = limiter.asked
    assert [bucket.name for bucket in buckets] == ["send:twilio"]


def test_texts_that_a_rate_keeps_back_stay_queued_and_are_counted_nowhere(desk: Desk) -> None:
    desk.limiter.grants = 1
    rows = some_texts(desk, 3)
    claimed = desk.path.claimer.claim("twilio", "transactional", 10)
    assert (len(claimed.claims), claimed.is_limited, claimed.is_more) == (1, True, False)
    assert sorted(desk.row(row).tries for row in rows) == [0, 0, 1]
    assert sorted(desk.state_of(row) for row in rows) == sorted(
        [MessageState.DISPATCHING, MessageState.QUEUED, MessageState.QUEUED]
    )


@pytest.mark.parametrize(
    ("full", "answers", "most"),
    [
        (20, Answers(10, 0, 1.0), 20),
        (20, Answers(7, 3, 1.0), 10),
        (1, Answers(7, 3, 1.0), 1),  # never less than one: else nothing would ever be found out
        (20, Answers(0, 20), 0),
    ],
)
def test_a_gateway_out_of_its_band_gets_fewer_requests_at_a_time(
    desk: Desk, full: int, answers: Answers, most: int
) -> None:
    desk.path.health.hear("twilio", answers)
    book = replace(PATIENT, rates=Rates({"twilio": Rate(80, concurrency=full)}))
    pacer = Pacer(book, FREE, desk.limiter, desk.path.health)
    assert pacer.concurrency("twilio") == most


def test_a_gateway_that_is_found_out_about_gets_one_text_a_second(desk: Desk) -> None:
    desk, limiter = noting(desk, PATIENT)
    desk.path.health.hear("twilio", Answers(0, 20))
    desk.clock.advance(seconds=10)
    assert desk.path.health.of("twilio").state is CircuitState.PROBING
    assert desk.path.claimer._desks.pacer.concurrency("twilio") == 1
    desk.add(a_text(desk))
    work(desk)
    assert Bucket("probe:twilio", 1.0, 1) in limiter.asked[0][1][0]


def test_only_as_many_requests_as_a_gateway_takes_are_under_way_at_once(desk: Desk) -> None:
    book = replace(PATIENT, rates=Rates({"twilio": Rate(1000, concurrency=3)}))
    desk = replace(desk, book=book)
    lock, seen = threading.Lock(), list[int]()
    under_way = 0

    def note(_sms: OutgoingSMS) -> None:
        nonlocal under_way
        with lock:
            under_way += 1
            seen.append(under_way)
        threading.Event().wait(0.005)  # long enough for others to begin, were they let
        with lock:
            under_way -= 1

    desk.gateway.before_answer = note
    some_texts(desk, 30)
    work(desk)
    assert len(desk.gateway.sent) == 30
    assert max(seen) == 3


def test_a_slow_gateway_keeps_no_text_of_another_one_waiting(desk: Desk) -> None:
    desk, plivo = with_plivo(desk, in_order("twilio", "plivo"))
    plivo_is_done = threading.Event()

    def wait_for_the_other(_sms: OutgoingSMS) -> None:
        assert plivo_is_done.wait(20)

    def note(_sms: OutgoingSMS) -> None:
        if len(plivo.sent) == 5:
            plivo_is_done.set()

    desk.gateway.before_answer, plivo.before_answer = wait_for_the_other, note
    desk.add(a_text(desk), *(a_text(desk, gateway="plivo", routed_at=desk.clock.now()) for _ in range(5)))
    work(desk)
    assert (len(desk.gateway.sent), len(plivo.sent)) == (1, 5)


def test_one_time_codes_go_before_what_else_waits(desk: Desk) -> None:
    desk = replace(desk, book=replace(PATIENT, rates=Rates({"twilio": Rate(1000, concurrency=1)})))
    some_texts(desk, 20)
    desk.add(a_text(desk, purpose=Purpose.OTP, msisdn="+12025550199"))
    work(desk)
    assert desk.gateway.sent[0].to == "+12025550199"
    assert len(desk.gateway.sent) == 21


def test_a_worker_that_is_needed_for_replies_stops_claiming(desk: Desk) -> None:
    some_texts(desk, 20)
    desk.dispatcher._is_wanted_elsewhere = lambda: True
    assert desk.send()
    assert desk.gateway.sent == []


# ---- with the real limiter


def test_no_rate_is_passed_by_two_workers_together(desk: Desk, redis_client: redis.Redis) -> None:
    book = replace(PATIENT, rates=Rates({"twilio": Rate(20, 10, concurrency=8)}))
    limiter = RedisRateLimiter(redis_client)
    gateways = [ScriptedGateway(), ScriptedGateway()]
    desks = [replace(desk, book=book, gateway=gateway) for gateway in gateways]
    sent_at = list[float]()
    for each, letter in zip(desks, "AB", strict=True):
        each.path.claimer._desks.pacer._limiter = limiter
        each.gateway.slug = letter
        each.gateway.before_answer = lambda _sms: sent_at.append(time.monotonic())
    some_texts(desk, 25)
    began = time.monotonic()
    workers = [threading.Thread(target=each.dispatcher.drain, args=("twilio", "transactional")) for each in desks]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert len(sent_at) == 25
    for count, at in enumerate(sorted(sent_at), start=1):
        assert count <= 10 + 20 * (at - began) + 1


def test_a_sender_at_its_rate_does_not_hold_up_the_texts_of_another_one(desk: Desk, redis_client: redis.Redis) -> None:
    slow = SenderEntry("+12025550100", "twilio", SenderKind.LONG_CODE, per_second=0.01)
    senders = (slow, long_code("+12025550101", "twilio"))
    desk = replace(desk, book=replace(in_order("twilio", senders=senders), rates=Rates({"twilio": FREE})))
    desk.path.claimer._desks.pacer._limiter = RedisRateLimiter(redis_client)
    desk.add(*(a_text(desk, wanted_sender=entry.sender) for entry in senders for _ in range(3)))
    claimed = desk.path.claimer.claim("twilio", "transactional", 10)
    taken = sorted(claim.attempt.sender or "" for claim in claimed.claims)
    assert taken == ["+12025550100", *["+12025550101"] * 3]
    assert claimed.is_limited
