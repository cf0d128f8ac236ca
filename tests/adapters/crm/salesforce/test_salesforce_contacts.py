"""Are people read as they are now, whichever id they are asked for by, and found by number however it was typed?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.domain.event import ContactSnapshot
from connector.errors import CRMRefusedError
from connector.sandbox.salesforce.field_kinds import picklist, text
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce

US, GB = "+12025550143", "+447700900123"


def read(salesforce: Salesforce, crm_id: str, **attributes: str) -> ContactSnapshot:
    return salesforce.crm.read_contacts(salesforce.account, [crm_id], attributes)[crm_id]


def test_a_contact_is_read_with_everything_a_text_needs(salesforce: Salesforce) -> None:
    account = str(salesforce.world.create(ORG, "Account", {"Name": "Lindqvist & Sons"})["Id"])
    owner = salesforce.world.add_user(ORG, "sam.okafor@acme.example")
    contact = salesforce.contact(
        FirstName="Maya",
        Email="maya@example.com",
        MobilePhone="0412 345 678",
        Phone="(202) 555-0143",
        MailingCountry="Sverige",
        MailingCity="Lund",
        AccountId=account,
        OwnerId=owner,
    )
    held = read(salesforce, contact, company="Company", city="City", nothing="No_Such_Field__c")
    assert held.crm_id == contact
    assert held.phones == (("0412 345 678", "MobilePhone"), ("(202) 555-0143", "Phone"))
    assert (held.country, held.owner_id) == ("SE", owner)
    assert held.attributes["name"] == "Maya Lindqvist"
    assert held.attributes["email"] == "maya@example.com"
    assert held.attributes["company"] == "Lindqvist & Sons"
    assert (held.attributes["city"], held.attributes["nothing"]) == ("Lund", None)


def test_contacts_and_leads_are_read_together_each_by_its_own_object(salesforce: Salesforce) -> None:
    contact, lead = salesforce.contact(), salesforce.lead(Company="Okafor Ltd", City="Lagos", Country="Nigeria")
    held = salesforce.crm.read_contacts(salesforce.account, [lead, contact], {"company": "Company", "city": "City"})
    assert list(held) == [lead, contact]
    assert held[lead].attributes["company"] == "Okafor Ltd"
    assert (held[lead].country, held[lead].attributes["city"]) == ("NG", "Lagos")
    assert held[contact].attributes["company"] is None


def test_an_id_of_fifteen_characters_is_the_same_contact(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    assert read(salesforce, contact[:15]).crm_id == contact


@pytest.mark.parametrize("nobody", ["003000000000001AAA", "999999", "", "003' OR Id != '"])
def test_an_id_of_nobody_is_absent(salesforce: Salesforce, nobody: str) -> None:
    assert salesforce.crm.read_contacts(salesforce.account, [nobody], {}) == {}


def test_a_merged_contact_answers_with_the_one_that_survived(salesforce: Salesforce) -> None:
    first, second, third = (salesforce.contact(Email=f"{n}@example.com") for n in range(3))
    salesforce.world.merge(ORG, second, first)
    salesforce.world.merge(ORG, third, second)
    assert [read(salesforce, each).crm_id for each in (first, second, third)] == [third] * 3


def test_a_converted_lead_answers_with_the_contact_it_became_and_that_ones_successor(salesforce: Salesforce) -> None:
    lead, other = salesforce.lead(), salesforce.contact()
    became = str(salesforce.world.convert(ORG, lead)["ConvertedContactId"])
    assert read(salesforce, lead).crm_id == became
    salesforce.world.merge(ORG, other, became)
    assert read(salesforce, lead).crm_id == other


def test_whom_salesforce_does_not_know_it_is_asked_about_once(salesforce: Salesforce) -> None:
    nobody, lead = "003000000000001AAA", salesforce.lead()
    became = str(salesforce.world.convert(ORG, lead)["ConvertedContactId"])
    assert list(salesforce.crm.read_contacts(salesforce.account, [nobody], {})) == []
    assert salesforce.calls("query_all") == 1
    assert list(salesforce.crm.read_contacts(salesforce.account, [lead, nobody, nobody[:15]], {})) == [lead]
    assert salesforce.calls("query_all") == 1 + 3  # the lead, nobody, and the contact the lead became
    assert list(salesforce.crm.read_contacts(salesforce.account, [lead, became], {})) == [lead, became]
    assert salesforce.calls("query_all") == 1 + 3 + 2  # who it became was asked for from the start


def test_a_deleted_contact_is_absent(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    salesforce.world.delete(ORG, "Contact", contact)
    assert salesforce.crm.read_contacts(salesforce.account, [contact], {}) == {}


def test_an_opt_in_counts_until_an_opt_out(salesforce: Salesforce) -> None:
    contact = salesforce.contact(SMS_Opted_In_At__c="2026-05-03T10:11:12Z")
    held = read(salesforce, contact)
    assert (held.opted_in, held.opted_in_at) == (True, datetime(2026, 5, 3, 10, 11, 12, tzinfo=UTC))
    salesforce.world.update(ORG, "Contact", contact, {"SMS_Opt_Out__c": True})
    held = read(salesforce, contact)
    assert (held.opted_in, held.opted_out, held.opted_out_by) == (False, True, "")


def test_the_accounts_own_phone_locale_and_zone_fields_are_read(salesforce: Salesforce) -> None:
    for name in ("SMS_Number__c", "Language__c", "Zone__c"):
        salesforce.world.org(ORG).objects["Lead"].add(text(name))
    lead = salesforce.lead(SMS_Number__c=GB, Language__c="de_AT", Zone__c="Europe/Vienna", Phone=US)
    account = salesforce.having(
        phone_fields={"Lead": ["SMS_Number__c"]}, locale_field="Language__c", time_zone_field="Zone__c"
    )
    held = salesforce.crm.read_contacts(account, [lead], {})[lead]
    assert held.phones == ((GB, "SMS_Number__c"),)
    assert (held.locale, held.time_zone) == ("de-AT", "Europe/Vienna")
    assert salesforce.crm.find_contacts_by_number(account, GB) == [lead]
    assert salesforce.crm.contact_fields(account).phones == {"SMS_Number__c", "MobilePhone", "Phone"}


@pytest.mark.parametrize(
    "typed",
    [US, "+1 202 555 0143", "(202) 555-0143", "202.555.0143", "1-202-555-0143", "202 555 01 43", "011 1 202 5550143"],
)
def test_a_number_is_found_however_it_was_typed(salesforce: Salesforce, typed: str) -> None:
    contact, lead = salesforce.contact(MobilePhone=typed), salesforce.lead(Phone=typed)
    salesforce.contact(Phone="+1 202 555 0178")
    found = salesforce.crm.find_contacts_by_number(salesforce.account, US)
    assert set(found) == {contact, lead}


def test_the_same_digits_in_another_country_are_another_number(salesforce: Salesforce) -> None:
    at_home = salesforce.contact(Phone="07700 900123", MailingCountry="United Kingdom")
    salesforce.contact(Phone="+33 7700 900123")
    salesforce.contact(Phone="7700 900123")  # in the account's own region, the US
    assert salesforce.crm.find_contacts_by_number(salesforce.account, GB) == [at_home]


def test_a_converted_lead_is_not_found_beside_its_contact(salesforce: Salesforce) -> None:
    lead = salesforce.lead(MobilePhone=US)
    became = str(salesforce.world.convert(ORG, lead)["ConvertedContactId"])
    assert salesforce.crm.find_contacts_by_number(salesforce.account, US) == [became]


def test_who_writes_from_an_unknown_number_becomes_a_lead_or_a_contact(salesforce: Salesforce) -> None:
    lead = salesforce.crm.create_contact(salesforce.account, US, "S-1")
    held = salesforce.world.get(ORG, "Lead", lead)
    assert (held["MobilePhone"], held["LastName"]) == (US, US)
    assert "S-1" in held["Description"]
    contact = salesforce.crm.create_contact(salesforce.having(new_person="contact"), GB, "S-2")
    assert salesforce.world.get(ORG, "Contact", contact)["MobilePhone"] == GB


def test_an_organisation_that_takes_no_such_lead_says_why(salesforce: Salesforce) -> None:
    salesforce.world.add_rule(ORG, "Lead", "Company", ".not provided.", "Leads need a company")
    with pytest.raises(CRMRefusedError, match="Leads need a company"):
        salesforce.crm.create_contact(salesforce.account, US, "S-1")


def test_a_list_of_the_accounts_own_says_that_somebody_opted_out(salesforce: Salesforce) -> None:
    salesforce.world.org(ORG).objects["Lead"].add(picklist("Contact_By__c", "Phone", "Nothing"))
    account = salesforce.having(opt_out_fields={"Lead": {"field": "Contact_By__c", "value": "Nothing"}})
    out, other = salesforce.lead(Contact_By__c="Nothing"), salesforce.lead(Contact_By__c="Phone")
    held = salesforce.crm.read_contacts(account, [out, other], {})
    assert (held[out].opted_out, held[out].opted_out_by) == (True, "Contact_By__c")
    assert not held[other].opted_out
    assert ("lead", "Contact_By__c") in {
        (each.object_type, each.property_name) for each in salesforce.crm.contact_fields(account).opt_out
    }


def test_the_lead_changed_last_comes_before_older_contacts(salesforce: Salesforce) -> None:
    contact = salesforce.contact(MobilePhone=US)
    salesforce.clock.advance(timedelta(minutes=1))
    lead = salesforce.lead(MobilePhone=US)
    assert salesforce.crm.find_contacts_by_number(salesforce.account, US) == [lead, contact]
