"""After a week in which a CRM refuses, hangs, throttles and is away: does it show what the ledger holds, once each?"""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from connector.domain.message import MessageState
from connector.ports.messages import MessageRow
from tests.faults.crm_sides import SIDES
from tests.faults.crm_week import MONDAY, Week, at
from tests.faults.proving import copy_of

PEOPLE = 300
ROUNDS = ((0, 9), (0, 15), (1, 9), (1, 15), (2, 9), (2, 15), (3, 9), (4, 9), (5, 9), (6, 9))
"""Days of the week and hours at which everybody is texted."""
OUTAGE = (3, 9)
TROUBLED = 40  # hours of the week in which the CRM does nothing at all: one is asked again every five minutes
SECONDS = timedelta(seconds=3)
_ENDS = (MessageState.DELIVERED,) * 9 + (MessageState.UNDELIVERED,)


@pytest.fixture(params=list(SIDES))
def week(request: pytest.FixtureRequest, tmp_path: Path, empty_ledger: Path) -> Iterator[Week]:
    random.seed(7)  # how long a locked row waits is left to chance
    with time_machine.travel(MONDAY, tick=False) as traveller:
        side, ledger = SIDES[request.param](), copy_of(empty_ledger, tmp_path)
        yield Week(side, ledger, traveller, PEOPLE)
        side.stop()
        ledger.close()


def a_round(week: Week, day: int, hour: int) -> list[MessageRow]:
    """Text everybody; receipts, replies and opt-outs come by and by."""
    start, label = at(24 * day + hour), f"Day {day} at {hour}"
    texts: list[MessageRow] = []
    week.plan(start, lambda: texts.extend(week.order(week.people, label)))
    week.plan(start + timedelta(seconds=1), lambda: week.report(texts, [MessageState.SENT]))
    week.plan(start + timedelta(minutes=2), lambda: week.report(texts, _ENDS))
    week.plan(start + timedelta(minutes=9), lambda: week.report(texts[:30], [MessageState.SENT]))  # late, and again
    answering, leaving = week.people[day * 10 : day * 10 + 8], week.people[80 + day * 2 : 82 + day * 2]
    week.plan(start + timedelta(minutes=12), lambda: week.hear(answering, f"Thanks for {label}"))
    week.plan(start + timedelta(minutes=12), lambda: week.hear(leaving, "STOP"))
    return texts


def test_a_week_of_limits_ends_with_every_timeline_as_the_ledger_has_it(week: Week) -> None:
    for hours, trouble in week.side.troubles([each.crm_id for each in week.people]):
        week.plan(at(hours), trouble)
    rounds = {each: a_round(week, *each) for each in ROUNDS}
    week.side.calls.clear()
    week.until(at(24 * 8))
    _is_as_in_the_ledger(week)
    _has_refused_only_what_was_lost(week)
    _was_never_slowed(week, rounds)
    _cost_few_calls(week)
    assert week.side.calls["tokens"] > 3
    with week.ledger.begin(write=False) as uow:
        assert uow.accounts.get(week.account.id).status == "active"


def _is_as_in_the_ledger(week: Week) -> None:
    assert week.waiting() == 0
    assert not week.side.faults.armed()
    gone = {each.crm_id for each in week.people[:5]}  # with whom Salesforce deletes what stood on their timelines
    shown = Counter(week.side.shown())
    assert Counter(week.wanted(but_for=gone)) <= shown <= Counter(week.wanted())
    assert set(shown.values()) == {1}
    assert week.side.flagged() == week.opted_out() - gone
    assert len(week.opted_out()) == 2 * 7


def _has_refused_only_what_was_lost(week: Week) -> None:
    """Five people were deleted in the CRM; all that is refused is theirs, with the reason the CRM gave."""
    gone = {each.crm_id for each in week.people[:5]}
    refused = [row for row in week.records() if row.state == "refused"]
    assert {row.contact_crm_id for row in refused} == gone
    assert all("404" in row.error or "not" in row.error or "deleted" in row.error for row in refused)
    with week.ledger.begin(write=False) as uow:
        assert len(uow.records.refused(week.account.id, 10_000)) == len(refused)


def _was_never_slowed(week: Week, rounds: Mapping[tuple[int, int], list[MessageRow]]) -> None:
    delays = {each: week.delays(texts) for each, texts in rounds.items()}
    assert all(len(some) >= PEOPLE - len(week.opted_out()) for some in delays.values())
    calm, away = max(delays[ROUNDS[-1]]), max(delays[OUTAGE])
    sys.stdout.write(f"{week.side.slug}: sent after {away} at most while it was away, after {calm} when all was well\n")
    assert max(delay for some in delays.values() for delay in some) <= SECONDS


def _cost_few_calls(week: Week) -> None:
    """What got no answer, or was turned away, was not paid for; but nobody likes to be knocked at all day."""
    count = len([row for row in week.records() if row.subject.startswith("message:")])
    calls = week.side.calls
    done, in_vain = calls["done"], calls["all"] - calls["done"] - calls["tokens"]
    sys.stdout.write(f"{week.side.slug}: {done} calls for {count} texts and replies, {done / count:.3f} each\n")
    sys.stdout.write(f"{week.side.slug}: {in_vain} calls more that were turned away or not answered\n")
    assert done / count <= 0.1
    assert in_vain < 20 * TROUBLED


def test_texts_go_out_while_a_call_to_the_crm_hangs(week: Week, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers of the send lanes and those of the CRM's share the ledger only, and no call is made inside of it."""
    hanging, go_on = threading.Event(), threading.Event()
    create = week.side.crm.create

    def slow(*args: Any) -> Any:
        hanging.set()
        assert go_on.wait(30)
        return create(*args)

    monkeypatch.setattr(week.side.crm, "create", slow)
    week.order(week.people, "Before")
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(week.writer.write_back, week.side.slug)
        assert hanging.wait(30)
        texts = week.order(week.people[:20], "Meanwhile")
        week.send()
        week.report(texts, [MessageState.DELIVERED])
        assert not job.done()
        with week.ledger.begin(write=False) as uow:
            found = uow.messages.many([text.id for text in texts]).values()
        assert {row.state for row in found} == {MessageState.DELIVERED}
        go_on.set()
        assert job.result() == 100
