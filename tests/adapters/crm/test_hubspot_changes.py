"""Is everything met that changed in a portal since a time, with when it changed and who did it?"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from connector.ports.crm import Change, ChangedRecord
from connector.sandbox.hubspot.search import MOST_RESULTS
from tests.adapters.crm.conftest import PORTAL, HubSpot

LONG_AGO = timedelta(days=30)


def walk(hubspot: HubSpot, object_type: str, properties: list[str], since: datetime) -> list[ChangedRecord]:
    """Turn every page."""
    met, after = list[ChangedRecord](), ""
    while True:
        page = hubspot.crm.changed_since(hubspot.account, object_type, properties, since, after=after)
        met += page.records
        after = page.next
        if not after:
            return met


def deal(hubspot: HubSpot, source: str = "CRM_UI") -> str:
    properties = {"dealname": "Roof", "dealstage": "contractsent"}
    return str(hubspot.world.create(PORTAL, "deals", properties, source=source)["id"])


def test_a_change_is_known_with_its_time_and_not_that_of_the_record(hubspot: HubSpot) -> None:
    roof = deal(hubspot)
    hubspot.clock.advance(timedelta(hours=1))
    hubspot.world.update(PORTAL, "deals", roof, {"dealstage": "closedwon"})
    moved = hubspot.world.portal(PORTAL).records["deals"][roof].updated_at
    hubspot.clock.advance(timedelta(hours=1))
    hubspot.world.update(PORTAL, "deals", roof, {"amount": "900"})
    (met,) = walk(hubspot, "deal", ["dealstage"], hubspot.clock.now() - LONG_AGO)
    assert met.properties == {"dealstage": "closedwon"}
    assert met.changed == {"dealstage": Change(moved.replace(microsecond=moved.microsecond // 1000 * 1000))}
    assert met.modified_at > moved


def test_what_an_import_made_or_changed_is_told_from_what_people_did(hubspot: HubSpot) -> None:
    imported, mine = deal(hubspot, source="IMPORT"), deal(hubspot)
    hubspot.world.update(PORTAL, "deals", mine, {"dealstage": "closedwon"}, source="IMPORT")
    met = {each.object_id: each for each in walk(hubspot, "deal", ["dealstage"], hubspot.clock.now() - LONG_AGO)}
    made = {each: met[each].created for each in (imported, mine)}
    assert [one is not None and one.is_import for one in made.values()] == [True, False]
    assert [met[each].changed["dealstage"].is_import for each in (imported, mine)] == [True, True]


@pytest.mark.parametrize("alike", [200, 201, 450])
def test_records_changed_in_the_same_moment_are_all_met_though_no_page_holds_them(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch, alike: int
) -> None:
    before, after = deal(hubspot), list[str]()
    moment = hubspot.clock.now() + timedelta(seconds=1)
    monkeypatch.setattr(hubspot.clock, "now", lambda: moment)
    same = [deal(hubspot) for _ in range(alike)]
    monkeypatch.undo()
    hubspot.clock.advance(timedelta(minutes=1))
    after = [deal(hubspot) for _ in range(3)]
    met = [each.object_id for each in walk(hubspot, "deal", [], hubspot.clock.now() - LONG_AGO)]
    assert met[0] == before
    assert sorted(met, key=int) == sorted([before, *same, *after], key=int)


def test_no_page_is_asked_for_that_hubspot_would_refuse_to_give(hubspot: HubSpot) -> None:
    ids = [deal(hubspot) for _ in range(401)]
    assert len(walk(hubspot, "deal", [], hubspot.clock.now() - LONG_AGO)) == len(ids) < MOST_RESULTS
    assert hubspot.calls("deals.search") >= 3


def test_a_record_that_changes_during_the_walk_is_met_again_and_none_is_passed_over(hubspot: HubSpot) -> None:
    ids = [deal(hubspot) for _ in range(250)]
    since = hubspot.clock.now() - LONG_AGO
    first = hubspot.crm.changed_since(hubspot.account, "deal", [], since)
    hubspot.clock.advance(timedelta(minutes=1))
    hubspot.world.update(PORTAL, "deals", ids[0], {"amount": "1"})
    rest = hubspot.crm.changed_since(hubspot.account, "deal", [], since, after=first.next)
    met = [each.object_id for page in (first, rest) for each in page.records]
    assert set(met) == set(ids)
    assert met.count(ids[0]) == 2


def test_contacts_have_their_own_name_for_when_they_changed(hubspot: HubSpot) -> None:
    contact = hubspot.contact(firstname="Lea")
    (met,) = walk(hubspot, "contact", ["firstname"], hubspot.clock.now() - LONG_AGO)
    assert (met.object_id, met.properties) == (contact, {"firstname": "Lea"})
    assert met.created is not None


def test_the_history_is_newer_than_the_search_index(hubspot: HubSpot) -> None:
    roof = deal(hubspot)
    hubspot.world.writer.search_lag = timedelta(minutes=5)
    hubspot.clock.advance(timedelta(minutes=10))
    hubspot.world.update(PORTAL, "deals", roof, {"dealstage": "closedwon"})
    (met,) = walk(hubspot, "deal", ["dealstage"], hubspot.clock.now() - LONG_AGO)
    assert met.properties == {"dealstage": "closedwon"}
