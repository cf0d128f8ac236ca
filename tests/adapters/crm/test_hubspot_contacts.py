"""Is a HubSpot contact read as a person would read it?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.adapters.crm.hubspot.contacts import _moment
from connector.adapters.crm.places import country_code, iana_zone
from connector.domain.event import ContactSnapshot
from tests.adapters.crm.conftest import PORTAL, HubSpot

UK, US, AUSTRALIA = "+447700900461", "+12025550143", "+61491570156"


def snapshot(hubspot: HubSpot, **properties: str) -> ContactSnapshot:
    contact = hubspot.contact(**properties)
    return hubspot.crm.read_contacts(hubspot.account, [contact], {})[contact]


def test_everything_a_text_needs_is_read(hubspot: HubSpot) -> None:
    owner = hubspot.world.add_owner(PORTAL, "sam.okafor@example.com", "Sam", "Okafor")
    read = snapshot(
        hubspot, firstname="Maya", lastname="Lindqvist", email="maya@example.com", mobilephone=UK, country="UK",
        hs_language="en-gb", hs_timezone="europe_slash_london", hubspot_owner_id=owner,
    )  # fmt: skip
    assert (read.locale, read.time_zone, read.country, read.owner_id) == ("en-GB", "Europe/London", "GB", owner)
    assert read.attributes == {
        "name": "Maya Lindqvist", "first_name": "Maya", "last_name": "Lindqvist", "email": "maya@example.com",
    }  # fmt: skip
    assert not read.opted_out
    assert not read.opted_in


def test_a_contact_with_nothing_is_still_a_contact(hubspot: HubSpot) -> None:
    read = snapshot(hubspot)
    assert read.phones == ()
    assert (read.locale, read.time_zone, read.country, read.owner_id) == (None, None, None, None)
    assert read.attributes["name"] is None


def test_a_contact_without_a_name_is_called_by_its_address(hubspot: HubSpot) -> None:
    assert snapshot(hubspot, email="maya@example.com").attributes["name"] == "maya@example.com"


def test_attributes_of_the_mapping_are_read_under_our_names(hubspot: HubSpot) -> None:
    contact = hubspot.contact(city="Leeds", firstname="Maya")
    wanted = {"town": "city", "post_code": "zip", "first_name": "company"}
    read = hubspot.crm.read_contacts(hubspot.account, [contact], wanted)[contact]
    assert read.attributes["town"] == "Leeds"
    assert read.attributes["post_code"] is None
    assert read.attributes["first_name"] is None  # the mapping has the last word


def test_a_number_typed_with_its_country_code_comes_first_as_typed(hubspot: HubSpot) -> None:
    read = snapshot(hubspot, mobilephone="+44 7700 900461", phone="202 555 0143")
    assert read.phones[0] == ("+44 7700 900461", "mobilephone")
    assert [name for _, name in read.phones if not name.startswith("hs_")] == ["mobilephone", "phone"]


def test_an_opt_in_counts_until_an_opt_out(hubspot: HubSpot) -> None:
    hubspot.crm.install(hubspot.account)
    contact = hubspot.contact(sms_connector_opted_in_at="2026-11-01T00:00:00Z")
    read = hubspot.crm.read_contacts(hubspot.account, [contact], {})[contact]
    assert read.opted_in
    assert read.opted_in_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert read.opted_in_property == "sms_connector_opted_in_at"
    hubspot.world.update(PORTAL, "contacts", contact, {"sms_connector_opted_out": "true"})
    read = hubspot.crm.read_contacts(hubspot.account, [contact], {})[contact]
    assert (read.opted_in, read.opted_out) == (False, True)


@pytest.mark.parametrize("text", ["yes", "", "2026-11-01", "2026-11-01T00:00:00"])
def test_an_opt_in_without_a_readable_time_is_none(text: str) -> None:
    assert _moment(text) is None


def test_a_contact_that_was_merged_away_answers_with_what_it_became(hubspot: HubSpot) -> None:
    kept, gone = hubspot.contact(firstname="Maya"), hubspot.contact(firstname="Mya")
    hubspot.world.merge(PORTAL, kept, gone)
    read = hubspot.crm.read_contacts(hubspot.account, [gone, kept], {})
    assert {asked: each.crm_id for asked, each in read.items()} == {gone: kept, kept: kept}


def test_more_than_a_hundred_contacts_are_read_in_batches(hubspot: HubSpot) -> None:
    ids = [hubspot.contact() for _ in range(101)]
    assert list(hubspot.crm.read_contacts(hubspot.account, ids, {})) == ids
    assert hubspot.calls("contacts.batch_read") == 2


def test_reading_nobody_calls_nobody(hubspot: HubSpot) -> None:
    assert hubspot.crm.read_contacts(hubspot.account, [], {}) == {}
    assert hubspot.calls("contacts.batch_read") == 0


def test_the_contacts_country_reads_a_number_without_code(hubspot: HubSpot) -> None:
    british = hubspot.contact(mobilephone="07700 900461", country="United Kingdom")
    hubspot.contact(mobilephone="07700 900461")  # the account's default is US, where this is no number
    assert hubspot.crm.find_contacts_by_number(hubspot.account, UK) == [british]


def test_the_same_digits_in_another_country_are_another_number(hubspot: HubSpot) -> None:
    hubspot.contact(mobilephone="+1 491 570 156")
    australian = hubspot.contact(phone="+61 491 570 156")
    assert hubspot.crm.find_contacts_by_number(hubspot.account, AUSTRALIA) == [australian]


def test_more_contacts_with_a_number_than_one_page_are_all_found(hubspot: HubSpot) -> None:
    ids = [hubspot.contact(phone="(202) 555-0143") for _ in range(201)]
    assert sorted(hubspot.crm.find_contacts_by_number(hubspot.account, US), key=int) == ids


def test_a_hundred_long_addresses_are_found_within_hubspots_longest_search(hubspot: HubSpot) -> None:
    emails = [f"somebody.with.a.rather.long.name.{number:03}@subsidiary.example.com" for number in range(100)]
    ids = [hubspot.contact(email=each) for each in emails]
    found = hubspot.crm.find_contacts_by_email(hubspot.account, emails, "email")
    assert {each: list(found[each]) for each in emails} == dict(zip(emails, ([each] for each in ids), strict=True))
    assert hubspot.calls("contacts.search") == 3


def test_short_addresses_are_searched_for_a_hundred_at_a_time(hubspot: HubSpot) -> None:
    assert hubspot.crm.find_contacts_by_email(hubspot.account, [f"{each}@x.io" for each in range(101)], "email") == {}
    assert hubspot.calls("contacts.search") == 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("DE", "DE"), ("de", "DE"), ("Germany", "DE"), ("Deutschland", "DE"), (" united  states ", "US"),
        ("USA", "US"), ("U.K.", "GB"), ("Österreich", "AT"), ("España", "ES"), ("日本", "JP"),
        ("Atlantis", None), ("EU", None), ("ZZ", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_countries_are_read_by_code_and_by_name(raw: str | None, code: str | None) -> None:
    assert country_code(raw) == code


@pytest.mark.parametrize(
    ("raw", "zone"),
    [
        ("us_slash_eastern", "US/Eastern"),
        ("america_slash_new_york", "America/New_York"),
        ("america_slash_argentina_slash_buenos_aires", "America/Argentina/Buenos_Aires"),
        ("america_slash_port_hyphen_au_hyphen_prince", "America/Port-au-Prince"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("etc_slash_gmt_plus_5", "Etc/GMT+5"),
        ("etc_slash_gmt_minus_5", "Etc/GMT-5"),
        ("mars_slash_olympus", None),
        ("", None),
        (None, None),
    ],
)
def test_time_zones_are_read_in_hubspots_spelling(raw: str | None, zone: str | None) -> None:
    assert iana_zone(raw) == zone
