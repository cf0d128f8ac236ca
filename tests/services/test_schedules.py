"""Does a journey with a schedule start on time, once for each of its people, and not at all when it is too late?"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.journey_files import journey_from_source
from connector.adapters.store.tables import metadata
from connector.domain.account_status import CONNECTED_AT
from connector.domain.timeline import EntryKind
from connector.errors import CRMDisconnectedError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import MISSING_SCOPES
from connector.services.audience_listing import PAGES, AudienceLister
from connector.services.publications import Hand, JourneyFiles
from connector.services.schedules import LATEST, Schedules, latest_occurrence, next_occurrence
from tests.services import fake_crm
from tests.services.fake_crm import FakeCRM
from tests.services.theatre import ACCOUNT, REMINDER, START, Theatre

# START is Friday 2026-11-20 14:00 UTC; the account's clock is London's, the same in November.
WEEKLY = """
journey: weekly
title: Weekly offer
purpose: transactional
timezone: account
trigger:
  schedule: "0 15 * * fri"
  audience: customers
enroll:
  again: always
steps:
  - send: confirmation/first
"""
AT_THREE = datetime(2026, 11, 20, 15, tzinfo=UTC)
SAM = Hand("sam")


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    theatre = open_theatre(tmp_path)
    yield theatre
    theatre.close()


def open_theatre(tmp_path: Path, journey: str = WEEKLY) -> Theatre:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    return Theatre(tmp_path, url, {"weekly": journey}, time_zone="Europe/London")


def customers(theatre: Theatre, count: int) -> list[str]:
    return [theatre.lea(mobilephone=f"+120255501{number:02}", lifecyclestage="customer") for number in range(count)]


def look(theatre: Theatre) -> None:
    """Let maintenance and the events lane do what there is to do."""
    Schedules(theatre.ledger, theatre.versions, theatre.clock).start_due()
    lister = AudienceLister(theatre.ledger, {"hubspot": theatre.crm}, theatre.versions, theatre.clock, random.Random(7))
    while lister.list_next():
        pass
    theatre.work()


def attention(theatre: Theatre) -> list[str]:
    return theatre.summaries(EntryKind.ATTENTION_NEEDED)


def timer(theatre: Theatre) -> datetime:
    """When the schedule is looked at next."""
    poll = metadata.tables["poll"]
    with theatre.ledger.engine.connect() as connection:
        found: datetime = connection.execute(poll.select().where(poll.c.event == "schedule:weekly")).one().due_at
    return found


def at(theatre: Theatre, moment: datetime) -> None:
    theatre.clock.at = moment


def test_nobody_is_taken_in_before_the_time_has_come(theatre: Theatre) -> None:
    customers(theatre, 2)
    look(theatre)
    assert theatre.enrollments() == []
    assert timer(theatre) == AT_THREE


def test_everybody_in_the_audience_is_taken_in_when_the_time_has_come(theatre: Theatre) -> None:
    people = customers(theatre, 2)
    theatre.lea(mobilephone="+12025550177", lifecyclestage="lead")
    look(theatre)
    at(theatre, AT_THREE)
    look(theatre)
    assert sorted(row.subject for row in theatre.enrollments()) == [f"contact:{each}" for each in people]
    assert len(theatre.messages()) == 2
    assert timer(theatre) == AT_THREE + timedelta(days=7)


def test_the_same_occurrence_found_twice_changes_nothing(theatre: Theatre) -> None:
    customers(theatre, 2)
    look(theatre)
    at(theatre, AT_THREE)
    look(theatre)
    with theatre.ledger.begin() as uow:
        uow.polls.next(ACCOUNT, "schedule:weekly", AT_THREE)
        uow.commit()
    theatre.pass_time(minutes=5)
    look(theatre)
    assert len(theatre.enrollments()) == 2


def test_the_next_occurrence_takes_them_in_again(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    look(theatre)
    at(theatre, AT_THREE + timedelta(days=7))
    look(theatre)
    assert len(theatre.enrollments()) == 2


def test_an_audience_of_many_pages_is_listed_in_parts_that_survive_a_crash(theatre: Theatre) -> None:
    many = fake_crm.PAGE * PAGES + 2
    customers(theatre, many)
    look(theatre)
    at(theatre, AT_THREE)
    lister = AudienceLister(theatre.ledger, {"hubspot": theatre.crm}, theatre.versions, theatre.clock, random.Random(7))
    Schedules(theatre.ledger, theatre.versions, theatre.clock).start_due()
    assert lister.list_next()
    theatre.work()
    assert len(theatre.enrollments()) == fake_crm.PAGE * PAGES
    look(theatre)
    assert len(theatre.enrollments()) == many


def test_other_events_go_before_an_audience(theatre: Theatre) -> None:
    customers(theatre, 5)
    look(theatre)
    at(theatre, AT_THREE)
    Schedules(theatre.ledger, theatre.versions, theatre.clock).start_due()
    AudienceLister(
        theatre.ledger, {"hubspot": theatre.crm}, theatre.versions, theatre.clock, random.Random(7)
    ).list_next()
    invoice = theatre.invoice(theatre.lea())
    row = theatre.hear("invoice.creation", invoice)
    theatre.reader.understand(1)
    assert theatre.outcome(row) is not None
    assert theatre.enrollments() == []


def test_a_schedule_that_was_missed_by_less_than_six_hours_is_made_up_for(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE + LATEST - timedelta(minutes=1))
    look(theatre)
    assert len(theatre.enrollments()) == 1


def test_a_schedule_that_was_missed_by_more_is_skipped_and_said(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE + LATEST + timedelta(minutes=1))
    look(theatre)
    assert theatre.enrollments() == []
    assert attention(theatre) == [
        "weekly did not start at 2026-11-20 15:00 UTC: nothing ran then, and 6 hours later is too late"
    ]
    assert timer(theatre) == AT_THREE + timedelta(days=7)


def test_a_journey_published_after_its_hour_waits_for_the_next_one(tmp_path: Path) -> None:
    theatre = open_theatre(tmp_path, WEEKLY.replace("0 15", "0 13"))
    customers(theatre, 1)
    look(theatre)
    assert theatre.enrollments() == []
    assert attention(theatre) == []
    assert timer(theatre) == datetime(2026, 11, 27, 13, tzinfo=UTC)
    theatre.close()


def republish(theatre: Theatre, old: str, new: str) -> None:
    text = WEEKLY.replace(old, new)
    assert text != WEEKLY
    journey = journey_from_source({**theatre.journeys[0].source, "journey": text})
    theatre.publisher.publish(ACCOUNT, JourneyFiles({"weekly": journey}), (), SAM)


def test_a_changed_schedule_holds_at_once(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    republish(theatre, "0 15 * * fri", "30 14 * * *")
    look(theatre)
    assert timer(theatre) == datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


def test_a_changed_text_does_not_make_a_missed_occurrence_be_forgotten(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE + timedelta(minutes=1))
    republish(theatre, "title: Weekly offer", "title: The weekly offer")
    look(theatre)
    assert len(theatre.enrollments()) == 1


def test_a_retired_journey_starts_nothing_and_starts_again_when_it_is_back(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    theatre.publisher.retire(ACCOUNT, "weekly", SAM)
    at(theatre, AT_THREE)
    look(theatre)
    assert theatre.enrollments() == []
    theatre.pass_time(hours=1)
    theatre.publisher.roll_back(ACCOUNT, "weekly", None, SAM)
    look(theatre)
    assert theatre.enrollments() == []
    assert timer(theatre) == AT_THREE + timedelta(days=7)


def test_a_journey_switched_off_starts_nothing(tmp_path: Path) -> None:
    theatre = open_theatre(tmp_path, WEEKLY + "enabled: no\n")
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    look(theatre)
    assert theatre.enrollments() == []
    assert timer(theatre) == AT_THREE + timedelta(days=7)
    theatre.close()


def test_a_journey_taken_out_while_its_audience_waits_starts_nothing(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    Schedules(theatre.ledger, theatre.versions, theatre.clock).start_due()
    theatre.publisher.retire(ACCOUNT, "weekly", SAM)
    look(theatre)
    assert theatre.enrollments() == []


def test_a_crm_that_is_away_is_asked_again(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    theatre.crm.fail("search", CRMUnavailableError("throttled", retry_after=timedelta(seconds=10)))
    look(theatre)
    assert theatre.enrollments() == []
    theatre.pass_time(seconds=11)
    look(theatre)
    assert len(theatre.enrollments()) == 1


def test_a_crm_that_stays_away_for_hours_is_said(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    theatre.crm.fail("search", CRMUnavailableError("down"))
    look(theatre)
    theatre.pass_time(hours=7)
    look(theatre)
    assert theatre.enrollments() == []
    assert attention(theatre) == ["The audience of weekly could not be listed: the CRM could not be searched in time"]


def test_a_search_that_is_refused_is_said(theatre: Theatre) -> None:
    look(theatre)
    at(theatre, AT_THREE)
    theatre.crm.fail("search", CRMRefusedError("no such property", status=400))
    look(theatre)
    (said,) = attention(theatre)
    assert "the CRM refuses the search: no such property" in said


def test_a_missing_right_is_waited_for(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    theatre.crm.fail("search", CRMRefusedError("no scope", status=403, category=MISSING_SCOPES))
    look(theatre)
    theatre.pass_time(minutes=11)
    look(theatre)
    assert len(theatre.enrollments()) == 1
    assert attention(theatre) == []


def test_an_account_connected_again_while_its_audience_was_refused_stays_connected(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        with theatre.ledger.begin() as uow:
            account = uow.accounts.get(ACCOUNT)
            settings = {**account.settings, CONNECTED_AT: theatre.clock.at.isoformat()}
            uow.accounts.save_settings(ACCOUNT, settings, account.name)
            uow.commit()
        raise CRMDisconnectedError("revoked", status=401)

    customers(theatre, 2)
    look(theatre)
    at(theatre, AT_THREE)
    with monkeypatch.context() as patched:
        patched.setattr(theatre.crm, "search_page", refuse)
        look(theatre)
    with theatre.ledger.begin(write=False) as uow:
        assert uow.accounts.get(ACCOUNT).status == "active"
    theatre.pass_time(minutes=1)
    look(theatre)
    assert len(theatre.messages()) == 2


def test_schedules_of_many_accounts_are_started_some_at_a_time_and_none_is_left_out(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.services.schedules._AT_ONCE", 2)
    with theatre.ledger.begin() as uow:
        mine = uow.accounts.get(ACCOUNT)
        for number in range(5):
            account_id = f"{number:032x}"
            uow.accounts.add(replace(mine, id=account_id, external_id=f"77{number}"))
            uow.polls.ensure(account_id, "schedule:weekly", AT_THREE)
        uow.commit()
    at(theatre, AT_THREE)
    Schedules(theatre.ledger, theatre.versions, theatre.clock).start_due()
    with theatre.ledger.begin() as uow:
        assert uow.polls.claim(AT_THREE, AT_THREE, 10, "schedule") == []


def test_a_disconnected_account_starts_when_it_is_back_in_time(theatre: Theatre) -> None:
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    theatre.crm.fail("search", CRMDisconnectedError("revoked"))
    look(theatre)
    theatre.pass_time(minutes=11)
    look(theatre)
    assert theatre.enrollments() == []
    with theatre.ledger.begin() as uow:
        uow.accounts.set_status(ACCOUNT, "active", "")
        uow.commit()
    theatre.pass_time(minutes=11)
    look(theatre)
    assert len(theatre.enrollments()) == 1


def test_who_is_gone_from_the_crm_since_the_listing_is_noted(theatre: Theatre) -> None:
    (contact,) = customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    Schedules(theatre.ledger, theatre.versions, theatre.clock).start_due()
    lister = AudienceLister(theatre.ledger, {"hubspot": theatre.crm}, theatre.versions, theatre.clock, random.Random(7))
    lister.list_next()
    theatre.crm.take_away("contact", contact)
    theatre.work()
    assert any("no longer exists in the CRM" in each for each in theatre.summaries(EntryKind.EVENT_IGNORED))


def test_a_contact_costs_one_reading_and_no_record(theatre: Theatre) -> None:
    customers(theatre, 2)
    look(theatre)
    at(theatre, AT_THREE)
    look(theatre)
    assert theatre.crm.calls["read_records"] == 0
    assert theatre.crm.calls["read_contacts"] == 1


def test_a_contact_is_read_again_when_what_is_known_is_old_and_only_then(tmp_path: Path) -> None:
    theatre = open_theatre(tmp_path, WEEKLY + "  - wait: 3 hours\n  - send: confirmation/first\n")
    customers(theatre, 1)
    look(theatre)
    at(theatre, AT_THREE)
    look(theatre)
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(hours=3)
    theatre.work()
    assert len(theatre.messages()) == 2
    assert theatre.crm.calls["read_contacts"] == 2
    assert theatre.enrollment().state["read_at"] == theatre.clock.at
    theatre.close()


def test_who_is_not_in_the_audience_is_refused_with_the_line_that_says_so(tmp_path: Path) -> None:
    journey = REMINDER.replace("trigger:\n", "trigger:\n  audience: reachable-by-mail\n")
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"reminder": journey})
    theatre.invoice(theatre.lea(email="lea@example.com"))
    theatre.invoice(theatre.lea(mobilephone="+12025550144"))
    theatre.poller.poll_due()
    theatre.work()
    assert len(theatre.enrollments()) == 1
    (refused,) = theatre.entries(EntryKind.NOT_ENROLLED)
    assert refused.path == "trigger.audience"
    assert "the audience reachable-by-mail (" in refused.summary
    assert "audiences.yaml:" in refused.summary
    assert "contact.email is not none does not hold" in refused.summary
    theatre.close()


# The clock of a schedule


def account(theatre: Theatre, **settings: Any) -> Any:
    with theatre.ledger.begin(write=False) as uow:
        return replace(uow.accounts.get(ACCOUNT), settings=settings)


@pytest.mark.parametrize(
    ("time_zone", "settings", "expected"),
    [
        ("account", {"time_zone": "America/New_York"}, datetime(2026, 11, 20, 20, tzinfo=UTC)),
        ("contact", {"time_zone": "America/New_York"}, datetime(2026, 11, 20, 20, tzinfo=UTC)),
        ("account", {}, datetime(2026, 11, 20, 15, tzinfo=UTC)),
        ("Asia/Tokyo", {}, datetime(2026, 11, 27, 6, tzinfo=UTC)),
    ],
)
def test_the_hour_is_that_of_the_journeys_clock(
    theatre: Theatre, time_zone: str, settings: dict[str, str], expected: datetime
) -> None:
    journey = replace(theatre.journeys[0], time_zone=time_zone)
    assert next_occurrence(journey, account(theatre, **settings), START) == expected


def test_the_minute_itself_counts_as_having_come(theatre: Theatre) -> None:
    journey = theatre.journeys[0]
    for seconds in (0, 59):
        now = AT_THREE + timedelta(seconds=seconds)
        assert latest_occurrence(journey, account(theatre, time_zone="Europe/London"), now) == AT_THREE
    before = AT_THREE - timedelta(seconds=1)
    assert latest_occurrence(journey, account(theatre, time_zone="Europe/London"), before) < before
    assert next_occurrence(journey, account(theatre, time_zone="Europe/London"), AT_THREE) > AT_THREE


def test_a_contact_page_begins_behind_the_id_of_the_last() -> None:
    crm = FakeCRM()
    ids = [crm.put("contact", lifecyclestage="customer") for _ in range(4)]
    acting: Any = None
    first = crm.search_page(acting, "contact", [], [])
    rest = crm.search_page(acting, "contact", [], [], after=first[-1][0])
    assert [each for each, _ in [*first, *rest]] == ids
