"""Is a setting that names what an organisation's people cannot say refused, and every other one taken?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.crm.salesforce.conftest import ORG, Salesforce


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"opt_out_fields": {"contact": "HasOptedOutOfEmail"}},
        {"opt_out_fields": {"Contact": {"field": "HasOptedOutOfEmail", "value": "True"}}},
        {"opt_out_fields": {"Lead": {"field": "Status", "value": "Not among the choices any more"}}},
        {"opt_out_fields": {"contact": "SMS_Opt_Out__c"}},
        {"phone_fields": {"Contact": ["MobilePhone"], "Lead": ["Phone"]}},
        {"phone_fields": {"Contact": []}},
        {"phone_fields": "?"},
        {"locale_field": "LeadSource", "time_zone_field": ""},
        {"salesforce_consent_objects": True},
        {"salesforce_consent_objects": False},
    ],
)
def test_fields_that_may_say_it_are_taken(salesforce: Salesforce, settings: dict[str, Any]) -> None:
    assert salesforce.crm.mistakes_in_settings(salesforce.having(**settings)) == {}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"opt_out_fields": {"contact": "No_Textt__c"}}, "Contact shows us no No_Textt__c"),
        ({"opt_out_fields": {"lead": "No_Textt__c"}}, "Lead shows us no No_Textt__c"),
        ({"opt_out_fields": {"contact": {"field": "HasOptedOutOfEmail", "value": "Stopped"}}}, "is a checkbox"),
        ({"opt_out_fields": {"contact": "Stop FROM User"}}, "cannot have"),
        ({"phone_fields": {"Lead": ["MobilePhone", "Mobil__c"]}}, "Lead shows us no Mobil__c"),
        ({"phone_fields": {"Contact": "Mobil FROM User"}}, "cannot have"),
        ({"locale_field": "Langauge__c"}, "neither Contact nor Lead shows us Langauge__c"),
        ({"time_zone_field": "Zone__c"}, "neither Contact nor Lead shows us Zone__c"),
    ],
)
def test_fields_that_can_never_say_it_are_refused(salesforce: Salesforce, settings: dict[str, Any], told: str) -> None:
    found = salesforce.crm.mistakes_in_settings(salesforce.having(**settings))
    assert set(found) == set(settings)
    assert told in found[next(iter(settings))]


def test_our_own_flag_is_no_mistake_where_the_package_is_missing(salesforce: Salesforce) -> None:
    account = salesforce.having(opt_out_fields={"contact": "HasOptedOutOfEmail"}, salesforce_namespace="acme")
    assert salesforce.crm.mistakes_in_settings(account) == {}


def test_consent_objects_that_are_not_there_cannot_be_switched_on(salesforce: Salesforce) -> None:
    del salesforce.world.org(ORG).objects["ContactPointTypeConsent"]
    found = salesforce.crm.mistakes_in_settings(salesforce.having(salesforce_consent_objects=True))
    assert "switch Data Protection and Privacy on" in found["salesforce_consent_objects"]
