"""Do nudges leave after they were asked for, once however often, and never in the asker's time?"""

from __future__ import annotations

import threading

from connector.adapters.nudge_thread import NudgeThread


def test_lanes_asked_for_while_one_nudge_is_under_way_are_nudged_once_after_it() -> None:
    begun, go_on = threading.Event(), threading.Event()
    nudged: list[str] = []

    def nudge(lane: str) -> None:
        nudged.append(lane)
        begun.set()
        go_on.wait()

    nudges = NudgeThread(nudge, pause=lambda: None)
    nudges("events")
    begun.wait()
    for lane in ("events", "receipts", "events", "receipts"):
        nudges(lane)
    assert nudged == ["events"], "the asker did not wait for the nudge"
    go_on.set()
    nudges.close()
    assert nudged == ["events", "events", "receipts"]


def test_each_round_is_followed_by_a_pause() -> None:
    said: list[str] = []
    nudges = NudgeThread(said.append, pause=lambda: said.append("pause"))
    nudges("events")
    nudges.close()
    assert said == ["events", "pause"]


def test_closing_without_a_nudge_ends_the_thread() -> None:
    NudgeThread(lambda _lane: None).close()
