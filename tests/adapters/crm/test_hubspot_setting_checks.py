"""Is a setting that names what a portal's contacts cannot say refused, and every other one taken?"""

from __future__ import annotations

from typing import Any

import pytest

from connector.ports.crm import CRMAccount
from connector.sandbox.hubspot.property_definitions import Option, PropertyDefinition
from tests.adapters.crm.conftest import PORTAL, HubSpot

_OWN = (
    PropertyDefinition("do_not_text", "Do not text", "bool", "booleancheckbox",
                       options=(Option("true", "Yes"), Option("false", "No")), built_in=False),
    PropertyDefinition("old_checkbox", "Old checkbox", "enumeration", "booleancheckbox",
                       options=(Option("true", "Yes"), Option("false", "No")), built_in=False),
    PropertyDefinition("sms_status", "SMS status", "enumeration", "select",
                       options=(Option("Stopped", "Stopped"), Option("active", "Active")), built_in=False),
    PropertyDefinition("many", "Many", "enumeration", "select",
                       options=tuple(Option(f"v{number}", "?") for number in range(13)), built_in=False),
    PropertyDefinition("elsewhere", "Kept elsewhere", "enumeration", "select", built_in=False),
    PropertyDefinition("wishes", "Wishes", built_in=False),
    PropertyDefinition("stopped_on", "Stopped on", "date", "date", built_in=False),
    PropertyDefinition("points", "Points", "number", "number", built_in=False),
    PropertyDefinition("sms_number", "SMS number", "string", "phonenumber", built_in=False),
)  # fmt: skip


def mistakes(hubspot: HubSpot, **settings: Any) -> dict[str, str]:
    hubspot.world.portal(PORTAL).properties["contacts"].update({each.name: each for each in _OWN})
    account = CRMAccount(hubspot.account.account_id, hubspot.account.external_id, settings)
    return dict(hubspot.crm.mistakes_in_settings(account))


@pytest.mark.parametrize(
    "fields",
    [
        "do_not_text",
        {"field": "do_not_text", "value": "True"},
        {"field": "do_not_text", "value": False},
        "old_checkbox",
        {"field": "sms_status", "value": ["Stopped", "active"]},
        {"field": "elsewhere", "value": "whatever"},
        "wishes",
        {"field": "wishes", "value": "No texts please"},
        {"field": "points", "value": "0"},
        ["do_not_text", {"field": "sms_status", "value": "Stopped"}],
    ],
)
def test_what_a_property_may_say_is_taken(hubspot: HubSpot, fields: Any) -> None:
    assert mistakes(hubspot, opt_out_fields={"contact": fields}) == {}


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("contact", "do_not_txt", "no property do_not_txt"),
        ("Contact", {"field": "do_not_text", "value": "Stopped"}, "its values are true and false"),
        ("contact", "sms_status", "say which of Stopped, active mean it"),
        ("contact", {"field": "sms_status", "value": ["Stopped", "Never"]}, "values of sms_status are Stopped, active"),
        ("contact", {"field": "sms_status", "value": "stopped"}, "values of sms_status are Stopped, active"),
        ("contact", {"field": "old_checkbox", "value": "yes"}, "values of old_checkbox are true, false"),
        ("contact", {"field": "many", "value": "x"}, "v10, v11 …"),
        ("contact", "stopped_on", "stopped_on holds a time"),
        ("lead", "do_not_text", "only contacts are people"),
    ],
)
def test_what_a_property_can_never_say_is_refused(hubspot: HubSpot, kind: str, fields: Any, told: str) -> None:
    found = mistakes(hubspot, opt_out_fields={kind: fields})
    assert set(found) == {"opt_out_fields"}
    assert told in found["opt_out_fields"]


def test_every_mistake_is_told_at_once(hubspot: HubSpot) -> None:
    found = mistakes(
        hubspot, opt_out_fields={"contact": ["nobody", "stopped_on"]}, phone_fields={"contact": ["points", "no_phone"]}
    )
    assert found["opt_out_fields"].count(";") == 1
    assert "points holds no text" in found["phone_fields"]
    assert "no property no_phone" in found["phone_fields"]


def test_phone_properties_the_portal_has_are_taken(hubspot: HubSpot) -> None:
    assert mistakes(hubspot, phone_fields={"contact": ["sms_number", "phone", "hs_calculated_phone_number"]}) == {}


def test_the_first_phone_property_has_to_take_the_numbers_of_new_contacts(hubspot: HubSpot) -> None:
    found = mistakes(hubspot, phone_fields={"contact": ["hs_calculated_phone_number", "phone"]})
    assert "name another first" in found["phone_fields"]


def test_a_property_made_a_moment_ago_is_known(hubspot: HubSpot) -> None:
    wanted = {"contact": "made_now"}
    assert mistakes(hubspot, opt_out_fields=wanted)
    hubspot.world.portal(PORTAL).properties["contacts"]["made_now"] = PropertyDefinition("made_now", "Made now")
    assert not mistakes(hubspot, opt_out_fields=wanted)
