"""After a week in which a CRM refuses, hangs, throttles and goes away: does it show what the ledger holds, once each?"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
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

PEOPLE = 120
ROUNDS = (9.0, 15.0)  # o'clock: in each everybody is texted
DAYS = 7
SECONDS = timedelta(seconds=3)
_ENDS = (MessageState.DELIVERED,) * 9 + (MessageState.UNDELIVERED,)


@pytest.fixture(params=list(SIDES))
def week(request: pytest.FixtureRequest, tmp_path: Path, empty_ledger: Path) -> Iterator[Week]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        side, ledger = SIDES[request.param](), copy_of(empty_ledger, tmp_path)
        yield Week(side, ledger, traveller, PEOPLE)
        side.stop()
        ledger.close()


def a_round(week: Week, day: int, hour: float) -> list[MessageRow]:
    """Text everybody; receipts, replies and opt-outs come by and by."""
    start, label = at(24 * day + hour), f"Day {day} at {hour:.0f}"
    texts: list[MessageRow] = []
    week.plan(start, lambda: texts.extend(week.order(week.people, label)))
    week.plan(start + timedelta(seconds=30), lambda: week.report(texts, [MessageState.SENT]))
    week.plan(start + timedelta(minutes=2), lambda: week.report(texts, _ENDS))
    week.plan(start + timedelta(minutes=9), lambda: week.report(texts[:30], [MessageState.SENT]))  # late, and again
    answering = week.people[day * 10 : day * 10 + 8]
    week.plan(start + timedelta(minutes=12), lambda: week.hear(answering, f"Thanks for day {day}"))
    if hour == ROUNDS[0]:
        leaving = week.people[80 + day * 2 : 82 + day * 2]
        week.plan(start + timedelta(minutes=14), lambda: week.hear(leaving, "STOP"))
    return texts


def test_a_week_of_limits_ends_with_every_timeline_as_the_ledger_has_it(week: Week) -> None:
    for hours, trouble in week.side.troubles([each.crm_id for each in week.people]):
        week.plan(at(hours), trouble)
    rounds = [a_round(week, day, hour) for day in range(DAYS) for hour in ROUNDS]
    installed = week.side.calls()
    week.until(at(24 * DAYS))
    week.until(at(24 * DAYS + 30))  # what a refusal put off for hours
    _is_as_in_the_ledger(week)
    _has_refused_only_what_was_lost(week)
    _was_never_slowed(week, rounds)
    _cost_few_calls(week, week.side.calls() - installed)
    assert week.side.refreshes() > 3
    with week.ledger.begin(write=False) as uow:
        assert uow.accounts.get(week.account.id).status == "active"


def _is_as_in_the_ledger(week: Week) -> None:
    assert week.waiting() == 0
    assert not week.side.faults.armed()
    shown, wanted = Counter(week.side.shown()), Counter(week.wanted())
    assert shown == wanted
    assert set(shown.values()) == {1}
    gone = {each.crm_id for each in week.people[:5]}
    assert week.side.flagged() == week.opted_out() - gone
    assert len(week.opted_out()) == 2 * DAYS


def _has_refused_only_what_was_lost(week: Week) -> None:
    """Five people were deleted in the CRM; all that is refused is theirs, with the reason the CRM gave."""
    gone = {each.crm_id for each in week.people[:5]}
    refused = [row for row in week.records() if row.state == "refused"]
    assert {row.contact_crm_id for row in refused} == gone
    assert all("404" in row.error or "not" in row.error or "deleted" in row.error for row in refused)
    with week.ledger.begin(write=False) as uow:
        assert len(uow.records.refused(week.account.id, 10_000)) == len(refused)


def _was_never_slowed(week: Week, rounds: list[list[MessageRow]]) -> None:
    delays = [delay for texts in rounds for delay in week.delays(texts)]
    assert len(delays) > 0.9 * len(rounds) * PEOPLE
    assert max(delays) <= SECONDS


def _cost_few_calls(week: Week, calls: int) -> None:
    count = len([row for row in week.records() if row.subject.startswith("message:")])
    sys.stdout.write(f"{week.side.slug}: {calls} calls for {count} texts and replies, {calls / count:.3f} each\n")
    assert calls / count <= 0.1


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
