"""Are an account's settings read from JSON and from text alike, and wrong ones refused with the reason?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import connector
from connector.domain.account_settings import ACCOUNT_SETTINGS, Kind, read_value, settings_of

US = {"default_region": "US"}


@pytest.mark.parametrize(
    ("name", "raw", "kept"),
    [
        ("name", " Acme ", "Acme"),
        ("default_region", "us", "US"),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("locale", "de_AT", "de-AT"),
        ("currency", "usd", "USD"),
        ("senders", "+12025550100, ACME", ["+12025550100", "ACME"]),
        ("senders", ["+12025550100", "12345"], ["+12025550100", "12345"]),
        ("senders", {"us": ["+12025550100"]}, {"US": ["+12025550100"]}),
        ("senders", '{"DE": "ACME"}', {"DE": ["ACME"]}),
        ("owner_phones", "Ann@example.com=202 555 0110", {"ann@example.com": "+12025550110"}),
        ("owner_phones", {"ann@example.com": "+12025550110"}, {"ann@example.com": "+12025550110"}),
        ("opt_out_fields", {"contact": "do_not_text"}, {"contact": "do_not_text"}),
        ("unknown_numbers", "Attach", "attach"),
        ("replace_smart_characters", "off", False),
        ("replace_smart_characters", True, True),
        ("number_status_property", "sms_number_status", "sms_number_status"),
        ("card_admins", "Ann@example.com", ["ann@example.com"]),
        ("phone_fields", '{"Lead": "Phone"}', {"Lead": ["Phone"]}),
        ("phone_fields", {"Contact": ["MobilePhone", "Second__c"]}, {"Contact": ["MobilePhone", "Second__c"]}),
        ("salesforce_namespace", "acme_sms", "acme_sms"),
        ("invoice_object", "Invoice__c", "Invoice__c"),
        ("invoice_fields", "due_date=Due__c", {"due_date": "Due__c"}),
        ("new_person", "contact", "contact"),
        (
            "salesforce_topics",
            "/data/CaseChangeEvent, /event/Shipped__e",
            ["/data/CaseChangeEvent", "/event/Shipped__e"],
        ),
        ("salesforce_topics", ["/data/ChangeEvents", "/data/ChangeEvents"], ["/data/ChangeEvents"]),
        ("api_reserve_percent", "12.5", 12.5),
        ("backfill_hours", "48", 48.0),
        ("locale_field", "Language__c", "Language__c"),
        ("time_zone_field", "Zone__c", "Zone__c"),
        ("salesforce_consent_objects", "yes", True),
        ("name", "  ", None),
        ("senders", [], None),
        ("owner_phones", None, None),
    ],
)
def test_a_value_is_kept_in_one_form_however_it_was_given(name: str, raw: Any, kept: Any) -> None:
    assert read_value("salesforce", name, raw, US) == kept


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("name", "x" * 256, "longer than 255"),
        ("name", 7, "expected a text"),
        ("default_region", "USA", "two letters"),
        ("time_zone", "Mars/Olympus", "IANA name"),
        ("time_zone", "/etc/passwd", "IANA name"),
        ("locale", "?", "expected a language"),
        ("currency", "dollars", "three letters"),
        ("senders", "way too long a name", "numbers such as"),
        ("senders", 7, "expected a list"),
        ("senders", {"Narnia": ["ACME"]}, "two letters"),
        ("owner_phones", "ann@example.com", "name=value"),
        ("owner_phones", "ann=+12025550110", "e-mail address"),
        ("owner_phones", "ann@example.com=12", "ann@example.com: "),
        ("owner_phones", "{bad", "looks like JSON"),
        ("owner_phones", ["+12025550110"], "names with their values"),
        ("opt_out_fields", {"contact": ""}, "expected a field"),
        ("unknown_numbers", "delete", "one of ignore, attach, create"),
        ("replace_smart_characters", "perhaps", "yes or no"),
        ("number_status_property", "has space", "no property"),
        ("card_admins", "ann", "e-mail addresses"),
        ("phone_fields", {"Account": "Phone"}, "Contact and Lead"),
        ("phone_fields", {"Contact": "Phone FROM User"}, "can be no field"),
        ("salesforce_namespace", "two__underscores", "single underscores"),
        ("salesforce_namespace", "a" * 16, "longer than 15"),
        ("invoice_object", "Invoice WHERE", "no object or field"),
        ("invoice_fields", {"due_date": "x y"}, "with the object's fields"),
        ("new_person", "account", "one of lead, contact"),
        ("salesforce_topics", "OpportunityChangeEvent", "topics such as"),
        ("salesforce_topics", "/data/Opportunity ChangeEvent", "topics such as"),
        ("api_reserve_percent", "100", "from 0 to 99"),
        ("api_reserve_percent", True, "from 0 to 99"),
        ("api_reserve_percent", "much", "from 0 to 99"),
        ("backfill_hours", "0", "from 1 to 168"),
        ("backfill_hours", "a day", "from 1 to 168"),
        ("backfill_hours", True, "from 1 to 168"),
        ("default_regoin", "US", "did you mean default_region"),
        ("access_token", "x", "no such setting"),
        ("instance_url", "https://evil.example", "no such setting"),
    ],
)
def test_a_wrong_value_is_refused_with_the_reason(name: str, raw: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_value("salesforce", name, raw, US)


def test_a_number_in_a_refused_value_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="number") as caught:
        read_value("hubspot", "owner_phones", {"ann@example.com": "+1202555"}, {})
    assert "202555" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        {"contact": ["sms_number", "mobilephone"]},
        {"Contact": ["sms_number", "mobilephone", "sms_number"]},
        '{"contact": "sms_number, mobilephone"}',
    ],
)
def test_phone_properties_of_a_hubspot_account_are_kept_in_order_and_once(raw: Any) -> None:
    assert read_value("hubspot", "phone_fields", raw, {}) == {"contact": ["sms_number", "mobilephone"]}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"Lead": ["Phone"]}, "expected contact"),
        ({"contact": ["MobilePhone"]}, "can be no property"),
        ({"contact": "mobilephone FROM x"}, "can be no property"),
        ({"contact": []}, "one to 5"),
        ({"contact": [f"number_{each}" for each in range(6)]}, "one to 5"),
    ],
)
def test_phone_properties_hubspot_cannot_have_are_refused(raw: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_value("hubspot", "phone_fields", raw, {})


def test_no_account_has_two_settings_of_one_name() -> None:
    for crm in ("hubspot", "salesforce"):
        names = [each.name for each in settings_of(crm)]
        assert len(names) == len(set(names))


def test_what_only_salesforce_has_is_no_setting_of_a_hubspot_account() -> None:
    assert "salesforce_namespace" not in {each.name for each in settings_of("hubspot")}
    with pytest.raises(ValueError, match="no such setting"):
        read_value("hubspot", "invoice_object", "Invoice__c", {})


@pytest.mark.parametrize("setting", ACCOUNT_SETTINGS, ids=lambda each: f"{each.crm}{each.name}")
def test_every_setting_takes_its_own_default_and_says_what_it_is_for(setting: Any) -> None:
    assert setting.help.endswith(".")
    assert bool(setting.options) == (setting.kind is Kind.CHOICE)
    if setting.default not in (None, (), {}, ""):
        assert setting.check(setting.default, US) == setting.default


def test_every_setting_of_an_account_that_is_read_can_be_set() -> None:
    source = "".join(path.read_text() for path in Path(connector.__file__).parent.rglob("*.py"))
    read = set(re.findall(r"""settings\.get\(\s*"([a-z_]+)\"""", source))
    kept_by_installing = {"instance_url"}
    assert read - kept_by_installing <= {each.name for each in ACCOUNT_SETTINGS}
    assert {"default_region", "phone_fields"} <= read
