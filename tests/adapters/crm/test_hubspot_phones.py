"""Are a portal's own phone properties read, searched and written like HubSpot's?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from connector.adapters.crm.hubspot.phones import phone_properties, spellings
from connector.ports.crm import CRMAccount
from connector.sandbox.hubspot.property_definitions import PropertyDefinition
from tests.adapters.crm.conftest import PORTAL, HubSpot

UK, US, OTHER = "+447700900461", "+12025550143", "+12025550178"
OWN = "sms_number"


def having(hubspot: HubSpot, *names: str) -> CRMAccount:
    """The account with these phone properties, all of which the portal has."""
    add(hubspot, [each for each in names if each not in {"mobilephone", "phone"}])
    settings = {**hubspot.account.settings, "phone_fields": {"contact": list(names)}}
    return CRMAccount(hubspot.account.account_id, hubspot.account.external_id, settings)


def add(hubspot: HubSpot, names: Sequence[str]) -> None:
    known = hubspot.world.portal(PORTAL).properties["contacts"]
    known.update({name: PropertyDefinition(name, name, built_in=False) for name in names})


def test_a_contact_has_the_numbers_of_the_accounts_own_properties_in_their_order(hubspot: HubSpot) -> None:
    account = having(hubspot, OWN, "phone")
    contact = hubspot.contact(phone=US, mobilephone=OTHER, **{OWN: "07700 900461"})
    read = hubspot.crm.read_contacts(account, [contact], {})[contact]
    assert [each for each in read.phones if not each[1].startswith("hs_")] == [("07700 900461", OWN), (US, "phone")]


@pytest.mark.parametrize(
    "typed",
    [
        "+12025550143", "12025550143", "2025550143", "(202) 555-0143", "202-555-0143", "202.555.0143", "202 555 0143",
        "+1 202-555-0143", "+1 (202) 555-0143", "+1-202-555-0143", "+1 202 555 0143", "+1.202.555.0143",
    ],
)  # fmt: skip
def test_a_number_in_an_own_property_is_found_as_people_type_it(hubspot: HubSpot, typed: str) -> None:
    account = having(hubspot, OWN, "mobilephone")
    contact = hubspot.contact(**{OWN: typed})
    hubspot.contact(**{OWN: OTHER})
    assert hubspot.crm.find_contacts_by_number(account, US) == [contact]


@pytest.mark.parametrize(
    "typed", ["07700900461", "07700 900461", "+44 7700 900461", "+44 (0)7700 900461", "00447700900461"]
)
def test_a_number_of_another_country_is_found_with_its_own_prefixes(hubspot: HubSpot, typed: str) -> None:
    account = having(hubspot, OWN)
    contact = hubspot.contact(country="United Kingdom", **{OWN: typed})
    assert hubspot.crm.find_contacts_by_number(account, UK) == [contact]


def test_the_same_digits_in_an_own_property_are_another_countrys_number(hubspot: HubSpot) -> None:
    account = having(hubspot, OWN)
    hubspot.contact(country="United States", **{OWN: "7700900461"})
    assert hubspot.crm.find_contacts_by_number(account, UK) == []


def test_a_property_that_is_not_named_any_more_is_neither_read_nor_searched(hubspot: HubSpot) -> None:
    account = having(hubspot, OWN)
    contact = hubspot.contact(mobilephone=US)
    assert hubspot.crm.find_contacts_by_number(account, US) == []
    assert hubspot.crm.read_contacts(account, [contact], {})[contact].phones == ()


def test_as_many_properties_as_may_be_named_fit_into_hubspots_searches(hubspot: HubSpot) -> None:
    names = [f"{'n' * 98}_{number}" for number in range(5)]
    account = having(hubspot, *names)
    contacts = [hubspot.contact(**{name: "(202) 555-0143"}) for name in names]
    assert sorted(hubspot.crm.find_contacts_by_number(account, US)) == sorted(contacts)
    assert hubspot.calls("contacts.search") == 1


def test_a_contact_found_by_two_searches_is_found_once_and_the_latest_first(hubspot: HubSpot) -> None:
    account = having(hubspot, "mobilephone", "phone", OWN, "sms_second")
    first = hubspot.contact(mobilephone=US, sms_second=US)
    second = hubspot.contact(**{OWN: US})
    hubspot.clock.advance(timedelta(minutes=1))
    hubspot.world.update(PORTAL, "contacts", first, {"firstname": "Maya"})
    assert hubspot.crm.find_contacts_by_number(account, US) == [first, second]


def test_a_new_contact_gets_its_number_in_the_first_property(hubspot: HubSpot) -> None:
    account = having(hubspot, OWN, "mobilephone")
    made = hubspot.crm.create_contact(account, US, "SMS-1")
    held = hubspot.world.get(PORTAL, "contacts", made)["properties"]
    assert (held[OWN], held.get("mobilephone")) == (US, None)
    assert hubspot.crm.create_contact(account, US, "SMS-1") == made


def test_a_property_that_was_taken_away_leaves_the_others_to_be_searched(hubspot: HubSpot) -> None:
    account = having(hubspot, OWN, "mobilephone")
    del hubspot.world.portal(PORTAL).properties["contacts"][OWN]
    contact = hubspot.contact(mobilephone=US)
    assert hubspot.crm.find_contacts_by_number(account, US) == [contact]
    made = hubspot.crm.create_contact(account, OTHER, "SMS-1")
    assert hubspot.world.get(PORTAL, "contacts", made)["properties"]["mobilephone"] == OTHER
    assert hubspot.crm.install(account)["missing_fields"] == [f"contact.{OWN}"]


def test_a_property_made_just_now_is_searched_and_written_at_once(hubspot: HubSpot) -> None:
    hubspot.crm.find_contacts_by_number(having(hubspot, OWN), US)
    account = having(hubspot, OWN, "sms_second")
    contact = hubspot.contact(sms_second=US)
    assert hubspot.crm.find_contacts_by_number(account, US) == [contact]
    hubspot.crm.find_contacts_by_number(account, UK)
    assert hubspot.calls("properties.list") == 2, "what is remembered has all that are named"


def test_a_property_the_portal_does_not_have_costs_one_more_look_at_the_list(hubspot: HubSpot) -> None:
    account = having(hubspot, OWN, "mobilephone")
    del hubspot.world.portal(PORTAL).properties["contacts"][OWN]
    for looked in (1, 2):
        hubspot.crm.find_contacts_by_number(account, US)
        assert hubspot.calls("properties.list") == looked
    add(hubspot, [OWN])
    contact = hubspot.contact(**{OWN: US})
    assert hubspot.crm.find_contacts_by_number(account, US) == [contact]


def test_changes_of_an_own_property_count_as_changes_of_the_number(hubspot: HubSpot) -> None:
    assert hubspot.crm.contact_fields(having(hubspot, OWN, "phone")).phones == {OWN, "phone"}
    assert hubspot.crm.contact_fields(hubspot.account).phones == {"mobilephone", "phone"}


def test_a_setting_with_one_name_instead_of_a_list_is_read_all_the_same() -> None:
    assert phone_properties({"phone_fields": {"contact": OWN}}) == (OWN,)
    assert phone_properties({"phone_fields": {"contact": []}}) == ("mobilephone", "phone")
    assert phone_properties({"phone_fields": "?"}) == ("mobilephone", "phone")


@pytest.mark.parametrize("number", [UK, US, "+4930901820", "+61491570156", "+819012345678"])
def test_every_spelling_is_one_of_the_number(number: str) -> None:
    digits = {"".join(char for char in each if char.isdigit()) for each in spellings(number)}
    national = min(digits, key=len)
    assert number in spellings(number)
    assert all(each.endswith(national) for each in digits)
