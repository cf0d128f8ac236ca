"""Do flags and fields get onto contacts and leads, each row by itself, and is what is missing said?"""

from __future__ import annotations

import logging
from typing import Any

import pytest

from connector.errors import CRMRefusedError, CRMUnavailableError
from connector.ports.crm import HANDOFF, OPTED_IN_AT, CRMAccount
from connector.sandbox.salesforce.field_kinds import boolean, picklist
from tests.adapters.crm.contract import NOON
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce
from tests.adapters.crm.salesforce.texts import without_package

NOBODY = "003000000000001AAA"


def opt_out(
    salesforce: Salesforce,
    *ids: str,
    account: CRMAccount | None = None,
    opted_out: bool = True,
    source: str = "a reply",
) -> list[Exception | None]:
    crm, account = salesforce.crm, account or salesforce.account
    results = crm.set_opt_out(account, ids, opted_out=opted_out, at=NOON, source=source)
    assert [each.ref for each in results] == list(ids)
    return [each.error for each in results]


def test_contacts_and_leads_get_the_flag_in_one_call(salesforce: Salesforce) -> None:
    contact, lead = salesforce.contact(), salesforce.lead()
    assert opt_out(salesforce, lead, contact, lead) == [None] * 3
    for api_name, crm_id in (("Contact", contact), ("Lead", lead)):
        held = salesforce.world.get(ORG, api_name, crm_id)
        assert (held["SMS_Opt_Out__c"], held["SMS_Opt_Out_Source__c"]) == (True, "a reply")
        assert held["SMS_Opt_Out_At__c"] == "2026-11-20T12:00:00.000+0000"
    assert salesforce.calls("collections.update") == 1


