"""Do two events that come at the same moment both get what the journey's `again` gives them?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.adapters.store.enrollments import SQLEnrollmentRepository
from connector.domain.timeline import EntryKind
from connector.ports.enrollments import EnrollmentRow
from tests.services.theatre import Theatre

Latest = Callable[..., EnrollmentRow | None]

WELCOME = """
journey: welcome
title: Welcome
purpose: transactional
trigger:
  event: deal.stage_changed
enroll:
  key: contact.id
  again: {again}
steps:
  - wait: 3 days
"""


def two_deals_at_once(directory: Path, again: str, monkeypatch: pytest.MonkeyPatch) -> Theatre:
    """Let a second event be judged as if the first one's enrollment were not committed yet."""
    theatre = Theatre(directory, f"sqlite:///{directory}/l.sqlite3", {"welcome": WELCOME.format(again=again)})
    contact = theatre.lea()
    first, second = (theatre.crm.put("deal", [contact], dealname="Roof", dealstage="new") for _ in range(2))
    theatre.deal_moves(first, "demo")
    theatre.work()
    honest: Latest = SQLEnrollmentRepository.latest
    judged: list[str] = []

    def late(repository: SQLEnrollmentRepository, *asked: str) -> EnrollmentRow | None:
        judged.append(asked[-1])
        return None if len(judged) == 1 else honest(repository, *asked)

    monkeypatch.setattr(SQLEnrollmentRepository, "latest", late)
    theatre.deal_moves(second, "demo")
    theatre.work()
    return theatre


def test_of_two_events_at_once_each_enters_where_everyone_may_enter_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre = two_deals_at_once(tmp_path, "always", monkeypatch)
    assert [row.epoch for row in theatre.enrollments()] == [0, 1]
    theatre.close()


def test_of_two_events_at_once_the_second_is_refused_for_what_the_first_has_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre = two_deals_at_once(tmp_path, "never", monkeypatch)
    assert len(theatre.enrollments()) == 1
    (refusal,) = theatre.summaries(EntryKind.NOT_ENROLLED)
    assert refusal == "Not enrolled in welcome: the contact is in this journey for the same key already"
    theatre.close()
