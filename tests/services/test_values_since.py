"""Does an enrollment follow what an event says of its record, also when the record has just been read?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.services.theatre import START, Theatre

APPOINTMENT = """
journey: appointment
title: Appointment
purpose: transactional
trigger:
  event: appointment.booked
enroll:
  key: appointment.id
exit_when:
  - where: appointment.status == "CANCELLED"
steps:
  - wait: {until: "appointment.starts_at - 24 hours"}
  - send: {text: "See you at {{ appointment.starts_at | time }}"}
"""
BOOKED_FOR = START + timedelta(days=10)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"appointment": APPOINTMENT})
    yield theatre
    theatre.close()


@pytest.fixture
def booked(theatre: Theatre) -> str:
    """An appointment of Lea's in ten days."""
    found = theatre.crm.put(
        "appointment", [theatre.lea()], hs_appointment_status="SCHEDULED", hs_appointment_start=iso(BOOKED_FOR)
    )
    theatre.hear("object.creation", found, objectTypeId="0-421")
    theatre.work()
    assert theatre.enrollment().due_at == BOOKED_FOR - timedelta(days=1)
    return found


def change(theatre: Theatre, appointment: str, name: str, value: str) -> None:
    theatre.crm.change("appointment", appointment, **{name: value})
    theatre.hear("object.propertyChange", appointment, objectTypeId="0-421", propertyName=name, propertyValue=value)


def test_a_wait_follows_an_appointment_moved_minutes_after_it_was_booked(theatre: Theatre, booked: str) -> None:
    theatre.pass_time(minutes=3)
    change(theatre, booked, "hs_appointment_start", iso(START + timedelta(days=3)))
    theatre.work()
    assert theatre.enrollment().due_at == START + timedelta(days=2)
    theatre.pass_time(days=2)
    theatre.work()
    assert theatre.messages()[0].body == "See you at 9:00 AM"


def test_of_several_changes_the_latest_holds(theatre: Theatre, booked: str) -> None:
    theatre.pass_time(minutes=1)
    change(theatre, booked, "hs_appointment_start", iso(START + timedelta(days=3)))
    theatre.work()
    theatre.pass_time(minutes=1)
    change(theatre, booked, "hs_appointment_start", iso(START + timedelta(days=5)))
    theatre.work()
    theatre.pass_time(minutes=1)
    theatre.work()
    assert theatre.enrollment().due_at == START + timedelta(days=4)


def test_an_exit_on_a_changed_record_is_not_late(theatre: Theatre, booked: str) -> None:
    theatre.pass_time(minutes=1)
    change(theatre, booked, "hs_appointment_status", "CANCELLED")
    theatre.work()
    assert theatre.enrollment().status == "ended"


def test_following_an_event_asks_the_crm_for_the_event_s_record_only(theatre: Theatre, booked: str) -> None:
    theatre.pass_time(minutes=1)
    change(theatre, booked, "hs_appointment_start", iso(START + timedelta(days=3)))
    theatre.reader.understand()
    calls = theatre.crm.calls.copy()
    theatre.work()
    assert theatre.enrollment().due_at == START + timedelta(days=2)
    assert theatre.crm.calls == calls


def test_what_was_read_later_than_an_event_counts_more_than_the_event(theatre: Theatre, booked: str) -> None:
    theatre.pass_time(minutes=1)
    change(theatre, booked, "hs_appointment_start", iso(START + timedelta(days=3)))
    theatre.work()
    theatre.crm.change("appointment", booked, hs_appointment_start=iso(START + timedelta(days=8)))
    theatre.pass_time(days=2)
    theatre.work()
    assert theatre.enrollment().due_at == START + timedelta(days=7)