def test_a_lifted_opt_out_keeps_its_time_and_is_no_opt_in(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    opt_out(salesforce, contact)
    opt_out(salesforce, contact, opted_out=False, source="START")
    held = salesforce.world.get(ORG, "Contact", contact)
    assert (held["SMS_Opt_Out__c"], held["SMS_Opt_Out_Source__c"]) == (False, "START")
    assert held["SMS_Opt_Out_At__c"] is not None
    read = salesforce.crm.read_contacts(salesforce.account, [contact], {})[contact]
    assert (read.opted_out, read.opted_in) == (False, False)


def test_a_long_source_is_cut_to_what_the_field_takes(salesforce: Salesforce) -> None:
    contact = salesforce.contact()
    assert opt_out(salesforce, contact, source="x" * 300) == [None]
    assert len(salesforce.world.get(ORG, "Contact", contact)["SMS_Opt_Out_Source__c"]) == 255


def test_people_merged_or_converted_meanwhile_are_followed(salesforce: Salesforce) -> None:
    master, loser, lead = salesforce.contact(), salesforce.contact(), salesforce.lead()
    salesforce.world.merge(ORG, master, loser)
    became = str(salesforce.world.convert(ORG, lead)["ConvertedContactId"])
    assert opt_out(salesforce, loser, lead) == [None, None]
    assert salesforce.world.get(ORG, "Contact", master)["SMS_Opt_Out__c"]
    assert salesforce.world.get(ORG, "Contact", became)["SMS_Opt_Out__c"]


def test_somebody_who_is_gone_for_good_is_refused_alone(salesforce: Salesforce) -> None:
    contact, gone = salesforce.contact(), salesforce.contact()
    salesforce.world.delete(ORG, "Contact", gone)
    done, *refused = opt_out(salesforce, contact, gone, NOBODY, "nonsense")
    assert done is None
    assert all(isinstance(each, CRMRefusedError) for each in refused)


def test_a_locked_contact_waits_alone(salesforce: Salesforce) -> None:
    free, held = salesforce.contact(), salesforce.contact()
    salesforce.world.lock_row(ORG, held, times=1)
    waiting, done = opt_out(salesforce, held, free)
    assert isinstance(waiting, CRMUnavailableError)
    assert done is None
    assert opt_out(salesforce, held) == [None]


def test_without_the_package_the_accounts_own_checkbox_or_list_takes_the_flag(salesforce: Salesforce) -> None:
    without_package(salesforce)
    salesforce.world.org(ORG).objects["Contact"].add(boolean("No_SMS__c"))
    salesforce.world.org(ORG).objects["Lead"].add(picklist("Contact_By__c", "Phone", "Nothing"))
    fields = {"Contact": "No_SMS__c", "Lead": {"field": "Contact_By__c", "value": "nothing"}}
    account, contact, lead = salesforce.having(opt_out_fields=fields), salesforce.contact(), salesforce.lead()
    assert opt_out(salesforce, contact, lead, account=account) == [None, None]
    assert salesforce.world.get(ORG, "Contact", contact)["No_SMS__c"] is True
    assert salesforce.world.get(ORG, "Lead", lead)["Contact_By__c"] == "Nothing"
    opt_out(salesforce, contact, lead, account=account, opted_out=False)
    assert salesforce.world.get(ORG, "Contact", contact)["No_SMS__c"] is False
    assert salesforce.world.get(ORG, "Lead", lead)["Contact_By__c"] is None


def test_without_any_field_for_it_the_refusal_says_what_to_do(salesforce: Salesforce) -> None:
    without_package(salesforce)
    (error,) = opt_out(salesforce, salesforce.contact())
    assert isinstance(error, CRMRefusedError)
    assert "install our package" in str(error)
    assert salesforce.calls("collections.update") == 0


def test_our_own_properties_have_salesforces_names(salesforce: Salesforce) -> None:
    lead = salesforce.lead()
    wanted = {lead: {HANDOFF: "Escalate 2026-11-20T12:00:00Z", OPTED_IN_AT: NOON.isoformat()}}
    assert [each.error for each in salesforce.crm.set_properties(salesforce.account, "contact", wanted)] == [None]
    held = salesforce.world.get(ORG, "Lead", lead)
    assert held["SMS_Handoff__c"] == "Escalate 2026-11-20T12:00:00Z"
    assert held["SMS_Opted_In_At__c"] == "2026-11-20T12:00:00.000+0000"


@pytest.mark.parametrize(
    ("name", "text", "held"),
    [
        ("Amount", "12.50", 12.5),
        ("Amount", "900", 900),
        ("Amount", "", None),
        ("CloseDate", "2026-12-31T23:00:00+00:00", "2026-12-31"),
        ("NextStep", "Call Maya", "Call Maya"),
        ("StageName", "closed won", "Closed Won"),
    ],
)
def test_texts_become_what_the_field_holds(salesforce: Salesforce, name: str, text: str, held: object) -> None:
    deal = salesforce.deal(Amount=1)
    results = salesforce.crm.set_properties(salesforce.account, "deal", {deal: {name: text}})
    assert [(each.ref, each.crm_record_id, each.error) for each in results] == [(deal, deal, None)]
    assert salesforce.world.get(ORG, "Opportunity", deal)[name] == held


@pytest.mark.parametrize(
    "wanted",
    [
        {"Amount": "a lot"},
        {"CloseDate": "soon"},
        {"No_Such__c": "1"},
        {"IsWon": "true"},
        {"StageName": "No such stage", "Name": "Barn"},
        {"Name": "x" * 200},
    ],
)
def test_a_record_with_a_value_it_cannot_take_is_refused_alone(salesforce: Salesforce, wanted: dict[str, str]) -> None:
    good, bad = salesforce.deal("Roof"), salesforce.deal("Shed")
    results = salesforce.crm.set_properties(salesforce.account, "deal", {bad: wanted, good: {"NextStep": "Call"}})
    errors = {each.ref: each.error for each in results}
    assert isinstance(errors[bad], CRMRefusedError)
    assert errors[good] is None
    assert salesforce.world.get(ORG, "Opportunity", good)["NextStep"] == "Call"
    assert salesforce.world.get(ORG, "Opportunity", bad)["Name"] == "Shed"


def test_invoices_of_an_organisation_without_any_are_refused(salesforce: Salesforce) -> None:
    wanted = {"a0ISb0000000001AAA": {"Name": "I-1"}}
    (result,) = salesforce.crm.set_properties(salesforce.having(invoice_object=""), "invoice", wanted)
    assert isinstance(result.error, CRMRefusedError)


# --- consent objects -------------------------------------------------------------------------------------


def somebody(salesforce: Salesforce) -> tuple[str, str]:
    """A contact with the individual behind them."""
    individual = str(salesforce.world.create(ORG, "Individual", {"LastName": "Lindqvist"})["Id"])
    return salesforce.contact(IndividualId=individual), individual


def consents(salesforce: Salesforce) -> list[dict[str, Any]]:
    return salesforce.world.list(ORG, "ContactPointTypeConsent")


def test_consent_objects_are_written_only_where_the_account_wants_them(salesforce: Salesforce) -> None:
    contact, _ = somebody(salesforce)
    opt_out(salesforce, contact)
    assert consents(salesforce) == []


def test_an_opt_out_is_one_consent_record_per_person_however_often_it_is_told(salesforce: Salesforce) -> None:
    account = salesforce.having(salesforce_consent_objects=True)
    contact, individual = somebody(salesforce)
    lead = salesforce.lead()  # has no individual
    for _ in range(2):
        assert opt_out(salesforce, contact, lead, account=account) == [None, None]
    (held,) = consents(salesforce)
    assert (held["PartyId"], held["PrivacyConsentStatus"]) == (individual, "OptOut")
    assert (held["ContactPointType"], held["CaptureSource"], held["Name"]) == ("Phone", "a reply", "SMS")
    opt_out(salesforce, contact, account=account, opted_out=False)
    assert [each["PrivacyConsentStatus"] for each in consents(salesforce)] == ["Seen"]


def test_a_refused_consent_record_does_not_undo_the_flag(
    salesforce: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    account = salesforce.having(salesforce_consent_objects=True)
    salesforce.world.add_rule(ORG, "ContactPointTypeConsent", "Name", "SMS", "Not here")
    contact, _ = somebody(salesforce)
    with caplog.at_level(logging.WARNING):
        assert opt_out(salesforce, contact, account=account) == [None]
    assert "Not here" in caplog.text
    assert salesforce.world.get(ORG, "Contact", contact)["SMS_Opt_Out__c"]


def test_a_consent_record_whose_answer_got_lost_is_found_the_next_time(salesforce: Salesforce) -> None:
    account = salesforce.having(salesforce_consent_objects=True)
    contact, _ = somebody(salesforce)
    salesforce.faults.arm("salesforce.collections.create", "accept_then_timeout", then="reset")
    assert opt_out(salesforce, contact, account=account) == [None]
    assert opt_out(salesforce, contact, account=account) == [None]
    assert len(consents(salesforce)) == 1


def test_an_organisation_without_consent_objects_is_left_alone(salesforce: Salesforce) -> None:
    contact, _ = somebody(salesforce)
    del salesforce.world.org(ORG).objects["ContactPointTypeConsent"]
    assert opt_out(salesforce, contact, account=salesforce.having(salesforce_consent_objects=True)) == [None]


# --- installing ------------------------------------------------------------------------------------------


def test_installing_tells_what_the_organisation_is(salesforce: Salesforce) -> None:
    facts = salesforce.crm.install(salesforce.account)
    assert facts == {
        "name": "Acme",
        "external_id": ORG,
        "time_zone": "America/New_York",
        "currency": "USD",
        "missing_fields": [],
    }


def test_installing_names_what_the_package_would_bring(
    salesforce: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    without_package(salesforce)
    with caplog.at_level(logging.WARNING):
        missing = salesforce.crm.install(salesforce.account)["missing_fields"]
    assert {"Contact.SMS_Opt_Out__c", "Lead.SMS_Handoff__c", "Task.SMS_Ref__c"} <= set(missing)
    assert "SMS_Message__c.External_Id__c" in missing
    assert "Task.SMS_Ref__c" in caplog.text
    salesforce.world.install_package(ORG)
    assert salesforce.crm.install(salesforce.account)["missing_fields"] == []


def test_installing_names_fields_of_the_settings_that_the_organisation_does_not_show(salesforce: Salesforce) -> None:
    account = salesforce.having(
        opt_out_fields={"contact": ["HasOptedOutOfEmail", "No_Textt__c"], "Lead": {"field": "Stop__c", "value": "x"}},
        phone_fields={"Contact": ["MobilePhone", "Mobil__c"]},
    )
    assert set(salesforce.crm.install(account)["missing_fields"]) == {
        "Contact.No_Textt__c",
        "Lead.Stop__c",
        "Contact.Mobil__c",
    }


def test_an_organisation_known_by_fifteen_characters_stays_known_by_them(salesforce: Salesforce) -> None:
    account = CRMAccount(salesforce.account.account_id, ORG[:15], salesforce.account.settings)
    assert salesforce.crm.install(account)["external_id"] == ORG[:15]


def test_an_organisation_that_is_another_says_so(salesforce: Salesforce) -> None:
    account = CRMAccount(salesforce.account.account_id, "00D000000000009EAA", salesforce.account.settings)
    assert salesforce.crm.install(account)["external_id"] == ORG
