"""Does a task step make the task its file says, whoever is meant, and ask somebody in any case?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from connector.adapters.public_holidays import PublicHolidays
from connector.adapters.rendering import Renderer
from connector.domain.durations import BusinessDays
from connector.domain.errands import Handoff, HandoffTo, Task
from connector.domain.places import Text
from connector.domain.surroundings import Surroundings
from connector.services.task_making import TaskMaker
from connector.services.wishes import Wish
from tests.services.test_message_making import HERE, NOW, SAM, setting

DEAL = {"subject": "deal:1", "owners": {"7": SAM}}
STAFF = Surroundings(
    Renderer().evaluate, zones=("Europe/Berlin",), country="DE", is_business_day=PublicHolidays().is_business_day
)


def task(
    title: str, *, staff: Surroundings = STAFF, where: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Make a task and give what is to be written."""
    values: dict[str, Any] = {"id": "t", "path": "steps[1]", "place": HERE, "assignee": "owner"}
    step = Task(**values | {"title": Text(title, HERE)} | more)
    wish = Wish(setting(**{**DEAL, **(where or {})}), step, "enrollment-1:steps[1]", NOW)
    row, complaint = TaskMaker(Renderer(), lambda: "id").make(wish, step, staff)
    return {**row.payload, "at": row.at, "subject": row.subject, "complaint": complaint}


def test_a_task_says_what_the_file_says() -> None:
    made = task("Call {{ contact.name }}", body=Text("Soon.", HERE), due_after=timedelta(hours=4), priority="high")
    assert made == {
        "title": "Call Lea",
        "body": "Soon.",
        "owner_id": "7",
        "queue_id": "",
        "priority": "high",
        "associations": ["deal:1"],
        "at": NOW + timedelta(hours=4),
        "subject": "task:enrollment-1:steps[1]",
        "complaint": "",
    }


@pytest.mark.parametrize(
    ("due", "at", "is_due"),
    [
        (timedelta(0), None, NOW),
        (timedelta(0), time(17), datetime(2026, 11, 20, 16, 0, tzinfo=UTC)),
        (timedelta(days=1), time(9), datetime(2026, 11, 21, 8, 0, tzinfo=UTC)),
        (BusinessDays(1), time(9), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        (BusinessDays(25), None, datetime(2026, 12, 28, 14, 0, tzinfo=UTC)),  # Christmas Day is a Friday
    ],
)
def test_a_task_is_due_on_the_clock_and_in_the_calendar_of_those_who_work(
    due: timedelta | BusinessDays, at: time | None, is_due: datetime
) -> None:
    assert task("Look", due_after=due, due_clock=at)["at"] == is_due


def test_a_calendar_without_business_days_leaves_the_task_due_now_and_says_so() -> None:
    def never(_day: date, _country: str | None) -> bool:
        return False

    made = task("Look", staff=replace(STAFF, is_business_day=never), due_after=BusinessDays(1))
    assert made["at"] == NOW
    assert "The due date could not be worked out" in made["body"]


def test_a_task_is_asked_for_even_when_its_title_cannot_be_written() -> None:
    made = task("Call {{ contact.nobody }}")
    assert made["title"] == "The journey"
    assert "could not be written" in made["body"]
    assert made["complaint"] in made["body"]


def test_a_task_may_go_to_a_colleague_by_address() -> None:
    assert task("Look", assignee="SAM@example.com")["owner_id"] == "7"
    assert task("Look", assignee="kim@example.com")["owner_id"] is None


def test_a_task_for_an_owner_nobody_is_goes_to_nobody_and_says_so() -> None:
    made = task("Look", where={"owner": None})
    assert made["owner_id"] is None
    assert "no owner" in made["body"]


def test_a_task_in_a_queue_has_no_owner_and_needs_none() -> None:
    made = task("Look", assignee="", queue="41", where={"owner": None})
    assert (made["queue_id"], made["owner_id"], made["complaint"]) == ("41", None, "")


def test_a_task_about_a_contact_alone_stands_on_the_contact_alone() -> None:
    assert task("Look", where={"subject": "contact:51"})["associations"] == []


def test_a_call_is_asked_for_without_a_name_and_without_an_owner_too() -> None:
    step = Handoff(id="h", path="steps[1]", place=HERE, to=HandoffTo.CALL)
    wish = Wish(setting(names={}, owner=None), step, "enrollment-1:steps[1]", NOW)
    row, complaint = TaskMaker(Renderer(), lambda: "id").call(wish, step)
    assert (row.at, row.payload["title"], row.payload["is_call"]) == (NOW, "Call this contact: The journey", True)
    assert complaint == "The record and the contact have no owner."
    assert row.payload["body"] == complaint
